//! The page around the sections: policy, style, head and foot.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_domain::number::format_scaled_short;
use portcullis_evidence::text::Untrusted;
use portcullis_statement::Digest;

use super::axis::grouped;
use super::{Report, latency, limits, sections, timeline};

/// The one style sheet; the policy names its digest.
const STYLE: &str = include_str!("style.css");

/// Text from outside, for a place between tags.
pub(super) fn foreign(text: &str) -> String {
    Untrusted::new(text).html()
}

/// Money for people: two decimals or as many as it takes to see it at all.
pub(super) fn money(units: i128) -> String {
    let text = format_scaled_short(units, 18);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let zeros = fraction.len().saturating_sub(fraction.trim_start_matches('0').len());
    // Cut, never rounded: the exact number stands in executions.jsonl.
    let places = if matches!(whole, "0" | "-0") { zeros.saturating_add(2).max(2) } else { 2 };
    let cut: String = fraction.chars().take(places).collect();
    grouped(&format!("{whole}.{cut:0<2}"))
}

/// The page.
pub(super) fn html(report: &Report<'_>) -> String {
    let style = STANDARD.encode(Digest::of(STYLE.as_bytes()).0);
    let session = foreign(report.evidence.approval.session.as_str());
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{session} · Portcullis session report</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n"
    );
    if report.evidence.is_simulated() {
        out.push_str(
            "<div class=\"simulated\"><p><strong>SIMULATED</strong> The clock or the venue of \
             this session was not a real one. No money moved.</p></div>\n",
        );
    }
    out.push_str("<main>\n");
    out.push_str(&header(report, &session));
    out.push_str(&sections::cards(report));
    out.push_str(&sections::price(report));
    out.push_str(&sections::result(report));
    out.push_str(&limits::html(report));
    out.push_str("<div class=\"pair\">\n");
    out.push_str(&sections::verdicts(report));
    out.push_str(&latency::html(report));
    out.push_str(
        "</div>\n<h2>Timeline</h2>\n<p class=\"note\">Alerts, stops and what people did. \
                  The last column is the entry\u{2019}s number in the journal.</p>\n",
    );
    out.push_str(&timeline::html(&report.rows));
    out.push_str(&footer(report));
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn header(report: &Report<'_>, session: &str) -> String {
    let approval = &report.evidence.approval;
    let short = |text: String| -> String { text.chars().take(19).collect() };
    let (from, until) = (short(report.span.0.rfc3339()), short(report.span.1.rfc3339()));
    let (day, from) = from.split_once('T').unwrap_or((&from, ""));
    let (last_day, until) = until.split_once('T').unwrap_or((&until, ""));
    let until = if last_day == day { until.to_owned() } else { format!("{last_day} {until}") };
    let plugins: Vec<&str> = approval.plugins.iter().map(|it| it.name.as_str()).collect();
    format!(
        "<header>\n<p class=\"kicker\">Session report · phase {}, {}</p>\n<h1>{session}</h1>\n\
         <p>{} by {} on account {}, host {}<br>{day}, {from} to {until} UTC</p>\n</header>\n",
        approval.phase.number(),
        approval.phase.name(),
        foreign(&report.instrument.symbol),
        foreign(&plugins.join(", ")),
        foreign(approval.account.as_str()),
        foreign(approval.host.as_str()),
    )
}

fn footer(report: &Report<'_>) -> String {
    let evidence = report.evidence;
    let pack = evidence.pack.map_or_else(|| "not made from a pack".to_owned(), Digest::hex);
    format!(
        "<h2>What this page is</h2>\n<p class=\"note\">A rendering of the session\u{2019}s entries, \
         made after the fact by the scribe, who has no rights. It proves nothing by itself: \
         <code>portcullis evidence verify PACK --trust PIN</code> judges the pack, and \
         <code>portcullis scribe render PACK --check</code> compares this page with its \
         entries.</p>\n<dl class=\"facts\">\n<dt>Journal</dt><dd><code>{}</code></dd>\n\
         <dt>Session root</dt><dd><code>{}</code></dd>\n\
         <dt>Pack manifest</dt><dd><code>{pack}</code></dd>\n\
         <dt>Rendered by</dt><dd>portcullis scribe {}</dd>\n</dl>\n",
        foreign(&evidence.origin),
        evidence.root,
        env!("CARGO_PKG_VERSION"),
    )
}
