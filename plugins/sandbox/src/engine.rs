//! The engine: what of WebAssembly is accepted, how it is metered, and the name of all that.
//!
//! Two sandboxes with the same engine name give the same answers and burn the same fuel for the
//! same component and events. The name is therefore part of the session's record, and it is made
//! from the very settings that are applied: each setting is applied and written down in one place.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use wasmtime::{Config, Engine, OperatorCost, OptLevel, Strategy, WasmFeatures};

use crate::fault::{FaultCode, PluginFault};
use crate::limits::{
    GUEST_STACK_BYTES_MAX, HOST_BYTES_PER_CALL_MAX, LOG_FUEL_BASE, LOG_FUEL_PER_BYTE,
};

/// The engine's release. The dependency is pinned to exactly it.
pub const WASMTIME_VERSION: &str = "48.0.8";
/// Who made the native code, as session approvals name it: this process, from the component.
pub const COMPILE_RECORD: &str = "in-worker";
/// Fuel of one more page of memory: what clearing its 64 KiB costs.
const MEMORY_GROW_FUEL_PER_PAGE: u8 = 255;

/// A configured engine and its name.
#[derive(Clone, Debug)]
pub struct SandboxEngine {
    engine: Engine,
    name: String,
}

impl SandboxEngine {
    /// Configures the engine. Fails only where the machine cannot run it.
    pub fn new() -> Result<Self, PluginFault> {
        let mut settings = Settings { config: Config::new(), canonical: String::new() };
        accept_little(&mut settings);
        compute_the_same_everywhere(&mut settings);
        meter(&mut settings);
        contain(&mut settings);
        let name = settings.name();
        let engine = Engine::new(&settings.config).map_err(|error| {
            PluginFault::new(FaultCode::Admission, format!("this machine: {error:#}"))
        })?;
        Ok(Self { engine, name })
    }

    /// `wasmtime-48.0.8+cranelift;config=<SHA-256 of the settings>`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) const fn inner(&self) -> &Engine {
        &self.engine
    }
}

type Apply<T> = for<'a> fn(&'a mut Config, T) -> &'a mut Config;

/// Settings as applied and as written down.
struct Settings {
    config: Config,
    canonical: String,
}

impl Settings {
    /// Applies one setting and notes it.
    fn set<T: ToString>(&mut self, name: &str, value: T, apply: Apply<T>) {
        self.note(name, &value.to_string());
        apply(&mut self.config, value);
    }

    fn note(&mut self, name: &str, value: &str) {
        self.canonical.push_str(name);
        self.canonical.push('=');
        self.canonical.push_str(value);
        self.canonical.push('\n');
    }

    fn name(&self) -> String {
        let mut name = format!("wasmtime-{WASMTIME_VERSION}+cranelift;config=");
        for byte in Sha256::digest(self.canonical.as_bytes()) {
            // Writing to a string cannot fail.
            if write!(name, "{byte:02x}").is_err() {
                return name;
            }
        }
        name
    }
}

/// The accepted language: what `rustc`, clang and wit-component emit. Each part that no toolchain
/// of ours needs is a part that cannot be wrong, and most of the young ones have had advisories.
/// Admission validates with the same list.
pub(crate) const ACCEPTED: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    // Without a collector: `externref` stays out.
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::COMPONENT_MODEL);

fn accept_little(settings: &mut Settings) {
    for (name, feature) in WasmFeatures::all().iter_names() {
        let accepted = ACCEPTED.contains(feature);
        settings.note(name, &accepted.to_string());
        settings.config.wasm_features(feature, accepted);
    }
    // Data races, and outside the reach of the memory limit.
    settings.set("shared_memory", false, Config::shared_memory);
    // Bookkeeping for concurrent calls costs every call and serves none of ours.
    settings.set("concurrency", false, Config::concurrency_support);
}

/// The same component and events give the same intents on every machine.
fn compute_the_same_everywhere(settings: &mut Settings) {
    settings.note("compiler", "cranelift");
    settings.config.strategy(Strategy::Cranelift);
    settings.note("opt_level", "speed");
    settings.config.cranelift_opt_level(OptLevel::Speed);
    // The bits of a NaN are the one thing that floating-point units disagree on.
    settings.set("nan_canonicalization", true, Config::cranelift_nan_canonicalization);
    // Depth at which recursion traps.
    settings.set("stack_bytes_max", GUEST_STACK_BYTES_MAX, Config::max_wasm_stack);
}

/// Fuel is the meter and part of the record; the epoch is only the backstop of the wall clock.
fn meter(settings: &mut Settings) {
    settings.set("consume_fuel", true, Config::consume_fuel);
    let mut cost = OperatorCost::new();
    cost.variable.memory_grow_per_page = MEMORY_GROW_FUEL_PER_PAGE;
    settings.config.operator_cost(cost);
    settings.note("operator_cost", "1");
    settings.note("memory_grow_per_page", &MEMORY_GROW_FUEL_PER_PAGE.to_string());
    settings.note("log_fuel_base", &LOG_FUEL_BASE.to_string());
    settings.note("log_fuel_per_byte", &LOG_FUEL_PER_BYTE.to_string());
    settings.note("host_bytes_per_call_max", &HOST_BYTES_PER_CALL_MAX.to_string());
    settings.set("epoch", true, Config::epoch_interruption);
}

/// Faults instead of checks, and no surprises in the first event.
fn contain(settings: &mut Settings) {
    // 4 GiB reserved and 32 MiB of guard: an out-of-bounds access faults, and a wrong sign
    // extension in the compiler still lands in the guard.
    settings.set("memory_reservation", 1_u64 << 32, Config::memory_reservation);
    settings.set("memory_guard", 1_u64 << 25, Config::memory_guard_size);
    settings.set("guard_before", true, Config::guard_before_linear_memory);
    // Growth never moves the memory, so the compiler may keep its base.
    settings.set("memory_may_move", false, Config::memory_may_move);
    settings.set("signals_based_traps", true, Config::signals_based_traps);
    // First touches never reach the disk.
    settings.set("memory_init_cow", true, Config::memory_init_cow);
    settings.set("memory_init_memfd", true, Config::force_memory_init_memfd);
    // Function references are made at load and not at the first indirect call.
    settings.set("table_lazy_init", false, Config::table_lazy_init);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_that_of_the_settings() {
        let name = SandboxEngine::new().unwrap().name().to_owned();
        // Equal in debug and release builds and on every machine. A change of this line is a
        // change of engine: recordings made under the old one replay only under the old one.
        let config = "b5f5964b41f8cac2118caa7d9123d1977fa494401fa27dabc6c76d0c9d8f5650";
        assert_eq!(name, format!("wasmtime-48.0.8+cranelift;config={config}"));
    }
}
