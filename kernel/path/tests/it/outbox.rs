//! Each test hands one order over in one state of the house and compares what the core is told.

use std::cell::RefCell;
use std::rc::Rc;

use portcullis_core::Input;
use portcullis_domain::{
    Amendment, BootNs, ClOrdId, Now, Order, OrderIntent, Origin, Phase, Px, Qty, WallNs,
};
use portcullis_evidence::{Either, Journal, MemoryDisk, Recorded};
use portcullis_gate::{AmendVerdict, Approved, CancelRequest, Gate, Verdict};
use portcullis_path::Authority;
use portcullis_path::order_path::{
    OrderSink, SubmitFate, commit_channel, commit_loop, outbox_loop,
};
use portcullis_path::outbox::{Cancel, Release, Waiting, outbox};

use crate::fixture::Case;

const ID: ClOrdId = ClOrdId { epoch: 1, sequence: 1 };

/// What reached the door of the venue.
#[derive(Default)]
struct Door {
    seen: Rc<RefCell<Vec<String>>>,
}

impl OrderSink for Door {
    fn submit(&mut self, order: Recorded<Approved<OrderIntent>>, _: WallNs) -> SubmitFate {
        self.seen.borrow_mut().push(format!("submit {}", order.item().cl_ord_id()));
        SubmitFate::Sent
    }

    fn amend(&mut self, change: Recorded<Approved<Amendment>>, _: WallNs) -> SubmitFate {
        self.seen.borrow_mut().push(format!("amend {}", change.item().cl_ord_id()));
        SubmitFate::Sent
    }

    fn cancel(&mut self, request: &CancelRequest) {
        self.seen.borrow_mut().push(format!("cancel {}", request.cl_ord_id));
    }

    fn cancel_all(&mut self) {
        self.seen.borrow_mut().push("cancel-all".to_owned());
    }
}

/// How the house stands when the order is handed over.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is one fact about the house")]
struct House {
    /// Whether the journal is committed.
    durable: bool,
    /// Whether authority is withdrawn after the approval.
    revoked: bool,
    /// Whether the order waits beyond its deadline.
    late: bool,
    /// Whether the kill latch falls before the approval.
    killed: bool,
    /// Whether the order is one of closing rights.
    exit: bool,
    /// What is taken back right after the order was handed over.
    cancel: Option<fn() -> Cancel>,
}

const QUIET: House =
    House { durable: true, revoked: false, late: false, killed: false, exit: false, cancel: None };

/// An order and a change of it, both approved by the same gate.
fn approved(case: &Case, gate: &Gate) -> Vec<Release> {
    let Verdict::Approve(order) = gate.assess(case.intent.clone(), ID, &case.at) else {
        panic!("the fixture's order is approved")
    };
    let working = Order::new(ID, case.intent.clone(), order.reserve_px());
    let (qty, price) = (Qty::new(20_000).unwrap(), Px::new(10_000).unwrap());
    let change = Amendment { cl_ord_id: ID, qty, price };
    let AmendVerdict::Approve(change) = gate.assess_amend(&working, change, &case.at) else {
        panic!("a change to twice of it is approved")
    };
    vec![Either::Left(order), Either::Right(change)]
}

/// Hands an order and its change over, and compares what the core is told of both and what
/// reaches the venue.
#[track_caller]
fn check(house: House, told: &[&str], seen: &[&str]) {
    let mut case = Case::reduction(Phase::Paper);
    let mut gate = case.house.open().unwrap();
    if house.exit {
        case.intent.origin = Origin::Person;
        gate = gate.into_closing();
    }
    let releases = approved(&case, &gate);
    let mut journal = Journal::create(MemoryDisk::new(), "portcullis/test").unwrap();
    let pending = journal.append_with(b"{}", releases);
    let mark = journal.mark();
    if house.durable {
        journal.commit().unwrap();
    } else {
        // The journal ends without the order in it: an entry that no journal can hold.
        journal.append(&vec![b' '; 2 * 1024 * 1024]);
        assert!(journal.commit().is_err());
    }
    let authority = Authority::new();
    let epoch = if house.killed { authority.close_gate() } else { 0 };
    if house.revoked {
        authority.raise();
    }
    let (outbox, end) = outbox();
    let deadline = BootNs(if house.late { 0 } else { i64::MAX });
    for order in pending.each() {
        let waiting = Waiting { order, epoch, deadline, venue_deadline: WallNs(0) };
        assert!(outbox.hand_over(waiting).is_none());
    }
    if let Some(cancel) = house.cancel {
        outbox.take_back(cancel());
    }
    drop(outbox);
    let mut door = Door::default();
    let heard = RefCell::new(Vec::new());
    let now = || Now { boot: BootNs(1), ..Now::default() };
    let tell = |input: Input| heard.borrow_mut().push(text(&input));
    outbox_loop(end, (&mark, &authority), &now, &mut door, (&tell, &mut |_, _| {}));
    assert_eq!(heard.borrow().as_slice(), told);
    assert_eq!(door.seen.borrow().as_slice(), seen);
}

