//! Readings of the account as entries, and back.
//!
//! Whatever a venue does not state is left out, so that entries from before these words read the
//! same. An order of which the venue states everything is a list, since an entry is bounded and
//! ten thousand open orders have to fit:
//!
//! ```text
//! [cl_ord_id, order_id, side, price, qty, cum_qty, leaves_qty]
//! ```

use std::collections::BTreeMap;

use portcullis_domain::{
    ClOrdId, LedgerEntry, LedgerEntryId, LedgerKind, OrderId, Position, Px, Qty, WallNs,
};
use portcullis_statement::json::{self, Fields, Value};

use super::Read;
use super::people::side;
use super::records::{amounts, moment, money, optional_px, report, report_value};
use crate::entry::{EntryError, as_int, as_text, at_from, at_value};
use crate::input::{AccountSnapshot, VenueOrder};

pub(super) fn account_value(snapshot: &AccountSnapshot) -> Value {
    let balances = snapshot.balances.iter();
    let balances = balances.map(|(currency, amount)| (currency.clone(), amount.text().into()));
    let orders = snapshot.open_orders.iter().map(order_value);
    let mut value = json::object([
        ("balances", Value::Object(balances.collect())),
        ("fills", Value::List(snapshot.fills.iter().map(report_value).collect())),
        ("open_orders", Value::List(orders.collect())),
    ]);
    let time = |at: WallNs| Value::Text(at.0.to_string());
    let positions = snapshot.positions.as_ref().map(|positions| {
        let pairs = positions.iter().map(|(symbol, held)| (symbol.clone(), Value::Int(held.0)));
        Value::Object(pairs.collect())
    });
    let ledger = (!snapshot.ledger.is_empty())
        .then(|| Value::List(snapshot.ledger.iter().map(entry_value).collect()));
    add(
        &mut value,
        [
            ("asked_at", snapshot.asked_at.map(at_value)),
            ("fills_since", snapshot.fills_since.map(time)),
            ("ledger", ledger),
            ("ledger_since", snapshot.ledger_since.map(time)),
            ("positions", positions),
        ],
    );
    value
}

fn order_value(order: &VenueOrder) -> Value {
    let id = order.cl_ord_id.map_or(Value::Null, |id| id.to_string().into());
    if let (Some(side), Some(qty), Some(cum_qty)) = (order.side, order.qty, order.cum_qty) {
        return Value::List(vec![
            id,
            order.order_id.0.as_str().into(),
            side.name().into(),
            order.price.map_or(Value::Null, |px| Value::Int(px.units())),
            Value::Int(qty.units()),
            Value::Int(cum_qty.units()),
            Value::Int(order.leaves_qty.units()),
        ]);
    }
    let mut value = json::object([
        ("cl_ord_id", id),
        ("leaves_qty", Value::Int(order.leaves_qty.units())),
        ("order_id", order.order_id.0.as_str().into()),
    ]);
    let qty = |qty: Option<Qty>| qty.map(|qty| Value::Int(qty.units()));
    add(
        &mut value,
        [
            ("cum_qty", qty(order.cum_qty)),
            ("price", order.price.map(|px| Value::Int(px.units()))),
            ("qty", qty(order.qty)),
            ("side", order.side.map(|side| side.name().into())),
        ],
    );
    value
}

pub(crate) fn entry_value(entry: &LedgerEntry) -> Value {
    json::object([
        ("amount", entry.amount.text().into()),
        ("at", entry.at.0.to_string().into()),
        ("currency", entry.currency.as_str().into()),
        ("id", entry.id.0.as_str().into()),
        ("kind", entry.kind.name().into()),
    ])
}

/// Adds the keys that say something.
fn add<const N: usize>(value: &mut Value, keys: [(&str, Option<Value>); N]) {
    if let Value::Object(entries) = value {
        let said = keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        entries.extend(said);
    }
}

