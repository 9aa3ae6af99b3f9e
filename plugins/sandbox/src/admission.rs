//! Admission: what a component is and may do, read from its bytes before anything is compiled.
//!
//! Nothing that a component says of itself counts here; only its import and export sections do.
//! The bounds keep a small file from becoming a long compilation.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use wasmparser::{ComponentExternalKind, ComponentTypeRef, Encoding, Parser, Payload, Validator};

use crate::engine::ACCEPTED;
use crate::fault::{FaultCode, PluginFault};
use crate::limits::COMPONENT_BYTES_MAX;

/// The world that this sandbox runs, and no other.
pub const WORLD: &str = "portcullis:strategy@0.9.0";
/// The only import that a component may have.
pub const LOG_IMPORT: &str = "portcullis:strategy/log@0.9.0";
/// The only export that a component must and may have.
pub const PLUGIN_EXPORT: &str = "portcullis:strategy/plugin@0.9.0";

const CURE_TARGET: &str = "build it for wasm32-unknown-unknown, where the standard library imports \
                           nothing, with the template's own build";
const CURE_WORLD: &str = "build it against wit/strategy.wit of this release";

const FUNCTIONS_MAX: u64 = 20_000;
const BODY_BYTES_MAX: usize = 512 * 1024;
const LOCALS_MAX: u64 = 5_000;
const MODULES_MAX: u64 = 8;
const COMPONENTS_MAX: u64 = 16;
const TABLE_ELEMENTS_MAX: u64 = 20_000;
const PAGE_BYTES: u64 = 64 * 1024;

/// What a component can do, proved from its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// SHA-256 of the bytes, hexadecimal.
    pub component: String,
    /// Names of the exports, with versions.
    pub exports: Vec<String>,
    /// Names of the imports, with versions.
    pub imports: Vec<String>,
    /// The most memory that it can ever have.
    pub memory_bytes_max: u64,
}

impl Capabilities {
    /// The world that imports and exports amount to.
    #[must_use]
    pub const fn world(&self) -> &'static str {
        WORLD
    }

    /// The members of the capability proof; printed with sorted keys they are canonical JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        json!({
            "component": self.component,
            "exports": self.exports,
            "imports": self.imports,
            "memory_bytes_max": self.memory_bytes_max,
            "world": self.world(),
        })
    }
}

/// Reads a component and refuses whatever is not of the world, with one cause and its cure.
pub fn admit(bytes: &[u8]) -> Result<Capabilities, PluginFault> {
    if bytes.len() > COMPONENT_BYTES_MAX {
        return Err(refusal(format!(
            "{} bytes; expected at most {COMPONENT_BYTES_MAX}; cure: strip it",
            bytes.len()
        )));
    }
    if !Parser::is_component(bytes) {
        return Err(not_a_component(bytes));
    }
    let census = Census::take(bytes)?;
    census.check_names()?;
    Validator::new_with_features(ACCEPTED)
        .validate_all(bytes)
        .map_err(|error| refusal(format!("invalid: {error}; expected a valid component")))?;
    let [memory_bytes_max] = census.memories.as_slice() else {
        return Err(refusal(format!("{} memories; expected exactly 1", census.memories.len())));
    };
    Ok(Capabilities {
        component: hex_sha256(bytes),
        exports: census.exports,
        imports: census.imports,
        memory_bytes_max: *memory_bytes_max,
    })
}

fn not_a_component(bytes: &[u8]) -> PluginFault {
    let found = if Parser::is_core_wasm(bytes) {
        "a core WebAssembly module"
    } else if bytes.starts_with(b"\x7fELF") {
        "native code, which is never accepted"
    } else {
        "something that is not WebAssembly"
    };
    refusal(format!("found {found}; expected a component of the world {WORLD}; cure: {CURE_WORLD}"))
}

/// What is in a component, counted.
#[derive(Debug, Default)]
struct Census {
    depth: u64,
    imports: Vec<String>,
    exports: Vec<String>,
    memories: Vec<u64>,
    functions: u64,
    modules: u64,
    components: u64,
}

