//! One session with everything it may do: values for people to read, digests beside them.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_domain::policy::Limits;
use portcullis_domain::{
    Instrument, InstrumentId, Money, Name, Phase, Position, Px, WallNs, parse_scaled,
};

use super::instrument::{currency, money, number, px};
use super::limits::{limits_value, read_limits, unfit_field};
use super::plugin_release::read_phase;
use super::{EndpointKind, checkpoint_key, filled_text, hex, instrument, literal, parsed};
use crate::Digest;
use crate::header::wall_ns;
use crate::json::{Fields, JsonError, Value, count, object, text_of};

/// Cancel and reduce stay with the operator alone until flat, whatever ends the session.
const CLOSING_RIGHTS: &str = "operator";
/// What happens to orders when the session drops: protective ones stay.
const ON_DROP: &str = "keep-protective";

/// Most plugins of one session.
const PLUGINS_MAX: usize = 64;

/// One plugin of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovedPlugin {
    /// Its name in this session.
    pub name: Name,
    /// The digest of its component's bytes.
    pub component: Digest,
    /// The digest of the `plugin-release` statement that let it in.
    pub release: Digest,
    /// Its parameters.
    pub params: BTreeMap<String, String>,
}

/// One position that the session takes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The instrument.
    pub instrument: InstrumentId,
    /// The signed holding, never flat.
    pub position: Position,
    /// The average price at which it was entered, where it is known.
    pub avg_px: Option<Px>,
}

/// The journal as it stood when the session was drafted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalBinding {
    /// Which journal.
    pub origin: String,
    /// The key that signs its checkpoints.
    pub key: String,
    /// How many entries.
    pub size: u64,
    /// The value that commits to all of them.
    pub root: Digest,
}

/// One session with everything it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionApproval {
    /// The account.
    pub account: Name,
    /// The host.
    pub host: Name,
    /// The session.
    pub session: Name,
    /// The phase.
    pub phase: Phase,
    /// The plugins; the position is the id.
    pub plugins: Vec<ApprovedPlugin>,
    /// The instruments; the position is the id.
    pub instruments: Vec<Instrument>,
    /// Where the metadata of each instrument comes from, by the same position.
    pub sources: Vec<String>,
    /// The limits.
    pub limits: Limits,
    /// The digest of the limits file.
    pub limits_digest: Digest,
    /// The digest of the phases file.
    pub phases_digest: Digest,
    /// The digest of the safety file: guards, triggers, and the way back after a kill.
    pub safety_digest: Digest,
    /// The digest of the endpoint-set statement.
    pub endpoint: Digest,
    /// What is at the other end, as that statement says.
    pub endpoint_kind: EndpointKind,
    /// Starting balances of a shadow or simulated account, by currency.
    pub balances: BTreeMap<String, Money>,
    /// Positions taken over.
    pub carried: Vec<Carried>,
    /// The number of the last kill at drafting.
    pub kill_seq: u64,
    /// The journal at drafting.
    pub journal: JournalBinding,
    /// First moment of the session window.
    pub window_opens: WallNs,
    /// First moment after the session window.
    pub window_closes: WallNs,
    /// Latency of the paper model, in nanoseconds.
    pub latency_ns: i64,
    /// Fuel that one batch of one plugin may use.
    pub fuel_per_batch_max: u64,
    /// How the native code of the plugins comes about.
    pub compile_record: String,
    /// Who has to have seen the journal, in the roster's words: `self-attested`, or how many of whom.
    pub witness: String,
    /// The build of the kernel.
    pub build: String,
    /// The most that this session can lose, as computed at drafting.
    pub worst_case_loss: Money,
    /// The most that the account may be worth when the session opens, in the currency of the
    /// limits: what is not there cannot be lost, whatever else fails.
    pub equity_max: Money,
}

impl SessionApproval {
    /// The instruments, numbered by position.
    #[must_use]
    pub fn instruments(&self) -> Vec<Instrument> {
        self.instruments.clone()
    }

