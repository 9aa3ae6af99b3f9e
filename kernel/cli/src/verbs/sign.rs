//! `portcullis review`, `sign` and `request extract`: what one person does with a request file,
//! offline.

use std::path::{Path, PathBuf};

use portcullis_domain::Name;
use portcullis_statement::{Digest, PublicKey, Signer};

use crate::files::{self, shown};
use crate::keygen::{self, Words};
use crate::request_file::RequestFile;
use crate::{CliError, Exit, out, review};

/// Shows what a request file asks for, in plain words.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  portcullis review session.request")]
pub(crate) struct ReviewArgs {
    /// The request file.
    pub(crate) file: PathBuf,
}

/// Shows a request and signs it.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis sign session.request --key demo-home.keys/olga --person olga\n\n\
    The same by hand, for a namespace that `portcullis review` shows:\n  \
    portcullis request extract session.request --out bytes.json\n  \
    ssh-keygen -Y sign -n portcullis-session-approval -f KEY bytes.json\n  \
    portcullis request attach session.request --signature bytes.json.sig")]
pub(crate) struct SignArgs {
    /// The request file; the signature is added to it.
    pub(crate) file: PathBuf,
    /// Your private key, or the public half of one in your agent or on your token.
    #[arg(long, value_name = "KEYFILE")]
    pub(crate) key: PathBuf,
    /// Your name in the roster.
    #[arg(long, value_name = "NAME")]
    pub(crate) person: String,
}

/// Writes the bytes that are signed, for other tools.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis request extract session.request --out bytes.json")]
pub(crate) struct ExtractArgs {
    /// The request file.
    pub(crate) file: PathBuf,
    /// The new file.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// Adds a signature that `ssh-keygen -Y sign` made elsewhere.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis request attach session.request --signature bytes.json.sig")]
pub(crate) struct AttachArgs {
    /// The request file.
    pub(crate) file: PathBuf,
    /// The armoured signature.
    #[arg(long, value_name = "FILE")]
    pub(crate) signature: PathBuf,
}

/// Longest signature file in bytes.
const SIGNATURE_BYTES_MAX: u64 = 64 * 1024;

/// Runs `review`.
pub(crate) fn review(args: &ReviewArgs) -> Result<(), CliError> {
    let file = RequestFile::read(&args.file)?;
    out::result(&rendered(&args.file, &file)?)?;
    out::narrate(&next(&args.file, &file));
    Ok(())
}

fn rendered(path: &Path, file: &RequestFile) -> Result<String, CliError> {
    review::render(file).map_err(|refusal| {
        let next = "ask for the request file again";
        CliError::new(Exit::Refused, refusal.code(), &shown(path), &refusal.cause(), next)
    })
}

/// What to do with the file now: the missing signature, or the daemon.
fn next(path: &Path, file: &RequestFile) -> String {
    let path = shown(path);
    let signers = file.envelope.header.signers.iter();
    let mut missing = signers.zip(file.standing().signed).filter(|(_, signed)| !signed);
    if let Some((signer, _)) = missing.next() {
        return format!("next: portcullis sign {path} --key KEYFILE --person {}", signer.person);
    }
    let verb =
        if file.kind() == portcullis_statement::Kind::SessionApproval { "open" } else { "submit" };
    format!("next: portcullis {verb} {path} --home HOME")
}

/// Runs `sign`.
pub(crate) fn sign(args: &SignArgs) -> Result<(), CliError> {
    let file = RequestFile::read(&args.file)?;
    // Whoever signs has seen it, whatever a file of another name said before.
    out::narrate(&rendered(&args.file, &file)?);
    let signed = sign_file(&args.file, &args.key, &args.person, Words::Shown)?;
    out::result(&format!("{} signed {}", args.person, Digest::of(&signed.signed.bytes)))?;
    out::narrate(&next(&args.file, &signed));
    Ok(())
}

/// Adds `person`'s signature with `key` to the request file at `path`.
pub(crate) fn sign_file(
    path: &Path,
    key: &Path,
    person: &str,
    words: Words,
) -> Result<RequestFile, CliError> {
    let mut file = RequestFile::read(path)?;
    let signer = listed(&file, person)?.clone();
    // Before anybody is asked for a passphrase or a touch.
    if let Some(public) = keygen::public_half(key)? {
        check_key(&signer, public)?;
    }
    let armored = keygen::sign(key, file.kind().namespace(), &file.signed.bytes, words)?;
    let public = file.signer_of(&armored).ok_or_else(|| {
        let (cause, next) = ("it made a signature that does not verify", "check the key");
        CliError::new(Exit::Refused, "SIGNATURE_INVALID", &shown(key), cause, next)
    })?;
    check_key(&signer, public)?;
    file.add(armored, public);
    files::replace(path, &file.to_bytes())?;
    Ok(file)
}

fn listed<'a>(file: &'a RequestFile, person: &str) -> Result<&'a Signer, CliError> {
    let signers = &file.envelope.header.signers;
    let name = Name::new(person);
    let found = signers.iter().find(|signer| Some(&signer.person) == name.as_ref());
    found.ok_or_else(|| {
        let names: Vec<_> = signers.iter().map(|signer| signer.person.as_str()).collect();
        let next = format!("the listed signers are: {}", names.join(" "));
        let cause = "not listed as a signer of this request";
        CliError::new(Exit::Refused, "SIGNER_NOT_LISTED", person, cause, &next)
    })
}

