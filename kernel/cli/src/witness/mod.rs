//! The witness: somebody else who remembers how far a journal has come. It cosigns checkpoints
//! that continue what it cosigned before, and signs a burn for each approval once.
//!
//! It speaks `c2sp.org/tlog-witness` (`POST /add-checkpoint`), so that our journals can have
//! others' witnesses and others' logs ours, and three paths of its own: `POST /next-epoch` (the
//! proof, as `c2sp.org/tlog-proof@v1`, of the entry that ends an epoch), `POST /burn` (the text of
//! a burn, signed by the key of the epoch) and `GET /last/<installation>`. What it answers is
//! signed, or checked by whoever asked, so plain HTTP on loopback, or through a tunnel, is enough.

mod asked;
mod book;
pub(crate) mod carry;
mod epochs;
mod http;
mod peers;
mod serve;

use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use portcullis_domain::Name;
use portcullis_statement::note::{KeyKind, NoteSigner, VerifierKey};
use portcullis_statement::{Digest, FailureDomain, Witness, Witnesses};

use crate::home::{Home, Installation};
use crate::{CliError, Exit, clock, out};
use book::Book;

/// Somebody else who remembers how far the journal has come.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum WitnessVerb {
    /// Make the key and the folder of a witness.
    Init(InitArgs),
    /// Follow an installation from its first key on.
    Trust(TrustArgs),
    /// Answer carriers.
    Serve(ServeArgs),
    /// Bring checkpoints to the witnesses, and what they signed to the daemon.
    Carry(CarryArgs),
}

/// Makes the key and the folder of a witness.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis witness init w1 --name w1 --domain other-host --operator eve")]
pub(crate) struct InitArgs {
    /// The new folder.
    pub(crate) state: PathBuf,
    /// The witness's name in rosters and signatures.
    #[arg(long)]
    pub(crate) name: String,
    /// `same-host` as the kernel, or `other-host`.
    #[arg(long)]
    pub(crate) domain: String,
    /// Who administers it.
    #[arg(long)]
    pub(crate) operator: String,
}

/// Follows an installation from its first key on. Its next keys come with their proofs.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis witness trust w1 portcullis/host-1/acct/1+1a2b3c4d+AQ…")]
pub(crate) struct TrustArgs {
    /// The witness's folder.
    pub(crate) state: PathBuf,
    /// The vkey of the epoch to begin with; its name is the origin.
    pub(crate) vkey: String,
    /// The house was rescued: go on with this later epoch, whose key no entry could announce.
    #[arg(long)]
    pub(crate) after_rescue: bool,
}

/// Answers carriers until it is ended.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis witness serve --state w1 --listen 127.0.0.1:7001\n  \
    portcullis witness serve --state w1 --listen unix:/run/portcullis/w1.sock")]
pub(crate) struct ServeArgs {
    /// The witness's folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// A loopback address with port, or `unix:PATH`.
    #[arg(long, value_name = "PLACE")]
    pub(crate) listen: String,
}

/// Brings checkpoints to the witnesses, and what they signed to the daemon.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis witness carry --home demo-home --witness w1=http://127.0.0.1:7001\n  \
    portcullis witness carry --home demo-home --every 5")]
pub(crate) struct CarryArgs {
    /// The home of the running daemon.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// `NAME=PLACE`, once for each [default: the lines of HOME.witnesses].
    #[arg(long = "witness", value_name = "NAME=PLACE")]
    pub(crate) witnesses: Vec<String>,
    /// Again and again, this many seconds apart; without it, once.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) every: Option<u64>,
}

/// Runs the verb.
pub(crate) fn run(verb: &WitnessVerb) -> Result<(), CliError> {
    match verb {
        WitnessVerb::Init(args) => init(args),
        WitnessVerb::Trust(args) => trust(args),
        WitnessVerb::Serve(args) => serve::serve(Book::open(&args.state)?, &args.listen),
        WitnessVerb::Carry(args) => carry_on(args),
    }
}

