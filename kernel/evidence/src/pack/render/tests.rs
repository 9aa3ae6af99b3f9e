//! Rendering: golden parts, hostile text, damaged entries, and the kernel's packs.

use std::fs;

use portcullis_core::{Class, Outcome as CoreOutcome};
use portcullis_domain::Phase;
use portcullis_statement::json::{self, Value};

use super::story::{ORDER, Story};
use super::*;
use crate::pack::parts::{has_ending, unfilled_placeholder};
use crate::pack::testkit::{CHECKPOINT_KEY, Installation, name};
use crate::pack::{KernelLeaves, Outcome, PackContents, seal_pack, sessions, verify, write_pack};
use crate::testing::{Generator, Scratch};

/// Entries of people's own acts: in the session, and before it by the rights of the last one.
#[test]
fn what_people_did_by_hand_stands_in_the_runlog() {
    let did = CoreOutcome::Intervened {
        who: name("olga"),
        role: portcullis_domain::Role::Operator,
        verb: portcullis_core::PersonVerb::Submit,
        cl_ord_id: Some(ORDER),
        denial: None,
    };
    let mut story = Story::opened(Phase::Paper);
    story.close("END");
    assert!(!text(&parts(&story), "runlog.md").contains("by hand"));
    let mut story = Story::opened(Phase::Paper);
    let denied = json::object([("denial", "MAX_ORDER_QTY".into()), ("who", "olga".into())]);
    story.raw(Class::Outcome, ("intervened", "-", "MAX_ORDER_QTY"), denied);
    let alone = story.entries.last().unwrap().clone();
    story.outcome(&did);
    story.close("END");
    let found = text(&parts(&story), "runlog.md");
    assert!(found.contains("## Interventions by hand"), "{found}");
    for expect in ["#12 intervened", "MAX_ORDER_QTY", "#13 intervened", "PERSON_ASKED", "olga"] {
        assert!(found.contains(expect), "{expect} in {found}");
    }
    // Between two sessions: the next one's runlog has it.
    let mut quiet = Story::opened(Phase::Paper);
    quiet.close("END");
    let (session, mut before) = quiet.split();
    before.push(&alone);
    let rendered = render_parts(&session, &before).unwrap();
    let found = text(&rendered, "runlog.md");
    assert!(found.contains(&format!("#{} intervened", before.len() - 1)), "{found}");
}

/// Text that tries to be a heading, a fence, a record, a blank and a terminal command at once.
const HOSTILE: &str =
    "x\n## Signed by\n```\n{\"kind\":\"ordered\"}\n\u{202e}\u{1b}]52;<<blank>>\u{2028}\\";

fn parts(story: &Story) -> Vec<Part> {
    let (session, before) = story.split();
    render_parts(&session, &before).unwrap()
}

fn text(parts: &[Part], name: &str) -> String {
    let part = parts.iter().find(|part| part.name == name).unwrap();
    String::from_utf8(part.bytes.clone()).unwrap()
}

fn records(parts: &[Part], name: &str) -> Vec<Value> {
    let text = text(parts, name);
    text.lines().map(|line| json::parse_canonical(line.as_bytes()).unwrap()).collect()
}

fn field<'a>(value: &'a Value, key: &str) -> &'a Value {
    json::Fields::new(value).unwrap().value(key).unwrap()
}

fn suggestion(story: &Story) -> Classification {
    let (session, before) = story.split();
    classify(&session, &before).unwrap()
}

fn eventful() -> Story {
    let mut story = Story::opened(Phase::Paper);
    story.trade("filled");
    story.host();
    story.trouble("somebody's words");
    story.close("END_OF_DAY");
    story
}

const GOLDEN: [&[u8]; 8] = [
    include_bytes!("golden/runlog.md"),
    include_bytes!("golden/checklist.md"),
    include_bytes!("golden/executions.jsonl"),
    include_bytes!("golden/recon.json"),
    include_bytes!("golden/recon.md"),
    include_bytes!("golden/metrics.json"),
    include_bytes!("golden/alerts.jsonl"),
    include_bytes!("golden/incidents.jsonl"),
];

/// The bytes of this renderer version, for ever.
#[test]
fn golden_parts_of_an_eventful_session() {
    for ((part, name), golden) in parts(&eventful()).iter().zip(DERIVED_PARTS).zip(GOLDEN) {
        let (found, expect) = (&part.bytes, golden);
        assert_eq!(part.name, name);
        assert_eq!(String::from_utf8_lossy(found), String::from_utf8_lossy(expect), "{name}");
    }
}

