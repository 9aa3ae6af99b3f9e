//! Packs of the kernel's own entries: whole, lacking something, edited, from a crash.

use std::fs;

use portcullis_core::{Class, NoteKind};
use portcullis_domain::{Phase, Role};
use portcullis_statement::json::{self, Value, object};

use super::story::Story;
use super::tests::{eventful, field, parts, records, text, with};
use super::*;
use crate::bytes::len_u64;
use crate::pack::parts::NOTES_FILE;
use crate::pack::testkit::{Installation, ORIGIN, attested, checkpoint_signer, name};
use crate::pack::{KernelLeaves, Outcome, PackContents, seal_pack, sessions, verify, write_pack};
use crate::testing::Scratch;

fn contents(story: &Story, parts: Vec<Part>) -> PackContents {
    let notes = story.notes.iter().flat_map(|note| [note.as_slice(), b"\n"].concat()).collect();
    let notes = Part { name: NOTES_FILE.to_owned(), bytes: notes };
    let (session, _) = story.split();
    PackContents {
        session: name("s-1"),
        range: story.opened..story.opened.saturating_add(session.len()),
        phase: Phase::Paper,
        key: checkpoint_signer(ORIGIN).verifier().to_string(),
        attested: attested(story.journal.head()),
        simulated: true,
        parts: parts.into_iter().chain([notes]).collect(),
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
    seal_pack(&pack, &ours.seal(&written, len_u64(story.notes.len()))).unwrap();
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
    assert_eq!(sessions(&slices, &KernelLeaves), vec![story.opened..story.ended]);
    // What the next run writes is not the session's any more.
    story.fill_in(&GAPS);
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
    for (at, name) in derived_names(Phase::Paper).into_iter().enumerate() {
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
    seal_pack(&pack, &ours.seal(&written, len_u64(story.notes.len()))).unwrap();
    let unproven = verify(&pack, None, &KernelLeaves);
    assert_eq!(unproven.outcome, Outcome::SelfConsistentOriginUnproven);
    fs::write(pack.join("runlog.md"), b"all well\n").unwrap();
    let damaged = verify(&pack, None, &KernelLeaves);
    assert!(matches!(damaged.outcome, Outcome::Damaged(_)));
}

/// The code under which a pack of that story is not written.
fn refusal(story: &Story, phase: Phase) -> String {
    let scratch = Scratch::new("blank");
    let contents = PackContents { phase, ..contents(story, parts(story)) };
    let fault = write_pack(&scratch.path().join("pack"), &contents, &KernelLeaves).unwrap_err();
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
    fault.to_string()
}

/// P5-D6: what a pack lacks has a code and a name, and it is not written before people filled it
/// in.
#[test]
fn p5_d6_a_pack_that_lacks_something_is_not_written_and_says_what() {
    let mut story = Story::opened(Phase::BoundedAuto);
    story.gaps = 2;
    story.close("END");
    let expect = "PACK_GAP_UNEXPLAINED: not filled in: runlog.md: gap: market-data; lessons.md: \
                  lesson: what is to be done better, or why nothing; review.md: answer: orders";
    let found = refusal(&story, Phase::BoundedAuto);
    assert!(found.starts_with(expect), "{found}");
    story.say(NoteKind::Gap, Some("market-data"), "the venue was down");
    assert!(refusal(&story, Phase::BoundedAuto).starts_with("PACK_LESSON_MISSING"));
    story.say(NoteKind::Lesson, None, "none: it went as planned");
    let found = refusal(&story, Phase::BoundedAuto);
    assert!(found.starts_with("PACK_ANSWER_MISSING"), "{found}");
    for (question, _) in QUESTIONS {
        story.say(NoteKind::Answer, Some(question), "yes");
    }
    let whole = parts(&story);
    let open =
        whole.iter().find(|part| !crate::pack::parts::blanks(&part.name, &part.bytes).is_empty());
    assert_eq!(open, None);
    // The parts of a later phase are asked for as well.
    assert!(refusal(&story, Phase::MonitoredAuto).starts_with("PACK_PART_MISSING"));
}

/// C9: a pack with a blank in it that was sealed all the same is damaged.
#[test]
fn c9_a_sealed_pack_with_a_blank_is_damaged() {
    let (scratch, ours) = (Scratch::new("sealed-blank"), Installation::new(7));
    let (mut story, pack) = (Story::opened(Phase::Paper), scratch.path().join("pack"));
    story.close("END");
    let mut filled = parts(&story);
    let blank = filled.iter().position(|part| part.name == "lessons.md").unwrap();
    let bytes = std::mem::replace(&mut filled[blank].bytes, b"- none\n".to_vec());
    write_pack(&pack, &contents(&story, filled), &KernelLeaves).unwrap();
    // As somebody would who writes packs by other means: the manifest fits, the blank is back.
    fs::write(pack.join("lessons.md"), &bytes).unwrap();
    let path = pack.join("manifest.json");
    let mut manifest = crate::pack::Manifest::parse(&fs::read(&path).unwrap()).unwrap();
    let entry =
        crate::pack::FileEntry { digest: crate::Digest::of(&bytes), bytes: len_u64(bytes.len()) };
    manifest.files.insert("lessons.md".to_owned(), entry);
    fs::write(&path, manifest.to_bytes()).unwrap();
    fs::write(pack.join("SHA256SUMS"), manifest.sums_text()).unwrap();
    let written = crate::pack::WrittenPack {
        manifest: crate::Digest::of(&manifest.to_bytes()),
        journal: manifest.journal,
        session_root: manifest.session_root,
    };
    seal_pack(&pack, &ours.seal(&written, 0)).unwrap();
    let Outcome::Damaged(finding) = verify(&pack, Some(ours.pin()), &KernelLeaves).outcome else {
        panic!("nothing found");
    };
    assert_eq!((finding.code, finding.place.as_str()), ("PACK_LESSON_MISSING", "lessons.md"));
}

/// C19: notes are the kernel's entries, all of them, in their order, of this session.
#[test]
fn c19_a_note_cannot_be_left_out_or_put_in() {
    let story = eventful();
    let check = |change: fn(&mut Vec<Vec<u8>>)| {
        let mut altered = eventful();
        change(&mut altered.notes);
        let fault = with(&altered, |told| render_parts(RENDERER_VERSION, told)).unwrap_err();
        assert_eq!(fault.code(), "RENDER_NOTE", "{fault}");
    };
    assert!(story.notes.len() > 3);
    check(|notes| drop(notes.remove(0)));
    check(|notes| drop(notes.remove(1)));
    check(|notes| notes.swap(0, 1));
    check(|notes| notes.push(notes[0].clone()));
    check(|notes| notes[1] = b"{}".to_vec());
    check(|notes| {
        let text = String::from_utf8(notes[0].clone()).unwrap();
        notes[0] = text.replace("somebody's words", "all was well").into_bytes();
    });
    // The last one alone can be left out here; the seal counts them.
    let mut fewer = eventful();
    fewer.notes.pop();
    let (scratch, ours) = (Scratch::new("fewer"), Installation::new(7));
    let pack = scratch.path().join("pack");
    let written = write_pack(&pack, &contents(&fewer, parts(&fewer)), &KernelLeaves).unwrap();
    seal_pack(&pack, &ours.seal(&written, len_u64(story.notes.len()))).unwrap();
    let Outcome::Damaged(finding) = verify(&pack, Some(ours.pin()), &KernelLeaves).outcome else {
        panic!("nothing found");
    };
    assert_eq!((finding.code, finding.place.as_str()), ("PACK_BINDING", "statements/seal.json"));
}

/// P5-E1: the runlog is under the seal, and the seal is of an operator and of another person as
/// approver.
#[test]
fn p5_e1_the_runlog_is_signed_by_operator_and_reviewer_who_are_two_people() {
    let (scratch, ours) = (Scratch::new("signers"), Installation::new(7));
    let story = eventful();
    let (operator, approver) = (("olga", Role::Operator), ("ada", Role::Approver));
    let check = |by: &[(&str, Role)], expect: &str| {
        let pack = scratch.path().join(format!("{}-{expect}", by[0].0));
        let written = write_pack(&pack, &contents(&story, parts(&story)), &KernelLeaves).unwrap();
        let manifest = crate::pack::Manifest::parse(&fs::read(pack.join("manifest.json")).unwrap());
        let listed = manifest.unwrap().files["runlog.md"];
        assert_eq!(listed.digest, crate::Digest::of(&fs::read(pack.join("runlog.md")).unwrap()));
        seal_pack(&pack, &ours.seal_by(&written, len_u64(story.notes.len()), by)).unwrap();
        match verify(&pack, Some(ours.pin()), &KernelLeaves).outcome {
            Outcome::Damaged(finding) => assert_eq!(finding.code, expect),
            Outcome::Ok => assert_eq!(expect, "OK"),
            Outcome::SelfConsistentOriginUnproven => panic!("pinned"),
        }
    };
    check(&[operator, approver], "OK");
    check(&[operator], "SIGNER_MISSING");
    check(&[approver], "SIGNER_MISSING");
    check(&[operator, ("olga", Role::Approver)], "SIGNER_ROLE");
}

/// P3-3: each limit stands there with what was used of it, and how often it said no.
#[test]
fn p3_3_boundaries_show_use_warnings_and_denials_of_each_limit() {
    let mut story = Story::opened(Phase::BoundedAuto);
    story.trade("filled");
    let figures = |observed: &str| {
        let texts =
            [("cure", "less"), ("limit", "100"), ("observed", observed), ("scope", "account")];
        object(texts.map(|(key, text)| (key, Value::from(text))))
    };
    story.raw(Class::Outcome, ("warned", "account", "MAX_OPEN_ORDERS"), figures("81"));
    story.raw(Class::Outcome, ("denied", "-", "MAX_OPEN_ORDERS"), {
        let mut body = figures("101");
        if let Value::Object(entries) = &mut body {
            entries.insert("intent".to_owned(), Value::Null);
        }
        body
    });
    // Another strategy's warning is not this one's.
    let mut other = figures("81");
    if let Value::Object(entries) = &mut other {
        entries.insert("scope".to_owned(), "strategy".into());
        entries.insert("of".to_owned(), "another".into());
    }
    story.raw(Class::Outcome, ("warned", "strategy", "MAX_FEES"), other.clone());
    story.raw(Class::Outcome, ("warned", "strategy", "MAX_LOSS_SESSION"), {
        if let Value::Object(entries) = &mut other {
            entries.insert("of".to_owned(), "ema-cross".into());
        }
        other
    });
    story.close("END");
    let bounds = json::parse_canonical(text(&parts(&story), "boundaries.json").as_bytes()).unwrap();
    let Value::List(rows) = field(&bounds, "limits") else { panic!("{bounds:?}") };
    let row = |scope: &str, key: &str| {
        let fits =
            |row: &&Value| field(row, "scope") == &scope.into() && field(row, "key") == &key.into();
        let row = rows.iter().find(fits).unwrap();
        let figures = ["peak_use", "peak_basis", "warnings", "denials"];
        figures.map(|key| field(row, key).canonical_text().replace('"', "")).join(" ")
    };
    let check = |scope: &str, key: &str, expect: &str| assert_eq!(row(scope, key), expect, "{key}");
    check("account", "open_orders_max", "101 ENTRIES 1 1");
    check("venue", "open_orders_max", "1 ENTRIES 0 0");
    check("strategy", "open_orders_max", "1 ENTRIES 0 0");
    check("account", "orders_per_session_max", "2 ENTRIES 0 0");
    check("strategy", "orders_per_session_max", "2 ENTRIES 0 0");
    check("strategy", "messages_per_second_max", "2 ENTRIES 0 0");
    check("strategy", "repeat_executions_max", "1 ENTRIES 0 0");
    check("strategy", "open_positions_max", "1 ENTRIES 0 0");
    check("strategy", "open_proposals_max", "0 ENTRIES 0 0");
    check("strategy", "fees_max", "null BELOW_WARNING 0 0");
    check("strategy", "loss_session_max", "81 WARNED 1 0");
    check("strategy", "repeat_window_ms", "null SETTING 0 0");
    check("instrument", "order_qty_max", "10 ENTRIES 0 1");
    // A second order worked beside the position until it was known not to have left.
    check("instrument", "position_qty_max", "0.02000 ENTRIES 0 0");
    check("instrument", "short_qty_max", "0.00000 ENTRIES 0 0");
    check("instrument", "price_max", "60000.00 ENTRIES 0 0");
    check("instrument", "price_min", "60000.00 ENTRIES 0 0");
    check("instrument", "order_notional_max", "600 ENTRIES 0 0");
    check("instrument", "market_data_age_ms_max", "null AT_THE_MOMENT 0 0");
    // Every key of every table, none left out.
    let count =
        |scope: &str| rows.iter().filter(|row| field(row, "scope") == &scope.into()).count();
    let counts = ["session", "account", "venue", "host", "strategy", "instrument"].map(count);
    assert_eq!(counts, [8, 17, 17, 17, 13, 14]);
}

/// P6-E1 to P6-E4: when auto was on and why, each check, each take-over, and the shares of time.
#[test]
fn p6_e4_shares_of_auto_and_manual_time_follow_from_the_changes() {
    let mut story = Story::opened(Phase::MonitoredAuto);
    let by = |who: &str| object([("who", who.into())]);
    let turn = |story: &mut Story, kind, reason, who: &str| {
        story.reply(1, "");
        story.raw(Class::Outcome, (kind, "s-1", reason), by(who));
    };
    turn(&mut story, "auto-on", "ASKED", "olga");
    turn(&mut story, "auto-on", "ASKED", "olga");
    let checked = object([("gate", "spread".into()), ("passed", false.into())]);
    story.raw(Class::Outcome, ("gate-checked", "s-1", "SPREAD_WIDE"), checked);
    turn(&mut story, "auto-off", "SPREAD_WIDE", "kernel");
    turn(&mut story, "auto-on", "ASKED", "olga");
    turn(&mut story, "auto-off", "INTUITION", "olga");
    story.close("END");
    let parts = parts(&story);
    let class = json::parse_canonical(text(&parts, "classification.json").as_bytes()).unwrap();
    let shown = ["class", "transitions", "overrides", "auto_ns", "manual_ns"]
        .map(|key| field(&class, key).canonical_text());
    assert_eq!(shown, ["\"mixed\"", "4", "1", "\"3000000\"", "\"4000000\""]);
    let reasons = |name: &str| {
        let lines = records(&parts, name);
        lines
            .iter()
            .map(|line| field(line, "reason").canonical_text())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let all = r#""APPROVED" "ASKED" "ASKED" "SPREAD_WIDE" "ASKED" "INTUITION""#;
    assert_eq!(reasons("auto_enablement.jsonl"), all);
    assert_eq!(reasons("gate_checks.jsonl"), "\"SPREAD_WIDE\"");
    assert_eq!(reasons("overrides.jsonl"), "\"INTUITION\"");
}

/// A pack names the version that rendered it; one that is not known here cannot be judged.
#[test]
fn parts_of_an_unknown_renderer_are_not_believed() {
    let fault = with(&eventful(), |told| render_parts(RENDERER_VERSION + 1, told)).unwrap_err();
    assert_eq!(fault.code(), "RENDER_VERSION");
}

/// X8: the form says in which mode the session will run, and what is still open.
#[test]
fn x8_the_runlogs_form_has_its_mode_and_its_blanks() {
    let story = Story::opened(Phase::Paper);
    let approval = with(&story, |told| Session::read(&Told { session: told.session, ..*told }));
    assert!(approval.is_err(), "the session has not ended");
    let signed = &story.statements[3];
    let envelope = portcullis_statement::Envelope::parse(&signed.bytes).unwrap();
    let portcullis_statement::Statement::SessionApproval(item) = envelope.statement().unwrap()
    else {
        panic!("another statement");
    };
    let form = runlog_form(crate::Digest::of(&signed.bytes), &envelope.header.signers, &item);
    let text = String::from_utf8(form).unwrap();
    assert!(text.starts_with("# Runlog of session s-1\n\nMode: 2 paper, simulated\n"), "{text}");
    assert_eq!(crate::pack::parts::blanks("runlog.md", text.as_bytes()).len(), 4);
}
