//! Cards, charts and verdicts.

use portcullis_domain::number::format_scaled_short;
use portcullis_domain::{InstrumentId, Side};
use portcullis_statement::json::Value;

use super::Report;
use super::axis::grouped;
use super::chart::{Chart, Mark, bar};
use super::page::{foreign, money};
use crate::line::at;

/// Decimals of money.
const MONEY_SCALE: u8 = 18;

/// The numbers that everybody asks for first.
pub(super) fn cards(report: &Report<'_>) -> String {
    let (curves, story) = (&report.curves, &report.story);
    let result = curves.result.last().unwrap_or(0);
    let drawdown = curves.drawdown.max().unwrap_or(0);
    let class = match result {
        0 => "",
        1.. => " class=\"gain\"",
        _ => " class=\"loss\"",
    };
    let quote = foreign(&report.instrument.quote);
    let alerts = report.rows.iter().filter(|row| row.is_alert()).count();
    let critical = report.rows.iter().filter(|row| row.is_critical()).count();
    let sign = if result > 0 { "+" } else { "" };
    let card = |name: &str, class: &str, value: &str, small: &str| {
        format!("<div><dt>{name}</dt><dd{class}>{value}<small>{small}</small></dd></div>\n")
    };
    [
        "<dl class=\"cards\">\n".to_owned(),
        card("Result", class, &format!("{sign}{}", money(result)), &format!("{quote}, after fees")),
        card("Fees", "", &money(curves.fees.0), &quote),
        card("Worst drawdown", "", &money(drawdown), &quote),
        card(
            "Fills",
            "",
            &count(story.fills.len()),
            &format!("{} {quote} traded", money(curves.traded.0)),
        ),
        card(
            "Orders",
            "",
            &grouped(&story.orders.to_string()),
            &format!("{} denied", count(story.denials.len())),
        ),
        card("Alerts", "", &count(alerts), &format!("{critical} critical")),
        "</dl>\n".to_owned(),
    ]
    .concat()
}

fn count(number: usize) -> String {
    grouped(&number.to_string())
}

fn span(report: &Report<'_>) -> (i64, i64) {
    (report.span.0.0, report.span.1.0)
}

/// Price with orders and fills.
pub(super) fn price(report: &Report<'_>) -> String {
    let (story, instrument) = (&report.story, report.instrument);
    let fills = story.fills.iter().map(|it| (it.at, i128::from(it.px.units()), it.side));
    let until = report.span.1.0;
    let spans = story
        .resting
        .iter()
        .map(|it| (it.from, it.until.unwrap_or(until), i128::from(it.px.units())));
    let critical = report.rows.iter().filter(|row| row.is_critical()).map(|row| row.at);
    let chart = Chart {
        name: "Price with orders and fills",
        span: span(report),
        scale: instrument.price_scale,
        height: 2_800,
        holds: Vec::new(),
        marks: vec![
            Mark::Line(&report.curves.price, "price"),
            Mark::Spans(spans.collect()),
            Mark::Fills(fills.collect()),
            Mark::Floor(story.denials.clone()),
            Mark::Moments(critical.collect()),
        ],
    };
    let bought = story.fills.iter().filter(|fill| fill.side == Side::Buy).count();
    let sold = story.fills.len().saturating_sub(bought);
    let unknown = match story.not_ours {
        0 => String::new(),
        number => format!(
            "<p class=\"note\">{number} fills of orders from before this session are in no chart.\
             </p>\n"
        ),
    };
    format!(
        "<h2>Price</h2>\n<p class=\"note\">Middle of the best bid and offer of {symbol}, in \
         {quote}; the faint line is its range.</p>\n<ul class=\"key\">\
         <li><i class=\"up\">▲</i>bought, {bought}</li><li><i class=\"down\">▼</i>sold, {sold}</li>\
         <li><i>—</i>limit order, while it stood</li><li><i class=\"no\">|</i>denied, {denied}</li>\
         <li><i class=\"cut\">┆</i>critical alert</li></ul>\n{unknown}{chart}",
        symbol = foreign(&instrument.symbol),
        quote = foreign(&instrument.quote),
        denied = count(story.denials.len()),
        chart = chart.html(),
    )
}

