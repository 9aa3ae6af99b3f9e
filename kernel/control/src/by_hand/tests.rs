//! Requests by hand read back in one spelling, and the gate's no says what would pass.

use portcullis_gate::{DenyCode, Figure, Scope};

use super::*;
use crate::{Answer, Reply, Request};

fn text(text: &str) -> String {
    text.to_owned()
}

fn submit() -> OrderSubmit {
    OrderSubmit {
        person: Name::new("olga"),
        symbol: text("BTC-USDT"),
        side: Side::Sell,
        qty: text("0.50"),
        limit: Some(text("100.1")),
        ioc: true,
        reduce_only: false,
    }
}

#[test]
fn every_request_by_hand_reads_back_from_its_canonical_bytes() {
    let id = || text("pc0000000100000001");
    let all = [
        (
            Request::OrderSubmit(submit()),
            r#"{"ioc":true,"limit":"100.1","person":"olga","qty":"0.50","reduce_only":false,"side":"sell","symbol":"BTC-USDT","v":1,"verb":"order-submit"}"#,
        ),
        (
            Request::OrderAmend(OrderAmend {
                person: None,
                cl_ord_id: id(),
                qty: Some(text("1")),
                limit: None,
            }),
            r#"{"cl_ord_id":"pc0000000100000001","limit":null,"person":null,"qty":"1","v":1,"verb":"order-amend"}"#,
        ),
        (
            Request::OrderCancel(OrderCancel { person: None, cl_ord_id: Some(id()) }),
            r#"{"cl_ord_id":"pc0000000100000001","person":null,"v":1,"verb":"order-cancel"}"#,
        ),
        (
            Request::OrderCancel(OrderCancel { person: None, cl_ord_id: None }),
            r#"{"cl_ord_id":null,"person":null,"v":1,"verb":"order-cancel"}"#,
        ),
        (
            Request::PositionClose(PositionClose {
                person: None,
                symbol: text("BTC-USDT"),
                qty: None,
                limit: None,
            }),
            r#"{"limit":null,"person":null,"qty":null,"symbol":"BTC-USDT","v":1,"verb":"position-close"}"#,
        ),
        (
            Request::Note(SessionNote {
                person: None,
                session: Name::new("s1").unwrap(),
                kind: "gap".to_owned(),
                about: Name::new("market-data"),
                text: "line cut".to_owned(),
            }),
            concat!(
                r#"{"about":"market-data","kind":"gap","person":null,"session":"s1","#,
                r#""text":"line cut","v":1,"verb":"note"}"#
            ),
        ),
        (Request::Findings { number: Some(7) }, r#"{"number":7,"v":1,"verb":"findings"}"#),
        (
            Request::FindingExplain(FindingExplain {
                person: None,
                finding: 7,
                reason: text("dust"),
            }),
            r#"{"finding":7,"person":null,"reason":"dust","v":1,"verb":"finding-explain"}"#,
        ),
        (
            Request::FindingConfirm(FindingConfirm { person: Name::new("rita"), finding: 7 }),
            r#"{"finding":7,"person":"rita","v":1,"verb":"finding-confirm"}"#,
        ),
    ];
    for (request, expect) in all {
        let bytes = request.to_bytes().unwrap();
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), expect);
        assert_eq!(Request::from_bytes(&bytes), Ok(request));
    }
}

