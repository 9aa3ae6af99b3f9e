//! The paper path as a whole, once: from a roster over a session that trades to a sealed pack that
//! verifies, with the daemon, the exchange and the command line as real processes.

use crate::house::{House, await_until};
use flate2::read::MultiGzDecoder;
use portcullis_control::StatusView;
use portcullis_statement::json::{Fields, Value, parse};
use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

const SESSION_PHASE: &str = "paper";

/// A phase-2 session that traded and rested an order, closed, packed, sealed by two people.
struct Ended {
    house: House,
    session: String,
    pack: PathBuf,
}

impl Ended {
    fn new() -> Self {
        let mut house = House::ready();
        let view = house.perform("both", |view: &StatusView| {
            let traded = view.positions.iter().any(|position| position.fees != "0");
            traded && view.orders.iter().any(|order| order.status == "new")
        });
        let session = view.session.expect("an open session");
        let home = house.text("home");
        house.must(&["close", "--home", &home, "--reason", "enough"]);
        let ended = |view: &StatusView| view.session.is_none() && view.orders.is_empty();
        house.await_status("the end of the session", ended);
        let lesson = ["--lesson", "the whole path was walked"];
        let said =
            house.must(&[&["pack", &session, "--home", &home], &lesson[..], &["--json"]].concat());
        let document = parse(said.stdout.trim_end().as_bytes()).unwrap();
        let pack = PathBuf::from(text_of(&document, "path"));
        let folder = pack.display().to_string();
        let seal = house.signed(&["seal", "--pack", &folder, "--classification", "green"]);
        house.must(&["submit", &seal, "--home", &home]);
        await_until("the seal", || pack.join("statements/seal.json").is_file().then_some(()));
        house.stop();
        Self { house, session, pack }
    }
}

fn text_of(document: &Value, key: &str) -> String {
    Fields::new(document).unwrap().text(key).unwrap().to_owned()
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    entries.flat_map(below).collect()
}

#[test]
fn p2_8_a_paper_session_trades_is_packed_sealed_and_verified() {
    let ended = Ended::new();
    check_orders(&ended);
    check_place(&ended);
    check_no_secret(&ended);
    let (house, folder) = (&ended.house, ended.pack.display().to_string());
    let pin = house.text("pin");
    let verified = house.must(&["evidence", "verify", &folder, "--trust", &pin]);
    assert!(verified.stdout.starts_with("SIMULATED"), "{verified:?}");
    // On any machine the journal comes out again, byte for byte, and the plugin's every answer.
    let sandbox = house.sandbox.display().to_string();
    let again =
        house.must(&["evidence", "replay", &folder, "--trust", &pin, "--sandbox", &sandbox]);
    assert!(again.stdout.ends_with("EQUAL\n"), "{again:?}");
    assert!(!again.stdout.contains(" 0 answers equal"), "{again:?}");
    // Without an anchor from outside the same pack proves no origin, and that is no success.
    assert_eq!(house.call(&["evidence", "verify", &folder]).code, 3);
}

/// What the exchange was asked for is what was approved: each order under its own id, once. What
/// was approved and did not leave, because the session was closing, is on record as that.
fn check_orders(ended: &Ended) {
    let journal = ended.house.journal();
    let of_kind = |kind: &str| {
        journal.iter().filter(|it| it.kind == kind).map(|it| it.corr.clone()).collect::<Vec<_>>()
    };
    let (ordered, asked) = (of_kind("ordered"), ended.house.orders_at_exchange());
    let distinct: BTreeSet<&String> = asked.iter().collect();
    assert!(asked.len() >= 2, "{asked:?}");
    assert_eq!(distinct.len(), asked.len(), "an id was used twice");
    assert!(asked.iter().all(|id| ordered.contains(id)), "{asked:?} {ordered:?}");
    assert_eq!(ordered.len(), asked.len() + of_kind("not-sent").len());
    assert_eq!(of_kind("session-opened").len(), of_kind("session-closed").len());
}

/// X14: `reports/<phase>_sessions/YYYYMMDD_HHMMSS_<session>`, in the home.
fn check_place(ended: &Ended) {
    let reports = ended.house.path("home/reports").join(format!("{SESSION_PHASE}_sessions"));
    assert_eq!(ended.pack.parent(), Some(reports.as_path()));
    let name = ended.pack.file_name().unwrap().to_str().unwrap();
    let stamp = name.strip_suffix(&format!("_{}", ended.session)).expect(name);
    let shape: String =
        stamp.chars().map(|it| if it.is_ascii_digit() { '9' } else { it }).collect();
    assert_eq!(shape, "99999999_999999", "{name}");
}

/// The bytes of a file, decompressed where that is what it holds.
fn contents(file: &Path) -> Vec<u8> {
    let bytes = fs::read(file).unwrap();
    if file.extension().is_none_or(|it| it != "gz") {
        return bytes;
    }
    let mut whole = Vec::new();
    MultiGzDecoder::new(&bytes[..]).read_to_end(&mut whole).unwrap();
    whole
}

/// X4: the venue's secret and the people's private keys lie where they belong and nowhere else.
fn check_no_secret(ended: &Ended) {
    let house = &ended.house;
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    let venue = parse(read(&house.path("venue.json")).as_bytes()).unwrap();
    let mut secrets = vec![text_of(&venue, "secret")];
    let people = files(&house.path("keys")).into_iter().filter(|it| it.extension().is_none());
    // The fourth line of 70 letters of an OpenSSH key is the one that holds its seed.
    secrets.extend(people.map(|key| read(&key).lines().nth(4).expect("a key").to_owned()));
    assert!(secrets.len() >= 4 && secrets.iter().all(|it| it.len() >= 12), "{}", secrets.len());
    let belongs = [house.path("venue.json"), house.path("accounts.json")];
    let (keys, home) = (house.path("keys"), house.path("home"));
    let looked = files(home.parent().unwrap());
    for file in looked.iter().filter(|it| !belongs.contains(it) && !it.starts_with(&keys)) {
        let bytes = contents(file);
        for secret in &secrets {
            let found = bytes.windows(secret.len()).any(|it| it == secret.as_bytes());
            assert!(!found, "{} holds a secret", file.display());
        }
    }
    assert!(looked.len() > 20, "only {} files", looked.len());
}
