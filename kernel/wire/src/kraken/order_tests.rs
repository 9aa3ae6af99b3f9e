use super::*;
use crate::kraken::testing::instrument;

const FULL: &str = r#"{"method":"add_order","params":{"order_type":"limit","side":"buy","order_qty":0.01000000,"symbol":"BTC/USD","limit_price":30000.0,"time_in_force":"gtc","cl_ord_id":"pc0000000100000002","deadline":"2024-05-18T12:05:50.293682Z","post_only":true,"reduce_only":false,"token":"T","validate":false},"req_id":42}"#;

fn decode(frame: &str) -> Result<DecodedOrder, WireError> {
    decode_add_order(frame.as_bytes(), &instrument())
}

#[test]
fn every_field_is_read_with_its_text() {
    let order = decode(FULL).unwrap();
    assert_eq!(order.cl_ord_id, ClOrdId { epoch: 1, sequence: 2 });
    assert_eq!((order.side, order.ord_type), (Side::Buy, OrdType::Limit));
    assert_eq!((order.qty.units(), order.qty_text.as_str()), (1_000_000, "0.01000000"));
    assert_eq!(order.price.map(Px::units), Some(300_000));
    assert_eq!(order.price_text.as_ref().map(NumberText::as_str), Some("30000.0"));
    assert_eq!(order.deadline.map(|at| at.0), Some(1_716_033_950_293_682_000));
    assert!(order.post_only && !order.reduce_only && !order.validate);
    let raw = AddOrder::read(FULL.as_bytes()).unwrap();
    assert_eq!((raw.req_id, raw.token.as_str()), (Some(42), "T"));
    assert!(!format!("{raw:?}").contains("token"), "a token is not shown");
}

#[test]
fn what_the_intent_could_not_have_meant_is_refused() {
    let check = |from: &str, to: &str, code: &str| {
        assert!(FULL.contains(from), "{from}");
        let error = decode(&FULL.replace(from, to)).unwrap_err();
        assert_eq!(error.code(), code, "{from} -> {to}: {error}");
    };
    check("add_order", "amend_order", "FIELD_INVALID");
    check("\"limit\"", "\"stop-loss\"", "FIELD_INVALID");
    check("\"limit\"", "\"market\"", "FIELD_INVALID");
    check("\"limit_price\":30000.0,", "", "FIELD_INVALID");
    check("\"buy\"", "\"BUY\"", "FIELD_INVALID");
    check("0.01000000", "\"0.01000000\"", "NUMBER_INVALID");
    check("0.01000000", "1e-2", "NUMBER_INVALID");
    check("0.01000000", "0.010000001", "NUMBER_INVALID");
    check("0.01000000", "0", "FIELD_INVALID");
    check("0.01000000", "-0.01", "NUMBER_INVALID");
    check("30000.0", "30000.05", "NUMBER_INVALID");
    check("30000.0", "0", "NUMBER_INVALID");
    check("BTC/USD", "ETH/USD", "SYMBOL_MISMATCH");
    check("pc0000000100000002", "someone-else", "FIELD_INVALID");
    check("\"cl_ord_id\":\"pc0000000100000002\",", "", "FIELD_INVALID");
    check("gtc", "gtd", "FIELD_INVALID");
    check("2024-05-18T12:05:50.293682Z", "in a moment", "FIELD_INVALID");
    check("\"post_only\":true", "\"post_only\":\"true\"", "FIELD_INVALID");
    check("\"token\":\"T\"", "\"token\":\"T\",\"display_qty\":1", "FIELD_INVALID");
    check("\"side\":\"buy\"", "\"side\":\"buy\",\"side\":\"sell\"", "FIELD_INVALID");
    check("\"token\":\"T\"", "\"token\":\"T\",\"fee_preference\":\"base\"", "FIELD_INVALID");
    check("\"req_id\":42}", "\"req_id\":42} x", "FRAME_MALFORMED");
    check("\"req_id\":42}", "\"req_id\":42", "FRAME_MALFORMED");
}

#[test]
fn a_quantity_off_by_a_power_of_ten_is_seen() {
    let tenfold = decode(&FULL.replace("0.01000000", "0.10000000")).unwrap();
    assert_eq!(tenfold.qty.units(), 10_000_000);
}

#[test]
fn other_clients_orders_are_read_for_the_exchange() {
    let frame = r#"{"method":"add_order","params":{"order_type":"market","side":"sell","order_qty":0.001,"symbol":"BTC/USD","token":"T","cl_ord_id":"abc"},"req_id":7}"#;
    let order = AddOrder::read(frame.as_bytes()).unwrap();
    assert_eq!((order.ord_type, order.time_in_force), (OrdType::Market, TimeInForce::Gtc));
    assert_eq!((order.price, order.deadline, order.validate), (None, None, false));
}
