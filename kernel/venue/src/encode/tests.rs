//! A27: what leaves is what was approved, or nothing leaves.

use portcullis_domain::{
    Amendment, InstrumentId, OrdType, Origin, PluginId, Px, Qty, Side, TimeInForce,
};

use super::*;
use crate::testing::instrument;

const TOKEN: &str = "WW91ciBhdXRoZW50aWNhdGlvbiB0b2tlbg+/=";

fn intent(price: Option<i64>, qty: i64) -> OrderIntent {
    OrderIntent {
        origin: Origin::Plugin(PluginId(0)),
        reference: 1,
        instrument: InstrumentId(0),
        side: Side::Buy,
        ord_type: if price.is_some() { OrdType::Limit } else { OrdType::Market },
        time_in_force: TimeInForce::Gtc,
        qty: Qty::new(qty).unwrap(),
        price: price.and_then(Px::new),
        reduce_only: false,
        bracket: None,
    }
}

fn order<'a>(intent: &'a OrderIntent, instrument: &'a Instrument) -> NewOrder<'a> {
    NewOrder {
        cl_ord_id: ClOrdId { epoch: 0xdead_beef, sequence: 7 },
        intent,
        instrument,
        deadline: WallNs(1_800_000_000_123_456_789),
    }
}

#[test]
fn an_order_is_these_bytes() {
    let check = |intent: &OrderIntent, expect: &str| {
        let instrument = instrument(1, 8);
        let order = order(intent, &instrument);
        let bytes = encode_add_order(&order, TOKEN, 5);
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), expect);
        assert_eq!(compare(&order, TOKEN, 5, &bytes), Ok(()));
    };
    check(
        &intent(Some(300_000), 100_000),
        r#"{"method":"add_order","params":{"order_type":"limit","side":"buy","order_qty":0.00100000,"limit_price":30000.0,"symbol":"BTC/USD","time_in_force":"gtc","cl_ord_id":"pcdeadbeef00000007","deadline":"2027-01-15T08:00:00.123456Z","token":"WW91ciBhdXRoZW50aWNhdGlvbiB0b2tlbg+/="},"req_id":5}"#,
    );
    let market =
        OrderIntent { side: Side::Sell, time_in_force: TimeInForce::Ioc, ..intent(None, 1) };
    check(
        &market,
        r#"{"method":"add_order","params":{"order_type":"market","side":"sell","order_qty":0.00000001,"symbol":"BTC/USD","time_in_force":"ioc","cl_ord_id":"pcdeadbeef00000007","deadline":"2027-01-15T08:00:00.123456Z","token":"WW91ciBhdXRoZW50aWNhdGlvbiB0b2tlbg+/="},"req_id":5}"#,
    );
}

/// Numbers of a fixed seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11).checked_rem(bound).unwrap()
    }

    fn units(&mut self) -> i64 {
        let bound = 10_u64.pow(u32::try_from(self.below(18)).unwrap());
        i64::try_from(self.below(bound.max(2))).unwrap().max(1)
    }
}

#[test]
fn a27_any_order_reads_back_as_it_was_approved() {
    let mut random = Random(2_026);
    for _ in 0..20_000 {
        let scale = |random: &mut Random| u8::try_from(random.below(10)).unwrap();
        let instrument = instrument(scale(&mut random), scale(&mut random));
        let limit = random.below(2) == 0;
        let mut intent = intent(limit.then(|| random.units()), random.units());
        if random.below(2) == 0 {
            (intent.side, intent.time_in_force) = (Side::Sell, TimeInForce::Ioc);
        }
        let mut order = order(&intent, &instrument);
        order.cl_ord_id.sequence = u32::try_from(random.below(u64::from(u32::MAX))).unwrap();
        order.deadline = WallNs(random.units());
        let bytes = encode_add_order(&order, TOKEN, random.0);
        assert_eq!(compare(&order, TOKEN, random.0, &bytes), Ok(()), "{order:?}");
    }
}

/// A27: faults are planted in the bytes, as a broken encoder would put them there.
#[test]
fn a27_a_planted_fault_is_found() {
    let check = |from: &str, to: &str, found: &str| {
        let (intent, instrument) = (intent(Some(300_000), 100_000), instrument(1, 8));
        let order = order(&intent, &instrument);
        let text = String::from_utf8(encode_add_order(&order, TOKEN, 5)).unwrap();
        assert!(text.contains(from), "{from}");
        let planted = text.replacen(from, to, 1);
        match compare(&order, TOKEN, 5, planted.as_bytes()).unwrap_err() {
            Mismatch::Field(field) => assert_eq!(field, found, "{planted}"),
            Mismatch::Unreadable(error) => assert_eq!(error.code(), found, "{planted}"),
        }
    };
    check("0.00100000", "0.01000000", "order_qty");
    check("0.00100000", "0.00010000", "order_qty");
    check("0.00100000", "100000", "order_qty");
    check("0.00100000", "0.001000001", "NUMBER_INVALID");
    check("0.00100000", "\"0.001\"", "NUMBER_INVALID");
    check("0.00100000", "1e-3", "NUMBER_INVALID");
    check("30000.0", "3000.0", "limit_price");
    check("30000.0", "30000.01", "NUMBER_INVALID");
    check("\"limit_price\":30000.0,", "", "FIELD_INVALID");
    check("\"buy\"", "\"sell\"", "side");
    check("\"limit\"", "\"market\"", "FIELD_INVALID");
    check("\"gtc\"", "\"ioc\"", "time_in_force");
    check("BTC/USD", "ETH/USD", "SYMBOL_MISMATCH");
    check("00000007", "00000008", "cl_ord_id");
    check("pcdead", "xxdead", "FIELD_INVALID");
    check(".123456Z", ".123457Z", "deadline");
    check("08:00:00", "07:00:00", "deadline");
    check("\"deadline\":\"2027-01-15T08:00:00.123456Z\",", "", "deadline");
    check("\"token\"", "\"validate\":true,\"token\"", "flags");
    check("\"token\"", "\"post_only\":true,\"token\"", "flags");
    check("\"token\"", "\"margin\":true,\"token\"", "FIELD_INVALID");
    check("WW91", "WW92", "token");
    check("\"req_id\":5", "\"req_id\":6", "req_id");
}

