//! `portcullis plugin`: what a component can do, and bringing one into a home.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use portcullis_statement::Digest;

use crate::files::{self, exists, shown};
use crate::home::Home;
use crate::inspect::{self, COMPONENT_BYTES_MAX};
use crate::out::field;
use crate::{CliError, Exit, out};

/// What every component begins with.
const WASM_MAGIC: &[u8] = b"\0asm";

/// Looks at components and installs them.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum PluginVerb {
    /// Says what a component can do, from its bytes.
    Inspect(InspectArgs),
    /// Copies a component into a home under its digest. It may run once people released it.
    Install(InstallArgs),
}

/// Says what a component can do, from its bytes.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis plugin inspect ema-cross.wasm\n  \
    portcullis plugin inspect ema-cross.wasm --json")]
pub(crate) struct InspectArgs {
    /// The component.
    pub(crate) file: PathBuf,
    /// The sandbox program [default: beside this program].
    #[arg(long, value_name = "PATH")]
    pub(crate) sandbox: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Copies a component into a home under its digest.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  portcullis plugin install ema-cross.wasm --home demo-home")]
pub(crate) struct InstallArgs {
    /// The component.
    pub(crate) file: PathBuf,
    /// The home.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
}

/// Runs `plugin inspect`.
pub(crate) fn inspect(args: &InspectArgs) -> Result<(), CliError> {
    let sandbox = inspect::sandbox_path(args.sandbox.as_deref());
    let (facts, document) = inspect::inspect(&args.file, &sandbox)?;
    if args.json {
        return out::json("plugin.inspect", document);
    }
    let list =
        |texts: &[String]| if texts.is_empty() { "nothing".to_owned() } else { texts.join(", ") };
    let mut text = field("component", &format!("sha256 {}", facts.component));
    text += &field("world", &facts.world);
    text += &field("can call", &list(&facts.imports));
    text += &field("can be called", &list(&facts.exports));
    text += &field("memory", &format!("at most {} bytes", facts.memory_bytes_max));
    out::result(&text)
}

/// Runs `plugin install`.
pub(crate) fn install(args: &InstallArgs) -> Result<(), CliError> {
    let digest = copy(&args.file, &Home::open(&args.home)?)?;
    out::result(&digest.hex())?;
    out::narrate(&format!(
        "next: portcullis request plugin-release --home {} --component {} --author NAME \
         --phase-max N --out release.request",
        shown(&args.home),
        shown(&args.file)
    ));
    Ok(())
}

/// Copies the component; doing it twice is doing it once.
pub(crate) fn copy(file: &Path, home: &Home) -> Result<Digest, CliError> {
    let bytes = files::read(file, COMPONENT_BYTES_MAX)?;
    let refuse = |code: &str, path: &Path, cause: &str, next: &str| {
        Err(CliError::new(Exit::Refused, code, &shown(path), cause, next))
    };
    if !bytes.starts_with(WASM_MAGIC) {
        let next = "portcullis plugin inspect FILE says what it is";
        return refuse("PLUGIN_REFUSED", file, "not WebAssembly", next);
    }
    let digest = Digest::of(&bytes);
    let path = home.plugin_path(digest);
    if !exists(&path) {
        files::replace(&path, &bytes)?;
    } else if files::read(&path, COMPONENT_BYTES_MAX)? != bytes {
        let next = "find out who altered it; then remove it and install again";
        return refuse("PLUGIN_DAMAGED", &path, "it does not hold what its name says", next);
    }
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::inspect::tests::{proof, sandbox};
    use crate::testing::{People, Scratch};

    #[test]
    fn a_component_lies_under_its_digest_and_nothing_else_does() {
        let scratch = Scratch::new("plugin");
        let root = scratch.path().join("h");
        fs::create_dir_all(root.join("plugins")).unwrap();
        fs::write(root.join("genesis.json"), &People::new().genesis.bytes).unwrap();
        let home = Home::open(&root).unwrap();
        let file = scratch.path().join("a.wasm");
        fs::write(&file, b"no component").unwrap();
        assert_eq!(copy(&file, &home).unwrap_err().code, "PLUGIN_REFUSED");
        fs::write(&file, b"\0asm rest").unwrap();
        let digest = copy(&file, &home).unwrap();
        assert_eq!(copy(&file, &home), Ok(digest));
        let path = home.plugin_path(digest);
        assert_eq!(fs::read(&path).unwrap(), b"\0asm rest");
        fs::write(&path, b"other").unwrap();
        assert_eq!(copy(&file, &home).unwrap_err().code, "PLUGIN_DAMAGED");
        assert_eq!(fs::read_dir(root.join("plugins")).unwrap().count(), 1);
        fs::remove_dir_all(root.join("plugins")).unwrap();
        assert_eq!(copy(&file, &home).unwrap_err().code, "FILE_NOT_FOUND");
    }

    #[test]
    fn inspecting_says_what_the_sandbox_says() {
        let scratch = Scratch::new("plugin");
        let file = scratch.path().join("a.wasm");
        fs::write(&file, b"component").unwrap();
        let named = Some(sandbox(scratch.path(), &proof(b"component")));
        let args = InspectArgs { file, sandbox: named, json: true };
        inspect(&args).unwrap();
        inspect(&InspectArgs { json: false, ..args.clone() }).unwrap();
        let missing = InspectArgs { file: scratch.path().join("none"), ..args };
        assert_eq!(inspect(&missing).unwrap_err().exit, Exit::NotFound);
    }
}
