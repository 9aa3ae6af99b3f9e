//! The server's answers are read by the client's decoders: each side checks the other.

use portcullis_domain::market::Level;
use portcullis_domain::{
    Book, ExecType, Instrument, MarketEvent, Money, OrdType, Px, Qty, Side, TimeInForce, WallNs,
};

use super::executions::{FillView, OrderView};
use super::request::{Ask, SocketRequest};
use super::socket::{Kind, Print, Ticker};
use super::{Reason, Stamp, executions, rest, socket};
use crate::kraken::checksum::book_checksum;
use crate::kraken::testing::instrument;
use crate::kraken::{self, PrivateFrame, PrivateStreams, PublicStreams, VenueRefusal, request};

const AT: WallNs = WallNs(1_716_033_950_293_682_000);
const STAMP: Stamp = Stamp { received: AT, sent: AT };

fn px(units: i64) -> Px {
    Px::new(units).unwrap()
}

fn qty(units: i64) -> Qty {
    Qty::new(units).unwrap()
}

fn order() -> OrderView {
    OrderView {
        order_id: "OABCDE-ABCDE-ABCDEF".into(),
        cl_ord_id: Some("pc0000000100000002".into()),
        side: Side::Buy,
        ord_type: OrdType::Limit,
        time_in_force: TimeInForce::Gtc,
        post_only: true,
        qty: qty(2_000_000),
        price: Some(px(300_000)),
        cum_qty: qty(1_000_000),
        cum_cost: Money::parse("300").unwrap(),
        fee: Money::parse("0.78").unwrap(),
        opened: AT,
    }
}

fn fill() -> FillView {
    FillView {
        exec_id: "TABCDE-ABCDE-ABCDEF".into(),
        trade_id: 7,
        px: px(300_000),
        qty: qty(1_000_000),
        cost: Money::parse("300").unwrap(),
        fee: Money::parse("0.78").unwrap(),
        maker: false,
        at: AT,
    }
}

#[test]
fn public_frames_are_what_the_client_reads() {
    let btc = instrument();
    let mut streams = PublicStreams::new(btc.clone());
    let mut read = |frame: String| streams.decode(frame.as_bytes()).unwrap();
    assert_eq!(read(socket::status(u64::MAX)), []);
    assert_eq!(read(socket::heartbeat()), []);
    assert_eq!(read(socket::pong(Some(1), STAMP)), []);
    let levels = [
        Level { side: Side::Buy, px: px(299_999), qty: qty(5) },
        Level { side: Side::Sell, px: px(300_001), qty: qty(100_000_000) },
    ];
    let mut book = Book::new();
    book.reset(&levels);
    let sum = book_checksum(&book);
    let frames = read(socket::book(Kind::Snapshot, &btc, &levels, sum, AT));
    assert!(matches!(&frames[0].event, MarketEvent::Snapshot { levels } if levels.len() == 2));
    let print = Print {
        aggressor: Side::Sell,
        px: px(299_999),
        qty: qty(3),
        market_order: true,
        trade_id: 9,
        at: AT,
    };
    let frames = read(socket::trades(Kind::Update, &btc, &[print]));
    assert!(matches!(frames[0].event, MarketEvent::Trade { trade_id: 9, .. }));
    let ticker = Ticker {
        bid: (px(299_999), qty(5)),
        ask: (px(300_001), qty(1)),
        last: px(299_000),
        low: px(1),
        high: px(300_001),
        first: px(300_000),
        volume: qty(0),
        value: Money::ZERO,
    };
    let frame = socket::ticker(Kind::Update, &btc, &ticker, AT);
    assert!(frame.contains("\"change\":-100.0,\"change_pct\":-0.33,"), "{frame}");
    assert!(matches!(read(frame)[0].event, MarketEvent::Quote { .. }));
}

#[test]
fn an_order_s_life_is_what_the_client_reads() {
    let btc = instrument();
    let mut streams = PrivateStreams::new(vec![btc.clone()]);
    let (order, fill) = (order(), fill());
    let mut kinds = Vec::new();
    let elements = [
        executions::pending_new(&order, &btc),
        executions::new(&order, AT),
        executions::amended(&order, &btc, AT),
        executions::trade(&order, &fill, &btc),
        executions::canceled(&order, &btc, "User requested", AT),
        executions::filled(&order, &btc, AT),
    ];
    for (element, sequence) in elements.into_iter().zip(1..) {
        let frame = executions::frame(Kind::Update, &[element], sequence);
        let PrivateFrame::Executions(found) = streams.decode(frame.as_bytes()).unwrap() else {
            panic!("{frame}")
        };
        assert!(found.foreign.is_empty());
        kinds.extend(found.reports.into_iter().map(|report| report.exec_type));
    }
    let fee = fill.fee;
    assert!(matches!(&kinds[2], ExecType::Trade { fee: found, maker: false, .. } if *found == fee));
    let names: Vec<_> = kinds.iter().map(ExecType::name).collect();
    assert_eq!(names, ["new", "replaced", "trade", "canceled"]);

    let frame = executions::frame(Kind::Snapshot, &[executions::open(&order, &btc)], 1);
    let mut fresh = PrivateStreams::new(vec![btc]);
    let PrivateFrame::Executions(found) = fresh.decode(frame.as_bytes()).unwrap() else { panic!() };
    assert_eq!(found.open[0].cum_qty.as_str(), "0.01000000");
}

