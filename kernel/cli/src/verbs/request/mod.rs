//! `portcullis request`: drafts a statement and writes it as a request file.

mod args;
mod flatten;
mod release;
mod session;

use std::path::Path;

use portcullis_control::{Reply, Request};
use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{Name, Phase, Role, WallNs};
use portcullis_evidence::pack::Manifest;
use portcullis_statement::{Classification, Digest, Kind, Target, Venue};

use crate::client::{self, SOON};
use crate::draft::{self, Desk, DraftError};
use crate::files::{self, shown};
use crate::home::{Home, Installation};
use crate::request_file::RequestFile;
use crate::{CliError, Exit, clock, inspect, out};

pub(crate) use args::{
    ClassificationChoice, Common, EndpointArgs, EndpointChoice, LimitsChangeArgs, ReleaseArgs,
    RequestVerb, SealArgs, TargetArgs, UnkillArgs, VenueChoice,
};
pub(crate) use flatten::{FlattenArgs, flatten_plan};
pub(crate) use release::{WordArgs, release};
pub(crate) use session::{SessionArgs, digest};

/// How long a request without a window of its own can be used: a week.
const VALID_NS: i64 = 7 * 24 * 3_600 * NS_PER_S;
/// Longest manifest in bytes.
const MANIFEST_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// What is known before any drafting: the people, the moment, a nonce.
pub(crate) struct Setting {
    pub(crate) installation: Installation,
    chosen: Vec<(Name, Role)>,
    nonce: String,
    pub(crate) now: WallNs,
}

impl Setting {
    /// Reads the home and refuses what cannot be written before anybody is asked for anything.
    pub(crate) fn new(home: &Path, common: &Common) -> Result<(Home, Self), CliError> {
        let home = Home::open(home)?;
        if files::exists(&common.out) {
            let (cause, next) = ("it exists; nothing is replaced", "choose another --out FILE");
            let subject = shown(&common.out);
            return Err(CliError::new(Exit::Refused, "FILE_EXISTS", &subject, cause, next));
        }
        let setting = Self {
            installation: Installation::read(&home.genesis_path())?,
            chosen: common.signers.iter().map(|text| signer(text)).collect::<Result<_, _>>()?,
            nonce: clock::nonce()?,
            now: clock::now()?,
        };
        Ok((home, setting))
    }

    pub(crate) fn desk(&self, expires: WallNs) -> Desk<'_> {
        Desk {
            roster: &self.installation.genesis.roster,
            genesis: self.installation.fingerprint,
            nonce: self.nonce.clone(),
            now: self.now,
            expires,
            chosen: &self.chosen,
        }
    }

    pub(crate) fn week(&self) -> Desk<'_> {
        self.desk(self.now.plus_ns(VALID_NS))
    }
}

/// Drafts a plugin release.
pub(crate) fn plugin_release(args: &ReleaseArgs) -> Result<(), CliError> {
    let (_, setting) = Setting::new(&args.home, &args.common)?;
    let author = name("author", &args.author)?;
    let plugin = match &args.plugin {
        Some(plugin) => name("plugin", plugin)?,
        None => inspect::name_of(&args.component).ok_or_else(|| {
            let (cause, next) = ("its file name is no plugin name", "name it with --plugin NAME");
            let subject = shown(&args.component);
            CliError::new(Exit::Usage, "NAME_FORM", &subject, cause, next)
        })?,
    };
    let phase_max = phase(args.phase_max)?;
    let sandbox = inspect::sandbox_path(args.sandbox.as_deref());
    let (facts, _) = inspect::inspect(&args.component, &sandbox)?;
    let named = (plugin, u64::from(args.release_seq));
    let bytes = draft::plugin_release(&setting.week(), facts, &author, named, phase_max);
    finish(&args.common, bytes)
}

/// Drafts an endpoint set.
pub(crate) fn endpoint_set(args: &EndpointArgs) -> Result<(), CliError> {
    let (_, setting) = Setting::new(&args.home, &args.common)?;
    let EndpointChoice::Simulated = args.endpoint;
    let venue = match args.venue {
        VenueChoice::Binance => Venue::Binance,
        VenueChoice::Kraken => Venue::Kraken,
    };
    let ports = (args.public_port, args.private_port);
    finish(&args.common, draft::endpoint_set(&setting.week(), venue, ports))
}

/// Drafts the end of the present kill, or of the stop that was named.
pub(crate) fn unkill(args: &UnkillArgs) -> Result<(), CliError> {
    let (home, setting) = Setting::new(&args.home, &args.common)?;
    let target = target(&home, &args.target)?;
    finish(&args.common, draft::unkill(&setting.week(), target, &args.reason))
}

/// The stop that was named, or the present kill as the daemon states it.
fn target(home: &Home, args: &TargetArgs) -> Result<Target, CliError> {
    let (Some(seq), Some(entry)) = (args.stop, &args.entry) else { return present_kill(home) };
    let entry = Digest::from_hex(entry).ok_or_else(|| {
        let (cause, next) = ("this is no SHA-256 in hex", "portcullis status shows it");
        CliError::new(Exit::Usage, "ENTRY_MALFORMED", "--entry", cause, next)
    })?;
    Ok(Target::stop(seq, entry))
}

