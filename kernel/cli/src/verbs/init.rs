//! `portcullis init`: the home of a daemon, made whole or not at all.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use portcullis_domain::{Name, Role, WallNs};
use portcullis_statement::{Digest, EndpointKind, Genesis, Kind, Mark, Person, Roster};

use crate::files::{self, beside, exists, io_error, shown};
use crate::home::{Policies, half_written};
use crate::keygen::{self, Words};
use crate::{CliError, Exit, clock, draft, out, witness};

/// How long a demo genesis is valid: a year.
const VALID_NS: i64 = 365 * 24 * 3_600 * portcullis_domain::time::NS_PER_S;

/// The people of a demo, each with the one role that its name begins like.
pub(crate) const DEMO_PEOPLE: [(&str, Role); 4] = [
    ("ana", Role::Author),
    ("gus", Role::Governance),
    ("olga", Role::Operator),
    ("petra", Role::Approver),
];

/// What kind of home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Profile {
    /// Four people whose keys lie beside the home; simulated endpoints only.
    Demo,
}

/// Makes the home of a daemon.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis init demo-home --profile demo --pin demo.pin\n  \
    portcullis init demo-home --profile demo --pin demo.pin --keys demo-keys --account acct-1")]
pub(crate) struct Args {
    /// The new folder.
    pub(crate) home: PathBuf,
    /// What kind of home.
    #[arg(long, value_enum)]
    pub(crate) profile: Profile,
    /// New file for the digest of the genesis; outside of the home.
    #[arg(long, value_name = "FILE")]
    pub(crate) pin: PathBuf,
    /// Folder for the keys of the demo's people [default: HOME.keys].
    #[arg(long, value_name = "DIR")]
    pub(crate) keys: Option<PathBuf>,
    /// Folder of the policy files that are copied.
    #[arg(long, value_name = "DIR", default_value = "policies")]
    pub(crate) policies: PathBuf,
    /// The account that this installation trades.
    #[arg(long, default_value = "demo")]
    pub(crate) account: String,
    /// The host that the daemon runs on.
    #[arg(long, default_value = "demo-host")]
    pub(crate) host: String,
    /// `NAME,DOMAIN,OPERATOR,VKEY`, as `portcullis witness init` prints it; once for each.
    #[arg(long = "witness", value_name = "LINE")]
    pub(crate) witnesses: Vec<String>,
    /// How many of them must have signed.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) quorum: usize,
}

/// Everything made so far, so that a failure leaves nothing behind.
#[derive(Debug, Default)]
struct Made {
    paths: Vec<PathBuf>,
}

impl Made {
    fn undo(&self) {
        for path in self.paths.iter().rev() {
            // What cannot be removed is named by the error of the next try.
            drop(if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) });
        }
    }
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let fingerprint = make(args, clock::now()?, clock::nonce()?)?;
    let (home, pin) = (shown(&args.home), shown(&args.pin));
    let witnesses = witness::roster(&args.witnesses, args.quorum)?.words();
    let text = out::field("home", &home) + &out::field("genesis", &fingerprint.hex());
    out::result(&(text + &out::field("witnesses", &witnesses)))?;
    out::narrate(&format!(
        "next: portcullisd --home {home} --pin {pin} --credential FILE\n\
         next: portcullis request endpoint-set --home {home} --venue kraken --public-port PORT \
         --private-port PORT --out endpoint.request"
    ));
    Ok(())
}

/// Makes the home and returns the fingerprint of its genesis.
pub(crate) fn make(args: &Args, now: WallNs, nonce: String) -> Result<Digest, CliError> {
    let policies = Policies::read(&args.policies)?;
    let keys = args.keys.clone().unwrap_or_else(|| beside(&args.home, ".keys"));
    check_places(args, &keys)?;
    let mut made = Made::default();
    let result = make_all(args, (&keys, &policies), (now, nonce), &mut made);
    if result.is_err() {
        made.undo();
    }
    result
}

