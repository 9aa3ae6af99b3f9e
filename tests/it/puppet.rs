//! A puppet in the place of the sandbox: it speaks the frames and breaks its word on purpose.
//!
//! The kernel assumes that a sandbox is escaped from one day. What it does then is chosen by the
//! name under which this program is started, since the kernel gives it no other word.

use portcullis_domain::frame::{
    EventRecord, FrameHeader, FrameKind, HEADER_LEN, IntentRecord, RECORD_LEN, REPLY_INTENTS_MAX,
    event_kind, intent_kind, ord_type_code, side_code, tif_code,
};
use portcullis_statement::json::{Value, object};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// 0.001 of an instrument with eight decimals of quantity.
const QTY: i64 = 100_000;
/// How far from the quote its limits rest, in price units.
const AWAY: i64 = 5_000;
/// The batch at which it breaks its word.
const LAST_BATCH: u32 = 40;

fn main() {
    let name = std::env::args_os().next().expect("a program has a name");
    let name = Path::new(&name).file_name().expect("a file").to_string_lossy().into_owned();
    let stdin = std::io::stdin().as_fd().try_clone_to_owned().expect("a socket");
    let mut puppet = Puppet { stream: UnixStream::from(stdin), quote: None, held: false };
    // The kernel ends the conversation by closing its end, at any moment.
    drop(puppet.play(&name));
}

struct Puppet {
    stream: UnixStream,
    quote: Option<EventRecord>,
    held: bool,
}

impl Puppet {
    fn play(&mut self, name: &str) -> std::io::Result<()> {
        loop {
            let (header, payload) = self.receive()?;
            match header.kind {
                FrameKind::Load if name == "garbage-at-load" => return self.garbage(),
                FrameKind::Load => self.send(FrameKind::Loaded, (0, 0), &facts())?,
                FrameKind::Init => self.send(FrameKind::Ready, (0, 0), &[])?,
                FrameKind::Events if header.batch < LAST_BATCH => {
                    let intents = self.trade(&payload);
                    self.reply(header.batch, &intents)?;
                }
                FrameKind::Events => return self.break_word(name, header.batch),
                other => panic!("the kernel sent {other:?}"),
            }
        }
    }

    fn break_word(&mut self, name: &str, batch: u32) -> std::io::Result<()> {
        match name {
            "gone" => Ok(()),
            "traps" => self.send(FrameKind::Failed, (0, 0), b"PLUGIN_TRAP as intended"),
            "mute" => {
                std::thread::sleep(Duration::from_mins(1));
                Ok(())
            }
            "another-batch" => self.reply(batch + 1, &[]),
            "garbage" => self.garbage(),
            "long-claim" => {
                let mut header = header(FrameKind::Intents, (batch, 0), 0).encode();
                header[4..8].fill(0xff);
                self.stream.write_all(&header)
            }
            "too-many" => self.reply(batch, &vec![IntentRecord::default(); REPLY_INTENTS_MAX + 1]),
            "half" => self.stream.write_all(&header(FrameKind::Intents, (batch, 0), 64).encode()),
            other => panic!("no such play: {other}"),
        }
    }

    /// As long as a header, and none.
    fn garbage(&mut self) -> std::io::Result<()> {
        self.stream.write_all(&[0xff; HEADER_LEN])
    }

    /// Buys at the market; once that is filled, rests an order that makes the position larger and
    /// one that makes it smaller.
    fn trade(&mut self, payload: &[u8]) -> Vec<IntentRecord> {
        let (records, _) = payload.as_chunks::<RECORD_LEN>();
        let mut intents = Vec::new();
        for record in records.iter().map(EventRecord::decode) {
            match record.kind {
                event_kind::QUOTE if self.quote.replace(record).is_none() => {
                    intents.push(order(1, side_code::BUY, None));
                }
                event_kind::FILL if !self.held => {
                    let quote = self.quote.expect("a fill comes after a quote");
                    self.held = true;
                    intents.push(order(2, side_code::BUY, Some(quote.price - AWAY)));
                    intents.push(order(3, side_code::SELL, Some(quote.price2 + AWAY)));
                }
                _ => {}
            }
        }
        intents
    }

    fn receive(&mut self) -> std::io::Result<(FrameHeader, Vec<u8>)> {
        let mut bytes = [0; HEADER_LEN];
        self.stream.read_exact(&mut bytes)?;
        let header = FrameHeader::decode(&bytes).expect("the kernel keeps its word");
        let mut payload = vec![0; usize::try_from(header.payload_len).expect("a length")];
        self.stream.read_exact(&mut payload)?;
        Ok((header, payload))
    }

    fn reply(&mut self, batch: u32, intents: &[IntentRecord]) -> std::io::Result<()> {
        let payload: Vec<u8> = intents.iter().flat_map(IntentRecord::encode).collect();
        let count = u32::try_from(intents.len()).expect("a count");
        self.send(FrameKind::Intents, (batch, count), &payload)
    }

    fn send(&mut self, kind: FrameKind, of: (u32, u32), payload: &[u8]) -> std::io::Result<()> {
        let header = header(kind, of, u32::try_from(payload.len()).expect("a length"));
        self.stream.write_all(&[&header.encode(), payload].concat())
    }
}

fn header(kind: FrameKind, (batch, count): (u32, u32), payload_len: u32) -> FrameHeader {
    FrameHeader { kind, payload_len, batch, count, value: 0 }
}

fn order(reference: u64, side: u8, limit: Option<i64>) -> IntentRecord {
    let (ord_type, time_in_force) = match limit {
        Some(_) => (ord_type_code::LIMIT, tif_code::GTC),
        None => (ord_type_code::MARKET, tif_code::IOC),
    };
    let price = limit.unwrap_or(0);
    let kind = intent_kind::SUBMIT;
    IntentRecord {
        reference,
        kind,
        side,
        ord_type,
        time_in_force,
        price,
        qty: QTY,
        ..IntentRecord::default()
    }
}

/// What a sandbox says of the component it has loaded.
fn facts() -> Vec<u8> {
    let facts = object([
        ("component", "0".repeat(64).into()),
        ("declaration", object([])),
        ("engine", "puppet".into()),
        ("exports", Value::List(Vec::new())),
        ("imports", Value::List(Vec::new())),
        ("memory_bytes_max", Value::Int(1)),
        ("world", "portcullis:strategy@0.9.0".into()),
    ]);
    facts.canonical()
}
