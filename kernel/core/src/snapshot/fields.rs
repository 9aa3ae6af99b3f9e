//! How the parts of the house are written: every struct by all of its fields.

use portcullis_domain::policy::PhaseRules;
use portcullis_domain::{
    Amendment, Execution, Instrument, LedgerEntry, Order, OrderIntent, OrderTable, Stop,
};
use portcullis_gate::Holding;
use portcullis_statement::json::{self, Fields, Value};
use portcullis_statement::{SignedStatement, Trust};

use super::{Kept, Part, Read, Sections, kept_fields};
use crate::entry::{EntryError, as_list};
use crate::epoch::HeardEpochs;
use crate::input_codec::{order_intent, phases, phases_value, start, start_value};
use crate::outcome::intent_value;
use crate::recon::{Difference, Finding, FindingState, Findings};
use crate::state::{Identity, Kill, Paper};

kept_fields!(Instrument {
    id,
    symbol,
    venue_symbol,
    base,
    quote,
    kind,
    price_scale,
    qty_scale,
    tick,
    lot,
    qty_min,
    notional_min,
    maker_fee,
    taker_fee,
});
kept_fields!(Order { cl_ord_id, order_id, intent, reserve_px, status, cum_qty, pending });
kept_fields!(Amendment { cl_ord_id, qty, price });
kept_fields!(Execution { cl_ord_id, last_px, last_qty, fee, maker, transact_time });
kept_fields!(LedgerEntry { id, kind, currency, amount, at });
kept_fields!(Holding { position, cost, realised, fees });
kept_fields!(Stop { mode, scope });
kept_fields!(Kill { seq, entry, reason, clearing });
kept_fields!(Difference { kind, subject, symbol, ours, venue, gap });
kept_fields!(Finding { number, difference, state, shown, session });
kept_fields!(Paper { signed, at, rules });

impl Kept for OrderIntent {
    fn to_value(&self) -> Value {
        intent_value(self)
    }

    fn from_value(value: &Value) -> Read<Self> {
        order_intent(value)
    }
}

impl Kept for PhaseRules {
    fn to_value(&self) -> Value {
        phases_value(self)
    }

    fn from_value(value: &Value) -> Read<Self> {
        phases(as_list(value))
    }
}

impl Kept for HeardEpochs {
    fn to_value(&self) -> Value {
        let Self { up_to, beyond } = self;
        json::object([("beyond", beyond.to_value()), ("up_to", up_to.to_value())])
    }

    fn from_value(value: &Value) -> Read<Self> {
        let mut fields = Fields::new(value)?;
        let beyond = Kept::from_value(fields.value("beyond")?)?;
        Ok(Self { beyond, up_to: fields.uint("up_to")? })
    }
}

/// The people and the policies. The genesis is verified again, at the moment at which it was.
impl Kept for Identity {
    fn to_value(&self) -> Value {
        json::object([("at", self.at.to_value()), ("start", start_value(&self.start))])
    }

    fn from_value(value: &Value) -> Read<Self> {
        let mut fields = Fields::new(value)?;
        let at = Kept::from_value(fields.value("at")?)?;
        let start = start(fields.value("start")?)?;
        let trust = Trust::genesis(&start.genesis, start.pinned, at);
        let trust = trust.map_err(|_refusal| EntryError::Value("genesis"))?;
        Ok(Self { trust, start: Box::new(start), at })
    }
}

/// The words of people, oldest first.
impl Kept for FindingState {
    fn to_value(&self) -> Value {
        let words: Vec<&str> = match self {
            Self::Adopted | Self::Open => vec![],
            Self::Explained { who, reason } => vec![who.as_str(), reason],
            Self::Confirmed { who, reason, by } => vec![who.as_str(), reason, by.as_str()],
        };
        let all = [self.name()].into_iter().chain(words);
        Value::List(all.map(Value::from).collect())
    }

    fn from_value(value: &Value) -> Read<Self> {
        let all: Vec<String> = Kept::from_value(value)?;
        let texts: Vec<&str> = all.iter().map(String::as_str).collect();
        let name = |text: &str| Kept::from_value(&text.into());
        match texts[..] {
            ["adopted"] => Ok(Self::Adopted),
            ["open"] => Ok(Self::Open),
            ["explained", who, reason] => {
                Ok(Self::Explained { who: name(who)?, reason: reason.to_owned() })
            }
            ["confirmed", who, reason, by] => {
                Ok(Self::Confirmed { who: name(who)?, reason: reason.to_owned(), by: name(by)? })
            }
            _ => Err(EntryError::Value("finding")),
        }
    }
}

impl Part for Findings {
    fn keep_part(&self, section: &str, sections: &mut Sections) {
        self.iter().cloned().collect::<Vec<_>>().keep(section, sections);
    }

    /// What waits for people follows from the findings themselves.
    fn restore_part(section: &str, sections: &mut Sections) -> Read<Self> {
        let mut findings = Self::default();
        for finding in <Vec<Finding> as Kept>::restore(section, sections)? {
            findings.open(finding);
        }
        Ok(findings)
    }
}

/// Every order and every execution there ever was: a venue may tell of each of them again, and
/// what it lists is compared with all of them.
impl Part for OrderTable {
    fn keep_part(&self, section: &str, sections: &mut Sections) {
        self.iter().cloned().collect::<Vec<_>>().keep(&format!("{section}.all"), sections);
        let executions = self.executions().map(|(id, execution)| (id.clone(), *execution));
        executions.collect::<Vec<_>>().keep(&format!("{section}.executions"), sections);
    }

    fn restore_part(section: &str, sections: &mut Sections) -> Read<Self> {
        let orders: Vec<Order> = Kept::restore(&format!("{section}.all"), sections)?;
        let executions = Kept::restore(&format!("{section}.executions"), sections)?;
        Self::restored(orders, executions).map_err(|_fault| EntryError::Value("orders"))
    }
}

impl Paper {
    /// A statement as it was signed and accepted.
    pub(crate) fn new(
        signed: &SignedStatement,
        identity: &Identity,
        at: portcullis_domain::WallNs,
    ) -> Self {
        Self { signed: signed.clone(), at, rules: identity.start.phases.clone() }
    }
}
