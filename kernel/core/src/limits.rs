//! The limits in force across sessions: anybody may tighten them at once, two people may loosen
//! them, from the next session on.
//!
//! What is in force is what was put there last, whoever did it: a signed change, a session that
//! opened under stricter limits, a tightening within one. So limits that were tightened stay so
//! until two people say otherwise, and an old file or an old change loosens nothing again.

use portcullis_domain::policy::{Change, Limits};
use portcullis_domain::{Instrument, Money, Name, Phase};
use portcullis_statement::json::{self, Fields, JsonError, Value};
use portcullis_statement::{Digest, LimitsChange, SessionApproval, limits_value, read_limits};

use crate::effect::Effect;
use crate::entry::EntryError;
use crate::input::EpochCause;
use crate::outcome::Outcome;
use crate::snapshot::Kept;
use crate::state::{Core, Turn};

/// Looser than what is in force, without two people who said so.
const LOOSENED: &str = "LIMITS_LOOSENED";
/// Most changed keys that one entry names.
const NAMED_KEYS_MAX: usize = 8;

/// The limits that the next session is held against.
#[derive(Clone, Debug)]
pub(crate) struct InForce {
    /// Of the file, or of the canonical JSON of what was tightened within a session.
    pub(crate) digest: Digest,
    limits: Limits,
    /// In which the limits are measured.
    instruments: Vec<Instrument>,
}

impl Kept for InForce {
    fn to_value(&self) -> Value {
        let Self { digest, limits, instruments } = self;
        json::object([
            ("digest", digest.hex().into()),
            ("instruments", instruments.to_value()),
            ("limits", limits_value(limits, instruments)),
        ])
    }

    fn from_value(value: &Value) -> Result<Self, EntryError> {
        let mut fields = Fields::new(value)?;
        let instruments: Vec<Instrument> = Kept::from_value(fields.value("instruments")?)?;
        let limits = read_limits(fields.value("limits")?, &instruments)?;
        Ok(Self { digest: fields.digest("digest")?, limits, instruments })
    }
}

/// What the session that opened last trades: in this its limits are measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Opened {
    instruments: Vec<Instrument>,
    strategies: Vec<String>,
}

impl Opened {
    /// Reads limits; what they say of other instruments and strategies is left aside.
    fn read(&self, value: &Value) -> Result<Limits, JsonError> {
        let mut value = value.clone();
        if let Value::Object(tables) = &mut value {
            if let Some(Value::Object(held)) = tables.get_mut("instruments") {
                held.retain(|symbol, _| self.instruments.iter().any(|i| i.symbol == *symbol));
            }
            if let Some(Value::Object(held)) = tables.get_mut("strategies") {
                held.retain(|name, _| self.strategies.contains(name));
            }
        }
        read_limits(&value, &self.instruments)
    }
}

impl InForce {
    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Why limits of these instruments are looser than these; `None` if provably not.
    fn looser(&self, limits: &Limits, instruments: &[Instrument]) -> Option<String> {
        let limits = limits.renumbered(instruments, &self.instruments);
        let not = limits.check_tightens(&self.limits).err()?;
        let keys = limits.changes_from(&self.limits, &self.instruments);
        let key = keys.into_iter().find(|key| key.change == Change::Looser);
        let key = key.map_or_else(|| format!("{}.{}", not.table, not.key), |key| key.path);
        Some(format!("{key} is looser than the limits in force {}", self.digest))
    }

    /// Why the same file cannot say this: of what both speak, it said something else before.
    fn contradicts(&self, limits: &Limits, instruments: &[Instrument]) -> Option<String> {
        let shared = limits.renumbered(instruments, &self.instruments).shared_with(&self.limits);
        let before = self.limits.shared_with(&shared);
        let mut keys = shared.changes_from(&before, &self.instruments).into_iter();
        keys.next().map(|key| format!("{} is not what limits {} say", key.path, self.digest))
    }
}

impl Core {
    /// Digest of the limits that the next session is held against; `None` before the first one.
    #[must_use]
    pub fn limits_in_force(&self) -> Option<Digest> {
        self.limits_in_force.as_ref().map(|held| held.digest)
    }

    /// Whether a session may open under its limits.
    pub(crate) fn check_limits(&self, approval: &SessionApproval) -> Result<(), (String, String)> {
        if let Some(held) = &self.limits_in_force {
            let (limits, instruments) = (&approval.limits, &approval.instruments);
            let refused = if held.digest == approval.limits_digest {
                held.contradicts(limits, instruments)
            } else {
                held.looser(limits, instruments)
            };
            if let Some(cause) = refused {
                return Err((LOOSENED.to_owned(), cause));
            }
        }
        self.check_equity(approval)
    }

