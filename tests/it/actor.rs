//! An actor in the place of the sandbox: it needs no compiler and no time, so that tests of the
//! daemon hang on nothing but the daemon. What it does is the parameter `play` of the session.

use portcullis_domain::frame::{
    EventRecord, FrameHeader, FrameKind, HEADER_LEN, IntentRecord, RECORD_LEN, event_kind,
    intent_kind, ord_type_code, side_code, tif_code,
};
use portcullis_statement::Digest;
use portcullis_statement::json::{Fields, Value, object, parse};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

/// 0.001 of an instrument with eight decimals of quantity.
const QTY: i64 = 100_000;
/// So many orders rest at most where many do.
const CROWD: u64 = 220;
/// How far from the quote its limits rest, in price units.
const AWAY: i64 = 5_000;
/// Codes of an ORDER event that say that nothing more comes of the order.
const ENDED: std::ops::RangeInclusive<u16> = 5..=9;

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("inspect") {
        let component = std::fs::read(arguments.next().expect("a file")).expect("a component");
        println!("{}", facts(&component, &[]).canonical_text());
        return;
    }
    let stdin = std::io::stdin().as_fd().try_clone_to_owned().expect("a socket");
    let stream = UnixStream::from(stdin);
    let mut actor = Actor { stream, play: String::new(), held: 0, resting: false, last: 0 };
    // The kernel ends the conversation by closing its end, at any moment.
    drop(actor.perform());
}

struct Actor {
    stream: UnixStream,
    play: String,
    /// The order at the market that is under way; 0 if none is.
    held: u64,
    resting: bool,
    /// The number of the last order.
    last: u64,
}

impl Actor {
    fn perform(&mut self) -> std::io::Result<()> {
        loop {
            let (header, payload) = self.receive()?;
            match header.kind {
                FrameKind::Load => {
                    let engine = [("declaration", object([])), ("engine", "actor".into())];
                    let facts = facts(&payload, &engine).canonical();
                    self.send(FrameKind::Loaded, (0, 0), &facts)?;
                }
                FrameKind::Init => {
                    self.play = play(&payload);
                    self.send(FrameKind::Ready, (0, 0), &[])?;
                }
                FrameKind::Events => {
                    let (records, _) = payload.as_chunks::<RECORD_LEN>();
                    let events = records.iter().map(EventRecord::decode);
                    let intents: Vec<_> = events.filter_map(|event| self.answer(&event)).collect();
                    let payload: Vec<u8> = intents.iter().flat_map(IntentRecord::encode).collect();
                    let count = u32::try_from(intents.len()).expect("a count");
                    self.send(FrameKind::Intents, (header.batch, count), &payload)?;
                }
                other => panic!("the kernel sent {other:?}"),
            }
        }
    }

    /// `rest`: one order that rests. `churn`: buys and sells at the market for ever. `both`: both.
    /// `crowd`: rests many orders. `hold`: buys once, then rests one order. Anything else: watches.
    fn answer(&mut self, event: &EventRecord) -> Option<IntentRecord> {
        let play = self.play.clone();
        match event.kind {
            event_kind::QUOTE if play == "crowd" => (self.last < CROWD).then(|| {
                let order = self.order(side_code::BUY, Some(event.price - AWAY));
                IntentRecord { qty: QTY / 10, ..order }
            }),
            event_kind::QUOTE => {
                let may_rest = match play.as_str() {
                    "rest" => true,
                    "both" | "hold" => self.last > 0 && self.held == 0,
                    _ => false,
                };
                if may_rest && !self.resting {
                    self.resting = true;
                    return Some(self.order(side_code::BUY, Some(event.price - AWAY)));
                }
                let trades = match play.as_str() {
                    "churn" | "both" => self.held == 0,
                    "hold" => self.last == 0,
                    _ => false,
                };
                trades.then(|| {
                    let buys = self.last.is_multiple_of(2);
                    let side = if buys { side_code::BUY } else { side_code::SELL };
                    let order = self.order(side, None);
                    self.held = order.reference;
                    order
                })
            }
            event_kind::DENIAL if event.reference == self.held => {
                self.held = 0;
                None
            }
            event_kind::ORDER if ENDED.contains(&event.code) && event.reference == self.held => {
                self.held = 0;
                None
            }
            _ => None,
        }
    }

    fn order(&mut self, side: u8, limit: Option<i64>) -> IntentRecord {
        self.last += 1;
        let (ord_type, time_in_force) = match limit {
            Some(_) => (ord_type_code::LIMIT, tif_code::GTC),
            None => (ord_type_code::MARKET, tif_code::IOC),
        };
        IntentRecord {
            reference: self.last,
            kind: intent_kind::SUBMIT,
            side,
            ord_type,
            time_in_force,
            price: limit.unwrap_or(0),
            qty: QTY,
            ..IntentRecord::default()
        }
    }

    fn receive(&mut self) -> std::io::Result<(FrameHeader, Vec<u8>)> {
        let mut bytes = [0; HEADER_LEN];
        self.stream.read_exact(&mut bytes)?;
        let header = FrameHeader::decode(&bytes).expect("the kernel keeps its word");
        let mut payload = vec![0; usize::try_from(header.payload_len).expect("a length")];
        self.stream.read_exact(&mut payload)?;
        Ok((header, payload))
    }

    fn send(&mut self, kind: FrameKind, of: (u32, u32), payload: &[u8]) -> std::io::Result<()> {
        let payload_len = u32::try_from(payload.len()).expect("a length");
        let header = FrameHeader { kind, payload_len, batch: of.0, count: of.1, value: 0 };
        self.stream.write_all(&[&header.encode(), payload].concat())
    }
}

fn play(init: &[u8]) -> String {
    let init = parse(init).expect("the kernel's JSON");
    let mut fields = Fields::new(&init).expect("an object");
    let play = fields.object("params").expect("parameters").get("play").cloned();
    match play {
        Some(Value::Text(play)) => play,
        _ => String::new(),
    }
}

/// What a sandbox says of a component.
fn facts(component: &[u8], more: &[(&str, Value)]) -> Value {
    let facts = [
        ("component", Digest::of(component).hex().into()),
        ("exports", Value::List(Vec::new())),
        ("imports", Value::List(Vec::new())),
        ("memory_bytes_max", Value::Int(65_536)),
        ("world", "portcullis:strategy@0.9.0".into()),
    ];
    let all = facts.iter().chain(more);
    Value::Object(all.map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
}
