//! A person's word that one proposal becomes an order: bound to what was shown, to where the market
//! stood then, and to this journal.

use portcullis_domain::number::parse_scaled_wide;
use portcullis_domain::{ClOrdId, Name, OrdType, Side, TimeInForce};

use super::{filled_text, hex, parsed};
use crate::Digest;
use crate::json::{Fields, JsonError, Value, object};

/// Decimals with which a number may be written. The instrument's own scale is checked later.
const SCALE: u8 = 18;

/// Everything that a person is shown of a proposal and that does not move with the market. Numbers
/// are decimal text, in the currencies of the instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownProposal {
    /// The proposal, by the id under which its order would leave.
    pub proposal: ClOrdId,
    /// The session in which it waits.
    pub session: Name,
    /// Who asks: `plugin NAME` or `person NAME`.
    pub asked_by: String,
    /// Our symbol.
    pub symbol: String,
    /// FIX 54.
    pub side: Side,
    /// FIX 40.
    pub ord_type: OrdType,
    /// FIX 59.
    pub time_in_force: TimeInForce,
    /// FIX 38, base quantity above zero.
    pub qty: String,
    /// FIX 44; present exactly for limit orders.
    pub price: Option<String>,
    /// FIX 18 = E.
    pub reduce_only: bool,
    /// The price at which a loss is left, if it comes with one.
    pub stop: Option<String>,
    /// The price at which a profit is taken, if it comes with one.
    pub target: Option<String>,
}

/// One release of one proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The account that trades.
    pub account: Name,
    /// The journal in which the proposal was recorded.
    pub origin: String,
    /// What was shown.
    pub shown: ShownProposal,
    /// [`ShownProposal::digest`] of it: what the kernel compares.
    pub digest: Digest,
    /// The best bid that was shown with it, as decimal text above zero.
    pub bid: String,
    /// The best offer that was shown with it.
    pub ask: String,
}

impl ShownProposal {
    /// As JSON. Its canonical bytes are what a person looks at and what the digest is of.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let or_null = |text: &Option<String>| text.as_deref().map_or(Value::Null, Into::into);
        object([
            ("asked_by", self.asked_by.as_str().into()),
            ("ord_type", self.ord_type.name().into()),
            ("price", or_null(&self.price)),
            ("proposal", self.proposal.to_string().into()),
            ("qty", self.qty.as_str().into()),
            ("reduce_only", Value::Bool(self.reduce_only)),
            ("session", self.session.as_str().into()),
            ("side", self.side.name().into()),
            ("stop", or_null(&self.stop)),
            ("symbol", self.symbol.as_str().into()),
            ("target", or_null(&self.target)),
            ("time_in_force", self.time_in_force.name().into()),
        ])
    }

    /// SHA-256 of the canonical bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_value().canonical())
    }

    /// Reads [`ShownProposal::to_value`].
    pub fn from_value(value: &Value) -> Result<Self, JsonError> {
        let mut fields = Fields::new(value)?;
        let shown = Self {
            proposal: parsed(&mut fields, "proposal", ClOrdId::parse)?,
            session: fields.name("session")?,
            asked_by: filled_text(&mut fields, "asked_by")?,
            symbol: filled_text(&mut fields, "symbol")?,
            side: parsed(&mut fields, "side", |name| {
                [Side::Buy, Side::Sell].into_iter().find(|side| side.name() == name)
            })?,
            ord_type: parsed(&mut fields, "ord_type", |name| {
                [OrdType::Market, OrdType::Limit].into_iter().find(|kind| kind.name() == name)
            })?,
            time_in_force: parsed(&mut fields, "time_in_force", |name| {
                [TimeInForce::Gtc, TimeInForce::Ioc].into_iter().find(|tif| tif.name() == name)
            })?,
            qty: above_zero("qty", fields.text("qty")?)?,
            price: optional(&mut fields, "price")?,
            reduce_only: fields.bool("reduce_only")?,
            stop: optional(&mut fields, "stop")?,
            target: optional(&mut fields, "target")?,
        };
        fields.finish()?;
        if shown.price.is_some() != (shown.ord_type == OrdType::Limit) {
            return Err(JsonError::field("price", "stands in limit orders and in no others"));
        }
        Ok(shown)
    }
}

impl Release {
    /// As the body of a statement.
    #[must_use]
    pub fn to_value(&self) -> Value {
        object([
            ("account", self.account.as_str().into()),
            ("ask", self.ask.as_str().into()),
            ("bid", self.bid.as_str().into()),
            ("digest", hex(self.digest)),
            ("origin", self.origin.as_str().into()),
            ("shown", self.shown.to_value()),
        ])
    }

    /// Reads the body of a statement. A digest that is not of what is shown is refused: the eyes
    /// and the kernel would go by two different things.
    pub fn from_value(value: &Value) -> Result<Self, JsonError> {
        let mut fields = Fields::new(value)?;
        let shown = ShownProposal::from_value(fields.value("shown")?);
        let release = Self {
            account: fields.name("account")?,
            origin: filled_text(&mut fields, "origin")?,
            shown: shown.map_err(|error| error.within("shown"))?,
            digest: fields.digest("digest")?,
            bid: above_zero("bid", fields.text("bid")?)?,
            ask: above_zero("ask", fields.text("ask")?)?,
        };
        fields.finish()?;
        if release.digest != release.shown.digest() {
            return Err(JsonError::field("digest", "is not of what is shown"));
        }
        Ok(release)
    }
}

fn above_zero(key: &str, text: &str) -> Result<String, JsonError> {
    if parse_scaled_wide(text, SCALE).is_ok_and(|units| units > 0) {
        Ok(text.to_owned())
    } else {
        Err(JsonError::field(key, "is not a plain decimal above zero"))
    }
}

/// A number above zero, or `null` for none.
fn optional(fields: &mut Fields<'_>, key: &str) -> Result<Option<String>, JsonError> {
    let value = fields.value(key)?;
    if *value == Value::Null {
        return Ok(None);
    }
    above_zero(key, crate::json::text_of(key, value)?).map(Some)
}
