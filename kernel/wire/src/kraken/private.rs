//! The private socket: answers to our requests, and what happened to our orders.
//!
//! Updates are sparse: after the first, most name the order by the venue's id alone. So the
//! decoder remembers each order's own id and instrument, and an update about an order that it
//! cannot place is handed on as foreign instead of being guessed at.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use portcullis_domain::{ClOrdId, ExecutionReport, Instrument, OrderId, WallNs};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::execution::{ExecutionData, Meaning};
use super::frame::{Envelope, invalid, missing, moment, read};
use super::record::OrderRecord;
use super::refusal::{SystemStatus, VenueRefusal};
use crate::{WireError, WireFault};

/// Ended orders that are remembered for fills that cross their end on the wire.
const ENDED_ORDERS_KEPT: usize = 4_096;

/// One frame of the private socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrivateFrame {
    /// The line is alive.
    Heartbeat,
    /// What the venue says about itself.
    Status(SystemStatus),
    /// The answer to our ping.
    Pong {
        /// The number of our ping.
        req_id: Option<u64>,
    },
    /// The answer to a subscription or its end.
    Subscription {
        /// The number of our request.
        req_id: Option<u64>,
        /// `None` if the venue took it.
        refused: Option<Refused>,
    },
    /// What happened to orders.
    Executions(Executions),
    /// The answer to a request about orders.
    Answer(Answer),
    /// Balances. They are read by REST, where they are whole.
    Balances,
}

/// One executions frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Executions {
    /// Whether this is the list of open orders that follows the subscription.
    pub snapshot: bool,
    /// The venue's count on this channel; a hole in it is an error.
    pub sequence: u64,
    /// Reports about our orders, in the venue's order.
    pub reports: Vec<ExecutionReport>,
    /// Of a snapshot: all open orders, ours or not. It is compared, never adopted.
    pub open: Vec<OrderRecord>,
    /// Events of orders that carry no id of ours.
    pub foreign: Vec<ForeignOrder>,
}

/// An order at the account that does not carry an id of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignOrder {
    /// FIX 37.
    pub order_id: OrderId,
    /// FIX 11, if it has another's.
    pub cl_ord_id: Option<String>,
    /// The venue's word for what happened.
    pub exec_type: String,
}

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `add_order`.
    AddOrder,
    /// `amend_order`.
    AmendOrder,
    /// `cancel_order`; the venue sends one answer per order.
    CancelOrder,
    /// `cancel_all`.
    CancelAll,
    /// `cancel_all_orders_after`.
    CancelAllOrdersAfter,
}

/// The answer to a request about orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was asked.
    pub method: Method,
    /// The number of our request.
    pub req_id: Option<u64>,
    /// What the venue made of it.
    pub outcome: Result<Accepted, Refused>,
}

/// A request that the venue took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// FIX 37.
    pub order_id: Option<OrderId>,
    /// FIX 11.
    pub cl_ord_id: Option<String>,
    /// Orders canceled.
    pub count: Option<u64>,
    /// When the venue's dead-man switch will fire; `None` also if it is off.
    pub trigger_time: Option<WallNs>,
}

/// A request that the venue refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What it means. Ask [`VenueRefusal::is_outcome_unknown`] before believing in it.
    pub refusal: VenueRefusal,
    /// The venue's own words.
    pub text: String,
}

impl Refused {
    pub(crate) fn from_text(text: &str) -> Self {
        Self { refusal: VenueRefusal::from_text(text), text: text.to_owned() }
    }
}

/// What is remembered of an order.
#[derive(Clone, Debug)]
pub(crate) struct KnownOrder {
    pub(crate) cl_ord_id: Option<String>,
    pub(crate) symbol: Option<String>,
}

/// Decoder of one private connection. A new connection takes a new one.
#[derive(Debug)]
pub struct PrivateStreams {
    instruments: Vec<Instrument>,
    orders: BTreeMap<OrderId, KnownOrder>,
    ended: VecDeque<OrderId>,
    sequence: Option<u64>,
}

#[derive(Deserialize)]
struct AnswerData<'a> {
    #[serde(borrow, default)]
    order_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    cl_ord_id: Option<Cow<'a, str>>,
    #[serde(default)]
    count: Option<u64>,
    #[serde(borrow, default, rename = "triggerTime")]
    trigger_time: Option<Cow<'a, str>>,
}

impl PrivateStreams {
    /// A decoder that has seen nothing, for orders in these instruments.
    #[must_use]
    pub fn new(instruments: Vec<Instrument>) -> Self {
        Self { instruments, orders: BTreeMap::new(), ended: VecDeque::new(), sequence: None }
    }

    /// Reads one text frame. After an error the connection is to be given up and reconciled: what
    /// the frame said is lost.
    pub fn decode(&mut self, frame: &[u8]) -> Result<PrivateFrame, WireError> {
        let envelope = Envelope::read(frame)?;
        if let Some(method) = envelope.method.as_deref() {
            return self.answer(method, &envelope);
        }
        match envelope.channel.as_deref() {
            Some("heartbeat") => Ok(PrivateFrame::Heartbeat),
            Some("status") => envelope.system().map(PrivateFrame::Status),
            Some("executions") => self.executions(&envelope).map(PrivateFrame::Executions),
            Some("balances") => Ok(PrivateFrame::Balances),
            Some(other) => Err(WireError::new(WireFault::StreamUnknown, other.to_owned())),
            None => Err(missing("channel")),
        }
    }

