//! The real binary, spoken to through its doors: what a client can rely on.

#![expect(clippy::arithmetic_side_effects, reason = "a test may overflow and fail")]
#![expect(clippy::tests_outside_test_module, reason = "the whole file is a test module")]
#![expect(clippy::disallowed_methods, reason = "a client of the exchange has a clock of its own")]

#[cfg(test)]
#[path = "doors/amends.rs"]
mod amends;
#[cfg(test)]
mod client;
#[cfg(test)]
#[path = "doors/ledger.rs"]
mod ledger;

use client::{KEY, OTHER_KEY, Running, SECRET, credentials, instrument};
use portcullis_domain::{ClOrdId, ExecType, MarketEvent, Qty};
use portcullis_wire::kraken::request::{self, PrivateCall, PublicChannel};
use portcullis_wire::kraken::{
    Executions, Method, PrivateFrame, PublicStreams, VenueRefusal, balances, closed_orders,
    open_orders, system_status, trades_history, ws_token,
};

const ID: ClOrdId = ClOrdId { epoch: 7, sequence: 1 };

#[test]
fn a_book_stays_true_over_a_hundred_updates_and_the_market_is_alive() {
    let exchange = Running::start("book");
    let mut socket = exchange.public_socket();
    let mut streams = PublicStreams::new(instrument());
    for (channel, number) in
        [PublicChannel::Book, PublicChannel::Ticker, PublicChannel::Trade].into_iter().zip(1..)
    {
        socket.send(&request::subscribe(channel, &["BTC/USD"], number));
    }
    let (mut updates, mut quotes, mut trades) = (0, Vec::new(), 0);
    while updates < 100 || quotes.len() < 100 || trades < 5 {
        for frame in streams.decode(socket.next().as_bytes()).unwrap() {
            match frame.event {
                MarketEvent::Levels { .. } => updates += 1,
                MarketEvent::Snapshot { levels } => assert_eq!(levels.len(), 20),
                MarketEvent::Quote { bid, ask, .. } => quotes.push(bid.units() + ask.units()),
                MarketEvent::Trade { .. } => trades += 1,
                MarketEvent::Gap { expected, found } => panic!("checksum {expected} != {found}"),
            }
        }
        assert!(streams.is_book_valid() || updates == 0);
    }
    assert!(crossings(&quotes) >= 3, "an average cross has nothing to cross: {quotes:?}");
}

/// How often a fast moving average of 5 quotes crosses a slow one of 20.
fn crossings(quotes: &[i64]) -> usize {
    let first = quotes.first().copied().unwrap_or_default() * 1_000;
    let (mut fast, mut slow) = (first, first);
    let mut above = Vec::new();
    for quote in quotes {
        fast += (quote * 1_000 - fast) * 2 / 6;
        slow += (quote * 1_000 - slow) * 2 / 21;
        above.push(fast > slow);
    }
    above.iter().zip(above.iter().skip(1)).filter(|(before, after)| before != after).count()
}

