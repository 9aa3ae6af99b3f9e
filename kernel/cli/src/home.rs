//! The folder of one daemon: where its things lie, and what can be read there without it.

use std::fs;
use std::path::{Path, PathBuf};

use portcullis_domain::policy::safety::Safety;
use portcullis_domain::policy::{Limits, PhaseRules};
use portcullis_domain::{Instrument, InstrumentId, Name};
use portcullis_governance::ladder::Demands;
use portcullis_governance::{
    Hashed, InstrumentFile, PolicyError, parse_demands, parse_instrument, parse_limits,
    parse_limits_file, parse_phases, parse_safety,
};
use portcullis_statement::{Digest, Envelope, Genesis, Kind, Refusal};

use crate::files::{self, beside, exists, io_error, shown};
use crate::{CliError, Exit};

/// Longest policy file or statement in bytes.
const SMALL_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A home that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    root: PathBuf,
}

impl Home {
    /// Refuses what is no home, and says so where one was left half-written.
    pub(crate) fn open(root: &Path) -> Result<Self, CliError> {
        let home = Self { root: root.to_owned() };
        if home.genesis_path().is_file() {
            return Ok(home);
        }
        let make = format!("portcullis init {} --profile demo --pin FILE", shown(root));
        let (code, cause, next) = if exists(&half_written(root)) {
            let next = format!("rm -r {}", shown(&half_written(root)));
            ("HOME_HALF_WRITTEN", "its making was interrupted", next)
        } else {
            ("HOME_NOT_FOUND", "no home of a daemon: there is no genesis.json", make)
        };
        Err(CliError::new(Exit::NotFound, code, &shown(root), cause, &next))
    }

    /// The signed genesis.
    pub(crate) fn genesis_path(&self) -> PathBuf {
        self.root.join("genesis.json")
    }

    /// The socket of everything but the kill.
    pub(crate) fn control_socket(&self) -> PathBuf {
        self.root.join("control.sock")
    }

    /// The socket of the kill.
    pub(crate) fn kill_socket(&self) -> PathBuf {
        self.root.join("kill.sock")
    }

    /// Where a component lies.
    pub(crate) fn plugin_path(&self, component: Digest) -> PathBuf {
        self.root.join("plugins").join(format!("{component}.wasm"))
    }

    /// The policy files.
    pub(crate) fn policies_folder(&self) -> PathBuf {
        self.root.join("policies")
    }
}

/// The name under which a home is made before it is whole.
pub(crate) fn half_written(root: &Path) -> PathBuf {
    beside(root, ".partial")
}

/// Who an installation is, read from its genesis. Drafts need no more; the daemon believes it
/// only against its pin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Installation {
    /// Account, host and people.
    pub(crate) genesis: Genesis,
    /// SHA-256 of the genesis.
    pub(crate) fingerprint: Digest,
}

impl Installation {
    /// Reads a `genesis.json`.
    pub(crate) fn read(path: &Path) -> Result<Self, CliError> {
        let bytes = files::read(path, SMALL_FILE_BYTES_MAX)?;
        let refuse = |code: &str, cause: &str| {
            let next = "check the path: it has to be the genesis.json of an installation";
            CliError::new(Exit::BadConfig, code, &shown(path), cause, next)
        };
        let read = Envelope::parse(&bytes).and_then(|envelope| {
            if envelope.header.kind == Kind::Genesis {
                Genesis::from_value(&envelope.body)
            } else {
                Err(Refusal::KindUnexpected(envelope.header.kind))
            }
        });
        let genesis = read.map_err(|refusal| refuse(refusal.code(), &refusal.cause()))?;
        Ok(Self { genesis, fingerprint: Digest::of(&bytes) })
    }
}

