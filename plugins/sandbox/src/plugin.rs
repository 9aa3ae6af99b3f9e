//! One plugin: one store, one instance, one call at a time.
//!
//! Commit on return: intents exist only once `on-events` has returned them. After any fault the
//! plugin is dropped; there is no way to call into a store that has trapped.

use std::collections::BTreeMap;

use portcullis_domain::frame::{EventRecord, IntentRecord, REPLY_INTENTS_MAX};
use serde::Deserialize;
use wasmtime::component::{Component, Linker};
use wasmtime::{Error, Store, StoreContextMut, Trap};

use crate::admission::{Capabilities, admit};
use crate::bindings::{Strategy, exports::portcullis::strategy::plugin as world};
use crate::declaration::Declaration;
use crate::engine::SandboxEngine;
use crate::fault::{FaultCode, PluginFault};
use crate::limits::{
    CALL_TICKS_MAX, DESCRIBE_FUEL, HOST_BYTES_PER_CALL_MAX, INSTANTIATE_FUEL, LOG_FUEL_BASE,
    LOG_FUEL_PER_BYTE, PluginState,
};
use crate::watchdog::Watchdog;

/// One instrument of a session, in its own integer units.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct InstrumentInfo {
    /// Its number in events and intents.
    pub id: u32,
    /// Quantities are multiples of this.
    pub lot: i64,
    /// Decimal places of its prices.
    pub price_scale: u8,
    /// Least quantity of an order.
    pub qty_min: i64,
    /// Decimal places of its quantities.
    pub qty_scale: u8,
    /// Its name.
    pub symbol: String,
    /// Prices are multiples of this.
    pub tick: i64,
}

/// What a plugin is told when a session begins. The payload of an `Init` frame.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct SessionStart {
    /// The instruments that it may trade.
    pub instruments: Vec<InstrumentInfo>,
    /// Parameters as approved.
    pub params: BTreeMap<String, String>,
    /// The runbook phase.
    pub phase: u8,
    /// The session's id.
    pub session: String,
}

/// A loaded plugin.
pub struct Plugin {
    store: Store<PluginState>,
    world: Strategy,
    watchdog: Watchdog,
    capabilities: Capabilities,
    declaration: Declaration,
    /// Reused for every batch.
    events: Vec<world::Event>,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Plugin").field("capabilities", &self.capabilities).finish_non_exhaustive()
    }
}

impl Plugin {
    /// Admits, compiles and instantiates a component, and asks it to describe itself.
    /// `memory_bytes_max` is what its release was signed for; a component that declares more is
    /// refused.
    pub fn load(
        engine: &SandboxEngine,
        component: &[u8],
        memory_bytes_max: u64,
    ) -> Result<Self, PluginFault> {
        let capabilities = admit(component)?;
        if capabilities.memory_bytes_max > memory_bytes_max {
            return Err(PluginFault::new(
                FaultCode::Admission,
                format!(
                    "declares {} bytes of memory; expected at most {memory_bytes_max}, as signed",
                    capabilities.memory_bytes_max
                ),
            ));
        }
        let (mut store, world) = instantiate(engine, component, capabilities.memory_bytes_max)?;
        let watchdog = Watchdog::start(engine)?;
        let plugin = world.portcullis_strategy_plugin();
        let (said, _) =
            guarded(&mut store, &watchdog, DESCRIBE_FUEL, |store| plugin.call_describe(store))?;
        let declaration = Declaration::from_world(said)?;
        Ok(Self { store, world, watchdog, capabilities, declaration, events: Vec::new() })
    }

    /// What the component can do, from its bytes.
    #[must_use]
    pub const fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// What it says of itself.
    #[must_use]
    pub const fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    /// What it logged during the last call: lines, at most [`crate::limits::LOG_BYTES_MAX`] bytes.
    pub fn take_log(&mut self) -> &str {
        self.store.data_mut().take_log()
    }

