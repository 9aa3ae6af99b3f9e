//! How far limits were used at most, as the session's entries tell it, one after the other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use portcullis_domain::time::{NS_PER_MS, NS_PER_S};
use portcullis_domain::{BootNs, Instrument, Money, OrdStatus, Px, Qty};
use portcullis_statement::json::{Fields, JsonError, Value};

use super::fault::RenderFault;
use super::item::Item;
use super::session::Session;
use crate::bytes::len_u64;

/// An order as far as limits count it.
#[derive(Clone, Debug)]
struct Working {
    symbol: String,
    plugin: Option<String>,
    buys: bool,
    qty: i64,
    filled: i64,
}

/// The most of everything, of one strategy or of all together.
#[derive(Clone, Debug, Default)]
pub(super) struct Activity {
    pub(super) open_orders: u64,
    pub(super) open_positions: u64,
    pub(super) proposals: u64,
    pub(super) orders: u64,
    pub(super) messages: u64,
    pub(super) executions: u64,
    pub(super) order_value: Option<Money>,
    /// The values of all orders together.
    pub(super) value: Option<Money>,
    sent: VecDeque<BootNs>,
    executed: VecDeque<BootNs>,
    holds: BTreeMap<String, i64>,
}

/// The most of everything in one instrument, in its own units.
#[derive(Clone, Debug, Default)]
pub(super) struct Traded {
    pub(super) order_qty: Option<i64>,
    pub(super) order_notional: Option<Money>,
    /// Held in the worst case of position and working orders, either way.
    pub(super) position: Option<i64>,
    pub(super) short: Option<i64>,
    pub(super) px_low: Option<i64>,
    pub(super) px_high: Option<i64>,
    held: Option<i64>,
}

/// What the entries of a session tell of the use of its limits.
#[derive(Clone, Debug, Default)]
pub(super) struct Peaks {
    pub(super) whole: Activity,
    pub(super) strategies: BTreeMap<String, Activity>,
    pub(super) instruments: BTreeMap<String, Traded>,
    orders: BTreeMap<String, Working>,
    /// Those of them that can still trade.
    open: BTreeSet<String>,
    proposed: BTreeMap<String, Option<String>>,
}

impl Peaks {
    /// Reads a session's entries.
    pub(super) fn of(session: &Session) -> Result<Self, RenderFault> {
        let mut peaks = Self::default();
        let approved = &session.approval.item;
        for carried in &approved.carried {
            let mut known = approved.instruments.iter();
            if let Some(of) = known.find(|instrument| instrument.id == carried.instrument) {
                peaks.whole.holds.insert(of.symbol.clone(), carried.position.0);
            }
        }
        for item in session.run() {
            peaks.take(session, item)?;
        }
        Ok(peaks)
    }

    /// Whose order it was, by its id.
    pub(super) fn plugin_of(&self, cl_ord_id: &str) -> Option<&str> {
        self.orders.get(cl_ord_id)?.plugin.as_deref()
    }

    fn take(&mut self, session: &Session, item: &Item) -> Result<(), RenderFault> {
        let id = &item.entry.corr;
        match item.kind() {
            "ordered" => self.ordered(session, item)?,
            "amend-requested" => {
                let (qty, price) = item.body(|body| {
                    let mut after = body.fields("after")?;
                    Ok((after.int("qty")?, after.int("price")?))
                })?;
                let Some(order) = self.orders.get_mut(id) else { return Ok(()) };
                order.qty = qty;
                let (symbol, plugin) = (order.symbol.clone(), order.plugin.clone());
                let instrument = session.instrument(&symbol);
                self.instruments.entry(symbol).or_default().order(instrument, (qty, price));
                self.each(plugin.as_deref(), |activity| activity.sent(item.entry.place.at.boot));
            }
            "booked" => self.booked(session, item)?,
            "not-sent" | "order-dead" => drop(self.open.remove(id)),
            "proposed" => {
                let (_, plugin) = item.body(|body| whose(session, body.value("intent")?))?;
                self.proposed.insert(id.clone(), plugin);
            }
            "proposal-ended" => drop(self.proposed.remove(id)),
            _ => return Ok(()),
        }
        self.look();
        Ok(())
    }

    fn ordered(&mut self, session: &Session, item: &Item) -> Result<(), RenderFault> {
        let id = item.entry.corr.clone();
        self.proposed.remove(&id);
        let (symbol, reserve, value) = item.body(|body| {
            let value = match body.value("value")? {
                Value::Text(text) => Money::parse(text).ok(),
                Value::Null
                | Value::Bool(_)
                | Value::Int(_)
                | Value::List(_)
                | Value::Object(_) => None,
            };
            Ok((body.text("symbol")?.to_owned(), body.int("reserve_px")?, value))
        })?;
        let (qty, price, buys, plugin) = item.body(|body| {
            let asked = body.value("intent")?;
            let mut intent = Fields::new(asked)?;
            let price = if *intent.value("price")? == Value::Null {
                reserve
            } else {
                intent.int("price")?
            };
            let (_, plugin) = whose(session, asked)?;
            Ok((intent.int("qty")?, price, intent.text("side")? == "buy", plugin))
        })?;
        let traded = self.instruments.entry(symbol.clone()).or_default();
        traded.order(session.instrument(&symbol), (qty, price));
        self.each(plugin.as_deref(), |activity| {
            activity.orders = activity.orders.saturating_add(1);
            activity.order_value = activity.order_value.max(value);
            let sum = activity.value.unwrap_or(Money::ZERO);
            activity.value = value.and_then(|value| sum.plus(value)).or(activity.value);
            activity.sent(item.entry.place.at.boot);
        });
        let order = Working { symbol, plugin, buys, qty, filled: 0 };
        self.open.insert(id.clone());
        self.orders.insert(id, order);
        Ok(())
    }