    fn answer(&mut self, method: &str, envelope: &Envelope<'_>) -> Result<PrivateFrame, WireError> {
        let req_id = envelope.req_id;
        let method = match method {
            "pong" => return Ok(PrivateFrame::Pong { req_id }),
            "subscribe" | "unsubscribe" => {
                let refused = refusal_of(envelope)?;
                return Ok(PrivateFrame::Subscription { req_id, refused });
            }
            "add_order" => Method::AddOrder,
            "amend_order" => Method::AmendOrder,
            "cancel_order" => Method::CancelOrder,
            "cancel_all" => Method::CancelAll,
            "cancel_all_orders_after" => Method::CancelAllOrdersAfter,
            other => return Err(invalid("method", other)),
        };
        let outcome = match refusal_of(envelope)? {
            Some(refused) => Err(refused),
            None => Ok(self.accepted(envelope.result)?),
        };
        Ok(PrivateFrame::Answer(Answer { method, req_id, outcome }))
    }

    fn accepted(&mut self, result: Option<&RawValue>) -> Result<Accepted, WireError> {
        let Some(result) = result else { return Ok(Accepted::default()) };
        let data: AnswerData<'_> = read(result)?;
        let order_id = data.order_id.map(|id| OrderId(id.into_owned()));
        let cl_ord_id = data.cl_ord_id.map(Cow::into_owned);
        if let (Some(order_id), Some(_)) = (&order_id, &cl_ord_id) {
            self.learn(order_id, cl_ord_id.as_deref(), None);
        }
        let trigger_time = match data.trigger_time.as_deref() {
            None | Some("0") => None,
            Some(text) => Some(moment("triggerTime", text)?),
        };
        Ok(Accepted { order_id, cl_ord_id, count: data.count, trigger_time })
    }

    fn executions(&mut self, envelope: &Envelope<'_>) -> Result<Executions, WireError> {
        let sequence = envelope.sequence.ok_or_else(|| missing("sequence"))?;
        let snapshot = envelope.is_snapshot()?;
        self.check_sequence(sequence, snapshot)?;
        let list: Vec<ExecutionData<'_>> = read(envelope.data()?)?;
        let mut executions = Executions { snapshot, sequence, ..Executions::default() };
        for data in &list {
            let order_id = OrderId(data.order_id.clone().into_owned());
            self.learn(&order_id, data.cl_ord_id.as_deref(), data.symbol.as_deref());
            if snapshot {
                executions.open.extend(data.open_order()?);
            } else {
                self.update(data, order_id, &mut executions)?;
            }
        }
        self.sequence = Some(sequence);
        Ok(executions)
    }

    fn check_sequence(&self, found: u64, snapshot: bool) -> Result<(), WireError> {
        let due = self.sequence.map(|last| last.saturating_add(1));
        match due {
            Some(due) if due != found && !snapshot => {
                let cause = format!("executions sequence {found} where {due} was due");
                Err(WireError::new(WireFault::FieldInvalid, cause))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn update(
        &mut self,
        data: &ExecutionData<'_>,
        order_id: OrderId,
        executions: &mut Executions,
    ) -> Result<(), WireError> {
        let meaning = data.meaning()?;
        let known = self.orders.get(&order_id);
        let cl_ord_id = known.and_then(|known| known.cl_ord_id.clone());
        if let Some(ours) = cl_ord_id.as_deref().and_then(ClOrdId::parse) {
            let symbol = known.and_then(|known| known.symbol.as_deref());
            let instrument =
                self.instruments.iter().find(|known| Some(known.venue_symbol.as_str()) == symbol);
            executions.reports.extend(data.report(meaning, ours, instrument)?);
        } else {
            let exec_type = data.exec_type.clone().into_owned();
            let order_id = order_id.clone();
            executions.foreign.push(ForeignOrder { order_id, cl_ord_id, exec_type });
        }
        if meaning == Meaning::Filled || meaning == Meaning::Canceled || meaning == Meaning::Expired
        {
            self.end(order_id);
        }
        Ok(())
    }

    fn learn(&mut self, id: &OrderId, cl_ord_id: Option<&str>, symbol: Option<&str>) {
        let new = || KnownOrder { cl_ord_id: None, symbol: None };
        let known = self.orders.entry(id.clone()).or_insert_with(new);
        if let Some(text) = cl_ord_id {
            known.cl_ord_id = Some(text.to_owned());
        }
        if let Some(text) = symbol {
            known.symbol = Some(text.to_owned());
        }
    }

    fn end(&mut self, id: OrderId) {
        self.ended.push_back(id);
        if self.ended.len() > ENDED_ORDERS_KEPT
            && let Some(oldest) = self.ended.pop_front()
        {
            self.orders.remove(&oldest);
        }
    }
}

/// The refusal in an answer; `None` if the venue took the request. An answer that says neither
/// is an error.
fn refusal_of(envelope: &Envelope<'_>) -> Result<Option<Refused>, WireError> {
    match (envelope.success, envelope.error.as_deref()) {
        (Some(true), None) => Ok(None),
        (Some(false) | None, Some(text)) => Ok(Some(Refused::from_text(text))),
        (Some(false), None) => Ok(Some(Refused::from_text(""))),
        (Some(true), Some(text)) => Err(invalid("success true, error", text)),
        (None, None) => Err(missing("success")),
    }
}

#[cfg(test)]
#[path = "private_tests.rs"]
mod tests;