    /// Begins a session. Returns the fuel used.
    pub fn init(&mut self, start: &SessionStart, fuel: u64) -> Result<u64, PluginFault> {
        let parameters = self.declaration.settle(&start.params)?;
        let missing = |symbol: &&String| !start.instruments.iter().any(|i| i.symbol == **symbol);
        if let Some(symbol) = self.declaration.instruments.iter().find(missing) {
            return Err(PluginFault::new(
                FaultCode::Init,
                format!("needs {symbol}, which is not among the session's instruments"),
            ));
        }
        let instruments: Vec<_> = start.instruments.iter().map(instrument).collect();
        let session = world::SessionStart { id: start.session.clone(), phase: start.phase };
        let plugin = self.world.portcullis_strategy_plugin();
        let (answer, used) = guarded(&mut self.store, &self.watchdog, fuel, |store| {
            plugin.call_init(store, &session, &parameters, &instruments)
        })?;
        answer.map_err(|said| PluginFault::new(FaultCode::Init, said))?;
        Ok(used)
    }

    /// Delivers a batch and appends what the plugin wants to `intents`. Returns the fuel used.
    pub fn on_events(
        &mut self,
        events: impl Iterator<Item = EventRecord>,
        fuel: u64,
        intents: &mut Vec<IntentRecord>,
    ) -> Result<u64, PluginFault> {
        self.events.clear();
        self.events.extend(events.map(event));
        let plugin = self.world.portcullis_strategy_plugin();
        let batch = &self.events;
        let (returned, used) = guarded(&mut self.store, &self.watchdog, fuel, |store| {
            plugin.call_on_events(store, batch)
        })?;
        if returned.len() > REPLY_INTENTS_MAX {
            return Err(PluginFault::new(
                FaultCode::Output,
                format!("{} intents; at most {REPLY_INTENTS_MAX} per batch", returned.len()),
            ));
        }
        intents.extend(returned.iter().map(intent));
        Ok(used)
    }

    /// The plugin's state between two batches, and the fuel used.
    pub fn snapshot(&mut self, fuel: u64) -> Result<(Vec<u8>, u64), PluginFault> {
        let plugin = self.world.portcullis_strategy_plugin();
        let (bytes, used) =
            guarded(&mut self.store, &self.watchdog, fuel, |store| plugin.call_snapshot(store))?;
        let max = usize::try_from(self.declaration.snapshot_bytes_max).unwrap_or(0);
        if bytes.len() > max {
            return Err(PluginFault::new(
                FaultCode::Output,
                format!("a snapshot of {} bytes; declared at most {max}", bytes.len()),
            ));
        }
        Ok((bytes, used))
    }

    /// Puts an earlier state back. Returns the fuel used. The caller vouches for the bytes: that
    /// the journal holds their digest, made by this component.
    pub fn restore(&mut self, state: &[u8], fuel: u64) -> Result<u64, PluginFault> {
        let max = usize::try_from(self.declaration.snapshot_bytes_max).unwrap_or(0);
        if state.len() > max {
            return Err(PluginFault::new(
                FaultCode::Init,
                format!("a state of {} bytes; declared at most {max}", state.len()),
            ));
        }
        let plugin = self.world.portcullis_strategy_plugin();
        let (answer, used) = guarded(&mut self.store, &self.watchdog, fuel, |store| {
            plugin.call_restore(store, state)
        })?;
        answer.map_err(|said| PluginFault::new(FaultCode::Init, said))?;
        Ok(used)
    }
}

/// Proves what a component can do, and that each of its functions has the type that the world
/// gives it. Runs none of it.
pub fn inspect(engine: &SandboxEngine, component: &[u8]) -> Result<Capabilities, PluginFault> {
    let capabilities = admit(component)?;
    instantiate(engine, component, capabilities.memory_bytes_max)?;
    Ok(capabilities)
}

/// Compiles and instantiates; runs nothing of the guest. Also proves that each function has
/// exactly the type that the world gives it.
fn instantiate(
    engine: &SandboxEngine,
    component: &[u8],
    memory_bytes_max: u64,
) -> Result<(Store<PluginState>, Strategy), PluginFault> {
    let refused = |error: Error| PluginFault::new(FaultCode::Admission, format!("{error:#}"));
    let memory_bytes_max = usize::try_from(memory_bytes_max).unwrap_or(0);
    let component = Component::new(engine.inner(), component).map_err(refused)?;
    let mut linker = Linker::new(engine.inner());
    offer_log(&mut linker).map_err(refused)?;
    let mut store = Store::new(engine.inner(), PluginState::new(memory_bytes_max));
    store.limiter(|state| state);
    store.set_hostcall_fuel(HOST_BYTES_PER_CALL_MAX);
    store.epoch_deadline_trap();
    // No code of the guest runs yet, but its data segments are put in place, which is metered.
    store.set_fuel(INSTANTIATE_FUEL).map_err(refused)?;
    store.set_epoch_deadline(CALL_TICKS_MAX);
    let world = Strategy::instantiate(&mut store, &component, &linker).map_err(refused)?;
    Ok((store, world))
}

