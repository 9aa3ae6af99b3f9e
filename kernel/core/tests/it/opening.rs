//! The go or no-go: what opens a session, and everything that does not.

use portcullis_domain::{Phase, Role};
use portcullis_statement::{Digest, Kind, SessionApproval, SignedStatement};

use crate::people::{Paper, signers};
use crate::world::{ALPHA, PLUGINS, World, buy};

/// An approval on its way to the signers and to the kernel; each test alters one thing.
#[derive(Debug)]
struct Request {
    approval: SessionApproval,
    paper: Paper,
    loaded: Vec<&'static str>,
}

/// Opens a session of `phase`, and compares the answer.
#[track_caller]
fn check(phase: Phase, change: impl FnOnce(&mut Request, &mut World), expect: &str) {
    let mut world = World::started_for(phase);
    world.link_up();
    let approval = world.draft("s-1", phase);
    let paper = world.paper(Kind::SessionApproval, &signers(phase));
    let mut request = Request { approval, paper, loaded: PLUGINS.to_vec() };
    change(&mut request, &mut world);
    let signed = sign(&request, &world);
    let out = world.open_signed(signed, &request.loaded);
    assert_eq!(out.answers(), [expect]);
    assert_eq!(world.core.open_session().is_some(), expect == "DONE");
    // Whoever is refused is told why, and the journal says it too.
    assert_eq!(out.entry("refused").is_some(), expect != "DONE");
}

fn sign(request: &Request, world: &World) -> SignedStatement {
    request.paper.sign(Some(world.fingerprint()), &request.approval.to_value())
}

#[test]
fn what_was_signed_opens() {
    for phase in Phase::ALL.into_iter().filter(|phase| *phase > Phase::Foundation) {
        check(phase, |_, _| {}, "DONE");
    }
}

/// B10: from phase 5 on no key in a file opens a session.
#[test]
fn b10_from_phase_five_a_session_is_opened_by_touch() {
    let soft = [("olga", Role::Operator), ("anna", Role::Approver)];
    for phase in [Phase::ManualLive, Phase::MonitoredAuto, Phase::Continuous] {
        let by = |r: &mut Request, w: &mut World| r.paper = w.paper(Kind::SessionApproval, &soft);
        check(phase, by, "TOUCH_REQUIRED");
    }
}

/// F13, F14, B5, B6: who has to sign, and that nobody signs twice.
#[test]
fn f13_an_approval_needs_its_signatures() {
    let two = Phase::BoundedAuto;
    check(Phase::Paper, |r, _| r.paper.signed_by.clear(), "SIGNATURE_MISSING");
    check(two, |r, _| r.paper.signed_by = vec!["olga"], "SIGNATURE_MISSING");
    check(two, |r, _| r.paper.signed_by = vec!["olga", "olga"], "SIGNER_TWICE");
    check(
        two,
        |r, _| {
            r.paper.listed = vec![("olga", Role::Operator)];
            r.paper.signed_by = vec!["olga"];
        },
        "SIGNER_MISSING",
    );
    check(
        two,
        |r, _| r.paper.listed = vec![("olga", Role::Operator), ("olga", Role::Approver)],
        "SIGNER_ROLE",
    );
    check(Phase::Paper, |r, _| r.paper.signed_by.push("anna"), "SIGNATURE_UNLISTED");
}

#[test]
fn one_bit_changed_after_the_signature_is_found() {
    let mut world = World::started();
    let approval = world.draft("s-1", Phase::Shadow);
    let paper = world.paper(Kind::SessionApproval, &signers(Phase::Shadow));
    let request = Request { approval, paper, loaded: PLUGINS.to_vec() };
    let mut signed = sign(&request, &world);
    // The collar of 50 basis points becomes 70: still a good statement, and nobody's.
    let text = String::from_utf8(signed.bytes).unwrap();
    signed.bytes = text.replace("\"price_collar_bps\":50", "\"price_collar_bps\":70").into_bytes();
    assert_eq!(world.open_signed(signed, &PLUGINS).answers(), ["SIGNATURE_INVALID"]);
}

#[test]
fn an_approval_for_another_time_place_or_state_is_refused() {
    let paper = Phase::Paper;
    check(paper, |_, w| w.pass(crate::people::HOUR_NS), "OUTSIDE_SESSION_WINDOW");
    check(paper, |r, w| r.paper.expires = w.now.wall, "STATEMENT_EXPIRED");
    check(paper, |r, _| r.approval.kill_seq = 1, "KILL_SEQ_CHANGED");
    check(paper, |r, _| r.approval.journal.key = "other+key".into(), "JOURNAL_MISMATCH");
    check(paper, |r, _| r.approval.journal.size += 1, "JOURNAL_MISMATCH");
    check(paper, |r, _| r.approval.journal.root = Digest::of(b"fork"), "JOURNAL_MISMATCH");
    check(paper, |r, _| r.approval.session = crate::people::name("s-2"), "JOURNAL_MISMATCH");
    check(paper, |r, _| r.approval.journal.origin = "host-1/new".into(), "JOURNAL_MISMATCH");
    check(paper, |r, _| r.approval.safety_digest = Digest::of(b"laxer"), "POLICY_CHANGED");
    check(paper, |r, _| r.approval.phases_digest = Digest::of(b"laxer"), "POLICY_CHANGED");
    check(paper, |r, _| r.approval.endpoint = Digest::of(b"other"), "ENDPOINT_NOT_SIGNED");
}

