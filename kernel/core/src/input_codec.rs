//! Inputs as entries, and back: what replay feeds to the core again.

use portcullis_domain::frame::{IntentRecord, RECORD_LEN};
use portcullis_domain::policy::guards::Guard;
use portcullis_domain::{ClOrdId, PluginId, Stop, StopMode, StopScope, WallNs};
use portcullis_gate::{DenyCode, VenueStatus};
use portcullis_statement::json::{self, Fields, Value};
use portcullis_statement::{JournalBinding, SignedStatement};

use crate::entry::{Content, Decoded, EntryError, as_text, int};
use crate::input::{EpochCause, Input, Worker};
use crate::notes::Note;

mod account;
mod finding;
mod people;
mod records;
mod safety;
mod witness;
pub(crate) use account::entry_value;
use account::{account, account_value};
pub(crate) use finding::finding_corr;
use people::{person, person_value};
pub(crate) use records::{amounts, money, money_or_null, order_intent, terms, terms_value};
pub(crate) use records::{phases, phases_value, start, start_value};
use records::{report, report_value};
use witness::{burns, burns_value, cosigned, cosigned_content};

type Read<T> = Result<T, EntryError>;

impl Input {
    /// What the journal keeps of it; `None` for market data, which lies in chunks, and for ticks
    /// that follow from time alone.
    #[must_use]
    pub fn content(&self, shadow: bool) -> Option<Content> {
        let (kind, corr, body) = match self {
            Self::Market(_) | Self::Host(_) | Self::EpochEnds(_) => return None,
            Self::Started(start) => ("started", "-".to_owned(), start_value(start)),
            Self::Statement { request, signed } => {
                requested("statement", *request, [("signed", signed.to_value())])
            }
            Self::Draft { request, session, journal } => {
                let fields = [
                    ("journal", journal.to_value()),
                    ("request", int(*request)),
                    ("session", session.as_str().into()),
                ];
                ("draft", session.to_string(), json::object(fields))
            }
            Self::OpenSession { request, approval, workers, burns } => {
                let workers = Value::List(workers.iter().map(worker_value).collect());
                let fields = [("signed", approval.to_value()), ("workers", workers)];
                let (kind, corr, mut body) = requested("open-session", *request, fields);
                if let Value::Object(entries) = &mut body {
                    entries.extend(burns_value(burns).map(|burns| ("burns".to_owned(), burns)));
                }
                (kind, corr, body)
            }
            Self::Cosigned { request, note, standing } => {
                cosigned_content(*request, note, *standing)
            }
            Self::Copied { request, unreplicated_bytes } => {
                let fields = [("unreplicated_bytes", int(*unreplicated_bytes))];
                requested("copied", *request, fields)
            }
            Self::CloseSession { request, who, reason } => {
                let fields = [("reason", reason.as_str().into()), ("who", who.as_str().into())];
                requested("close-session", *request, fields)
            }
            Self::Tighten { request, who, limits } => {
                let fields = [("limits", limits.clone()), ("who", who.as_str().into())];
                requested("tighten", *request, fields)
            }
            Self::Note { request, note } => requested("note", *request, note.fields()),
            Self::Person(asked) => {
                let (kind, body) = person_value(asked);
                (kind, format!("request-{}", asked.request), body)
            }
            Self::Stop { who } => alone("stop", [("who", who.as_str().into())]),
            Self::EpochRaised { .. }
            | Self::Tick
            | Self::PluginReady { .. }
            | Self::PluginReply { .. }
            | Self::PluginFailed { .. }
            | Self::Sent { .. }
            | Self::NotSent { .. }
            | Self::AmendSent { .. }
            | Self::AmendNotSent { .. }
            | Self::Lost { .. }
            | Self::Report(_)
            | Self::Account(_)
            | Self::VenueStatus { .. }
            | Self::VenueLink { .. }
            | Self::Beat { .. }
            | Self::VenueClock { .. } => self.event_content(shadow)?,
            Self::ExplainFinding { .. } | Self::ConfirmFinding { .. } => self.finding_content()?,
        };
        Some(Content { kind, corr, reason: "RECEIVED".to_owned(), body })
    }