#[test]
fn rest_bodies_are_what_the_client_reads() {
    let btc = instrument();
    let (order, fill) = (order(), fill());
    let body = rest::success(&rest::open_orders(&[(&order, &btc)]));
    let open = kraken::open_orders(body.as_bytes()).unwrap();
    assert_eq!(open[0].ours().map(|id| id.sequence), Some(2));
    assert!(kraken::record::names_pair(&btc, &open[0].pair));
    let ended = rest::Ended { at: AT, canceled: true, reason: "User requested".into() };
    let body = rest::success(&rest::closed_orders(&[(&order, &btc, &ended)]));
    assert_eq!(kraken::closed_orders(body.as_bytes()).unwrap().len(), 1);
    let body = rest::success(&rest::trades_history(&[(&fill, &order, &btc)], 1));
    let trades = kraken::trades_history(body.as_bytes()).unwrap();
    assert_eq!((trades[0].price.as_str(), trades[0].maker), ("30000.0", Some(false)));
    assert!(kraken::record::names_pair(&btc, &trades[0].pair));
    let held = Money::parse("1.5").unwrap();
    let body = rest::success(&rest::balances(&[("USD".into(), Money(1), held)]));
    let balances = kraken::balances(body.as_bytes()).unwrap();
    assert_eq!((balances[0].currency.as_str(), balances[0].total.money()), ("USD", Ok(Money(1))));
    let body = rest::success(&rest::time(AT));
    assert_eq!(kraken::server_time(body.as_bytes()), Ok(WallNs(1_716_033_950_000_000_000)));
    assert!(kraken::system_status(rest::success(&rest::system_status(AT)).as_bytes()).is_ok());
    assert_eq!(
        kraken::ws_token(rest::success(&rest::token("t")).as_bytes()).unwrap().expires_s,
        900
    );
    assert_eq!(kraken::cancel_count(rest::success(&rest::count(4)).as_bytes()), Ok(4));
    let switch = kraken::dead_man(rest::success(&rest::dead_man(AT, None)).as_bytes()).unwrap();
    assert_eq!(switch.trigger, None);
    let failure = kraken::cancel_count(rest::failure(Reason::UnknownOrder).as_bytes()).unwrap_err();
    assert_eq!(failure.code(), "VENUE_UNKNOWN_ORDER");
}

#[test]
fn a_ledger_is_these_bytes_and_the_client_reads_them() {
    let entry = |id: &str, kind, at: WallNs, (amount, fee): (&str, &str)| rest::LedgerView {
        id: id.into(),
        ref_id: "QABCDE-ABCDE-ABCDEF".into(),
        at,
        kind,
        currency: "BTC".into(),
        amount: Money::parse(amount).unwrap(),
        fee: Money::parse(fee).unwrap(),
        balance: Money::parse("2").unwrap(),
    };
    let deposit = entry("LB", "deposit", AT.plus_ns(100_000), ("0.5", "0.001"));
    let trade = entry("LA", "trade", AT, ("-0.25", "0"));
    let body = rest::success(&rest::ledgers(&[&deposit, &trade], 7));
    let expect = concat!(
        r#"{"error":[],"result":{"ledger":{"LB":{"refid":"QABCDE-ABCDE-ABCDEF","#,
        r#""time":1716033950.2937,"type":"deposit","subtype":"","aclass":"currency","#,
        r#""asset":"XXBT","amount":"0.5","fee":"0.001","balance":"2"},"#,
        r#""LA":{"refid":"QABCDE-ABCDE-ABCDEF","time":1716033950.2936,"type":"trade","#,
        r#""subtype":"","aclass":"currency","asset":"XXBT","amount":"-0.25","fee":"0","#,
        r#""balance":"2"}},"count":7}}"#
    );
    assert_eq!(body, expect);
    let read = kraken::ledgers(body.as_bytes()).unwrap();
    let booked: Vec<_> = read.iter().flat_map(|record| record.entries().unwrap()).collect();
    let amounts: Vec<_> = booked.iter().map(|it| (it.id.0.as_str(), it.amount.text())).collect();
    assert_eq!(amounts, [("LB", "0.5".to_owned()), ("LB-fee", "-0.001".to_owned())]);
    let none = rest::success(&rest::open_positions());
    assert_eq!(kraken::open_positions(none.as_bytes()), Ok(Vec::new()));
    let read = kraken::pong(socket::pong(Some(1), STAMP).as_bytes()).unwrap().unwrap();
    assert_eq!((read.req_id, read.time_in), (Some(1), AT));
}

