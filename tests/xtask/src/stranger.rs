//! `cargo xtask stranger`: evidence of a real session, judged with none of our code.
//!
//! Go's packages for transparency logs, `ssh-keygen -Y verify`, `sha256sum -c` and `openssl ts`
//! decide. What belongs to which file is read from the pack itself, as a stranger would.

use crate::build::{self, PROGRAMS, Profile};
use crate::demo;
use crate::process::{self, Failure};
use crate::setup;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the demo alters a copy of a pack.
const TAMPERED: &str = "tampered";

const NEXT: &str = "cargo xtask stranger";

/// The verb.
pub(crate) fn run() -> Result<(), Failure> {
    setup::ensure()?;
    setup::ensure_strangers()?;
    build()?;
    build::programs(&PROGRAMS, Profile::Debug)?;
    let component = build::shown_component()?;
    println!("{}", demo::checked(&component)?);
    let tests = ["test", "--package", "portcullis-tests", "--test", "it", "stranger::"];
    let mut tests = process::cargo(tests);
    tests.args(["--", "--nocapture"]);
    process::run(tests, "the ways to tamper", NEXT)
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err as it is")]
fn fault(cause: impl ToString) -> Failure {
    Failure::new("a stranger's judgement", cause.to_string(), NEXT)
}

/// Compiles the judge of logs against Debian's own copy of Go's packages.
pub(crate) fn build() -> Result<(), Failure> {
    let folder = process::target().join("stranger");
    fs::create_dir_all(&folder).map_err(fault)?;
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(folder.join("stranger"));
    for file in ["stranger.go", "witness.go"] {
        go.arg(process::project().join("tests/e2e/stranger").join(file));
    }
    go.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode").env_remove("GOFLAGS");
    go.env("GOCACHE", folder.join("cache"));
    process::run(go, "building the stranger", "cargo xtask setup")
}

/// Whether there is a judge of logs.
pub(crate) fn is_built() -> bool {
    process::target().join("stranger/stranger").is_file()
}

/// Everything in a demo's folder that a stranger can judge; says what it was, in numbers.
pub(crate) fn judge(demo: &Path) -> Result<String, Failure> {
    let packs = found(demo, "manifest.json")?;
    // A pack has the checkpoint alone, an epoch the tiles too.
    let mut logs: Vec<PathBuf> = found(demo, "checkpoint")?;
    logs.retain(|log| log.join("tile").is_dir());
    if packs.is_empty() {
        return Err(fault("the demo left no pack"));
    }
    let (mut signatures, mut refused) = (0, 0);
    let (whole, tampered): (Vec<_>, Vec<_>) =
        packs.into_iter().partition(|pack| !pack.ends_with(TAMPERED));
    for pack in &whole {
        if !sums_hold(pack)? {
            return Err(fault(format!("sha256sum: {} is altered", pack.display())));
        }
        let (good, bad) = statements(&pack.join("statements"))?;
        signatures += good;
        refused += bad;
        checkpoint_of(pack)?;
    }
    // The demo flipped a byte in a copy: a check that cannot fail would be none.
    let found = tampered.iter().map(|pack| Ok(!sums_hold(pack)?));
    let found: Vec<bool> = found.collect::<Result<_, Failure>>()?;
    if found.is_empty() || found.contains(&false) {
        return Err(fault("sha256sum does not see the byte that the demo flipped in a copy"));
    }
    let mut entries = 0;
    for log in &logs {
        entries += log_entries(log)?;
    }
    Ok(format!(
        "stranger: {} packs by sha256sum and their checkpoints by Go, {} altered one found, \
         {signatures} signatures by ssh-keygen, {refused} forged ones refused by it, {} logs with \
         {entries} entries by Go",
        whole.len(),
        found.len(),
        logs.len()
    ))
}

/// Whether `sha256sum` finds everything in a pack as it is listed.
fn sums_hold(pack: &Path) -> Result<bool, Failure> {
    let mut sums = Command::new("sha256sum");
    sums.args(["--check", "--strict", "--status", "SHA256SUMS"]).current_dir(pack);
    sums.status().map(|status| status.success()).map_err(fault)
}

/// The checkpoint of a pack, judged by Go under the key that the manifest names.
fn checkpoint_of(pack: &Path) -> Result<(), Failure> {
    let manifest = fs::read(pack.join("manifest.json")).map_err(fault)?;
    let manifest: Value = serde_json::from_slice(&manifest).map_err(fault)?;
    let file = pack.join("log/checkpoint");
    asked(&format!("signed\t{}\t{}\n", file.display(), text(&manifest, "key")?)).map(drop)
}

/// What the stranger answers to one request: the words behind "ok".
fn asked(request: &str) -> Result<String, Failure> {
    let questions = process::target().join("stranger").join("questions");
    fs::write(&questions, request).map_err(fault)?;
    let mut go = Command::new(process::target().join("stranger/stranger"));
    go.stdin(fs::File::open(questions).map_err(fault)?);
    let output = go.output().map_err(fault)?;
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = answer.strip_prefix("ok ").map(|words| words.trim_end().to_owned());
    found.ok_or_else(|| fault(format!("{}: {}", request.trim_end(), answer.trim_end())))
}

/// A whole log, judged by Go under the key that its first entry names. How many entries it has.
fn log_entries(log: &Path) -> Result<u64, Failure> {
    let key = log_key(log)?;
    let words = asked(&format!("log\t{}\t{key}\n", log.display()))?;
    let size = words.split(' ').next().and_then(|word| word.parse().ok());
    size.ok_or_else(|| fault(format!("{}: {words}", log.display())))
}

/// The key in the first entry of a log, which is the first of its first bundle.
fn log_key(log: &Path) -> Result<String, Failure> {
    let bundles = log.join("tile/entries");
    let full = bundles.join("000");
    let bytes = if full.is_file() { fs::read(full) } else { fs::read(widest(&bundles)?) };
    let bytes = bytes.map_err(fault)?;
    let leaf = bytes
        .split_first_chunk::<2>()
        .and_then(|(length, rest)| rest.get(..usize::from(u16::from_be_bytes(*length))));
    let entry: Value = serde_json::from_slice(leaf.unwrap_or_default()).map_err(fault)?;
    let key = entry.get("what").and_then(|what| what.get("key")).and_then(Value::as_str);
    let key = key.filter(|_| entry.get("kind").and_then(Value::as_str) == Some("epoch-began"));
    let none = || fault(format!("{}: the first entry names no key", log.display()));
    key.map(str::to_owned).ok_or_else(none)
}

/// The partial first bundle that was written last.
fn widest(bundles: &Path) -> Result<PathBuf, Failure> {
    let mut widest = None;
    for item in fs::read_dir(bundles.join("000.p")).map_err(fault)? {
        let path = item.map_err(fault)?.path();
        let width = path.file_name().and_then(|it| it.to_str()?.parse::<u16>().ok());
        widest = widest.max(width.map(|width| (width, path)));
    }
    widest.map(|(_, path)| path).ok_or_else(|| fault("a log without entries"))
}

/// The folders below `root` that hold a file of that name.
fn found(root: &Path, name: &str) -> Result<Vec<PathBuf>, Failure> {
    let mut folders = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for item in fs::read_dir(&folder).map_err(fault)? {
            let item = item.map_err(fault)?;
            if item.file_type().map_err(fault)?.is_dir() {
                open.push(item.path());
            } else if item.file_name() == name {
                folders.push(folder.clone());
            }
        }
    }
    Ok(folders)
}

