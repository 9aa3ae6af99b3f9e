//! The plugins of the open session: one thread each, which alone talks to the process and owns
//! its deadlines.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use portcullis_core::Input;
use portcullis_domain::PluginId;
use portcullis_domain::frame::EventRecord;
use portcullis_path::WorkerProcess;
use portcullis_path::plugin_port::{failed_input, reply_input};

use crate::house::House;

/// `init` may take longer than a batch.
const INIT_MAX: Duration = Duration::from_secs(2);
/// A batch that is not answered by then ends the plugin.
const EVENTS_MAX: Duration = Duration::from_millis(50);

/// What is asked of a worker.
#[derive(Debug)]
pub(crate) enum Call {
    /// `init`.
    Init {
        /// The session, as JSON.
        init: Vec<u8>,
        /// Fuel.
        fuel: u64,
    },
    /// `on-events`.
    Events {
        /// Number of the batch.
        batch: u32,
        /// The events.
        records: Vec<EventRecord>,
        /// Fuel.
        fuel: u64,
    },
}

/// The way to each worker's thread.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    calls: BTreeMap<PluginId, Sender<Call>>,
}

impl Pool {
    /// Takes loaded workers into a session, in the approval's order.
    pub(crate) fn adopt(&mut self, house: &Arc<House>, loaded: Vec<WorkerProcess>) {
        self.calls.clear();
        for (number, worker) in (0_u16..).zip(loaded) {
            let plugin = PluginId(number);
            // One batch is out at a time, and `init` before it.
            let (calls, calls_end) = bounded(2);
            self.calls.insert(plugin, calls);
            let house = Arc::clone(house);
            thread::spawn(move || serve(&house, plugin, worker, &calls_end));
        }
    }

    /// Asks a worker. A worker that is gone has said so, or says so now.
    pub(crate) fn call(&self, house: &House, plugin: PluginId, call: Call) {
        let taken = self.calls.get(&plugin).is_some_and(|calls| calls.try_send(call).is_ok());
        if !taken {
            let (code, cause) = ("PLUGIN_GONE".to_owned(), "its process has ended".to_owned());
            house.report(Input::PluginFailed { plugin, code, cause });
        }
    }

    /// Ends a worker: its thread drops the process once the channel is gone.
    pub(crate) fn stop(&mut self, plugin: PluginId) {
        self.calls.remove(&plugin);
    }

    /// Ends all of them.
    pub(crate) fn clear(&mut self) {
        self.calls.clear();
    }
}

/// A worker's thread: one call after the other, each under its deadline.
fn serve(house: &House, plugin: PluginId, mut worker: WorkerProcess, calls: &Receiver<Call>) {
    for call in calls {
        let input = match call {
            Call::Init { init, fuel } => {
                match worker.within(INIT_MAX).and_then(|channel| channel.init(&init, fuel)) {
                    Ok(()) => Input::PluginReady { plugin },
                    Err(fault) => failed_input(plugin, fault),
                }
            }
            Call::Events { batch, records, fuel } => {
                let channel = worker.within(EVENTS_MAX);
                let reply = channel.and_then(|channel| channel.deliver(batch, &records, fuel));
                reply_input(plugin, batch, reply)
            }
        };
        let failed = matches!(input, Input::PluginFailed { .. });
        house.report(input);
        if failed {
            return;
        }
    }
}
