//! What people see: may I trade, why not, what is open, what next.

use std::collections::BTreeMap;

use portcullis_domain::policy::guards::Guard;
use portcullis_domain::{Instrument, Phase, Px};
use portcullis_gate::{GuardState, Standing};
use portcullis_statement::json::{self, Value};

use crate::entry::int;
use crate::guards::guard_words;
use crate::market::MarketCounts;
use crate::plugin::PluginDesk;
use crate::proposals::ProposalView;
use crate::state::{Core, LiveSession};

/// One open order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderView {
    /// FIX 11.
    pub cl_ord_id: String,
    /// Our symbol.
    pub symbol: String,
    /// `buy 0.5 @ 100.0`, with ` -> 0.7 @ 99.0` while a change is on its way.
    pub what: String,
    /// FIX 39.
    pub status: &'static str,
    /// FIX 14, as decimal text.
    pub cum_qty: String,
}

/// One holding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PositionView {
    /// Our symbol.
    pub symbol: String,
    /// Signed quantity as decimal text.
    pub qty: String,
    /// Average price as decimal text, if anything is held.
    pub avg_px: Option<String>,
    /// Profit of the session so far, as decimal text in the quote currency; `None` without a mark.
    pub profit: Option<String>,
    /// Fees paid, as decimal text.
    pub fees: String,
}

/// One finding of reconciliation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingView {
    /// Its number.
    pub number: u64,
    /// `RECON_…`.
    pub code: &'static str,
    /// What it leads to, such as `REDUCE_ONLY`.
    pub outcome: &'static str,
    /// `adopted`, `open`, `explained` or `confirmed`.
    pub state: &'static str,
    /// Whether the last reading still shows it.
    pub shown: bool,
    /// One line: what differs, and by what figures.
    pub text: String,
    /// What it is about: an order, an execution, a symbol, a currency, an entry of the ledger.
    pub subject: String,
    /// What the house has booked, if it has anything.
    pub ours: Option<String>,
    /// What the venue states, if it states anything.
    pub venue: Option<String>,
    /// Who explained it, and what was behind it.
    pub explained: Option<(String, String)>,
    /// Who agreed with that.
    pub confirmed: Option<String>,
}

/// The kernel as people see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Name of the open session.
    pub session: Option<String>,
    /// Phase number and name of the open session.
    pub phase: Option<(u8, &'static str)>,
    /// Why nothing new may be traded; empty means that it may.
    pub blocked: Vec<String>,
    /// What protects positions, where it is blind, and where it is lost; one line each.
    pub protection: Vec<String>,
    /// Orders that can still trade.
    pub orders: Vec<OrderView>,
    /// Proposals that wait for a person's word, oldest first.
    pub proposals: Vec<ProposalView>,
    /// What is held.
    pub positions: Vec<PositionView>,
    /// Verdicts of the session by code.
    pub verdicts: BTreeMap<String, u64>,
    /// What came in from the market.
    pub market: MarketCounts,
    /// Age of the newest quote when this was made, in milliseconds; `None` without a quote.
    pub feed_age_ms: Option<i64>,
    /// Kills so far.
    pub kill_seq: u64,
    /// Entry of the present kill, for the unkill statement.
    pub kill_entry: Option<String>,
    /// Where each guard stands: `not required`, `alive` or `missing`.
    pub guards: BTreeMap<&'static str, &'static str>,
    /// Who cosigns the journal, in the roster's words, then what each of them last signed.
    pub witnesses: Vec<String>,
    /// What the scribe last claimed about copies; `None` if it claimed nothing in this run.
    pub copies: Option<String>,
    /// What this start drew: burns are bound to it. `None` before the start.
    pub run: Option<u32>,
    /// Share of the limits that new exposure may use, in percent.
    pub size_percent: u32,
    /// Sessions by state.
    pub sessions: BTreeMap<String, &'static str>,
    /// Each session that has ended and is not sealed, and until when it has to be.
    pub seals: Vec<String>,
    /// Differences between account and house; `None` before they were compared.
    pub differences: Option<Vec<String>>,
    /// Findings that are shown or wait for people, and the newest of the rest; oldest first.
    pub findings: Vec<FindingView>,
    /// What was earned (above zero) or paid beside trading, by currency, as decimal text.
    pub carry: BTreeMap<String, String>,
}

