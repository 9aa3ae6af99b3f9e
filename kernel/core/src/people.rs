//! What people ask for by hand. It passes the same gate as a plugin's intents; before it stand who
//! may ask (the role) and when (the phase).

use portcullis_domain::{
    Amendment, ClOrdId, Instrument, Name, NumberError, OrdType, OrderIntent, Origin, Phase, Px,
    Qty, Role, Side, TimeInForce,
};
use portcullis_gate::Denial;

use crate::effect::{Answer, Effect};
use crate::outcome::Outcome;
use crate::state::{Core, Turn};
use crate::submit::{Door, Submitted};

/// An order as a person wrote it down. Numbers are decimal text, read exactly or not at all in the
/// units of the instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonOrder {
    /// Our symbol.
    pub symbol: String,
    /// FIX 54.
    pub side: Side,
    /// FIX 38.
    pub qty: String,
    /// FIX 44; without it the order goes at the market.
    pub price: Option<String>,
    /// FIX 59.
    pub time_in_force: TimeInForce,
    /// FIX 18 = E.
    pub reduce_only: bool,
}

/// What a person can ask for by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonCommand {
    /// An order.
    Submit(PersonOrder),
    /// Another quantity or price for a working order.
    Amend {
        /// FIX 41.
        cl_ord_id: ClOrdId,
        /// FIX 38 afterwards; without it the quantity stays.
        qty: Option<String>,
        /// FIX 44 afterwards; without it the price stays.
        price: Option<String>,
    },
    /// One order taken back.
    Cancel {
        /// FIX 41.
        cl_ord_id: ClOrdId,
    },
    /// Every order taken back.
    CancelAll,
    /// A position made smaller, at once, and never turned round.
    Close {
        /// Our symbol.
        symbol: String,
        /// How much; without it all that no working order closes already.
        qty: Option<String>,
        /// The worst price; without it at the market.
        price: Option<String>,
    },
}

/// The kinds of [`PersonCommand`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonVerb {
    /// An order.
    Submit,
    /// A change of an order.
    Amend,
    /// One order taken back.
    Cancel,
    /// Every order taken back.
    CancelAll,
    /// A position made smaller.
    Close,
    /// A proposal released, by a signed statement.
    Release,
}

/// Who may do what by hand: the whole table.
const ROLES: [(PersonVerb, &[Role]); 6] = [
    (PersonVerb::Submit, &[Role::Operator]),
    (PersonVerb::Amend, &[Role::Operator]),
    (PersonVerb::Cancel, &[Role::Operator, Role::Risk]),
    (PersonVerb::CancelAll, &[Role::Operator, Role::Risk]),
    (PersonVerb::Close, &[Role::Operator, Role::Risk]),
    (PersonVerb::Release, &[Role::Operator]),
];

impl PersonVerb {
    /// All verbs.
    pub const ALL: [Self; 6] =
        [Self::Submit, Self::Amend, Self::Cancel, Self::CancelAll, Self::Close, Self::Release];

    /// The name in evidence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submit => "order-submit",
            Self::Amend => "order-amend",
            Self::Cancel => "order-cancel",
            Self::CancelAll => "order-cancel-all",
            Self::Close => "position-close",
            Self::Release => "proposal-release",
        }
    }

    /// The roles of which one is enough.
    #[must_use]
    pub fn roles(self) -> &'static [Role] {
        let row = ROLES.into_iter().find(|(verb, _)| *verb == self);
        row.map_or(&[], |(_, roles)| roles)
    }
}

/// What a person asks for by hand, and who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRequest {
    /// The request to answer.
    pub request: u64,
    /// Who; has to be in the roster.
    pub who: Name,
    /// What.
    pub command: PersonCommand,
}

impl PersonCommand {
    /// Its kind.
    #[must_use]
    pub const fn verb(&self) -> PersonVerb {
        match self {
            Self::Submit(_) => PersonVerb::Submit,
            Self::Amend { .. } => PersonVerb::Amend,
            Self::Cancel { .. } => PersonVerb::Cancel,
            Self::CancelAll => PersonVerb::CancelAll,
            Self::Close { .. } => PersonVerb::Close,
        }
    }
}

