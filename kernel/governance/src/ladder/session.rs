//! What one session was, as far as the ladder asks: read from its entries and its rendered parts.

use portcullis_core::entry::{self, Class, Decoded};
use portcullis_core::{Input, Standing};
use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{Name, Phase, WallNs};
use portcullis_evidence::pack::{Part, RENDERER_VERSION, Told, classify, render_parts};
use portcullis_statement::json::{self, Fields, JsonError};
use portcullis_statement::note::{Checkpoint, Note};
use portcullis_statement::{Classification, EndpointKind, Witnesses};

use super::CareerFault;

const DAY_NS: i64 = 24 * 3_600 * NS_PER_S;
/// Shorter sessions, and from phase 2 on those without an order, prove nothing.
const OPEN_NS_MIN: i64 = 10 * 60 * NS_PER_S;

/// One session that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionFacts {
    /// Its name.
    pub session: Name,
    /// The phase in which it ran.
    pub phase: Phase,
    /// What it was connected to.
    pub endpoint: EndpointKind,
    /// The UTC day on which it was opened, counted from 1970.
    pub day: i64,
    /// How long it was open: the shorter of what both clocks say.
    pub open_ns: i64,
    /// Between the first and the last word of the roster's witnesses on its entries, by their own
    /// clocks; zero where they did not speak twice.
    pub witnessed_ns: i64,
    /// Orders, those of the shadow too.
    pub orders: u64,
    /// Orders that were filled, in part or whole.
    pub orders_filled: u64,
    /// Orders that the venue rejected.
    pub orders_rejected: u64,
    /// Account and house agreed at the end.
    pub recon_green: bool,
    /// Critical incidents, whatever became of them.
    pub critical: u64,
    /// A person ended it, and nothing else did before.
    pub ended_by_person: bool,
    /// The longest 95th percentile from approval to the wire and from the wire to the venue's
    /// answer, in nanoseconds; `None` where no order left.
    pub to_wire_ns: Option<i64>,
    /// As before, from the wire to the venue's answer.
    pub to_answer_ns: Option<i64>,
    /// What its entries say of it.
    pub derived: Classification,
    /// What two people said of it under its seal; `None` while it has none.
    pub sealed: Option<Classification>,
}

impl SessionFacts {
    /// Reads a session that has ended. Whether it is sealed is said later in the journal.
    pub(super) fn read(
        told: &Told<'_>,
        witnesses: Option<&Witnesses>,
    ) -> Result<Self, CareerFault> {
        let opened = decoded(told.session.first())?;
        let ended = decoded(told.session.last())?;
        let (phase, endpoint) = opened_in(&opened)?;
        let parts = render_parts(RENDERER_VERSION, told)?;
        let metrics = object(&parts, "metrics.json")?;
        let mut metrics = Fields::new(&metrics)?;
        let mut latency = metrics.fields("latency")?;
        let (began, over) = (opened.place.at, ended.place.at);
        let wall_ns = over.wall.0.saturating_sub(began.wall.0);
        let seen = witnessed(told, witnesses)?;
        // The day is the witnesses' too, where theirs is the time that counts.
        let theirs = seen.filter(|_| phase >= Phase::PreLive);
        let day = theirs.map_or(began.wall, |(first, _)| first);
        let tally = Tally::of(told.session)?;
        Ok(Self {
            session: Name::new(&opened.corr)
                .ok_or_else(|| CareerFault::Malformed(opened.corr.clone()))?,
            phase,
            endpoint,
            day: day.0.div_euclid(DAY_NS),
            open_ns: wall_ns.min(over.boot.since_ns(began.boot)).max(0),
            witnessed_ns: seen.map_or(0, |(first, last)| last.0.saturating_sub(first.0).max(0)),
            orders: metrics.uint("orders")?,
            orders_filled: tally.filled,
            orders_rejected: tally.rejected,
            recon_green: recon_is_green(&parts)?,
            critical: critical(&parts)?,
            ended_by_person: tally.ended_by_person,
            to_wire_ns: p95_ns(&mut latency, "approved_to_sent")?,
            to_answer_ns: p95_ns(&mut latency, "sent_to_ack")?,
            derived: classify(told)?,
            sealed: None,
        })
    }

    /// How long it was open, as far as that counts: from phase 4 on no longer than the witnesses
    /// saw it, for a clock of the house's own can be set.
    #[must_use]
    pub fn earned_ns(&self) -> i64 {
        if self.phase < Phase::PreLive { self.open_ns } else { self.open_ns.min(self.witnessed_ns) }
    }

    /// Whether it lasted and, from phase 2 on, traded: an empty session earns nothing.
    #[must_use]
    pub fn has_substance(&self) -> bool {
        self.earned_ns() >= OPEN_NS_MIN && (self.phase < Phase::Paper || self.orders > 0)
    }

    /// Whether it counts as a success: sealed, reconciled, ended by a person's word, and without a
    /// critical incident, closed ones included. The people under its seal can call it worse than
    /// its entries do, never better.
    #[must_use]
    pub fn is_successful(&self) -> bool {
        let judged = self.sealed.map(|signed| signed.max(self.derived));
        judged.is_some_and(|judged| judged != Classification::Red)
            && self.recon_green
            && self.critical == 0
            && self.ended_by_person
            && self.has_substance()
    }