#[test]
fn asset_pairs_have_the_fields_of_the_recorded_one() {
    let pairs: serde_json::Value =
        serde_json::from_str(&rest::asset_pairs(&[("XXBTZUSD".into(), &instrument())])).unwrap();
    let pair = &pairs["XXBTZUSD"];
    assert_eq!(pair["fees"][0][1].to_string(), "0.26");
    assert_eq!((pair["base"].as_str(), pair["wsname"].as_str()), (Some("XXBT"), Some("XBT/USD")));
    assert_eq!(pair["ordermin"], "0.00010000");
}

#[test]
fn every_refusal_is_one_that_the_client_knows() {
    let all = [
        Reason::InvalidKey,
        Reason::InvalidSignature,
        Reason::InvalidNonce,
        Reason::InvalidArguments("side"),
        Reason::UnknownMethod,
        Reason::TokenNotFound,
        Reason::PermissionDenied,
        Reason::InsufficientFunds,
        Reason::OrderMinimum,
        Reason::CostMinimum,
        Reason::TickSize,
        Reason::InvalidPrice,
        Reason::UnknownOrder,
        Reason::DuplicateClOrdId,
        Reason::PostOnly,
        Reason::ReduceOnly,
        Reason::OrdersLimit,
        Reason::DeadlineElapsed,
        Reason::UnknownPair,
        Reason::UnknownSymbol,
        Reason::DepthNotSupported,
        Reason::UnsupportedEvent,
        Reason::UnsupportedPingParams,
    ];
    for reason in all {
        let known = VenueRefusal::from_text(&reason.text());
        assert_ne!(known, VenueRefusal::Unrecognised, "{reason:?}");
    }
}

#[test]
fn the_client_s_requests_are_what_the_server_reads() {
    let ask = |request: String| SocketRequest::read(request.as_bytes()).unwrap().ask;
    let book = ask(request::subscribe(request::PublicChannel::Book, &["BTC/USD"], 1)).unwrap();
    let Ask::Subscribe(book) = book else { panic!("{book:?}") };
    assert_eq!((book.channel.as_str(), book.depth, book.snapshot), ("book", Some(10), true));
    let Ok(Ask::Subscribe(own)) = ask(request::subscribe_executions("T", 1)) else { panic!() };
    assert_eq!((own.token.as_deref(), own.snap_orders), (Some("T"), true));
    assert_eq!(ask(request::ping(1)), Ok(Ask::Ping));
    let id = portcullis_domain::ClOrdId { epoch: 1, sequence: 2 };
    let Ok(Ask::CancelOrder { cl_ord_ids, .. }) = ask(request::cancel_order(&[id], "T", 1)) else {
        panic!()
    };
    assert_eq!(cl_ord_ids, ["pc0000000100000002"]);
    assert_eq!(ask(request::cancel_all("T", 1)), Ok(Ask::CancelAll { token: "T".into() }));
    let minute = std::num::NonZeroU32::new(60).unwrap();
    let renewed = ask(request::cancel_all_orders_after(minute, "T", 1));
    assert_eq!(renewed, Ok(Ask::CancelAllOrdersAfter { token: "T".into(), timeout_s: 60 }));
    let check = |frame: &str, reason: Reason| assert_eq!(ask(frame.into()), Err(reason), "{frame}");
    check(r#"{"method":"ping","params":{}}"#, Reason::UnsupportedPingParams);
    check(r#"{"method":"dance","params":{}}"#, Reason::UnsupportedEvent);
    check(
        r#"{"method":"cancel_order","params":{"token":"T"}}"#,
        Reason::InvalidArguments("order_id"),
    );
    check(
        r#"{"method":"add_order","params":{"order_type":"limit","side":"buy","order_qty":"0.1","symbol":"BTC/USD","limit_price":1,"token":"T"}}"#,
        Reason::InvalidArguments("order_qty"),
    );
}

#[test]
fn instruments_are_listed_with_their_steps() {
    let btc: Instrument = instrument();
    let frame = socket::instruments(&[&btc]);
    let read: serde_json::Value = serde_json::from_str(&frame).unwrap();
    assert_eq!(read["data"]["pairs"][0]["symbol"], "BTC/USD");
    assert!(frame.contains("\"price_increment\":0.1,"), "{frame}");
}
