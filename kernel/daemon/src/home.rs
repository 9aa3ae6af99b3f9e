//! The home: read once, checked, locked. What is not whole does not start.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_core::{EpochName, Start};
use portcullis_domain::policy::PhaseRules;
use portcullis_domain::policy::safety::Safety;
use portcullis_domain::{Instrument, InstrumentId};
use portcullis_evidence::epoch_folder;
use portcullis_evidence::{DiskFault, JournalFault, ReadFault};
use portcullis_governance::{Hashed, PolicyError, parse_instrument, parse_phases, parse_safety};
use portcullis_lifeline::Credential;
use portcullis_statement::{Digest, EndpointKind, SignedStatement, Trust};

use crate::args::Args;
use crate::clock;
use crate::fault::{BAD_CONFIG, CHECK_FAILED, DaemonFault, NOT_FOUND, REFUSED, TEMPORARY};
use crate::notary::{Notary, keys};

/// The venue whose protocol this daemon speaks.
const VENUE: &str = "kraken";
/// Most signatures of a genesis.
const SIGNATURES_MAX: usize = 64;
/// Longest file but the journal, in bytes. What is longer is cut, and then is not what it was.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// An opened home.
#[derive(Debug)]
pub(crate) struct Home {
    root: PathBuf,
    pub(crate) sandbox: PathBuf,
    pub(crate) genesis: SignedStatement,
    pub(crate) trust: Trust,
    pub(crate) phases: Hashed<PhaseRules>,
    /// Guards beyond the floor, triggers, and the way back after a kill.
    pub(crate) safety: Hashed<Safety>,
    pub(crate) instruments: Vec<Instrument>,
    pub(crate) credential: Arc<Credential>,
    /// Held as long as the daemon lives.
    _lock: File,
}

impl Home {
    /// Reads and checks everything but the journal.
    pub(crate) fn open(args: &Args) -> Result<Self, DaemonFault> {
        let root = args.home.clone();
        // Nothing is made, not even a lock, in a folder that is no home.
        if !root.join("genesis.json").is_file() {
            let (cause, next) = ("there is no genesis.json", "portcullis init HOME makes a home");
            let subject = root.display().to_string();
            return Err(DaemonFault::new(NOT_FOUND, "HOME_NOT_FOUND", &subject, cause, next));
        }
        let lock = lock(&root)?;
        let genesis = read_genesis(&root)?;
        let pinned = read_pin(&args.pin, &root)?;
        let trust = Trust::genesis(&genesis, pinned, clock::wall()).map_err(|refusal| {
            let subject = root.join("genesis.json").display().to_string();
            let next = "compare the home with the pin that governance keeps";
            DaemonFault::new(REFUSED, refusal.code(), &subject, &refusal.cause(), next)
        })?;
        let path = root.join("policies/phases.toml");
        let phases = parse_phases(&read(&path)?).map_err(|error| bad_policy(&path, &error))?;
        let path = root.join("policies/safety.toml");
        let safety = parse_safety(&read(&path)?).map_err(|error| bad_policy(&path, &error))?;
        let instruments = read_instruments(&root.join("policies/instruments"))?;
        let credential = Credential::from_json(&read(&args.credential)?).map_err(|fault| {
            let subject = args.credential.display().to_string();
            let next = "write {\"key\":…,\"secret\":…} there, readable by this user alone";
            DaemonFault::new(BAD_CONFIG, fault.code(), &subject, fault.cause(), next)
        })?;
        check_seal(&credential, &trust, &args.credential)?;
        Ok(Self {
            root,
            sandbox: args.sandbox.clone(),
            genesis,
            trust,
            phases,
            safety,
            instruments,
            credential: Arc::new(credential),
            _lock: lock,
        })
    }

    /// A path in the home.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The folder of all epochs of the journal.
    pub(crate) fn epochs_path(&self) -> PathBuf {
        self.path("epochs")
    }

    /// Origin of an epoch of the journal: what it is a journal of, which part of it, and whether
    /// the venue is a simulation.
    pub(crate) fn origin(&self, epoch: u32) -> String {
        let (host, account) = (self.trust.host(), self.trust.account());
        let simulated = match self.trust.roster().ladder() {
            EndpointKind::Simulated | EndpointKind::Recorded => "/simulated",
            EndpointKind::Sandbox | EndpointKind::Real => "",
        };
        format!("portcullis/{host}/{account}/{epoch}{simulated}")
    }

