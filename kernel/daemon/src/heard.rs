//! What the venue says on the private socket, as inputs of the core.

use portcullis_core::Input;
use portcullis_domain::{ExecType, ExecutionReport};
use portcullis_venue::{PrivateEvent, VenueFault};

use crate::clock;
use crate::house::House;

/// What the venue says, as an input.
pub(crate) fn heard(house: &House, event: PrivateEvent) {
    let refused = |cl_ord_id, exec_type, text| {
        let transact_time = clock::wall();
        let report = ExecutionReport { cl_ord_id, order_id: None, exec_type, transact_time, text };
        house.report(Input::Report(report));
    };
    match event {
        PrivateEvent::Report(report) => {
            house.venue.learn(report.order_id.as_ref(), report.cl_ord_id);
            house.report(Input::Report(report));
        }
        PrivateEvent::OrderRefused { cl_ord_id, text, .. } => {
            refused(cl_ord_id, ExecType::Rejected, text);
        }
        PrivateEvent::ChangeRefused { cl_ord_id, text, .. } => {
            refused(cl_ord_id, ExecType::ReplaceRejected, text);
        }
        PrivateEvent::OrderUnknown { cl_ord_id, .. } => house.report(Input::Lost { cl_ord_id }),
        PrivateEvent::CancelRefused { cl_ord_id: Some(id), text, .. } => {
            refused(id, ExecType::CancelRejected, text);
        }
        // What is at the account and not ours is reconciliation's to find.
        PrivateEvent::CancelRefused { cl_ord_id: None, .. } | PrivateEvent::Foreign(_) => {
            house.venue.read_account();
        }
        PrivateEvent::Status(status) => {
            house.report(Input::VenueStatus { status });
            house.venue.read_account();
        }
        PrivateEvent::Down(fault) => link_changed(house, false, &fault),
    }
}

pub(crate) fn link_changed(house: &House, up: bool, fault: &VenueFault) {
    let cause = format!("{}: {}", fault.code(), fault.cause());
    house.report(Input::VenueLink { up, cause });
}
