//! The bridge to a plugin's process: frames over one stream, and nothing else.

use std::io::{self, BufReader, Read, Write};

use portcullis_core::Input;
use portcullis_domain::PluginId;
use portcullis_domain::frame::{
    EventRecord, FrameError, FrameHeader, FrameKind, HEADER_LEN, IntentRecord, RECORD_LEN,
    REPLY_INTENTS_MAX,
};
use portcullis_statement::Digest;
use portcullis_statement::json::{self, Fields, Value};

/// Longest payload that a worker may send. Nothing is allocated on its word beyond that.
const REPLY_BYTES_MAX: u32 = 256 * 1024;
/// Longest text that a reply may carry.
const LOG_BYTES_MAX: usize = 4_096;

/// Why a plugin is no longer to be talked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginFault {
    /// `PLUGIN_…`.
    pub code: String,
    /// In its words or ours.
    pub cause: String,
}

impl PluginFault {
    fn new(code: &str, cause: impl Into<String>) -> Self {
        Self { code: code.to_owned(), cause: cause.into() }
    }
}

impl From<io::Error> for PluginFault {
    fn from(error: io::Error) -> Self {
        if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) {
            return Self::new("PLUGIN_DEADLINE", "the plugin did not answer in time");
        }
        Self::new("PLUGIN_GONE", format!("the plugin's process has ended: {error}"))
    }
}

impl From<FrameError> for PluginFault {
    fn from(error: FrameError) -> Self {
        Self::new("PLUGIN_PROTOCOL", format!("{error:?}"))
    }
}

/// What a worker says after loading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// SHA-256 of the bytes it was given, as computed here: its own word does not count.
    pub component: Digest,
    /// Engine, version and configuration.
    pub engine: String,
    /// Everything it said, as JSON.
    pub facts: Value,
}

/// One reply to a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Fuel used, as the worker claims.
    pub fuel: u64,
    /// What the plugin asks for.
    pub intents: Vec<IntentRecord>,
    /// What it logged.
    pub log: String,
}

/// One worker behind one stream. The stream's own time-outs are the deadlines.
#[derive(Debug)]
pub struct PluginChannel<S: Read + Write> {
    stream: BufReader<S>,
    out: Vec<u8>,
}

impl<S: Read + Write> PluginChannel<S> {
    /// Talks over `stream`.
    pub fn new(stream: S) -> Self {
        Self { stream: BufReader::with_capacity(64 * 1024, stream), out: Vec::new() }
    }

    /// The stream, to set its time-outs.
    pub fn stream(&self) -> &S {
        self.stream.get_ref()
    }

    /// Hands over the component's bytes.
    pub fn load(&mut self, component: &[u8], memory_max: u64) -> Result<Loaded, PluginFault> {
        self.send(FrameKind::Load, (0, 0, memory_max), component)?;
        let (_, payload) = self.receive(FrameKind::Loaded)?;
        let facts = json::parse_canonical(&payload);
        let facts = facts.map_err(|_malformed| PluginFault::new("PLUGIN_PROTOCOL", "bad facts"))?;
        let engine = Fields::new(&facts)
            .and_then(|mut fields| fields.text("engine").map(str::to_owned))
            .map_err(|_missing| PluginFault::new("PLUGIN_PROTOCOL", "no engine stated"))?;
        Ok(Loaded { component: Digest::of(component), engine, facts })
    }

    /// Calls `init`.
    pub fn init(&mut self, init: &[u8], fuel: u64) -> Result<(), PluginFault> {
        self.send(FrameKind::Init, (0, 0, fuel), init)?;
        self.receive(FrameKind::Ready).map(drop)
    }

    /// Calls `on-events` and waits for the reply.
    pub fn deliver(
        &mut self,
        batch: u32,
        records: &[EventRecord],
        fuel: u64,
    ) -> Result<Reply, PluginFault> {
        self.send_events(batch, records, fuel)?;
        self.reply(batch)
    }

