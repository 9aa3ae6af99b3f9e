//! Where a session may connect to: exact hosts and ports, or files by digest, and never a mixture.

use std::net::IpAddr;

use portcullis_domain::Phase;

use super::{hex, parsed};
use crate::Digest;
use crate::json::{Fields, JsonError, Value, object};

/// What is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndpointKind {
    /// Files, by digest. There is no host.
    Recorded,
    /// The simulated exchange on this host's loopback.
    Simulated,
    /// The exchange's own test system.
    Sandbox,
    /// The exchange.
    Real,
}

impl EndpointKind {
    /// All kinds, from the least to the most serious.
    pub const ALL: [Self; 4] = [Self::Recorded, Self::Simulated, Self::Sandbox, Self::Real];

    /// The name in statements.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Simulated => "simulated",
            Self::Sandbox => "sandbox",
            Self::Real => "real",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether connecting leaves this host.
    #[must_use]
    pub const fn is_outside(self) -> bool {
        match self {
            Self::Sandbox | Self::Real => true,
            Self::Recorded | Self::Simulated => false,
        }
    }

    /// Whether a session of `phase` may use such an endpoint on a ladder that aims at `ladder`.
    #[must_use]
    pub fn is_open_to(self, phase: Phase, ladder: Self) -> bool {
        let rehearsal = (Phase::Shadow..=Phase::BoundedAuto).contains(&phase);
        match self {
            // Nothing fills an order here, so nothing but shadow makes sense.
            Self::Recorded => phase == Phase::Shadow,
            Self::Simulated if ladder == Self::Simulated => phase >= Phase::Shadow,
            Self::Simulated => rehearsal,
            Self::Sandbox => rehearsal && ladder.is_outside(),
            // Public data for shadow; from pre-live on the account itself; no paper money between.
            Self::Real => {
                ladder == Self::Real && (phase == Phase::Shadow || phase >= Phase::PreLive)
            }
        }
    }
}

/// An exchange whose protocol the endpoint speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Venue {
    /// Kraken spot.
    Kraken,
    /// Binance spot.
    Binance,
}

impl Venue {
    /// The name in statements.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kraken => "kraken",
            Self::Binance => "binance",
        }
    }

    /// The venue of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Kraken, Self::Binance].into_iter().find(|venue| venue.name() == name)
    }

    /// The hosts of that venue that this build connects to. A signed file can choose among them
    /// and not add to them, so that no signature can point "real" at somebody else's server.
    #[must_use]
    pub const fn hosts(self, kind: EndpointKind) -> &'static [&'static str] {
        match (self, kind) {
            (Self::Kraken, EndpointKind::Real) => {
                &["api.kraken.com", "ws.kraken.com", "ws-auth.kraken.com", "ws-l3.kraken.com"]
            }
            (Self::Binance, EndpointKind::Real) => &[
                "api.binance.com",
                "data-api.binance.vision",
                "data-stream.binance.vision",
                "stream.binance.com",
                "ws-api.binance.com",
            ],
            (Self::Binance, EndpointKind::Sandbox) => &[
                "stream.testnet.binance.vision",
                "testnet.binance.vision",
                "ws-api.testnet.binance.vision",
            ],
            // Kraken has no test system for spot; the other kinds have no compiled hosts.
            (Self::Kraken, EndpointKind::Sandbox)
            | (_, EndpointKind::Simulated | EndpointKind::Recorded) => &[],
        }
    }
}

/// One host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// A host name, or a loopback address for a simulated exchange.
    pub host: String,
    /// The TCP port, never 0.
    pub port: u16,
}

/// One recorded file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedFile {
    /// Its plain file name, without folders.
    pub name: String,
    /// The digest of its bytes.
    pub sha256: Digest,
}

/// Where a session may connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSet {
    /// What is at the other end.
    pub kind: EndpointKind,
    /// Whose protocol it speaks.
    pub venue: Venue,
    /// Public market data.
    pub public: Option<Host>,
    /// The account.
    pub private: Option<Host>,
    /// The files of a recorded set.
    pub files: Vec<RecordedFile>,
}