fn check_places(args: &Args, keys: &Path) -> Result<(), CliError> {
    let refuse = |code: &str, path: &Path, cause: &str, next: &str| {
        Err(CliError::new(Exit::Refused, code, &shown(path), cause, next))
    };
    if exists(&args.home) {
        let cause = "it exists; nothing is replaced";
        return refuse("HOME_EXISTS", &args.home, cause, "choose another folder");
    }
    let partial = half_written(&args.home);
    if exists(&partial) {
        let next = format!("rm -r {}", shown(&partial));
        return refuse("HOME_HALF_WRITTEN", &partial, "left by an interrupted init", &next);
    }
    if exists(&args.pin) {
        let cause = "it exists; a pin is never replaced";
        return refuse("PIN_EXISTS", &args.pin, cause, "choose another file with --pin");
    }
    for (path, code) in [(args.pin.as_path(), "PIN_INSIDE_HOME"), (keys, "KEYS_INSIDE_HOME")] {
        if path.starts_with(&args.home) || path.starts_with(&partial) {
            let cause = "whoever can write to the home must not reach it";
            return refuse(code, path, cause, "choose a place outside of the home");
        }
    }
    Ok(())
}

fn make_all(
    args: &Args,
    (keys, policies): (&Path, &Policies),
    (now, nonce): (WallNs, String),
    made: &mut Made,
) -> Result<Digest, CliError> {
    // The home comes first: where it cannot be written, no key is made in vain.
    let partial = half_written(&args.home);
    files::make_folder(&partial)?;
    made.paths.push(partial.clone());
    let people = make_people(keys, made)?;
    let body = genesis_body(args, people)?;
    let bytes = draft::genesis(&body, nonce, (now, now.plus_ns(VALID_NS)))
        .map_err(|error| internal(error.code(), &error.cause()))?;
    write_home(&partial, &bytes, policies)?;
    for (number, person) in (1_u32..).zip(body.roster.people()) {
        let key = keys.join(person.name.as_str());
        let armored = keygen::sign(&key, Kind::Genesis.namespace(), &bytes, Words::Kept)?;
        files::write_new(&partial.join(format!("genesis.{number}.sig")), armored.as_bytes())?;
    }
    let fingerprint = Digest::of(&bytes);
    files::write_new(&args.pin, format!("{fingerprint}\n").as_bytes())?;
    made.paths.push(args.pin.clone());
    // A folder that appeared meanwhile and is empty would be replaced without a word.
    if exists(&args.home) {
        let (cause, next) = ("it exists; nothing is replaced", "choose another folder");
        return Err(CliError::new(Exit::Refused, "HOME_EXISTS", &shown(&args.home), cause, next));
    }
    let renamed = fs::rename(&partial, &args.home).and_then(|()| files::sync_parent(&args.home));
    renamed.map_err(|error| io_error(&args.home, &error, "choose another folder"))?;
    Ok(fingerprint)
}

fn make_people(keys: &Path, made: &mut Made) -> Result<Vec<Person>, CliError> {
    if !exists(keys) {
        files::make_folder(keys)?;
        made.paths.push(keys.to_owned());
    }
    let mut people = Vec::new();
    for (name, role) in DEMO_PEOPLE {
        let path = keys.join(name);
        let key = keygen::new_key(&path, name)?;
        made.paths.push(beside(&path, ".pub"));
        made.paths.push(path);
        let name = Name::new(name).ok_or_else(|| internal("NAME", "not a name"))?;
        people.push(Person { name, roles: vec![role], key });
    }
    Ok(people)
}

fn genesis_body(args: &Args, people: Vec<Person>) -> Result<Genesis, CliError> {
    let name = |text: &str| {
        let (cause, next) = ("a name is 1 to 64 of a-z 0-9 . _ -", "choose such a name");
        Name::new(text).ok_or_else(|| CliError::new(Exit::Usage, "NAME_FORM", text, cause, next))
    };
    let Profile::Demo = args.profile;
    let witnesses = witness::roster(&args.witnesses, args.quorum)?;
    let roster = Roster::new(people, Some(Mark::Demo), EndpointKind::Simulated)
        .and_then(|roster| roster.witnessed(witnesses))
        .map_err(|refusal| internal(refusal.code(), &refusal.cause()))?;
    Ok(Genesis { account: name(&args.account)?, host: name(&args.host)?, roster })
}