#[test]
fn what_is_no_request_by_hand_is_malformed_on_both_sides() {
    #[track_caller]
    fn check(request: &Request) {
        assert_eq!(request.to_bytes().map_err(|error| error.code()), Err("CONTROL_MALFORMED"));
    }
    check(&Request::OrderSubmit(OrderSubmit { qty: text(""), ..submit() }));
    check(&Request::OrderSubmit(OrderSubmit { symbol: "x".repeat(65), ..submit() }));
    check(&Request::OrderSubmit(OrderSubmit { limit: Some(text("1\n")), ..submit() }));
    let (person, cl_ord_id) = (None, text("pc"));
    check(&Request::OrderAmend(OrderAmend { person, cl_ord_id, qty: None, limit: None }));
    check(&Request::OrderCancel(OrderCancel { person: None, cl_ord_id: Some(text(" ")) }));
    let (person, reason) = (None, text(" "));
    check(&Request::FindingExplain(FindingExplain { person, finding: 1, reason }));
    for foreign in [
        r#"{"ioc":true,"limit":null,"person":"olga","qty":"1","reduce_only":false,"side":"short","symbol":"X","v":1,"verb":"order-submit"}"#,
        r#"{"ioc":true,"limit":null,"person":"Olga","qty":"1","reduce_only":false,"side":"buy","symbol":"X","v":1,"verb":"order-submit"}"#,
        r#"{"ioc":true,"limit":1.5,"person":null,"qty":"1","reduce_only":false,"side":"buy","symbol":"X","v":1,"verb":"order-submit"}"#,
        r#"{"cl_ord_id":null,"v":1,"verb":"order-cancel"}"#,
    ] {
        let read = Request::from_bytes(foreign.as_bytes()).map_err(|error| error.code());
        assert_eq!(read.err(), Some("CONTROL_MALFORMED"), "{foreign}");
    }
}

#[test]
fn answers_by_hand_read_back_and_fit_their_requests_only() {
    let finding = FindingView {
        number: 1,
        code: text("BALANCE"),
        subject: text("USDT"),
        ours: Some(text("1")),
        venue: None,
        state: text("open"),
        outcome: None,
    };
    let denial =
        Denial::over(DenyCode::MaxOpenOrders, Scope::Account, Figure::count(10), Figure::count(9));
    let submit = Request::OrderSubmit(submit());
    let cancel = Request::OrderCancel(OrderCancel { person: None, cl_ord_id: None });
    let (person, symbol) = (None, text("BTC-USDT"));
    let close = Request::PositionClose(PositionClose { person, symbol, qty: None, limit: None });
    let statement = Request::Statement(crate::SignedBytes {
        bytes: b"{}".to_vec(),
        signatures: vec![],
        burns: vec![],
    });
    let proposal = ProposalView {
        shown: text("{}"),
        digest: "0".repeat(64),
        bid: Some(text("1")),
        ask: None,
        expires: text("5"),
    };
    let (origin, proposals) = (text("o"), vec![proposal]);
    for (reply, fits, does_not) in [
        (Reply::Ordered { cl_ord_id: text("pc0000000100000001") }, &submit, &cancel),
        (Reply::Ordered { cl_ord_id: text("pc0000000100000001") }, &statement, &cancel),
        (Reply::Denied(DenialView::from(&denial)), &statement, &cancel),
        (
            Reply::Proposals { origin, proposals, left_out: 0 },
            &Request::Proposals,
            &Request::Status,
        ),
        // What a person asked for waits as a proposal, or is an order already.
        (Reply::Done { text: text("it waits") }, &submit, &close),
        (Reply::Denied(DenialView::from(&denial)), &submit, &cancel),
        (
            Reply::Findings { findings: vec![finding], left_out: 3 },
            &Request::Findings { number: None },
            &submit,
        ),
        (Reply::Done { text: text("done") }, &cancel, &close),
    ] {
        let answer = Answer::last(reply);
        assert_eq!(Answer::from_bytes(&answer.to_bytes().unwrap()), Ok(answer.clone()));
        assert!(answer.fits(fits) && !answer.fits(does_not), "{answer:?}");
    }
}

#[test]
fn a_denial_says_what_would_pass() {
    let over =
        Denial::over(DenyCode::MaxOpenOrders, Scope::Account, Figure::count(10), Figure::count(9));
    let view = DenialView::from(&over);
    let figures = (view.observed.as_deref(), view.limit.as_deref());
    assert_eq!(figures, (Some("10"), Some("9")));
    assert_eq!(view.scope, "account");
    assert_eq!(view.passes, "wait for one to end, or cancel one (the limit is 9)");
    let stale = DenialView::from(&Denial::plain(DenyCode::BookInvalid, Scope::Instrument));
    assert_eq!(stale.passes, "wait for the book's resynchronisation");
    let killed = DenialView::from(&Denial::plain(DenyCode::KillActive, Scope::Session));
    assert_eq!(killed.passes, "two people lift the kill or the stop");
}