#[test]
fn an_order_lives_fills_and_is_canceled() {
    let exchange = Running::start("life");
    let mut private = exchange.private_socket();
    // Far below the market: rests.
    private.order("limit", "0.01000000", Some("1000.0"), (&ID.to_string(), "gtc"));
    let accepted = private.answer(Method::AddOrder).outcome.unwrap();
    assert_eq!(accepted.cl_ord_id, Some(ID.to_string()));
    assert_eq!(private.reports(1)[0].exec_type, ExecType::New);
    let held = balances(&exchange.call(&PrivateCall::BalanceEx)).unwrap();
    let usd = held.iter().find(|balance| balance.currency == "USD").unwrap();
    // 0.01 at 1000 and the taker's fee of 0.4 %.
    assert_eq!((usd.total.as_str(), usd.held.as_str()), ("100000", "10.04"));
    let open = open_orders(&exchange.call(&PrivateCall::OpenOrders)).unwrap();
    assert_eq!((open.len(), open[0].ours()), (1, Some(ID)));

    // The id of an open order cannot be used twice.
    private.order("limit", "0.01000000", Some("1000.0"), (&ID.to_string(), "gtc"));
    let refused = private.answer(Method::AddOrder).outcome.unwrap_err();
    assert_eq!(refused.refusal, VenueRefusal::InvalidArguments);

    private.send(&request::cancel_order(&[ID], &private.token.clone(), 9));
    assert_eq!(private.reports(1)[0].exec_type, ExecType::Canceled);
    assert_eq!(private.answer(Method::CancelOrder).outcome.unwrap().order_id, accepted.order_id);
    private.send(&request::cancel_order(&[ID], &private.token.clone(), 10));
    let unknown = private.answer(Method::CancelOrder).outcome.unwrap_err();
    assert_eq!(unknown.refusal, VenueRefusal::UnknownOrder);

    // A market order fills; money, fees and history agree to the last digit.
    let taker = ClOrdId { epoch: 7, sequence: 2 };
    private.order("market", "0.05000000", None, (&taker.to_string(), "gtc"));
    private.answer(Method::AddOrder).outcome.unwrap();
    let rules = instrument();
    let (mut filled, mut spent) = (Qty::ZERO, portcullis_domain::Money::ZERO);
    while filled < Qty::new(5_000_000).unwrap() {
        for report in private.reports(1) {
            assert_eq!(report.cl_ord_id, taker);
            if let ExecType::Trade { last_px, last_qty, fee, maker, .. } = report.exec_type {
                let value = portcullis_domain::Money::notional(last_px, last_qty, &rules).unwrap();
                assert_eq!((value.times(rules.taker_fee), maker), (Some(fee), false));
                filled = filled.plus(last_qty).unwrap();
                spent = spent.plus(value).and_then(|sum| sum.plus(fee)).unwrap();
            }
        }
    }
    let after = balances(&exchange.call(&PrivateCall::BalanceEx)).unwrap();
    let total = |currency: &str| {
        let balance = after.iter().find(|balance| balance.currency == currency).unwrap();
        balance.total.money().unwrap()
    };
    let start = portcullis_domain::Money::parse("100000").unwrap();
    assert_eq!(Some(total("USD")), start.minus(spent));
    assert_eq!(total("BTC").text(), "1.05");
    let history = exchange.call(&PrivateCall::TradesHistory { offset: 0 });
    let trades = trades_history(&history).unwrap();
    assert!(!trades.is_empty() && trades.iter().all(|trade| trade.maker == Some(false)));
    let closed = closed_orders(&exchange.call(&PrivateCall::ClosedOrders)).unwrap();
    assert_eq!(closed.len(), 2);

    let log = exchange.wire_log();
    let count = |part: &str| log.lines().filter(|line| line.contains(part)).count();
    assert_eq!(count("\"method\":\"add_order\""), 3);
    assert_eq!(count("\"outcome\":\"refused\",\"reason\":\"EGeneral:Invalid arg"), 1);
    assert_eq!(count("\"event\":\"canceled\""), 1);
    assert_eq!(count("\"event\":\"fill\""), trades.len());
}

#[test]
fn a_resting_order_is_filled_as_maker_when_the_market_comes_to_it() {
    let exchange = Running::start("maker");
    let mut public = exchange.public_socket();
    let mut streams = PublicStreams::new(instrument());
    public.send(&request::subscribe(PublicChannel::Ticker, &["BTC/USD"], 1));
    let bid = loop {
        let frames = streams.decode(public.next().as_bytes()).unwrap();
        if let Some(MarketEvent::Quote { bid, .. }) = frames.first().map(|frame| &frame.event) {
            break *bid;
        }
    };
    let mut private = exchange.private_socket();
    let price = bid.text(1);
    let order = private.order_with("\"post_only\":true,\"cl_ord_id\":\"pc0000000700000001\",");
    let order = order.replace("1000.0", &price);
    // The market may have fallen below it meanwhile: then it would take, and is refused.
    loop {
        private.send(&order);
        match private.answer(Method::AddOrder).outcome {
            Ok(_) => break,
            Err(refused) => assert_eq!(refused.refusal, VenueRefusal::PostOnly),
        }
    }
    let (mut filled, ordered) = (Qty::ZERO, Qty::parse("0.01", 8).unwrap());
    while filled < ordered {
        for report in private.reports(1) {
            assert_eq!(report.cl_ord_id, ID);
            if let ExecType::Trade { maker, last_px, last_qty, fee, .. } = report.exec_type {
                assert_eq!((maker, last_px), (true, bid));
                let value = portcullis_domain::Money::notional(last_px, last_qty, &instrument());
                assert_eq!(value.unwrap().times(instrument().maker_fee), Some(fee));
                filled = filled.plus(last_qty).unwrap();
            }
        }
    }
}