impl Core {
    /// The present view.
    #[must_use]
    pub fn view(&self) -> View {
        let live = self.live.as_ref();
        View {
            session: live.map(|live| live.name.to_string()),
            phase: live.map(|live| (live.gate.phase().number(), live.gate.phase().name())),
            blocked: self.blocked(),
            protection: self.protection(),
            orders: self.order_views(),
            proposals: self.proposal_views(),
            positions: self.position_views(),
            verdicts: live.map_or_else(BTreeMap::new, LiveSession::verdict_counts),
            market: live.map_or_else(MarketCounts::default, |live| live.market.counts),
            feed_age_ms: live.and_then(|live| live.market.age_ms(self.place.at)),
            kill_seq: self.kill_seq,
            kill_entry: self.kill_entry().map(portcullis_statement::Digest::hex),
            guards: Guard::ALL
                .map(|guard| (guard.name(), guard_words(self.guard_state(guard))))
                .into(),
            witnesses: self.witness_lines(),
            copies: self.copies_line(),
            run: self.identity.as_ref().map(|identity| identity.start.draw),
            size_percent: self.size_percent(self.place.at),
            sessions: self
                .sessions
                .iter()
                .map(|(name, state)| {
                    let state = self.session_state(name).unwrap_or(*state);
                    (name.to_string(), state.name())
                })
                .collect(),
            seals: self.seal_lines(),
            differences: self.differences.clone(),
            findings: self.finding_views(),
            carry: self
                .account
                .carry()
                .iter()
                .map(|(currency, amount)| (currency.clone(), amount.text()))
                .collect(),
        }
    }

    /// Every reason for which no new order could leave now.
    fn blocked(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if let Some(kill) = &self.kill {
            reasons.push(format!("KILL_ACTIVE: kill {} ({})", kill.seq, kill.reason));
        }
        reasons.extend(self.stop_reasons());
        match &self.live {
            None => reasons.push("APPROVAL_MISSING: no session is open".to_owned()),
            Some(live) if live.closing.is_some() => {
                reasons.push("OUTSIDE_SESSION_WINDOW: the session is closing".to_owned());
            }
            Some(live) if live.reduce_only => {
                reasons.push("REDUCE_ONLY: the carried position was not approved".to_owned());
            }
            Some(_) => {}
        }
        reasons.extend(self.live.iter().flat_map(LiveSession::blocked));
        reasons.extend(self.held_back());
        reasons.extend(self.naked());
        if self.evidence_full {
            reasons.push("EVIDENCE_UNWRITABLE: journal or outbox is full".to_owned());
        }
        if !self.is_shadow() {
            if !self.venue_up {
                reasons.push("RECON_UNRESOLVED: no link to the venue".to_owned());
            } else if self.differences.is_some() && !self.recon.fresh {
                let text = "RECON_UNRESOLVED: not compared since the link came up";
                reasons.push(text.to_owned());
            }
            match &self.differences {
                None => reasons.push("RECON_UNRESOLVED: not compared yet".to_owned()),
                Some(list) => {
                    reasons.extend(list.iter().map(|text| format!("RECON_UNRESOLVED: {text}")));
                }
            }
        }
        reasons
    }

    /// Guards that are missing, and a cooldown that is not over.
    fn held_back(&self) -> Vec<String> {
        let missing = |guard: &Guard| self.guard_state(*guard) == GuardState::Missing;
        let guards = Guard::ALL.into_iter().filter(missing);
        let guards = guards.map(|guard| format!("{}: {} is missing", guard.code(), guard.name()));
        let cooling = self.kill.is_none() && self.size_percent(self.place.at) == 0;
        let cooling = cooling.then(|| "COOLDOWN: nothing new so soon after a kill".to_owned());
        guards.chain(cooling).collect()
    }

    fn order_views(&self) -> Vec<OrderView> {
        let ledger = self.ledger();
        let view = |order: &portcullis_domain::Order| {
            let instrument = ledger.instrument_of(order.cl_ord_id)?;
            let price = order
                .intent
                .price
                .map_or_else(|| "market".to_owned(), |px| px.text(instrument.price_scale));
            let qty = order.intent.qty.text(instrument.qty_scale);
            // Either terms may hold while a change is on its way.
            let change = order.pending.map_or_else(String::new, |change| {
                let qty = change.qty.text(instrument.qty_scale);
                format!(" -> {qty} @ {}", change.price.text(instrument.price_scale))
            });
            Some(OrderView {
                cl_ord_id: order.cl_ord_id.to_string(),
                symbol: instrument.symbol.clone(),
                what: format!("{} {qty} @ {price}{change}", order.intent.side.name()),
                status: order.status.name(),
                cum_qty: order.cum_qty.text(instrument.qty_scale),
            })
        };
        ledger.orders.open().filter_map(view).collect()
    }

