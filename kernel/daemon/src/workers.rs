//! The plugins of the open session: one thread each, which alone talks to the process and owns
//! its deadlines.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use portcullis_core::Input;
use portcullis_domain::PluginId;
use portcullis_domain::frame::EventRecord;
use portcullis_path::WorkerProcess;
use portcullis_path::plugin_port::{failed_input, reply_input};

use crate::house::House;
use crate::threads;

/// `init` may take longer than a batch.
const INIT_MAX: Duration = Duration::from_secs(2);
/// A batch that is not answered by then ends the plugin. Fuel is the meter; this only notices a
/// process that hangs, so it leaves room for a machine that is busy with something else.
const EVENTS_MAX: Duration = Duration::from_millis(500);

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

/// The way to one worker's thread. Dropping it ends the worker, and what that one still has to say
/// is not heard: the number of a plugin names another one in the next session.
#[derive(Debug)]
struct Worker {
    calls: Sender<Call>,
    ended: Arc<AtomicBool>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
    }
}

/// The way to each worker's thread.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    workers: BTreeMap<PluginId, Worker>,
}

impl Pool {
    /// Takes loaded workers into a session, in the approval's order.
    pub(crate) fn adopt(&mut self, house: &Arc<House>, loaded: Vec<WorkerProcess>) {
        self.clear();
        for (number, process) in (0_u16..).zip(loaded) {
            let plugin = PluginId(number);
            // One batch is out at a time, and `init` before it.
            let (calls, calls_end) = bounded(2);
            let worker = Worker { calls, ended: Arc::default() };
            let (house, ended) = (Arc::clone(house), Arc::clone(&worker.ended));
            let serve = move || serve(&house, plugin, process, (&calls_end, &ended));
            // Without its thread a worker is gone, which the first call says.
            if threads::start("worker", serve).is_ok() {
                self.workers.insert(plugin, worker);
            }
        }
    }

    /// Asks a worker. A worker that is gone has said so, or says so now.
    pub(crate) fn call(&self, house: &House, plugin: PluginId, call: Call) {
        let worker = self.workers.get(&plugin);
        let taken = worker.is_some_and(|worker| worker.calls.try_send(call).is_ok());
        if !taken {
            let (code, cause) = ("PLUGIN_GONE".to_owned(), "its process has ended".to_owned());
            house.report(Input::PluginFailed { plugin, code, cause });
        }
    }

    /// Ends a worker: its thread drops the process once the channel is gone.
    pub(crate) fn stop(&mut self, plugin: PluginId) {
        self.workers.remove(&plugin);
    }

    /// Ends all of them.
    pub(crate) fn clear(&mut self) {
        self.workers.clear();
    }
}

/// A worker's thread: one call after the other, each under its deadline.
fn serve(
    house: &House,
    plugin: PluginId,
    mut worker: WorkerProcess,
    (calls, ended): (&Receiver<Call>, &AtomicBool),
) {
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
        if ended.load(Ordering::Acquire) {
            return;
        }
        let failed = matches!(input, Input::PluginFailed { .. });
        house.report(input);
        if failed {
            return;
        }
    }
}