/// The policy files of a folder, read once.
#[derive(Clone, Debug)]
pub(crate) struct Policies {
    /// By file name below the folder: what is copied and what was parsed are the same bytes.
    pub(crate) files: Vec<(PathBuf, Vec<u8>)>,
    /// The phase rules.
    pub(crate) phases: Hashed<PhaseRules>,
    /// What the ladder asks for.
    pub(crate) demands: Demands,
    /// Guards, triggers and the way back after a kill.
    pub(crate) safety: Hashed<Safety>,
    folder: PathBuf,
    limits: Vec<u8>,
    instruments: Vec<(PathBuf, String)>,
}

impl Policies {
    /// Reads and checks `limits.toml`, `phases.toml`, `safety.toml` and `instruments/*.toml`.
    pub(crate) fn read(folder: &Path) -> Result<Self, CliError> {
        let mut files = Vec::new();
        let mut take = |name: PathBuf| -> Result<Vec<u8>, CliError> {
            let bytes = files::read(&folder.join(&name), SMALL_FILE_BYTES_MAX)?;
            files.push((name, bytes.clone()));
            Ok(bytes)
        };
        let limits = take(PathBuf::from("limits.toml"))?;
        let phases = take(PathBuf::from("phases.toml"))?;
        let refused = |name: &Path, error: &PolicyError| refused(&folder.join(name), error);
        let demands = parse_demands(&phases);
        let demands = demands.map_err(|error| refused("phases.toml".as_ref(), &error))?;
        let phases =
            parse_phases(&phases).map_err(|error| refused("phases.toml".as_ref(), &error))?;
        let safety = take(PathBuf::from("safety.toml"))?;
        let safety =
            parse_safety(&safety).map_err(|error| refused("safety.toml".as_ref(), &error))?;
        let mut instruments: Vec<(PathBuf, String)> = Vec::new();
        for name in toml_files(folder)? {
            let parsed = parse_instrument(&take(name.clone())?, InstrumentId(0));
            let symbol = parsed.map_err(|error| refused(&name, &error))?.value.instrument.symbol;
            if let Some((other, _)) = instruments.iter().find(|(_, known)| *known == symbol) {
                let cause = format!("{symbol} stands in {} too", shown(other));
                return Err(config("POLICY_SYMBOL_TWICE", &folder.join(&name), &cause));
            }
            instruments.push((name, symbol));
        }
        let policies =
            Self { files, phases, demands, safety, folder: folder.to_owned(), limits, instruments };
        let all: Vec<_> = policies.instruments.iter().map(|(_, symbol)| symbol.clone()).collect();
        // Whether each instrument has its limits is found out now and not when it is first needed.
        policies.choose(&all, &[])?;
        Ok(policies)
    }

    /// The instruments of these symbols, numbered in this order, and their limits and those of
    /// the strategies of a session.
    pub(crate) fn choose(
        &self,
        symbols: &[String],
        strategies: &[Name],
    ) -> Result<(Vec<InstrumentFile>, Hashed<Limits>), CliError> {
        let chosen = self.instruments(symbols)?;
        let instruments: Vec<_> = chosen.iter().map(|file| file.instrument.clone()).collect();
        let limits = parse_limits(&self.limits, &instruments, strategies)
            .map_err(|error| refused(&self.limits_path(), &error))?;
        Ok((chosen, limits))
    }

    /// Every instrument, numbered by its file's name.
    pub(crate) fn all_instruments(&self) -> Result<Vec<InstrumentFile>, CliError> {
        let all: Vec<_> = self.instruments.iter().map(|(_, symbol)| symbol.clone()).collect();
        self.instruments(&all)
    }

    /// Where the limits lie.
    pub(crate) fn limits_path(&self) -> PathBuf {
        self.folder.join("limits.toml")
    }

    fn instruments(&self, symbols: &[String]) -> Result<Vec<InstrumentFile>, CliError> {
        let mut chosen = Vec::new();
        for (id, symbol) in (0..).map(InstrumentId).zip(symbols) {
            let known = self.instruments.iter().find(|(_, known)| known == symbol);
            let name = known.map(|(name, _)| name).ok_or_else(|| self.unknown(symbol))?;
            let bytes = self.files.iter().find(|(file, _)| file == name);
            let bytes = bytes.map_or(&[][..], |(_, bytes)| bytes.as_slice());
            let file = parse_instrument(bytes, id)
                .map_err(|error| refused(&self.folder.join(name), &error))?;
            chosen.push(file.value);
        }
        Ok(chosen)
    }

