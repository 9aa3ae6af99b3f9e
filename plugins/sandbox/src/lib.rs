//! Runs one plugin: a WebAssembly component of the world `portcullis:strategy@0.9.0`.
//!
//! The process around this library holds nothing worth stealing: no keys, no network, no files.
//! The plugin can return intents and write a bounded log. A call that traps or runs out of fuel
//! has emitted nothing, and the plugin is dropped with it.

mod admission;
mod bindings;
mod declaration;
mod engine;
mod fault;
mod frames;
pub mod limits;
mod plugin;
mod serve;
mod watchdog;

pub use admission::{Capabilities, LOG_IMPORT, PLUGIN_EXPORT, WORLD, admit};
pub use declaration::{Declaration, Parameter, ParameterKind, Stream};
pub use engine::{COMPILE_RECORD, SandboxEngine, WASMTIME_VERSION};
pub use fault::{FaultCode, PluginFault};
pub use plugin::{InstrumentInfo, Plugin, SessionStart, inspect};
pub use serve::serve;
pub use watchdog::Watchdog;