/// The one import. Its fuel is taken from the plugin's own.
fn offer_log(linker: &mut Linker<PluginState>) -> Result<(), Error> {
    let mut log = linker.instance(crate::admission::LOG_IMPORT)?;
    log.func_wrap("write", write_log)
}

type LogLine = (String, Option<String>, Option<i64>);

fn write_log(
    mut store: StoreContextMut<'_, PluginState>,
    (text, key, number): LogLine,
) -> Result<(), Error> {
    let bytes = text.len().saturating_add(key.as_ref().map_or(0, String::len));
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    let price = LOG_FUEL_BASE.saturating_add(LOG_FUEL_PER_BYTE.saturating_mul(bytes));
    let Some(left) = store.get_fuel()?.checked_sub(price) else {
        store.set_fuel(0)?;
        return Err(Trap::OutOfFuel.into());
    };
    store.set_fuel(left)?;
    store.data_mut().write_log(&text, key.as_deref(), number);
    Ok(())
}

/// Makes one call with exactly this much fuel, under the watchdog. Returns the result and the
/// fuel used.
fn guarded<T>(
    store: &mut Store<PluginState>,
    watchdog: &Watchdog,
    fuel: u64,
    call: impl FnOnce(&mut Store<PluginState>) -> Result<T, Error>,
) -> Result<(T, u64), PluginFault> {
    let host = |error: Error| PluginFault::new(FaultCode::Trap, format!("{error:#}"));
    store.data_mut().begin_call();
    store.set_fuel(fuel).map_err(host)?;
    store.set_epoch_deadline(CALL_TICKS_MAX);
    match watchdog.during(|| call(store)) {
        Ok(result) => {
            let left = store.get_fuel().map_err(host)?;
            Ok((result, fuel.saturating_sub(left)))
        }
        Err(error) => Err(classify(&error, store.data(), fuel)),
    }
}

/// What a failed call means.
fn classify(error: &Error, state: &PluginState, fuel: u64) -> PluginFault {
    let cause = format!("{:#}", error.root_cause());
    if state.memory_refused() {
        return PluginFault::new(FaultCode::Memory, cause);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => {
            PluginFault::new(FaultCode::Fuel, format!("used up its {fuel} units of fuel"))
        }
        Some(Trap::Interrupt) => {
            PluginFault::new(FaultCode::Trap, format!("did not return in {CALL_TICKS_MAX} ms"))
        }
        // The engine has no type for this one; a test holds its words.
        None if cause.contains("fuel allocated for hostcalls has been exhausted") => {
            PluginFault::new(
                FaultCode::Output,
                format!("hands over more than {HOST_BYTES_PER_CALL_MAX} bytes in one call"),
            )
        }
        Some(_) | None => PluginFault::new(FaultCode::Trap, cause),
    }
}

fn instrument(info: &InstrumentInfo) -> world::Instrument {
    world::Instrument {
        id: info.id,
        symbol: info.symbol.clone(),
        price_scale: info.price_scale,
        qty_scale: info.qty_scale,
        tick: info.tick,
        lot: info.lot,
        qty_min: info.qty_min,
    }
}

const fn event(record: EventRecord) -> world::Event {
    world::Event {
        time: record.time,
        reference: record.reference,
        instrument: record.instrument,
        kind: record.kind,
        side: record.side,
        code: record.code,
        price: record.price,
        qty: record.qty,
        price2: record.price2,
        qty2: record.qty2,
        extra: record.extra,
    }
}

const fn intent(wanted: &world::Intent) -> IntentRecord {
    IntentRecord {
        reference: wanted.reference,
        instrument: wanted.instrument,
        kind: wanted.kind,
        side: wanted.side,
        ord_type: wanted.ord_type,
        time_in_force: wanted.time_in_force,
        price: wanted.price,
        qty: wanted.qty,
        stop_price: wanted.stop_price,
        target_price: wanted.target_price,
        time: wanted.time,
        flags: wanted.flags,
    }
}
