//! Answers read back, and contradictions do not pass.

use std::collections::BTreeMap;

use super::*;
use crate::view::{EndpointView, OrderView, PhaseView, PositionView, Reconciliation, ReleaseView};

fn status() -> StatusView {
    let text = |text: &str| text.to_owned();
    StatusView {
        may_trade: false,
        reasons: vec![text("RECON_UNRESOLVED: not compared yet")],
        protection: vec![text("PROTECTION_HELD_BY_KERNEL: 1 positions")],
        phase: Some(PhaseView { number: 2, name: text("paper") }),
        session: Some(text("s1")),
        killed: false,
        kill_seq: u64::from(u32::MAX),
        kill_entry: None,
        orders: vec![OrderView {
            cl_ord_id: text("pc0000000100000001"),
            symbol: text("BTC-USDT"),
            what: text("buy 0.5 @ 100.0"),
            status: text("New"),
            cum_qty: text("0"),
        }],
        positions: vec![PositionView {
            symbol: text("BTC-USDT"),
            qty: text("-0.5"),
            avg_px: Some(text("100.0")),
            profit: None,
            fees: text("0.05"),
        }],
        verdicts: BTreeMap::from([(text("APPROVED"), 3), (text("MAX_ORDER_QTY"), 1)]),
        feed_age_ms: Some(12),
        guards: BTreeMap::from([(text("guardian"), text("not required"))]),
        witnesses: vec![text("self-attested")],
        copies: None,
        run: Some(text("c0de0001")),
        size_percent: 100,
        reconciliation: Reconciliation::Differs(vec![text("BTC: 1 here, 2 there")]),
        sessions: BTreeMap::from([(text("s1"), text("open"))]),
        seals: vec![],
        next: text("portcullis status"),
    }
}

fn draft() -> DraftView {
    let text = |text: &str| text.to_owned();
    DraftView {
        session: text("s1"),
        build: text("0.1.0"),
        origin: text("portcullis/h/a/1"),
        key: text("h+00000000+key"),
        size: 7,
        root: "0".repeat(64),
        kill_seq: 0,
        kill_entry: None,
        phases_digest: "1".repeat(64),
        safety_digest: "2".repeat(64),
        positions: vec![],
        balances: BTreeMap::from([(text("USDT"), text("1000"))]),
        releases: vec![ReleaseView {
            release: "2".repeat(64),
            component: "3".repeat(64),
            plugin: text("ema-cross"),
            author: text("ana"),
            phase_max: 3,
            release_seq: 1,
        }],
        endpoints: vec![EndpointView {
            endpoint: "4".repeat(64),
            kind: text("simulated"),
            venue: text("binance"),
        }],
    }
}

fn pack() -> PackView {
    let text = |text: &str| text.to_owned();
    PackView {
        session: text("s1"),
        path: text("reports/x"),
        manifest: "5".repeat(64),
        head: "6".repeat(64),
        size: 9,
        origin: text("portcullis/h/a/1"),
    }
}

#[test]
fn every_answer_reads_back() {
    let agreed = |reconciliation| Reply::Status(StatusView { reconciliation, ..status() });
    let replies = [
        Reply::Done { text: "session s1 is open".to_owned() },
        Reply::Status(status()),
        agreed(Reconciliation::Agreed),
        agreed(Reconciliation::NotCompared),
        Reply::Draft(draft()),
        Reply::Pack(pack()),
        Reply::GateClosed { epoch: 4 },
        Reply::Latched { kill_seq: 1 },
        Reply::OrdersClear { kill_seq: 1 },
    ];
    for reply in replies {
        for answer in [Answer::last(reply.clone()), Answer::more(reply)] {
            let bytes = answer.to_bytes().unwrap();
            assert_eq!(Answer::from_bytes(&bytes), Ok(answer));
        }
    }
    let refused = Answer::refused(Refused::denied(DenyCode::KillActive));
    let bytes = refused.to_bytes().unwrap();
    assert_eq!(
        String::from_utf8(bytes.clone()).unwrap(),
        r#"{"cause":"the kill latch is down, or a stop covers this order","code":"KILL_ACTIVE","last":true,"ok":false,"v":1}"#
    );
    assert_eq!(Answer::from_bytes(&bytes), Ok(refused));
}

#[test]
fn an_answer_that_contradicts_itself_is_none() {
    let code = |view: StatusView| {
        let answer = Answer::last(Reply::Status(view));
        answer.to_bytes().map_err(|error| error.code()).err()
    };
    assert_eq!(code(status()), None);
    let malformed = Some("CONTROL_MALFORMED");
    assert_eq!(code(StatusView { may_trade: true, ..status() }), malformed);
    assert_eq!(code(StatusView { reasons: vec![], ..status() }), malformed);
    assert_eq!(code(StatusView { killed: true, ..status() }), malformed);
    assert_eq!(code(StatusView { kill_entry: Some("x".to_owned()), ..status() }), malformed);
    assert_eq!(code(StatusView { session: None, ..status() }), malformed);
    let refusal = Refused { code: String::new(), cause: String::new() };
    assert!(Answer::refused(refusal.clone()).to_bytes().is_err());
    let followed = Answer { last: false, result: Err(Refused { code: "X".to_owned(), ..refusal }) };
    assert!(followed.to_bytes().is_err());
}

#[test]
fn foreign_spellings_are_refused() {
    #[track_caller]
    fn check(text: &str, expect: &str) {
        let read = Answer::from_bytes(text.as_bytes());
        assert_eq!(read.map_err(|error| error.code()).err(), Some(expect), "{text}");
    }
    check(r#"{"last":true,"ok":true,"reply":"LATCHED","v":1}"#, "CONTROL_MALFORMED");
    check(r#"{"kill_seq":-1,"last":true,"ok":true,"reply":"LATCHED","v":1}"#, "CONTROL_MALFORMED");
    check(r#"{"kill_seq":1,"ok":true,"reply":"LATCHED","v":1}"#, "CONTROL_MALFORMED");
    check(r#"{"kill_seq":1,"last":1,"ok":true,"reply":"LATCHED","v":1}"#, "CONTROL_MALFORMED");
    check(r#"{"kill_seq":1,"last":true,"ok":false,"reply":"LATCHED","v":1}"#, "CONTROL_MALFORMED");
    check(r#"{"kill_seq":1,"last":true,"ok":true,"reply":"LATCHED","v":9}"#, "CONTROL_VERSION");
    check(r#"{"last":true,"ok":true,"reply":"cheer","v":1}"#, "CONTROL_MALFORMED");
}

#[test]
fn a_reply_fits_its_own_request_only() {
    let kill = Request::kill("x");
    assert!(Answer::more(Reply::GateClosed { epoch: 1 }).fits(&kill));
    assert!(!Answer::more(Reply::GateClosed { epoch: 1 }).fits(&Request::Status));
    assert!(!Answer::last(Reply::Done { text: String::new() }).fits(&kill));
    assert!(Answer::last(Reply::Status(status())).fits(&Request::Status));
    assert!(Answer::refused(Refused::denied(DenyCode::KillActive)).fits(&Request::Stop));
}
