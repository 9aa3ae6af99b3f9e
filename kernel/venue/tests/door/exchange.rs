//! Against the real thing that is not real: the simulated exchange's own program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use portcullis_domain::{
    ClOrdId, ExecType, ExecutionReport, LedgerKind, MarketEvent, Money, OrderId, Px, Qty, Side,
    StreamId, TimeInForce, WallNs,
};
use portcullis_gate::DenyCode;
use portcullis_venue::{
    AccountReader, ClockReader, PrivateEvent, PrivateReader, PublicStream, SimulatedEndpoint,
    SubmitFate,
};

use portcullis_wire::kraken::VenueRefusal;

use crate::minted::{House, Wish, instrument, wall};
use crate::venue_double::{connect, door};

const CREDENTIAL: &[u8] = br#"{"key":"k","secret":"c2VjcmV0"}"#;
const INSTRUMENT: &str = r#"
symbol = "BTC-USD"
venue = "kraken"
venue_symbol = "BTC/USD"
base = "BTC"
quote = "USD"
kind = "spot"
price_scale = 1
qty_scale = 8
tick = "0.1"
lot = "0.00000001"
qty_min = "0.00005"
notional_min = "0.5"
maker_fee = "0.0025"
taker_fee = "0.004"
source = "test"
"#;
const ACCOUNTS: &str =
    r#"[{"key":"k","secret":"c2VjcmV0","account":"a","balances":{"USD":"100000","BTC":"2"}}]"#;

/// A running exchange in a folder of its own.
struct Exchange {
    child: Child,
    folder: PathBuf,
    public_port: u16,
    private_port: u16,
}