    /// The limits, by instrument number.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits.clone()
    }

    /// As the body of a statement.
    #[must_use]
    pub fn to_value(&self) -> Value {
        object([
            ("account", self.account.as_str().into()),
            ("balances", self.balances_value()),
            ("build", self.build.as_str().into()),
            ("carried", Value::List(self.carried.iter().map(|c| self.carried_value(c)).collect())),
            ("closing_rights", CLOSING_RIGHTS.into()),
            ("compile_record", self.compile_record.as_str().into()),
            ("endpoint", hex(self.endpoint)),
            ("endpoint_kind", self.endpoint_kind.name().into()),
            ("equity_max", self.equity_max.text().into()),
            ("fuel_per_batch_max", count(self.fuel_per_batch_max)),
            ("host", self.host.as_str().into()),
            ("instruments", instrument::list_value(&self.instruments, &self.sources)),
            ("journal", self.journal.to_value()),
            ("kill_seq", count(self.kill_seq)),
            ("latency_ns", self.latency_ns.into()),
            ("limits", limits_value(&self.limits, &self.instruments)),
            ("limits_digest", hex(self.limits_digest)),
            ("on_drop", ON_DROP.into()),
            ("phase", i64::from(self.phase.number()).into()),
            ("phases_digest", hex(self.phases_digest)),
            ("plugins", Value::List(self.plugins.iter().map(plugin_value).collect())),
            ("safety_digest", hex(self.safety_digest)),
            ("session", self.session.as_str().into()),
            ("window", window_value(self.window_opens, self.window_closes)),
            ("witness", self.witness.as_str().into()),
            ("worst_case_loss", self.worst_case_loss.text().into()),
        ])
    }

    fn balances_value(&self) -> Value {
        let amount = |(currency, money): (&String, &Money)| (currency.clone(), money.text().into());
        Value::Object(self.balances.iter().map(amount).collect())
    }

    /// An instrument that is not in the list is written as `null`, which nobody can approve.
    fn carried_value(&self, carried: &Carried) -> Value {
        let mut instruments = self.instruments.iter();
        let Some(instrument) = instruments.find(|held| held.id == carried.instrument) else {
            return Value::Null;
        };
        let avg_px = carried.avg_px.map(|px| px.text(instrument.price_scale).into());
        object([
            ("avg_px", avg_px.unwrap_or(Value::Null)),
            ("qty", carried.position.text(instrument.qty_scale).into()),
            ("symbol", instrument.symbol.as_str().into()),
        ])
    }

    /// Reads the body of a statement; what contradicts itself is refused.
    pub fn from_value(value: &Value) -> Result<Self, JsonError> {
        let mut fields = Fields::new(value)?;
        literal(&mut fields, "closing_rights", CLOSING_RIGHTS)?;
        literal(&mut fields, "on_drop", ON_DROP)?;
        let (instruments, sources) = instrument::read_all(fields.list("instruments")?)?;
        let limits = read_limits(fields.value("limits")?, &instruments)
            .map_err(|error| error.within("limits"))?;
        let (window_opens, window_closes) = read_window(fields.fields("window")?)?;
        let approval = Self {
            account: fields.name("account")?,
            host: fields.name("host")?,
            session: fields.name("session")?,
            phase: read_phase(&mut fields, "phase")?,
            plugins: read_plugins(fields.list("plugins")?)?,
            limits,
            limits_digest: fields.digest("limits_digest")?,
            phases_digest: fields.digest("phases_digest")?,
            safety_digest: fields.digest("safety_digest")?,
            endpoint: fields.digest("endpoint")?,
            endpoint_kind: parsed(&mut fields, "endpoint_kind", EndpointKind::from_name)?,
            balances: read_balances(fields.object("balances")?)?,
            carried: read_carried(fields.list("carried")?, &instruments)?,
            instruments,
            sources,
            kill_seq: fields.uint("kill_seq")?,
            journal: JournalBinding::from_value(fields.value("journal")?)
                .map_err(|error| error.within("journal"))?,
            window_opens,
            window_closes,
            latency_ns: fields.int("latency_ns")?,
            fuel_per_batch_max: fields.uint("fuel_per_batch_max")?,
            compile_record: filled_text(&mut fields, "compile_record")?,
            witness: filled_text(&mut fields, "witness")?,
            build: filled_text(&mut fields, "build")?,
            worst_case_loss: money(&mut fields, "worst_case_loss")?,
            equity_max: money(&mut fields, "equity_max")?,
        };
        fields.finish()?;
        let strategies: Vec<Name> = approval.plugins.iter().map(|p| p.name.clone()).collect();
        approval
            .limits
            .check_covers(&approval.instruments, &strategies)
            .map_err(|unfit| unfit_field(&unfit).within("limits"))?;
        if approval.latency_ns < 0 {
            return Err(JsonError::field("latency_ns", "is negative"));
        }
        if approval.fuel_per_batch_max == 0 {
            return Err(JsonError::field("fuel_per_batch_max", "is zero"));
        }
        Ok(approval)
    }
}

fn window_value(opens: WallNs, closes: WallNs) -> Value {
    object([("closes", closes.0.to_string().into()), ("opens", opens.0.to_string().into())])
}