    /// The first half of [`Self::deliver`].
    pub fn send_events(
        &mut self,
        batch: u32,
        records: &[EventRecord],
        fuel: u64,
    ) -> Result<(), PluginFault> {
        let mut payload = Vec::with_capacity(records.len().saturating_mul(RECORD_LEN));
        for record in records {
            payload.extend_from_slice(&record.encode());
        }
        let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
        self.send(FrameKind::Events, (batch, count, fuel), &payload)
    }

    /// The second half of [`Self::deliver`].
    pub fn reply(&mut self, batch: u32) -> Result<Reply, PluginFault> {
        let (header, payload) = self.receive(FrameKind::Intents)?;
        if header.batch != batch {
            return Err(PluginFault::new("PLUGIN_PROTOCOL", "a reply to another batch"));
        }
        let count = usize::try_from(header.count).unwrap_or(usize::MAX);
        let split = count.saturating_mul(RECORD_LEN);
        let (records, log) = payload
            .split_at_checked(split)
            .filter(|(_, log)| count <= REPLY_INTENTS_MAX && log.len() <= LOG_BYTES_MAX)
            .ok_or_else(|| PluginFault::new("PLUGIN_OUTPUT", "more than a reply may hold"))?;
        let (records, _) = records.as_chunks::<RECORD_LEN>();
        Ok(Reply {
            fuel: header.value,
            intents: records.iter().map(IntentRecord::decode).collect(),
            log: String::from_utf8_lossy(log).into_owned(),
        })
    }

    fn send(
        &mut self,
        kind: FrameKind,
        (batch, count, value): (u32, u32, u64),
        payload: &[u8],
    ) -> Result<(), PluginFault> {
        let too_long = || PluginFault::new("PLUGIN_PROTOCOL", "the payload is too long");
        let payload_len = u32::try_from(payload.len()).map_err(|_too_long| too_long())?;
        let header = FrameHeader { kind, payload_len, batch, count, value };
        // One write for header and payload: a second system call would double the round trip.
        self.out.clear();
        self.out.extend_from_slice(&header.encode());
        self.out.extend_from_slice(payload);
        self.stream.get_mut().write_all(&self.out)?;
        Ok(())
    }

    fn receive(&mut self, wanted: FrameKind) -> Result<(FrameHeader, Vec<u8>), PluginFault> {
        let mut bytes = [0; HEADER_LEN];
        self.stream.read_exact(&mut bytes)?;
        let header = FrameHeader::decode(&bytes)?;
        if header.payload_len > REPLY_BYTES_MAX {
            return Err(PluginFault::new("PLUGIN_OUTPUT", "more than a reply may hold"));
        }
        let mut payload = vec![0; usize::try_from(header.payload_len).unwrap_or(0)];
        self.stream.read_exact(&mut payload)?;
        if header.kind == wanted {
            return Ok((header, payload));
        }
        let text = String::from_utf8_lossy(&payload).into_owned();
        match (header.kind, text.split_once(' ')) {
            (FrameKind::Failed, Some((code, cause))) if code.starts_with("PLUGIN_") => {
                Err(PluginFault::new(code, cause))
            }
            _ => Err(PluginFault::new("PLUGIN_PROTOCOL", format!("{:?}", header.kind))),
        }
    }
}

/// The input that a reply or a fault becomes.
#[must_use]
pub fn reply_input(plugin: PluginId, batch: u32, reply: Result<Reply, PluginFault>) -> Input {
    match reply {
        Ok(Reply { fuel, intents, log }) => {
            Input::PluginReply { plugin, batch, fuel, intents, log }
        }
        Err(fault) => failed_input(plugin, fault),
    }
}

/// The input that a fault becomes.
#[must_use]
pub fn failed_input(plugin: PluginId, fault: PluginFault) -> Input {
    Input::PluginFailed { plugin, code: fault.code, cause: fault.cause }
}
