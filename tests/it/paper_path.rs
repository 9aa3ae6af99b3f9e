//! The paper path as a whole, once: from a roster over a session that trades to a sealed pack that
//! verifies, with the daemon, the exchange and the command line as real processes.

use crate::canary;
use crate::house::{House, await_until};
use portcullis_control::StatusView;
use portcullis_statement::json::{Fields, Value, parse};
use std::collections::BTreeSet;
use std::path::PathBuf;

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

#[test]
fn p2_8_a_paper_session_trades_is_packed_sealed_and_verified() {
    let ended = Ended::new();
    check_orders(&ended);
    check_place(&ended);
    canary::check(&ended.house);
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
    check_ladder(&ended);
    check_renderings(&ended);
    // Without an anchor from outside the same pack proves no origin, and that is no success.
    assert_eq!(house.call(&["evidence", "verify", &folder]).code, 3);
}

/// The ladder counts what the journal says, without a daemon: the session is sealed, reconciled and
/// ended by a person, and only its shortness keeps it from being a success. A phase that it gates
/// stays shut, with exit code 5.
fn check_ladder(ended: &Ended) {
    let home = ended.house.text("home");
    let status = ended.house.must(&["phase", "status", "--home", &home, "--json"]);
    let document = parse(status.stdout.trim_end().as_bytes()).unwrap();
    let mut document = Fields::new(&document).unwrap();
    let [session] = document.list("sessions").unwrap() else { panic!("{status:?}") };
    let mut session = Fields::new(session).unwrap();
    assert_eq!(session.text("session").unwrap(), ended.session);
    assert_eq!(session.list("why_not").unwrap(), ["too short or empty".into()]);
    assert!(session.uint("orders").unwrap() > 0);
    let mut report = document.fields("report").unwrap();
    assert_eq!(report.text("target").unwrap(), "simulated");
    let lines = report.list("lines").unwrap();
    let met = |id: &str| {
        let lines = lines.iter().map(|line| Fields::new(line).unwrap());
        let mut lines = lines.map(|mut line| (line.text("id").unwrap(), line.bool("met").unwrap()));
        lines.find(|(found, _)| *found == id).unwrap().1
    };
    assert!(met("P2-R3"), "{status:?}");
    assert!(!met("P2-R1") && !met("P6-IN-2"), "{status:?}");
    let gated = ended.house.call(&["phase", "status", "--home", &home, "--entry-to", "6"]);
    assert_eq!(gated.code, 5, "{gated:?}");
}

/// Renderings belong to a pack: verify makes them again, and one that shows something else fails.
fn check_renderings(ended: &Ended) {
    let (house, folder) = (&ended.house, ended.pack.display().to_string());
    let pin = house.text("pin");
    let verify = || house.call(&["evidence", "verify", &folder, "--trust", &pin]);
    assert!(verify().stdout.contains("none were made"));
    house.must(&["scribe", "render", &folder]);
    let verified = verify();
    assert!(verified.code == 0 && verified.stdout.contains("rendered again"), "{verified:?}");
    let report = ended.pack.join("renderings/report.html");
    let page = std::fs::read_to_string(&report).unwrap();
    std::fs::write(&report, page.replacen("<html", "<HTML", 1)).unwrap();
    let altered = verify();
    assert_eq!(altered.code, 5, "{altered:?}");
    assert!(altered.stderr.contains("RENDERINGS_DAMAGED"), "{altered:?}");
    std::fs::remove_dir_all(ended.pack.join("renderings")).unwrap();
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