#[test]
fn an_order_that_may_not_be_is_refused_in_the_venue_s_words() {
    let exchange = Running::start("refusals");
    let mut private = exchange.private_socket();
    let mut check = |kind: &str, qty: &str, price: Option<&str>, refusal: VenueRefusal| {
        private.order(kind, qty, price, ("someone-else", "gtc"));
        let refused = private.answer(Method::AddOrder).outcome.unwrap_err();
        assert_eq!(refused.refusal, refusal, "{}", refused.text);
    };
    check("limit", "100.0", Some("1100.0"), VenueRefusal::InsufficientFunds);
    check("market", "100.0", None, VenueRefusal::InsufficientFunds);
    check("limit", "0.00000001", Some("60000.0"), VenueRefusal::OrderMinimum);
    check("limit", "0.00005", Some("1.0"), VenueRefusal::CostMinimum);
    check("limit", "0.01", Some("60000.05"), VenueRefusal::TickSize);
    check("limit", "0.01", Some("0"), VenueRefusal::InvalidPrice);
    check("limit", "\"0.01\"", Some("60000"), VenueRefusal::InvalidArguments);
    check("stop-loss", "0.01", Some("60000"), VenueRefusal::InvalidArguments);
    private.send(&private.order_with("\"deadline\":\"2020-01-01T00:00:00Z\","));
    let late = private.answer(Method::AddOrder).outcome.unwrap_err();
    assert_eq!(
        (late.refusal, late.text.as_str()),
        (VenueRefusal::DeadlineElapsed, "EService:Deadline elapsed")
    );
    private.send(&private.order_with("\"validate\":true,"));
    assert_eq!(private.answer(Method::AddOrder).outcome.unwrap().order_id, None);
    private.send(&private.order_with("").replace(&private.token, "forged"));
    let forged = private.answer(Method::AddOrder).outcome.unwrap_err();
    assert_eq!(forged.refusal, VenueRefusal::InvalidSession);
    let open = open_orders(&exchange.call(&PrivateCall::OpenOrders)).unwrap();
    assert_eq!(open, []);
    // Nor through the public door.
    let mut public = exchange.public_socket();
    public.send(&private.order_with(""));
    assert!(public.next_answer("add_order").contains("Permission denied"));
}

#[test]
fn immediate_or_cancel_leaves_nothing_behind_and_cancel_all_empties() {
    let exchange = Running::start("ioc");
    let mut private = exchange.private_socket();
    private.order("limit", "0.01", Some("1000.0"), (&ID.to_string(), "ioc"));
    private.answer(Method::AddOrder).outcome.unwrap();
    let reports = private.reports(2);
    assert_eq!(reports[1].exec_type, ExecType::Canceled);
    for sequence in 2..5 {
        let id = ClOrdId { epoch: 7, sequence };
        private.order("limit", "0.01", Some("1000.0"), (&id.to_string(), "gtc"));
        private.answer(Method::AddOrder).outcome.unwrap();
    }
    // A second connection is told of the open orders first.
    let mut second = exchange.private_socket();
    let Executions { snapshot, open, .. } = second.executions();
    assert!(snapshot);
    assert_eq!(open.len(), 3);
    private.send(&request::cancel_all(&private.token.clone(), 5));
    assert_eq!(private.answer(Method::CancelAll).outcome.unwrap().count, Some(3));
}