    fn booked(&mut self, session: &Session, item: &Item) -> Result<(), RenderFault> {
        let (filled, position, status) = item
            .body(|body| Ok((body.int("cum_qty")?, body.int("position")?, body.text("status")?)))?;
        let Some(order) = self.orders.get_mut(&item.entry.corr) else { return Ok(()) };
        let executed = filled.saturating_sub(order.filled);
        order.filled = filled;
        let order = order.clone();
        if OrdStatus::ALL.into_iter().any(|one| one.name() == status && !one.is_open()) {
            self.open.remove(&item.entry.corr);
        }
        self.instruments.entry(order.symbol.clone()).or_default().held = Some(position);
        self.whole.holds.insert(order.symbol.clone(), position);
        if executed == 0 {
            return Ok(());
        }
        let now = item.entry.place.at.boot;
        let limits = &session.approval.item.limits;
        self.whole.executed(now, limits.account.activity.repeat_window_ms);
        let plugin = order.plugin.as_deref();
        let named = |name: &&portcullis_domain::Name| Some(name.as_str()) == plugin;
        if let Some(name) = limits.strategies.keys().find(named)
            && let Some(window) = limits.strategies.get(name).map(|limits| limits.repeat_window_ms)
        {
            let own = self.strategies.entry(name.to_string()).or_default();
            own.executed(now, window);
            let moved = if order.buys { executed } else { executed.saturating_neg() };
            let held = own.holds.entry(order.symbol).or_default();
            *held = held.saturating_add(moved);
        }
        Ok(())
    }

    /// Where everything stands after an entry.
    fn look(&mut self) {
        let Self { whole, strategies, instruments, orders, open, proposed } = self;
        let open = || open.iter().filter_map(|id| orders.get(id));
        whole.look(open(), proposed.len());
        for (name, own) in strategies {
            let of = |plugin: &Option<String>| plugin.as_deref() == Some(name);
            let waiting = proposed.values().filter(|plugin| of(plugin)).count();
            own.look(open().filter(|order| of(&order.plugin)), waiting);
        }
        for (symbol, traded) in instruments {
            traded.look(open().filter(|order| order.symbol == *symbol));
        }
    }

    fn each(&mut self, plugin: Option<&str>, change: impl Fn(&mut Activity)) {
        change(&mut self.whole);
        if let Some(plugin) = plugin {
            change(self.strategies.entry(plugin.to_owned()).or_default());
        }
    }
}

impl Activity {
    fn sent(&mut self, now: BootNs) {
        self.messages = self.messages.max(within(&mut self.sent, now, NS_PER_S));
    }

    fn executed(&mut self, now: BootNs, window_ms: u32) {
        let window = i64::from(window_ms).saturating_mul(NS_PER_MS);
        self.executions = self.executions.max(within(&mut self.executed, now, window));
    }

    fn look<'a>(&mut self, open: impl Iterator<Item = &'a Working>, proposals: usize) {
        let (mut count, mut symbols) = (0_u64, BTreeSet::new());
        for order in open {
            count = count.saturating_add(1);
            symbols.insert(&order.symbol);
        }
        symbols.extend(self.holds.iter().filter(|(_, held)| **held != 0).map(|(symbol, _)| symbol));
        self.open_orders = self.open_orders.max(count);
        self.open_positions = self.open_positions.max(len_u64(symbols.len()));
        self.proposals = self.proposals.max(len_u64(proposals));
    }
}

impl Traded {
    fn order(&mut self, instrument: Option<&Instrument>, (qty, price): (i64, i64)) {
        self.order_qty = self.order_qty.max(Some(qty));
        let notional = Px::new(price).zip(Qty::new(qty)).zip(instrument);
        let notional = notional.and_then(|((px, qty), of)| Money::notional(px, qty, of));
        self.order_notional = self.order_notional.max(notional);
        self.px_high = self.px_high.max(Some(price));
        self.px_low = [self.px_low, Some(price)].into_iter().flatten().min();
    }

    /// The venue's first word on an order of the session tells the position.
    fn look<'a>(&mut self, open: impl Iterator<Item = &'a Working>) {
        let Some(held) = self.held else { return };
        let (mut most, mut least) = (held, held);
        for order in open {
            let leaves = order.qty.saturating_sub(order.filled);
            if order.buys {
                most = most.saturating_add(leaves);
            } else {
                least = least.saturating_sub(leaves);
            }
        }
        let worst = most.saturating_abs().max(least.saturating_abs());
        self.position = self.position.max(Some(worst));
        self.short = self.short.max(Some(least.saturating_neg().max(0)));
    }
}

/// How many there are now within the window that ends with this one.
fn within(moments: &mut VecDeque<BootNs>, now: BootNs, window_ns: i64) -> u64 {
    moments.push_back(now);
    while moments.front().is_some_and(|first| now.since_ns(*first) >= window_ns) {
        moments.pop_front();
    }
    len_u64(moments.len())
}

/// The symbol and the strategy of an intent; a person's order has no strategy.
pub(super) fn whose(
    session: &Session,
    intent: &Value,
) -> Result<(String, Option<String>), JsonError> {
    let mut intent = Fields::new(intent)?;
    let id = intent.uint("instrument")?;
    let mut known = session.approval.item.instruments.iter();
    let instrument = known.find(|instrument| u64::from(instrument.id.0) == id);
    let symbol = instrument.map_or_else(String::new, |instrument| instrument.symbol.clone());
    let number = intent.uint("plugin").ok().and_then(|number| usize::try_from(number).ok());
    let plugin = number.and_then(|number| session.approval.item.plugins.get(number));
    Ok((symbol, plugin.map(|plugin| plugin.name.to_string())))
}