fn check_key(signer: &Signer, key: PublicKey) -> Result<(), CliError> {
    if key.fingerprint() == signer.key {
        return Ok(());
    }
    let cause = format!("listed with the key {}, and this is {}", signer.key, key.fingerprint());
    let next = "sign with the key of the roster";
    Err(CliError::new(Exit::Refused, "SIGNER_KEY", signer.person.as_str(), &cause, next))
}

/// Runs `request extract`.
pub(crate) fn extract(args: &ExtractArgs) -> Result<(), CliError> {
    let file = RequestFile::read(&args.file)?;
    files::write_new(&args.out, &file.signed.bytes)?;
    out::result(&shown(&args.out))?;
    let (namespace, path) = (file.kind().namespace(), shown(&args.out));
    out::narrate(&format!("next: ssh-keygen -Y sign -n {namespace} -f KEY {path}"));
    Ok(())
}

/// Runs `request attach`.
pub(crate) fn attach(args: &AttachArgs) -> Result<(), CliError> {
    let mut file = RequestFile::read(&args.file)?;
    let text = String::from_utf8(files::read(&args.signature, SIGNATURE_BYTES_MAX)?);
    let key = text.as_ref().ok().and_then(|armored| file.signer_of(armored));
    let prints = key.as_ref().map(PublicKey::fingerprint);
    let signers = &file.envelope.header.signers;
    let listed = signers.iter().find(|signer| Some(&signer.key) == prints.as_ref());
    let (Ok(armored), Some(key), Some(signer)) = (text, key, listed) else {
        let cause = "not a signature of a listed signer over these bytes";
        let next = "check the namespace and the key: portcullis review shows both";
        let subject = shown(&args.signature);
        return Err(CliError::new(Exit::Refused, "SIGNATURE_INVALID", &subject, cause, next));
    };
    let person = signer.person.clone();
    file.add(armored, key);
    files::replace(&args.file, &file.to_bytes())?;
    out::result(&format!("{person} signed {}", Digest::of(&file.signed.bytes)))?;
    out::narrate(&next(&args.file, &file));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::draft::{self, Desk};
    use crate::home::Installation;
    use crate::testing::{LATER, NOW, Scratch};
    use crate::verbs::init;

    /// A demo home with real keys, and an unkill request that olga and petra have to sign.
    fn scene(scratch: &Scratch) -> (PathBuf, PathBuf) {
        let args = init::tests::args(scratch.path());
        init::make(&args, NOW, "0".repeat(32)).unwrap();
        let home = Installation::read(&args.home.join("genesis.json")).unwrap();
        let desk = Desk {
            roster: &home.genesis.roster,
            genesis: home.fingerprint,
            nonce: "1".repeat(32),
            now: NOW,
            expires: LATER,
            chosen: &[],
        };
        let bytes =
            draft::unkill(&desk, portcullis_statement::Target::kill(1, Digest::of(b"k")), "mended")
                .unwrap();
        let path = scratch.path().join("unkill.request");
        files::write_new(&path, &RequestFile::new(bytes).unwrap().to_bytes()).unwrap();
        (path, args.keys.unwrap())
    }

    #[test]
    fn people_sign_with_their_own_keys_and_both_signatures_stay() {
        let scratch = Scratch::new("sign");
        let (path, keys) = scene(&scratch);
        let sign = |person: &str, key: &str| {
            sign_file(&path, &keys.join(key), person, Words::Kept)
                .map(|file| file.standing().signed)
        };
        assert_eq!(sign("olga", "olga").unwrap(), [true, false]);
        assert_eq!(sign("olga", "olga").unwrap(), [true, false]);
        assert_eq!(sign("olga", "petra").unwrap_err().code, "SIGNER_KEY");
        assert_eq!(sign("gus", "gus").unwrap_err().code, "SIGNER_NOT_LISTED");
        // Without its public half the key is judged by what it signs.
        std::fs::remove_file(keys.join("gus.pub")).unwrap();
        assert_eq!(sign("petra", "gus").unwrap_err().code, "SIGNER_KEY");
        assert_eq!(sign("petra", "none").unwrap_err().code, "KEY_NOT_FOUND");
        assert_eq!(sign("petra", "petra").unwrap(), [true, true]);
        let file = RequestFile::read(&path).unwrap();
        assert_eq!(
            next(&path, &file),
            format!("next: portcullis submit {} --home HOME", shown(&path))
        );
    }

    #[test]
    fn a_signature_made_by_hand_counts_as_well() {
        let scratch = Scratch::new("sign");
        let (path, keys) = scene(&scratch);
        let bytes = scratch.path().join("bytes.json");
        extract(&ExtractArgs { file: path.clone(), out: bytes.clone() }).unwrap();
        let by_hand = |namespace: &str| {
            let mut command = Command::new("ssh-keygen");
            command.args(["-q", "-Y", "sign", "-n", namespace, "-f"]).arg(keys.join("petra"));
            assert!(command.arg(&bytes).output().unwrap().status.success());
            let signature = scratch.path().join("bytes.json.sig");
            let attached = attach(&AttachArgs { file: path.clone(), signature: signature.clone() });
            std::fs::remove_file(signature).unwrap();
            attached
        };
        assert_eq!(by_hand("portcullis-seal").unwrap_err().code, "SIGNATURE_INVALID");
        by_hand("portcullis-unkill").unwrap();
        assert_eq!(RequestFile::read(&path).unwrap().standing().signed, [false, true]);
    }
}
