//! The writing side of a venue: orders, one write each, and cancels by whatever way is open.

use portcullis_domain::{Amendment, ClOrdId, Instrument, OrderIntent, WallNs};
use portcullis_evidence::{Digest, Recorded};
use portcullis_gate::{Approved, DenyCode};
use portcullis_lifeline::{Lifeline, PrivateDoor, VenueFault};
use portcullis_wire::kraken::request::{self, PrivateCall, subscribe_executions};
use portcullis_wire::kraken::ws_token;

use crate::encode::{Mismatch, NewOrder, compare, encode_add_order, is_plain};
use crate::encode::{OrderChange, compare_amend, encode_amend_order};
use crate::line::{Line, ReadHalf, Wrote};
use crate::private::PrivateReader;
use crate::requests::{Asked, Requests};
use crate::socket;

/// What became of one order, or of a change of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the fate of an order is recorded, whatever it is"]
pub enum SubmitFate {
    /// All bytes are on the wire.
    Sent,
    /// No byte left the house.
    NotSent(DenyCode),
    /// Some bytes may have left: the order is unknown, and the line is down.
    Lost,
    /// The bytes did not say what was approved. None left; nothing that encodes can be trusted.
    Mismatch,
}

/// What proofs are compared with before anything leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pins {
    /// Fingerprint of the genesis that is pinned outside the home.
    pub genesis: Digest,
    /// SHA-256 of the origin of the journal.
    pub origin: Digest,
}

/// The one way an order leaves. It is not `Clone`: nobody else holds the pen.
#[derive(Debug)]
pub struct VenueSession {
    line: Line,
    requests: Requests,
    token: String,
    pins: Pins,
    instruments: Vec<Instrument>,
    lifeline: Lifeline,
}

impl VenueSession {
    /// Connects, subscribes to what happens to our orders, and gives both halves.
    ///
    /// # Errors
    /// Any [`VenueFault`]; nothing is connected then.
    pub fn connect(
        door: &PrivateDoor,
        lifeline: Lifeline,
        pins: Pins,
        instruments: Vec<Instrument>,
    ) -> Result<(Self, PrivateReader), VenueFault> {
        let token = door.call(&PrivateCall::WebSocketsToken, ws_token)?.token;
        let symbols = instruments.iter().map(|instrument| instrument.venue_symbol.as_str());
        if !std::iter::once(token.as_str()).chain(symbols).all(is_plain) {
            let cause = "a token or a symbol that cannot stand in a request as it is";
            return Err(VenueFault::Protocol(cause.to_owned()));
        }
        let stream = door.endpoint().dial()?;
        let line = Line::new(&stream)
            .map_err(|error| VenueFault::Unreachable(format!("socket options: {error}")))?;
        let halves = ReadHalf { stream, line: line.clone() };
        let websocket = socket::open(door.endpoint().address(), halves)?;
        let requests = Requests::default();
        let shared = (line.clone(), requests.clone());
        let mut reader = PrivateReader::new(websocket, shared, instruments.clone());
        let req_id = requests.note(Asked::Executions);
        if line.send_text(subscribe_executions(&token, req_id).as_bytes()) != Wrote::Whole {
            return Err(VenueFault::Unreachable("the subscription was not written".to_owned()));
        }
        reader.await_subscription()?;
        Ok((Self { line, requests, token, pins, instruments, lifeline }, reader))
    }