    /// The name of an epoch that is to begin. Its key is made, and durable, when this returns.
    pub(crate) fn name_epoch(&self, epoch: u32) -> Result<EpochName, DaemonFault> {
        let origin = self.origin(epoch);
        let folder = epoch_folder(&self.epochs_path(), epoch);
        let key = keys::prepare(&folder, &origin)?.verifier().to_string();
        Ok(EpochName { origin, key })
    }

    /// The notary, who begins where the last one ended: the key of an epoch lies there until its
    /// last checkpoint is signed.
    pub(crate) fn notary(&self, epoch: u32) -> Result<Notary, DaemonFault> {
        let epochs = self.epochs_path();
        for before in 1..epoch {
            // A crash fell between the two steps of forgetting: the second one is done here.
            keys::forget_wiped(&epoch_folder(&epochs, before))?;
        }
        let epoch = keys::first_there(&epochs, 1..=epoch);
        let key = keys::load_announced(&epochs, epoch, &self.origin(epoch))?;
        Ok(Notary::new(epochs, epoch, key))
    }

    /// What is said of a journal that cannot be written.
    pub(crate) fn journal_fault(&self, fault: &JournalFault) -> DaemonFault {
        journal_fault(&self.epochs_path(), fault)
    }

    /// A home that holds evidence of sessions has had a journal. To start without it would forget
    /// kills, orders and used signatures.
    pub(crate) fn refuse_lost_history(&self, path: &Path) -> Result<(), DaemonFault> {
        let holds = |name: &str| {
            let mut entries = fs::read_dir(self.path(name)).into_iter().flatten().flatten();
            entries.next().is_some()
        };
        if holds("chunks") || holds("reports") {
            let cause = "the home holds data of sessions, and their journal is not here";
            return Err(refuse_journal(path, "JOURNAL_MISSING", cause));
        }
        Ok(())
    }

    /// A key that is sealed to a journal serves no other: `first` is the key that the first epoch
    /// names, `None` where there is no epoch at all.
    pub(crate) fn check_journal(&self, first: Option<&str>) -> Result<(), DaemonFault> {
        let Some(journal) = self.credential.journal() else { return Ok(()) };
        if first == Some(journal) {
            return Ok(());
        }
        Err(sealed(&self.epochs_path(), "the venue's key is sealed to another journal than this"))
    }

    pub(crate) fn start(
        &self,
        (first, clean): (bool, bool),
        torn_bytes: u64,
    ) -> Result<Start, DaemonFault> {
        Ok(Start {
            build: env!("CARGO_PKG_VERSION").to_owned(),
            draw: draw()?,
            origin: self.origin(1),
            genesis: self.genesis.clone(),
            pinned: self.trust.fingerprint(),
            phases: self.phases.value.clone(),
            phases_digest: self.phases.digest,
            safety: self.safety.value.clone(),
            safety_digest: self.safety.digest,
            first,
            clean,
            torn_bytes,
            damage: None,
        })
    }
}

/// A key that trades is sealed to one house: another home, made anew with the same people, has no
/// losses, no latch and no history, and must not get it.
fn check_seal(credential: &Credential, trust: &Trust, path: &Path) -> Result<(), DaemonFault> {
    match credential.genesis() {
        None if !trust.roster().ladder().is_outside() => Ok(()),
        None => {
            let cause = "the key of an account outside a simulation is sealed to one house";
            let genesis = trust.fingerprint().hex();
            let next = format!("add \"genesis\":\"{genesis}\" to it, if it is this house's");
            let path = path.display().to_string();
            Err(DaemonFault::new(REFUSED, "CREDENTIAL_UNSEALED", &path, cause, &next))
        }
        Some(genesis) if genesis == trust.fingerprint().hex() => Ok(()),
        Some(_) => Err(sealed(path, "the key is sealed to the house of another genesis")),
    }
}

fn sealed(path: &Path, cause: &str) -> DaemonFault {
    let next = "start the house that it belongs to; a new house gets a new key from the venue";
    DaemonFault::new(REFUSED, "CREDENTIAL_SEALED", &path.display().to_string(), cause, next)
}

/// One daemon a home: the lock is the operating system's and dies with the process.
fn lock(root: &Path) -> Result<File, DaemonFault> {
    let path = root.join("daemon.lock");
    let subject = root.display().to_string();
    let opened =
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = opened.map_err(|error| {
        let next = "portcullis init HOME makes a home; this user must be able to write in it";
        DaemonFault::new(BAD_CONFIG, "HOME_UNWRITABLE", &subject, &error.to_string(), next)
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let cause = "another daemon runs on this home";
            let next = "portcullis status --home HOME, then stop that one";
            Err(DaemonFault::new(TEMPORARY, "HOME_LOCKED", &subject, cause, next))
        }
        Err(TryLockError::Error(error)) => {
            let next = "put the home on a file system that can lock";
            Err(DaemonFault::new(BAD_CONFIG, "HOME_UNLOCKABLE", &subject, &error.to_string(), next))
        }
    }
}

