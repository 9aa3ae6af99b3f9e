//! Changes of orders, from the request to the fills that follow from it.

use portcullis_domain::{ExecType, Money, Px, Qty};
use portcullis_wire::kraken::request::PrivateCall;
use portcullis_wire::kraken::{Method, NumberText, VenueRefusal, balances, open_orders};

use crate::ID;
use crate::client::{PrivateSocket, Running};

/// The frame of a change; `fields` names the order and its terms.
fn amend(private: &PrivateSocket, fields: &str) -> String {
    let token = &private.token;
    format!(r#"{{"method":"amend_order","params":{{{fields},"token":"{token}"}},"req_id":8}}"#)
}

fn replaced(units: i64, price: i64) -> ExecType {
    ExecType::Replaced { qty: Qty::new(units).unwrap(), price: Px::new(price).unwrap() }
}

fn held(exchange: &Running) -> String {
    let held = balances(&exchange.call(&PrivateCall::BalanceEx)).unwrap();
    held.iter().find(|balance| balance.currency == "USD").unwrap().held.as_str().to_owned()
}

#[test]
fn an_order_is_changed_holds_what_it_may_cost_and_fills_at_its_new_terms() {
    let exchange = Running::start("amend");
    let mut private = exchange.private_socket();
    private.order("limit", "0.01", Some("1000.0"), (&ID.to_string(), "gtc"));
    let placed = private.answer(Method::AddOrder).outcome.unwrap();
    assert_eq!(private.reports(1)[0].exec_type, ExecType::New);
    assert_eq!(held(&exchange), "10.04");

    let terms = format!(r#""cl_ord_id":"{ID}","order_qty":0.02000000,"limit_price":1100.5"#);
    private.send(&amend(&private, &terms));
    let accepted = private.answer(Method::AmendOrder);
    assert_eq!(accepted.req_id, Some(8));
    let accepted = accepted.outcome.unwrap();
    assert_eq!(
        (accepted.order_id, accepted.cl_ord_id),
        (placed.order_id.clone(), Some(ID.to_string()))
    );
    let report = private.reports(1).remove(0);
    assert_eq!((report.cl_ord_id, report.exec_type), (ID, replaced(2_000_000, 11_005)));
    // 0.02 at 1100.5 and the taker's fee of 0.4 %.
    assert_eq!(held(&exchange), "22.09804");
    let open = open_orders(&exchange.call(&PrivateCall::OpenOrders)).unwrap();
    assert_eq!((open[0].ours(), open[0].qty.as_str()), (Some(ID), "0.02000000"));
    assert_eq!(open[0].price.as_ref().map(NumberText::as_str), Some("1100.5"));

    // By the venue's own id, and with one term only: the other stays.
    let order_id = placed.order_id.unwrap().0;
    private.send(&amend(&private, &format!(r#""order_id":"{order_id}","order_qty":0.03"#)));
    private.answer(Method::AmendOrder).outcome.unwrap();
    assert_eq!(private.reports(1)[0].exec_type, replaced(3_000_000, 11_005));

    // Far above the market it takes at once, and never more than its new quantity.
    let terms = format!(r#""cl_ord_id":"{ID}","order_qty":0.02,"limit_price":99000.0"#);
    private.send(&amend(&private, &terms));
    private.answer(Method::AmendOrder).outcome.unwrap();
    let (mut filled, mut changed) = (Qty::ZERO, false);
    while filled < Qty::new(2_000_000).unwrap() {
        for report in private.reports(1) {
            if let ExecType::Trade { last_qty, maker, .. } = report.exec_type {
                assert!(changed && !maker);
                filled = filled.plus(last_qty).unwrap();
            } else {
                assert_eq!(report.exec_type, replaced(2_000_000, 990_000));
                changed = true;
            }
        }
    }
    assert_eq!(filled.units(), 2_000_000);
    assert_eq!(Money::parse(&held(&exchange)), Ok(Money::ZERO));
    private.send(&amend(&private, &terms));
    let over = private.answer(Method::AmendOrder).outcome.unwrap_err();
    assert_eq!(over.refusal, VenueRefusal::UnknownOrder);
    assert!(exchange.wire_log().contains("\"event\":\"amended\""));
}

#[test]
fn a_change_that_may_not_be_is_refused_and_changes_nothing() {
    let exchange = Running::start("amend-refused");
    let mut private = exchange.private_socket();
    private.order("limit", "0.01", Some("1000.0"), (&ID.to_string(), "gtc"));
    private.answer(Method::AddOrder).outcome.unwrap();
    let mut check = |fields: &str, refusal: VenueRefusal| {
        private.send(&amend(&private, fields));
        let refused = private.answer(Method::AmendOrder).outcome.unwrap_err();
        assert_eq!(refused.refusal, refusal, "{fields}: {}", refused.text);
    };
    let id = format!(r#""cl_ord_id":"{ID}","#);
    let own = |terms: &str| format!("{id}{terms}");
    check(r#""cl_ord_id":"pc0000000700000009","order_qty":0.02"#, VenueRefusal::UnknownOrder);
    check(r#""order_qty":0.02"#, VenueRefusal::InvalidArguments);
    check(&own(r#""order_id":"O1","order_qty":0.02"#), VenueRefusal::InvalidArguments);
    check(&own(r#""order_qty":"0.02""#), VenueRefusal::InvalidArguments);
    check(&own(r#""order_qty":0.02,"display_qty":0.01"#), VenueRefusal::InvalidArguments);
    check(&own(r#""order_qty":101.0"#), VenueRefusal::InsufficientFunds);
    check(&own(r#""order_qty":0.00000001"#), VenueRefusal::OrderMinimum);
    check(&own(r#""limit_price":1.0"#), VenueRefusal::CostMinimum);
    check(&own(r#""limit_price":1000.05"#), VenueRefusal::TickSize);
    check(&own(r#""limit_price":0"#), VenueRefusal::InvalidPrice);
    let late = r#""order_qty":0.02,"deadline":"2020-01-01T00:00:00Z""#;
    check(&own(late), VenueRefusal::DeadlineElapsed);
    private.send(&amend(&private, &own(r#""order_qty":0.02"#)).replace(&private.token, "forged"));
    let forged = private.answer(Method::AmendOrder).outcome.unwrap_err();
    assert_eq!(forged.refusal, VenueRefusal::InvalidSession);
    let mut public = exchange.public_socket();
    public.send(&amend(&private, &own(r#""order_qty":0.02"#)));
    assert!(public.next_answer("amend_order").contains("Permission denied"));
    let open = open_orders(&exchange.call(&PrivateCall::OpenOrders)).unwrap();
    assert_eq!((open.len(), open[0].qty.as_str()), (1, "0.01000000"));
    assert_eq!(held(&exchange), "10.04");
}