pub(super) fn account(value: &Value) -> Read<AccountSnapshot> {
    let mut fields = Fields::new(value)?;
    let time = |text: Option<&str>| text.map(moment).transpose();
    let snapshot = AccountSnapshot {
        asked_at: match fields.optional("asked_at") {
            None => None,
            Some(at) => Some(at_from(Fields::new(at)?)?),
        },
        open_orders: fields.list("open_orders")?.iter().map(order).collect::<Read<_>>()?,
        fills: fields.list("fills")?.iter().map(report).collect::<Read<_>>()?,
        fills_since: time(fields.optional_text("fills_since")?)?,
        balances: amounts(fields.object("balances")?)?,
        positions: fields.optional("positions").map(positions).transpose()?,
        ledger: match fields.optional("ledger") {
            None => Vec::new(),
            Some(Value::List(entries)) => entries.iter().map(entry).collect::<Read<_>>()?,
            Some(_) => return Err(EntryError::Value("ledger")),
        },
        ledger_since: time(fields.optional_text("ledger_since")?)?,
    };
    fields.finish()?;
    Ok(snapshot)
}

fn order(value: &Value) -> Read<VenueOrder> {
    if let Value::List(parts) = value {
        return whole_order(parts);
    }
    let mut fields = Fields::new(value)?;
    let qty = |units, key| Qty::new(units).ok_or(EntryError::Value(key));
    let order = VenueOrder {
        order_id: OrderId(fields.text("order_id")?.to_owned()),
        cl_ord_id: as_text(fields.value("cl_ord_id")?).and_then(ClOrdId::parse),
        leaves_qty: qty(fields.int("leaves_qty")?, "leaves_qty")?,
        side: fields.optional_text("side")?.map(side).transpose()?,
        price: match fields.optional_int("price")? {
            None => None,
            Some(units) => Some(Px::new(units).ok_or(EntryError::Value("price"))?),
        },
        qty: fields.optional_int("qty")?.map(|units| qty(units, "qty")).transpose()?,
        cum_qty: fields.optional_int("cum_qty")?.map(|units| qty(units, "cum_qty")).transpose()?,
    };
    fields.finish()?;
    Ok(order)
}

fn whole_order(parts: &[Value]) -> Read<VenueOrder> {
    let bad = || EntryError::Value("open_orders");
    let [id, order_id, side_name, price, qty, cum_qty, leaves_qty] = parts else {
        return Err(bad());
    };
    let units = |value| as_int(value).and_then(Qty::new).ok_or_else(bad);
    Ok(VenueOrder {
        order_id: OrderId(as_text(order_id).ok_or_else(bad)?.to_owned()),
        cl_ord_id: as_text(id).and_then(ClOrdId::parse),
        leaves_qty: units(leaves_qty)?,
        side: Some(side(as_text(side_name).ok_or_else(bad)?)?),
        price: optional_px(price)?,
        qty: Some(units(qty)?),
        cum_qty: Some(units(cum_qty)?),
    })
}

fn entry(value: &Value) -> Read<LedgerEntry> {
    let mut fields = Fields::new(value)?;
    let kind = fields.text("kind")?;
    let entry = LedgerEntry {
        id: LedgerEntryId(fields.text("id")?.to_owned()),
        kind: LedgerKind::from_name(kind).ok_or(EntryError::Value("kind"))?,
        currency: fields.text("currency")?.to_owned(),
        amount: money(fields.text("amount")?)?,
        at: moment(fields.text("at")?)?,
    };
    fields.finish()?;
    Ok(entry)
}

fn positions(value: &Value) -> Read<BTreeMap<String, Position>> {
    let bad = EntryError::Value("positions");
    let Value::Object(pairs) = value else { return Err(bad) };
    let held = |value| as_int(value).map(Position).ok_or_else(|| bad.clone());
    pairs.iter().map(|(symbol, value)| Ok((symbol.clone(), held(value)?))).collect()
}