/// What an open session's phase says to a person's own orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ByHand {
    /// None at all.
    Forbidden,
    /// Like a plugin's.
    Free,
    /// What makes the position smaller, at once. The rest is a proposal that a signed release
    /// turns into an order.
    Released,
}

const fn by_hand(phase: Phase) -> ByHand {
    match phase {
        Phase::Foundation | Phase::Shadow | Phase::PreLive => ByHand::Forbidden,
        Phase::Paper | Phase::BoundedAuto => ByHand::Free,
        Phase::ManualLive | Phase::MonitoredAuto | Phase::Continuous => ByHand::Released,
    }
}

/// Why a request came to nothing.
#[derive(Clone, Debug)]
enum No {
    /// It cannot be judged at all.
    Refused(&'static str, String),
    /// The gate said no.
    Denied(Denial),
}

/// What was done: an order made or changed, or a line about it.
#[derive(Clone, Debug)]
enum Did {
    Order(ClOrdId),
    Proposal(ClOrdId),
    Cancel(ClOrdId),
    CancelAll(usize),
}

fn no<T>(code: &'static str, cause: impl Into<String>) -> Result<T, No> {
    Err(No::Refused(code, cause.into()))
}

impl Core {
    pub(crate) fn on_person(&mut self, asked: &PersonRequest, turn: &mut Turn) {
        let verb = asked.command.verb();
        let request = asked.request;
        // Counted before anything can be refused: a number is used up by whoever asked with it.
        self.person_orders = self.person_orders.saturating_add(1);
        let role = match self.role_for(&asked.who, verb) {
            Ok(role) => role,
            Err(cause) => return turn.refuse(request, verb.name(), "ROLE_FORBIDS", &cause),
        };
        let (cl_ord_id, denial, answer) = match self.obey(&asked.command, turn) {
            Err(No::Refused(code, cause)) => {
                return turn.refuse(request, verb.name(), code, &cause);
            }
            Err(No::Denied(denial)) => (None, Some(denial.code), Answer::Denied(denial)),
            Ok(Did::Order(id)) => (Some(id), None, Answer::Ordered { cl_ord_id: id }),
            Ok(Did::Proposal(id)) => (
                Some(id),
                None,
                Answer::Done(format!("{id} is a proposal and waits for a release")),
            ),
            Ok(Did::Cancel(id)) => {
                (Some(id), None, Answer::Done(format!("{id} is being taken back")))
            }
            Ok(Did::CancelAll(count)) => {
                (None, None, Answer::Done(format!("{count} open orders are being taken back")))
            }
        };
        let who = asked.who.clone();
        turn.record(&Outcome::Intervened { who, role, verb, cl_ord_id, denial });
        turn.effect(Effect::Answer { request, answer });
    }

    fn obey(&mut self, command: &PersonCommand, turn: &mut Turn) -> Result<Did, No> {
        match command {
            PersonCommand::Submit(order) => self.submit_by_hand(order, turn),
            PersonCommand::Amend { cl_ord_id, qty, price } => {
                self.amend_by_hand(*cl_ord_id, (qty.as_deref(), price.as_deref()), turn)
            }
            PersonCommand::Cancel { cl_ord_id } => self.cancel_by_hand(*cl_ord_id, turn),
            PersonCommand::CancelAll => {
                let real = self.account.orders.open();
                let shadow = self.live.iter().filter_map(|live| live.shadow.as_ref());
                let count = real.chain(shadow.flat_map(|ledger| ledger.orders.open())).count();
                self.revoke_proposals("PERSON_ASKED", turn);
                self.cancel_everything("PERSON_ASKED", turn);
                Ok(Did::CancelAll(count))
            }
            PersonCommand::Close { symbol, qty, price } => {
                self.close_by_hand(symbol, (qty.as_deref(), price.as_deref()), turn)
            }
        }
    }

    /// The role in which a person may ask for this.
    fn role_for(&self, who: &Name, verb: PersonVerb) -> Result<Role, String> {
        self.role_among(who, verb.roles(), verb.name())
    }

