//! What people ask for by hand: their own orders, and the findings of reconciliation.
//!
//! Numbers are decimal text and stay it: the kernel reads them, exactly or not at all. `person` is
//! who asks, where the socket's user could be several people.

use portcullis_domain::{Name, Side};
use portcullis_gate::Denial;
use serde::{Deserialize, Serialize};

use crate::codec;
use crate::request::REASON_BYTES_MAX;

/// Longest number, symbol or order id in bytes.
pub const WORD_BYTES_MAX: usize = 64;

/// An order of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderSubmit {
    /// Who asks.
    #[serde(with = "codec::optional_name")]
    pub person: Option<Name>,
    /// Our symbol.
    pub symbol: String,
    /// FIX 54.
    #[serde(with = "codec::side")]
    pub side: Side,
    /// FIX 38.
    pub qty: String,
    /// FIX 44; without it at the market.
    pub limit: Option<String>,
    /// FIX 59 = 3: takes what is there and cancels the rest.
    pub ioc: bool,
    /// FIX 18 = E: it may only make the position smaller.
    pub reduce_only: bool,
}

/// A change of a working order; what is not named stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderAmend {
    /// Who asks.
    #[serde(with = "codec::optional_name")]
    pub person: Option<Name>,
    /// FIX 41.
    pub cl_ord_id: String,
    /// FIX 38 afterwards.
    pub qty: Option<String>,
    /// FIX 44 afterwards.
    pub limit: Option<String>,
}

/// Orders to be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderCancel {
    /// Who asks.
    #[serde(with = "codec::optional_name")]
    pub person: Option<Name>,
    /// FIX 41; without it every order.
    pub cl_ord_id: Option<String>,
}

/// A position to be made smaller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PositionClose {
    /// Who asks.
    #[serde(with = "codec::optional_name")]
    pub person: Option<Name>,
    /// Our symbol.
    pub symbol: String,
    /// How much; without it all that no working order closes already.
    pub qty: Option<String>,
    /// The worst price; without it at the market.
    pub limit: Option<String>,
}

/// One person's explanation of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingExplain {
    /// Who explains.
    #[serde(with = "codec::optional_name")]
    pub person: Option<Name>,
    /// Number of the finding.
    pub finding: u64,
    /// The explanation.
    pub reason: String,
}

/// Another person's word that an explanation holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingConfirm {
    /// Who confirms.
    #[serde(with = "codec::optional_name")]
    pub person: Option<Name>,
    /// Number of the finding.
    pub finding: u64,
}

/// What a person adds to the evidence of a session that is not sealed yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionNote {
    /// Who says it.
    #[serde(with = "codec::optional_name")]
    pub person: Option<Name>,
    /// Which session.
    #[serde(with = "codec::name")]
    pub session: Name,
    /// `observation`, `anomaly`, `lesson`, `answer` or `gap`.
    pub kind: String,
    /// The question or the gap that it answers.
    #[serde(with = "codec::optional_name")]
    pub about: Option<Name>,
    /// In that person's words.
    pub text: String,
}

/// What waits for a person's signed word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposalView {
    /// Everything that a release has to name: canonical JSON, opaque here.
    pub shown: String,
    /// SHA-256 of it, in hex.
    pub digest: String,
    /// Best bid now, decimal text; `None` without a quote.
    pub bid: Option<String>,
    /// Best offer now.
    pub ask: Option<String>,
    /// From when on it cannot be released: nanoseconds since 1970, as text.
    pub expires: String,
}

/// One difference between account and house, as reconciliation found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingView {
    /// Its number, from 1.
    pub number: u64,
    /// What kind of difference.
    pub code: String,
    /// What it is about: an order, an execution, a currency.
    pub subject: String,
    /// What the house knows; `None` where it knows nothing.
    pub ours: Option<String>,
    /// What the venue states; `None` where it states nothing.
    pub venue: Option<String>,
    /// Where it stands: open, explained, confirmed, resolved.
    pub state: String,
    /// What became of it, with whose word.
    pub outcome: Option<String>,
}

/// The gate's no to a person, with everything that is needed to ask better.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenialView {
    /// The stable code.
    pub code: String,
    /// What it says in one line.
    pub meaning: String,
    /// Whose limit or state it was.
    pub scope: String,
    /// What was seen, decimal text.
    pub observed: Option<String>,
    /// What is allowed, decimal text.
    pub limit: Option<String>,
    /// What would make it pass.
    pub passes: String,
}

impl From<&Denial> for DenialView {
    fn from(denial: &Denial) -> Self {
        let Denial { code, scope, observed, limit } = denial;
        let passes = denial.cure();
        Self {
            code: code.code().to_owned(),
            meaning: code.meaning().to_owned(),
            scope: scope.name().to_owned(),
            observed: observed.map(portcullis_gate::Figure::text),
            limit: limit.map(portcullis_gate::Figure::text),
            passes,
        }
    }
}

/// What every request by hand has to look like; whether it makes sense is the kernel's to say.
pub(crate) trait Plain {
    /// Why it is not even a request.
    fn check(&self) -> Result<(), &'static str>;
}

fn words<'a>(words: impl IntoIterator<Item = &'a String>) -> Result<(), &'static str> {
    let plain = |word: &String| {
        (1..=WORD_BYTES_MAX).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_graphic())
    };
    if words.into_iter().all(plain) {
        Ok(())
    } else {
        Err("a number, a symbol and an id have 1 to 64 visible characters")
    }
}

impl Plain for OrderSubmit {
    fn check(&self) -> Result<(), &'static str> {
        words([&self.symbol, &self.qty].into_iter().chain(&self.limit))
    }
}

impl Plain for OrderAmend {
    fn check(&self) -> Result<(), &'static str> {
        if self.qty.is_none() && self.limit.is_none() {
            return Err("a change names a quantity, a price or both");
        }
        words([&self.cl_ord_id].into_iter().chain(&self.qty).chain(&self.limit))
    }
}

impl Plain for OrderCancel {
    fn check(&self) -> Result<(), &'static str> {
        words(&self.cl_ord_id)
    }
}

impl Plain for PositionClose {
    fn check(&self) -> Result<(), &'static str> {
        words([&self.symbol].into_iter().chain(&self.qty).chain(&self.limit))
    }
}

impl Plain for FindingExplain {
    fn check(&self) -> Result<(), &'static str> {
        says(&self.reason)
    }
}

impl Plain for SessionNote {
    fn check(&self) -> Result<(), &'static str> {
        words([&self.kind])?;
        says(&self.text)
    }
}

fn says(text: &str) -> Result<(), &'static str> {
    let says = !text.trim().is_empty() && text.len() <= REASON_BYTES_MAX;
    if says { Ok(()) } else { Err("a reason has 1 to 512 bytes and says something") }
}

#[cfg(test)]
mod tests;
