use super::*;
use crate::kraken::testing::rest_fixture as fixture;

#[test]
fn recorded_answers_are_read() {
    let Some(open) = fixture("/0/private/OpenOrders") else { return };
    let orders = open_orders(open.as_bytes()).unwrap();
    assert_eq!(orders.len(), 2);
    let order = orders.iter().find(|o| o.order_id.0 == "OQCLML-BW3P3-BUCMWZ").unwrap();
    assert_eq!((order.qty.as_str(), order.cum_qty.as_str()), ("1.25000000", "0.37500000"));
    assert_eq!((order.status, order.ours()), (RecordStatus::Open, None));

    let closed = closed_orders(fixture("/0/private/ClosedOrders").unwrap().as_bytes()).unwrap();
    assert_eq!((closed.len(), closed[0].status), (2, RecordStatus::Canceled));
    assert_eq!(closed[0].ord_type, None, "a stop order is a kind that the house never sends");

    let held = balances(fixture("/0/private/BalanceEx").unwrap().as_bytes()).unwrap();
    assert_eq!((held[0].currency.as_str(), held[0].held.as_str()), ("BTC", "0.8423"));
    assert_eq!((held[1].currency.as_str(), held[1].total.as_str()), ("USD", "25435.21"));

    let trades = trades_history(fixture("/0/private/TradesHistory").unwrap().as_bytes()).unwrap();
    assert_eq!(trades[0].exec_id.0, "TCWJEG-FL4SZ-3FKGH6");
    assert!(trades[0].transact_time < trades[1].transact_time);
    assert_eq!(trades[1].maker, Some(true));

    let status = system_status(fixture("/0/public/SystemStatus").unwrap().as_bytes());
    assert_eq!(status, Ok(SystemStatus::Online));
    assert_eq!(cancel_count(fixture("/0/private/CancelAll").unwrap().as_bytes()), Ok(1));
    let switch = dead_man(fixture("/0/private/CancelAllOrdersAfter").unwrap().as_bytes()).unwrap();
    assert_eq!(switch.trigger.map(|at| at.0), Some(switch.current.0 + 60 * NS_PER_S));
}

#[test]
fn documented_answers_are_read() {
    let time = br#"{"error":[],"result":{"unixtime":1762820224,"rfc1123":"Tue"}}"#;
    assert_eq!(server_time(time), Ok(WallNs(1_762_820_224_000_000_000)));
    let token = ws_token(br#"{"error":[],"result":{"token":"secret","expires":900}}"#).unwrap();
    assert_eq!((token.token.as_str(), token.expires_s), ("secret", 900));
    assert!(!format!("{token:?}").contains("secret"));
    let off = br#"{"error":[],"result":{"currentTime":"2023-03-24T17:41:56Z","triggerTime":"0"}}"#;
    assert_eq!(dead_man(off).unwrap().trigger, None);
}

#[test]
fn refusals_and_doubt_are_told_apart() {
    let check = |body: &str, code: &str, unknown: bool| {
        let failure = cancel_count(body.as_bytes()).unwrap_err();
        assert_eq!((failure.code(), failure.is_outcome_unknown()), (code, unknown), "{body}");
    };
    check(r#"{"error":["EAPI:Invalid nonce"]}"#, "VENUE_INVALID_NONCE", false);
    check(r#"{"error":["EOrder:Unknown order"],"result":{}}"#, "VENUE_UNKNOWN_ORDER", false);
    check(r#"{"error":["WGeneral:x","EService:Busy"]}"#, "VENUE_UNAVAILABLE", true);
    check(r#"{"error":[]}"#, "FIELD_INVALID", true);
    check("<html>502</html>", "FRAME_MALFORMED", true);
    check("", "FRAME_MALFORMED", true);
    check(r#"{"error":[],"result":{"count":-1}}"#, "FIELD_INVALID", true);
    let warned = br#"{"error":["WGeneral:Danger"],"result":{"count":2}}"#;
    assert_eq!(cancel_count(warned), Ok(2));
}
