//! From the command line to a request file that the roster's people can sign and the rules accept.

use std::fs;

use portcullis_control::{Answer, DraftView, EndpointView, ReleaseView};
use portcullis_statement::{Statement, Trust};

use super::*;
use crate::home::Policies;
use crate::inspect::tests::{proof, sandbox};
use crate::keygen::Words;
use crate::testing::Scratch;
use crate::testing::{daemon, frame};
use crate::verbs::init::{self, DEMO_PEOPLE};
use crate::verbs::sign::sign_file;

/// A fresh demo home with its keys.
struct Scene {
    scratch: Scratch,
    init: init::Args,
}

impl Scene {
    fn new() -> Self {
        let scratch = Scratch::new("request");
        let init = init::tests::args(scratch.path());
        init::make(&init, clock::now().unwrap(), clock::nonce().unwrap()).unwrap();
        Self { scratch, init }
    }

    fn common(&self, name: &str) -> Common {
        Common { out: self.scratch.path().join(name), signers: Vec::new() }
    }

    fn endpoint(&self, name: &str) -> EndpointArgs {
        EndpointArgs {
            home: self.init.home.clone(),
            endpoint: EndpointChoice::Simulated,
            venue: VenueChoice::Binance,
            public_port: 9001,
            private_port: 9002,
            common: self.common(name),
        }
    }

    /// Signs with everybody who is listed and lets the genesis judge the result.
    fn verified(&self, path: &Path) -> Statement {
        let keys = self.init.keys.clone().unwrap();
        let signers = RequestFile::read(path).unwrap().envelope.header.signers;
        assert!(signers.iter().all(|s| DEMO_PEOPLE.iter().any(|p| p.0 == s.person.as_str())));
        for signer in signers {
            let person = signer.person.as_str();
            sign_file(path, &keys.join(person), person, Words::Kept).unwrap();
        }
        let file = RequestFile::read(path).unwrap();
        let phases = Policies::read(&self.init.home.join("policies")).unwrap().phases.value;
        let now = clock::now().unwrap();
        let verified = self.trust(now).verify(&file.signed, &phases, now);
        assert_eq!(verified.map(|v| v.digest()), Ok(Digest::of(&file.signed.bytes)));
        file.envelope.statement().unwrap()
    }

    fn trust(&self, now: WallNs) -> Trust {
        let read = |name: &str| fs::read_to_string(self.init.home.join(name)).unwrap();
        let signatures = (1..=4).map(|n| read(&format!("genesis.{n}.sig"))).collect();
        let bytes = read("genesis.json").into_bytes();
        let pin = Digest::from_hex(fs::read_to_string(&self.init.pin).unwrap().trim()).unwrap();
        let genesis = portcullis_statement::SignedStatement { bytes, signatures };
        Trust::genesis(&genesis, pin, now).unwrap()
    }
}

#[test]
fn an_endpoint_set_and_a_release_are_drafted_signed_and_believed() {
    let scene = Scene::new();
    let args = scene.endpoint("endpoint.request");
    endpoint_set(&args).unwrap();
    let Statement::EndpointSet(set) = scene.verified(&args.common.out) else { panic!() };
    assert_eq!(set.venue, Venue::Binance);
    assert_eq!(endpoint_set(&args).unwrap_err().code, "FILE_EXISTS");

    let component = scene.scratch.path().join("ema-cross.wasm");
    fs::write(&component, b"component").unwrap();
    let release = ReleaseArgs {
        home: scene.init.home.clone(),
        component,
        author: "ana".to_owned(),
        phase_max: 3,
        plugin: None,
        release_seq: 1,
        sandbox: Some(sandbox(scene.scratch.path(), &proof(b"component"))),
        common: scene.common("release.request"),
    };
    plugin_release(&release).unwrap();
    let Statement::PluginRelease(body) = scene.verified(&release.common.out) else { panic!() };
    assert_eq!((body.plugin.as_str(), body.phase_max), ("ema-cross", Phase::BoundedAuto));
    let other = |change: fn(&mut ReleaseArgs), code: &str| {
        let mut args = ReleaseArgs { common: scene.common("other"), ..release.clone() };
        change(&mut args);
        assert_eq!(plugin_release(&args).unwrap_err().code, code);
    };
    other(|args| args.author = "gus".to_owned(), "SIGNER_MISSING");
    other(|args| args.author = "Ana".to_owned(), "NAME_FORM");
    other(|args| args.phase_max = 8, "PHASE_FORM");
    other(|args| args.home.push("x"), "HOME_NOT_FOUND");
    other(|args| args.common.signers = vec!["olga".to_owned()], "SIGNER_FORM");
    other(|args| args.common.signers = vec!["gus:author".to_owned()], "SIGNER_UNKNOWN");
    other(|args| args.common.out.push("deep/er"), "FILE_NOT_FOUND");
}

