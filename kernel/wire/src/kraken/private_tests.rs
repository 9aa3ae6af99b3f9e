use super::*;
use crate::kraken::testing::{instrument, recorded};
use portcullis_domain::{ExecType, Money, Px, Qty, Side};

const PENDING: &str = r#"{"channel":"executions","type":"update","data":[{"order_id":"OK4GJX-KSTLS-7DZZO5","cl_ord_id":"pc0000000100000002","symbol":"BTC/USD","order_qty":0.005,"cum_cost":0.0,"time_in_force":"GTC","exec_type":"pending_new","side":"sell","order_type":"limit","limit_price_type":"static","limit_price":26500.0,"order_status":"pending_new","timestamp":"2023-09-22T10:33:05.709950Z"}],"sequence":2}"#;
const TRADE: &str = r#"{"channel":"executions","type":"update","data":[{"order_id":"OK4GJX-KSTLS-7DZZO5","exec_id":"TX-1","exec_type":"trade","trade_id":37496584,"last_qty":0.00160000,"last_price":26500.1,"liquidity_ind":"m","cost":42.4,"order_status":"partially_filled","timestamp":"2023-09-22T10:33:06.5Z","fees":[{"asset":"USD","qty":0.014460799}]}],"sequence":4}"#;

fn streams() -> PrivateStreams {
    PrivateStreams::new(vec![instrument()])
}

fn sparse(exec_type: &str, sequence: u64) -> String {
    format!(
        r#"{{"channel":"executions","type":"update","data":[{{"timestamp":"2023-09-22T10:33:05.8Z","order_status":"{exec_type}","exec_type":"{exec_type}","reason":"why","order_userref":0,"order_id":"OK4GJX-KSTLS-7DZZO5"}}],"sequence":{sequence}}}"#
    )
}

fn executions(streams: &mut PrivateStreams, frame: &str) -> Executions {
    let decoded = streams.decode(frame.as_bytes()).unwrap();
    let PrivateFrame::Executions(executions) = decoded else { panic!("{decoded:?}") };
    executions
}

#[test]
fn sparse_updates_find_their_order() {
    let mut streams = streams();
    let id = ClOrdId { epoch: 1, sequence: 2 };
    assert_eq!(executions(&mut streams, PENDING).reports, []);
    let new = executions(&mut streams, &sparse("new", 3)).reports;
    assert_eq!((new[0].cl_ord_id, &new[0].exec_type), (id, &ExecType::New));
    let trade = executions(&mut streams, TRADE).reports;
    let expect = ExecType::Trade {
        exec_id: portcullis_domain::ExecId("TX-1".into()),
        last_px: Px::new(265_001).unwrap(),
        last_qty: Qty::new(160_000).unwrap(),
        fee: Money(14_460_799_000_000_000),
        maker: true,
    };
    assert_eq!((trade[0].cl_ord_id, &trade[0].exec_type), (id, &expect));
    assert_eq!(executions(&mut streams, &sparse("filled", 5)).reports, []);
    // A fill that crosses the end on the wire is still ours.
    let late = executions(&mut streams, &TRADE.replace("\"sequence\":4", "\"sequence\":6"));
    assert_eq!(late.reports.len(), 1);
}

#[test]
fn each_end_has_its_own_report() {
    let check = |exec_type: &str, expect: ExecType| {
        let mut streams = streams();
        executions(&mut streams, PENDING);
        let reports = executions(&mut streams, &sparse(exec_type, 3)).reports;
        assert_eq!((&reports[0].exec_type, reports[0].text.as_str()), (&expect, "why"));
    };
    check("canceled", ExecType::Canceled);
    check("expired", ExecType::Expired);
    check("rejected", ExecType::Rejected);
}

/// A change is told with both of its terms, the whole quantity among them, or it is no news.
#[test]
fn an_amended_order_is_told_with_its_terms() {
    let amended = |extra: &str| {
        let frame = sparse("amended", 3);
        frame.replace("\"order_userref\":0", &format!("\"amended\":true{extra}"))
    };
    let mut streams = streams();
    executions(&mut streams, PENDING);
    let terms = ",\"order_qty\":0.00700000,\"limit_price\":26400.5";
    let reports = executions(&mut streams, &amended(terms)).reports;
    let (qty, price) = (Qty::new(700_000).unwrap(), Px::new(264_005).unwrap());
    assert_eq!(reports[0].exec_type, ExecType::Replaced { qty, price });
    assert_eq!(reports[0].cl_ord_id, ClOrdId { epoch: 1, sequence: 2 });
    for (extra, code) in [
        ("", "FIELD_INVALID"),
        (",\"order_qty\":0.007", "FIELD_INVALID"),
        (",\"limit_price\":26400.5", "FIELD_INVALID"),
        (",\"order_qty\":0.007,\"limit_price\":26400.55", "NUMBER_INVALID"),
    ] {
        let mut streams = self::streams();
        executions(&mut streams, PENDING);
        let error = streams.decode(amended(extra).as_bytes()).unwrap_err();
        assert_eq!(error.code(), code, "{extra}");
    }
    let answer = r#"{"method":"amend_order","req_id":6,"result":{"amend_id":"TTW6PD-RC36L-ZZSWNU","cl_ord_id":"pc0000000100000002"},"success":true,"time_in":"2024-07-26T13:39:04.922699Z","time_out":"2024-07-26T13:39:04.924912Z"}"#;
    let PrivateFrame::Answer(answer) = streams.decode(answer.as_bytes()).unwrap() else { panic!() };
    assert_eq!((answer.method, answer.req_id), (Method::AmendOrder, Some(6)));
    assert_eq!(answer.outcome.unwrap().cl_ord_id.as_deref(), Some("pc0000000100000002"));
}

