//! A house that knows nothing but the time: nothing passes, and what is needed to leave is what a
//! way out has to be proved by.

use portcullis_domain::{Amendment, ClOrdId, Order, OrderIntent, Origin, Phase, PluginId};
use portcullis_domain::{Position, Side};
use portcullis_gate::{AmendVerdict, Circumstances, Gate, Rights, Verdict, Working};

use crate::fixture::{Case, word};
use crate::people::qty;

/// Something that becomes known.
type Learn = fn(&mut Circumstances);

const PLUGIN: Origin = Origin::Plugin(PluginId(0));

/// Each kind of order, by each of who may ask.
fn orders(case: &Case) -> Vec<OrderIntent> {
    let mut orders = Vec::new();
    for origin in [PLUGIN, Origin::Person, Origin::House] {
        for side in [Side::Buy, Side::Sell] {
            for reduce_only in [false, true] {
                orders.push(OrderIntent { origin, side, reduce_only, ..case.intent.clone() });
            }
        }
    }
    orders
}

/// A change of a working order, in one word.
fn change(gate: &Gate, case: &Case) -> &'static str {
    let id = ClOrdId { epoch: 7, sequence: 1 };
    let px = case.intent.price.unwrap();
    let order = Order::new(id, case.intent.clone(), px);
    let to = Amendment { cl_ord_id: id, qty: qty(5_000), price: px };
    match gate.assess_amend(&order, to, &case.at) {
        AmendVerdict::Approve(_) => "APPROVE",
        AmendVerdict::WouldBe(_) => "WOULD_BE",
        AmendVerdict::Deny(denial) => denial.code.code(),
    }
}

/// F5: nothing passes, in no phase, on no side, by nobody and by no rights.
#[test]
fn f5_who_knows_nothing_lets_nothing_pass() {
    for phase in Phase::ALL.into_iter().filter(|phase| *phase > Phase::Foundation) {
        let mut case = Case::new(phase);
        for flatten in [false, true] {
            case.at = Circumstances { flatten, ..Circumstances::unknown(case.at.now) };
            let session = case.house.open().unwrap();
            let closing = case.house.open().unwrap().into_closing();
            for intent in orders(&case) {
                case.intent = intent;
                for (gate, expect) in
                    [(&session, "OUTSIDE_SESSION_WINDOW"), (&closing, "RECON_UNRESOLVED")]
                {
                    assert_eq!(word(&case.ask(gate)), expect, "{phase:?} {:?}", case.intent);
                    assert_eq!(change(gate, &case), expect, "{phase:?} {:?}", case.intent);
                }
            }
        }
    }
}

/// D4, F5: a person gets out by what is proved to be held, and by nothing less; nothing grows and
/// no plugin moves.
#[test]
fn d4_who_knows_nothing_but_what_is_held_lets_a_person_out() {
    let mut case = Case::reduction(Phase::Paper);
    case.intent.origin = Origin::Person;
    case.at = Circumstances::unknown(case.at.now);
    let learned: [(Learn, &str); 4] = [
        (|at| at.position = Some(Position(50_000)), "OUTSIDE_SESSION_WINDOW"),
        (|at| at.working = Some(Working::default()), "OUTSIDE_SESSION_WINDOW"),
        (|at| at.reducible = Some(qty(10_000)), "EVIDENCE_UNWRITABLE"),
        (|at| at.evidence_writable = true, "APPROVE"),
    ];
    for (learn, expect) in learned {
        learn(&mut case.at);
        assert_eq!(case.answer(), expect);
    }
    let Verdict::Approve(approved) = case.verdict() else { panic!("{}", case.answer()) };
    assert_eq!(approved.rights(), Rights::Closing);
    for intent in orders(&case) {
        let out = intent.origin == Origin::Person && intent.side == Side::Sell;
        case.intent = intent;
        let expect = if out { "APPROVE" } else { "OUTSIDE_SESSION_WINDOW" };
        assert_eq!(case.answer(), expect, "{:?}", case.intent);
    }
    // One lot more than both sides agree on is no reduction.
    case.intent = OrderIntent { origin: Origin::Person, ..Case::reduction(Phase::Paper).intent };
    case.intent.qty = qty(10_010);
    assert_eq!(case.answer(), "OUTSIDE_SESSION_WINDOW");
}
