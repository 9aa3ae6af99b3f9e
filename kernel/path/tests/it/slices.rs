//! What the writer lets out while the kill latch is down: slices of an open plan, nothing else.

use portcullis_core::Input;
use portcullis_domain::{BootNs, ClOrdId, Now, OrderIntent, Origin, Phase, WallNs};
use portcullis_evidence::{Journal, MemoryDisk, Recorded};
use portcullis_gate::{Approved, CancelRequest, Verdict};
use portcullis_path::Authority;
use portcullis_path::order_path::{OrderSink, SubmitFate, release};
use portcullis_path::outbox::Waiting;

use crate::fixture::Case;

const ID: ClOrdId = ClOrdId { epoch: 1, sequence: 1 };

/// A door that takes everything.
struct Open;

impl OrderSink for Open {
    fn submit(&mut self, _: Recorded<Approved<OrderIntent>>, _: WallNs) -> SubmitFate {
        SubmitFate::Sent
    }

    fn cancel(&mut self, _: &CancelRequest) {}

    fn cancel_all(&mut self) {}
}

/// One order of `origin`, approved under `epoch`, at the writer of a house in that state.
#[track_caller]
fn check((origin, epoch): (Origin, u64), authority: &Authority, expect: &str) {
    let mut case = Case::reduction(Phase::Paper);
    case.intent.origin = origin;
    case.intent.reduce_only = true;
    let gate = case.house.open().unwrap();
    let Verdict::Approve(approved) = gate.assess(case.intent.clone(), ID, &case.at) else {
        panic!("the fixture's reduction is approved")
    };
    let mut journal = Journal::create(MemoryDisk::new(), "portcullis/test").unwrap();
    let order = journal.append_with(b"{}", approved);
    let mark = journal.mark();
    journal.commit().unwrap();
    let (deadline, venue_deadline) = (BootNs(i64::MAX), WallNs(0));
    let waiting = Waiting { order, epoch, deadline, venue_deadline };
    let told = release(waiting, (&mark, authority), &Now::default, &mut Open);
    let told = if let Input::NotSent { code, .. } = told { code.code() } else { "SENT" };
    assert_eq!(told, expect, "{origin:?} {epoch}");
}

/// A1, A2: killed, a slice leaves only under an open plan and the present number.
#[test]
fn a1_only_slices_of_an_open_plan_leave_after_a_kill() {
    let plugin = Origin::Plugin(portcullis_domain::PluginId(0));
    let authority = Authority::new();
    check((Origin::House, 0), &authority, "SENT");
    let epoch = authority.close_gate();
    check((Origin::House, epoch), &authority, "RELEASE_REVOKED");
    authority.open_flatten();
    check((Origin::House, epoch), &authority, "SENT");
    check((Origin::House, epoch - 1), &authority, "RELEASE_REVOKED");
    check((plugin, epoch), &authority, "RELEASE_REVOKED");
    check((Origin::Person, epoch), &authority, "RELEASE_REVOKED");
    // The next kill takes it away in the thread that pulls it.
    let later = authority.close_gate();
    check((Origin::House, later), &authority, "RELEASE_REVOKED");
    authority.open_flatten();
    authority.close_flatten();
    check((Origin::House, later), &authority, "RELEASE_REVOKED");
}

/// A smaller stop revokes what was approved before it and leaves the latch alone.
#[test]
fn a1_a_smaller_stop_revokes_what_came_before_it() {
    let authority = Authority::new();
    let plugin = Origin::Plugin(portcullis_domain::PluginId(0));
    check((plugin, 0), &authority, "SENT");
    let epoch = authority.withdraw();
    assert!(!authority.is_killed());
    check((plugin, 0), &authority, "RELEASE_REVOKED");
    check((plugin, epoch), &authority, "SENT");
}
