//! The larger records inside input entries: starts, venue reports, account snapshots, intents.

use std::collections::BTreeMap;

use portcullis_domain::policy::{PhaseRule, PhaseRules};
use portcullis_domain::{
    Bracket, ExecId, ExecType, ExecutionReport, InstrumentId, Money, OrdType, OrderId, OrderIntent,
    Origin, Phase, PluginId, Px, Qty, Role, WallNs,
};
use portcullis_statement::SignedStatement;
use portcullis_statement::json::{self, Fields, Value};

use super::people::{side, time_in_force};
use super::safety::{safety, safety_value};
use super::{Read, cl_ord_id, narrow};
use crate::entry::{EntryError, as_text, int};
use crate::input::Start;

pub(crate) fn phases_value(phases: &PhaseRules) -> Value {
    let rules = phases.rules.iter().map(|(phase, rule)| {
        let roles = rule.signers.iter().map(|role| role.name().into()).collect();
        json::object([
            ("phase", Value::Int(i64::from(phase.number()))),
            ("signers", Value::List(roles)),
            ("window_ns_max", Value::Int(rule.window_ns_max)),
        ])
    });
    Value::List(rules.collect())
}

pub(crate) fn phases(list: &[Value]) -> Read<PhaseRules> {
    let mut rules = BTreeMap::new();
    for rule in list {
        let mut rule = Fields::new(rule)?;
        let phase = narrow(rule.uint("phase")?)?;
        let phase = Phase::from_number(phase).ok_or(EntryError::Value("phase"))?;
        let bad = || EntryError::Value("signers");
        let named = |value| as_text(value).and_then(Role::from_name).ok_or_else(bad);
        let signers = rule.list("signers")?.iter().map(named).collect::<Read<_>>()?;
        rules.insert(phase, PhaseRule { signers, window_ns_max: rule.int("window_ns_max")? });
    }
    Ok(PhaseRules { rules })
}

pub(crate) fn start_value(start: &Start) -> Value {
    json::object([
        ("build", start.build.as_str().into()),
        ("clean", Value::Bool(start.clean)),
        ("damage", start.damage.as_deref().map_or(Value::Null, Value::from)),
        ("draw", int(u64::from(start.draw))),
        ("first", Value::Bool(start.first)),
        ("genesis", start.genesis.to_value()),
        ("origin", start.origin.as_str().into()),
        ("phases", phases_value(&start.phases)),
        ("phases_digest", start.phases_digest.hex().into()),
        ("pinned", start.pinned.hex().into()),
        ("safety", safety_value(&start.safety)),
        ("safety_digest", start.safety_digest.hex().into()),
        ("torn_bytes", int(start.torn_bytes)),
    ])
}

pub(crate) fn start(value: &Value) -> Read<Start> {
    let mut fields = Fields::new(value)?;
    let start = Start {
        build: fields.text("build")?.to_owned(),
        clean: fields.bool("clean")?,
        damage: match fields.value("damage")? {
            Value::Null => None,
            text => Some(as_text(text).ok_or(EntryError::Value("damage"))?.to_owned()),
        },
        draw: narrow(fields.uint("draw")?)?,
        first: fields.bool("first")?,
        genesis: SignedStatement::from_value(fields.value("genesis")?)?,
        origin: fields.text("origin")?.to_owned(),
        phases: phases(fields.list("phases")?)?,
        phases_digest: fields.digest("phases_digest")?,
        pinned: fields.digest("pinned")?,
        safety: safety(fields.value("safety")?)?,
        safety_digest: fields.digest("safety_digest")?,
        torn_bytes: fields.uint("torn_bytes")?,
    };
    fields.finish()?;
    Ok(start)
}

pub(super) fn report_value(report: &ExecutionReport) -> Value {
    let trade = match &report.exec_type {
        ExecType::Trade { exec_id, last_px, last_qty, fee, maker } => json::object([
            ("exec_id", exec_id.0.as_str().into()),
            ("fee", fee.text().into()),
            ("last_px", Value::Int(last_px.units())),
            ("last_qty", Value::Int(last_qty.units())),
            ("maker", Value::Bool(*maker)),
        ]),
        ExecType::New
        | ExecType::Canceled
        | ExecType::Rejected
        | ExecType::Expired
        | ExecType::CancelRejected
        | ExecType::Replaced { .. }
        | ExecType::ReplaceRejected => Value::Null,
    };
    let order_id = report.order_id.as_ref();
    let mut value = json::object([
        ("cl_ord_id", report.cl_ord_id.to_string().into()),
        ("exec_type", report.exec_type.name().into()),
        ("order_id", order_id.map_or(Value::Null, |id| id.0.as_str().into())),
        ("text", report.text.as_str().into()),
        ("trade", trade),
        ("transact_time", report.transact_time.0.to_string().into()),
    ]);
    // Written only where there is one: reports from before this word read the same.
    if let (Value::Object(entries), ExecType::Replaced { qty, price }) =
        (&mut value, &report.exec_type)
    {
        entries.insert("replaced".to_owned(), terms_value(*qty, *price));
    }
    // Not every venue states it: entries without it read as they ever did.
    if let (Value::Object(entries), Some(cum_qty)) = (&mut value, report.cum_qty) {
        entries.insert("cum_qty".to_owned(), Value::Int(cum_qty.units()));
    }
    value
}

/// The terms of an order that can change: whole quantity and limit price, in units.
pub(crate) fn terms_value(qty: Qty, price: Px) -> Value {
    json::object([("price", Value::Int(price.units())), ("qty", Value::Int(qty.units()))])
}

