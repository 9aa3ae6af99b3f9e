//! The effects that do not wait, carried out. Nothing here may block the core loop.

use std::sync::{Arc, PoisonError};

use portcullis_core::{Core, Effect, Input};
use portcullis_domain::Now;
use portcullis_evidence::{Head, Watermark};
use portcullis_path::Wiring;

use crate::clock;
use crate::house::House;
use crate::threads;
use crate::venue;
use crate::workers::Call;

/// The core loop's hands.
#[derive(Debug)]
pub(crate) struct HouseWiring {
    house: Arc<House>,
}

impl HouseWiring {
    pub(crate) fn new(house: Arc<House>) -> Self {
        Self { house }
    }
}

impl Wiring for HouseWiring {
    fn now(&self) -> Now {
        clock::now()
    }

    fn carry_out(&mut self, effect: Effect) {
        let house = &self.house;
        let workers = || house.workers.lock().unwrap_or_else(PoisonError::into_inner);
        match effect {
            Effect::InitPlugin { plugin, init, fuel } => {
                workers().call(house, plugin, Call::Init { init, fuel });
            }
            Effect::Deliver { plugin, batch, records, fuel } => {
                workers().call(house, plugin, Call::Events { batch, records, fuel });
            }
            Effect::StopPlugin { plugin } => workers().stop(plugin),
            Effect::ReadAccount => {
                house.venue.read_account();
            }
            Effect::Connect(endpoint) => venue::connect(house, &endpoint),
            Effect::SessionOpened { instruments } => venue::start_public(house, instruments),
            Effect::SessionClosed => house.venue.stop_public(),
            Effect::LiftKill => house.authority.lift(),
            Effect::RaiseEpoch(cause) => {
                house.raise(cause);
            }
            Effect::EndEpoch { number } => {
                let house = Arc::clone(house);
                // One that cannot be started is asked for again after a minute.
                drop(threads::start("end-epoch", move || house.end_epoch(number)));
            }
            // The loops take these themselves, and phase 1 is not opened here.
            Effect::Submit(_)
            | Effect::Amend(_)
            | Effect::Cancel(_)
            | Effect::CancelAll
            | Effect::ShadowSubmit(_)
            | Effect::ShadowAmend(_)
            | Effect::ShadowCancel(_)
            | Effect::Answer { .. }
            | Effect::Halt => {}
        }
    }

    fn tell(&mut self, report: Input) {
        self.house.report(report);
    }

    fn show(&mut self, core: &Core, head: Head, end: Watermark) {
        let house = &self.house;
        // A kill that fell while another one was being lifted, or that the start itself latched:
        // what the core holds, the writer holds.
        if core.is_killed() && !house.authority.is_killed() {
            house.latch_again();
        }
        if house.mark.is_poisoned() {
            house.journal_ended();
        }
        house.board.show(core, (head, end));
    }
}
