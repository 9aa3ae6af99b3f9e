//! What a session did, as the page shows it: fills, orders, denials, and the curves over them.
//!
//! Everything comes from the lines of `executions.jsonl` and from the market data that the entries
//! cite. Sums are exact; what would overflow is refused.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_domain::{Instrument, MarketEvent, Money, Position, Px, Qty, Side, WallNs};
use portcullis_statement::json::Value;

use super::series::Series;
use crate::CliError;
use crate::line::{at, int, moment, text};
use crate::market;
use crate::source::{Evidence, refused};

/// One execution that the house booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fill {
    pub(super) at: i64,
    pub(super) side: Side,
    pub(super) px: Px,
    pub(super) qty: Qty,
    pub(super) fee: Money,
}

/// A limit order from its approval to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resting {
    pub(super) side: Side,
    pub(super) px: Px,
    pub(super) from: i64,
    pub(super) until: Option<i64>,
}

/// What the lines tell.
#[derive(Debug, Default)]
pub(super) struct Story {
    pub(super) fills: Vec<Fill>,
    pub(super) resting: Vec<Resting>,
    /// When something was denied.
    pub(super) denials: Vec<i64>,
    /// Orders approved.
    pub(super) orders: u64,
    /// From an order's approval to the wire, in nanoseconds of the boot clock.
    pub(super) to_sent: Vec<i64>,
    /// From an order's approval to the venue's first word.
    pub(super) to_report: Vec<i64>,
    /// Booked executions of orders that the session did not make: they are in no curve.
    pub(super) not_ours: u64,
}

/// Curves over the session's time, and their ends.
#[derive(Debug)]
pub(super) struct Curves {
    /// Middle of the quote, in price units.
    pub(super) price: Series,
    /// Result of the session's fills, less fees.
    pub(super) result: Series,
    /// Fall of the result from its highest point.
    pub(super) drawdown: Series,
    /// What is held because of the session's fills, in quantity units.
    pub(super) position: Series,
    /// Value of that, without sign.
    pub(super) exposure: Series,
    /// Fees of all fills.
    pub(super) fees: Money,
    /// Value of all fills.
    pub(super) traded: Money,
}

/// An order of the session, while its lines are read.
struct Order {
    side: Side,
    boot: i64,
    resting: Option<usize>,
    sent: bool,
    reported: bool,
}

impl Story {
    /// Reads the lines.
    pub(super) fn read(
        evidence: &Evidence,
        instrument: &Instrument,
        lines: &[Value],
    ) -> Result<Self, CliError> {
        let booked: BTreeSet<(i64, &str)> = lines
            .iter()
            .filter(|line| text(line, &["kind"]) == Some("booked"))
            .filter_map(|line| Some((int(line, &["input"])?, text(line, &["corr"])?)))
            .collect();
        let mut reading = Reading {
            instrument,
            booked,
            story: Self::default(),
            orders: BTreeMap::new(),
            seen: BTreeSet::new(),
        };
        for line in lines {
            reading.take(line).ok_or_else(|| {
                let seq = at(line, &["seq"]).map_or_else(String::new, Value::canonical_text);
                refused("REPORT_LINE", &evidence.place, &format!("entry {seq} cannot be shown"))
            })?;
        }
        Ok(reading.story)
    }
}

struct Reading<'a> {
    instrument: &'a Instrument,
    /// Event and order of everything that was booked.
    booked: BTreeSet<(i64, &'a str)>,
    story: Story,
    orders: BTreeMap<&'a str, Order>,
    /// Executions that were counted: the venue tells of them more than once.
    seen: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Reading<'a> {
    /// `None` for a line that is not as such lines are.
    fn take(&mut self, line: &'a Value) -> Option<()> {
        let (kind, corr) = (text(line, &["kind"])?, text(line, &["corr"])?);
        let time = moment(text(line, &["time"])?)?.0;
        let boot: i64 = text(line, &["boot_ns"])?.parse().ok()?;
        match kind {
            "ordered" => self.ordered(line, corr, (time, boot))?,
            "denied" | "leg-denied" | "amend-denied" => self.story.denials.push(time),
            "sent" => {
                if let Some(order) = self.orders.get_mut(corr).filter(|order| !order.sent) {
                    order.sent = true;
                    self.story.to_sent.push(boot.checked_sub(order.boot)?);
                }
            }
            "report" | "shadow-report" | "account-fill" => {
                if let Some(order) = self.orders.get_mut(corr).filter(|order| !order.reported) {
                    order.reported = true;
                    if kind != "account-fill" {
                        self.story.to_report.push(boot.checked_sub(order.boot)?);
                    }
                }
                self.filled(line, corr, time)?;
            }
            "booked" if is_end(text(line, &["what", "status"])?) => self.ended(corr, time),
            "not-sent" | "order-dead" => self.ended(corr, time),
            _ => {}
        }
        Some(())
    }

    fn ordered(&mut self, line: &Value, corr: &'a str, (at, boot): (i64, i64)) -> Option<()> {
        self.story.orders = self.story.orders.checked_add(1)?;
        let side = side(text(line, &["what", "intent", "side"])?)?;
        let mut resting = None;
        if let Some(price) = text(line, &["numbers", "price"]) {
            let px = Px::parse(price, self.instrument.price_scale).ok()?;
            resting = Some(self.story.resting.len());
            self.story.resting.push(Resting { side, px, from: at, until: None });
        }
        self.orders.insert(corr, Order { side, boot, resting, sent: false, reported: false });
        Some(())
    }

    fn ended(&mut self, corr: &str, time: i64) {
        let resting = self.orders.get(corr).and_then(|order| order.resting);
        if let Some(resting) = resting.and_then(|at| self.story.resting.get_mut(at)) {
            resting.until.get_or_insert(time);
        }
    }

    /// Counts an execution that was booked, once.
    fn filled(&mut self, line: &'a Value, corr: &'a str, at: i64) -> Option<()> {
        let Some(exec_id) = text(line, &["what", "trade", "exec_id"]) else { return Some(()) };
        let booked = self.booked.contains(&(int(line, &["input"])?, corr));
        if !booked || !self.seen.insert((corr, exec_id)) {
            return Some(());
        }
        let Some(order) = self.orders.get(corr) else {
            self.story.not_ours = self.story.not_ours.checked_add(1)?;
            return Some(());
        };
        let number = |key| text(line, &["numbers", key]);
        self.story.fills.push(Fill {
            at,
            side: order.side,
            px: Px::parse(number("last_px")?, self.instrument.price_scale).ok()?,
            qty: Qty::parse(number("last_qty")?, self.instrument.qty_scale).ok()?,
            fee: Money::parse(number("fee")?).ok()?,
        });
        Some(())
    }
}