    /// The first of these roles that a person holds.
    pub(crate) fn role_among(
        &self,
        who: &Name,
        roles: &[Role],
        what: &str,
    ) -> Result<Role, String> {
        let roster = self.identity.as_ref().map(|identity| identity.trust.roster());
        let Some(person) = roster.and_then(|roster| roster.person(who)) else {
            return Err(format!("{who} is nobody of this roster"));
        };
        let held = roles.iter().copied().find(|role| person.roles.contains(role));
        held.ok_or_else(|| {
            let roles: Vec<&str> = roles.iter().map(|role| role.name()).collect();
            format!("{what} is for the role {}; {who} has none of these", roles.join(", "))
        })
    }

    /// The instrument of that symbol and the gate that still has a say in it: the open session's,
    /// else that of the last session's closing rights.
    fn door(&self, symbol: &str) -> Result<(Door, Instrument), No> {
        let found = [Door::Session, Door::Closing].into_iter().find_map(|door| {
            let instruments = self.gate(door)?.instruments();
            let instrument = instruments.iter().find(|i| i.symbol == symbol)?;
            Some((door, instrument.clone()))
        });
        if self.live.is_none() && self.closing.is_none() {
            return no("APPROVAL_MISSING", "no session is open, and none has left closing rights");
        }
        found.map_or_else(|| no("SYMBOL_UNKNOWN", format!("{symbol} is not approved here")), Ok)
    }

    fn submit_by_hand(&mut self, order: &PersonOrder, turn: &mut Turn) -> Result<Did, No> {
        let (door, instrument) = self.door(&order.symbol)?;
        let price = price_of(order.price.as_deref(), &instrument)?;
        let intent = OrderIntent {
            side: order.side,
            time_in_force: order.time_in_force,
            qty: qty_of(&order.qty, &instrument)?,
            reduce_only: order.reduce_only,
            ..self.intent_by_hand(&instrument, price)
        };
        self.place_by_hand(intent, door, turn)
    }

    /// A person's wish in that instrument, with everything that is always the same in it.
    fn intent_by_hand(&self, instrument: &Instrument, price: Option<Px>) -> OrderIntent {
        OrderIntent {
            origin: Origin::Person,
            reference: self.person_orders,
            instrument: instrument.id,
            side: Side::Buy,
            ord_type: if price.is_some() { OrdType::Limit } else { OrdType::Market },
            time_in_force: TimeInForce::Ioc,
            qty: Qty::ZERO,
            price,
            reduce_only: true,
            bracket: None,
        }
    }

    fn place_by_hand(
        &mut self,
        intent: OrderIntent,
        door: Door,
        turn: &mut Turn,
    ) -> Result<Did, No> {
        self.by_hand_now(door)?;
        match self.submit(intent, door, turn) {
            Submitted::Issued(id) => Ok(Did::Order(id)),
            Submitted::Denied(denial) => Err(No::Denied(denial)),
            Submitted::Proposed(id) => Ok(Did::Proposal(id)),
            Submitted::Faulted => no("ORDER_FAULT", "the house contradicts itself: see its status"),
        }
    }

    /// What the phase says to people now. A session that has ended has none any more, and what is
    /// left of it lets nothing grow.
    fn by_hand_now(&self, door: Door) -> Result<ByHand, No> {
        let phase = match (door, &self.live) {
            (Door::Session, Some(live)) => live.gate.phase(),
            (Door::Session | Door::Closing, _) => return Ok(ByHand::Free),
        };
        match by_hand(phase) {
            ByHand::Forbidden => {
                let number = phase.number();
                no("PHASE_FORBIDS", format!("phase {number} lets no order of a person out"))
            }
            allowed @ (ByHand::Free | ByHand::Released) => Ok(allowed),
        }
    }

    fn close_by_hand(
        &mut self,
        symbol: &str,
        (qty, price): (Option<&str>, Option<&str>),
        turn: &mut Turn,
    ) -> Result<Did, No> {
        let (door, instrument) = self.door(symbol)?;
        let price = price_of(price, &instrument)?;
        let held = self.ledger_behind(door).holding(symbol).position.0;
        let side = if held < 0 { Side::Buy } else { Side::Sell };
        let all = || Ok(self.unclaimed(door, &instrument));
        let qty = qty.map_or_else(all, |text| qty_of(text, &instrument))?;
        if held == 0 || qty.is_zero() {
            let cause = format!("nothing of {symbol} that working orders do not close already");
            return no("POSITION_FLAT", cause);
        }
        let intent = OrderIntent { side, qty, ..self.intent_by_hand(&instrument, price) };
        self.place_by_hand(intent, door, turn)
    }