    /// Inputs that are not a person's request.
    fn event_content(&self, shadow: bool) -> Option<Parts> {
        Some(match self {
            Self::EpochRaised { epoch, cause } => {
                let fields = [("cause", cause_value(cause)), ("epoch", int(*epoch))];
                ("epoch-raised", format!("epoch-{epoch}"), json::object(fields))
            }
            Self::Tick => alone("tick", []),
            Self::PluginReady { plugin } => of_plugin("plugin-ready", *plugin, []),
            Self::PluginReply { plugin, batch, fuel, intents, log } => {
                let fields = [
                    ("batch", int(u64::from(*batch))),
                    ("fuel", int(*fuel)),
                    ("intents", Value::List(intents.iter().map(record_value).collect())),
                    ("log", log.as_str().into()),
                ];
                of_plugin("plugin-reply", *plugin, fields)
            }
            Self::PluginFailed { plugin, code, cause } => {
                let fields = [("cause", cause.as_str().into()), ("code", code.as_str().into())];
                of_plugin("plugin-failed", *plugin, fields)
            }
            Self::Sent { cl_ord_id } => of_order("sent", *cl_ord_id, None),
            Self::NotSent { cl_ord_id, code } => of_order("not-sent", *cl_ord_id, Some(*code)),
            Self::AmendSent { cl_ord_id } => of_order("amend-sent", *cl_ord_id, None),
            Self::AmendNotSent { cl_ord_id, code } => {
                of_order("amend-not-sent", *cl_ord_id, Some(*code))
            }
            Self::Lost { cl_ord_id } => of_order("lost", *cl_ord_id, None),
            Self::Report(report) => {
                let kind = if shadow { "shadow-report" } else { "report" };
                (kind, report.cl_ord_id.to_string(), report_value(report))
            }
            Self::Account(snapshot) => ("account", "-".to_owned(), account_value(snapshot)),
            Self::VenueStatus { status } => {
                alone("venue-status", [("status", status.name().into())])
            }
            Self::VenueLink { up, cause } => {
                alone("venue-link", [("cause", cause.as_str().into()), ("up", Value::Bool(*up))])
            }
            Self::Beat { guard, valid_until } => {
                ("beat", guard.name().to_owned(), beat_value(*guard, *valid_until))
            }
            Self::VenueClock { offset_ns } => {
                alone("venue-clock", [("offset_ns", offset_ns.to_string().into())])
            }
            Self::Market(_)
            | Self::Host(_)
            | Self::EpochEnds(_)
            | Self::Started(_)
            | Self::Statement { .. }
            | Self::Draft { .. }
            | Self::OpenSession { .. }
            | Self::Cosigned { .. }
            | Self::Copied { .. }
            | Self::CloseSession { .. }
            | Self::Tighten { .. }
            | Self::Note { .. }
            | Self::Person(_)
            | Self::ExplainFinding { .. }
            | Self::ConfirmFinding { .. }
            | Self::Stop { .. } => return None,
        })
    }

    /// Reads an input entry.
    pub fn decode(entry: &Decoded) -> Read<Self> {
        let mut body = Fields::new(&entry.body)?;
        let input = match entry.kind.as_str() {
            "started" => return Ok(Self::Started(Box::new(start(&entry.body)?))),
            "report" | "shadow-report" => return Ok(Self::Report(report(&entry.body)?)),
            kind if people::KINDS.contains(&kind) => {
                return Ok(Self::Person(Box::new(person(kind, &entry.body)?)));
            }
            "account" => return Ok(Self::Account(account(&entry.body)?)),
            "epoch-raised" => Self::EpochRaised {
                epoch: body.uint("epoch")?,
                cause: cause(body.value("cause")?)?,
            },
            "tick" => Self::Tick,
            "venue-status" => Self::VenueStatus {
                status: VenueStatus::from_name(body.text("status")?)
                    .ok_or(EntryError::Value("status"))?,
            },
            "plugin-ready" => Self::PluginReady { plugin: plugin(&mut body)? },
            "plugin-reply" => Self::PluginReply {
                plugin: plugin(&mut body)?,
                batch: narrow(body.uint("batch")?)?,
                fuel: body.uint("fuel")?,
                intents: body.list("intents")?.iter().map(record).collect::<Read<_>>()?,
                log: body.text("log")?.to_owned(),
            },
            "plugin-failed" => Self::PluginFailed {
                plugin: plugin(&mut body)?,
                code: body.text("code")?.to_owned(),
                cause: body.text("cause")?.to_owned(),
            },
            "sent" => Self::Sent { cl_ord_id: cl_ord_id(&mut body)? },
            "lost" => Self::Lost { cl_ord_id: cl_ord_id(&mut body)? },
            "not-sent" => {
                Self::NotSent { cl_ord_id: cl_ord_id(&mut body)?, code: code(&mut body)? }
            }
            "amend-sent" => Self::AmendSent { cl_ord_id: cl_ord_id(&mut body)? },
            "amend-not-sent" => {
                Self::AmendNotSent { cl_ord_id: cl_ord_id(&mut body)?, code: code(&mut body)? }
            }
            "venue-link" => {
                Self::VenueLink { up: body.bool("up")?, cause: body.text("cause")?.to_owned() }
            }
            "beat" => Self::Beat {
                guard: Guard::from_name(body.text("guard")?).ok_or(EntryError::Value("guard"))?,
                valid_until: WallNs(ns(&mut body, "valid_until")?),
            },
            "venue-clock" => Self::VenueClock { offset_ns: ns(&mut body, "offset_ns")? },
            kind => Self::decode_request(kind, &mut body)?,
        };
        body.finish()?;
        Ok(input)
    }