#[test]
fn the_dead_man_switch_fires() {
    let exchange = Running::start("deadman");
    let mut private = exchange.private_socket();
    private.order("limit", "0.01", Some("1000.0"), (&ID.to_string(), "gtc"));
    private.answer(Method::AddOrder).outcome.unwrap();
    let second = std::num::NonZeroU32::new(1).unwrap();
    private.send(&request::cancel_all_orders_after(second, &private.token.clone(), 5));
    let renewed = private.answer(Method::CancelAllOrdersAfter).outcome.unwrap();
    assert!(renewed.trigger_time.is_some());
    let reports = private.reports(2);
    assert_eq!(reports[1].exec_type, ExecType::Canceled);
    assert_eq!(reports[1].text, "Cancel all orders after timeout");
}

#[test]
fn rest_believes_only_good_signatures_and_rising_nonces() {
    let exchange = Running::start("rest");
    let check = |body: Vec<u8>, code: &str| {
        let failure = ws_token(&body).unwrap_err();
        assert_eq!(failure.code(), code);
    };
    let call = PrivateCall::WebSocketsToken;
    assert!(ws_token(&exchange.signed(&call, KEY, SECRET, 100)).is_ok());
    check(exchange.signed(&call, KEY, SECRET, 100), "VENUE_INVALID_NONCE");
    check(exchange.signed(&call, KEY, SECRET, 99), "VENUE_INVALID_NONCE");
    check(exchange.signed(&call, KEY, "bm90IHRoZSBzZWNyZXQ=", 101), "VENUE_INVALID_SIGNATURE");
    check(exchange.signed(&call, "nobody", SECRET, 102), "VENUE_INVALID_KEY");
    // A refused signature uses no nonce up, and each key counts by itself.
    assert!(ws_token(&exchange.signed(&call, KEY, SECRET, 101)).is_ok());
    assert!(ws_token(&exchange.signed(&call, OTHER_KEY, SECRET, 1)).is_ok());
    assert!(system_status(&exchange.get("/0/public/SystemStatus")).is_ok());
    assert!(system_status(&exchange.get("/0/private/SystemStatus")).is_err());
    let pairs = String::from_utf8(exchange.get("/0/public/AssetPairs?pair=BTC%2FUSD")).unwrap();
    assert!(pairs.contains("\"BTC/USD\":{\"altname\":\"XBTUSD\""), "{pairs}");
}

#[test]
fn a_stop_is_clean_and_a_busy_port_is_told_clearly() {
    let mut first = Running::start("stop");
    let port = first.public_port.to_string();
    let second = Running::command("stop2", &port).output().unwrap();
    assert_eq!(second.status.code(), Some(75));
    let words = String::from_utf8(second.stderr).unwrap();
    assert!(words.starts_with("error: --public-port 127.0.0.1:") && words.contains("\nnext: "));
    assert_eq!(first.stop(), Some(0));
    let bad = credentials("stop3", "[{}]");
    let refused = Running::command_with("stop3", "0", &bad).output().unwrap();
    assert_eq!(refused.status.code(), Some(78));
    let usage = std::process::Command::new(env!("CARGO_BIN_EXE_portcullis-exchange")).output();
    assert_eq!(usage.unwrap().status.code(), Some(2));
    let limited = Running::command("stop4", "0").args(["--run-seconds-max", "1"]).status();
    assert_eq!(limited.unwrap().code(), Some(0));
}

#[test]
fn the_line_is_kept_alive_and_pings_are_answered() {
    let exchange = Running::start("alive");
    let mut private = exchange.private_socket();
    private.send(&request::ping(77));
    let (mut pong, mut beats) = (false, 0);
    while beats < 2 || !pong {
        match private.frame() {
            PrivateFrame::Pong { req_id } => pong = req_id == Some(77),
            PrivateFrame::Heartbeat => beats += 1,
            PrivateFrame::Status(_)
            | PrivateFrame::Subscription { .. }
            | PrivateFrame::Executions(_)
            | PrivateFrame::Answer(_)
            | PrivateFrame::Balances => {}
        }
    }
}