/// Result, drawdown and exposure.
pub(super) fn result(report: &Report<'_>) -> String {
    let quote = foreign(&report.instrument.quote);
    let money_chart = |name, height, marks| Chart {
        name,
        span: span(report),
        scale: MONEY_SCALE,
        height,
        holds: vec![0],
        marks,
    };
    let curves = &report.curves;
    let result = money_chart("Result", 1_700, vec![Mark::Line(&curves.result, "price")]);
    let drawdown = money_chart("Drawdown", 900, vec![Mark::Area(&curves.drawdown, "drawdown")]);
    format!(
        "<h2>Result and drawdown</h2>\n<p class=\"note\">Cash of the session\u{2019}s fills less \
         fees, and what they left at the middle price, in {quote}.</p>\n{}\
         <p class=\"note\">Drawdown: fall from the highest result so far, in {quote}.</p>\n{}{}",
        result.html(),
        drawdown.html(),
        exposure(report, &quote),
    )
}

fn exposure(report: &Report<'_>, quote: &str) -> String {
    let id: InstrumentId = report.instrument.id;
    let limit = report.evidence.approval.limits.instruments.get(&id);
    let limit = limit.map(|limits| limits.exposure_max.0);
    let peak = report.curves.exposure.max().unwrap_or(0);
    let currency = &report.evidence.approval.limits.currency;
    // One in another currency stands in the table below, where amounts are converted.
    let limit = limit.filter(|_| *currency == report.instrument.quote);
    // A limit far above would make a flat line of everything else.
    let near = limit.filter(|limit| limit.checked_div(3).is_some_and(|third| third <= peak));
    let label = |limit: i128| format!("limit {}", money(limit));
    let mut marks = vec![Mark::Area(&report.curves.exposure, "exposure")];
    marks.extend(near.map(|limit| Mark::Level(limit, label(limit))));
    let chart = Chart {
        name: "Exposure",
        span: span(report),
        scale: MONEY_SCALE,
        height: 1_100,
        holds: [Some(0), near].into_iter().flatten().collect(),
        marks,
    };
    let far = match (limit, near) {
        (Some(limit), None) => format!(" The limit of {} is far above this chart.", money(limit)),
        (Some(_), Some(_)) | (None, _) => String::new(),
    };
    format!(
        "<h2>Exposure against limits</h2>\n<p class=\"note\">Value of what the session holds, in \
         {quote}.{far}</p>\n{}",
        chart.html()
    )
}

/// What the gate said, by code.
pub(super) fn verdicts(report: &Report<'_>) -> String {
    let mut counts: Vec<(&str, i64)> = match at(&report.metrics, &["verdicts"]) {
        Some(Value::Object(verdicts)) => verdicts
            .iter()
            .filter_map(|(code, number)| match number {
                Value::Int(number) => Some((code.as_str(), *number)),
                Value::Null
                | Value::Bool(_)
                | Value::Text(_)
                | Value::List(_)
                | Value::Object(_) => None,
            })
            .collect(),
        Some(Value::Null | Value::Bool(_) | Value::Int(_) | Value::Text(_) | Value::List(_))
        | None => Vec::new(),
    };
    counts.sort_by_key(|(code, number)| (std::cmp::Reverse(*number), *code));
    let most = counts.first().map_or(1, |(_, number)| i128::from(*number));
    let row = |(code, number): &(&str, i64)| {
        let class = if matches!(*code, "APPROVED" | "AMENDED" | "PROPOSED") { "yes" } else { "no" };
        format!(
            "<tr><td><code>{}</code></td><td class=\"wide-bar\">{}</td><td class=\"num\">{}</td>\
             </tr>\n",
            foreign(code),
            bar(i128::from(*number), most, class),
            grouped(&number.to_string()),
        )
    };
    let rows: String = counts.iter().map(row).collect();
    format!(
        "<section>\n<h2>Verdicts by code</h2>\n<p class=\"note\">What the gate said to each \
         intent.</p>\n<table><thead><tr><th>Code</th><th class=\"wide-bar\"></th>\
         <th class=\"num\">Intents</th></tr></thead><tbody>\n{rows}</tbody></table>\n</section>\n"
    )
}

/// A quantity for people.
pub(super) fn quantity(units: i128, scale: u8) -> String {
    grouped(&format_scaled_short(units, scale))
}