    /// Inputs that are a person's request.
    fn decode_request(kind: &str, body: &mut Fields<'_>) -> Read<Self> {
        Ok(match kind {
            "statement" => Self::Statement {
                request: body.uint("request")?,
                signed: SignedStatement::from_value(body.value("signed")?)?,
            },
            "draft" => Self::Draft {
                request: body.uint("request")?,
                session: body.name("session")?,
                journal: JournalBinding::from_value(body.value("journal")?)?,
            },
            "open-session" => Self::OpenSession {
                request: body.uint("request")?,
                approval: SignedStatement::from_value(body.value("signed")?)?,
                workers: body.list("workers")?.iter().map(worker).collect::<Read<_>>()?,
                burns: burns(body)?,
            },
            "cosigned" => return cosigned(body),
            "copied" => Self::Copied {
                request: body.uint("request")?,
                unreplicated_bytes: body.uint("unreplicated_bytes")?,
            },
            "close-session" => Self::CloseSession {
                request: body.uint("request")?,
                who: body.text("who")?.to_owned(),
                reason: body.text("reason")?.to_owned(),
            },
            "tighten" => Self::Tighten {
                request: body.uint("request")?,
                who: body.name("who")?,
                limits: body.value("limits")?.clone(),
            },
            "note" => {
                let request = body.uint("request")?;
                Self::Note { request, note: Box::new(Note::read(body)?) }
            }
            "explain-finding" => Self::explain_finding(body)?,
            "confirm-finding" => Self::confirm_finding(body)?,
            "stop" => Self::Stop { who: body.name("who")? },
            other => return Err(EntryError::UnknownKind(other.to_owned())),
        })
    }
}

/// Kind, correlation and body of an entry.
type Parts = (&'static str, String, Value);

/// An input of which there is one in the house.
fn alone<const N: usize>(kind: &'static str, fields: [(&'static str, Value); N]) -> Parts {
    (kind, "-".to_owned(), json::object(fields))
}

