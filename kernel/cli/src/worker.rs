//! The one plugin of a replay, called in lock step.

use std::time::Duration;

use portcullis_core::Input;
use portcullis_domain::PluginId;
use portcullis_domain::frame::EventRecord;
use portcullis_path::WorkerProcess;
use portcullis_path::lockstep::Workers;
use portcullis_path::plugin_port::{failed_input, reply_input};

/// In lock step the fuel is the deadline. This only ends a run whose worker hangs.
const CALL_MAX: Duration = Duration::from_secs(10);

/// A worker whose answers are waited for.
#[derive(Debug)]
pub(crate) struct LockStepWorker(pub(crate) WorkerProcess);

impl Workers for LockStepWorker {
    fn init(&mut self, plugin: PluginId, init: &[u8], fuel: u64) -> Input {
        match self.0.within(CALL_MAX).and_then(|channel| channel.init(init, fuel)) {
            Ok(()) => Input::PluginReady { plugin },
            Err(fault) => failed_input(plugin, fault),
        }
    }

    fn deliver(
        &mut self,
        plugin: PluginId,
        batch: u32,
        records: &[EventRecord],
        fuel: u64,
    ) -> Input {
        let channel = self.0.within(CALL_MAX);
        reply_input(plugin, batch, channel.and_then(|c| c.deliver(batch, records, fuel)))
    }

    fn stop(&mut self, _plugin: PluginId) {
        self.0.end();
    }
}
