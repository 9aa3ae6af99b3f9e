//! What happened and what people did, entry by entry.

use std::collections::BTreeMap;

use portcullis_core::entry::Decoded;
use portcullis_domain::WallNs;
use portcullis_evidence::text::Untrusted;
use portcullis_statement::json::Value;

use crate::CliError;
use crate::line::{at, int, text};
use crate::source::Evidence;

/// Kinds of entries that are shown, with what they are called.
const KINDS: [(&str, &str); 29] = [
    ("session-opened", "session opened"),
    ("session-closing", "closing asked for"),
    ("session-closed", "session closed"),
    ("started", "kernel started"),
    ("intervened", "by hand"),
    ("killed", "kill"),
    ("orders-clear", "orders clear"),
    ("unkilled", "kill lifted"),
    ("stopped", "stop"),
    ("stop-clear", "stop clear"),
    ("stop-lifted", "stop lifted"),
    ("triggered", "trigger"),
    ("tightened", "limits tightened"),
    ("warned", "near a limit"),
    ("paused", "paused"),
    ("refused", "refused"),
    ("faulted", "fault"),
    ("reconciled", "reconciled"),
    ("finding", "finding"),
    ("ledger-booked", "ledger"),
    ("protection-lost", "protection lost"),
    ("flatten-ended", "flatten plan over"),
    ("order-overdue", "order overdue"),
    ("order-dead", "order dead"),
    ("plugin-failed", "plugin failed"),
    ("plugin-stopped", "plugin stopped"),
    ("events-dropped", "events dropped"),
    ("venue-link", "venue link"),
    ("venue-status", "venue status"),
];
/// Places within an entry's body that say more.
const DETAILS: [&str; 17] = [
    "who",
    "role",
    "verb",
    "cl_ord_id",
    "mode",
    "scope",
    "code",
    "cause",
    "observed",
    "limit",
    "threshold",
    "count",
    "status",
    "up",
    "differences",
    "keys",
    "left",
];
/// Rows that are shown; the rest is counted.
const ROWS_MAX: usize = 200;
/// Characters of one detail that are shown.
const DETAIL_CHARS_MAX: usize = 160;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Nanoseconds since 1970.
    pub(super) at: i64,
    seq: u64,
    what: &'static str,
    code: String,
    detail: String,
    /// The alert that it is, if it is one: severity, and whether it ended.
    alert: Option<(String, bool)>,
}

impl Row {
    /// Whether somebody has to look at it before the session counts as a good one.
    pub(super) fn is_critical(&self) -> bool {
        self.alert.as_ref().is_some_and(|(severity, _)| severity == "critical")
    }

    pub(super) fn is_alert(&self) -> bool {
        self.alert.is_some()
    }
}

/// Every row of the session, in the order of its entries.
pub(super) fn rows(evidence: &Evidence, alerts: &[Value]) -> Result<Vec<Row>, CliError> {
    let alert_of = |alert: &Value| {
        let cleared = at(alert, &["cleared"]).is_some();
        Some((int(alert, &["seq"])?, (text(alert, &["severity"])?.to_owned(), cleared)))
    };
    let alerts: BTreeMap<i64, (String, bool)> = alerts.iter().filter_map(alert_of).collect();
    let mut rows = Vec::new();
    for read in evidence.decoded() {
        let (seq, entry) = read?;
        let alert = i64::try_from(seq).ok().and_then(|seq| alerts.get(&seq)).cloned();
        let named = KINDS.iter().find(|(kind, _)| *kind == entry.kind);
        let what = match (named, &alert) {
            (Some((_, what)), _) => what,
            (None, Some(_)) => "alert",
            (None, None) => continue,
        };
        let (at, code) = (entry.place.at.wall.0, entry.reason.clone());
        rows.push(Row { at, seq, what, code, detail: detail(&entry), alert });
    }
    Ok(rows)
}

fn detail(entry: &Decoded) -> String {
    let told = DETAILS.iter().filter_map(|key| {
        let value = at(&entry.body, &[key])?;
        let shown = match value {
            Value::Text(text) => text.clone(),
            Value::List(list) if list.is_empty() => return None,
            Value::Object(map) if map.is_empty() => return None,
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::List(_) | Value::Object(_) => {
                value.canonical_text()
            }
        };
        let mut short: String = shown.chars().take(DETAIL_CHARS_MAX).collect();
        if short.len() < shown.len() {
            short.push('…');
        }
        Some(format!("{key} {short}"))
    });
    told.collect::<Vec<_>>().join(" · ")
}

/// The table. Where the rows are of several days, each says its own.
pub(super) fn html(rows: &[Row]) -> String {
    let utc = |row: &Row| WallNs(row.at).rfc3339();
    let day = |row: &Row| utc(row).chars().take(10).collect::<String>();
    let days = rows.first().map(day) != rows.last().map(day);
    let (skip, take) = if days { (5, 18) } else { (11, 12) };
    let mut out = "<table class=\"timeline\"><thead><tr><th>Time, UTC</th><th>What</th>\
                   <th>Why</th><th class=\"num\">Entry</th></tr></thead><tbody>\n"
        .to_owned();
    for row in rows.iter().take(ROWS_MAX) {
        let time = utc(row).chars().skip(skip).take(take).collect::<String>().replace('T', " ");
        let (class, note) = match &row.alert {
            Some((severity, cleared)) => {
                let class = if severity == "critical" { "critical" } else { "warning" };
                (class, if *cleared { " · cleared" } else { "" })
            }
            None => ("plain", ""),
        };
        let [code, detail] =
            [&row.code, &row.detail].map(|text| Untrusted::new(text.as_str()).html());
        let piece = format!(
            "<tr class=\"{class}\"><td class=\"when\">{time}</td><td><b>{}</b>{note}</td>\
             <td><code>{code}</code> <span>{detail}</span></td><td class=\"num\">{}</td></tr>\n",
            row.what, row.seq
        );
        out.push_str(&piece);
    }
    out.push_str("</tbody></table>\n");
    let more = rows.len().saturating_sub(ROWS_MAX);
    if more > 0 {
        let piece = format!("<p class=\"note\">{more} more entries are not shown here.</p>\n");
        out.push_str(&piece);
    }
    out
}