fn present_kill(home: &Home) -> Result<Target, CliError> {
    let socket = home.control_socket();
    let Reply::Status(view) = client::ask(&socket, &Request::Status, SOON)? else {
        return Err(client::unexpected(&socket));
    };
    let entry = view.kill_entry.as_deref().and_then(Digest::from_hex).ok_or_else(|| {
        let next = "portcullis status says why nothing can be traded";
        let cause = "the kill latch is not down";
        CliError::new(Exit::NotFound, "NOT_KILLED", "daemon", cause, next)
    })?;
    Ok(Target::kill(view.kill_seq, entry))
}

/// Drafts the seal of a pack.
pub(crate) fn seal(args: &SealArgs) -> Result<(), CliError> {
    let (_, setting) = Setting::new(&args.home, &args.common)?;
    let path = args.pack.join("manifest.json");
    let manifest = Manifest::parse(&files::read(&path, MANIFEST_BYTES_MAX)?);
    let manifest = manifest.map_err(|error| {
        let (cause, next) = (error.to_string(), "portcullis evidence verify PACK");
        CliError::new(Exit::CheckFailed, "PACK_MANIFEST", &shown(&path), &cause, next)
    })?;
    let classification = match args.classification {
        ClassificationChoice::Green => Classification::Green,
        ClassificationChoice::Yellow => Classification::Yellow,
        ClassificationChoice::Red => Classification::Red,
    };
    finish(&args.common, draft::seal(&setting.week(), &manifest, classification))
}

/// Drafts the approval of a session.
pub(crate) fn session(args: &SessionArgs) -> Result<(), CliError> {
    session::run(args)
}

/// Writes the request file and says who has to sign.
pub(crate) fn finish(
    common: &Common,
    drafted: Result<Vec<u8>, DraftError>,
) -> Result<(), CliError> {
    let bytes = drafted.map_err(|error| draft_refused(&error))?;
    let digest = Digest::of(&bytes);
    let file = RequestFile::new(bytes).map_err(|refusal| draft_refused(&refusal.into()))?;
    files::write_new(&common.out, &file.to_bytes())?;
    let path = shown(&common.out);
    let signers: Vec<_> = file.envelope.header.signers.iter().map(|s| s.person.as_str()).collect();
    let mut text = out::field("request", &path);
    text += &out::field("kind", file.kind().name());
    text += &out::field("statement", &digest.hex());
    out::result(&(text + &out::field("to be signed by", &signers.join(", "))))?;
    let person = signers.first().copied().unwrap_or("NAME");
    let verb = if file.kind() == Kind::SessionApproval { "open" } else { "submit" };
    out::narrate(&format!(
        "next: portcullis review {path}\n\
         next: portcullis sign {path} --key KEYFILE --person {person}\n\
         then: portcullis {verb} {path} --home HOME"
    ));
    Ok(())
}

/// A draft that cannot be, with the exit code that belongs to its code.
fn draft_refused(error: &DraftError) -> CliError {
    let (exit, next) = match error {
        DraftError::KillActive => (Exit::KillEngaged, "portcullis request unkill"),
        DraftError::NoSigner(_) | DraftError::SignerUnknown(..) => {
            (Exit::Refused, "portcullis review on the genesis shows people and roles")
        }
        DraftError::Refused(_) => (Exit::Usage, "correct what you ask for"),
        DraftError::Mismatch { .. } => {
            (Exit::Refused, "correct what you ask for, or submit what it rests on first")
        }
    };
    CliError::new(exit, error.code(), "draft", &error.cause(), next)
}

fn signer(text: &str) -> Result<(Name, Role), CliError> {
    let pair = text.split_once(':');
    let pair = pair.and_then(|(name, role)| Some((Name::new(name)?, Role::from_name(role)?)));
    pair.ok_or_else(|| {
        let roles: Vec<_> = Role::ALL.into_iter().map(Role::name).collect();
        let next = format!("write --signer olga:operator; roles are {}", roles.join(" "));
        CliError::new(Exit::Usage, "SIGNER_FORM", text, "not PERSON:ROLE", &next)
    })
}

pub(crate) fn name(what: &str, text: &str) -> Result<Name, CliError> {
    Name::new(text).ok_or_else(|| {
        let cause = format!("no name of a {what}: 1 to 64 of a-z 0-9 . _ -");
        CliError::new(Exit::Usage, "NAME_FORM", text, &cause, "correct the name")
    })
}

pub(crate) fn phase(number: u8) -> Result<Phase, CliError> {
    Phase::from_number(number).ok_or_else(|| {
        let subject = number.to_string();
        CliError::new(Exit::Usage, "PHASE_FORM", &subject, "no phase", "name one of 0 to 7")
    })
}

#[cfg(test)]
mod tests;