#[test]
fn the_components_that_are_loaded_are_the_signed_ones() {
    check(Phase::Paper, |r, _| r.loaded[1] = "gamma", "HASH_NOT_SIGNED");
    check(Phase::Paper, |r, _| r.loaded.truncate(1), "HASH_NOT_SIGNED");
    check(Phase::Paper, |r, _| r.loaded.reverse(), "HASH_NOT_SIGNED");
    let in_worker = |r: &mut Request, _: &mut World| r.approval.compile_record = "in-worker".into();
    check(Phase::Paper, in_worker, "DONE");
    check(Phase::BoundedAuto, in_worker, "COMPILE_RECORD");
}

/// F8, F20: without a comparison with the venue, and with any difference, nothing opens.
#[test]
fn f8_nothing_opens_before_account_and_house_agree() {
    for (balance, expect) in [("1000", "DONE"), ("999.99", "RECON_UNRESOLVED")] {
        let mut world = World::started();
        let approval = world.draft("s-1", Phase::Paper);
        assert_eq!(world.open_with(&approval).answers(), ["RECON_UNRESOLVED"]);
        world.link_up();
        for _ in 0..2 {
            world.account(&[], &[("USDT", balance), ("BTC", "5")]);
        }
        assert_eq!(world.open_with(&approval).answers(), [expect]);
    }
}

/// A13, B1: one session at a time, and every approval is good for one.
#[test]
fn b1_an_approval_opens_once() {
    let mut world = World::started();
    let approval = world.draft("s-1", Phase::Shadow);
    let paper = world.paper(Kind::SessionApproval, &signers(Phase::Shadow));
    let signed = paper.sign(Some(world.fingerprint()), &approval.to_value());
    assert_eq!(world.open_signed(signed.clone(), &PLUGINS).answers(), ["DONE"]);
    let second = world.draft("s-2", Phase::Shadow);
    assert_eq!(world.open_with(&second).answers(), ["SESSION_OPEN"]);
    assert_eq!(world.open_signed(signed.clone(), &PLUGINS).answers(), ["NONCE_BURNED"]);
    world.close();
    assert_eq!(world.open_signed(signed.clone(), &PLUGINS).answers(), ["NONCE_BURNED"]);
    // The same content under new signatures is still a session that was there before.
    assert_eq!(world.open_with(&approval).answers(), ["SESSION_EXISTS"]);
    world.restart(true);
    assert_eq!(world.open_signed(signed, &PLUGINS).answers(), ["NONCE_BURNED"]);
    assert_eq!(world.open_with(&second).answers(), ["DONE"]);
}

/// B1: every other kind of statement is burned too, and an approval has one door only.
#[test]
fn b1_every_statement_is_used_once() {
    let mut world = World::started();
    let body = crate::people::release("ada", "gamma", Phase::Paper).to_value();
    let by = [("ada", Role::Author), ("gerd", Role::Governance)];
    let (signed, out) = world.hand_in(Kind::PluginRelease, &by, &body);
    assert_eq!(out.kinds(), ["statement", "statement-accepted"]);
    assert_eq!(world.statement(&signed).answers(), ["NONCE_BURNED"]);
    world.restart(true);
    assert_eq!(world.statement(&signed).answers(), ["NONCE_BURNED"]);
    let approval = world.draft("s-1", Phase::Shadow);
    let body = approval.to_value();
    let (signed, out) = world.hand_in(Kind::SessionApproval, &signers(Phase::Shadow), &body);
    assert_eq!(out.answers(), ["WRONG_DOOR"]);
    // Being at the wrong door does not burn it.
    assert_eq!(world.open_signed(signed, &PLUGINS).answers(), ["DONE"]);
}

#[test]
fn a_session_name_is_drafted_once_and_an_unknown_one_cannot_close() {
    let mut world = World::started();
    let journal = world.draft("s-1", Phase::Shadow).journal;
    let request = world.next_request();
    let session = crate::people::name("s-1");
    let draft = portcullis_core::Input::Draft { request, session, journal };
    assert_eq!(world.feed(draft).answers(), ["SESSION_EXISTS"]);
    assert_eq!(world.close().answers(), ["NO_SESSION"]);
}

/// Positions that nobody approved may be reduced and nothing else.
#[test]
fn a_position_that_the_approval_does_not_carry_opens_reduce_only() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.fill(id, "e1", 10_000, 10_000);
    world.close();
    world.account(&[], &[("USDT", "990"), ("BTC", "5.1")]);
    let carried = portcullis_statement::Carried {
        instrument: portcullis_domain::InstrumentId(0),
        position: portcullis_domain::Position(10_000),
        avg_px: None,
    };
    for (session, listed, expect) in
        [("s-2", vec![], Some("REDUCE_ONLY")), ("s-3", vec![carried], None)]
    {
        let mut approval = world.draft(session, Phase::Paper);
        approval.carried = listed;
        assert_eq!(world.open_with(&approval).answers(), ["DONE"]);
        world.ready();
        let out =
            world.reply(ALPHA, vec![buy(1, 10_000, 10_000), crate::world::sell(2, 10_000, 10_010)]);
        assert_eq!(out.reasons("denied"), Vec::from_iter(expect));
        world.close();
        for id in out.submits() {
            world.report(id, portcullis_domain::ExecType::Canceled);
        }
        assert_eq!(world.core.open_session(), None);
    }
}
