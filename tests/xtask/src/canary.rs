//! No secret lies where it does not belong: the canary check of a demo's folder.
//!
//! The venue's secret and the seed of each person's key are looked for in every file that the demo
//! made: home, journal, packs, logs, requests, wire log, compressed chunks too. They must be found
//! in the files that hold them, or the check has looked for the wrong thing, and in no other.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the venue's secret belongs: with the exchange, and with the daemon's credential.
const VENUE_FILES: [&str; 2] = ["exchange/credentials.json", "keys/venue.json"];
/// Where people's private keys belong.
const KEYS: &str = "keys";
/// Where the seed lies in an unencrypted OpenSSH key of Ed25519, behind names and public key.
const SEED_AT: std::ops::Range<usize> = 161..193;

/// One secret in one of the forms in which it might be written.
struct Secret {
    name: String,
    form: &'static str,
    bytes: Vec<u8>,
    belongs: Vec<PathBuf>,
}

/// Looks through the folder of one demo. Returns what was looked at, in numbers.
pub(crate) fn check(demo: &Path) -> Result<String, String> {
    let secrets = secrets(demo)?;
    let files = files(demo).map_err(|error| format!("{}: {error}", demo.display()))?;
    let mut faults = Vec::new();
    let mut found = vec![false; secrets.len()];
    for file in &files {
        let bytes = contents(file)?;
        for (secret, found) in secrets.iter().zip(&mut found) {
            if !holds(&bytes, &secret.bytes) {
                continue;
            }
            if secret.belongs.contains(file) {
                *found = true;
            } else {
                let Secret { name, form, .. } = secret;
                faults.push(format!("{} holds {name} ({form})", file.display()));
            }
        }
    }
    let written = secrets.iter().zip(&found).filter(|(secret, _)| secret.form == "as written");
    for (secret, _) in written.filter(|(_, found)| !**found) {
        faults.push(format!("{} is not even where it belongs", secret.name));
    }
    if faults.is_empty() {
        return Ok(format!("{} secret forms, {} files", secrets.len(), files.len()));
    }
    Err(faults.join("; "))
}

fn secrets(demo: &Path) -> Result<Vec<Secret>, String> {
    let read = |path: &Path| {
        fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let venue = read(&demo.join(KEYS).join("venue.json"))?;
    let secret = venue.split("\"secret\":\"").nth(1).and_then(|rest| rest.split('"').next());
    let secret = secret.filter(|it| it.len() >= 16).ok_or("keys/venue.json names no secret")?;
    let mut secrets = vec![Secret {
        name: "the venue's secret".to_owned(),
        form: "as written",
        bytes: secret.as_bytes().to_vec(),
        belongs: VENUE_FILES.iter().map(|name| demo.join(name)).collect(),
    }];
    let entries = fs::read_dir(demo.join(KEYS)).map_err(|error| format!("keys: {error}"))?;
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.extension().is_none() {
            secrets.extend(key(&path, &read(&path)?)?);
        }
    }
    if secrets.len() == 1 {
        return Err("no person has a private key".to_owned());
    }
    Ok(secrets)
}

/// The seed of a private key: as its file holds it, as it is, and in hexadecimal digits.
fn key(path: &Path, text: &str) -> Result<[Secret; 3], String> {
    let no_key = || format!("{}: not an unencrypted OpenSSH key", path.display());
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("-----")).collect();
    let decoded = base64(&lines.concat()).ok_or_else(no_key)?;
    let known = decoded.starts_with(b"openssh-key-v1\0\0\0\0\x04none");
    let seed = decoded.get(SEED_AT).filter(|_| known).ok_or_else(no_key)?;
    // Lines of 70 letters: the fourth is the one that holds the seed.
    let line = lines.get(3).ok_or_else(no_key)?;
    let digits = seed.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let hex: String = digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok([("as written", line.as_bytes().to_vec()), ("raw", seed.to_vec()), ("hex", hex.into())].map(
        |(form, bytes)| Secret {
            name: format!("the private key of {name}"),
            form,
            bytes,
            belongs: vec![path.to_path_buf()],
        },
    ))
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            found.extend(files(&entry.path())?);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// The bytes of a file, decompressed where that is what it holds.
fn contents(file: &Path) -> Result<Vec<u8>, String> {
    if file.extension().is_none_or(|it| it != "gz") {
        return fs::read(file).map_err(|error| format!("{}: {error}", file.display()));
    }
    let output = Command::new("gzip").arg("-dc").arg(file).output();
    let output = output.map_err(|error| format!("gzip: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(format!("{}: gzip {}", file.display(), output.status))
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0_u32);
    for letter in text.bytes().take_while(|letter| *letter != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = (held << 6) | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// Where a demo of ours lies while it is looked at; gone with it.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// A folder with a short name: sockets lie below it.
    pub(crate) fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("portcullis-{}", std::process::id()));
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The one folder in it.
    pub(crate) fn only_folder(&self) -> Result<PathBuf, String> {
        let entries = fs::read_dir(&self.0).map_err(|error| error.to_string())?;
        let mut folders: Vec<PathBuf> =
            entries.filter_map(|it| Some(it.ok()?.path())).filter(|it| it.is_dir()).collect();
        match (folders.pop(), folders.is_empty()) {
            (Some(folder), true) => Ok(folder),
            _ => Err(format!("{} does not hold one demo", self.0.display())),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is a folder in the system's own place for such folders.
        drop(fs::remove_dir_all(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A demo's folder with a key of `ssh-keygen`, and what leaked into it. `{line}` and `{hex}` in
    /// a leak stand for the key's seed in that form.
    fn planted(number: u8, leaks: &[(&str, &str)]) -> Result<String, String> {
        let name = format!("portcullis-canary-{}-{number}", std::process::id());
        let scratch = Scratch(std::env::temp_dir().join(name));
        fs::create_dir_all(scratch.path().join(KEYS)).unwrap();
        let ana = scratch.path().join("keys/ana");
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "ana", "-f"]).arg(&ana);
        assert!(keygen.status().unwrap().success());
        let [line, _, hex] = key(&ana, &fs::read_to_string(&ana).unwrap()).unwrap();
        let text = |secret: Secret| String::from_utf8(secret.bytes).unwrap();
        let (line, hex) = (text(line), text(hex));
        let secret = "{\"key\":\"k\",\"secret\":\"0123456789abcdef\"}";
        let demo = [("keys/venue.json", secret), ("exchange/credentials.json", secret)];
        for (name, text) in demo.iter().chain(leaks) {
            let path = scratch.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text.replace("{line}", &line).replace("{hex}", &hex)).unwrap();
        }
        check(scratch.path())
    }

    #[test]
    fn a_secret_is_found_wherever_it_does_not_belong() {
        assert_eq!(planted(0, &[]), Ok("4 secret forms, 4 files".to_owned()));
        let check = |number, name: &str, text: &str, expect: &str| {
            let faults = planted(number, &[("logs/clean", "nothing"), (name, text)]).unwrap_err();
            assert!(faults.ends_with(expect), "{faults}");
        };
        let venue = "holds the venue's secret (as written)";
        check(1, "logs/b.log", "x 0123456789abcdef y", venue);
        check(2, "home/journal/j", "{hex}", "holds the private key of ana (hex)");
        check(3, "requests/r.json", "{line}", "holds the private key of ana (as written)");
        check(4, "keys/eve", "no key", "keys/eve: not an unencrypted OpenSSH key");
    }
}
