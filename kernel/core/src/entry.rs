//! The entries of the journal: canonical JSON, one object each, readable by any JSON tool.
//!
//! ```text
//! {"at":{"boot":"…","wall":"…"},"class":"input","corr":"…","cursors":[…],"input":7,
//!  "kind":"plugin-reply","reason":"…","v":1,"what":{…}}
//! ```
//! `what` sorts last, so that class and kind can be read without reading the rest.
//! `at` is nanoseconds as text; `cursors` holds, per market stream, the last sequence that the
//! core had consumed; `input` counts every event of the core loop, market data included, so that
//! entries and chunks merge back exactly.

use std::collections::BTreeMap;

use portcullis_domain::{BootNs, Now, StreamId, WallNs};
use portcullis_statement::json::{self, Fields, JsonError, Scan, Value};

/// Version of the entry format.
pub const ENTRY_VERSION: i64 = 1;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Something that reached the core. Replay feeds these again.
    Input,
    /// Something that the core decided. Replay compares these.
    Outcome,
    /// Something about the host itself: chunks, heartbeats, recoveries. Not part of a session.
    Host,
}

impl Class {
    const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Outcome => "outcome",
            Self::Host => "host",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Input, Self::Outcome, Self::Host].into_iter().find(|class| class.name() == name)
    }
}

/// An entry, encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub class: Class,
    /// Its kind.
    pub kind: &'static str,
    /// Its bytes, as the journal keeps them.
    pub bytes: Vec<u8>,
}

/// Where and when an entry was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The moment of the event behind it.
    pub at: Now,
    /// The event's number in the core loop.
    pub input: u64,
    /// Last sequence consumed of each market stream.
    pub cursors: BTreeMap<StreamId, u64>,
}

/// What an entry says.
#[derive(Clone, Debug)]
pub struct Content {
    /// The kind.
    pub kind: &'static str,
    /// Correlation id: what this belongs to, from intent to fill. `-` where nothing does.
    pub corr: String,
    /// A code that says why.
    pub reason: String,
    /// The rest.
    pub body: Value,
}

/// Why bytes are not an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryError {
    /// Not canonical JSON of the right shape.
    Malformed(JsonError),
    /// A version that this build cannot read.
    Version(i64),
    /// A class or kind that does not exist.
    UnknownKind(String),
    /// A value that is out of its range.
    Value(&'static str),
}

impl From<JsonError> for EntryError {
    fn from(error: JsonError) -> Self {
        Self::Malformed(error)
    }
}

/// An entry, decoded.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// What it is.
    pub class: Class,
    /// Its kind.
    pub kind: String,
    /// Where and when.
    pub place: Place,
    /// What it belongs to.
    pub corr: String,
    /// Why.
    pub reason: String,
    /// The rest.
    pub body: Value,
}

impl Entry {
    /// Encodes an entry.
    #[must_use]
    pub fn new(class: Class, place: &Place, content: Content) -> Self {
        let cursors = place.cursors.iter();
        let cursors = cursors.map(|(stream, sequence)| {
            Value::List(vec![Value::Int(i64::from(stream.0)), int(*sequence)])
        });
        let bytes = json::canonical_object([
            ("at", at_value(place.at)),
            ("class", class.name().into()),
            ("corr", content.corr.into()),
            ("cursors", Value::List(cursors.collect())),
            ("input", int(place.input)),
            ("kind", content.kind.into()),
            ("reason", content.reason.into()),
            ("v", Value::Int(ENTRY_VERSION)),
            ("what", content.body),
        ]);
        Self { class, kind: content.kind, bytes }
    }
}

/// Reads an entry.
pub fn decode(bytes: &[u8]) -> Result<Decoded, EntryError> {
    let value = json::parse_canonical(bytes)?;
    let mut fields = Fields::new(&value)?;
    let version = fields.int("v")?;
    if version != ENTRY_VERSION {
        return Err(EntryError::Version(version));
    }
    let class = fields.text("class")?;
    let class = Class::from_name(class).ok_or_else(|| EntryError::UnknownKind(class.to_owned()))?;
    let mut place = Place {
        at: at_from(fields.fields("at")?)?,
        input: fields.uint("input")?,
        cursors: BTreeMap::new(),
    };
    for pair in fields.list("cursors")? {
        let [Value::Int(stream), Value::Int(sequence)] = as_list(pair) else {
            return Err(EntryError::Value("cursors"));
        };
        let bad = EntryError::Value("cursors");
        let stream = u16::try_from(*stream).ok().ok_or_else(|| bad.clone())?;
        place.cursors.insert(StreamId(stream), u64::try_from(*sequence).ok().ok_or(bad)?);
    }
    let decoded = Decoded {
        class,
        kind: fields.text("kind")?.to_owned(),
        place,
        corr: fields.text("corr")?.to_owned(),
        reason: fields.text("reason")?.to_owned(),
        body: fields.value("what")?.clone(),
    };
    fields.finish()?;
    Ok(decoded)
}

/// What can be said of an entry without making values of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glance<'a> {
    /// Its kind, as it is spelled.
    pub kind: &'a str,
    /// The boot clock at its event.
    pub boot: BootNs,
}

