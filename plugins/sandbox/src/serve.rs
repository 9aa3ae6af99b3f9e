//! The life of a sandbox: Load, Init, then batches of events until the other side hangs up.
//!
//! Whatever goes wrong is told in one `Failed` frame, and then the process ends: there is no
//! state after a fault that anyone would have to reason about.

use std::io::{Read, Write};

use portcullis_domain::frame::{
    BATCH_EVENTS_MAX, EventRecord, FrameHeader, FrameKind, IntentRecord, RECORD_LEN,
    REPLY_INTENTS_MAX,
};
use serde_json::Value;

use crate::engine::SandboxEngine;
use crate::fault::{FaultCode, PluginFault};
use crate::frames::{FrameReader, FrameWriter, StreamEnd};
use crate::plugin::{Plugin, SessionStart};

/// Serves one plugin over `stream` until it is closed, which is the ordinary end. An error has
/// been told to the other side already, if it still listened.
pub fn serve(stream: &mut (impl Read + Write)) -> Result<(), PluginFault> {
    let mut conversation =
        Conversation { frames: FrameReader::new(), reply: FrameWriter::default() };
    match conversation.run(stream) {
        Ok(()) => Ok(()),
        Err((fault, batch)) => {
            conversation.reply.begin().extend_from_slice(fault.to_string().as_bytes());
            let header = reply_header(FrameKind::Failed, batch);
            // The fault is the result either way; that nobody hears it changes nothing.
            match conversation.reply.send(stream, header) {
                Ok(()) | Err(_) => Err(fault),
            }
        }
    }
}

struct Conversation {
    frames: FrameReader,
    reply: FrameWriter,
}

/// A fault and the batch that it answers.
type Ended = (PluginFault, u32);
/// A frame's header and payload.
type Frame<'a> = (FrameHeader, &'a [u8]);

impl Conversation {
    fn run(&mut self, stream: &mut (impl Read + Write)) -> Result<(), Ended> {
        let Some(mut plugin) = self.load(stream)? else { return Ok(()) };
        if !self.init(stream, &mut plugin)? {
            return Ok(());
        }
        let mut intents = Vec::with_capacity(REPLY_INTENTS_MAX);
        while self.batch(stream, &mut plugin, &mut intents)? {}
        Ok(())
    }

    fn load(&mut self, stream: &mut (impl Read + Write)) -> Result<Option<Plugin>, Ended> {
        let Some((header, component)) = next(&mut self.frames, stream, FrameKind::Load)? else {
            return Ok(None);
        };
        let engine = SandboxEngine::new().map_err(|fault| (fault, header.batch))?;
        let plugin = Plugin::load(&engine, component, header.value)
            .map_err(|fault| (fault, header.batch))?;
        // The component's bytes are not needed any more.
        self.frames = FrameReader::new();
        let mut loaded = plugin.capabilities().to_value();
        if let Value::Object(members) = &mut loaded {
            members.insert("declaration".to_owned(), plugin.declaration().to_value());
            members.insert("engine".to_owned(), Value::from(engine.name()));
        }
        self.reply.begin().extend_from_slice(loaded.to_string().as_bytes());
        self.send(stream, reply_header(FrameKind::Loaded, header.batch))?;
        Ok(Some(plugin))
    }

    /// Returns whether the session began.
    fn init(
        &mut self,
        stream: &mut (impl Read + Write),
        plugin: &mut Plugin,
    ) -> Result<bool, Ended> {
        let Some((header, payload)) = next(&mut self.frames, stream, FrameKind::Init)? else {
            return Ok(false);
        };
        let start: SessionStart = serde_json::from_slice(payload).map_err(|error| {
            (PluginFault::new(FaultCode::Protocol, format!("init: {error}")), header.batch)
        })?;
        let used = plugin.init(&start, header.value).map_err(|fault| (fault, header.batch))?;
        self.reply.begin();
        let ready = FrameHeader { value: used, ..reply_header(FrameKind::Ready, header.batch) };
        self.send(stream, ready)?;
        Ok(true)
    }

    /// Answers one batch. Returns whether there was one.
    fn batch(
        &mut self,
        stream: &mut (impl Read + Write),
        plugin: &mut Plugin,
        intents: &mut Vec<IntentRecord>,
    ) -> Result<bool, Ended> {
        let Some((header, payload)) = next(&mut self.frames, stream, FrameKind::Events)? else {
            return Ok(false);
        };
        let (records, rest) = payload.as_chunks::<RECORD_LEN>();
        let count = usize::try_from(header.count).unwrap_or(usize::MAX);
        if !rest.is_empty() || records.len() != count || !(1..=BATCH_EVENTS_MAX).contains(&count) {
            let cause = format!("a batch of {count} events in {} bytes", payload.len());
            return Err((PluginFault::new(FaultCode::Protocol, cause), header.batch));
        }
        intents.clear();
        let used = plugin
            .on_events(records.iter().map(EventRecord::decode), header.value, intents)
            .map_err(|fault| (fault, header.batch))?;
        let reply = self.reply.begin();
        for intent in &*intents {
            reply.extend_from_slice(&intent.encode());
        }
        reply.extend_from_slice(plugin.take_log().as_bytes());
        let count = u32::try_from(intents.len()).unwrap_or(u32::MAX);
        let reply = reply_header(FrameKind::Intents, header.batch);
        self.send(stream, FrameHeader { count, value: used, ..reply })?;
        Ok(true)
    }

    fn send(&mut self, stream: &mut impl Write, header: FrameHeader) -> Result<(), Ended> {
        self.reply.send(stream, header).map_err(|error| {
            (PluginFault::new(FaultCode::Protocol, format!("reply: {error}")), header.batch)
        })
    }
}

/// The next frame, which must be of this kind; nothing if the other side hung up.
fn next<'a>(
    frames: &'a mut FrameReader,
    stream: &mut impl Read,
    expected: FrameKind,
) -> Result<Option<Frame<'a>>, Ended> {
    let protocol = |cause: String, batch| (PluginFault::new(FaultCode::Protocol, cause), batch);
    match frames.next(stream) {
        Ok((header, payload)) if header.kind == expected => Ok(Some((header, payload))),
        Ok((header, _)) => {
            Err(protocol(format!("{:?} where {expected:?} was due", header.kind), header.batch))
        }
        Err(StreamEnd::Closed) => Ok(None),
        Err(StreamEnd::Malformed(error)) => Err(protocol(format!("no frame: {error:?}"), 0)),
        Err(StreamEnd::Io(error)) => Err(protocol(format!("stream: {error}"), 0)),
    }
}

const fn reply_header(kind: FrameKind, batch: u32) -> FrameHeader {
    FrameHeader { kind, payload_len: 0, batch, count: 0, value: 0 }
}
