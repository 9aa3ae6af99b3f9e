//! What a component can do, as the sandbox program reads it from the bytes. Nothing of it runs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use portcullis_domain::Name;
use portcullis_evidence::text::escape_terminal_bytes;
use portcullis_statement::Digest;
use portcullis_statement::json::{self, Fields, JsonError, Value};

use crate::draft::ReleaseFacts;
use crate::files::{self, shown};
use crate::{CliError, Exit};

/// Longest component in bytes; the sandbox has its own, smaller bound.
pub(crate) const COMPONENT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The sandbox's own word for a component that is not admitted.
const SANDBOX_REFUSED: i32 = 3;

/// The sandbox program: the named one, or the one beside this program.
pub(crate) fn sandbox_path(named: Option<&Path>) -> PathBuf {
    if let Some(named) = named {
        return named.to_owned();
    }
    let own = std::env::current_exe().unwrap_or_default();
    own.with_file_name("portcullis-sandbox")
}

/// Reads what the component can do, and makes sure that it is these bytes that were read.
pub(crate) fn inspect(file: &Path, sandbox: &Path) -> Result<(ReleaseFacts, Value), CliError> {
    let digest = Digest::of(&files::read(file, COMPONENT_BYTES_MAX)?);
    let mut command = Command::new(sandbox);
    command.arg("inspect").arg(file).env_clear().stdin(Stdio::null());
    let output = command.output().map_err(|error| {
        let (cause, next) = (error.to_string(), "name the program with --sandbox PATH");
        CliError::new(Exit::NotFound, "SANDBOX_MISSING", &shown(sandbox), &cause, next)
    })?;
    let fault = |cause: &str| {
        let next = "use the sandbox of the same release";
        CliError::new(Exit::Internal, "SANDBOX_FAULT", &shown(sandbox), cause, next)
    };
    if !output.status.success() {
        let said = escape_terminal_bytes(output.stderr.trim_ascii());
        if output.status.code() != Some(SANDBOX_REFUSED) {
            return Err(fault(&format!("{}: {said}", output.status)));
        }
        let next = "build the component as the cause says";
        return Err(CliError::new(Exit::Refused, "PLUGIN_REFUSED", &shown(file), &said, next));
    }
    let line = output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout);
    let value = json::parse(line).map_err(|error| fault(&error.to_string()))?;
    let facts = read_facts(&value).map_err(|error| fault(&error.to_string()))?;
    if facts.component != digest {
        return Err(fault("it read other bytes than these: the file changed meanwhile"));
    }
    Ok((facts, value))
}

fn read_facts(value: &Value) -> Result<ReleaseFacts, JsonError> {
    let mut fields = Fields::new(value)?;
    let facts = ReleaseFacts {
        component: fields.digest("component")?,
        exports: texts(&mut fields, "exports")?,
        imports: texts(&mut fields, "imports")?,
        memory_bytes_max: fields.uint("memory_bytes_max")?,
        world: fields.text("world")?.to_owned(),
    };
    fields.finish()?;
    Ok(facts)
}

fn texts(fields: &mut Fields<'_>, key: &str) -> Result<Vec<String>, JsonError> {
    let text = |value: &Value| match value {
        Value::Text(text) => Ok(text.clone()),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::List(_) | Value::Object(_) => {
            Err(JsonError::field(key, "holds something else than text"))
        }
    };
    fields.list(key)?.iter().map(text).collect()
}

/// The name of the file without its ending, where that can be a plugin's name.
pub(crate) fn name_of(file: &Path) -> Option<Name> {
    file.file_stem().and_then(|stem| stem.to_str()).and_then(Name::new)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;

    use super::*;
    use crate::testing::Scratch;

    /// A program that says what the sandbox would: the real one is tested in its own crate.
    pub(crate) fn sandbox(folder: &Path, script: &str) -> PathBuf {
        let path = folder.join("sandbox");
        // Written by another process: a handle of ours, inherited by what other tests start,
        // would keep the program from being run.
        let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$2\" && chmod 700 \"$2\"";
        let mut command = Command::new("sh");
        command.args(["-c", write, "sh", script]).arg(&path);
        assert!(command.status().unwrap().success());
        path
    }

    pub(crate) fn proof(component: &[u8]) -> String {
        let digest = Digest::of(component);
        format!(
            "echo '{{\"component\":\"{digest}\",\"exports\":[\"e\"],\"imports\":[\"i\"],\
             \"memory_bytes_max\":65536,\"world\":\"portcullis:strategy@0.9.0\"}}'"
        )
    }

    #[test]
    fn the_proof_is_of_these_bytes() {
        let scratch = Scratch::new("inspect");
        let file = scratch.path().join("ema-cross.wasm");
        fs::write(&file, b"component").unwrap();
        let facts = inspect(&file, &sandbox(scratch.path(), &proof(b"component"))).unwrap().0;
        assert_eq!((facts.memory_bytes_max, facts.imports), (65_536, vec!["i".to_owned()]));
        assert_eq!(name_of(&file), Name::new("ema-cross"));
        let check = |script: &str, code: &str| {
            let error = inspect(&file, &sandbox(scratch.path(), script)).unwrap_err();
            assert_eq!(error.code, code, "{script}");
        };
        check(&proof(b"other"), "SANDBOX_FAULT");
        check("echo nothing", "SANDBOX_FAULT");
        check("exit 1", "SANDBOX_FAULT");
        check("echo 'PLUGIN_ADMISSION no' >&2; exit 3", "PLUGIN_REFUSED");
        let missing = inspect(&file, &scratch.path().join("none")).unwrap_err();
        assert_eq!((missing.code.as_str(), missing.exit), ("SANDBOX_MISSING", Exit::NotFound));
    }
}
