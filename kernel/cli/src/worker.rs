//! The one plugin of a replay, called in lock step.

use std::time::Duration;

use portcullis_core::Input;
use portcullis_domain::PluginId;
use portcullis_domain::frame::EventRecord;
use portcullis_path::WorkerProcess;
use portcullis_path::lockstep::Workers;
use portcullis_path::plugin_port::{PluginFault, failed_input, reply_input};

/// In lock step the fuel is the deadline. This only ends a run whose worker hangs.
const CALL_MAX: Duration = Duration::from_secs(10);

/// A worker whose answers are waited for.
#[derive(Debug)]
pub(crate) struct LockStepWorker {
    pub(crate) process: WorkerProcess,
    /// Why the run is void: the worker did not answer within [`CALL_MAX`].
    pub(crate) overrun: Option<String>,
}

impl LockStepWorker {
    pub(crate) fn new(process: WorkerProcess) -> Self {
        Self { process, overrun: None }
    }

    /// How long an answer takes is no property of the recording, so a run in which it mattered
    /// is void.
    fn note(&mut self, fault: &PluginFault) {
        if fault.code == "PLUGIN_DEADLINE" {
            self.overrun = Some(format!("no answer within {} s", CALL_MAX.as_secs()));
        }
    }
}

impl Workers for LockStepWorker {
    fn init(&mut self, plugin: PluginId, init: &[u8], fuel: u64) -> Input {
        match self.process.within(CALL_MAX).and_then(|channel| channel.init(init, fuel)) {
            Ok(()) => Input::PluginReady { plugin },
            Err(fault) => {
                self.note(&fault);
                failed_input(plugin, fault)
            }
        }
    }

    fn deliver(
        &mut self,
        plugin: PluginId,
        batch: u32,
        records: &[EventRecord],
        fuel: u64,
    ) -> Input {
        let channel = self.process.within(CALL_MAX);
        let reply = channel.and_then(|channel| channel.deliver(batch, records, fuel));
        if let Err(fault) = &reply {
            self.note(fault);
        }
        reply_input(plugin, batch, reply)
    }

    fn stop(&mut self, _plugin: PluginId) {
        self.process.end();
    }
}