    /// Why it does not count, in words for a report; nothing where it does.
    #[must_use]
    pub fn why_not(&self) -> Vec<&'static str> {
        let red = self.sealed.is_some_and(|it| it.max(self.derived) == Classification::Red);
        let reasons = [
            (self.sealed.is_none(), "not sealed"),
            (red, "red"),
            (!self.recon_green, "not reconciled"),
            (self.critical > 0, "critical incident"),
            (!self.ended_by_person, "not ended by a person"),
            (!self.has_substance(), "too short or empty"),
        ];
        reasons.into_iter().filter(|(holds, _)| *holds).map(|(_, why)| why).collect()
    }
}

/// From when to when the witnesses saw a session. Each of their words that came in it and covers its
/// opening has the time at which they signed, and a quorum of them has to have.
pub(super) fn witnessed(
    told: &Told<'_>,
    witnesses: Option<&Witnesses>,
) -> Result<Option<(WallNs, WallNs)>, CareerFault> {
    let Some(witnesses) = witnesses.filter(|it| it.quorum() > 0) else { return Ok(None) };
    let mut seen: Option<(WallNs, WallNs)> = None;
    for bytes in told.session.iter().filter(|it| entry::kind(it) == Some(b"cosigned")) {
        let entry = decoded(Some(bytes))?;
        // What was decided about it has the same name.
        if entry.class != Class::Input {
            continue;
        }
        let Input::Cosigned { note, standing: Standing::Ours(_), .. } = Input::decode(&entry)?
        else {
            continue;
        };
        let Ok(note) = Note::parse(note.as_bytes()) else { continue };
        let covers = Checkpoint::parse(note.text())
            .is_ok_and(|it| usize::try_from(it.size).unwrap_or(usize::MAX) > told.before.len());
        let times: Vec<WallNs> = witnesses.signed(&note).into_iter().map(|(_, at)| at).collect();
        if !covers || times.len() < witnesses.quorum() {
            continue;
        }
        // Between two clocks that differ lies the shorter time.
        let (early, late) = (times.iter().min(), times.iter().max());
        let Some((early, late)) = early.copied().zip(late.copied()) else { continue };
        let first = seen.map_or(late, |(first, _)| first.min(late));
        let last = seen.map_or(early, |(_, last)| last.max(early));
        seen = Some((first, last));
    }
    Ok(seen)
}

/// What is counted entry by entry.
#[derive(Debug, Default)]
struct Tally {
    filled: u64,
    rejected: u64,
    ended_by_person: bool,
}

impl Tally {
    fn of(entries: &[&[u8]]) -> Result<Self, CareerFault> {
        let mut tally = Self::default();
        let mut touched = std::collections::BTreeSet::new();
        let mut closing = false;
        for bytes in entries {
            match entry::kind(bytes) {
                Some(b"booked") => {
                    let entry = decoded(Some(bytes))?;
                    match entry.reason.as_str() {
                        "filled" | "partially-filled" if touched.insert(entry.corr.clone()) => {
                            tally.filled = tally.filled.saturating_add(1);
                        }
                        "rejected" => tally.rejected = tally.rejected.saturating_add(1),
                        _ => {}
                    }
                }
                // A person's word comes as an input, and its outcome behind it.
                Some(b"close-session") => tally.ended_by_person |= !closing,
                Some(b"session-closing") => closing = true,
                _ => {}
            }
        }
        Ok(tally)
    }
}

fn decoded(bytes: Option<&&[u8]>) -> Result<Decoded, CareerFault> {
    entry::decode(bytes.copied().unwrap_or_default()).map_err(CareerFault::from)
}

/// The phase and the kind of endpoint in the entry that opens a session.
fn opened_in(opened: &Decoded) -> Result<(Phase, EndpointKind), CareerFault> {
    let mut body = Fields::new(&opened.body)?;
    let mut facts = body.fields("facts")?;
    let number = u8::try_from(facts.uint("phase")?).ok();
    let unknown =
        |what: &str| CareerFault::Malformed(format!("a session opened with no such {what}"));
    let phase = number.and_then(Phase::from_number).ok_or_else(|| unknown("phase"))?;
    let kind = EndpointKind::from_name(facts.text("endpoint_kind")?);
    Ok((phase, kind.ok_or_else(|| unknown("kind of endpoint"))?))
}

fn bytes<'a>(parts: &'a [Part], name: &str) -> &'a [u8] {
    parts
        .iter()
        .find(|part| part.name == name)
        .map(|part| part.bytes.as_slice())
        .unwrap_or_default()
}

fn object(parts: &[Part], name: &str) -> Result<json::Value, JsonError> {
    json::parse(bytes(parts, name))
}

/// In the shadow nothing is reconciled, since nothing can leave.
fn recon_is_green(parts: &[Part]) -> Result<bool, CareerFault> {
    let recon = object(parts, "recon.json")?;
    let mut recon = Fields::new(&recon)?;
    Ok(!recon.bool("required")? || recon.bool("green")?)
}

fn critical(parts: &[Part]) -> Result<u64, CareerFault> {
    let mut critical = 0_u64;
    for line in bytes(parts, "incidents.jsonl").split(|byte| *byte == b'\n') {
        if line.is_empty() {
            continue;
        }
        let incident = json::parse(line)?;
        if Fields::new(&incident)?.text("severity")? == "critical" {
            critical = critical.saturating_add(1);
        }
    }
    Ok(critical)
}

fn p95_ns(latency: &mut Fields<'_>, span: &str) -> Result<Option<i64>, CareerFault> {
    let mut span = latency.fields(span)?;
    Ok(if span.uint("samples")? == 0 { None } else { Some(span.int("p95_ns")?) })
}
