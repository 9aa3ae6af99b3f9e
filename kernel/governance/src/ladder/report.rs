//! Each criterion of the ladder with what was found, and the sessions behind it.

use portcullis_domain::Phase;
use portcullis_statement::json::{Value, object};
use portcullis_statement::{Digest, EndpointKind};

use super::criteria::{CRITERIA, Criterion, Measure};
use super::demands::{Demands, said};
use super::{Bound, Career, SessionFacts};

const NS_PER_MS: i64 = 1_000_000;
const NS_PER_DAY: i64 = 86_400_000 * NS_PER_MS;
const BPS: u64 = 10_000;

/// What a criterion found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A number.
    Number(i64),
    /// Nothing has happened yet that could be measured.
    Nothing,
    /// Nothing measures it yet; the text says what has to come.
    NotAvailable(&'static str),
}

/// One criterion, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The runbook's name for it.
    pub id: &'static str,
    /// The phase that it gates.
    pub entry_to: Phase,
    /// In words.
    pub says: &'static str,
    /// The number in force.
    pub bound: Bound,
    /// What was found.
    pub found: Found,
    /// The sessions that were looked at.
    pub sessions: Vec<String>,
}

impl Line {
    /// Whether it is met: what could not be measured is not.
    #[must_use]
    pub const fn is_met(&self) -> bool {
        match self.found {
            Found::Number(number) => self.bound.holds(number),
            Found::Nothing | Found::NotAvailable(_) => false,
        }
    }

    /// What is asked for, in words.
    #[must_use]
    pub fn demanded(&self) -> String {
        said(self.bound)
    }

    fn to_value(&self) -> Value {
        let found = match self.found {
            Found::Number(number) => Value::Int(number),
            Found::Nothing => "nothing".into(),
            Found::NotAvailable(_) => "not-available".into(),
        };
        object([
            ("demanded", self.demanded().into()),
            ("entry_to", i64::from(self.entry_to.number()).into()),
            ("found", found),
            ("id", self.id.into()),
            ("met", self.is_met().into()),
            ("sessions", Value::List(self.sessions.iter().map(|it| it.as_str().into()).collect())),
        ])
    }
}

/// All criteria of all phases, judged on one career.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What the ladder aims at.
    pub target: EndpointKind,
    /// In the order of the ladder.
    pub lines: Vec<Line>,
}

impl Report {
    /// Judges a career by the numbers in force.
    #[must_use]
    pub fn of(career: &Career, demands: &Demands, target: EndpointKind) -> Self {
        let line = |criterion: &Criterion| {
            let Criterion { id, entry_to, says, bound, measure } = *criterion;
            let bound = demands.bound(id).unwrap_or(bound);
            let (found, sessions) = measured(measure, career, target);
            Line { id, entry_to, says, bound, found, sessions }
        };
        Self { target, lines: CRITERIA.iter().map(line).collect() }
    }

    /// The lines that gate a phase.
    pub fn entry_to(&self, phase: Phase) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.entry_to == phase)
    }

    /// As one JSON document, which a decision about a phase can bind.
    #[must_use]
    pub fn to_value(&self) -> Value {
        object([
            ("lines", Value::List(self.lines.iter().map(Line::to_value).collect())),
            ("target", self.target.name().into()),
        ])
    }

    /// The digest of that document.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_value().canonical())
    }
}