impl EndpointSet {
    /// As the body of a statement.
    #[must_use]
    pub fn to_value(&self) -> Value {
        object([
            ("files", Value::List(self.files.iter().map(file_value).collect())),
            ("kind", self.kind.name().into()),
            ("private", host_value(self.private.as_ref())),
            ("public", host_value(self.public.as_ref())),
            ("venue", self.venue.name().into()),
        ])
    }

    /// Reads the body of a statement; hosts, files and kind must agree.
    pub fn from_value(value: &Value) -> Result<Self, JsonError> {
        let mut fields = Fields::new(value)?;
        let set = Self {
            kind: parsed(&mut fields, "kind", EndpointKind::from_name)?,
            venue: parsed(&mut fields, "venue", Venue::from_name)?,
            public: read_host(&mut fields, "public")?,
            private: read_host(&mut fields, "private")?,
            files: fields.list("files")?.iter().map(read_file).collect::<Result<_, _>>()?,
        };
        fields.finish()?;
        set.check()?;
        Ok(set)
    }

    fn check(&self) -> Result<(), JsonError> {
        if self.kind == EndpointKind::Recorded {
            if self.public.is_some() || self.private.is_some() {
                return Err(JsonError::field("public", "stands beside recorded files"));
            }
            let names: std::collections::BTreeSet<_> = self.files.iter().map(|f| &f.name).collect();
            if names.is_empty() || names.len() != self.files.len() {
                return Err(JsonError::field("files", "is empty or names a file twice"));
            }
            return Ok(());
        }
        if !self.files.is_empty() {
            return Err(JsonError::field("files", "stands beside hosts"));
        }
        if self.public.is_none() {
            return Err(JsonError::field("public", "is needed by every kind but recorded"));
        }
        for (key, host) in [("public", &self.public), ("private", &self.private)] {
            if host.as_ref().is_some_and(|host| !self.accepts(&host.host)) {
                let kind = self.kind.name();
                return Err(JsonError::field(key, format!("is not a host of the kind {kind}")));
            }
        }
        Ok(())
    }

    fn accepts(&self, host: &str) -> bool {
        if self.kind == EndpointKind::Simulated {
            // An address, not `localhost`: a name is what somebody's hosts file makes of it.
            return host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        }
        self.venue.hosts(self.kind).contains(&host)
    }
}

fn host_value(host: Option<&Host>) -> Value {
    host.map_or(Value::Null, |host| {
        object([("host", host.host.as_str().into()), ("port", i64::from(host.port).into())])
    })
}

fn read_host(fields: &mut Fields<'_>, key: &str) -> Result<Option<Host>, JsonError> {
    if fields.value(key)? == &Value::Null {
        return Ok(None);
    }
    let mut inner = fields.fields(key)?;
    let mut read = || {
        let host = inner.text("host")?.to_owned();
        let port = u16::try_from(inner.uint("port")?).ok().filter(|port| *port > 0);
        let port = port.ok_or_else(|| JsonError::field("port", "is not a TCP port"))?;
        Ok(Host { host, port })
    };
    let host = read().map_err(|error: JsonError| error.within(key))?;
    inner.finish().map_err(|error| error.within(key))?;
    Ok(Some(host))
}

fn file_value(file: &RecordedFile) -> Value {
    object([("name", file.name.as_str().into()), ("sha256", hex(file.sha256))])
}

fn read_file(value: &Value) -> Result<RecordedFile, JsonError> {
    let read = || {
        let mut fields = Fields::new(value)?;
        let name = parsed(&mut fields, "name", file_name)?;
        let sha256 = fields.digest("sha256")?;
        fields.finish()?;
        Ok(RecordedFile { name, sha256 })
    };
    read().map_err(|error: JsonError| error.within("files"))
}

/// A name without folders that no shell and no file system reads as something else.
fn file_name(text: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let fits = (1..=128).contains(&text.len()) && !text.starts_with(['.', '-']);
    (fits && text.bytes().all(plain)).then(|| text.to_owned())
}
