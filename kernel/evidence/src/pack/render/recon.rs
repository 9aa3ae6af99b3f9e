//! `recon.json` and `recon.md`: whether account and house agreed, and what differed.

use portcullis_domain::Phase;
use portcullis_statement::json::{Value, count, object};

use super::fault::RenderFault;
use super::item::{Item, texts};
use super::page::Page;
use super::session::Session;
use crate::text::{escape_value, quote_markdown};

/// The state of reconciliation, as the last word of the entries has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Phase 1: no order leaves the house, so there is no account to compare.
    NotRequired,
    /// The last comparison found nothing.
    Green,
    /// The last comparison found differences.
    Red,
    /// Nothing was ever compared.
    NeverCompared,
    /// The kernel crashed, and nothing was compared after that.
    Crashed,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::NotRequired => "NOT_REQUIRED",
            Self::Green => "GREEN",
            Self::Red => "RECON_UNRESOLVED",
            Self::NeverCompared => "NEVER_COMPARED",
            Self::Crashed => "SESSION_CRASHED",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::NotRequired => "Not required: in phase 1 no order leaves the house.",
            Self::Green => "Green: account and house agreed, exactly, at the last comparison.",
            Self::Red => "Red: account and house differed at the last comparison.",
            Self::NeverCompared => "Red: account and house were never compared.",
            Self::Crashed => "Red: the session crashed and nothing was compared after that.",
        }
    }
}

/// One comparison.
#[derive(Clone, Debug)]
struct Comparison {
    item: Item,
    differences: Vec<String>,
    found: Vec<String>,
}

/// All that the entries say about the account.
#[derive(Clone, Debug)]
pub(super) struct Recon {
    state: State,
    at_opening: Option<Comparison>,
    during: Vec<Comparison>,
    adopted: Value,
    venue: Value,
    carried: Value,
    positions: Value,
}

/// Reads what a session's entries say about the account.
pub(super) fn of(session: &Session) -> Result<Recon, RenderFault> {
    let at_opening = session.at_opening.reconciled.as_ref().map(comparison).transpose()?;
    let during = session.run().iter().filter(|item| item.is("reconciled"));
    let during = during.map(comparison).collect::<Result<Vec<_>, _>>()?;
    let balances = |item: Option<&Item>| {
        let read = item.map(|item| item.body(|body| body.value("balances").cloned()));
        Ok::<_, RenderFault>(read.transpose()?.unwrap_or(Value::Null))
    };
    let stated = session.run().iter().rev().find(|item| item.is("account"));
    let positions = session
        .closing()
        .map(|item| item.body(|body| body.fields("summary")?.value("positions").cloned()));
    Ok(Recon {
        state: state(session, during.last().or(at_opening.as_ref())),
        adopted: balances(session.at_end.adopted.as_ref())?,
        venue: balances(stated.or(session.at_opening.account.as_ref()))?,
        carried: carried(session),
        positions: positions.transpose()?.unwrap_or(Value::Null),
        at_opening,
        during,
    })
}

fn comparison(item: &Item) -> Result<Comparison, RenderFault> {
    let (differences, found) =
        item.body(|body| Ok((texts(body.list("differences")?)?, texts(body.list("found")?)?)))?;
    Ok(Comparison { item: item.clone(), differences, found })
}

fn state(session: &Session, last: Option<&Comparison>) -> State {
    match last {
        _ if session.phase() == Phase::Shadow => State::NotRequired,
        _ if session.crashed() => State::Crashed,
        None => State::NeverCompared,
        Some(last) if last.differences.is_empty() => State::Green,
        Some(_) => State::Red,
    }
}

fn carried(session: &Session) -> Value {
    let approved = &session.approval.item;
    let list = approved.carried.iter().map(|carried| {
        let mut known = approved.instruments.iter();
        let instrument = known.find(|instrument| instrument.id == carried.instrument);
        let symbol = instrument.map_or(Value::Null, |i| i.symbol.as_str().into());
        let qty = instrument.map_or(Value::Null, |i| carried.position.text(i.qty_scale).into());
        object([("qty", qty), ("symbol", symbol)])
    });
    Value::List(list.collect())
}

fn list(texts: &[String]) -> Value {
    Value::List(texts.iter().map(|text| text.as_str().into()).collect())
}

impl Comparison {
    fn to_value(&self) -> Value {
        object([
            ("differences", list(&self.differences)),
            ("found", list(&self.found)),
            ("green", self.differences.is_empty().into()),
            ("seq", count(self.item.seq)),
            ("time", self.item.utc().into()),
        ])
    }

    fn to_line(&self, when: &str) -> String {
        let (seq, time) = (self.item.seq, self.item.utc());
        let differences = quote_markdown(&list(&self.differences));
        let found = quote_markdown(&list(&self.found));
        format!("{time} #{seq} {when} differences={differences} found={found}")
    }
}

impl Recon {
    /// Due, and not green.
    pub(super) fn is_red(&self) -> bool {
        !matches!(self.state, State::NotRequired | State::Green)
    }

    /// Due, and never looked at.
    pub(super) fn is_blind(&self) -> bool {
        matches!(self.state, State::NeverCompared | State::Crashed)
    }

    /// The state in a sentence.
    pub(super) fn words(&self) -> &'static str {
        self.state.words().trim_end_matches('.')
    }

    /// The last comparison that the session knew of.
    fn last(&self) -> Option<&Comparison> {
        self.during.last().or(self.at_opening.as_ref())
    }

    pub(super) fn to_value(&self) -> Value {
        let green = match self.state {
            State::NotRequired => Value::Null,
            State::Green => true.into(),
            State::Red | State::NeverCompared | State::Crashed => false.into(),
        };
        let opening = self.at_opening.as_ref().map_or(Value::Null, Comparison::to_value);
        let found = self.during.iter().flat_map(|comparison| &comparison.found);
        let value = object([
            ("at_opening", opening),
            ("balances", self.balances()),
            ("carried", self.carried.clone()),
            (
                "comparisons",
                self.during.iter().map(Comparison::to_value).collect::<Vec<_>>().into(),
            ),
            ("differences", self.last().map_or(list(&[]), |last| list(&last.differences))),
            ("found", Value::List(found.map(|text| text.as_str().into()).collect())),
            ("green", green),
            ("positions", self.positions.clone()),
            ("required", (self.state != State::NotRequired).into()),
            ("state", self.state.name().into()),
        ]);
        escape_value(&value)
    }

    /// What the house took for true at first, and what the venue stated last. Where both differ
    /// from what the house has booked since, a difference names the two figures.
    fn balances(&self) -> Value {
        object([("adopted", self.adopted.clone()), ("venue", self.venue.clone())])
    }

    pub(super) fn to_page(&self) -> Page {
        let mut page = Page::default();
        page.line(format!("# Reconciliation\n\n{}\n", self.state.words()));
        page.line("What follows is quoted from the journal.\n\n## Comparisons\n");
        let opening = self.at_opening.iter().map(|one| one.to_line("at-opening"));
        let during = self.during.iter().map(|one| one.to_line("in-session"));
        page.fenced(opening.chain(during));
        page.line("\n## Balances and positions\n");
        let facts = [
            ("balances adopted by the house", &self.adopted),
            ("balances stated last by the venue", &self.venue),
            ("positions carried in", &self.carried),
            ("positions at the closing", &self.positions),
        ];
        page.fenced(facts.map(|(name, value)| format!("{name}: {}", quote_markdown(value))));
        page
    }
}
