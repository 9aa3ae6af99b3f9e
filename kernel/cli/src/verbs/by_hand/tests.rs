//! What is typed, what crosses the socket, and what is said about the gate's no.

use clap::Parser as _;
use portcullis_control::{Answer, OrderCancel, OrderSubmit, PositionClose, Refused};
use portcullis_domain::Side;

use super::*;
use crate::args::{Cli, Verb};
use crate::testing::{People, Scratch};
use crate::testing::{daemon, frame};

const ID: &str = "pc0123456700000001";

fn parse(line: &str) -> Result<Verb, clap::Error> {
    Cli::try_parse_from(line.split(' ')).map(|cli| cli.verb)
}

/// Runs a line against a daemon that answers so; what it was asked, and how the line ended.
fn ask(line: &str, answer: &Answer) -> (Request, Result<(), CliError>) {
    let scratch = Scratch::new("hand");
    let people = People::new();
    std::fs::write(scratch.path().join("genesis.json"), &people.genesis.bytes).unwrap();
    let server = daemon(scratch.path().join("control.sock"), vec![frame(answer)]);
    let home = scratch.path().display();
    let ended = crate::run(parse(&format!("portcullis {line} --home {home}")).unwrap());
    (server.join().unwrap(), ended)
}

#[test]
fn what_is_typed_is_what_crosses_the_socket() {
    let yes = Answer::last(Reply::Ordered { cl_ord_id: ID.to_owned() });
    let (asked, ended) =
        ask("order submit BTC-USDT sell 0.010 --limit 60000.5 --ioc --reduce-only --as olga", &yes);
    assert_eq!(ended, Ok(()));
    let expect = OrderSubmit {
        person: Name::new("olga"),
        symbol: "BTC-USDT".to_owned(),
        side: Side::Sell,
        qty: "0.010".to_owned(),
        limit: Some("60000.5".to_owned()),
        ioc: true,
        reduce_only: true,
    };
    assert_eq!(asked, Request::OrderSubmit(expect));
    let (asked, ended) = ask("position close BTC-USDT --json", &yes);
    let (symbol, person) = ("BTC-USDT".to_owned(), None);
    let expect = PositionClose { person, symbol, qty: None, limit: None };
    assert_eq!((asked, ended), (Request::PositionClose(expect), Ok(())));
    let done = Answer::last(Reply::Done { text: "canceled".to_owned() });
    for (line, cl_ord_id) in [("--all", None), (ID, Some(ID.to_owned()))] {
        let (asked, ended) = ask(&format!("order cancel {line}"), &done);
        let expect = Request::OrderCancel(OrderCancel { person: None, cl_ord_id });
        assert_eq!((asked, ended), (expect, Ok(())));
    }
    let (asked, ended) = ask("recon explain 3 --reason dust --as olga", &done);
    assert!(matches!(asked, Request::FindingExplain(said) if said.finding == 3), "{ended:?}");
    let (asked, ended) = ask("recon confirm 3", &done);
    assert!(matches!(asked, Request::FindingConfirm(said) if said.finding == 3), "{ended:?}");
    let none = Answer::last(Reply::Findings { findings: vec![], left_out: 0 });
    assert_eq!(ask("recon list", &none), (Request::Findings { number: None }, Ok(())));
    let (asked, ended) = ask("recon show 9 --json", &none);
    let exit = ended.map_err(|error| error.exit);
    assert_eq!((asked, exit), (Request::Findings { number: Some(9) }, Err(Exit::NotFound)));
}

#[test]
fn what_cannot_be_read_exactly_goes_nowhere() {
    for line in [
        "portcullis order submit BTC-USDT buy 1e3 --home h",
        "portcullis order submit BTC-USDT buy 0 --home h",
        "portcullis order submit BTC-USDT buy NaN --home h",
        "portcullis order submit BTC-USDT buy -1 --home h",
        "portcullis order submit BTC-USDT buy 1,5 --home h",
        "portcullis order submit BTC-USDT buy 0.0000000000000000001 --home h",
        "portcullis order submit BTC-USDT buy 9999999999999999999999999999999999999999 --home h",
        "portcullis order submit BTC-USDT hold 1 --home h",
        "portcullis order submit BTC-USDT buy 1",
        "portcullis order submit BTC-USDT buy 1 --home h --as Olga",
        "portcullis order amend pc0123456700000001 --home h",
        "portcullis order amend pc01 --qty 1 --home h",
        "portcullis order cancel --home h",
        "portcullis order cancel pc0123456700000001 --all --home h",
        "portcullis order cancel V-1 --home h",
        "portcullis position close --home h",
        "portcullis recon explain three --reason x --home h",
        "portcullis recon explain 3 --home h",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
    for line in [
        "portcullis order amend pc0123456700000001 --qty 1 --home h",
        "portcullis order amend pc0123456700000001 --limit 1 --qty 2 --home h --as olga",
        "portcullis order list --home h --json",
        "portcullis position list --home h",
        "portcullis position close BTC-USDT --qty 0.5 --limit 9 --home h",
    ] {
        assert!(parse(line).is_ok(), "{line}");
    }
}

#[test]
fn a_denial_ends_with_its_code_its_figures_and_what_passes() {
    let text = |text: &str| text.to_owned();
    let denial = DenialView {
        code: text("MAX_ORDER_QTY"),
        meaning: text("the quantity is above the limit"),
        scope: text("instrument"),
        observed: Some(text("2")),
        limit: Some(text("1")),
        passes: text("a value that keeps to 1"),
    };
    let no = Answer::last(Reply::Denied(denial.clone()));
    let error = ask("order submit BTC-USDT buy 2", &no).1.unwrap_err();
    assert_eq!((error.code.as_str(), error.exit), ("MAX_ORDER_QTY", Exit::Refused));
    assert_eq!(error.cause, "the quantity is above the limit; observed 2; limit 1");
    assert_eq!(error.next, "what passes: a value that keeps to 1");
    let killed = DenialView { code: text("KILL_ACTIVE"), ..denial };
    let no = Answer::last(Reply::Denied(killed));
    let error = ask("position close BTC-USDT", &no).1.unwrap_err();
    assert_eq!(error.exit, Exit::KillEngaged);
    let refused = Refused { code: text("RELEASE_REQUIRED"), cause: text("phase 5") };
    let error = ask("order submit BTC-USDT buy 2", &Answer::refused(refused)).1.unwrap_err();
    assert_eq!(error.exit, Exit::Refused);
}