fn write_home(root: &Path, genesis: &[u8], policies: &Policies) -> Result<(), CliError> {
    for folder in ["policies", "policies/instruments", "plugins", "chunks", "reports"] {
        let path = root.join(folder);
        let made = fs::DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| io_error(&path, &error, "choose another folder"))?;
    }
    for (name, bytes) in &policies.files {
        files::write_new(&root.join("policies").join(name), bytes)?;
    }
    files::write_new(&root.join("genesis.json"), genesis)
}

fn internal(code: &str, cause: &str) -> CliError {
    CliError::new(Exit::Internal, code, "genesis", cause, "report this")
}

#[cfg(test)]
pub(crate) mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use portcullis_statement::{SignedStatement, Trust};

    use super::*;
    use crate::testing::{NOW, Scratch};

    pub(crate) fn args(folder: &Path) -> Args {
        Args {
            home: folder.join("home"),
            profile: Profile::Demo,
            pin: folder.join("pin"),
            keys: Some(folder.join("keys")),
            policies: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies"),
            account: "acct".to_owned(),
            host: "host-1".to_owned(),
            witnesses: vec![],
            quorum: 0,
        }
    }

    #[test]
    fn a_home_is_private_whole_and_believed_against_its_pin() {
        let scratch = Scratch::new("init");
        let args = args(scratch.path());
        let fingerprint = make(&args, NOW, "0".repeat(32)).unwrap();
        let mode = |path: &str| {
            let path = args.home.join(path);
            fs::metadata(path).unwrap().permissions().mode() & 0o777
        };
        assert_eq!((mode("."), mode("plugins"), mode("genesis.json")), (0o700, 0o700, 0o600));
        let read = |name: &str| fs::read(args.home.join(name)).unwrap();
        let pin = fs::read_to_string(&args.pin).unwrap();
        assert_eq!(pin, format!("{fingerprint}\n"));
        let signature = |n: u32| String::from_utf8(read(&format!("genesis.{n}.sig"))).unwrap();
        let signatures = (1..=4).map(signature).collect();
        let signed = SignedStatement { bytes: read("genesis.json"), signatures };
        let trust = Trust::genesis(&signed, fingerprint, NOW).unwrap();
        assert_eq!(trust.roster().mark(), Some(Mark::Demo));
        let policy = "policies/instruments/binance-btc-usdt.toml";
        assert!(args.home.join(policy).is_file());
        assert!(!exists(&half_written(&args.home)));
        let again = make(&args, NOW, "0".repeat(32)).unwrap_err();
        assert_eq!(again.code, "HOME_EXISTS");
    }

    #[test]
    fn a_refusal_leaves_nothing_behind() {
        #[track_caller]
        fn check(change: impl FnOnce(&mut Args), code: &str) {
            let scratch = Scratch::new("init");
            let mut args = args(scratch.path());
            change(&mut args);
            let before = fs::read_dir(scratch.path()).unwrap().count();
            let error = make(&args, NOW, "0".repeat(32)).unwrap_err();
            assert_eq!(error.code, code);
            assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), before);
        }
        check(|args| args.account = "../x".to_owned(), "NAME_FORM");
        check(|args| args.pin = args.home.join("pin"), "PIN_INSIDE_HOME");
        check(|args| args.keys = Some(args.home.join("keys")), "KEYS_INSIDE_HOME");
        check(|args| args.pin = args.home.join("../nowhere/pin"), "PIN_INSIDE_HOME");
        check(|args| args.home = args.home.join("deep/er"), "FILE_NOT_FOUND");
        check(|args| args.policies = args.home.clone(), "FILE_NOT_FOUND");
        check(|args| fs::create_dir(half_written(&args.home)).unwrap(), "HOME_HALF_WRITTEN");
        check(|args| fs::write(&args.pin, b"x").unwrap(), "PIN_EXISTS");
        let keyed = |args: &mut Args| {
            let keys = args.keys.clone().unwrap();
            fs::create_dir(&keys).unwrap();
            fs::write(keys.join("olga"), b"x").unwrap();
        };
        check(keyed, "KEY_EXISTS");
    }
}
