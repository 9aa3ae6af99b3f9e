//! The page holds its policy, tells foreign text as text, and adds up.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_statement::Digest;
use portcullis_statement::json::{Value, count, object};

use super::*;
use crate::testing::{evidence, utc, with_entries};

/// What attackers write into logs, reasons and names.
const HOSTILE: [&str; 6] = [
    "</style><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\" onmouseover=\"alert(1)",
    "</svg><svg onload=alert(1)>",
    "\u{1b}[2J\u{202e}\u{2028}",
    "<!--",
];

fn line(ms: i64, kind: &str, (corr, numbers, what): (&str, Value, Value)) -> Value {
    object([
        ("boot_ns", ms.saturating_mul(1_000_000).to_string().into()),
        ("corr", corr.into()),
        ("input", count(ms.unsigned_abs())),
        ("kind", kind.into()),
        ("numbers", numbers),
        ("reason", "X".into()),
        ("seq", count(ms.unsigned_abs())),
        ("time", utc(ms).into()),
        ("what", what),
    ])
}

fn ordered(ms: i64, corr: &str, side: &str) -> Value {
    let numbers = object([("price", Value::Null), ("qty", "1.00000000".into())]);
    let intent = object([("side", side.into())]);
    line(ms, "ordered", (corr, numbers, object([("intent", intent)])))
}

/// The venue's report of an execution, and its booking.
fn filled(ms: i64, corr: &str, (exec, px, booked): (&str, &str, bool)) -> Vec<Value> {
    let numbers =
        object([("fee", "0.5".into()), ("last_px", px.into()), ("last_qty", "1.00000000".into())]);
    let trade = object([("exec_id", exec.into())]);
    let report = line(ms, "report", (corr, numbers, object([("trade", trade)])));
    let status = object([("status", "filled".into())]);
    let booking = booked.then(|| line(ms, "booked", (corr, Value::Null, status)));
    [report].into_iter().chain(booking).collect()
}

fn parts(lines: &[Value], verdicts: Value) -> BTreeMap<String, Vec<u8>> {
    let span = object([("first", utc(0).into()), ("last", utc(1_000).into())]);
    let metrics = object([("span", span), ("verdicts", verdicts)]);
    let lines: String = lines.iter().map(|line| line.canonical_text() + "\n").collect();
    [("metrics.json", metrics.canonical()), ("executions.jsonl", lines.into_bytes())]
        .map(|(name, bytes)| (name.to_owned(), bytes))
        .into()
}

fn read(evidence: &Evidence, lines: &[Value]) -> (story::Story, story::Curves) {
    let instrument = market::instrument(evidence).unwrap();
    let story = story::Story::read(evidence, instrument, lines).unwrap();
    let span = (moment(&utc(0)).unwrap(), moment(&utc(1_000)).unwrap());
    let curves = story::curves(evidence, instrument, (&story, span)).unwrap();
    (story, curves)
}

/// Bought at 100, sold at 103, a fee of 0.5 each: 2. What comes twice or was never booked is not
/// counted, and what was bought before the session is said to be missing.
#[test]
fn the_result_is_exact_and_counts_each_booked_execution_once() {
    let lines: Vec<Value> = [
        vec![ordered(1, "a", "buy"), line(2, "sent", ("a", Value::Null, Value::Null))],
        filled(5, "a", ("E1", "100.00", true)),
        filled(6, "a", ("E1", "100.00", true)),
        filled(7, "a", ("E9", "90.00", false)),
        filled(8, "before", ("E3", "1.00", true)),
        vec![ordered(10, "b", "sell")],
        filled(20, "b", ("E2", "103.00", true)),
    ]
    .concat();
    let (story, curves) = read(&evidence(), &lines);
    assert_eq!((story.fills.len(), story.orders, story.not_ours), (2, 2, 1));
    assert_eq!((story.to_sent, story.to_report), (vec![1_000_000], vec![4_000_000, 10_000_000]));
    let one = 1_000_000_000_000_000_000;
    assert_eq!(curves.result.last(), Some(2 * one));
    assert_eq!((curves.fees.0, curves.traded.0), (one, 203 * one));
    // After the first fill the result is its fee alone: that was the worst.
    assert_eq!((curves.result.min(), curves.drawdown.max()), (Some(-one / 2), Some(one / 2)));
    assert_eq!(curves.position.last(), Some(0));
}