    /// What is held and no working order closes already.
    fn unclaimed(&self, door: Door, instrument: &Instrument) -> Qty {
        let ledger = self.ledger_behind(door);
        let held = ledger.holding(&instrument.symbol).position.0;
        // What cannot be added up is denied by the gate; here it only claims nothing.
        let working = ledger.working(&instrument.symbol).unwrap_or_default();
        let claimed = if held < 0 { working.buy_qty } else { working.sell_qty };
        let left = held.saturating_abs().saturating_sub(claimed.units()).max(0);
        Qty::new(left).unwrap_or(Qty::ZERO)
    }

    fn cancel_by_hand(&mut self, id: ClOrdId, turn: &mut Turn) -> Result<Did, No> {
        if self.revoke_proposal(id, "PERSON_ASKED", turn) {
            return Ok(Did::Cancel(id));
        }
        self.working_order(id)?;
        self.cancel(id, "PERSON_ASKED", turn);
        Ok(Did::Cancel(id))
    }

    /// An order of ours that can still trade.
    fn working_order(&self, id: ClOrdId) -> Result<OrderIntent, No> {
        match self.ledger_of(id).orders.get(id) {
            None => no("ORDER_NOT_FOUND", format!("{id} was never issued here")),
            Some(order) if !order.status.is_open() => {
                no("ORDER_ENDED", format!("{id} has ended: {}", order.status.name()))
            }
            Some(order) => Ok(order.intent.clone()),
        }
    }

    fn amend_by_hand(
        &mut self,
        id: ClOrdId,
        (qty, price): (Option<&str>, Option<&str>),
        turn: &mut Turn,
    ) -> Result<Did, No> {
        let working = self.working_order(id)?;
        let Some(instrument) = self.ledger_of(id).instrument_of(id).cloned() else {
            return no("ORDER_NOT_FOUND", format!("{id} has no instrument"));
        };
        let Some(px) = price_of(price, &instrument)?.or(working.price) else {
            return no("PRICE_INVALID", "an order at the market has no price to keep: name one");
        };
        let qty = qty.map_or(Ok(working.qty), |text| qty_of(text, &instrument))?;
        // A change whose sum is not provably smaller is treated as new exposure.
        let smaller = qty <= working.qty && working.price == Some(px);
        let live = self.gate(Door::Session).is_some();
        let free = self.by_hand_now(if live { Door::Session } else { Door::Closing })?;
        if free == ByHand::Released && !smaller {
            let cause = "from phase 5 on a change that is not smaller is a new order: ask for it";
            return no("RELEASE_REQUIRED", cause);
        }
        let change = Amendment { cl_ord_id: id, qty, price: px };
        let Some(order) = self.ledger_of(id).orders.get(id).cloned() else {
            return no("ORDER_NOT_FOUND", format!("{id} was never issued here"));
        };
        match self.amend(&order, change, turn) {
            Ok(()) => Ok(Did::Order(id)),
            Err(denial) => Err(No::Denied(denial)),
        }
    }
}

fn qty_of(text: &str, instrument: &Instrument) -> Result<Qty, No> {
    let read = Qty::parse(text, instrument.qty_scale);
    read.or_else(|error| no("QTY_INVALID", about(text, error, instrument.qty_scale)))
}

fn price_of(text: Option<&str>, instrument: &Instrument) -> Result<Option<Px>, No> {
    let Some(text) = text else { return Ok(None) };
    let read = Px::parse(text, instrument.price_scale);
    let read =
        read.or_else(|error| no("PRICE_INVALID", about(text, error, instrument.price_scale)));
    read.map(Some)
}

fn about(text: &str, error: NumberError, scale: u8) -> String {
    format!("{text}: {}; at most {scale} decimals, above zero", error.cause())
}

#[cfg(test)]
mod tests;