impl Census {
    fn take(bytes: &[u8]) -> Result<Self, PluginFault> {
        let mut census = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            census.count(payload.map_err(|error| malformed(&error))?)?;
        }
        Ok(census)
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the parser's list of sections is open; the validator judges all of them"
    )]
    fn count(&mut self, payload: Payload<'_>) -> Result<(), PluginFault> {
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } => {
                self.depth = self.depth.saturating_add(1);
                raise(&mut self.modules, 1, MODULES_MAX, "core modules")
            }
            Payload::Version { encoding: Encoding::Component, .. } => {
                self.depth = self.depth.saturating_add(1);
                raise(&mut self.components, 1, COMPONENTS_MAX, "components")
            }
            Payload::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                Ok(())
            }
            Payload::StartSection { .. } | Payload::ComponentStartSection { .. } => Err(refusal(
                "runs code when it is loaded (a start section); expected none; cure: move that \
                 code to init",
            )),
            Payload::ComponentImportSection(section) if self.depth == 1 => {
                for import in section {
                    let import = import.map_err(|error| malformed(&error))?;
                    let instance = matches!(import.ty, ComponentTypeRef::Instance(_));
                    self.imports.push(kinded(import.name.name, instance));
                }
                Ok(())
            }
            Payload::ComponentExportSection(section) if self.depth == 1 => {
                for export in section {
                    let export = export.map_err(|error| malformed(&error))?;
                    let instance = export.kind == ComponentExternalKind::Instance;
                    self.exports.push(kinded(export.name.name, instance));
                }
                Ok(())
            }
            Payload::FunctionSection(section) => {
                raise(&mut self.functions, u64::from(section.count()), FUNCTIONS_MAX, "functions")
            }
            Payload::CodeSectionEntry(body) => check_body(&body),
            Payload::MemorySection(section) => {
                for memory in section {
                    let memory = memory.map_err(|error| malformed(&error))?;
                    let Some(pages) = memory.maximum else { return Err(memory_without_maximum()) };
                    self.memories.push(pages.saturating_mul(PAGE_BYTES));
                }
                Ok(())
            }
            Payload::TableSection(section) => {
                for table in section {
                    let table = table.map_err(|error| malformed(&error))?;
                    raise(&mut 0, table.ty.initial, TABLE_ELEMENTS_MAX, "table elements")?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn check_names(&self) -> Result<(), PluginFault> {
        if let Some(name) = self.imports.iter().find(|name| *name != LOG_IMPORT) {
            return Err(foreign("imports", name, LOG_IMPORT, "nothing else"));
        }
        if let Some(name) = self.exports.iter().find(|name| *name != PLUGIN_EXPORT) {
            return Err(foreign("exports", name, PLUGIN_EXPORT, "nothing else"));
        }
        if self.exports.is_empty() {
            return Err(refusal(format!(
                "exports nothing; expected {PLUGIN_EXPORT}; cure: {CURE_WORLD}"
            )));
        }
        Ok(())
    }
}

fn check_body(body: &wasmparser::FunctionBody<'_>) -> Result<(), PluginFault> {
    let range = body.range();
    raise(
        &mut 0,
        u64::try_from(range.len()).unwrap_or(u64::MAX),
        u64::try_from(BODY_BYTES_MAX).unwrap_or(u64::MAX),
        "bytes in one function",
    )?;
    let mut locals = 0;
    for group in body.get_locals_reader().map_err(|error| malformed(&error))? {
        let (count, _) = group.map_err(|error| malformed(&error))?;
        raise(&mut locals, u64::from(count), LOCALS_MAX, "locals in one function")?;
    }
    Ok(())
}

/// A name, marked where it is not an interface.
fn kinded(name: &str, instance: bool) -> String {
    if instance { name.to_owned() } else { format!("{name} (not an interface)") }
}

fn raise(count: &mut u64, by: u64, max: u64, what: &str) -> Result<(), PluginFault> {
    *count = count.saturating_add(by);
    if *count > max {
        return Err(refusal(format!(
            "{count} {what}; expected at most {max}; cure: make it smaller"
        )));
    }
    Ok(())
}

/// The refusal of a name: what was found, which version, what was expected, and the cure.
fn foreign(verb: &str, name: &str, expected: &str, others: &str) -> PluginFault {
    let found_package = name.split('/').next().unwrap_or(name);
    let found_version = name.split_once('@').map_or("none", |(_, version)| version);
    let cure = if found_package.starts_with("wasi:") { CURE_TARGET } else { CURE_WORLD };
    refusal(format!(
        "{verb} {name} (version {found_version}); expected {expected} and {others}; cure: {cure}"
    ))
}

fn memory_without_maximum() -> PluginFault {
    refusal(
        "its memory has no declared maximum; expected one, so that the most it can take is part \
         of its bytes; cure: link it with -C link-arg=--max-memory=16777216",
    )
}

fn malformed(error: &wasmparser::BinaryReaderError) -> PluginFault {
    refusal(format!("malformed: {error}; expected a valid component; cure: build it again"))
}

fn refusal(cause: impl AsRef<str>) -> PluginFault {
    PluginFault::new(FaultCode::Admission, cause)
}

/// SHA-256, hexadecimal.
pub(crate) fn hex_sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        if write!(text, "{byte:02x}").is_err() {
            text.clear();
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let bytes = wat::parse_str(text).unwrap();
        let fault = admit(&bytes).unwrap_err();
        assert_eq!(fault.code(), FaultCode::Admission);
        assert!(fault.cause().contains(expected), "{text}: {fault}");
    }

    #[test]
    fn whatever_is_not_the_world_is_refused_with_a_cause() {
        check("(module)", "a core WebAssembly module");
        check("(component)", "exports nothing");
        check("(component (core module (memory 1)))", "no declared maximum");
        check("(component (core module (func) (start 0)))", "runs code when it is loaded");
        check("(component (import \"wasi:io/poll@0.2.0\" (instance)))", "wasi:io/poll@0.2.0");
        check(
            "(component (import \"portcullis:strategy/log@0.9.1\" (instance)))",
            "version 0.9.1); expected portcullis:strategy/log@0.9.0",
        );
        check("(component (import \"a\" (func)))", "a (not an interface)");
        check(
            "(component (core module (table 30000 funcref)))",
            "30000 table elements; expected at most 20000",
        );
        let locals = "(local i32) ".repeat(6_000);
        check(&format!("(component (core module (func {locals})))"), "locals in one function");
    }

    #[test]
    fn native_code_and_noise_are_named() {
        let cause = |bytes: &[u8]| admit(bytes).unwrap_err().to_string();
        assert!(cause(b"\x7fELF\x02\x01").contains("native code"));
        assert!(cause(b"hello").contains("not WebAssembly"));
    }

    #[test]
    fn language_beyond_the_accepted_is_refused() {
        let plugin = "(instance $i) (export \"portcullis:strategy/plugin@0.9.0\" (instance $i))";
        for core in ["(memory i64 1 1)", "(memory 1 1 shared)", "(func (return_call 0))"] {
            check(&format!("(component {plugin} (core module {core}))"), "invalid: ");
        }
    }
}