fn draft_view(scene: &Scene, session: &str) -> DraftView {
    let text = |text: &str| text.to_owned();
    let policies = Policies::read(&scene.init.home.join("policies")).unwrap();
    DraftView {
        session: text(session),
        build: text("0.1.0"),
        origin: text("portcullis/host-1/acct/1/simulated"),
        key: text("host-1+00000000+key"),
        size: 4,
        root: Digest::of(b"root").hex(),
        kill_seq: 0,
        kill_entry: None,
        phases_digest: policies.phases.digest.hex(),
        safety_digest: policies.safety.digest.hex(),
        positions: Vec::new(),
        balances: [(text("USDT"), text("1000"))].into(),
        releases: vec![ReleaseView {
            release: Digest::of(b"release").hex(),
            component: Digest::of(b"component").hex(),
            plugin: text("ema-cross"),
            author: text("ana"),
            phase_max: 3,
            release_seq: 1,
        }],
        endpoints: vec![EndpointView {
            endpoint: Digest::of(b"endpoint").hex(),
            kind: text("simulated"),
            venue: text("binance"),
        }],
    }
}

#[test]
fn a_session_is_drafted_from_what_the_daemon_says() {
    let scene = Scene::new();
    let args = SessionArgs {
        home: scene.init.home.clone(),
        phase: 2,
        plugins: vec![format!("ema-cross={}", Digest::of(b"component"))],
        params: vec!["fast=5".to_owned()],
        instruments: vec!["BTC-USDT".to_owned()],
        minutes: 60,
        session: Some("s1".to_owned()),
        endpoint: None,
        balances: Vec::new(),
        equity_max: None,
        latency_ms: 2,
        fuel: 10_000_000,
        common: scene.common("session.request"),
    };
    assert_eq!(session(&args).unwrap_err().exit, Exit::Unreachable);
    let socket = scene.init.home.join("control.sock");
    let answer = Answer::last(Reply::Draft(draft_view(&scene, "s1")));
    let server = daemon(socket.clone(), vec![frame(&answer)]);
    session(&args).unwrap();
    assert_eq!(server.join().unwrap(), Request::Draft { session: name("session", "s1").unwrap() });
    let Statement::SessionApproval(body) = scene.verified(&args.common.out) else { panic!() };
    assert_eq!((body.session.as_str(), body.plugins.len()), ("s1", 1));
    let file = RequestFile::read(&args.common.out).unwrap();
    let text = crate::review::render(&file).unwrap();
    for part in [
        "fast = 5",
        "8136.48 USD",
        "loss limit       5000 USD",
        "order_qty_max            0.05000000 base currency",
        "order_notional_max       4000 quote currency",
        "at most 1100 USD",
        "1000 USDT",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }

    fs::remove_file(&socket).unwrap();
    let killed = DraftView { kill_entry: Some("0".repeat(64)), ..draft_view(&scene, "s1") };
    let server = daemon(socket, vec![frame(&Answer::last(Reply::Draft(killed)))]);
    let again = SessionArgs { common: scene.common("again.request"), ..args };
    assert_eq!(session(&again).unwrap_err().exit, Exit::KillEngaged);
    server.join().unwrap();
}

/// A stop is named by what status shows of it; the daemon is not asked again.
#[test]
fn a_stop_is_lifted_and_left_by_number_and_entry() {
    let scene = Scene::new();
    let entry = Digest::of(b"stop");
    let target = TargetArgs { stop: Some(3), entry: Some(entry.hex()) };
    let args = UnkillArgs {
        home: scene.init.home.clone(),
        reason: "feed mended".to_owned(),
        target: target.clone(),
        common: scene.common("unkill.request"),
    };
    unkill(&args).unwrap();
    let Statement::Unkill(body) = scene.verified(&args.common.out) else { panic!() };
    assert_eq!(body.target, Target::stop(3, entry));
    let bad = TargetArgs { entry: Some("x".to_owned()), ..target.clone() };
    let bad = UnkillArgs { target: bad, common: scene.common("bad.request"), ..args };
    assert_eq!(unkill(&bad).unwrap_err().code, "ENTRY_MALFORMED");

    let args = FlattenArgs {
        home: scene.init.home.clone(),
        instruments: vec!["BTC-USDT".to_owned(), "ETH-USDT".to_owned()],
        slice: "0.1".to_owned(),
        slippage_bps: 40,
        pause_ms: 1_000,
        minutes: 30,
        reason: "venue closes".to_owned(),
        target,
        common: scene.common("flatten.request"),
    };
    // The demo's four people have nobody for risk, and nobody else will do.
    let error = flatten_plan(&args).unwrap_err();
    assert_eq!((error.code.as_str(), error.exit), ("SIGNER_MISSING", Exit::Refused));
    assert!(error.cause.contains("operator + risk"), "{}", error.cause);
}