    fn position_views(&self) -> Vec<PositionView> {
        let ledger = self.ledger();
        let known = |symbol: &str| self.instruments.get(symbol);
        let view = |(symbol, holding): (&str, &crate::ledger::Holding)| {
            let instrument = known(symbol)?;
            let avg_px = holding.avg_px(instrument);
            Some(PositionView {
                symbol: symbol.to_owned(),
                qty: holding.position.text(instrument.qty_scale),
                avg_px: avg_px.map(|px| px.text(instrument.price_scale)),
                profit: self.profit(instrument).map(portcullis_domain::Money::text),
                fees: holding.fees.text(),
            })
        };
        ledger.holdings().filter_map(view).collect()
    }

    /// Profit since the opening of the session, marked at the middle of the newest quote.
    pub(crate) fn profit(&self, instrument: &Instrument) -> Option<portcullis_domain::Money> {
        let live = self.live.as_ref()?;
        let id = live.symbols.iter().find(|(_, symbol)| **symbol == instrument.symbol)?.0;
        let mark: Option<Px> = live.market.mark(*id);
        let now = self.ledger().holding(&instrument.symbol).profit(mark, instrument)?;
        now.minus(*live.baseline.get(&instrument.symbol)?)
    }

    /// What is carried into a session has earned something already: it is marked when the first
    /// quote is there, and only what comes after counts for the session.
    pub(crate) fn set_baselines(&mut self) {
        let Some(live) = self.live.as_ref() else { return };
        if live.baseline.len() == live.symbols.len() {
            return;
        }
        let ledger = self.ledger();
        let missing = live.gate.instruments().iter();
        let missing = missing.filter(|i| !live.baseline.contains_key(&i.symbol));
        let marked: Vec<_> = missing
            .filter_map(|i| {
                let before = ledger.holding(&i.symbol).profit(live.market.mark(i.id), i)?;
                Some((i.symbol.clone(), before))
            })
            .collect();
        if let Some(live) = self.live.as_mut() {
            live.baseline.extend(marked);
        }
    }

    /// What a closed session leaves in the journal.
    pub(crate) fn summary(&self) -> Value {
        let view = self.view();
        let counts = view.market;
        let verdicts = view.verdicts.iter();
        let verdicts = verdicts.map(|(code, count)| (code.clone(), int(*count))).collect();
        let positions = view.positions.iter().map(|position| {
            let text = |text: &Option<String>| {
                text.as_ref().map_or(Value::Null, |text| text.as_str().into())
            };
            json::object([
                ("avg_px", text(&position.avg_px)),
                ("fees", position.fees.as_str().into()),
                ("profit", text(&position.profit)),
                ("qty", position.qty.as_str().into()),
                ("symbol", position.symbol.as_str().into()),
            ])
        });
        let desks = self.live.iter().flat_map(|live| &live.desks).map(|desk| {
            json::object([
                ("events", int(desk.events_delivered)),
                ("fuel", int(desk.fuel_used)),
                ("name", desk.name.as_str().into()),
            ])
        });
        json::object([
            (
                "market",
                json::object([
                    ("frames", int(counts.frames)),
                    ("gaps", int(counts.gaps)),
                    ("levels", int(counts.levels)),
                    ("quotes", int(counts.quotes)),
                    ("trades", int(counts.trades)),
                ]),
            ),
            ("plugins", Value::List(desks.collect())),
            ("positions", Value::List(positions.collect())),
            ("verdicts", Value::Object(verdicts)),
        ])
    }
}

impl LiveSession {
    /// What of the session itself stands in the way.
    fn blocked(&self) -> Vec<String> {
        let phase = self.gate.phase();
        let live = (phase == Phase::PreLive)
            .then(|| format!("LIVE_LOCKED: phase {} lets nothing out", phase.number()));
        let suspended = |desk: &&PluginDesk| desk.standing == Standing::Suspended;
        let stopped = self.desks.iter().filter(suspended);
        let stopped = stopped.map(|desk| format!("PLUGIN_SUSPENDED: {}", desk.name));
        live.into_iter().chain(stopped).collect()
    }

    fn verdict_counts(&self) -> BTreeMap<String, u64> {
        self.verdicts.iter().map(|(code, count)| ((*code).to_owned(), *count)).collect()
    }
}
