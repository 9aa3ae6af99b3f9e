use super::*;
use crate::cli::Serve;
use crate::hub::Feed;
use crate::serve::{Door, build};
use portcullis_domain::MarketEvent;
use portcullis_wire::server::socket::Kind;
use std::path::PathBuf;

/// An exchange without sockets, its log and credentials in a folder of its own.
fn exchange(name: &str, seed: u64) -> Exchange {
    let folder = std::env::temp_dir().join(format!("portcullis-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let credentials = folder.join("credentials.json");
    let entry = |key: &str, account: &str| {
        format!(
            r#"{{"key":"{key}","secret":"YQ==","account":"{account}","balances":{{"USD":"100000","BTC":"1"}}}}"#
        )
    };
    let text = format!("[{},{},{}]", entry("a", "x"), entry("b", "x"), entry("c", "y"));
    std::fs::write(&credentials, text).unwrap();
    let policy = "../../policies/instruments/kraken-btc-usd.toml";
    build(&Serve {
        instruments: vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(policy)],
        credentials,
        seed,
        public_port: 0,
        private_port: 0,
        wire_log: folder.join("wire.jsonl"),
        ready_file: folder.join("ready.json"),
        start_price: Vec::new(),
        transfers: None,
        run_seconds_max: None,
    })
    .unwrap()
}

/// All frames of `feeds` over `steps` steps of 100 ms.
fn frames(exchange: &mut Exchange, feeds: &[Feed], steps: i64) -> Vec<String> {
    let (id, mut line) = exchange.hub.open();
    for feed in feeds {
        exchange.hub.subscribe(id, *feed);
    }
    let mut frames = Vec::new();
    for step in 0..steps {
        exchange.step(WallNs(step.saturating_mul(100_000_000)));
        while let Ok(frame) = line.try_recv() {
            frames.push(frame);
        }
    }
    frames
}

#[test]
fn a_seed_is_a_market() {
    let feeds = [Feed::Book(0, 10), Feed::Ticker(0), Feed::Trades(0)];
    let run = |seed| frames(&mut exchange("seed", seed), &feeds, 100);
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn the_market_is_lively_deep_and_comes_back_to_its_anchor() {
    let mut exchange = exchange("lively", 3);
    let trades = frames(&mut exchange, &[Feed::Trades(0)], 6_000).len();
    // Several a second over ten minutes.
    assert!((1_800..6_000).contains(&trades), "{trades}");
    let market = &exchange.markets[0];
    let ticker = market.ticker().unwrap();
    let distance = (ticker.last.units() - 600_000).abs();
    assert!(distance < 6_000, "more than one percent off: {distance}");
    assert_eq!(market.matching.levels(10).len(), 20);
    assert!(ticker.high.units() - ticker.low.units() > 100);
}

#[test]
fn moving_averages_of_the_quotes_cross_every_few_seconds() {
    for seed in 0..5 {
        let mut exchange = exchange("averages", seed);
        let instrument = exchange.markets[0].instrument.clone();
        let mut streams = portcullis_wire::kraken::PublicStreams::new(instrument);
        let (mut fast, mut slow) = (1_200_000_000_i64, 1_200_000_000_i64);
        let (mut quotes, mut crossings, mut above) = (0, 0, false);
        for frame in frames(&mut exchange, &[Feed::Ticker(0)], 6_000) {
            for frame in streams.decode(frame.as_bytes()).unwrap() {
                let MarketEvent::Quote { bid, ask, .. } = frame.event else { panic!("{frame:?}") };
                let level = (bid.units() + ask.units()) * 1_000;
                fast += (level - fast) * 2 / 6;
                slow += (level - slow) * 2 / 21;
                quotes += 1;
                crossings += i32::from((fast > slow) != above);
                above = fast > slow;
            }
        }
        // In ten minutes: most steps move the best prices; the averages cross every 1 to 6 s.
        assert!(quotes > 4_000, "{quotes}");
        assert!((100..600).contains(&crossings), "{crossings}");
    }
}

#[test]
fn clients_do_not_disturb_the_agents_decisions() {
    let feeds = [Feed::Trades(0)];
    let alone = frames(&mut exchange("alone", 5), &feeds, 50);
    let mut watched = exchange("watched", 5);
    let (id, _line) = watched.hub.open();
    for number in 0..5 {
        watched.hear(
            id,
            Door::Public,
            format!("{{\"method\":\"ping\",\"req_id\":{number}}}").as_bytes(),
            WallNs(0),
        );
    }
    watched.venue_id('O');
    assert_eq!(frames(&mut watched, &feeds, 50), alone);
}

#[test]
fn two_keys_open_one_account_and_each_listener_counts_for_itself() {
    let mut exchange = exchange("keys", 1);
    assert_eq!((exchange.accounts.len(), exchange.keys.len()), (2, 3));
    assert_eq!(exchange.keys["a"].account, exchange.keys["b"].account);
    let (first, mut first_line) = exchange.hub.open();
    let (second, mut second_line) = exchange.hub.open();
    exchange.hub.subscribe(first, Feed::Executions(0));
    exchange.hub.executions(0, "{}");
    exchange.hub.subscribe(second, Feed::Executions(0));
    exchange.hub.executions_to(second, Kind::Snapshot, &[]);
    exchange.hub.executions(0, "{}");
    exchange.hub.executions(1, "{}");
    let sequences = |line: &mut tokio::sync::mpsc::Receiver<String>| {
        let mut found = Vec::new();
        while let Ok(frame) = line.try_recv() {
            let frame: serde_json::Value = serde_json::from_str(&frame).unwrap();
            found.push(frame["sequence"].as_u64().unwrap());
        }
        found
    };
    assert_eq!((sequences(&mut first_line), sequences(&mut second_line)), (vec![1, 2], vec![1, 2]));
}

#[test]
fn money_is_neither_made_nor_lost_but_for_fees() {
    // Two accounts trade with each other and with the agents; the sum of what the two hold moves
    // only by fees and by what the agents gave and took.
    let mut exchange = exchange("money", 9);
    exchange.tokens.insert("x".into(), 0);
    exchange.tokens.insert("y".into(), 1);
    let (id, _line) = exchange.hub.open();
    for step in 0..200_i64 {
        let now = WallNs(step.saturating_mul(100_000_000));
        exchange.step(now);
        let (token, side) = if step % 2 == 0 { ("x", "buy") } else { ("y", "sell") };
        let frame = format!(
            r#"{{"method":"add_order","params":{{"order_type":"market","side":"{side}","order_qty":0.001,"symbol":"BTC/USD","token":"{token}"}}}}"#
        );
        exchange.hear(id, Door::Private, frame.as_bytes(), now);
    }
    assert!(exchange.fills.len() >= 150, "{}", exchange.fills.len());
    for (index, account) in exchange.accounts.iter().enumerate() {
        let mut usd = Money::parse("100000").unwrap();
        let mut btc = Money::parse("1").unwrap();
        for fill in &exchange.fills {
            let order = &exchange.orders[&fill.order];
            if order.account != index {
                continue;
            }
            let qty = crate::account::base_amount(fill.view.qty, &exchange.markets[0].instrument);
            let buys = order.view.side == Side::Buy;
            let (usd_moved, btc_moved) =
                if buys { (-fill.view.cost.0, qty.0) } else { (fill.view.cost.0, -qty.0) };
            usd = Money(usd.0 + usd_moved - fill.view.fee.0);
            btc = Money(btc.0 + btc_moved);
        }
        assert_eq!((account.balance("USD"), account.balance("BTC")), (usd, btc));
        assert_eq!(exchange.held(index, "USD"), Money::ZERO);
    }
}
