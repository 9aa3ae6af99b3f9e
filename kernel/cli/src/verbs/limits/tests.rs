//! What two files differ in, what reaches the daemon, and what people read before they sign.

use std::fs;

use portcullis_control::{Answer, Reply};
use portcullis_statement::json::parse_canonical;
use portcullis_statement::{Digest, Statement, read_limits};

use super::*;
use crate::request_file::RequestFile;
use crate::testing::{People, Scratch};
use crate::testing::{daemon, frame};
use crate::verbs::request::Common;

fn policies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")
}

/// A home with a genesis and the project's policies, and the project's limits with some changes.
struct Scene {
    scratch: Scratch,
    home: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let scratch = Scratch::new("limits");
        let home = scratch.path().join("h");
        fs::create_dir_all(home.join("policies/instruments")).unwrap();
        fs::write(home.join("genesis.json"), &People::new().genesis.bytes).unwrap();
        for (name, bytes) in Policies::read(&policies()).unwrap().files {
            fs::write(home.join("policies").join(name), bytes).unwrap();
        }
        Self { scratch, home }
    }

    fn file(&self, name: &str, changes: &[(&str, &str)]) -> PathBuf {
        let mut text = fs::read_to_string(policies().join("limits.toml")).unwrap();
        for (from, to) in changes {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        let path = self.scratch.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

fn compare(scene: &Scene, changes: &[(&str, &str)]) -> String {
    let instruments = instruments(&Policies::read(&policies()).unwrap().all_instruments().unwrap());
    let read = |path: &Path| read_limits_file(path, &instruments).unwrap().value;
    let before = read(&policies().join("limits.toml"));
    let after = read(&scene.file("after.toml", changes));
    let keys = after.changes_from(&before, &instruments);
    difference(&keys, &before, &after)
}

#[test]
fn a_difference_names_keys_values_and_direction() {
    let scene = Scene::new();
    assert_eq!(compare(&scene, &[]), "nothing differs\n");
    let stricter = ("cooldown_ms = 0", "cooldown_ms = 5000");
    let looser = ("price_min = \"1000\"", "price_min = \"900\"");
    let text = compare(&scene, &[stricter]);
    assert!(text.starts_with("  STRICTER instruments.BTC-USDT.cooldown_ms: 0 -> 5000\n"), "{text}");
    assert!(text.ends_with("anyone with a role may do it at once\n"), "{text}");
    let text = compare(&scene, &[stricter, looser]);
    let line = "  LOOSER   instruments.BTC-USDT.price_min: 1000.00 -> 900.00\n  STRICTER";
    assert!(text.starts_with(line), "the looser ones stand first: {text}");
    assert!(text.contains("two people sign a limits-change"), "{text}");
    let text = compare(&scene, &[("2024-08-08T00:00:00Z", "2024-08-08T00:00:01Z")]);
    assert!(text.contains("LOOSER   conversions.USDT: 1 as of"), "no direction is looser: {text}");
    let before = policies().join("limits.toml");
    let after = scene.file("bad.toml", &[("trading_day = \"UTC\"\n", "")]);
    let args = DiffArgs { before, after, policies: policies(), json: false };
    assert_eq!(diff(&args).unwrap_err().code, "POLICY_SYNTAX");
}

#[test]
fn a_tightening_reaches_the_daemon_in_the_form_of_statements() {
    let scene = Scene::new();
    let file = scene.file("stricter.toml", &[("open_orders_max = 4", "open_orders_max = 3")]);
    let yes = Answer::last(Reply::Done { text: "1 keys are stricter".to_owned() });
    let server = daemon(scene.home.join("control.sock"), vec![frame(&yes)]);
    tighten(&TightenArgs { file, home: scene.home.clone() }).unwrap();
    let Request::Tighten { limits } = server.join().unwrap() else { panic!() };
    let instruments = instruments(&Policies::read(&policies()).unwrap().all_instruments().unwrap());
    let limits = read_limits(&parse_canonical(limits.as_bytes()).unwrap(), &instruments).unwrap();
    assert_eq!(limits.account.activity.open_orders_max, 3);
    assert_eq!((limits.instruments.len(), limits.strategies.len()), (2, 1));
    show(&ShowArgs { home: scene.home.clone(), json: true }).unwrap();
    show(&ShowArgs { home: scene.home, json: false }).unwrap();
}

#[test]
fn b4_people_read_what_changes_and_which_way_before_they_sign() {
    let scene = Scene::new();
    let changes =
        [("fees_max = \"5000\"", "fees_max = \"6000\""), ("cooldown_ms = 0", "cooldown_ms = 1")];
    let out = scene.scratch.path().join("limits.request");
    let args = LimitsChangeArgs {
        home: scene.home.clone(),
        before: policies().join("limits.toml"),
        after: scene.file("after.toml", &changes),
        before_digest: None,
        common: Common { out: out.clone(), signers: Vec::new() },
    };
    request_change(&args).unwrap();
    let file = RequestFile::read(&out).unwrap();
    let Statement::LimitsChange(body) = file.envelope.statement().unwrap() else { panic!() };
    assert_eq!(body.before, Digest::of(&fs::read(policies().join("limits.toml")).unwrap()));
    let text = crate::review::render(&file).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains(" -> ")).collect();
    assert_eq!(
        lines,
        [
            "  LOOSER   account.fees_max: 5000 -> 6000",
            "  STRICTER instruments.BTC-USDT.cooldown_ms: 0 -> 1"
        ]
    );
    assert!(text.contains("LIMITS-CHANGE") && text.contains("1 looser, 1 stricter"), "{text}");
    assert!(text.contains("gus as governance") && text.contains("olga as operator"), "{text}");
    let tightened = LimitsChangeArgs {
        before_digest: Some("0".repeat(64)),
        common: Common { out: scene.scratch.path().join("other.request"), signers: Vec::new() },
        ..args.clone()
    };
    request_change(&tightened).unwrap();
    let same = LimitsChangeArgs {
        after: args.before.clone(),
        common: Common { out: scene.scratch.path().join("same.request"), signers: Vec::new() },
        ..args
    };
    assert_eq!(request_change(&same).unwrap_err().code, "STATEMENT_MALFORMED");
}
