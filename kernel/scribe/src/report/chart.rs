//! Charts as SVG, each drawn twice: wide for desks and paper, narrow for phones.
//!
//! Lengths are tenths of a pixel and whole numbers. Nothing foreign is drawn but symbols, and those
//! pass the escaper.

use portcullis_domain::Side;

use super::axis::{Axis, scaled, time_ticks};
use super::series::Series;

/// A curve, or whatever else a chart shows.
#[derive(Clone, Debug)]
pub(super) enum Mark<'a> {
    /// The last values as a line, with lowest and highest around it.
    Line(&'a Series, &'static str),
    /// From zero to the worst of the values, each held to the next.
    Area(&'a Series, &'static str),
    /// A level that holds all the time, with what it is.
    Level(i128, String),
    /// Moments and values with a triangle each: up for a purchase, down for a sale.
    Fills(Vec<(i64, i128, Side)>),
    /// From a moment to another at a value.
    Spans(Vec<(i64, i64, i128)>),
    /// Moments on the floor.
    Floor(Vec<i64>),
    /// A moment from top to bottom.
    Moments(Vec<i64>),
}

/// One chart.
#[derive(Clone, Debug)]
pub(super) struct Chart<'a> {
    /// What it shows, for those who do not see it; ours.
    pub(super) name: &'static str,
    /// The session's time, nanoseconds since 1970.
    pub(super) span: (i64, i64),
    /// Decimals of its values.
    pub(super) scale: u8,
    /// Height of the plot in tenths of a pixel.
    pub(super) height: i64,
    /// Values that must be seen, besides those of the curves.
    pub(super) holds: Vec<i128>,
    /// From the back to the front.
    pub(super) marks: Vec<Mark<'a>>,
}

/// Room around the plot.
const TOP: i64 = 80;
const BOTTOM: i64 = 240;
const RIGHT: i64 = 720;
/// Fills from which on their triangles are smaller.
const CROWD: usize = 60;