    /// Refuses an account that surely holds more than was approved. Only what needs no market to
    /// be valued is counted, so this is a lower bound: the account may be worth more.
    fn check_equity(&self, approval: &SessionApproval) -> Result<(), (String, String)> {
        let balances = if approval.phase == Phase::Shadow {
            Some(&approval.balances)
        } else {
            self.account.balances()
        };
        let limits = &approval.limits;
        let worth = balances.map_or(Some(Money::ZERO), |balances| limits.cash_worth(balances));
        let cause = match worth {
            Some(worth) if worth <= approval.equity_max => return Ok(()),
            Some(worth) => format!(
                "the account holds at least {} {}; approved are {}",
                worth.text(),
                limits.currency,
                approval.equity_max.text()
            ),
            None => "what the account is worth is beyond every number".to_owned(),
        };
        Err(("EQUITY_ABOVE_CAP".to_owned(), cause))
    }

    /// A session opened. The durable half, live and in recovery alike.
    pub(crate) fn limits_opened(&mut self, approval: &SessionApproval) {
        self.opened = Opened {
            instruments: approval.instruments.clone(),
            strategies: approval.plugins.iter().map(|plugin| plugin.name.to_string()).collect(),
        };
        // The same file again changes nothing, though this session may show less of it.
        if self.limits_in_force() != Some(approval.limits_digest) {
            self.limits_in_force = Some(InForce {
                digest: approval.limits_digest,
                limits: approval.limits.clone(),
                instruments: approval.instruments.clone(),
            });
        }
    }

    /// Whether a change is about the limits that are in force, by digest and by value.
    pub(crate) fn check_change(
        &self,
        change: &LimitsChange,
    ) -> Result<(), (&'static str, &'static str)> {
        let Some(held) = &self.limits_in_force else {
            let cause = "no limits are in force yet: the first session states its own";
            return Err(("LIMITS_NOT_IN_FORCE", cause));
        };
        let same = held.digest == change.before
            && held.contradicts(&change.before_limits, &change.instruments).is_none();
        if same {
            return Ok(());
        }
        Err(("LIMITS_NOT_IN_FORCE", "other limits are in force than this change begins with"))
    }

    /// Two people changed the limits. The durable half, live and in recovery alike.
    pub(crate) fn limits_changed(&mut self, change: &LimitsChange) {
        self.limits_in_force = Some(InForce {
            digest: change.after,
            limits: change.after_limits.clone(),
            instruments: change.instruments.clone(),
        });
    }

    /// Somebody tightens the limits of the open session. No signature is needed, since it is
    /// proved key by key that nothing is allowed which was not.
    pub(crate) fn on_tighten(&mut self, request: u64, who: &Name, value: &Value, turn: &mut Turn) {
        const WHAT: &str = "tighten";
        let Some(live) = self.live.as_mut() else {
            return turn.refuse(request, WHAT, "NO_SESSION", "no session is open");
        };
        let limits = match self.opened.read(value) {
            Ok(limits) => limits,
            Err(error) => {
                let cause = format!("not limits of this session: {error}");
                return turn.refuse(request, WHAT, "LIMITS_MALFORMED", &cause);
            }
        };
        let keys = limits.changes_from(live.gate.limits(), live.gate.instruments());
        if let Err(not) = live.gate.tighten(limits) {
            let key = keys.into_iter().find(|key| key.change == Change::Looser);
            let key = key.map_or_else(|| format!("{}.{}", not.table, not.key), |key| key.path);
            let cause = format!("{key} is not provably stricter: that needs a limits-change");
            return turn.refuse(request, WHAT, LOOSENED, &cause);
        }
        if keys.is_empty() {
            return turn.refuse(request, WHAT, "LIMITS_SAME", "these limits hold already");
        }
        let count = keys.len();
        let session = live.name.clone();
        let keys = keys.into_iter().take(NAMED_KEYS_MAX);
        let keys = keys.map(|key| format!("{} {} -> {}", key.path, key.before, key.after));
        let (who, keys) = (who.clone(), keys.collect());
        turn.record(&Outcome::Tightened { session, who, count, keys });
        let tightened = self.limits_tightened(value);
        debug_assert!(tightened.is_ok(), "the same value was read a moment ago");
        // What was approved under the looser limits and has not left yet stays here (A1).
        turn.effect(Effect::RaiseEpoch(EpochCause::Tightened));
        let digest = self.limits_in_force().map_or_else(String::new, Digest::hex);
        turn.done(request, format!("{count} keys are stricter from now on: limits {digest}"));
    }

    /// The limits of the open session were tightened. The durable half, live and in recovery
    /// alike.
    pub(crate) fn limits_tightened(&mut self, value: &Value) -> Result<(), JsonError> {
        let limits = self.opened.read(value)?;
        let instruments = self.opened.instruments.clone();
        let digest = Digest::of(&limits_value(&limits, &instruments).canonical());
        self.limits_in_force = Some(InForce { digest, limits, instruments });
        Ok(())
    }
}
