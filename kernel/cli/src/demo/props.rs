//! What the acts have in common: drafting, signing, packing, and tampering.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use portcullis_control::{Request, SignedBytes};
use portcullis_domain::parse_scaled;
use portcullis_evidence::{JournalFolder, begun_epochs};

use super::stage::{Stage, must, unexpected};
use crate::CliError;
use crate::client::{self, SOON};
use crate::request_file::RequestFile;

const SYMBOL: &str = "BTC-USD";

pub(super) fn start_daemon(stage: &mut Stage) -> Result<(), CliError> {
    let (home, pin, key) = (stage.text("home"), stage.text("pin"), stage.text("keys/venue.json"));
    let flags = ["--home", &home, "--pin", &pin, "--credential", &key];
    stage.daemon = Some(stage.start("portcullisd", &flags)?);
    stage.await_until("the daemon", 20, |stage| Ok(stage.status().map(drop)))
}

/// The strategy's parameters: how far from the quote orders rest (0: take at the market), and
/// every how many orders asks for too much.
pub(super) fn trading(offset: &str, greedy: &str) -> Vec<String> {
    let rest = if offset == "0" { "0" } else { "1" };
    [
        ("fast", "5"),
        ("slow", "20"),
        ("qty", "100000"),
        ("rest", rest),
        ("offset", offset),
        ("greedy", greedy),
    ]
    .into_iter()
    .map(|(key, value)| format!("{key}={value}"))
    .collect()
}

pub(super) fn draft_session(
    stage: &Stage,
    file: &str,
    name: &str,
    params: &[String],
) -> Result<(), CliError> {
    let (home, out) = (stage.text("home"), stage.text(file));
    let plugin = format!("ema-cross={}", stage.sha);
    let mut arguments = vec![
        "request",
        "session",
        "--home",
        &home,
        "--phase",
        "2",
        "--plugin",
        &plugin,
        "--instrument",
        SYMBOL,
        "--minutes",
        "30",
        "--session",
        name,
        "--out",
        &out,
    ];
    for param in params {
        arguments.extend(["--param", param]);
    }
    must(&arguments).map(drop)
}

/// Writes the pack of a session and has it sealed.
pub(super) fn pack_and_seal(
    stage: &mut Stage,
    session: &str,
    classification: &str,
    lesson: &str,
    gaps: &[&str],
) -> Result<PathBuf, CliError> {
    let home = stage.text("home");
    for gap in gaps {
        let reason = "The daemon was killed, and its next run began another epoch.";
        must(&["session", "note", session, reason, "--gap", gap, "--home", &home])?;
    }
    let said = must(&["pack", session, "--home", &home, "--lesson", lesson])?;
    let pack = said.field("pack").or_else(|| said.field("path")).map(PathBuf::from);
    let pack = pack.ok_or_else(|| unexpected("pack", &said.stdout))?;
    let folder = pack.display().to_string();
    let name = format!("requests/seal-{session}.json");
    let file = stage.text(&name);
    must(&[
        "request",
        "seal",
        "--home",
        &home,
        "--pack",
        &folder,
        "--classification",
        classification,
        "--out",
        &file,
    ])?;
    let people = signers(stage, &name)?;
    sign_all(stage, &name, &people)?;
    must(&["submit", &file, "--home", &home])?;
    if session == "first" {
        stage.packs.push(pack.clone());
    }
    Ok(pack)
}

/// What the journal's reconciliation entries say about an order.
pub(super) fn found_by_reconciliation(stage: &Stage, order: &str) -> Result<String, CliError> {
    let epochs = stage.home().join("epochs");
    let fault = |fault: &dyn std::fmt::Display| unexpected("the journal", &fault.to_string());
    let mut entries = Vec::new();
    for epoch in begun_epochs(&epochs).map_err(|error| fault(&error))? {
        let journal = portcullis_evidence::read(JournalFolder::of_epoch(&epochs, epoch));
        let journal = journal.map_err(|error| fault(&error))?;
        entries.extend(journal.entries);
    }
    let found = entries.iter().any(|entry| {
        let decoded = portcullis_core::entry::decode(entry);
        decoded.is_ok_and(|entry| {
            entry.kind == "reconciled" && entry.body.canonical_text().contains(order)
        })
    });
    if found {
        return Ok("reconciliation found it at the exchange and took it back".to_owned());
    }
    Err(unexpected("the journal", &format!("no reconciliation entry names {order}")))
}