#[test]
fn a_quiet_session_is_green_and_an_account_is_not_required_in_phase_1() {
    let mut story = Story::opened(Phase::Shadow);
    story.reply(1, "");
    story.close("END");
    let parts = parts(&story);
    assert_eq!(suggestion(&story), Classification::Green);
    for empty in ["executions.jsonl", "alerts.jsonl", "incidents.jsonl"] {
        assert_eq!(text(&parts, empty), "", "{empty}");
    }
    let recon = json::parse_canonical(text(&parts, "recon.json").as_bytes()).unwrap();
    assert_eq!((field(&recon, "required"), field(&recon, "green")), (&false.into(), &Value::Null));
    assert!(text(&parts, "checklist.md").contains("- [x] Reconciliation: not required: phase 1\n"));
    assert!(text(&parts, "runlog.md").contains("\nMode: 1 shadow, simulated\n"));
    let metrics = json::parse_canonical(text(&parts, "metrics.json").as_bytes()).unwrap();
    let latency = field(&metrics, "latency");
    assert_eq!(field(latency, "submit_to_sent_ns_median"), &Value::Null);
}

#[test]
fn counts_and_latencies_follow_from_the_entries() {
    let parts = parts(&eventful());
    let metrics = json::parse_canonical(text(&parts, "metrics.json").as_bytes()).unwrap();
    for (key, expect) in [
        ("orders", 2),
        ("fills", 2),
        ("cancels", 1),
        ("events", 12),
        ("fuel", 334),
        ("batches", 1),
        ("plugin_failures", 1),
        ("alerts", 6),
        ("incidents", 3),
    ] {
        assert_eq!(field(&metrics, key), &Value::Int(expect), "{key}");
    }
    let latency = field(&metrics, "latency");
    assert_eq!(field(latency, "submit_to_sent_ns_median"), &Value::Int(1_000_000));
    assert_eq!(field(latency, "submit_to_report_ns_median"), &Value::Int(2_000_000));
    let verdicts = field(&metrics, "verdicts");
    assert_eq!(verdicts.canonical_text(), "{\"APPROVED\":2,\"MAX_ORDER_QTY\":1}");
    let of = |kind: &str| {
        let lines = records(&parts, "executions.jsonl");
        lines.into_iter().filter(|line| field(line, "kind") == &kind.into()).collect::<Vec<_>>()
    };
    // The execution that only a reading of the account told of, and only that one.
    let [fill] = of("account-fill").try_into().unwrap();
    assert_eq!(field(&fill, "corr"), &ORDER.to_string().into());
    assert_eq!(field(field(&fill, "numbers"), "last_qty"), &"0.00500".into());
    assert_eq!(field(&of("not-sent")[0], "reason"), &"KILL_ACTIVE".into());
}

/// What waited for a person, and how it ended, are lines and verdicts of their own.
#[test]
fn a_proposal_and_its_end_are_lines_of_their_own() {
    let mut story = Story::opened(Phase::Paper);
    let numbers = [("price", 6_000_000), ("qty", 1_000), ("instrument", 0)];
    let intent = json::object(numbers.map(|(key, units)| (key, Value::Int(units))));
    let body = json::object([("intent", intent)]);
    story.raw(Class::Outcome, ("proposed", &ORDER.to_string(), "WAITS_FOR_A_PERSON"), body);
    let body = json::object([("cause", "TIME_OVER".into())]);
    story.raw(Class::Outcome, ("proposal-ended", &ORDER.to_string(), "RELEASE_EXPIRED"), body);
    story.close("END");
    let parts = parts(&story);
    let lines = records(&parts, "executions.jsonl");
    let told: Vec<_> = lines
        .iter()
        .map(|line| ["kind", "reason", "numbers"].map(|key| field(line, key).canonical_text()))
        .collect();
    let numbers = r#"{"price":"60000.00","qty":"0.01000","symbol":"BTC-USDT"}"#;
    assert_eq!(
        told,
        [
            ["\"proposed\"", "\"WAITS_FOR_A_PERSON\"", numbers],
            ["\"proposal-ended\"", "\"RELEASE_EXPIRED\"", "null"],
        ]
    );
    let metrics = json::parse_canonical(text(&parts, "metrics.json").as_bytes()).unwrap();
    let verdicts = field(&metrics, "verdicts").canonical_text();
    assert_eq!(verdicts, "{\"PROPOSED\":1,\"RELEASE_EXPIRED\":1}");
}

