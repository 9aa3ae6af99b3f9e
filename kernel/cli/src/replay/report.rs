//! What a replay prints.

use portcullis_core::MarketCounts;
use portcullis_evidence::text::escape_terminal;
use portcullis_statement::json::{self, Fields, Value};

use super::session::{Outcome, Stopped};

/// The counts in a session's closing summary.
pub(super) fn market_counts(summary: &Value) -> MarketCounts {
    let read = |summary: &Value| {
        let mut body = Fields::new(summary)?;
        let mut market = body.fields("summary")?.fields("market")?;
        Ok::<_, json::JsonError>(MarketCounts {
            frames: market.uint("frames")?,
            quotes: market.uint("quotes")?,
            trades: market.uint("trades")?,
            levels: market.uint("levels")?,
            gaps: market.uint("gaps")?,
        })
    };
    read(summary).unwrap_or_default()
}

/// Plain words for people.
pub(super) fn text(outcome: &Outcome) -> String {
    let mut out = String::new();
    let market = &outcome.market;
    let origin = if outcome.synthetic { "SYNTHETIC, made from a seed" } else { "recorded" };
    let events = events(outcome);
    let lines = [
        format!("session      {} (phase 1, shadow: no order can leave)", outcome.session),
        format!("recording    {} ({origin})", outcome.recording.hex()),
        format!(
            "frames       {} read ({} snapshots, {} depth diffs), {} gaps",
            outcome.frames.all, outcome.frames.snapshots, outcome.frames.depth_diffs, market.gaps
        ),
        format!("market       {} quotes, {} trades", market.quotes, market.trades),
        format!(
            "book         {} level changes applied, {} older than the snapshot and dropped",
            market.levels, outcome.superseded_levels
        ),
        format!("total        {events} events"),
        format!("clock        {}", clock(outcome.clock_offset_ms)),
    ];
    for line in lines {
        push(&mut out, &line);
    }
    summary_lines(&mut out, &outcome.summary);
    for stopped in &outcome.stopped {
        let Stopped { plugin, code, cause } = stopped;
        push(&mut out, &format!("STOPPED      {plugin}: {code}: {cause}"));
    }
    push(&mut out, &format!("journal      {} entries, {} chunks", outcome.entries, outcome.chunks));
    if let Some(folder) = &outcome.kept {
        push(&mut out, &format!("kept in      {}", folder.display()));
    }
    push(&mut out, &format!("component    sha256:{}", outcome.component.hex()));
    push(&mut out, &format!("engine       {}", outcome.engine));
    push(&mut out, &format!("session root: {}", outcome.root.hex()));
    out.trim_end().to_owned()
}

/// Level changes, dropped ones too, quotes and trades.
fn events(outcome: &Outcome) -> u64 {
    let market = &outcome.market;
    let levels = market.levels.saturating_add(outcome.superseded_levels);
    levels.saturating_add(market.quotes).saturating_add(market.trades)
}

fn clock(offset_ms: Option<i64>) -> String {
    match offset_ms {
        Some(ms) if ms > 0 => {
            format!("the recorder lagged the exchange by {ms} ms (median); nothing is judged by it")
        }
        Some(ms) => format!("the exchange's stamps lie {} ms back (median)", ms.saturating_neg()),
        None => "the recording states no exchange time".to_owned(),
    }
}

/// Verdicts and profit, as the journal's closing entry states them.
fn summary_lines(out: &mut String, body: &Value) {
    let Value::Object(body) = body else { return };
    let Some(Value::Object(summary)) = body.get("summary") else { return };
    if let Some(Value::Object(verdicts)) = summary.get("verdicts") {
        let counts = verdicts.iter().map(|(code, count)| format!("{code} {}", plain(count)));
        let counts = counts.collect::<Vec<_>>().join(", ");
        let counts = if counts.is_empty() { "none" } else { &counts };
        push(out, &format!("verdicts     {counts}"));
    }
    if let Some(Value::List(positions)) = summary.get("positions") {
        for position in positions {
            let Value::Object(position) = position else { continue };
            let field = |key| position.get(key).map_or_else(|| "?".to_owned(), plain);
            push(
                out,
                &format!(
                    "PnL          {} {} (fees {}, position {})",
                    field("symbol"),
                    field("profit"),
                    field("fees"),
                    field("qty")
                ),
            );
        }
    }
    if let Some(Value::List(plugins)) = summary.get("plugins") {
        for plugin in plugins {
            let Value::Object(plugin) = plugin else { continue };
            let field = |key| plugin.get(key).map_or_else(|| "?".to_owned(), plain);
            push(
                out,
                &format!(
                    "strategy     {}: {} events delivered, {} fuel",
                    field("name"),
                    field("events"),
                    field("fuel")
                ),
            );
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Null => "unknown".to_owned(),
        Value::Bool(_) | Value::Int(_) | Value::List(_) | Value::Object(_) => {
            value.canonical_text()
        }
    }
}

/// One line. Engine and causes come from the sandbox, so every line is escaped.
fn push(out: &mut String, line: &str) {
    out.push_str(&escape_terminal(line));
    out.push('\n');
}

/// One document for programs.
pub(super) fn json(outcome: &Outcome) -> String {
    let kept = outcome.kept.as_ref().map(|folder| folder.display().to_string());
    let stopped = outcome.stopped.iter().map(|stopped| {
        json::object([
            ("cause", stopped.cause.as_str().into()),
            ("code", stopped.code.as_str().into()),
            ("plugin", stopped.plugin.as_str().into()),
        ])
    });
    json::object([
        ("chunks", json::count(outcome.chunks)),
        ("clock_offset_ms", outcome.clock_offset_ms.map_or(Value::Null, Value::Int)),
        ("component", outcome.component.hex().into()),
        ("engine", outcome.engine.as_str().into()),
        ("entries", json::count(outcome.entries)),
        ("kept", kept.map_or(Value::Null, Value::Text)),
        ("market", market(outcome)),
        ("recording", outcome.recording.hex().into()),
        ("schema", "portcullis.replay/1".into()),
        ("session", outcome.session.as_str().into()),
        ("session_root", outcome.root.hex().into()),
        ("stopped", Value::List(stopped.collect())),
        ("summary", outcome.summary.clone()),
        ("synthetic", Value::Bool(outcome.synthetic)),
    ])
    .canonical_text()
}

fn market(outcome: &Outcome) -> Value {
    let (frames, market) = (&outcome.frames, &outcome.market);
    json::object([
        ("depth_diffs", json::count(frames.depth_diffs)),
        ("events", json::count(events(outcome))),
        ("frames", json::count(frames.all)),
        ("gaps", json::count(market.gaps)),
        ("levels", json::count(market.levels)),
        ("quotes", json::count(frames.quotes)),
        ("snapshots", json::count(frames.snapshots)),
        ("superseded_levels", json::count(outcome.superseded_levels)),
        ("trades", json::count(frames.trades)),
    ])
}