/// The kind of the input and its code, for this order.
fn text(input: &Input) -> String {
    let content = input.content(false).unwrap();
    assert_eq!(content.corr, ID.to_string());
    if let Input::NotSent { code, .. } | Input::AmendNotSent { code, .. } = input {
        return format!("{} {}", content.kind, code.code());
    }
    content.kind.to_owned()
}

fn one() -> Cancel {
    Cancel::One(CancelRequest { cl_ord_id: ID })
}

/// A change never overtakes its order: both wait in one queue.
#[test]
fn a_durable_order_under_present_authority_leaves_once_and_its_change_after_it() {
    let seen = [format!("submit {ID}"), format!("amend {ID}")];
    check(QUIET, &["sent", "amend-sent"], &seen.each_ref().map(String::as_str));
}

/// A1: authority withdrawn while the order waits for the disk.
#[test]
fn a1_an_order_of_withdrawn_authority_is_dropped() {
    let told = ["not-sent RELEASE_REVOKED", "amend-not-sent RELEASE_REVOKED"];
    check(House { revoked: true, ..QUIET }, &told, &[]);
}

/// D4: while the latch is down nothing leaves but the exit, and that under the kill's own number.
#[test]
fn d4_under_the_latch_only_closing_orders_leave() {
    let killed = House { killed: true, ..QUIET };
    let dropped = ["not-sent RELEASE_REVOKED", "amend-not-sent RELEASE_REVOKED"];
    check(killed, &dropped, &[]);
    let exit = House { exit: true, ..killed };
    let seen = [format!("submit {ID}"), format!("amend {ID}")];
    check(exit, &["sent", "amend-sent"], &seen.each_ref().map(String::as_str));
    check(House { revoked: true, ..exit }, &dropped, &[]);
}

/// A4: a kernel that was paused must not send what was approved before the pause.
#[test]
fn a4_an_order_beyond_its_deadline_is_dropped() {
    let told = ["not-sent RELEASE_EXPIRED", "amend-not-sent RELEASE_EXPIRED"];
    check(House { late: true, ..QUIET }, &told, &[]);
}

#[test]
fn an_order_that_is_not_on_record_never_leaves() {
    let told = ["not-sent EVIDENCE_UNWRITABLE", "amend-not-sent EVIDENCE_UNWRITABLE"];
    check(House { durable: false, ..QUIET }, &told, &[]);
}

/// A cancel overtakes its own order: the order is taken out and never leaves after it, and neither
/// does a change of it.
#[test]
fn a_canceled_order_that_has_not_left_never_leaves() {
    let told = ["not-sent RELEASE_REVOKED", "amend-not-sent RELEASE_REVOKED"];
    check(House { cancel: Some(one), ..QUIET }, &told, &[&format!("cancel {ID}")]);
    check(House { cancel: Some(|| Cancel::All), ..QUIET }, &told, &["cancel-all"]);
}

/// The core loop's last entries go to the committer at any cost. Nobody takes them any more.
#[test]
fn a_journal_that_has_ended_leaves_nobody_waiting_for_room() {
    let journal = Journal::create(MemoryDisk::new(), "portcullis/test").unwrap();
    let (mut appender, mut committer) = journal.split();
    let (commits, commits_end) = commit_channel();
    let mut groups = || {
        appender.append(b"entry");
        appender.take().unwrap().unwrap()
    };
    let [lost, later, more] = [groups(), groups(), groups()];
    drop(lost);
    commits.send(later).unwrap();
    let ended = commit_loop(&mut committer, commits_end, &mut |_| {});
    assert_eq!(ended.unwrap_err().code(), "JOURNAL_ORDER");
    assert!(commits.send(more).is_err());
}