fn amendment(qty: i64, price: i64) -> Amendment {
    let cl_ord_id = ClOrdId { epoch: 0xdead_beef, sequence: 7 };
    Amendment { cl_ord_id, qty: Qty::new(qty).unwrap(), price: Px::new(price).unwrap() }
}

fn order_change<'a>(change: &'a Amendment, instrument: &'a Instrument) -> OrderChange<'a> {
    OrderChange { change, instrument, deadline: WallNs(1_800_000_000_123_456_789) }
}

#[test]
fn a_change_is_these_bytes() {
    let (change, instrument) = (amendment(200_000, 300_005), instrument(1, 8));
    let order = order_change(&change, &instrument);
    let bytes = encode_amend_order(&order, TOKEN, 5);
    let expect = r#"{"method":"amend_order","params":{"cl_ord_id":"pcdeadbeef00000007","order_qty":0.00200000,"limit_price":30000.5,"deadline":"2027-01-15T08:00:00.123456Z","token":"WW91ciBhdXRoZW50aWNhdGlvbiB0b2tlbg+/="},"req_id":5}"#;
    assert_eq!(String::from_utf8(bytes.clone()).unwrap(), expect);
    assert_eq!(compare_amend(&order, TOKEN, 5, &bytes), Ok(()));
}

#[test]
fn a27_any_change_reads_back_as_it_was_approved() {
    let mut random = Random(2_027);
    for _ in 0..20_000 {
        let scale = |random: &mut Random| u8::try_from(random.below(10)).unwrap();
        let instrument = instrument(scale(&mut random), scale(&mut random));
        let mut change = amendment(random.units(), random.units());
        change.cl_ord_id.sequence = u32::try_from(random.below(u64::from(u32::MAX))).unwrap();
        let mut order = order_change(&change, &instrument);
        order.deadline = WallNs(random.units());
        let bytes = encode_amend_order(&order, TOKEN, random.0);
        assert_eq!(compare_amend(&order, TOKEN, random.0, &bytes), Ok(()), "{order:?}");
    }
}

/// A27: the same for a change: faults as a broken encoder would write them.
#[test]
fn a27_a_planted_fault_in_a_change_is_found() {
    let check = |from: &str, to: &str, found: &str| {
        let (change, instrument) = (amendment(200_000, 300_005), instrument(1, 8));
        let order = order_change(&change, &instrument);
        let text = String::from_utf8(encode_amend_order(&order, TOKEN, 5)).unwrap();
        assert!(text.contains(from), "{from}");
        let planted = text.replacen(from, to, 1);
        match compare_amend(&order, TOKEN, 5, planted.as_bytes()).unwrap_err() {
            Mismatch::Field(field) => assert_eq!(field, found, "{planted}"),
            Mismatch::Unreadable(error) => assert_eq!(error.code(), found, "{planted}"),
        }
    };
    check("0.00200000", "0.02000000", "order_qty");
    check("0.00200000", "0.00020000", "order_qty");
    check("0.00200000", "\"0.002\"", "NUMBER_INVALID");
    check("\"order_qty\":0.00200000,", "", "FIELD_INVALID");
    check("30000.5", "3000.5", "limit_price");
    check("30000.5", "30000.55", "NUMBER_INVALID");
    check("\"limit_price\":30000.5,", "", "FIELD_INVALID");
    check("00000007", "00000008", "cl_ord_id");
    check("\"cl_ord_id\":\"pcdeadbeef00000007\"", "\"order_id\":\"O1\"", "FIELD_INVALID");
    check(".123456Z", ".123457Z", "deadline");
    check("\"deadline\":\"2027-01-15T08:00:00.123456Z\",", "", "deadline");
    check("\"token\"", "\"post_only\":true,\"token\"", "flags");
    check("\"token\"", "\"validate\":true,\"token\"", "FIELD_INVALID");
    check("amend_order", "add_order", "FIELD_INVALID");
    check("WW91", "WW92", "token");
    check("\"req_id\":5", "\"req_id\":6", "req_id");
}

#[test]
fn what_would_need_an_escape_is_not_plain() {
    for (text, expect) in [
        ("BTC/USD", true),
        (TOKEN, true),
        ("", false),
        ("a\"b", false),
        ("a\\b", false),
        ("a b", false),
    ] {
        assert_eq!(is_plain(text), expect, "{text}");
    }
}