/// The number behind one criterion, and the sessions that it was taken from.
fn measured(measure: Measure, career: &Career, target: EndpointKind) -> (Found, Vec<String>) {
    let of = |phases: &[Phase]| {
        let sessions = career.counted(target).filter(|it| phases.contains(&it.phase));
        sessions.collect::<Vec<&SessionFacts>>()
    };
    let successes = |phases| {
        let mut sessions = of(phases);
        sessions.retain(|facts| facts.is_successful());
        sessions
    };
    let (found, sessions) = match measure {
        Measure::NotAvailable(what) => return (Found::NotAvailable(what), Vec::new()),
        Measure::KillsTested => {
            return (Found::Number(count(career.kills_tested.len())), Vec::new());
        }
        Measure::DaysOpen(phase) => {
            let mut sessions = of(&[phase]);
            sessions.retain(|facts| facts.sealed.is_some());
            let ns =
                sessions.iter().fold(0_i64, |sum, facts| sum.saturating_add(facts.earned_ns()));
            (Found::Number(ns.div_euclid(NS_PER_DAY)), sessions)
        }
        Measure::Successes(phases) => {
            let sessions = successes(phases);
            (Found::Number(count(sessions.len())), sessions)
        }
        Measure::Days(phases) => {
            let sessions = successes(phases);
            let days: std::collections::BTreeSet<i64> = sessions.iter().map(|it| it.day).collect();
            (Found::Number(count(days.len())), sessions)
        }
        Measure::Unreconciled(phases) => {
            none_of(of(phases), |facts| !facts.recon_green || facts.sealed.is_none())
        }
        Measure::Critical(phases) => none_of(of(phases), |facts| facts.critical > 0),
        Measure::NotRejectedBps(phases) => {
            let sessions = of(phases);
            let good = |it: &&SessionFacts| it.orders.saturating_sub(it.orders_rejected);
            (share(&sessions, good, |it| it.orders), sessions)
        }
        Measure::FilledBps(phases) => {
            let sessions = of(phases);
            (share(&sessions, |it| it.orders_filled, |it| it.orders), sessions)
        }
        Measure::ToWireMs(phases) => slowest(&of(phases), |facts| facts.to_wire_ns),
        Measure::ToAnswerMs(phases) => slowest(&of(phases), |facts| facts.to_answer_ns),
        Measure::RoundTripMs(phases) => {
            slowest(&of(phases), |it| Some(it.to_wire_ns?.saturating_add(it.to_answer_ns?)))
        }
    };
    (found, sessions.into_iter().map(|facts| facts.session.to_string()).collect())
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Of how many sessions something is true that must be true of none. Of no session at all it would
/// be true by itself, so nothing is found then.
fn none_of(
    sessions: Vec<&SessionFacts>,
    is_bad: impl Fn(&SessionFacts) -> bool,
) -> (Found, Vec<&SessionFacts>) {
    if sessions.is_empty() {
        return (Found::Nothing, sessions);
    }
    let bad: Vec<&SessionFacts> = sessions.iter().copied().filter(|facts| is_bad(facts)).collect();
    (Found::Number(count(bad.len())), if bad.is_empty() { sessions } else { bad })
}

/// A share in hundredths of a percent, rounded down.
fn share<'a>(
    sessions: &[&'a SessionFacts],
    good: impl Fn(&&'a SessionFacts) -> u64,
    all: impl Fn(&&'a SessionFacts) -> u64,
) -> Found {
    let sum = |of: &dyn Fn(&&'a SessionFacts) -> u64| {
        sessions.iter().fold(0_u64, |sum, facts| sum.saturating_add(of(facts)))
    };
    let bps = sum(&good).saturating_mul(BPS).checked_div(sum(&all));
    bps.and_then(|bps| i64::try_from(bps).ok()).map_or(Found::Nothing, Found::Number)
}

/// The slowest session's time in milliseconds, rounded up.
fn slowest<'a>(
    sessions: &[&'a SessionFacts],
    time_ns: impl Fn(&SessionFacts) -> Option<i64>,
) -> (Found, Vec<&'a SessionFacts>) {
    let timed = sessions.iter().filter_map(|facts| Some((time_ns(facts)?, *facts)));
    match timed.max_by_key(|(ns, _)| *ns) {
        Some((ns, facts)) => {
            let ms = ns.saturating_add(NS_PER_MS.saturating_sub(1)).div_euclid(NS_PER_MS);
            (Found::Number(ms), vec![facts])
        }
        None => (Found::Nothing, Vec::new()),
    }
}
