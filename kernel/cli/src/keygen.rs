//! People's keys stay with `ssh-keygen`: it makes them, and it signs. This program never reads a
//! private key.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use portcullis_statement::PublicKey;

use crate::files::{self, exists, shown};
use crate::{CliError, Exit};

const PROGRAM: &str = "ssh-keygen";
/// Longest public key file in bytes.
const KEY_FILE_BYTES_MAX: u64 = 16 * 1024;

/// Where the words of `ssh-keygen` go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    /// To the person at the terminal: a hardware key asks for a touch there.
    Shown,
    /// Into the error, if there is one.
    Kept,
}

/// Makes a key pair without a passphrase, for demo rosters. `path` must be free.
pub(crate) fn new_key(path: &Path, comment: &str) -> Result<PublicKey, CliError> {
    for taken in [path.to_owned(), public_path(path)] {
        if exists(&taken) {
            let next = "choose another folder with --keys";
            let cause = "there is a key already; none is replaced";
            return Err(CliError::new(Exit::Refused, "KEY_EXISTS", &shown(&taken), cause, next));
        }
    }
    let mut command = Command::new(PROGRAM);
    command.args(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f"]).arg(path);
    let output = command.stdin(Stdio::null()).output().map_err(|error| not_started(&error))?;
    succeeded(path, &output)?;
    let public = public_half(path)?;
    public.ok_or_else(|| failed(path, "made no public key"))
}

/// Signs with the key (or, for an agent or hardware key, its public half) at `key`.
pub(crate) fn sign(
    key: &Path,
    namespace: &str,
    bytes: &[u8],
    words: Words,
) -> Result<String, CliError> {
    if !exists(key) {
        let (cause, next) = ("no such key file", "name the private key that you sign with");
        return Err(CliError::new(Exit::NotFound, "KEY_NOT_FOUND", &shown(key), cause, next));
    }
    let mut command = Command::new(PROGRAM);
    command.args(["-Y", "sign", "-n", namespace, "-f"]).arg(key);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command.stderr(if words == Words::Shown { Stdio::inherit() } else { Stdio::piped() });
    let mut child = command.spawn().map_err(|error| not_started(&error))?;
    if let Some(mut stdin) = child.stdin.take() {
        // If it ended early, its exit status says more than this write.
        drop(stdin.write_all(bytes));
    }
    let output = child.wait_with_output().map_err(|error| failed(key, &error.to_string()))?;
    succeeded(key, &output)?;
    String::from_utf8(output.stdout).map_err(|_bytes| failed(key, "made a signature of no text"))
}

/// The public half that lies beside a private key, or is the file itself; nothing where there is
/// none.
pub(crate) fn public_half(key: &Path) -> Result<Option<PublicKey>, CliError> {
    let is_public = key.extension().is_some_and(|extension| extension == "pub");
    let path = if is_public { key.to_owned() } else { public_path(key) };
    if !exists(&path) {
        return Ok(None);
    }
    let text = String::from_utf8(files::read(&path, KEY_FILE_BYTES_MAX)?);
    let refuse = |cause: &str| {
        let next = "portcullis takes Ed25519 keys: ssh-keygen -t ed25519, or ed25519-sk on a token";
        CliError::new(Exit::Refused, "KEY_REFUSED", &shown(&path), cause, next)
    };
    let text = text.map_err(|_bytes| refuse("not text"))?;
    PublicKey::parse_openssh(&text).map(Some).map_err(|error| refuse(error.cause()))
}

fn public_path(key: &Path) -> PathBuf {
    files::beside(key, ".pub")
}

fn not_started(error: &io::Error) -> CliError {
    let (cause, next) = (error.to_string(), "apt-get install openssh-client");
    CliError::new(Exit::NotFound, "SSH_KEYGEN_MISSING", PROGRAM, &cause, next)
}

fn succeeded(key: &Path, output: &Output) -> Result<(), CliError> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("; ");
    let cause = if said.is_empty() { format!("{PROGRAM}: {}", output.status) } else { said };
    Err(failed(key, &cause))
}

fn failed(key: &Path, cause: &str) -> CliError {
    let next = "check the key file, its mode (600) and its passphrase";
    CliError::new(Exit::Refused, "SSH_KEYGEN_FAILED", &shown(key), cause, next)
}

#[cfg(test)]
mod tests {
    use portcullis_statement::sshsig;

    use super::*;
    use crate::testing::Scratch;

    #[test]
    fn a_key_signs_and_the_signature_is_its_own() {
        let scratch = Scratch::new("keygen");
        let path = scratch.path().join("ana");
        let public = new_key(&path, "ana").unwrap();
        assert_eq!(public_half(&path).unwrap(), Some(public));
        assert_eq!(new_key(&path, "ana").unwrap_err().code, "KEY_EXISTS");
        let armored = sign(&path, "portcullis-seal", b"bytes", Words::Kept).unwrap();
        assert_eq!(sshsig::verify(&armored, "portcullis-seal", b"bytes"), Ok(public));
        assert!(sshsig::verify(&armored, "portcullis-unkill", b"bytes").is_err());
    }

    #[test]
    fn what_is_no_key_is_refused_with_the_words_of_the_program() {
        let scratch = Scratch::new("keygen");
        let path = scratch.path().join("k");
        let code = |path: &Path| sign(path, "portcullis-seal", b"x", Words::Kept).unwrap_err();
        assert_eq!(code(&path).code, "KEY_NOT_FOUND");
        files::write_new(&path, b"no key").unwrap();
        let refused = code(&path);
        assert_eq!((refused.code.as_str(), refused.exit), ("SSH_KEYGEN_FAILED", Exit::Refused));
        assert!(!refused.cause.is_empty());
        files::write_new(&public_path(&path), b"ssh-rsa AAAA").unwrap();
        assert_eq!(public_half(&path).unwrap_err().code, "KEY_REFUSED");
    }
}