/// A change shows its terms before and after, as decimals, and what became of it.
#[test]
fn a_change_of_an_order_is_a_line_of_its_own() {
    let mut story = Story::opened(Phase::Paper);
    story.change();
    story.close("END");
    let parts = parts(&story);
    let lines = records(&parts, "executions.jsonl");
    let shown = |kind: &str| {
        let line = lines.iter().find(|line| field(line, "kind") == &kind.into()).unwrap();
        assert_eq!(field(line, "corr"), &ORDER.to_string().into());
        (field(line, "reason").canonical_text(), field(line, "numbers").canonical_text())
    };
    let terms = |qty: &str| format!(r#"{{"price":"59999.90","qty":"{qty}"}}"#);
    let (after, denied) = (terms("0.02000"), terms("90.00000"));
    let requested = format!(
        r#"{{"after":{after},"before":{{"price":"60000.00","qty":"0.01000"}},"symbol":"BTC-USDT"}}"#
    );
    assert_eq!(shown("amend-requested"), ("\"WITHIN_LIMITS\"".to_owned(), requested));
    assert_eq!(shown("amend-sent"), ("\"RECEIVED\"".to_owned(), "null".to_owned()));
    let replaced = format!(r#"{{"after":{after},"symbol":"BTC-USDT"}}"#);
    assert_eq!(shown("report"), ("\"replaced\"".to_owned(), replaced));
    let denied = format!(r#"{{"after":{denied},"symbol":"BTC-USDT"}}"#);
    assert_eq!(shown("amend-denied"), ("\"MAX_ORDER_QTY\"".to_owned(), denied));
    assert_eq!(shown("amend-not-sent"), ("\"RELEASE_REVOKED\"".to_owned(), "null".to_owned()));
    let metrics = json::parse_canonical(text(&parts, "metrics.json").as_bytes()).unwrap();
    let verdicts = field(&metrics, "verdicts").canonical_text();
    assert_eq!(verdicts, "{\"AMENDED\":1,\"APPROVED\":1,\"MAX_ORDER_QTY\":1}");
}

#[test]
fn the_suggestion_grows_with_the_trouble() {
    let check = |tell: &dyn Fn(&mut Story), expect: Classification| {
        let mut story = Story::opened(Phase::Paper);
        tell(&mut story);
        assert_eq!(suggestion(&story), expect);
    };
    check(&|story| story.close("END"), Classification::Green);
    let killed_by = |story: &mut Story, who: &str| {
        let (who, reason) = (who.to_owned(), "DRILL".to_owned());
        story.outcome(&portcullis_core::Outcome::Killed { kill_seq: 1, who, reason });
        story.close("KILL_ACTIVE");
    };
    check(&|story| killed_by(story, "olga"), Classification::Yellow);
    check(&|story| killed_by(story, "kernel"), Classification::Red);
    let foreign = |story: &mut Story| {
        story.reconciled(&["FOREIGN_ORDER: V-9"]);
        story.reconciled(&[]);
        story.close("END");
    };
    check(&foreign, Classification::Yellow);
    let red_at_the_end = |story: &mut Story| {
        story.reconciled(&["FOREIGN_ORDER: V-9"]);
        story.close("END");
    };
    check(&red_at_the_end, Classification::Red);
    check(&|story| story.start(false), Classification::Red);
}

/// A person's kill is an incident as well, though not a critical one.
#[test]
fn every_kill_is_an_incident() {
    let mut story = Story::opened(Phase::Paper);
    let (who, reason) = ("olga".to_owned(), "DRILL".to_owned());
    story.outcome(&portcullis_core::Outcome::Killed { kill_seq: 1, who, reason });
    story.close("KILL_ACTIVE");
    let parts = parts(&story);
    assert_eq!(text(&parts, "incidents.jsonl"), text(&parts, "alerts.jsonl"));
    let [incident] = records(&parts, "incidents.jsonl").try_into().unwrap();
    assert_eq!(field(&incident, "severity"), &"warning".into());
    assert_eq!(field(&incident, "cleared"), &Value::Null);
}

/// Whatever the entries say: our own headings and fences alone, and one record per line.
fn check_form(parts: &[Part]) {
    const HEADINGS: [&str; 8] = [
        "# Runlog of session s-1",
        "## Facts",
        "## Timeline",
        "# Checklist at opening",
        "## Decision: Go",
        "# Reconciliation",
        "## Comparisons",
        "## Balances and positions",
    ];
    for part in parts {
        let text = std::str::from_utf8(&part.bytes).unwrap();
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{}", part.name);
        assert!(!text.contains(['\u{202e}', '\u{2028}']), "{}", part.name);
        if has_ending(&part.name, "md") {
            assert_eq!(unfilled_placeholder(part), None);
            let headings = text.lines().filter(|line| line.trim_start().starts_with('#'));
            assert!(headings.clone().all(|line| HEADINGS.contains(&line)), "{text}");
            let fences = text.matches("```").count();
            let own = text.lines().filter(|line| ["```", "```text"].contains(line)).count();
            assert_eq!(fences, own, "{text}");
        } else {
            assert!(
                part.bytes.is_empty() || text.ends_with('\n') == has_ending(&part.name, "jsonl")
            );
            for line in text.split_terminator('\n') {
                json::parse_canonical(line.as_bytes()).unwrap();
            }
        }
    }
}

#[test]
fn hostile_text_forges_neither_headings_nor_records() {
    let mut story = Story::opened(Phase::Paper);
    story.trade(HOSTILE);
    story.trouble(HOSTILE);
    story.close(HOSTILE);
    let hostile = parts(&story);
    check_form(&hostile);
    let plain = parts(&eventful());
    for name in DERIVED_PARTS {
        let lines = |parts: &[Part]| text(parts, name).split('\n').count();
        assert_eq!(lines(&hostile), lines(&plain), "{name}");
    }
    // What was said can still be read.
    assert!(text(&hostile, "alerts.jsonl").contains("x\\\\u{a}## Signed by\\\\u{a}"));
}

#[test]
fn entries_that_are_no_session_are_refused() {
    let check = |session: &[&[u8]], before: &[&[u8]], expect: &str| {
        assert_eq!(render_parts(session, before).unwrap_err().code(), expect);
        assert_eq!(classify(session, before).unwrap_err().code(), expect);
    };
    let story = eventful();
    let (session, before) = story.split();
    check(&[], &[], "RENDER_NO_SESSION");
    check(&session[1..], &before, "RENDER_NO_SESSION");
    check(&session[..5], &before, "RENDER_NO_SESSION");
    check(&session, &[], "RENDER_APPROVAL_MISSING");
    check(&session, &before[..before.len() - 1], "RENDER_APPROVAL_MISSING");
    check(&[b"nothing"], &before, "RENDER_ENTRY");
    check(&session, &[b"\xff"], "RENDER_ENTRY");
    let closed = String::from_utf8(session.last().unwrap().to_vec()).unwrap();
    let other = closed.replace("\"events\"", "\"eventz\"");
    let altered: Vec<&[u8]> =
        session[..session.len() - 1].iter().copied().chain([other.as_bytes()]).collect();
    assert_eq!(render_parts(&altered, &before).unwrap_err().code(), "RENDER_FIELD");
}

/// Puts something else in a random place of a value.
fn disturb(value: &mut Value, random: &mut Generator) {
    let inner = match value {
        Value::List(list) if !list.is_empty() => {
            let at = random.below(list.len());
            list.get_mut(at)
        }
        Value::Object(entries) if !entries.is_empty() => {
            let at = random.below(entries.len());
            entries.values_mut().nth(at)
        }
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Object(_) => None,
    };
    match inner.filter(|_| random.below(6) > 0) {
        Some(inner) => disturb(inner, random),
        None => {
            *value = match random.below(6) {
                0 => Value::Null,
                1 => Value::Int(i64::MIN),
                2 => Value::Int(i64::MAX),
                3 => HOSTILE.into(),
                4 => Value::List(vec![HOSTILE.into(), Value::Int(-1)]),
                _ => json::object([("exec_id", HOSTILE.into())]),
            };
        }
    }
}

#[test]
fn rendering_never_panics_whatever_the_entries_are() {
    let (story, mut random) = (eventful(), Generator::new(23));
    let (mut rendered, mut refused) = (0_u32, 0_u32);
    for _ in 0..3_000 {
        let mut entries = story.entries.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(entries.len());
            match random.below(10) {
                0 => {
                    let noise = (0..random.below(64)).map(|_| random.next().to_be_bytes()[0]);
                    entries[at] = noise.collect();
                }
                1 => drop(entries.remove(at)),
                2 => entries.swap(at, 0),
                3 => entries.insert(0, entries[at].clone()),
                _ => {
                    let mut value = json::parse(&entries[at]).unwrap_or(Value::Null);
                    disturb(&mut value, &mut random);
                    entries[at] = value.canonical();
                }
            }
        }
        let slices: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        let at = story.opened.min(slices.len());
        let (before, session) = slices.split_at(at);
        if let Ok(parts) = render_parts(session, before) {
            check_form(&parts);
            rendered = rendered.saturating_add(1);
        } else {
            refused = refused.saturating_add(1);
        }
    }
    assert!(rendered > 300 && refused > 300, "{rendered} rendered, {refused} refused");
}

fn contents(story: &Story, parts: Vec<Part>) -> PackContents {
    let lessons = Part { name: "lessons.md".to_owned(), bytes: b"- none\n".to_vec() };
    PackContents {
        session: name("s-1"),
        phase: Phase::Paper,
        key: CHECKPOINT_KEY.to_owned(),
        simulated: true,
        parts: parts.into_iter().chain([lessons]).collect(),
        statements: story.statements.clone(),
        journal: story.journal.disk().segments(1),
        chunks: vec![],
        components: vec![b"component".to_vec()],
    }
}

fn packed(story: &Story, parts: Vec<Part>) -> crate::pack::Verdict {
    let (scratch, ours) = (Scratch::new("kernel"), Installation::new(7));
    let pack = scratch.path().join("pack");
    let written = write_pack(&pack, &contents(story, parts), &KernelLeaves).unwrap();
    seal_pack(&pack, &ours.seal(&written)).unwrap();
    verify(&pack, Some(ours.pin()), &KernelLeaves)
}

#[test]
fn a_pack_of_the_kernels_own_entries_holds() {
    let verdict = packed(&eventful(), parts(&eventful()));
    assert_eq!(verdict.outcome, Outcome::Ok, "{:#?}", verdict.steps);
    assert!(verdict.steps.iter().any(|step| step.name == "derived parts"));
}

#[test]
fn a_session_that_ended_in_a_crash_is_packed_and_verified() {
    let mut story = Story::opened(Phase::Paper);
    story.trade("filled");
    story.start(false);
    let slices: Vec<&[u8]> = story.entries.iter().map(Vec::as_slice).collect();
    assert_eq!(sessions(&slices, &KernelLeaves), vec![story.opened..story.entries.len()]);
    // What the next run writes is not the session's any more.
    let rendered = parts(&story);
    let (who, reason) = ("kernel".to_owned(), "NO_CLEAN_STOP_MARK".to_owned());
    story.outcome(&portcullis_core::Outcome::Killed { kill_seq: 1, who, reason });
    let [incident] = records(&rendered, "incidents.jsonl").try_into().unwrap();
    assert_eq!(field(&incident, "condition"), &"CRASH".into());
    let recon = json::parse_canonical(text(&rendered, "recon.json").as_bytes()).unwrap();
    assert_eq!(field(&recon, "state"), &"SESSION_CRASHED".into());
    let metrics = json::parse_canonical(text(&rendered, "metrics.json").as_bytes()).unwrap();
    assert_eq!(field(&metrics, "events"), &Value::Null);
    let verdict = packed(&story, rendered);
    assert_eq!(verdict.outcome, Outcome::Ok, "{:#?}", verdict.steps);
}

/// Edited, then hashed and sealed: the seal is right and the part is not.
#[test]
fn a_derived_part_edited_before_sealing_is_named() {
    let story = eventful();
    for (at, name) in DERIVED_PARTS.into_iter().enumerate() {
        let mut edited = parts(&story);
        edited[at].bytes.push(b'\n');
        let Outcome::Damaged(finding) = packed(&story, edited).outcome else {
            panic!("{name}: nothing found");
        };
        assert_eq!((finding.code, finding.place.as_str()), ("PACK_DERIVED", name));
    }
}

/// A command maps these to codes of its own: damaged and unproven are never the same.
#[test]
fn damaged_and_unproven_are_told_apart() {
    let (scratch, ours) = (Scratch::new("apart"), Installation::new(7));
    let (story, pack) = (eventful(), scratch.path().join("pack"));
    let written = write_pack(&pack, &contents(&story, parts(&story)), &KernelLeaves).unwrap();
    seal_pack(&pack, &ours.seal(&written)).unwrap();
    let unproven = verify(&pack, None, &KernelLeaves);
    assert_eq!(unproven.outcome, Outcome::SelfConsistentOriginUnproven);
    fs::write(pack.join("runlog.md"), b"all well\n").unwrap();
    let damaged = verify(&pack, None, &KernelLeaves);
    assert!(matches!(damaged.outcome, Outcome::Damaged(_)));
    assert_ne!(damaged.exit_code(), unproven.exit_code());
}
