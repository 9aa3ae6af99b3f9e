//! The plugins of a replay: run again in the sandbox from their components, and every answer
//! compared with the recorded one.
//!
//! Nothing jails the sandbox process yet. So a component runs only if the people of the genesis
//! that the verifier brought along have released it; native code never comes out of a pack.

use std::collections::BTreeMap;
use std::path::Path;

use portcullis_core::{Core, Input, Worker};
use portcullis_domain::PluginId;
use portcullis_domain::frame::EventRecord;
use portcullis_evidence::text::escape_terminal;
use portcullis_path::WorkerProcess;
use portcullis_path::lockstep::Workers as _;
use portcullis_statement::json::Value;
use portcullis_statement::{ApprovedPlugin, Digest, SessionApproval};

use crate::files::shown;
use crate::worker::LockStepWorker;
use crate::{CliError, Exit};

/// Failures of the run that was recorded, and of no other: a slow machine, a process that was
/// ended from outside.
const OF_THAT_RUN: [&str; 2] = ["PLUGIN_DEADLINE", "PLUGIN_GONE"];

/// Finds the bytes of a component, whoever holds them.
pub(super) type Components<'a> = &'a dyn Fn(Digest) -> Option<Vec<u8>>;

/// One plugin that runs again.
struct Slot {
    worker: LockStepWorker,
    /// Its answer, until the recorded one is read.
    said: Option<Input>,
}

/// All plugins of a replay.
pub(super) struct Plugins<'a> {
    sandbox: &'a Path,
    components: Components<'a>,
    /// The genesis whose people's releases are run.
    pin: Option<Digest>,
    slots: BTreeMap<PluginId, Slot>,
    /// Recorded answers that were compared and are equal.
    pub(super) equal: u64,
    /// Recorded failures that belong to that run alone.
    pub(super) not_compared: u64,
    /// Why some plugin does not run; the first cause.
    pub(super) refusal: Option<CliError>,
}

impl<'a> Plugins<'a> {
    pub(super) fn new(sandbox: &'a Path, components: Components<'a>, pin: Option<Digest>) -> Self {
        let slots = BTreeMap::new();
        Self { sandbox, components, pin, slots, equal: 0, not_compared: 0, refusal: None }
    }

    /// A session has opened: starts its plugins, as far as they may run here.
    pub(super) fn open(&mut self, core: &Core, approval: &SessionApproval, workers: &[Worker]) {
        self.slots.clear();
        for (number, plugin) in (0_u16..).zip(&approval.plugins) {
            let recorded = workers.get(usize::from(number));
            match self.start(core, plugin, recorded) {
                Ok(process) => {
                    let worker = LockStepWorker::new(process);
                    self.slots.insert(PluginId(number), Slot { worker, said: None });
                }
                Err(refusal) => self.refuse(refusal),
            }
        }
    }

    fn refuse(&mut self, refusal: CliError) {
        self.refusal.get_or_insert(refusal);
    }

    fn start(
        &self,
        core: &Core,
        plugin: &ApprovedPlugin,
        recorded: Option<&Worker>,
    ) -> Result<WorkerProcess, CliError> {
        let name = plugin.name.as_str();
        let refused = |code: &str, cause: &str, next: &str| {
            CliError::new(Exit::Refused, code, name, cause, next)
        };
        let release = core.releases().find(|(digest, _)| **digest == plugin.release);
        let (Some((_, release)), true) =
            (release, self.pin.is_some() && core.genesis() == self.pin)
        else {
            let cause = "nothing jails the sandbox yet, so what was not released under the \
                         genesis of --trust does not run here";
            return Err(refused("JAIL_MISSING", cause, "name your own genesis with --trust"));
        };
        let Some(component) = (self.components)(plugin.component) else {
            let cause = format!("component {} is neither in the pack nor given", plugin.component);
            let next = "portcullis evidence replay PACK --trust PIN --component FILE";
            return Err(CliError::new(Exit::NotFound, "COMPONENT_MISSING", name, &cause, next));
        };
        let mut process = WorkerProcess::spawn(self.sandbox).map_err(|error| {
            let (subject, cause) = (shown(self.sandbox), error.to_string());
            let next = "name the program with --sandbox PATH";
            CliError::new(Exit::NotFound, "SANDBOX_MISSING", &subject, &cause, next)
        })?;
        let loaded = process.load(&component, release.memory_bytes_max);
        let loaded = loaded.map_err(|fault| {
            refused(&fault.code, &fault.cause, "use the sandbox of the release that recorded it")
        })?;
        let engine = recorded.map(|worker| worker.engine.as_str());
        if engine != Some(loaded.engine.as_str()) {
            let cause = format!(
                "recorded with {}, this sandbox is {}: fuel is not comparable",
                engine.unwrap_or("no engine"),
                loaded.engine
            );
            let next = "use the sandbox of the release that recorded it, with --sandbox";
            return Err(refused("ENGINE_DIFFERS", &cause, next));
        }
        Ok(process)
    }

    /// Calls `init`.
    pub(super) fn init(&mut self, plugin: PluginId, init: &[u8], fuel: u64) {
        if let Some(slot) = self.slots.get_mut(&plugin) {
            slot.said = Some(slot.worker.init(plugin, init, fuel));
        }
    }

    /// Calls `on-events`.
    pub(super) fn deliver(
        &mut self,
        (plugin, batch): (PluginId, u32),
        records: &[EventRecord],
        fuel: u64,
    ) {
        if let Some(slot) = self.slots.get_mut(&plugin) {
            slot.said = Some(slot.worker.deliver(plugin, batch, records, fuel));
        }
    }

    /// Ends a plugin.
    pub(super) fn stop(&mut self, plugin: PluginId) {
        self.slots.remove(&plugin);
    }

    /// Ends all of them.
    pub(super) fn end(&mut self) {
        self.slots.clear();
    }

    /// Compares a recorded answer with the one of the run here.
    ///
    /// # Errors
    /// What differs, safe for a terminal.
    pub(super) fn answered(&mut self, recorded: &Input) -> Result<(), String> {
        let (Input::PluginReady { plugin }
        | Input::PluginReply { plugin, .. }
        | Input::PluginFailed { plugin, .. }) = recorded
        else {
            return Ok(());
        };
        let Some(slot) = self.slots.get_mut(plugin) else { return Ok(()) };
        if let Some(cause) = slot.worker.overrun.take() {
            self.slots.remove(plugin);
            let (code, next) = ("PLUGIN_DEADLINE", "run it again on a quieter machine");
            let subject = format!("plugin {}", plugin.0);
            self.refuse(CliError::new(Exit::Temporary, code, &subject, &cause, next));
            return Ok(());
        }
        if let Input::PluginFailed { code, .. } = recorded
            && OF_THAT_RUN.contains(&code.as_str())
        {
            self.not_compared = self.not_compared.saturating_add(1);
            return Ok(());
        }
        let said = slot.said.take();
        let [then, now] = [Some(recorded), said.as_ref()].map(words);
        if then == now {
            self.equal = self.equal.saturating_add(1);
            return Ok(());
        }
        Err(format!("recorded {then}, now {now}"))
    }
}

/// An answer in words: everything that the journal keeps of it.
fn words(input: Option<&Input>) -> String {
    let content = input.and_then(|input| input.content(false));
    let text = content.map(|content| {
        let value: Value = content.body;
        format!("{} {}", content.kind, value.canonical_text())
    });
    text.map_or_else(|| "no answer".to_owned(), |text| escape_terminal(&text))
}
