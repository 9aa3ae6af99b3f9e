//! Findings: every difference that counted, with a number and a life.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_domain::{Name, SessionId};
use portcullis_statement::json::{self, Fields, Value};

use super::kind::{Difference, DifferenceKind};
use crate::entry::{EntryError, as_text, int};
use crate::input_codec::money;

/// Where a finding stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FindingState {
    /// The venue's word was booked at once; nothing is left to explain.
    Adopted,
    /// Nobody has explained it.
    Open,
    /// One person has.
    Explained {
        /// Who.
        who: Name,
        /// What was behind it.
        reason: String,
    },
    /// Another person agrees.
    Confirmed {
        /// Who explained it.
        who: Name,
        /// What was behind it.
        reason: String,
        /// Who agrees.
        by: Name,
    },
}

impl FindingState {
    /// The name in evidence.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Adopted => "adopted",
            Self::Open => "open",
            Self::Explained { .. } => "explained",
            Self::Confirmed { .. } => "confirmed",
        }
    }

    /// Whether nobody has to say anything about it any more.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        match self {
            Self::Adopted | Self::Confirmed { .. } => true,
            Self::Open | Self::Explained { .. } => false,
        }
    }
}

/// One finding of reconciliation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its number, counted from 1 over the whole journal.
    pub number: u64,
    /// What differed, with the figures of the moment at which it counted.
    pub difference: Difference,
    /// Where it stands.
    pub state: FindingState,
    /// Whether the last reading still showed it.
    pub shown: bool,
    /// The session that was open then, if one was.
    pub session: Option<SessionId>,
}

impl Finding {
    /// What the journal keeps of it when it begins, or when its figures have changed.
    pub(crate) fn body(&self) -> Value {
        let text = |text: Option<&str>| text.map_or(Value::Null, Into::into);
        let Difference { kind, subject, symbol, ours, venue, gap } = &self.difference;
        json::object([
            ("finding", int(self.number)),
            ("gap", gap.map_or(Value::Null, |gap| gap.text().into())),
            ("kind", kind.code().into()),
            ("ours", text(ours.as_deref())),
            ("outcome", kind.outcome().name().into()),
            ("session", text(self.session.as_ref().map(Name::as_str))),
            ("subject", subject.as_str().into()),
            ("symbol", text(symbol.as_deref())),
            ("venue", text(venue.as_deref())),
        ])
    }

    pub(crate) fn from_body(body: &mut Fields<'_>) -> Result<Self, EntryError> {
        let bad = || EntryError::Value("finding");
        let text = |value: &Value| as_text(value).map(str::to_owned);
        let kind = DifferenceKind::from_code(body.text("kind")?).ok_or_else(bad)?;
        let gap = as_text(body.value("gap")?).map(money).transpose()?;
        let session = as_text(body.value("session")?);
        let session = session.map(|name| Name::new(name).ok_or_else(bad)).transpose()?;
        let difference = Difference {
            kind,
            subject: body.text("subject")?.to_owned(),
            symbol: text(body.value("symbol")?),
            ours: text(body.value("ours")?),
            venue: text(body.value("venue")?),
            gap,
        };
        let state = if kind.is_adopted() { FindingState::Adopted } else { FindingState::Open };
        let shown = !kind.is_adopted();
        Ok(Self { number: body.uint("finding")?, difference, state, shown, session })
    }
}

/// All findings of the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    all: BTreeMap<u64, Finding>,
    /// Those that wait for people, by what they are about.
    waiting: BTreeMap<DifferenceKind, BTreeMap<String, u64>>,
}

impl Findings {
    /// The finding of that number.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&Finding> {
        self.all.get(&number)
    }

    /// All findings, oldest first.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Finding> + '_ {
        self.all.values()
    }

    /// What counts now, as findings to be recorded: those that are new, that are back, or whose
    /// amount has changed. An explanation covers the amount that it was given for and no other.
    pub(crate) fn fresh(&self, counting: &[Difference], session: Option<&Name>) -> Vec<Finding> {
        let last = self.all.last_key_value().map_or(0, |(number, _)| *number);
        let mut next = last;
        let mut fresh = Vec::new();
        for difference in counting {
            let known = self.waiting_for(difference);
            let stands = |known: &&Finding| known.shown && known.difference.gap == difference.gap;
            if known.as_ref().is_some_and(stands) {
                continue;
            }
            let number = known.map_or_else(
                || {
                    next = next.saturating_add(1);
                    next
                },
                |known| known.number,
            );
            let adopted = difference.kind.is_adopted();
            fresh.push(Finding {
                number,
                difference: difference.clone(),
                state: if adopted { FindingState::Adopted } else { FindingState::Open },
                shown: !adopted,
                session: session.cloned(),
            });
        }
        fresh
    }

    /// Numbers of those that were shown and do not count any more.
    pub(crate) fn gone(&self, counting: &[Difference]) -> Vec<u64> {
        let keys: BTreeSet<_> = counting.iter().map(|d| (d.kind, d.subject.as_str())).collect();
        let counts = |d: &Difference| keys.contains(&(d.kind, d.subject.as_str()));
        let shown = self.all.values().filter(|finding| finding.shown);
        shown.filter(|finding| !counts(&finding.difference)).map(|f| f.number).collect()
    }

    fn waiting_for(&self, difference: &Difference) -> Option<&Finding> {
        let number = self.waiting.get(&difference.kind)?.get(&difference.subject)?;
        self.all.get(number)
    }

    /// Takes a finding up, or takes its new figures. The durable half, live and in recovery alike.
    pub(crate) fn open(&mut self, finding: Finding) {
        if !finding.state.is_settled() {
            let Difference { kind, subject, .. } = &finding.difference;
            self.waiting.entry(*kind).or_default().insert(subject.clone(), finding.number);
        }
        self.all.insert(finding.number, finding);
    }

    pub(crate) fn hide(&mut self, number: u64) {
        if let Some(finding) = self.all.get_mut(&number) {
            finding.shown = false;
        }
    }

    pub(crate) fn explain(&mut self, number: u64, who: Name, reason: String) {
        if let Some(finding) = self.all.get_mut(&number) {
            finding.state = FindingState::Explained { who, reason };
        }
    }

    /// Settles an explained finding. What it was about may become a finding again, and then it is
    /// another one.
    pub(crate) fn confirm(&mut self, number: u64, by: Name) {
        let Some(finding) = self.all.get_mut(&number) else { return };
        let FindingState::Explained { who, reason } = finding.state.clone() else { return };
        finding.state = FindingState::Confirmed { who, reason, by };
        let Difference { kind, subject, .. } = &finding.difference;
        if let Some(waiting) = self.waiting.get_mut(kind) {
            waiting.remove(subject);
        }
        self.waiting.retain(|_, waiting| !waiting.is_empty());
    }
}
