//! The account's ledger, as a client of the exchange reads it.

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::client::{KEY, Running};
use portcullis_domain::{ClOrdId, LedgerKind, Money};
use portcullis_wire::kraken::request::PrivateCall;
use portcullis_wire::kraken::{
    LedgerRecord, Method, balances, ledgers, open_positions, server_time, trades_history,
};

fn page(exchange: &Running, after_s: i64, offset: u32) -> Vec<LedgerRecord> {
    ledgers(&exchange.call(&PrivateCall::Ledgers { after_s, offset })).unwrap()
}

/// Books deposits, one after the other, and waits for them.
fn deposit(exchange: &Running, currency: &str, count: usize) {
    let before = page(exchange, 0, 0).len();
    let mut file =
        std::fs::OpenOptions::new().create(true).append(true).open(exchange.transfers()).unwrap();
    for number in 1..=count {
        let line = format!(
            "{{\"account\":\"{KEY}\",\"currency\":\"{currency}\",\"amount\":\"0.{number}\"}}\n"
        );
        file.write_all(line.as_bytes()).unwrap();
    }
    let began = Instant::now();
    while page(exchange, 0, 0).len() < (before + count).min(50) {
        assert!(began.elapsed() < Duration::from_secs(30), "no deposit");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn total(exchange: &Running, currency: &str) -> Money {
    let all = balances(&exchange.call(&PrivateCall::BalanceEx)).unwrap();
    all.iter().find(|it| it.currency == currency).unwrap().total.money().unwrap()
}

#[test]
fn fills_and_deposits_are_entries_and_their_sum_is_the_balance() {
    let exchange = Running::start("ledger");
    assert_eq!(open_positions(&exchange.call(&PrivateCall::OpenPositions)), Ok(Vec::new()));
    assert_eq!(page(&exchange, 0, 0), []);
    let taker = ClOrdId { epoch: 7, sequence: 2 };
    let mut private = exchange.private_socket();
    private.order("market", "0.05000000", None, (&taker.to_string(), "gtc"));
    private.answer(Method::AddOrder).outcome.unwrap();
    deposit(&exchange, "BTC", 2);
    let records = page(&exchange, 0, 0);
    let trades = trades_history(&exchange.call(&PrivateCall::TradesHistory { offset: 0 })).unwrap();
    let of_trades = records.iter().filter(|it| it.kind == "trade");
    assert_eq!(of_trades.clone().count(), 2 * trades.len());
    assert!(of_trades.clone().all(|it| trades.iter().any(|fill| fill.exec_id.0 == it.ref_id)));
    for (currency, start) in [("USD", "100000"), ("BTC", "1")] {
        let mut sum = Money::parse(start).unwrap();
        for record in records.iter().filter(|record| record.currency == currency) {
            let (amount, fee) = (record.amount.money().unwrap(), record.fee.money().unwrap());
            sum = sum.plus(amount).and_then(|sum| sum.minus(fee)).unwrap();
        }
        assert_eq!(total(&exchange, currency), sum, "{currency}");
    }
    let booked: Vec<_> = records.iter().flat_map(|record| record.entries().unwrap()).collect();
    let kinds: Vec<_> = booked.iter().map(|it| (it.kind, it.amount.text())).collect();
    let deposit = |text: &str| (LedgerKind::Deposit, text.to_owned());
    assert_eq!(kinds, [deposit("0.1"), deposit("0.2")]);
    assert!(exchange.wire_log().contains("\"event\":\"transfer\""));
}

#[test]
fn a_ledger_is_read_page_by_page_and_from_a_moment_on() {
    let exchange = Running::start("pages");
    let now = server_time(&exchange.get("/0/public/Time")).unwrap();
    deposit(&exchange, "USD", 60);
    let (first, second) = (page(&exchange, 0, 0), page(&exchange, 0, 50));
    assert_eq!((first.len(), second.len()), (50, 10));
    assert!(second.iter().all(|old| first.iter().all(|new| new.at >= old.at && new.id != old.id)));
    assert_eq!(page(&exchange, 0, 60), []);
    let second_of = |ns: i64| ns.div_euclid(1_000_000_000);
    assert_eq!(page(&exchange, second_of(now.0) - 1, 50).len(), 10);
    assert_eq!(page(&exchange, second_of(now.0) + 60, 0), []);
}