    /// One write, which does not block. The proof is spent whatever becomes of it.
    ///
    /// A proof of another genesis or another journal is `NotSent` with `RELEASE_REVOKED`; a line
    /// that is down is `NotSent` with `RECON_UNRESOLVED`, because the account has to be compared
    /// before the next order. Nothing is ever written a second time.
    pub fn submit(
        &mut self,
        order: Recorded<Approved<OrderIntent>>,
        venue_deadline: WallNs,
    ) -> SubmitFate {
        if let Err(code) = self.admit(&order) {
            return SubmitFate::NotSent(code);
        }
        let approved = order.into_item();
        let (cl_ord_id, intent, instrument) =
            (approved.cl_ord_id(), approved.item(), approved.instrument());
        let new = NewOrder { cl_ord_id, intent, instrument, deadline: venue_deadline };
        let req_id = self.requests.note(Asked::Order(cl_ord_id));
        let bytes = encode_add_order(&new, &self.token, req_id);
        self.write_compared(req_id, &bytes, |bytes| compare(&new, &self.token, req_id, bytes))
    }

    /// One write of a change, as [`VenueSession::submit`] makes one of an order.
    pub fn amend(
        &mut self,
        change: Recorded<Approved<Amendment>>,
        venue_deadline: WallNs,
    ) -> SubmitFate {
        if let Err(code) = self.admit(&change) {
            return SubmitFate::NotSent(code);
        }
        let approved = change.into_item();
        let (change, instrument) = (approved.item(), approved.instrument());
        let order = OrderChange { change, instrument, deadline: venue_deadline };
        let req_id = self.requests.note(Asked::Change(change.cl_ord_id));
        let bytes = encode_amend_order(&order, &self.token, req_id);
        self.write_compared(req_id, &bytes, |bytes| {
            compare_amend(&order, &self.token, req_id, bytes)
        })
    }

    /// Whether the proof is one of this house, and the line there and listening to its instrument.
    fn admit<T>(&self, proof: &Recorded<Approved<T>>) -> Result<(), DenyCode> {
        let genesis = proof.item().authority().genesis;
        if genesis != self.pins.genesis || proof.origin() != self.pins.origin {
            return Err(DenyCode::ReleaseRevoked);
        }
        if !self.line.is_up() {
            return Err(DenyCode::ReconUnresolved);
        }
        // The approved instrument, and only if this line hears reports about the very same one.
        let instrument = proof.item().instrument();
        let same =
            |known: &Instrument| Instrument { id: instrument.id, ..known.clone() } == *instrument;
        let heard = self.instruments.iter().any(same);
        if heard { Ok(()) } else { Err(DenyCode::InstrumentNotAllowed) }
    }

    /// Place of check is place of use: what is compared is what is written.
    fn write_compared(
        &self,
        req_id: u64,
        bytes: &[u8],
        compare: impl FnOnce(&[u8]) -> Result<(), Mismatch>,
    ) -> SubmitFate {
        if compare(bytes).is_err() {
            self.requests.answered(Some(req_id));
            return SubmitFate::Mismatch;
        }
        match self.line.send_text(bytes) {
            Wrote::Whole => SubmitFate::Sent,
            Wrote::Nothing => SubmitFate::NotSent(DenyCode::ReconUnresolved),
            Wrote::Broken => SubmitFate::Lost,
        }
    }

    /// Takes one order back, over the socket or, if that is down, by the lifeline. `Ok` says that
    /// it was asked; the answer comes as a report.
    ///
    /// # Errors
    /// The lifeline's fault; ask again.
    pub fn cancel(&mut self, id: ClOrdId) -> Result<(), VenueFault> {
        let req_id = self.requests.note(Asked::Cancel(id));
        let frame = request::cancel_order(&[id], &self.token, req_id);
        self.write_or(&frame, |lifeline| lifeline.cancel(id))
    }

    /// Takes every order of the account back, as [`VenueSession::cancel`] does with one.
    ///
    /// # Errors
    /// The lifeline's fault; ask again.
    pub fn cancel_all(&mut self) -> Result<(), VenueFault> {
        let req_id = self.requests.note(Asked::CancelAll);
        let frame = request::cancel_all(&self.token, req_id);
        self.write_or(&frame, Lifeline::cancel_all)
    }