    fn unknown(&self, symbol: &str) -> CliError {
        let known: Vec<_> = self.instruments.iter().map(|(_, symbol)| symbol.as_str()).collect();
        let next = format!("name one of: {}", known.join(" "));
        let cause = "the policies hold no such instrument";
        CliError::new(Exit::NotFound, "INSTRUMENT_NOT_FOUND", symbol, cause, &next)
    }
}

fn config(code: &str, path: &Path, cause: &str) -> CliError {
    let next = "mend the file; policies/README.md explains each key";
    CliError::new(Exit::BadConfig, code, &shown(path), cause, next)
}

/// Everything that a file of limits says about any strategy and about these instruments.
pub(crate) fn read_limits_file(
    path: &Path,
    instruments: &[Instrument],
) -> Result<Hashed<Limits>, CliError> {
    let bytes = files::read(path, SMALL_FILE_BYTES_MAX)?;
    parse_limits_file(&bytes, instruments).map_err(|error| refused(path, &error))
}

fn refused(path: &Path, error: &PolicyError) -> CliError {
    config(error.code(), path, &error.cause())
}

/// `instruments/*.toml` below the folder, sorted by name.
fn toml_files(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let inner = folder.join("instruments");
    let fault = |error| io_error(&inner, &error, "make the folder and put instruments into it");
    let mut names = Vec::new();
    for item in fs::read_dir(&inner).map_err(fault)? {
        let name = PathBuf::from("instruments").join(item.map_err(fault)?.file_name());
        if name.extension().is_some_and(|extension| extension == "toml") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{People, Scratch};

    #[test]
    fn a_home_is_where_a_genesis_is() {
        let scratch = Scratch::new("home");
        let root = scratch.path().join("h");
        assert_eq!(Home::open(&root).unwrap_err().code, "HOME_NOT_FOUND");
        fs::create_dir(half_written(&root)).unwrap();
        assert_eq!(Home::open(&root).unwrap_err().code, "HOME_HALF_WRITTEN");
        fs::create_dir(&root).unwrap();
        let people = People::new();
        fs::write(root.join("genesis.json"), &people.genesis.bytes).unwrap();
        let home = Home::open(&root).unwrap();
        let installation = Installation::read(&home.genesis_path()).unwrap();
        assert_eq!(installation.fingerprint, people.fingerprint);
        fs::write(root.join("genesis.json"), b"{}").unwrap();
        let refused = Installation::read(&home.genesis_path()).unwrap_err();
        assert_eq!((refused.code.as_str(), refused.exit), ("STATEMENT_MALFORMED", Exit::BadConfig));
    }

    #[test]
    fn the_policies_of_this_project_are_read_and_others_refused_by_file() {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
        let policies = Policies::read(&project).unwrap();
        let (chosen, limits) = policies.choose(&["BTC-USDT".to_owned()], &[]).unwrap();
        assert_eq!((chosen.len(), limits.value.instruments.len()), (1, 1));
        let unknown = policies.choose(&["X".to_owned()], &[]).unwrap_err();
        assert_eq!(unknown.exit, Exit::NotFound);
        let scratch = Scratch::new("policies");
        assert_eq!(Policies::read(scratch.path()).unwrap_err().code, "FILE_NOT_FOUND");
        fs::write(scratch.path().join("limits.toml"), b"").unwrap();
        fs::write(scratch.path().join("phases.toml"), b"[phases.9]\n").unwrap();
        let refused = Policies::read(scratch.path()).unwrap_err();
        assert_eq!((refused.code.as_str(), refused.exit), ("POLICY_SYNTAX", Exit::BadConfig));
        assert!(refused.subject.ends_with("phases.toml"));
    }
}
