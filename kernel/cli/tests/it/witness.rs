//! A witness as a process that is killed at any moment: whatever it answered is one history.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use portcullis_domain::Name;
use portcullis_evidence::Digest;
use portcullis_evidence::log::{LogFiles, TileReader, TileWriter, prove_consistency};
use portcullis_statement::note::{Burn, Checkpoint, KeyKind, Note, NoteSigner, VerifierKey};

const ORIGIN: &str = "portcullis/host-1/acct/1/simulated";
const OF: &str = "portcullis/host-1/acct";

/// A folder of its own, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = format!("portcullis-witness-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn portcullis(args: &[&str]) -> (bool, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_portcullis")).args(args).output().unwrap();
    let text = [run.stdout, run.stderr].concat();
    (run.status.success(), String::from_utf8(text).unwrap())
}

/// A witness that serves, killed at the latest when it is dropped.
struct Served {
    child: Child,
    address: SocketAddr,
}

impl Served {
    fn new(state: &Path) -> Self {
        let state = state.to_str().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(["witness", "serve", "--state", state, "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let (_, address) = line.trim_end().rsplit_once("http://").unwrap();
        let address = address.parse().unwrap();
        Self { child, address }
    }

    /// As `kill -9` ends it.
    fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Status and body of an answer, if one came.
fn ask(address: SocketAddr, path: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let length = body.len();
    let text = format!("POST {path} HTTP/1.1\r\nHost: w\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(text.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "))?;
    (length.parse() == Ok(body.len())).then(|| (status, body.to_owned()))
}

/// A log of these leaves.
struct Tree {
    tiles: TileWriter,
}

impl Tree {
    fn new(folder: PathBuf, leaves: &[String]) -> Self {
        let mut tiles = TileWriter::new(LogFiles::new(folder));
        for leaf in leaves {
            tiles.push(leaf.as_bytes()).unwrap();
        }
        tiles.flush().unwrap();
        Self { tiles }
    }

    fn checkpoint(&self) -> Checkpoint {
        let (size, root) = (self.tiles.size(), self.tiles.root());
        Checkpoint { origin: ORIGIN.to_owned(), size, root }
    }

    fn asked(&self, key: &NoteSigner, old: u64) -> String {
        let mut reader = TileReader::new(self.tiles.files().clone(), self.tiles.size());
        let proof = prove_consistency(&mut reader, old, self.tiles.size()).unwrap();
        let hashes: String = proof.iter().map(|hash| hash.base64() + "\n").collect();
        format!("old {old}\n{hashes}\n{}", self.checkpoint().sign(key).unwrap())
    }
}

fn log_key() -> NoteSigner {
    NoteSigner::from_seed(ORIGIN, KeyKind::Ed25519, [3; 32]).unwrap()
}

/// A new witness that trusts the log, and its public key.
fn made(scratch: &Scratch) -> (PathBuf, VerifierKey) {
    let state = scratch.0.join("w1");
    let folder = state.to_str().unwrap();
    let (made, text) = portcullis(&[
        "witness",
        "init",
        folder,
        "--name",
        "w1",
        "--domain",
        "same-host",
        "--operator",
        "eve",
    ]);
    assert!(made, "{text}");
    let key = text.lines().find_map(|line| line.strip_prefix("vkey")).unwrap().trim();
    let key = VerifierKey::parse(key).unwrap();
    assert_eq!((key.kind(), key.name()), (KeyKind::Cosignature, "w1"));
    let (trusts, text) =
        portcullis(&["witness", "trust", folder, &log_key().verifier().to_string()]);
    assert!(trusts, "{text}");
    (state, key)
}

/// What a generator of whole numbers draws next: the moments of the kills are many, and the same
/// in each run of the test.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// A11: killed at any moment, and asked for two histories at once, it signs one root of a size.
#[test]
fn a11_a_witness_killed_at_any_moment_signs_one_history() {
    let scratch = Scratch::new("kill");
    let (state, key) = made(&scratch);
    let log = log_key();
    let mut seed = 7;
    let mut signed: BTreeMap<u64, Digest> = BTreeMap::new();
    let mut base: Vec<String> = vec![];
    for round in 0..24_u32 {
        let fork = |side: &str| {
            let leaves = [base.clone(), vec![format!("{side} {round}")]].concat();
            let folder = scratch.0.join(format!("{side}-{round}"));
            (Tree::new(folder, &leaves), leaves)
        };
        let (sides, old) = ([fork("a"), fork("b")], u64::try_from(base.len()).unwrap());
        let answers = Mutex::new(Vec::new());
        let mut served = Served::new(&state);
        thread::scope(|scope| {
            for (tree, _) in &sides {
                let (address, asked) = (served.address, tree.asked(&log, old));
                let answers = &answers;
                scope.spawn(move || {
                    if let Some((200, line)) = ask(address, "/add-checkpoint", &asked) {
                        answers.lock().unwrap().push((tree.checkpoint(), line));
                    }
                });
            }
            thread::sleep(Duration::from_micros(next(&mut seed).rem_euclid(12_000)));
            served.kill();
        });
        // What was lost on the way is asked for again, one side after the other.
        let served = Served::new(&state);
        for (tree, _) in &sides {
            for old in [old, tree.tiles.size()] {
                if let Some((200, line)) =
                    ask(served.address, "/add-checkpoint", &tree.asked(&log, old))
                {
                    answers.lock().unwrap().push((tree.checkpoint(), line));
                }
            }
        }
        for (checkpoint, line) in answers.into_inner().unwrap() {
            let note = format!("{}{line}", checkpoint.sign(&log).unwrap());
            assert!(Note::parse(note.as_bytes()).unwrap().cosigned_at(&key).is_ok());
            let before = signed.insert(checkpoint.size, checkpoint.root);
            assert!(before.is_none_or(|root| root == checkpoint.root), "two roots of one size");
        }
        let root = signed[&(old + 1)];
        let won = sides.into_iter().find(|(tree, _)| tree.tiles.root() == root);
        base = won.unwrap().1;
    }
    assert_eq!(signed.len(), 24);
}

/// A11: killed at any moment, it signs at most one burn of a nonce.
#[test]
fn a11_a_witness_killed_at_any_moment_burns_once() {
    let scratch = Scratch::new("burn");
    let (state, key) = made(&scratch);
    let log = log_key();
    let tree = Tree::new(scratch.0.join("log"), &["began".to_owned()]);
    let (mut seed, mut burned) = (11, 0);
    {
        let served = Served::new(&state);
        assert_eq!(ask(served.address, "/add-checkpoint", &tree.asked(&log, 0)).unwrap().0, 200);
    }
    for round in 0..24_u32 {
        let burn = |session: &str| Burn {
            installation: OF.to_owned(),
            session: Name::new(session).unwrap(),
            nonce: format!("{round:032x}"),
            approval: Digest::of(b"approval"),
            run: 1,
            journal: tree.checkpoint(),
        };
        let answers = Mutex::new(Vec::new());
        let ask_for = |address, session: &str| {
            let asked = Note::sign(&burn(session).text(), &log).unwrap().to_string();
            if let Some((200, note)) = ask(address, "/burn", &asked) {
                let note = Note::parse(note.as_bytes()).unwrap();
                assert!(note.cosigned_at(&key).is_ok());
                answers.lock().unwrap().push(note.text().to_owned());
            }
        };
        let mut served = Served::new(&state);
        thread::scope(|scope| {
            for session in ["s-1", "s-2"] {
                let (ask_for, address) = (&ask_for, served.address);
                scope.spawn(move || ask_for(address, session));
            }
            thread::sleep(Duration::from_micros(next(&mut seed).rem_euclid(12_000)));
            served.kill();
        });
        let served = Served::new(&state);
        // Whoever only reaches the witness burns nothing.
        assert_eq!(ask(served.address, "/burn", &burn("s-1").text()).unwrap().0, 400);
        for session in ["s-1", "s-2", "s-1"] {
            ask_for(served.address, session);
        }
        let answers = answers.into_inner().unwrap();
        assert!(answers.len() <= 1, "{answers:?}");
        burned += answers.len();
    }
    assert!(burned > 0);
}

/// Two processes never sign from one folder, and what is no request is refused by name.
#[test]
fn one_process_serves_and_strangers_get_a_word() {
    let scratch = Scratch::new("one");
    let (state, _) = made(&scratch);
    let served = Served::new(&state);
    let folder = state.to_str().unwrap();
    let (other, text) =
        portcullis(&["witness", "serve", "--state", folder, "--listen", "127.0.0.1:0"]);
    assert!(!other && text.contains("WITNESS_LOCKED"), "{text}");
    let (open, text) =
        portcullis(&["witness", "serve", "--state", folder, "--listen", "0.0.0.0:0"]);
    assert!(!open && (text.contains("LISTEN_FORM") || text.contains("WITNESS_LOCKED")), "{text}");
    for (path, body, status) in
        [("/add-checkpoint", "x", 400), ("/burn", "x", 400), ("/else", "", 404)]
    {
        assert_eq!(ask(served.address, path, body).unwrap().0, status, "{path}");
    }
}

/// A peer that holds its connections open, or asks without end, is refused; then it may ask again.
#[test]
fn a_peer_that_floods_is_refused() {
    let scratch = Scratch::new("flood");
    let (state, _) = made(&scratch);
    let served = Served::new(&state);
    let held: Vec<_> = (0..8).map(|_| TcpStream::connect(served.address).unwrap()).collect();
    // Nobody reads what it asks, so the word may be lost with the connection.
    let refused = ask(served.address, "/else", "");
    assert!(refused.is_none_or(|(status, _)| status == 429));
    drop(held);
    let mut tries = (0..500).map(|_| {
        thread::sleep(Duration::from_millis(10));
        ask(served.address, "/else", "").map(|(status, _)| status)
    });
    assert!(tries.any(|status| status == Some(404)), "it never got a place again");
}