impl Chart<'_> {
    /// The chart for both kinds of screen.
    pub(super) fn html(&self) -> String {
        [("wide", 9_200, 5, 8), ("narrow", 3_500, 4, 6)]
            .map(|(class, width, steps, times)| self.svg(class, width, (steps, times)))
            .concat()
    }

    fn svg(&self, class: &str, width: i64, (steps, times): (i128, i64)) -> String {
        let plot = Plot {
            axis: self.axis(steps),
            span: self.span,
            width: width.saturating_sub(RIGHT),
            height: self.height,
        };
        let whole = TOP.saturating_add(self.height).saturating_add(BOTTOM);
        let mut svg = format!(
            "<svg class=\"chart {class}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">",
            px(width),
            px(whole),
            self.name
        );
        svg.push_str(&plot.grid(times));
        for mark in &self.marks {
            svg.push_str(&plot.mark(mark));
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn axis(&self, steps: i128) -> Axis {
        let mut values = self.holds.clone();
        for mark in &self.marks {
            match mark {
                Mark::Line(series, _) | Mark::Area(series, _) => {
                    values.extend(series.min().into_iter().chain(series.max()));
                }
                Mark::Fills(fills) => values.extend(fills.iter().map(|fill| fill.1)),
                Mark::Level(..) | Mark::Spans(_) | Mark::Floor(_) | Mark::Moments(_) => {}
            }
        }
        let low = values.iter().copied().min().unwrap_or(0);
        let high = values.iter().copied().max().unwrap_or(0);
        Axis::over(low, high, self.scale, steps)
    }
}

/// Where things lie.
struct Plot {
    axis: Axis,
    span: (i64, i64),
    width: i64,
    height: i64,
}

impl Plot {
    fn x(&self, at: i64) -> i64 {
        let (from, until) = self.span;
        let part = at.clamp(from, until.max(from)).saturating_sub(from);
        scaled(i128::from(part), i128::from(until.saturating_sub(from)), self.width)
    }

    fn y(&self, value: i128) -> i64 {
        TOP.saturating_add(self.axis.place(value, self.height))
    }

    fn floor(&self) -> i64 {
        TOP.saturating_add(self.height)
    }

    /// Lines and labels of both axes.
    fn grid(&self, times: i64) -> String {
        let (right, floor) = (px(self.width), px(self.floor()));
        let mut out = String::new();
        for (value, label) in self.axis.ticks() {
            let y = self.y(value);
            let class = if value == 0 { "zero" } else { "grid" };
            let piece = format!("<path class=\"{class}\" d=\"M0 {y}H{right}\"/>", y = px(y));
            out.push_str(&piece);
            let (x, y) = (px(self.width.saturating_add(70)), px(y.saturating_add(38)));
            let piece = format!("<text x=\"{x}\" y=\"{y}\">{label}</text>");
            out.push_str(&piece);
        }
        for (at, label) in time_ticks(self.span, times) {
            let x = self.x(at);
            // A label at the very edge would be cut.
            if x < 250 || x > self.width.saturating_sub(250) {
                continue;
            }
            let (x, y) = (px(x), px(self.floor().saturating_add(170)));
            let end = px(self.floor().saturating_add(40));
            let piece = format!("<path class=\"tick\" d=\"M{x} {floor}V{end}\"/>");
            out.push_str(&piece);
            let piece = format!("<text class=\"time\" x=\"{x}\" y=\"{y}\">{label}</text>");
            out.push_str(&piece);
        }
        out
    }

    fn mark(&self, mark: &Mark<'_>) -> String {
        match mark {
            Mark::Line(series, class) => self.band(series, class) + &self.line(series, class),
            Mark::Area(series, class) => self.area(series, class),
            Mark::Level(value, label) => self.level(*value, label),
            Mark::Fills(fills) => {
                [Side::Buy, Side::Sell].map(|side| self.triangles(fills, side)).concat()
            }
            Mark::Spans(spans) => {
                let line = |(from, until, value): &(i64, i64, i128)| {
                    let (x, end, y) = (self.x(*from), self.x(*until), self.y(*value));
                    let end = end.max(x.saturating_add(20));
                    format!("M{} {}H{}", px(x), px(y), px(end))
                };
                let inside = spans.iter().filter(|it| self.axis.holds(it.2));
                path("resting", &inside.map(line).collect::<String>())
            }
            Mark::Floor(moments) => self.upright("denials", moments, 120),
            Mark::Moments(moments) => self.upright("moment", moments, self.height),
        }
    }

    fn upright(&self, class: &str, moments: &[i64], height: i64) -> String {
        let mut places: Vec<i64> = moments.iter().map(|at| self.x(*at)).collect();
        places.dedup();
        let top = px(self.floor().saturating_sub(height));
        let floor = px(self.floor());
        let line = |x: &i64| format!("M{} {floor}V{top}", px(*x));
        path(class, &places.iter().map(line).collect::<String>())
    }

    fn line(&self, series: &Series, class: &str) -> String {
        let mut d = String::new();
        for bucket in series.buckets() {
            let verb = if d.is_empty() { 'M' } else { 'L' };
            let (x, y) = (px(self.x(bucket.at)), px(self.y(bucket.last)));
            let piece = format!("{verb}{x} {y}");
            d.push_str(&piece);
        }
        // What was last holds to the end.
        if !d.is_empty() {
            let piece = format!("H{}", px(self.width));
            d.push_str(&piece);
        }
        path(class, &d)
    }

    /// From the lowest to the highest value of each bucket.
    fn band(&self, series: &Series, class: &str) -> String {
        let line = |bucket: &super::series::Bucket| {
            let (x, low, high) = (self.x(bucket.at), self.y(bucket.min), self.y(bucket.max));
            format!("M{} {}V{}", px(x), px(low), px(high))
        };
        let moved = series.buckets().iter().filter(|bucket| bucket.min != bucket.max);
        path(&format!("{class} band"), &moved.map(line).collect::<String>())
    }

    fn area(&self, series: &Series, class: &str) -> String {
        let zero = px(self.y(0));
        let mut d = String::new();
        for bucket in series.buckets() {
            // The worst of the bucket: a drawdown that was there is seen.
            let worst =
                if bucket.max.saturating_neg() > bucket.min { bucket.min } else { bucket.max };
            let (x, y) = (px(self.x(bucket.at)), px(self.y(worst)));
            let begin = if d.is_empty() { format!("M{x} {zero}") } else { format!("H{x}") };
            d = d + &begin + "V" + &y;
        }
        if !d.is_empty() {
            let piece = format!("H{}V{zero}Z", px(self.width));
            d.push_str(&piece);
        }
        path(class, &d)
    }

    /// A level outside of the axis is not drawn: its label says where it is, below the chart.
    fn level(&self, value: i128, label: &str) -> String {
        if !self.axis.holds(value) {
            return String::new();
        }
        let y = self.y(value);
        let line = path("limit", &format!("M0 {}H{}", px(y), px(self.width)));
        let below = y.saturating_add(130);
        line + &format!("<text class=\"limit\" x=\"4\" y=\"{}\">{label}</text>", px(below))
    }

    fn triangles(&self, fills: &[(i64, i128, Side)], wanted: Side) -> String {
        let class = if wanted == Side::Buy { "buy" } else { "sell" };
        let mut places: Vec<(i64, i64)> = fills
            .iter()
            .filter(|(_, _, side)| *side == wanted)
            .map(|(at, value, _)| (self.x(*at), self.y(*value)))
            .collect();
        places.dedup();
        // Many are drawn smaller, so that the price is seen behind them.
        let (half, high): (i64, i64) = if fills.len() > CROWD { (28, 50) } else { (42, 74) };
        let shape = |(x, y): &(i64, i64)| {
            let (tip, slope) = match wanted {
                Side::Buy => (y.saturating_add(12), high),
                Side::Sell => (y.saturating_sub(12), high.saturating_neg()),
            };
            let width = px(half.saturating_add(half));
            format!("M{} {}l{} {}h-{width}z", px(*x), px(tip), px(half), px(slope))
        };
        path(class, &places.iter().map(shape).collect::<String>())
    }
}

/// Nothing for a path without any line.
fn path(class: &str, d: &str) -> String {
    if d.is_empty() { String::new() } else { format!("<path class=\"{class}\" d=\"{d}\"/>") }
}

/// Tenths of a pixel as SVG has them.
pub(super) fn px(tenths: i64) -> String {
    let sign = if tenths < 0 { "-" } else { "" };
    let (whole, tenth) = (tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10);
    if tenth == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{tenth}") }
}

/// A bar of `part` within `whole`, as wide as its cell.
pub(super) fn bar(part: i128, whole: i128, class: &str) -> String {
    let width = scaled(part.clamp(0, whole.max(0)), whole, 1_000);
    // What is there is seen, however little it is.
    let width = if part > 0 { width.max(8) } else { width };
    format!(
        "<svg class=\"bar\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect class=\"rail\" width=\"100\" height=\"8\"/>\
         <rect class=\"{class}\" width=\"{}\" height=\"8\"/></svg>",
        px(width)
    )
}
