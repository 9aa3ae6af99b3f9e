//! How much of each limit was used.

use portcullis_domain::Money;
use portcullis_domain::policy::{ActivityLimits, Converter, stricter};

use super::Report;
use super::axis::grouped;
use super::chart::bar;
use super::page::{foreign, money};
use super::sections::quantity;

/// One limit with the most that was seen of it.
struct Used {
    what: &'static str,
    code: &'static str,
    seen: i128,
    limit: i128,
    text: fn(&Report<'_>, i128) -> String,
}

/// The table.
pub(super) fn html(report: &Report<'_>) -> String {
    let limits = &report.evidence.approval.limits;
    let converter = limits.converter(&report.instrument.quote);
    let row = |used: &Used| {
        let near = used.seen.saturating_mul(100) >= used.limit.saturating_mul(80);
        let class = if used.seen > used.limit {
            "over"
        } else if near {
            "near"
        } else {
            "used"
        };
        format!(
            "<tr><td>{} <code>{}</code></td><td class=\"wide-bar\">{}</td><td class=\"num\">{}</td>\
             <td class=\"num\">{}</td></tr>\n",
            used.what,
            used.code,
            bar(used.seen, used.limit, class),
            (used.text)(report, used.seen),
            (used.text)(report, used.limit),
        )
    };
    let rows: String = used(report, converter).iter().map(row).collect();
    let currency = foreign(&limits.currency);
    let other = match converter {
        Some(Converter::SAME) => String::new(),
        Some(_) => format!(" Amounts are in {currency}, at the price that was approved."),
        None => format!(" Limits in {currency} are not compared: no price was approved."),
    };
    format!(
        "<p class=\"note\">The most that was seen of each limit, by what was filled and marked. \
         The gate counts working orders too, and is stricter.{other}</p>\n\
         <table><thead><tr><th>Limit</th><th class=\"wide-bar\"></th><th class=\"num\">Most</th>\
         <th class=\"num\">Allowed</th></tr></thead><tbody>\n{rows}</tbody></table>\n"
    )
}

fn used(report: &Report<'_>, converter: Option<Converter>) -> Vec<Used> {
    let (curves, limits) = (&report.curves, &report.evidence.approval.limits);
    let qty_text: fn(&Report<'_>, i128) -> String =
        |report, units| quantity(units, report.instrument.qty_scale);
    let money_text: fn(&Report<'_>, i128) -> String = |_, units| money(units);
    let mut rows = Vec::new();
    let instrument = limits.instruments.get(&report.instrument.id);
    if let Some(limits) = instrument {
        let (low, high) = (curves.position.min(), curves.position.max());
        let most = low.unwrap_or(0).saturating_neg().max(high.unwrap_or(0)).max(0);
        let limit = i128::from(limits.position_qty_max.units());
        let code = "MAX_POSITION";
        rows.push(Used { what: "Position", code, seen: most, limit, text: qty_text });
    }
    let mut amount = |what, code, seen: i128, limit: Money| {
        let worth = converter.and_then(|converter| converter.cost(Money(seen)));
        if let Some(Money(seen)) = worth {
            rows.push(Used { what, code, seen, limit: limit.0, text: money_text });
        }
    };
    if let Some(limits) = instrument {
        let seen = curves.exposure.max().unwrap_or(0);
        amount("Exposure", "MAX_SYMBOL_EXPOSURE", seen, limits.exposure_max);
    }
    let activity = activity(report);
    let loss = curves.result.min().unwrap_or(0).saturating_neg().max(0);
    amount("Loss", "MAX_LOSS_SESSION", loss, activity.loss_session_max);
    let drawdown = curves.drawdown.max().unwrap_or(0);
    amount("Drawdown", "MAX_DRAWDOWN", drawdown, activity.drawdown_max);
    amount("Fees", "MAX_FEES", curves.fees.0, activity.fees_max);
    let orders = i128::from(report.story.orders);
    let limit = i128::from(activity.orders_per_session_max);
    let text: fn(&Report<'_>, i128) -> String = |_, number| grouped(&number.to_string());
    rows.push(Used { what: "Orders", code: "MAX_ORDERS_PER_SESSION", seen: orders, limit, text });
    rows
}

/// The strictest of what holds for the account, the venue, the host and, if there is one strategy,
/// for that.
fn activity(report: &Report<'_>) -> ActivityLimits {
    let limits = &report.evidence.approval.limits;
    let around = stricter(&limits.account.activity, &limits.venue.activity);
    let around = stricter(&around, &limits.host.activity);
    let mut strategies = limits.strategies.values();
    match (strategies.next(), strategies.next()) {
        (Some(only), None) => stricter(&around, only),
        (Some(_) | None, _) => around,
    }
}
