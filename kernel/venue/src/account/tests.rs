//! Open orders as the venue's list has them.

use portcullis_domain::{ClOrdId, Side};
use portcullis_lifeline::VenueFault;
use portcullis_wire::kraken::{open_orders, open_positions};

use super::{OpenOrder, on_margin, open_order};
use crate::testing::instrument;

fn listed(pair: &str, id: &str, price: &str) -> Result<OpenOrder, VenueFault> {
    let json = format!(
        r#"{{"error":[],"result":{{"open":{{"OA":{{"status":"open","cl_ord_id":"{id}",
        "vol":"1.50000000","vol_exec":"0.50000000","descr":{{"pair":"{pair}","type":"sell",
        "ordertype":"limit","price":"{price}"}}}}}}}}}}"#
    );
    let lines = open_orders(json.as_bytes()).unwrap();
    open_order(&[instrument(1, 8)], &lines[0])
}

const OURS: &str = "pc0000000700000001";

#[test]
fn an_order_of_ours_comes_with_all_its_figures() {
    let order = listed("XBTUSD", OURS, "60000.5").unwrap();
    let units = |qty: Option<portcullis_domain::Qty>| qty.map(portcullis_domain::Qty::units);
    assert_eq!(order.cl_ord_id, Some(ClOrdId { epoch: 7, sequence: 1 }));
    assert_eq!(
        (order.side, order.price.map(portcullis_domain::Px::units)),
        (Side::Sell, Some(600_005))
    );
    assert_eq!((units(order.qty), units(order.cum_qty)), (Some(150_000_000), Some(50_000_000)));
    assert_eq!(order.leaves_qty.units(), 100_000_000);
    assert!(listed("XBTUSD", OURS, "60000.55").is_err());
}

/// D16, A10: an order of somebody else, or under our prefix in another instrument, is told whatever
/// its figures are: an account that cannot be read would hide it.
#[test]
fn d16_a_foreign_order_never_keeps_the_account_from_being_read() {
    for (pair, id, price, ours) in [
        ("XBTUSD", "someone", "60000.555", false),
        ("ETHUSD", "someone", "3000.55", false),
        ("ETHUSD", OURS, "3000.55", true),
    ] {
        let order = listed(pair, id, price).unwrap();
        assert_eq!(order.cl_ord_id.is_some(), ours);
        assert_eq!((order.qty, order.leaves_qty.units()), (None, 0));
    }
}

/// What is open on credit is told under a name that no instrument has, and both sides of it.
#[test]
fn positions_on_margin_are_added_up_by_pair_and_side() {
    let one = |id: &str, side: &str, vol: &str| {
        format!(r#""{id}":{{"pair":"XXBTZUSD","type":"{side}","vol":"{vol}","vol_closed":"0.5"}}"#)
    };
    let read = |positions: &[String]| {
        let json = format!(r#"{{"error":[],"result":{{{}}}}}"#, positions.join(","));
        on_margin(open_positions(json.as_bytes()).unwrap())
    };
    let found = read(&[one("A", "buy", "1"), one("B", "sell", "2"), one("C", "buy", "1.5")]);
    let units: Vec<_> = found.unwrap().into_iter().map(|(name, at)| (name, at.0)).collect();
    let name = |side: &str| format!("margin XXBTZUSD {side}");
    assert_eq!(units, [(name("buy"), 150_000_000), (name("sell"), -150_000_000)]);
    assert_eq!(read(&[one("A", "buy", "0.50000000")]).unwrap().len(), 0);
    let most = "92233720368.5";
    let overflow = read(&[one("A", "buy", most), one("B", "buy", most)]).unwrap_err();
    assert_eq!(overflow.code(), "VENUE_PROTOCOL");
}