    fn write_or(
        &self,
        frame: &str,
        otherwise: impl FnOnce(&Lifeline) -> Result<u64, VenueFault>,
    ) -> Result<(), VenueFault> {
        match self.line.send_text(frame.as_bytes()) {
            Wrote::Whole => Ok(()),
            Wrote::Nothing | Wrote::Broken => otherwise(&self.lifeline).map(drop),
        }
    }

    /// Whether the line is up, as far as is known.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.line.is_up()
    }

    /// Ends the line, both ways, at once. Bytes that the venue has not got are forgotten.
    pub fn abort(&mut self) {
        self.line.abort();
    }
}

impl Drop for VenueSession {
    fn drop(&mut self) {
        self.line.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::sync::Arc;

    use portcullis_domain::{InstrumentId, OrdType, Origin, PluginId, Px, Qty, Side, TimeInForce};
    use portcullis_lifeline::{Credential, Nonces, SimulatedEndpoint};

    use super::*;
    use crate::testing::instrument;

    /// A session over a bare connection, and the other end of it.
    fn session() -> (VenueSession, TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let endpoint = SimulatedEndpoint::new("127.0.0.1", port).unwrap();
        let line = Line::new(&endpoint.dial().unwrap()).unwrap();
        let credential = Credential::from_json(br#"{"key":"k","secret":"c2VjcmV0"}"#).unwrap();
        let nonces = Nonces::new(0, || WallNs(0));
        let session = VenueSession {
            line,
            requests: Requests::default(),
            token: "token".to_owned(),
            pins: Pins { genesis: Digest::of(b"g"), origin: Digest::of(b"o") },
            instruments: vec![instrument(1, 8)],
            lifeline: Lifeline::new(endpoint, Arc::new(credential), Arc::new(nonces)),
        };
        (session, listener.accept().unwrap().0)
    }

    /// A27: an encoder that is wrong by a factor of ten writes nothing.
    #[test]
    fn a27_bytes_that_say_something_else_do_not_leave() {
        let instrument = instrument(1, 8);
        let intent = OrderIntent {
            origin: Origin::Plugin(PluginId(0)),
            reference: 1,
            instrument: InstrumentId(0),
            side: Side::Sell,
            ord_type: OrdType::Limit,
            time_in_force: TimeInForce::Ioc,
            qty: Qty::new(100_000).unwrap(),
            price: Px::new(300_000),
            reduce_only: false,
            bracket: None,
        };
        let cl_ord_id = ClOrdId { epoch: 1, sequence: 2 };
        let new = NewOrder {
            cl_ord_id,
            intent: &intent,
            instrument: &instrument,
            deadline: WallNs(1_800_000_000_000_000_000),
        };
        let (session, mut venue) = session();
        let broken = Instrument { qty_scale: 7, ..instrument.clone() };
        let req_id = session.requests.note(Asked::Order(cl_ord_id));
        let bytes =
            encode_add_order(&NewOrder { instrument: &broken, ..new }, &session.token, req_id);
        let written = |req_id: u64, bytes: &[u8]| {
            session
                .write_compared(req_id, bytes, |bytes| compare(&new, &session.token, req_id, bytes))
        };
        assert_eq!(written(req_id, &bytes), SubmitFate::Mismatch);
        assert_eq!(session.requests.answered(Some(req_id)), None);
        // The right bytes leave, and they are the first that the venue sees.
        let bytes = encode_add_order(&new, &session.token, 9);
        assert_eq!(written(9, &bytes), SubmitFate::Sent);
        let mut seen = vec![0; bytes.len().checked_add(8).unwrap()];
        venue.read_exact(&mut seen).unwrap();
        let (head, payload) = seen.split_at(8);
        let mask = head[4..].iter().cycle();
        let unmasked: Vec<u8> = payload.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
        assert_eq!((head[0], unmasked), (0x81, bytes));
        session.line.abort();
        let mut rest = Vec::new();
        drop(venue.read_to_end(&mut rest));
        assert_eq!(rest, b"");
    }
}