impl Exchange {
    /// `None`, said aloud, where the program has not been built.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    fn start(name: &str) -> Option<Self> {
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let program = scratch.parent()?.join("debug/portcullis-exchange");
        if !program.exists() {
            eprintln!("SKIPPED: no portcullis-exchange in the target folder; build it first");
            return None;
        }
        let folder = scratch.join(format!("venue-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("instrument.toml"), INSTRUMENT).unwrap();
        std::fs::write(folder.join("accounts.json"), ACCOUNTS).unwrap();
        let mut command = Command::new(program);
        command.current_dir(&folder).arg("serve");
        for option in [
            "--instruments=instrument.toml",
            "--credentials=accounts.json",
            "--seed=7",
            "--public-port=0",
            "--private-port=0",
            "--wire-log=wire.jsonl",
            "--transfers=transfers.jsonl",
            "--ready-file=ready.json",
            "--run-seconds-max=60",
        ] {
            command.arg(option);
        }
        let child = command.spawn().unwrap();
        let mut exchange = Self { child, folder, public_port: 0, private_port: 0 };
        let ready = exchange.folder.join("ready.json");
        for _ in 0..200 {
            if let Ok(text) = std::fs::read_to_string(&ready) {
                (exchange.public_port, exchange.private_port) =
                    (port(&text, "public"), port(&text, "private"));
                return Some(exchange);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the exchange did not open its doors");
    }

    /// How many requests of that method reached the order door.
    fn requests(&self, method: &str) -> usize {
        let log = std::fs::read_to_string(self.folder.join("wire.jsonl")).unwrap();
        let named = format!("\"method\":\"{method}\"");
        log.lines().filter(|line| line.contains(&named)).count()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

fn port(ready: &str, side: &str) -> u16 {
    let (_, rest) = ready.split_once(&format!("\"{side}\":{{")).unwrap();
    let (_, rest) = rest.split_once("\"port\":").unwrap();
    rest.split('}').next().unwrap().parse().unwrap()
}

/// Reads until a report of that name about that order came; all reports up to then.
fn reports_until(reader: &mut PrivateReader, id: ClOrdId, last: &str) -> Vec<ExecutionReport> {
    let mut reports = Vec::new();
    for _ in 0..200 {
        for event in reader.next_events() {
            match event {
                PrivateEvent::Report(report) => reports.push(report),
                PrivateEvent::Status(_) => {}
                PrivateEvent::OrderRefused { .. }
                | PrivateEvent::OrderUnknown { .. }
                | PrivateEvent::ChangeRefused { .. }
                | PrivateEvent::CancelRefused { .. }
                | PrivateEvent::Foreign(_)
                | PrivateEvent::Down(_) => panic!("{event:?}"),
            }
        }
        let is_last =
            |report: &ExecutionReport| report.cl_ord_id == id && report.exec_type.name() == last;
        if reports.iter().any(is_last) {
            return reports;
        }
    }
    panic!("no {last} of {id} in {reports:?}");
}

/// The best offer, in ticks of the instrument, as the public stream tells it.
fn best_ask(endpoint: &SimulatedEndpoint) -> i64 {
    let mut stream = PublicStream::connect(endpoint, instrument(), [0; 3]).unwrap();
    let (mut book, mut ask) = (false, None);
    for _ in 0..200 {
        let (raw, frames) = stream.next_frames().unwrap();
        assert!(frames.is_empty() || !raw.is_empty());
        for frame in frames {
            match frame.event {
                MarketEvent::Quote { ask: offer, .. } => ask = Some(offer.units()),
                MarketEvent::Snapshot { levels } => {
                    assert_eq!((frame.stream, levels.is_empty()), (StreamId::BOOK, false));
                    book = true;
                }
                MarketEvent::Trade { .. } | MarketEvent::Levels { .. } => {}
                MarketEvent::Gap { .. } => panic!("{frame:?}"),
            }
        }
        if let (true, Some(ask)) = (book, ask) {
            return ask;
        }
    }
    panic!("no quote and no book");
}

fn soon() -> WallNs {
    wall().plus_ns(5_000_000_000)
}

/// What the account must hold after these fills of buys.
fn balances_after(fills: &[ExecutionReport]) -> BTreeMap<String, Money> {
    let mut usd = Money::parse("100000").unwrap();
    let mut btc = Money::parse("2").unwrap();
    for fill in fills {
        let ExecType::Trade { last_px, last_qty, fee, .. } = &fill.exec_type else { panic!() };
        let value = Money::notional(*last_px, *last_qty, &instrument()).unwrap();
        usd = usd.minus(value).unwrap().minus(*fee).unwrap();
        btc = btc.plus(Money(i128::from(last_qty.units()).saturating_mul(10_000_000_000))).unwrap();
    }
    BTreeMap::from([("BTC".to_owned(), btc), ("USD".to_owned(), usd)])
}

#[test]
fn an_order_lives_and_the_account_agrees() {
    let Some(exchange) = Exchange::start("life") else { return };
    let ask = best_ask(&SimulatedEndpoint::new("127.0.0.1", exchange.public_port).unwrap());
    let mut house = House::new(1);
    let (mut session, mut reader) = connect(exchange.private_port, &house, CREDENTIAL).unwrap();

    // One that takes, far enough above the offer to be filled whole.
    let buy = Wish { side: Side::Buy, time_in_force: TimeInForce::Gtc, qty: 1_000_000, px: ask };
    let order = house.order(Wish { px: ask.saturating_add(5_000), ..buy });
    let taken = order.item().cl_ord_id();
    assert_eq!(session.submit(order, soon()), SubmitFate::Sent);
    let mut reports = reports_until(&mut reader, taken, "trade");
    assert_eq!(reports[0].exec_type, ExecType::New);

    // One that rests, and is taken back.
    let order = house.order(Wish { px: ask / 2, ..buy });
    let rested = order.item().cl_ord_id();
    assert_eq!(session.submit(order, soon()), SubmitFate::Sent);
    reports.extend(reports_until(&mut reader, rested, "new"));
    let (door, lifeline) = door(exchange.private_port, CREDENTIAL);
    let account = AccountReader::new(door, vec![instrument()]);
    let state = account.read_account(&BTreeMap::new(), soon()).unwrap();
    let open: Vec<_> = state.open_orders.iter().map(|order| order.cl_ord_id).collect();
    assert_eq!(open, [Some(rested)]);
    assert_eq!(state.open_orders[0].leaves_qty.units(), 1_000_000);
    // What reconciliation compares is what was sent, to the last digit.
    let listed = &state.open_orders[0];
    assert_eq!((listed.side, listed.price.map(Px::units)), (Side::Buy, Some(ask / 2)));
    let units = |qty: Option<portcullis_domain::Qty>| qty.map(portcullis_domain::Qty::units);
    assert_eq!((units(listed.qty), units(listed.cum_qty)), (Some(1_000_000), Some(0)));
    session.cancel(rested).unwrap();
    reports.extend(reports_until(&mut reader, rested, "canceled"));

    // The account by REST is what the reports said, to the last digit.
    let known: BTreeMap<OrderId, ClOrdId> = reports
        .iter()
        .filter_map(|report| Some((report.order_id.clone()?, report.cl_ord_id)))
        .collect();
    let state = account.read_account(&known, WallNs(0)).unwrap();
    assert_eq!((state.open_orders.as_slice(), state.unplaced.as_slice()), (&[][..], &[][..]));
    let told = |reports: &[ExecutionReport]| {
        let trades = reports.iter().filter(|report| report.exec_type.name() == "trade");
        let trades = trades.map(|report| (report.cl_ord_id, report.exec_type.clone()));
        let mut trades: Vec<_> = trades.map(|trade| format!("{trade:?}")).collect();
        trades.sort();
        trades
    };
    assert!(!state.fills.is_empty());
    assert_eq!(told(&state.fills), told(&reports));
    assert_eq!(account.read_account(&BTreeMap::new(), WallNs(0)).unwrap(), state);
    assert_eq!(state.balances, balances_after(&state.fills));
    // Fills are in the ledger and are not booked from it a second time.
    assert_eq!((state.ledger.as_slice(), state.positions.len()), (&[][..], 0));
    assert_eq!(lifeline.cancel(rested), Ok(0));
    assert_eq!((exchange.requests("add_order"), lifeline.open_orders()), (2, Ok(vec![])));
}

/// D10: a deposit is an entry of the ledger, read from a moment on, and explains the balance.
#[test]
fn d10_a_deposit_is_read_with_the_balance_that_it_explains() {
    let Some(exchange) = Exchange::start("deposit") else { return };
    let (door, _) = door(exchange.private_port, CREDENTIAL);
    let account = AccountReader::new(door, vec![instrument()]);
    let began = wall();
    let read = |since| account.read_account(&BTreeMap::new(), since).unwrap();
    assert_eq!(read(began).ledger, []);
    let lines = ["0.5", "-0.125"].map(|amount| {
        format!("{{\"account\":\"a\",\"currency\":\"BTC\",\"amount\":\"{amount}\"}}\n")
    });
    std::fs::write(exchange.folder.join("transfers.jsonl"), lines.concat()).unwrap();
    let state = (0..200).map(|_| read(began)).find(|state| !state.ledger.is_empty()).unwrap();
    let booked = state.ledger.iter().map(|entry| (entry.kind, entry.amount.text()));
    let mut booked: Vec<_> = booked.collect();
    booked.sort();
    let expect = [(LedgerKind::Deposit, "0.5"), (LedgerKind::Withdrawal, "-0.125")];
    assert_eq!(booked, expect.map(|(kind, text)| (kind, text.to_owned())));
    assert_eq!(state.balances["BTC"].text(), "2.375");
    assert_eq!(read(began.plus_ns(60_000_000_000)).ledger, []);
    let endpoint = SimulatedEndpoint::new("127.0.0.1", exchange.public_port).unwrap();
    let reading = ClockReader::new(endpoint, crate::clock::now).read().unwrap();
    // One host, one clock.
    assert!(reading.offset_ns.abs() <= reading.doubt_ns.saturating_add(1_000), "{reading:?}");
}

/// A change is made, a refused one names its order, and the account has the new quantity.
#[test]
fn an_order_is_changed_and_the_account_agrees() {
    let Some(exchange) = Exchange::start("change") else { return };
    let mut house = House::new(1);
    let (mut session, mut reader) = connect(exchange.private_port, &house, CREDENTIAL).unwrap();
    let wish = Wish { side: Side::Buy, time_in_force: TimeInForce::Gtc, qty: 100_000, px: 300_000 };
    let order = house.order(wish);
    let id = order.item().cl_ord_id();
    assert_eq!(session.submit(order, soon()), SubmitFate::Sent);
    reports_until(&mut reader, id, "new");
    let change = house.change(id, wish, (200_000, 299_995));
    assert_eq!(session.amend(change, soon()), SubmitFate::Sent);
    let reports = reports_until(&mut reader, id, "replaced");
    let (qty, price) = (Qty::new(200_000).unwrap(), Px::new(299_995).unwrap());
    assert_eq!(reports[0].exec_type, ExecType::Replaced { qty, price });
    let (door, _) = door(exchange.private_port, CREDENTIAL);
    let account = AccountReader::new(door, vec![instrument()]);
    let state = account.read_account(&BTreeMap::new(), soon()).unwrap();
    assert_eq!(state.open_orders[0].leaves_qty, qty);
    session.cancel(id).unwrap();
    reports_until(&mut reader, id, "canceled");
    let change = house.change(id, wish, (300_000, 299_995));
    assert_eq!(session.amend(change, soon()), SubmitFate::Sent);
    let events: Vec<_> = (0..20).flat_map(|_| reader.next_events()).take(1).collect();
    let [PrivateEvent::ChangeRefused { cl_ord_id, refusal, .. }] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!((*cl_ord_id, *refusal), (id, VenueRefusal::UnknownOrder));
    assert_eq!(exchange.requests("amend_order"), 2);
}

#[test]
fn a3_an_order_past_its_deadline_is_refused_by_the_venue() {
    let Some(exchange) = Exchange::start("deadline") else { return };
    let mut house = House::new(1);
    let (mut session, mut reader) = connect(exchange.private_port, &house, CREDENTIAL).unwrap();
    let wish = Wish { side: Side::Buy, time_in_force: TimeInForce::Gtc, qty: 100_000, px: 300_000 };
    let order = house.order(wish);
    let id = order.item().cl_ord_id();
    assert_eq!(session.submit(order, wall().plus_ns(-1_000_000)), SubmitFate::Sent);
    let unknown = (0..20).flat_map(|_| reader.next_events()).find_map(|event| {
        if let PrivateEvent::OrderUnknown { cl_ord_id, text } = event {
            Some((cl_ord_id, text))
        } else {
            None
        }
    });
    assert_eq!(unknown, Some((id, "EService:Deadline elapsed".to_owned())));
}

#[test]
fn the_lifeline_clears_what_a_lost_line_left() {
    let Some(exchange) = Exchange::start("lifeline") else { return };
    let mut house = House::new(1);
    let (mut session, mut reader) = connect(exchange.private_port, &house, CREDENTIAL).unwrap();
    let wish = Wish { side: Side::Buy, time_in_force: TimeInForce::Gtc, qty: 100_000, px: 300_000 };
    for _ in 0..3 {
        let order = house.order(wish);
        let id = order.item().cl_ord_id();
        assert_eq!(session.submit(order, soon()), SubmitFate::Sent);
        reports_until(&mut reader, id, "new");
    }
    session.abort();
    let fate = session.submit(house.order(wish), soon());
    assert_eq!(fate, SubmitFate::NotSent(DenyCode::ReconUnresolved));
    let (_, lifeline) = door(exchange.private_port, CREDENTIAL);
    let open = lifeline.open_orders().unwrap();
    assert!(open.len() == 3 && open.iter().all(|order| order.ours().is_some()));
    session.cancel(open[0].ours().unwrap()).unwrap();
    assert_eq!(lifeline.open_orders().unwrap().len(), 2);
    session.cancel_all().unwrap();
    assert_eq!(lifeline.open_orders(), Ok(vec![]));
    assert_eq!(exchange.requests("add_order"), 3);
    // Both halves know, and a new line can be had at once.
    assert!(matches!(reader.next_events().as_slice(), [PrivateEvent::Down(_)]));
    let (mut session, mut reader) = connect(exchange.private_port, &house, CREDENTIAL).unwrap();
    let order = house.order(wish);
    let id = order.item().cl_ord_id();
    assert_eq!(session.submit(order, soon()), SubmitFate::Sent);
    reports_until(&mut reader, id, "new");
    session.cancel_all().unwrap();
    reports_until(&mut reader, id, "canceled");
}

/// One key, many threads: no request is refused because another overtook it.
#[test]
fn requests_of_one_key_take_turns() {
    let Some(exchange) = Exchange::start("nonces") else { return };
    let (door, lifeline) = door(exchange.private_port, CREDENTIAL);
    let account = AccountReader::new(door, vec![instrument()]);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| (0..20).for_each(|_| assert_eq!(lifeline.open_orders(), Ok(vec![]))));
        }
        for _ in 0..10 {
            account.read_account(&BTreeMap::new(), soon()).unwrap();
        }
    });
}