fn with<const N: usize>(fields: [(&'static str, Value); N], more: (&'static str, Value)) -> Value {
    json::object(fields.into_iter().chain([more]))
}

fn requested<const N: usize>(
    kind: &'static str,
    request: u64,
    fields: [(&'static str, Value); N],
) -> Parts {
    (kind, format!("request-{request}"), with(fields, ("request", int(request))))
}

fn of_plugin<const N: usize>(
    kind: &'static str,
    plugin: PluginId,
    fields: [(&'static str, Value); N],
) -> Parts {
    (kind, plugin_corr(plugin), with(fields, ("plugin", number(plugin))))
}

fn of_order(kind: &'static str, id: ClOrdId, code: Option<DenyCode>) -> Parts {
    let code = code.map(|code| ("code", code.code().into()));
    let fields = [("cl_ord_id", id.to_string().into())];
    (kind, id.to_string(), json::object(fields.into_iter().chain(code)))
}

fn plugin_corr(plugin: PluginId) -> String {
    format!("plugin-{}", plugin.0)
}

fn number(plugin: PluginId) -> Value {
    Value::Int(i64::from(plugin.0))
}

fn plugin(body: &mut Fields<'_>) -> Read<PluginId> {
    narrow(body.uint("plugin")?).map(PluginId)
}

fn cl_ord_id(body: &mut Fields<'_>) -> Read<ClOrdId> {
    ClOrdId::parse(body.text("cl_ord_id")?).ok_or(EntryError::Value("cl_ord_id"))
}

fn beat_value(guard: Guard, valid_until: WallNs) -> Value {
    let until = valid_until.0.to_string().into();
    json::object([("guard", guard.name().into()), ("valid_until", until)])
}

/// Nanoseconds as text.
fn ns(body: &mut Fields<'_>, key: &'static str) -> Read<i64> {
    body.text(key)?.parse().map_err(|_out_of_range| EntryError::Value(key))
}

fn code(body: &mut Fields<'_>) -> Read<DenyCode> {
    DenyCode::from_code(body.text("code")?).ok_or(EntryError::Value("code"))
}

fn narrow<T: TryFrom<u64>>(value: u64) -> Read<T> {
    T::try_from(value).map_err(|_out_of_range| EntryError::Value("number"))
}

fn worker_value(worker: &Worker) -> Value {
    json::object([
        ("component", worker.component.hex().into()),
        ("engine", worker.engine.as_str().into()),
    ])
}

fn worker(value: &Value) -> Read<Worker> {
    let mut fields = Fields::new(value)?;
    let worker =
        Worker { component: fields.digest("component")?, engine: fields.text("engine")?.into() };
    fields.finish()?;
    Ok(worker)
}

/// An intent record as the hexadecimal text of its 64 bytes: an allegation is kept as it came.
fn record_value(record: &IntentRecord) -> Value {
    let mut text = String::with_capacity(RECORD_LEN.saturating_mul(2));
    for byte in record.encode() {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    text.into()
}

fn record(value: &Value) -> Read<IntentRecord> {
    let bad = || EntryError::Value("intents");
    let text = as_text(value).ok_or_else(bad)?;
    let digits = text.chars().map(|c| c.to_digit(16).ok_or_else(bad)).collect::<Read<Vec<_>>>()?;
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0_u32, |sum, digit| (sum << 4) | digit))
        .filter_map(|byte| u8::try_from(byte).ok())
        .collect();
    let bytes: [u8; RECORD_LEN] = bytes.try_into().map_err(|_out_of_range| bad())?;
    Ok(IntentRecord::decode(&bytes))
}

fn cause_value(cause: &EpochCause) -> Value {
    match cause {
        EpochCause::Kill { who, reason, request } => json::object([
            ("kind", "kill".into()),
            ("reason", reason.as_str().into()),
            ("request", request.map_or(Value::Null, int)),
            ("who", who.as_str().into()),
        ]),
        EpochCause::Stop { stop, who, reason, request } => json::object([
            ("kind", "stop".into()),
            ("mode", stop.mode.name().into()),
            ("reason", reason.as_str().into()),
            ("request", request.map_or(Value::Null, int)),
            ("scope", stop.scope.text().into()),
            ("who", who.as_str().into()),
        ]),
        EpochCause::PluginStopped => json::object([("kind", "plugin-stopped".into())]),
        EpochCause::SessionEnd => json::object([("kind", "session-end".into())]),
        EpochCause::Tightened => json::object([("kind", "tightened".into())]),
    }
}

fn cause(value: &Value) -> Read<EpochCause> {
    let mut fields = Fields::new(value)?;
    let cause = match fields.text("kind")? {
        "plugin-stopped" => EpochCause::PluginStopped,
        "session-end" => EpochCause::SessionEnd,
        "tightened" => EpochCause::Tightened,
        "kill" => EpochCause::Kill {
            who: fields.text("who")?.to_owned(),
            reason: fields.text("reason")?.to_owned(),
            request: optional_request(&mut fields)?,
        },
        "stop" => EpochCause::Stop {
            stop: Stop {
                mode: StopMode::from_name(fields.text("mode")?).ok_or(EntryError::Value("mode"))?,
                scope: StopScope::parse(fields.text("scope")?).ok_or(EntryError::Value("scope"))?,
            },
            who: fields.text("who")?.to_owned(),
            reason: fields.text("reason")?.to_owned(),
            request: optional_request(&mut fields)?,
        },
        _ => return Err(EntryError::Value("cause")),
    };
    fields.finish()?;
    Ok(cause)
}

fn optional_request(fields: &mut Fields<'_>) -> Read<Option<u64>> {
    if *fields.value("request")? == Value::Null {
        return Ok(None);
    }
    Ok(Some(fields.uint("request")?))
}