/// A look at an entry that [`decode`] would accept too, at a fraction of the time. `None` is no
/// refusal: ask [`decode`] then.
#[must_use]
pub fn glance(bytes: &[u8]) -> Option<Glance<'_>> {
    let mut scan = Scan::new(bytes)?;
    scan.literal("{\"at\":{\"boot\":")?;
    let boot = scan.text()?.parse().ok()?;
    scan.literal(",\"wall\":")?;
    scan.text()?.parse::<i64>().ok()?;
    scan.literal("},\"class\":")?;
    Class::from_name(scan.text()?)?;
    scan.literal(",\"corr\":")?;
    scan.text()?;
    scan.literal(",\"cursors\":[")?;
    let mut separator = "[";
    while scan.literal("]").is_none() {
        scan.literal(separator)?;
        u16::try_from(scan.int()?).ok()?;
        scan.literal(",")?;
        u64::try_from(scan.int()?).ok()?;
        scan.literal("]")?;
        separator = ",[";
    }
    scan.literal(",\"input\":")?;
    u64::try_from(scan.int()?).ok()?;
    scan.literal(",\"kind\":")?;
    let kind = scan.text()?;
    scan.literal(",\"reason\":")?;
    scan.text()?;
    scan.literal(",\"v\":1,\"what\":")?;
    scan.value(1)?;
    scan.literal("}")?;
    scan.end()?;
    Some(Glance { kind, boot: BootNs(boot) })
}

/// What of an entry counts for the session root: all of it, unless it is about the host.
#[must_use]
pub fn session_bytes(bytes: &[u8]) -> Option<Vec<u8>> {
    let class = peek(bytes, b",\"class\":\"");
    matches!(class, Some(b"input" | b"outcome")).then(|| bytes.to_vec())
}

/// Whether the entry opens a session: the first leaf of a session root.
#[must_use]
pub fn is_open_session(bytes: &[u8]) -> bool {
    peek(bytes, KIND_KEY) == Some(b"session-opened")
}

/// Whether the entry ends a session: by its closing, or by the next start after a crash.
#[must_use]
pub fn is_close_session(bytes: &[u8]) -> bool {
    matches!(peek(bytes, KIND_KEY), Some(b"session-closed" | b"started"))
}

/// Whether the entry is the mark of a run that ended in order.
#[must_use]
pub fn is_clean_stop(bytes: &[u8]) -> bool {
    peek(bytes, KIND_KEY) == Some(b"clean-stop")
}

/// The kind of an entry, without reading the rest.
#[must_use]
pub fn kind(bytes: &[u8]) -> Option<&[u8]> {
    peek(bytes, KIND_KEY)
}

/// Whether the epoch's log is signed at once behind this entry, and not within the second: starts
/// and ends, what people signed, limits, kills, loaded plugins.
#[must_use]
pub fn is_milestone(bytes: &[u8]) -> bool {
    const KINDS: [&[u8]; 12] = [
        b"started",
        b"clean-stop",
        b"session-opened",
        b"session-closed",
        b"statement-accepted",
        b"tightened",
        b"killed",
        b"orders-clear",
        b"unkilled",
        b"plugin-ready",
        b"epoch-began",
        b"epoch-ended",
    ];
    kind(bytes).is_some_and(|kind| KINDS.contains(&kind))
}

const KIND_KEY: &[u8] = b",\"kind\":\"";

/// The text behind `key`, found without parsing: a million entries a second have to be hashed.
///
/// The keys before `what` are all ours, and a quotation mark inside a JSON string is always
/// escaped, so the first match is the key itself.
fn peek<'a>(bytes: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let at = bytes.windows(key.len()).position(|window| window == key)?;
    let (_, rest) = bytes.split_at_checked(at.checked_add(key.len())?)?;
    rest.split(|byte| *byte == b'"').next()
}

/// A count as JSON. Counts stay far below 2^63.
pub(crate) fn int(value: u64) -> Value {
    Value::Int(i64::try_from(value).unwrap_or(i64::MAX))
}

/// Nanoseconds as text, since readers of JSON lose integers above 2^53.
pub(crate) fn at_value(at: Now) -> Value {
    json::object([("boot", at.boot.0.to_string().into()), ("wall", at.wall.0.to_string().into())])
}

pub(crate) fn at_from(mut fields: Fields<'_>) -> Result<Now, EntryError> {
    let mut ns = |key| {
        let text = fields.text(key).map_err(EntryError::from)?;
        text.parse::<i64>().map_err(|_out_of_range| EntryError::Value("at"))
    };
    Ok(Now { boot: BootNs(ns("boot")?), wall: WallNs(ns("wall")?) })
}

pub(crate) fn as_list(value: &Value) -> &[Value] {
    if let Value::List(items) = value { items } else { &[] }
}

pub(crate) fn as_text(value: &Value) -> Option<&str> {
    if let Value::Text(text) = value { Some(text) } else { None }
}

pub(crate) fn as_int(value: &Value) -> Option<i64> {
    if let Value::Int(number) = value { Some(*number) } else { None }
}