#[test]
fn what_cannot_be_shown_is_refused() {
    let evidence = evidence();
    let check = |lines: &[Value], metrics: bool, expect: &str| {
        let mut parts = parts(lines, Value::Null);
        if !metrics {
            parts.remove("metrics.json");
        }
        assert_eq!(render(&evidence, &parts).unwrap_err().code, expect);
    };
    check(&[], false, "REPORT_LINE");
    check(&[ordered(1, "a", "sideways")], true, "REPORT_LINE");
    let broken = [vec![ordered(1, "a", "buy")], filled(2, "a", ("E", "1.001", true))].concat();
    check(&broken, true, "REPORT_LINE");
    let huge = "92233720368547758.07";
    let many: Vec<Value> =
        (2..400).flat_map(|ms| filled(ms, "a", (&format!("E{ms}"), huge, true))).collect();
    let huge_qty = |line: &Value| {
        let text = line.canonical_text().replace("1.00000000", "92233720368.54775807");
        portcullis_statement::json::parse_canonical(text.as_bytes()).unwrap()
    };
    let many: Vec<Value> =
        [ordered(1, "a", "buy")].into_iter().chain(many.iter().map(huge_qty)).collect();
    check(&many, true, "REPORT_RANGE");
}

/// C12: no foreign text becomes markup, whichever field it comes in.
#[test]
fn c12_foreign_text_stays_text_in_every_field() {
    for hostile in HOSTILE {
        let body = object([("cause", hostile.into()), ("who", hostile.into())]);
        let evidence = with_entries(&[("refused", hostile, body)]);
        let verdicts = Value::Object([(hostile.to_owned(), Value::Int(1))].into());
        let page = render(&evidence, &parts(&[], verdicts)).unwrap();
        let plain = render(&self::evidence(), &parts(&[], Value::Null)).unwrap();
        assert_eq!(page.matches("<script").count(), 0, "{hostile}");
        assert_eq!(page.matches("<img").count(), 0, "{hostile}");
        assert_eq!(page.matches("<!--").count(), 0, "{hostile}");
        assert_eq!(page.matches("</style>").count(), 1, "{hostile}");
        assert_eq!(
            page.matches("onload=alert").count(),
            page.matches("&#60;svg onload=alert").count()
        );
        assert!(!page.contains(['\u{1b}', '\u{202e}', '\u{2028}']));
        // The only elements more are the rows of the verdict and of the timeline.
        let svgs = |page: &str| page.matches("<svg").count();
        assert_eq!(svgs(&page), svgs(&plain) + 1, "{hostile}");
    }
}

/// C12: the policy lets in the style sheet that it names, and the page asks for nothing else.
#[test]
fn c12_the_policy_names_the_style_and_the_page_needs_nothing_else() {
    let page = render(&evidence(), &parts(&[ordered(1, "a", "buy")], Value::Null)).unwrap();
    let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = STANDARD.encode(Digest::of(style.as_bytes()).0);
    let policy = format!(
        "content=\"default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; \
         form-action 'none'\""
    );
    assert!(page.contains(&policy));
    for never in [
        "<script", " style=", " on", "src=", "href=", "url(", "@import", "http:", "https:",
        "erified",
    ] {
        let found =
            page.find(never).map(|at| page.split_at(at).1.chars().take(40).collect::<String>());
        let allowed = never == " on" && found.as_deref().is_some_and(|it| !it.contains('='));
        assert!(found.is_none() || allowed, "{never}: {found:?}");
    }
    let banner = page.find("<strong>SIMULATED</strong>").unwrap();
    assert!(banner < page.find("<h1>").unwrap());
}