fn read_genesis(root: &Path) -> Result<SignedStatement, DaemonFault> {
    let bytes = read(&root.join("genesis.json"))?;
    let mut signatures = Vec::new();
    for number in 1..=SIGNATURES_MAX {
        let path = root.join(format!("genesis.{number}.sig"));
        if !path.exists() {
            break;
        }
        signatures.push(String::from_utf8_lossy(&read(&path)?).into_owned());
    }
    Ok(SignedStatement { bytes, signatures })
}

/// The pin comes from outside the home: who can write the home must not be able to write it.
fn read_pin(pin: &Path, root: &Path) -> Result<Digest, DaemonFault> {
    let subject = pin.display().to_string();
    let refuse = |cause: &str| {
        let next = "governance keeps the genesis fingerprint: put it there as 64 hex digits";
        DaemonFault::new(BAD_CONFIG, "PIN_UNUSABLE", &subject, cause, next)
    };
    let place = |path: &Path| fs::canonicalize(path).map_err(|error| refuse(&error.to_string()));
    if place(pin)?.starts_with(place(root)?) {
        return Err(refuse("it lies inside the home that it is to vouch for"));
    }
    let text = String::from_utf8_lossy(&read(pin)?).trim().to_owned();
    Digest::from_hex(&text).ok_or_else(|| refuse("not a SHA-256 in hex"))
}

fn read_instruments(folder: &Path) -> Result<Vec<Instrument>, DaemonFault> {
    let unreadable = |error: std::io::Error| unreadable(folder, &error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut instruments: Vec<Instrument> = Vec::new();
    for path in paths {
        let id = InstrumentId(u32::try_from(instruments.len()).unwrap_or(u32::MAX));
        let parsed = parse_instrument(&read(&path)?, id);
        let file = parsed.map_err(|error| bad_policy(&path, &error))?.value;
        if file.venue == VENUE {
            instruments.push(file.instrument);
        }
    }
    if instruments.is_empty() {
        let next = "copy one from policies/instruments";
        let subject = folder.display().to_string();
        let cause = "no instrument of the venue";
        return Err(DaemonFault::new(BAD_CONFIG, "NO_INSTRUMENT", &subject, cause, next));
    }
    Ok(instruments)
}

/// Four bytes that no earlier start has drawn.
fn draw() -> Result<u32, DaemonFault> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(|error| unreadable(path, &error))?;
    Ok(u32::from_be_bytes(bytes))
}

/// A small file, whole.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, DaemonFault> {
    let read = || {
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error| unreadable(path, &error))
}

pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> DaemonFault {
    let subject = path.display().to_string();
    let next = "portcullis init HOME makes a whole home";
    DaemonFault::new(BAD_CONFIG, "FILE_UNREADABLE", &subject, &error.to_string(), next)
}

fn bad_policy(path: &Path, error: &PolicyError) -> DaemonFault {
    let subject = path.display().to_string();
    let next = "correct the file; policies/README.md explains each key";
    DaemonFault::new(BAD_CONFIG, error.code(), &subject, &error.cause(), next)
}

pub(crate) fn disk_fault(path: &Path, fault: &DiskFault) -> DaemonFault {
    let next = "make the journal's folder writable for this user, with room on its disk";
    let subject = path.display().to_string();
    DaemonFault::new(TEMPORARY, fault.code(), &subject, &fault.to_string(), next)
}

pub(crate) fn journal_fault(path: &Path, fault: &JournalFault) -> DaemonFault {
    let next = "make room on the journal's disk";
    let subject = path.display().to_string();
    DaemonFault::new(TEMPORARY, fault.code(), &subject, &fault.to_string(), next)
}

pub(crate) fn unread(path: &Path, fault: &ReadFault) -> DaemonFault {
    match fault {
        ReadFault::Disk(fault) => disk_fault(path, fault),
        ReadFault::Damage(damage) => refuse_journal(path, damage.code(), &damage.to_string()),
    }
}

/// A journal that is not whole is evidence of something: nothing starts on it.
pub(crate) fn refuse_journal(path: &Path, code: &str, cause: &str) -> DaemonFault {
    let next = "restore a whole copy of the files, or keep them as they are and run portcullisd with \
                --rescue: it begins anew behind the damage, killed";
    DaemonFault::new(CHECK_FAILED, code, &path.display().to_string(), cause, next)
}