pub(super) fn read_request(stage: &Stage, file: &str) -> Result<SignedBytes, CliError> {
    let file = RequestFile::read(&stage.path(file))?;
    Ok(client::signed_bytes(&file.signed))
}

/// Everybody who has to sign a request, in its order.
pub(super) fn signers(stage: &Stage, file: &str) -> Result<Vec<String>, CliError> {
    let file = RequestFile::read(&stage.path(file))?;
    Ok(file.envelope.header.signers.iter().map(|signer| signer.person.to_string()).collect())
}

pub(super) fn sign_all(stage: &Stage, file: &str, people: &[String]) -> Result<(), CliError> {
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    stage.sign(file, &people)
}

/// Sends an approval as it is, past the checks of the command line: the kernel must refuse it.
pub(super) fn open_raw(stage: &Stage, signed: &SignedBytes) -> Result<String, CliError> {
    refused_by_kernel(stage, &Request::Open(signed.clone()))
}

pub(super) fn submit_raw(stage: &Stage, file: &str) -> Result<String, CliError> {
    refused_by_kernel(stage, &Request::Statement(read_request(stage, file)?))
}

pub(super) fn refused_by_kernel(stage: &Stage, request: &Request) -> Result<String, CliError> {
    match client::ask(&stage.home().join("control.sock"), request, SOON) {
        Err(error) => Ok(error.code),
        Ok(_) => Err(unexpected("the kernel", "it accepted what it must refuse")),
    }
}

/// Changes one bit of a limit: what is left is a statement that says something else.
pub(super) fn flip_one_bit(bytes: &mut [u8]) {
    let key = b"\"price_collar_bps\":";
    let at = bytes.windows(key.len()).position(|window| window == key);
    let digits = bytes.iter_mut().skip(at.unwrap_or(0).saturating_add(key.len()));
    if let Some(digit) = digits.take_while(|byte| byte.is_ascii_digit()).last() {
        *digit ^= 1;
    }
}

/// Flips one bit in the middle of a pack's journal.
pub(super) fn flip_in_journal(pack: &Path) -> Result<(), CliError> {
    let path = pack.join("journal/000001.journal");
    let mut bytes = fs::read(&path).map_err(|e| unexpected("the copy", &e.to_string()))?;
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    fs::write(&path, bytes).map_err(|error| unexpected("the copy", &error.to_string()))
}

pub(super) fn copy_folder(from: &Path, to: &Path) -> Result<(), CliError> {
    let fault = |error: std::io::Error| unexpected("the copy", &error.to_string());
    fs::create_dir_all(to).map_err(fault)?;
    for entry in fs::read_dir(from).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target).map_err(fault)?;
        }
    }
    Ok(())
}

/// Drawn anew for each run; it works on this run's exchange alone.
pub(super) fn credential(stage: &Stage) -> Result<(String, String), CliError> {
    let key = crate::clock::nonce()?;
    let secret = crate::clock::nonce()?;
    fs::create_dir_all(stage.path("keys")).map_err(|e| unexpected("keys", &e.to_string()))?;
    // Hexadecimal digits in a multiple of four are base64 as they stand.
    Ok((format!("demo-{key}"), secret))
}

pub(super) fn ports(ready: &str) -> Option<(String, String)> {
    let text = fs::read_to_string(ready).ok()?;
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    let port = |side: &str| {
        let port = value.get(side)?.get("port")?.to_string();
        parse_scaled(&port, 0).is_ok().then_some(port)
    };
    Some((port("public")?, port("private")?))
}

pub(super) fn component_sha(stage: &Stage) -> Result<String, CliError> {
    let bytes = fs::read(&stage.component);
    let bytes = bytes.map_err(|error| unexpected("the component", &error.to_string()))?;
    Ok(portcullis_statement::Digest::of(&bytes).hex())
}

pub(super) fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let opened = fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| unexpected("the demo's folder", &error.to_string()))
}

pub(super) fn indent(text: &str) -> String {
    text.lines().map(|line| format!("   | {line}")).collect::<Vec<_>>().join("\n")
}