fn read_window(mut fields: Fields<'_>) -> Result<(WallNs, WallNs), JsonError> {
    let opens = wall_ns("window.opens", fields.text("opens")?)?;
    let closes = wall_ns("window.closes", fields.text("closes")?)?;
    fields.finish()?;
    if closes <= opens {
        return Err(JsonError::field("window.closes", "is not after window.opens"));
    }
    Ok((opens, closes))
}

impl JournalBinding {
    /// As statements and entries write it.
    #[must_use]
    pub fn to_value(&self) -> Value {
        object([
            ("key", self.key.as_str().into()),
            ("origin", self.origin.as_str().into()),
            ("root", hex(self.root)),
            ("size", count(self.size)),
        ])
    }

    /// Reads what [`JournalBinding::to_value`] wrote.
    ///
    /// # Errors
    /// A field that is missing, unknown, or not of its form.
    pub fn from_value(value: &Value) -> Result<Self, JsonError> {
        let mut fields = Fields::new(value)?;
        let journal = Self {
            origin: filled_text(&mut fields, "origin")?,
            key: checkpoint_key(&mut fields)?,
            size: fields.uint("size")?,
            root: fields.digest("root")?,
        };
        fields.finish()?;
        Ok(journal)
    }
}

fn plugin_value(plugin: &ApprovedPlugin) -> Value {
    let text = |(key, value): (&String, &String)| (key.clone(), value.as_str().into());
    object([
        ("component", hex(plugin.component)),
        ("name", plugin.name.as_str().into()),
        ("params", Value::Object(plugin.params.iter().map(text).collect())),
        ("release", hex(plugin.release)),
    ])
}

fn read_plugins(list: &[Value]) -> Result<Vec<ApprovedPlugin>, JsonError> {
    let plugins: Vec<_> = list
        .iter()
        .map(|value| read_plugin(value).map_err(|error| error.within("plugins")))
        .collect::<Result<_, _>>()?;
    let names: BTreeSet<_> = plugins.iter().map(|plugin| &plugin.name).collect();
    if names.len() != plugins.len() || plugins.len() > PLUGINS_MAX {
        return Err(JsonError::field("plugins", "hold a name twice, or are more than 64"));
    }
    Ok(plugins)
}

fn read_plugin(value: &Value) -> Result<ApprovedPlugin, JsonError> {
    let mut fields = Fields::new(value)?;
    let text = |(key, value): (&String, &Value)| {
        text_of(key, value).map(|text| (key.clone(), text.to_owned()))
    };
    let plugin = ApprovedPlugin {
        name: fields.name("name")?,
        component: fields.digest("component")?,
        release: fields.digest("release")?,
        params: fields.object("params")?.iter().map(text).collect::<Result<_, _>>()?,
    };
    fields.finish()?;
    Ok(plugin)
}

fn read_balances(entries: &BTreeMap<String, Value>) -> Result<BTreeMap<String, Money>, JsonError> {
    let amount = |(key, value): (&String, &Value)| {
        let known = currency(key).ok_or_else(|| JsonError::field(key, "is not a currency"))?;
        let amount = Money::parse(text_of(key, value)?)
            .map_err(|error| JsonError::field(key, error.cause()))?;
        if amount < Money::ZERO {
            return Err(JsonError::field(key, "is negative"));
        }
        Ok((known, amount))
    };
    let balances: Result<_, JsonError> = entries.iter().map(amount).collect();
    balances.map_err(|error| error.within("balances"))
}

fn read_carried(list: &[Value], instruments: &[Instrument]) -> Result<Vec<Carried>, JsonError> {
    let carried: Vec<_> = list
        .iter()
        .map(|value| read_position(value, instruments).map_err(|error| error.within("carried")))
        .collect::<Result<_, _>>()?;
    let ids: BTreeSet<_> = carried.iter().map(|carried| carried.instrument).collect();
    if ids.len() != carried.len() {
        return Err(JsonError::field("carried", "holds an instrument twice"));
    }
    Ok(carried)
}

fn read_position(value: &Value, instruments: &[Instrument]) -> Result<Carried, JsonError> {
    let mut fields = Fields::new(value)?;
    let symbol = fields.text("symbol")?;
    let instrument = instruments.iter().find(|instrument| instrument.symbol == symbol);
    let instrument =
        instrument.ok_or_else(|| JsonError::field("symbol", "is not an approved instrument"))?;
    let units = number(&mut fields, "qty", |text| parse_scaled(text, instrument.qty_scale))?;
    let avg_px = if fields.value("avg_px")? == &Value::Null {
        None
    } else {
        Some(px(&mut fields, "avg_px", instrument.price_scale)?)
    };
    fields.finish()?;
    if units == 0 {
        return Err(JsonError::field("qty", "is zero, which is nothing to carry"));
    }
    Ok(Carried { instrument: instrument.id, position: Position(units), avg_px })
}