/// Reads what [`terms_value`] wrote.
pub(crate) fn terms(value: &Value) -> Read<(Qty, Px)> {
    let mut fields = Fields::new(value)?;
    let qty = Qty::new(fields.int("qty")?).ok_or(EntryError::Value("qty"))?;
    let price = Px::new(fields.int("price")?).ok_or(EntryError::Value("price"))?;
    fields.finish()?;
    Ok((qty, price))
}

fn filled(fields: &mut Fields<'_>) -> Read<Option<Qty>> {
    let stated = fields.optional_int("cum_qty")?;
    stated.map(|units| Qty::new(units).ok_or(EntryError::Value("cum_qty"))).transpose()
}

pub(super) fn report(value: &Value) -> Read<ExecutionReport> {
    let mut fields = Fields::new(value)?;
    let exec_type = match fields.text("exec_type")? {
        "new" => ExecType::New,
        "canceled" => ExecType::Canceled,
        "rejected" => ExecType::Rejected,
        "expired" => ExecType::Expired,
        "cancel-rejected" => ExecType::CancelRejected,
        "replace-rejected" => ExecType::ReplaceRejected,
        "replaced" => {
            let (qty, price) = terms(fields.value("replaced")?)?;
            ExecType::Replaced { qty, price }
        }
        "trade" => {
            let mut trade = fields.fields("trade")?;
            ExecType::Trade {
                exec_id: ExecId(trade.text("exec_id")?.to_owned()),
                fee: money(trade.text("fee")?)?,
                last_px: Px::new(trade.int("last_px")?).ok_or(EntryError::Value("last_px"))?,
                last_qty: Qty::new(trade.int("last_qty")?).ok_or(EntryError::Value("last_qty"))?,
                maker: trade.bool("maker")?,
            }
        }
        _ => return Err(EntryError::Value("exec_type")),
    };
    Ok(ExecutionReport {
        cl_ord_id: cl_ord_id(&mut fields)?,
        order_id: as_text(fields.value("order_id")?).map(|id| OrderId(id.to_owned())),
        exec_type,
        cum_qty: filled(&mut fields)?,
        transact_time: moment(fields.text("transact_time")?)?,
        text: fields.text("text")?.to_owned(),
    })
}

/// Amounts by currency.
pub(crate) fn amounts(pairs: &BTreeMap<String, Value>) -> Read<BTreeMap<String, Money>> {
    let amount = |value| as_text(value).ok_or(EntryError::Value("balances")).and_then(money);
    pairs.iter().map(|(currency, value)| Ok((currency.clone(), amount(value)?))).collect()
}

/// Money as [`Money::text`] writes it, all 18 decimals of it.
pub(crate) fn money(text: &str) -> Read<Money> {
    Money::parse(text).map_err(|_out_of_range| EntryError::Value("money"))
}

/// Money, or `null` for what nobody knows.
pub(crate) fn money_or_null(value: &Value) -> Read<Option<Money>> {
    match value {
        Value::Null => Ok(None),
        Value::Text(text) => money(text).map(Some),
        Value::Bool(_) | Value::Int(_) | Value::List(_) | Value::Object(_) => {
            Err(EntryError::Value("money"))
        }
    }
}

pub(crate) fn order_intent(value: &Value) -> Read<OrderIntent> {
    let mut fields = Fields::new(value)?;
    let bad = EntryError::Value;
    let price = optional_px(fields.value("price")?)?;
    let bracket = match fields.optional("bracket") {
        None => None,
        Some(legs) => {
            let mut legs = Fields::new(legs)?;
            let (stop_px, target_px) =
                (optional_px(legs.value("stop")?)?, optional_px(legs.value("target")?)?);
            legs.finish()?;
            Some(Bracket { stop_px, target_px })
        }
    };
    let intent = OrderIntent {
        origin: origin(fields.value("plugin")?)?,
        reference: fields.uint("reference")?,
        instrument: InstrumentId(narrow(fields.uint("instrument")?)?),
        side: side(fields.text("side")?)?,
        ord_type: match fields.text("ord_type")? {
            "market" => OrdType::Market,
            "limit" => OrdType::Limit,
            _ => return Err(bad("ord_type")),
        },
        time_in_force: time_in_force(fields.text("time_in_force")?)?,
        qty: Qty::new(fields.int("qty")?).ok_or(bad("qty"))?,
        price,
        // Written only where it is set.
        reduce_only: fields.optional("reduce_only").is_some_and(|set| *set == Value::Bool(true)),
        bracket,
    };
    fields.finish()?;
    Ok(intent)
}

/// A moment as text, since readers of JSON lose integers above 2^53.
pub(super) fn moment(text: &str) -> Read<WallNs> {
    text.parse().map(WallNs).map_err(|_out_of_range| EntryError::Value("time"))
}

/// A plugin's number, or the word for who asked otherwise.
fn origin(value: &Value) -> Read<Origin> {
    let bad = EntryError::Value("plugin");
    match value {
        Value::Int(number) => match u16::try_from(*number) {
            Ok(number) => Ok(Origin::Plugin(PluginId(number))),
            Err(_out_of_range) => Err(bad),
        },
        Value::Text(word) => {
            let mut others = [Origin::Person, Origin::House].into_iter();
            others.find(|origin| origin.name() == word).ok_or(bad)
        }
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Object(_) => Err(bad),
    }
}

/// A price in units, or `null` for none.
pub(super) fn optional_px(value: &Value) -> Read<Option<Px>> {
    match value {
        Value::Null => Ok(None),
        Value::Int(units) => Px::new(*units).map(Some).ok_or(EntryError::Value("price")),
        Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Object(_) => {
            Err(EntryError::Value("price"))
        }
    }
}