#[test]
fn an_order_that_cannot_be_placed_is_foreign() {
    let mut streams = streams();
    let found = executions(&mut streams, &sparse("new", 1));
    assert_eq!(found.reports, []);
    assert_eq!(found.foreign[0].order_id.0, "OK4GJX-KSTLS-7DZZO5");
    assert_eq!(found.foreign[0].cl_ord_id, None);
}

#[test]
fn the_answer_to_an_order_teaches_its_id_and_the_instrument_comes_with_the_update() {
    let mut streams = streams();
    let answer = r#"{"method":"add_order","req_id":5,"result":{"order_id":"OK4GJX-KSTLS-7DZZO5","cl_ord_id":"pc0000000100000002"},"success":true,"time_in":"2024-05-18T12:05:50.293682Z","time_out":"2024-05-18T12:05:50.300542Z"}"#;
    let PrivateFrame::Answer(answer) = streams.decode(answer.as_bytes()).unwrap() else { panic!() };
    assert_eq!((answer.method, answer.req_id), (Method::AddOrder, Some(5)));
    assert_eq!(answer.outcome.unwrap().cl_ord_id.as_deref(), Some("pc0000000100000002"));
    assert_eq!(executions(&mut streams, &sparse("canceled", 1)).reports.len(), 1);
}

#[test]
fn a_hole_in_the_sequence_is_an_error() {
    let mut streams = streams();
    executions(&mut streams, PENDING);
    let error = streams.decode(sparse("new", 4).as_bytes()).unwrap_err();
    assert!(error.cause.contains("4 where 3 was due"), "{error}");
    let unnumbered = sparse("new", 3).replace(",\"sequence\":3", "");
    assert_eq!(streams.decode(unnumbered.as_bytes()).unwrap_err().code(), "FIELD_INVALID");
}

#[test]
fn refusals_keep_the_venue_s_words() {
    let check = |text: &str, refusal: VenueRefusal| {
        let frame = format!(
            r#"{{"error":"{text}","method":"add_order","req_id":9,"success":false,"time_in":"x","time_out":"y"}}"#
        );
        let PrivateFrame::Answer(answer) = streams().decode(frame.as_bytes()).unwrap() else {
            panic!()
        };
        let refused = answer.outcome.unwrap_err();
        assert_eq!((refused.refusal, refused.text.as_str()), (refusal, text));
    };
    check("EOrder:Insufficient funds", VenueRefusal::InsufficientFunds);
    check("EService:Deadline elapsed", VenueRefusal::DeadlineElapsed);
    check("Ewhatever", VenueRefusal::Unrecognised);
}

#[test]
fn a_snapshot_lists_orders_and_reports_nothing() {
    let frame = r#"{"channel":"executions","type":"snapshot","data":[{"order_id":"O1","cl_ord_id":"pc0000000100000003","symbol":"BTC/USD","order_qty":0.50000000,"cum_qty":0.10000000,"exec_type":"new","side":"buy","order_type":"limit","limit_price":100.5,"order_status":"partially_filled","timestamp":"2023-09-22T10:33:05.709950Z"}],"sequence":1}"#;
    let mut streams = streams();
    let found = executions(&mut streams, frame);
    assert!(found.snapshot && found.reports.is_empty() && found.foreign.is_empty());
    let order = &found.open[0];
    assert_eq!(order.ours(), Some(ClOrdId { epoch: 1, sequence: 3 }));
    assert_eq!((order.side, order.cum_qty.as_str()), (Side::Buy, "0.10000000"));
}

#[test]
fn a_fee_in_another_currency_is_not_swallowed() {
    let mut streams = streams();
    executions(&mut streams, PENDING);
    let other = TRADE.replace("\"asset\":\"USD\"", "\"asset\":\"BTC\"").replace(":4}", ":3}");
    assert_eq!(streams.decode(other.as_bytes()).unwrap_err().code(), "FIELD_INVALID");
}

#[test]
fn every_recorded_private_frame_is_read() {
    let Some(recorded) = recorded() else { return };
    let private = ["admin", "order", "execution", "balances", "pong"];
    let mut seen = 0;
    for (name, frame) in recorded {
        if private.iter().any(|part| name.contains(part)) && !name.contains("book") {
            let mut streams = streams();
            assert!(streams.decode(frame.as_bytes()).is_ok(), "{name}: {frame}");
            seen += 1;
        }
    }
    assert_eq!(seen, 11);
}