fn side(name: &str) -> Option<Side> {
    match name {
        "buy" => Some(Side::Buy),
        "sell" => Some(Side::Sell),
        _ => None,
    }
}

fn is_end(status: &str) -> bool {
    matches!(status, "filled" | "canceled" | "rejected" | "expired")
}

/// What the fills so far come to.
#[derive(Default)]
struct Tally {
    position: Position,
    cash: Money,
    fees: Money,
    traded: Money,
    peak: Money,
}

impl Tally {
    fn take(&mut self, fill: &Fill, instrument: &Instrument) -> Option<()> {
        let value = Money::notional(fill.px, fill.qty, instrument)?;
        let units = fill.qty.units();
        (self.position, self.cash) = match fill.side {
            Side::Buy => (self.position.plus(units)?, self.cash.minus(value)?),
            Side::Sell => (self.position.plus(units.checked_neg()?)?, self.cash.plus(value)?),
        };
        self.cash = self.cash.minus(fill.fee)?;
        self.fees = self.fees.plus(fill.fee)?;
        self.traded = self.traded.plus(value)?;
        Some(())
    }
}

/// Draws the curves: fills and quotes in the order of their times.
pub(super) fn curves(
    evidence: &Evidence,
    instrument: &Instrument,
    (story, span): (&Story, (WallNs, WallNs)),
) -> Result<Curves, CliError> {
    let span = (span.0.0, span.1.0);
    let new = || Series::new(span);
    let mut drawing = Drawing {
        instrument,
        fills: story.fills.as_slice(),
        tally: Tally::default(),
        mark: None,
        curves: Curves {
            price: new(),
            result: new(),
            drawdown: new(),
            position: new(),
            exposure: new(),
            fees: Money::ZERO,
            traded: Money::ZERO,
        },
    };
    let overflow = || refused("REPORT_RANGE", &evidence.place, "a sum of this session overflows");
    market::for_each(evidence, &mut |received, frame| {
        if let MarketEvent::Quote { bid, ask, .. } = &frame.event {
            drawing.fills_until(received.0).ok_or_else(overflow)?;
            drawing.quote(received.0, *bid, *ask).ok_or_else(overflow)?;
        }
        Ok(())
    })?;
    drawing.fills_until(i64::MAX).ok_or_else(overflow)?;
    let Tally { fees, traded, .. } = drawing.tally;
    Ok(Curves { fees, traded, ..drawing.curves })
}

struct Drawing<'a> {
    instrument: &'a Instrument,
    /// Those that are still to come.
    fills: &'a [Fill],
    tally: Tally,
    /// At what the position is valued.
    mark: Option<Px>,
    curves: Curves,
}

impl Drawing<'_> {
    fn fills_until(&mut self, at: i64) -> Option<()> {
        while let Some((fill, rest)) = self.fills.split_first().filter(|(fill, _)| fill.at <= at) {
            self.fills = rest;
            self.tally.take(fill, self.instrument)?;
            // Without any quote there is no other price than that of the fill.
            let mark = *self.mark.get_or_insert(fill.px);
            self.point(fill.at, mark)?;
        }
        Some(())
    }

    fn quote(&mut self, at: i64, bid: Px, ask: Px) -> Option<()> {
        let middle = bid.units().checked_add(ask.units())?.checked_div(2).and_then(Px::new)?;
        self.mark = Some(middle);
        self.curves.price.push(at, i128::from(middle.units()));
        self.point(at, middle)
    }

    fn point(&mut self, at: i64, mark: Px) -> Option<()> {
        let Tally { position, cash, .. } = self.tally;
        let held = Money::value(mark, position, self.instrument)?;
        let result = cash.plus(held)?;
        self.tally.peak = self.tally.peak.max(result);
        let drawdown = self.tally.peak.minus(result)?;
        self.curves.result.push(at, result.0);
        self.curves.drawdown.push(at, drawdown.0);
        self.curves.position.push(at, i128::from(position.0));
        self.curves.exposure.push(at, held.0.checked_abs()?);
        Some(())
    }
}