/// Each signature of each statement in a folder, with the keys that its genesis lists; and each once
/// more over changed bytes, for another purpose and in another's name, which must be refused. How
/// many there were of both.
fn statements(folder: &Path) -> Result<(usize, usize), Failure> {
    let mut files = Vec::new();
    for path in listed(folder)? {
        if path.extension().is_some_and(|it| it == "json") {
            let bytes = fs::read(&path).map_err(fault)?;
            let statement: Value = serde_json::from_slice(&bytes).map_err(fault)?;
            files.push((path, bytes, statement));
        }
    }
    let people = files.iter().filter_map(|(.., it)| it.get("body")?.get("people")?.as_array());
    let people: Vec<&Value> = people.flatten().collect();
    let (mut good, mut bad) = (0, 0);
    for (path, bytes, statement) in &files {
        let Some(signers) = statement.get("signers").and_then(Value::as_array) else { continue };
        let kind = text(statement, "kind")?;
        let (allowed, namespace) = (allowed_signers(&people, kind)?, format!("portcullis-{kind}"));
        let signatures = signatures(folder, path)?;
        for signer in signers {
            let person = text(signer, "person")?;
            let by = |who: [&str; 2], message: &[u8]| -> Result<bool, Failure> {
                for signature in &signatures {
                    if verified(&allowed, who, signature, message)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            };
            if !by([person, &namespace], bytes)? {
                return Err(fault(format!("{}: not signed by {person}", path.display())));
            }
            let changed = [bytes.as_slice(), b" "].concat();
            let forged = [
                by([person, &namespace], &changed)?,
                by([person, "portcullis-other"], bytes)?,
                by(["nobody", &namespace], bytes)?,
            ];
            if forged.contains(&true) {
                return Err(fault(format!("{}: a forged signature passes", path.display())));
            }
            good += 1;
            bad += forged.len();
        }
    }
    if good == 0 { Err(fault("nothing is signed here")) } else { Ok((good, bad)) }
}

/// The signatures beside a statement: `NAME.json.1.sig` in a pack, `NAME.1.sig` in a home.
fn signatures(folder: &Path, statement: &Path) -> Result<Vec<PathBuf>, Failure> {
    let stem = statement.file_stem().map(|it| format!("{}.", it.to_string_lossy()));
    let of_it = |path: &PathBuf| {
        let name = path.file_name().map(|it| it.to_string_lossy().into_owned());
        let (name, stem) = (name.unwrap_or_default(), stem.as_deref().unwrap_or_default());
        name.starts_with(stem) && path.extension().is_some_and(|it| it == "sig")
    };
    Ok(listed(folder)?.into_iter().filter(of_it).collect())
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let items = fs::read_dir(folder).map_err(fault)?;
    items.map(|item| item.map(|it| it.path()).map_err(fault)).collect()
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, Failure> {
    let found = value.get(key).and_then(Value::as_str);
    found.ok_or_else(|| fault(format!("a statement has no {key}")))
}

fn allowed_signers(people: &[&Value], kind: &str) -> Result<String, Failure> {
    let line = |person: &&Value| {
        let (name, key) = (text(person, "name")?, text(person, "key")?);
        Ok(format!("{name} namespaces=\"portcullis-{kind}\" {key}\n"))
    };
    people.iter().map(line).collect()
}

/// Whether `ssh-keygen` takes the signature for that person's in that namespace.
fn verified(
    allowed: &str,
    [person, namespace]: [&str; 2],
    signature: &Path,
    message: &[u8],
) -> Result<bool, Failure> {
    let folder = process::target().join("stranger");
    let (list, input) = (folder.join("allowed_signers"), folder.join("message"));
    fs::write(&list, allowed).map_err(fault)?;
    fs::write(&input, message).map_err(fault)?;
    let mut command = Command::new("ssh-keygen");
    command.args(["-Y", "verify", "-n", namespace, "-I", person, "-f"]).arg(list);
    command.arg("-s").arg(signature).stdin(fs::File::open(input).map_err(fault)?);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().map_err(fault)?;
    Ok(status.success())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canary::Scratch;

    fn keygen(folder: &Path, arguments: &[&str]) {
        let mut command = Command::new("ssh-keygen");
        command.args(arguments).current_dir(folder).stdin(Stdio::null());
        let output = command.output().expect("ssh-keygen");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }

    #[test]
    fn a_signature_counts_only_for_whom_it_is_what_it_says() {
        let scratch = Scratch::new().expect("a folder");
        let folder = scratch.path();
        for person in ["ana", "bob"] {
            keygen(folder, &["-q", "-t", "ed25519", "-N", "", "-f", person]);
        }
        let key = |person: &str| fs::read_to_string(folder.join(format!("{person}.pub")));
        let people = ["ana", "bob"].map(|name| {
            let key = key(name).expect("a key");
            serde_json::json!({ "name": name, "key": key.trim_end() })
        });
        let signers = serde_json::json!([{ "person": "ana" }, { "person": "bob" }]);
        let genesis = serde_json::json!({
            "kind": "genesis", "signers": signers, "body": { "people": people },
        });
        fs::write(folder.join("genesis.json"), genesis.to_string()).expect("written");
        let sign = |person: &str, number: &str| {
            let namespace = "portcullis-genesis";
            keygen(folder, &["-q", "-Y", "sign", "-n", namespace, "-f", person, "genesis.json"]);
            let signature = format!("genesis.{number}.sig");
            fs::rename(folder.join("genesis.json.sig"), folder.join(signature)).expect("renamed");
        };
        sign("bob", "1");
        assert!(statements(folder).is_err(), "ana has not signed");
        sign("ana", "2");
        fs::create_dir_all(process::target().join("stranger")).expect("a folder");
        assert_eq!(statements(folder).expect("signed by both"), (2, 6));
        fs::write(folder.join("genesis.json"), format!("{genesis} ")).expect("written");
        assert!(statements(folder).is_err(), "the statement was changed");
    }
}