fn init(args: &InitArgs) -> Result<(), CliError> {
    let name = crate::verbs::request::name("name", &args.name)?;
    let operator = crate::verbs::request::name("operator", &args.operator)?;
    let domain = FailureDomain::from_name(&args.domain).ok_or_else(|| {
        let (cause, next) = ("not a failure domain", "same-host or other-host");
        CliError::new(Exit::Usage, "DOMAIN_FORM", &args.domain, cause, next)
    })?;
    // Two draws of sixteen bytes are the seed's thirty-two.
    let seed = Digest::from_hex(&(clock::nonce()? + &clock::nonce()?));
    let signer = seed.map(|seed| NoteSigner::from_seed(&args.name, KeyKind::Cosignature, seed.0));
    let signer = signer.and_then(Result::ok).ok_or_else(|| {
        CliError::new(Exit::Internal, "KEY", &args.name, "no key was made", "report this")
    })?;
    let key = Book::create(&args.state, &signer)?;
    let line = Witness { name, key, domain, operator };
    out::result(
        &(out::field("vkey", &line.key.to_string()) + &out::field("roster", &word(&line))),
    )?;
    out::narrate("next: portcullis init HOME … --witness ROSTER-LINE --quorum N");
    Ok(())
}

/// A witness in one word, as `portcullis init` takes it.
pub(crate) fn word(witness: &Witness) -> String {
    let Witness { name, key, domain, operator } = witness;
    format!("{name},{},{operator},{key}", domain.name())
}

/// Reads the words of [`word`] and the quorum.
pub(crate) fn roster(words: &[String], quorum: usize) -> Result<Witnesses, CliError> {
    let list = words.iter().map(|text| {
        let mut parts = text.splitn(4, ',');
        let mut part = || parts.next().unwrap_or_default();
        let (name, domain, operator) =
            (Name::new(part()), FailureDomain::from_name(part()), Name::new(part()));
        let key = VerifierKey::parse(part()).ok();
        let key = key.filter(|key| key.kind() == KeyKind::Cosignature);
        let witness =
            || Some(Witness { name: name?, key: key?, domain: domain?, operator: operator? });
        witness().ok_or_else(|| {
            let (cause, next) =
                ("not NAME,DOMAIN,OPERATOR,VKEY", "portcullis witness init prints the line");
            CliError::new(Exit::Usage, "WITNESS_FORM", text, cause, next)
        })
    });
    Witnesses::new(list.collect::<Result<_, _>>()?, quorum).map_err(|refusal| {
        let next = "name each witness once, and a quorum between 1 and their number";
        CliError::new(Exit::Usage, refusal.code(), "witnesses", &refusal.cause(), next)
    })
}

fn trust(args: &TrustArgs) -> Result<(), CliError> {
    let key = VerifierKey::parse(&args.vkey).map_err(|fault| {
        let next = "take the vkey as portcullis status or a seal states it";
        CliError::new(Exit::Usage, fault.code(), &args.vkey, fault.cause(), next)
    })?;
    let origin = key.name().to_owned();
    let mut book = Book::open(&args.state)?;
    if args.after_rescue { book.trust_rescued(key) } else { book.trust(key) }?;
    let by = book.verifier().name().to_owned();
    out::result(&(out::field("witness", &by) + &out::field("follows", &origin)))
}

fn carry_on(args: &CarryArgs) -> Result<(), CliError> {
    let home = Home::open(&args.home)?;
    let genesis = Installation::read(&home.genesis_path())?.genesis;
    let reaches = carry::reaches(&args.home, genesis.roster.witnesses(), &args.witnesses)?;
    if reaches.is_empty() {
        let (cause, next) =
            ("no witness is named", "--witness NAME=PLACE, or a file HOME.witnesses");
        return Err(CliError::new(Exit::Usage, "WITNESS_MISSING", "witness", cause, next));
    }
    loop {
        let carried = carry::carry(&home, &args.home, &reaches);
        let failed = match carried {
            Ok((_, failed)) => failed.into_iter().next(),
            Err(error) => Some(error),
        };
        match (failed, args.every) {
            (None, None) => return Ok(()),
            (Some(error), None) => return Err(error),
            // A loop goes on: what is down now may be up at the next turn.
            (failed, Some(every)) => {
                if let Some(error) = failed {
                    out::narrate(&error.to_string());
                }
                sleep(Duration::from_secs(every.max(1)));
            }
        }
    }
}
