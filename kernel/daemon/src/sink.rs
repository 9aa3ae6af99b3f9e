//! The door to the venue, as the outbox sees it.

use std::sync::Arc;

use portcullis_core::EpochCause;
use portcullis_domain::{Amendment, OrderIntent, WallNs};
use portcullis_evidence::Recorded;
use portcullis_gate::{Approved, CancelRequest, DenyCode};
use portcullis_path::{OrderSink, SubmitFate};
use portcullis_venue::SubmitFate as VenueFate;

use crate::house::House;
use crate::threads;

/// Hands proven orders to whatever connection is up. Without one, nothing leaves.
#[derive(Debug)]
pub(crate) struct VenueSink {
    house: Arc<House>,
}

impl VenueSink {
    pub(crate) fn new(house: &Arc<House>) -> Self {
        Self { house: Arc::clone(house) }
    }
}

impl OrderSink for VenueSink {
    fn submit(
        &mut self,
        order: Recorded<Approved<OrderIntent>>,
        venue_deadline: WallNs,
    ) -> SubmitFate {
        self.fate(self.house.venue.with_session(|venue| venue.submit(order, venue_deadline)))
    }

    fn amend(
        &mut self,
        change: Recorded<Approved<Amendment>>,
        venue_deadline: WallNs,
    ) -> SubmitFate {
        self.fate(self.house.venue.with_session(|venue| venue.amend(change, venue_deadline)))
    }

    fn cancel(&mut self, request: &CancelRequest) {
        self.house.venue.cancel(request.cl_ord_id);
    }

    fn cancel_all(&mut self) {
        self.house.venue.cancel_all();
    }
}

impl VenueSink {
    /// What the outbox makes of it; `None` is no connection.
    fn fate(&self, fate: Option<VenueFate>) -> SubmitFate {
        match fate {
            Some(VenueFate::Sent) => SubmitFate::Sent,
            Some(VenueFate::NotSent(code)) => SubmitFate::NotSent(code),
            Some(VenueFate::Lost) => SubmitFate::Lost,
            Some(VenueFate::Mismatch) => {
                // The bytes did not say what was approved: no byte left, and nothing more will.
                let (who, reason) = ("kernel".to_owned(), "EGRESS_MISMATCH".to_owned());
                let house = Arc::clone(&self.house);
                // The outbox holds the authority lock here; raising takes it, so not in this thread.
                let kill = move || {
                    house.raise(EpochCause::Kill { who, reason, request: None });
                };
                if threads::start("mismatch", kill).is_err() {
                    // Nothing leaves any more all the same, and the supervisor sees an end.
                    std::process::abort();
                }
                SubmitFate::NotSent(DenyCode::ReleaseRevoked)
            }
            None => SubmitFate::NotSent(DenyCode::ReconUnresolved),
        }
    }
}
