//! The journal's entries on a `JetStream` stream, in order and each once.
//!
//! A message is the log leaf of an entry, so that a reader can compute the journal's root from the
//! stream alone; its id is `origin/seq`. The stream is the only state: each publication names the
//! id before it, and the server refuses what does not follow. A mirror is no evidence.

mod nats;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_evidence::Watermark;
use portcullis_evidence::journal::{JournalFolder, ReadFault, Reader};
use portcullis_evidence::tree::log_leaf;
use serde_json::{Value, json};

use super::copies::{Closed, durable_epochs};
use crate::source::unreadable;
use crate::{CliError, out};
use nats::{Connection, refused};

/// Mirrors a home's entries to a NATS server.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis scribe mirror HOME --nats 127.0.0.1:4222\n  \
    portcullis scribe mirror HOME --nats 127.0.0.1:4222 --every 1")]
pub(crate) struct Args {
    /// The home.
    pub(crate) home: PathBuf,
    /// A NATS server on this host, with streams (-js).
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4222")]
    pub(crate) nats: SocketAddr,
    /// Go on, with that many seconds between two rounds.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) every: Option<u64>,
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let mut connection = Connection::open(args.nats)?;
    let mut closed = Closed::new();
    loop {
        let round = round(&args.home, &mut closed, (args.nats, &mut connection))?;
        let text = format!("{} entries more, {} in all", round.published, round.whole);
        out::result(&out::field("mirrored", &text))?;
        let Some(seconds) = args.every else { return Ok(()) };
        std::thread::sleep(Duration::from_secs(seconds));
    }
}

/// What one round did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Round {
    published: u64,
    /// Durable entries of the home.
    whole: u64,
}

/// The stream of an account.
struct Stream<'a> {
    address: SocketAddr,
    connection: &'a mut Connection,
    subject: String,
    name: String,
    /// Id of its last message.
    last: Option<String>,
}

fn round(
    home: &Path,
    closed: &mut Closed,
    (address, connection): (SocketAddr, &mut Connection),
) -> Result<Round, CliError> {
    let epochs = durable_epochs(home, closed)?;
    let Some((_, origin, _)) = epochs.first() else { return Ok(Round { published: 0, whole: 0 }) };
    let mut stream = Stream::open(origin, (address, connection))?;
    // Found where the stream ends; until then everything is on it already.
    let mut reached = stream.last.is_none();
    let mut round = Round { published: 0, whole: 0 };
    let ends_in = stream.last.as_deref().and_then(|id| Some(id.rsplit_once('/')?.0.to_owned()));
    let before = epochs.iter().position(|(_, origin, _)| Some(origin) == ends_in.as_ref());
    for (place, (epoch, origin, size)) in epochs.iter().enumerate() {
        round.whole = round.whole.saturating_add(*size);
        // The stream is in order: what comes before its last message's epoch is on it.
        if Some(place) < before {
            continue;
        }
        let folder = JournalFolder::of_epoch(&home.join("epochs"), *epoch);
        let fault = |fault: ReadFault| unreadable(fault.code(), home, &fault.to_string());
        let (mut reader, mut seq) = (Reader::open(folder).map_err(fault)?, 0_u64);
        while let Some(group) = reader.next_below(Watermark(*size)).map_err(fault)? {
            for entry in group.entries() {
                let id = format!("{origin}/{seq}");
                seq = seq.saturating_add(1);
                if reached {
                    stream.publish(id, &log_leaf(entry))?;
                    round.published = round.published.saturating_add(1);
                } else {
                    reached = stream.last.as_ref() == Some(&id);
                }
            }
        }
    }
    if reached {
        return Ok(round);
    }
    let cause = "the stream ends with an entry that this home does not have";
    Err(refused(address, "MIRROR_FORKED", cause))
}

impl<'a> Stream<'a> {
    /// Finds the stream, or makes it, and where it ends.
    fn open(
        origin: &str,
        (address, connection): (SocketAddr, &'a mut Connection),
    ) -> Result<Self, CliError> {
        let (subject, name) = names(origin);
        let mut stream = Self { address, connection, subject, name, last: None };
        let ask = json!({"last_by_subj": stream.subject}).to_string();
        let wanted = format!("$JS.API.STREAM.MSG.GET.{}", stream.name);
        let found = stream.connection.ask(&wanted, &[], ask.as_bytes())?;
        match found.pointer("/error/err_code").and_then(Value::as_u64) {
            None => stream.last = Some(stream.id_of(&found)?),
            // No such stream.
            Some(10_059) => stream.make()?,
            // No message yet.
            Some(10_037) => {}
            Some(_) => return Err(stream.no(&found)),
        }
        Ok(stream)
    }

    /// A stream from which nobody takes anything away, and that is full when it is full.
    fn make(&mut self) -> Result<(), CliError> {
        let wanted = json!({"name": self.name, "subjects": [self.subject], "storage": "file",
            "retention": "limits", "discard": "new", "num_replicas": 1,
            "max_consumers": -1, "max_msgs": -1, "max_bytes": -1, "max_age": 0,
            "deny_delete": true, "deny_purge": true});
        let subject = format!("$JS.API.STREAM.CREATE.{}", self.name);
        let made = self.connection.ask(&subject, &[], wanted.to_string().as_bytes())?;
        if made.get("error").is_some() { Err(self.no(&made)) } else { Ok(()) }
    }

    /// The id of a message that the server told of.
    fn id_of(&self, found: &Value) -> Result<String, CliError> {
        let headers = found.pointer("/message/hdrs").and_then(Value::as_str).unwrap_or_default();
        let headers = STANDARD.decode(headers).unwrap_or_default();
        let headers = String::from_utf8_lossy(&headers).into_owned();
        let id = headers.lines().find_map(|line| line.strip_prefix("Nats-Msg-Id: "));
        id.map(str::to_owned).ok_or_else(|| self.no(found))
    }

    /// Publishes one entry and waits until the server has it.
    fn publish(&mut self, id: String, leaf: &[u8]) -> Result<(), CliError> {
        let mut headers = vec![("Nats-Msg-Id", id.as_str()), ("Nats-Expected-Stream", &self.name)];
        headers.extend(self.last.as_deref().map(|last| ("Nats-Expected-Last-Msg-Id", last)));
        let answer = self.connection.ask(&self.subject, &headers, leaf)?;
        if answer.get("error").is_some() || answer.get("seq").is_none() {
            return Err(self.no(&answer));
        }
        self.last = Some(id);
        Ok(())
    }

    fn no(&self, answer: &Value) -> CliError {
        let said = answer.pointer("/error/description").and_then(Value::as_str);
        refused(self.address, "MIRROR_REFUSED", said.unwrap_or("an answer that makes no sense"))
    }
}

/// Subject and stream of an account: `portcullis/HOST/ACCOUNT/…` without what NATS reads itself.
fn names(origin: &str) -> (String, String) {
    let plain = |part: &str| part.replace(['.', '*', '>', ' '], "_");
    let parts: Vec<String> = origin.split('/').take(3).map(plain).collect();
    (parts.join("."), parts.join("_"))
}
