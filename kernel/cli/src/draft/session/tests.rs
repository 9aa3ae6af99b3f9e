//! A drafted approval is believed once it is signed, and what would be refused is not drafted.

use portcullis_control::{EndpointView, PositionView};
use portcullis_domain::InstrumentId;
use portcullis_governance::{parse_instrument, parse_limits, parse_phases};

use super::*;
use crate::testing::{LATER, NOW, People, name, signed};

const INSTRUMENT: &[u8] =
    include_bytes!("../../../../../policies/instruments/binance-btc-usdt.toml");
const LIMITS: &[u8] = include_bytes!("../../../../../policies/limits.toml");
const PHASES: &[u8] = br#"
[phases.1]
signers = ["operator"]
window_hours_max = 168
[phases.2]
signers = ["operator", "approver"]
window_hours_max = 24
"#;

struct Policies {
    instruments: Vec<InstrumentFile>,
    limits: Hashed<Limits>,
    phases: Hashed<PhaseRules>,
}

fn policies() -> Policies {
    let file = parse_instrument(INSTRUMENT, InstrumentId(0)).unwrap().value;
    let limits =
        parse_limits(LIMITS, std::slice::from_ref(&file.instrument), &[name("ema-cross")]).unwrap();
    Policies { instruments: vec![file], limits, phases: parse_phases(PHASES).unwrap() }
}

fn hex(what: &str) -> String {
    Digest::of(what.as_bytes()).hex()
}

fn draft_view() -> DraftView {
    let text = |text: &str| text.to_owned();
    let release = |release: &str, release_seq, phase_max| ReleaseView {
        release: hex(release),
        component: hex("component"),
        plugin: text("ema-cross"),
        author: text("ana"),
        phase_max,
        release_seq,
    };
    DraftView {
        session: text("s1"),
        build: text("0.1.0"),
        origin: text("portcullis/host-1/acct/1/simulated"),
        key: text("host-1+00000000+key"),
        size: 7,
        root: hex("root"),
        kill_seq: 2,
        kill_entry: None,
        phases_digest: Digest::of(PHASES).hex(),
        safety_digest: hex("safety"),
        positions: vec![PositionView {
            symbol: text("BTC-USDT"),
            qty: text("0.02000000"),
            avg_px: Some(text("60000.00")),
            profit: None,
            fees: text("1.2"),
        }],
        balances: BTreeMap::from([(text("BTC"), text("0.02")), (text("USDT"), text("9000"))]),
        releases: vec![release("old", 1, 3), release("new", 2, 2), release("far", 3, 1)],
        endpoints: vec![EndpointView {
            endpoint: hex("endpoint"),
            kind: text("simulated"),
            venue: text("binance"),
        }],
    }
}

fn plan<'a>(draft: &'a DraftView, policies: &'a Policies) -> SessionPlan<'a> {
    SessionPlan {
        account: name("acct"),
        host: name("host-1"),
        session: name("s1"),
        draft,
        phase: Phase::Paper,
        plugins: vec![ChosenPlugin {
            name: name("ema-cross"),
            component: Digest::of(b"component"),
            params: BTreeMap::from([("fast".to_owned(), "5".to_owned())]),
        }],
        instruments: &policies.instruments,
        limits: &policies.limits,
        phases: &policies.phases,
        safety: Digest::of(b"safety"),
        endpoint: None,
        balances: BTreeMap::new(),
        equity_max: None,
        window: (NOW, LATER),
        latency_ns: 2_000_000,
        fuel_per_batch_max: 10_000_000,
    }
}

#[test]
fn a_drafted_approval_is_believed_once_it_is_signed() {
    let (people, policies, draft) = (People::new(), policies(), draft_view());
    let bytes = session(&people.desk(), &plan(&draft, &policies)).unwrap();
    let verified = people.trust().verify(&signed(bytes), &policies.phases.value, NOW).unwrap();
    let approval = verified.into_session_approval().unwrap();
    let signers: Vec<_> = approval.header().signers.iter().map(|s| s.person.as_str()).collect();
    assert_eq!(signers, ["olga", "petra"]);
    let item = approval.item();
    assert_eq!(item.plugins[0].release, Digest::of(b"new"));
    assert_eq!((item.kill_seq, item.journal.size), (2, 7));
    assert_eq!(item.carried[0].position, Position(2_000_000));
    assert_eq!(item.balances["USDT"], Money::parse("9000").unwrap());
    assert_eq!((item.limits_digest, item.limits()), (Digest::of(LIMITS), policies.limits.value));
    // 2 orders of 4000, 1 % collar, two fees of 8; half a percent for tether.
    assert_eq!(item.worst_case_loss.text(), "8136.48");
    assert_eq!(item.equity_max.text(), "9900");
}

#[test]
fn shadow_starts_from_the_balances_that_were_asked_for() {
    let (people, policies, draft) = (People::new(), policies(), draft_view());
    let balances = BTreeMap::from([("USDT".to_owned(), Money::parse("100").unwrap())]);
    let plan =
        SessionPlan { phase: Phase::Shadow, balances: balances.clone(), ..plan(&draft, &policies) };
    let bytes = session(&people.desk(), &plan).unwrap();
    let verified = people.trust().verify(&signed(bytes), &policies.phases.value, NOW).unwrap();
    let approval = verified.into_session_approval().unwrap();
    let item = approval.item();
    assert_eq!((&item.balances, item.carried.len()), (&balances, 0));
    assert_eq!(item.plugins[0].release, Digest::of(b"far"));
}

#[track_caller]
fn check(people: &People, plan: &SessionPlan<'_>, expect: &str) {
    assert_eq!(session(&people.desk(), plan).unwrap_err().code(), expect);
}

#[test]
fn what_the_opening_would_refuse_is_not_drafted() {
    let (people, policies) = (People::new(), policies());
    let good = draft_view();
    let with = |change: fn(&mut DraftView)| {
        let mut draft = draft_view();
        change(&mut draft);
        draft
    };
    let killed = with(|draft| draft.kill_entry = Some("0".repeat(64)));
    check(&people, &plan(&killed, &policies), "KILL_ACTIVE");
    let other = with(|draft| draft.session = "s2".to_owned());
    check(&people, &plan(&other, &policies), "SESSION_MISMATCH");
    let unguarded = with(|draft| draft.safety_digest = "0".repeat(64));
    check(&people, &plan(&unguarded, &policies), "POLICY_CHANGED");
    let changed = with(|draft| draft.phases_digest = "0".repeat(64));
    check(&people, &plan(&changed, &policies), "POLICY_CHANGED");
    let none = with(|draft| draft.endpoints.clear());
    check(&people, &plan(&none, &policies), "ENDPOINT_NOT_SIGNED");
    let two = with(|draft| draft.endpoints.push(draft.endpoints[0].clone()));
    check(&people, &plan(&two, &policies), "ENDPOINT_AMBIGUOUS");
    let kraken = with(|draft| draft.endpoints[0].venue = "kraken".to_owned());
    check(&people, &plan(&kraken, &policies), "INSTRUMENT_VENUE");
    let unreleased = with(|draft| draft.releases.clear());
    check(&people, &plan(&unreleased, &policies), "HASH_NOT_SIGNED");
    let held = with(|draft| draft.positions[0].symbol = "ETH-USDT".to_owned());
    check(&people, &plan(&held, &policies), "CARRIED_NOT_LISTED");
    let vague = with(|draft| draft.positions[0].qty = "some".to_owned());
    check(&people, &plan(&vague, &policies), "DRAFT_MALFORMED");
    let root = with(|draft| draft.root = "x".to_owned());
    check(&people, &plan(&root, &policies), "DRAFT_MALFORMED");
    let window = (NOW, NOW.plus_ns(25 * 3_600_000_000_000));
    check(&people, &SessionPlan { window, ..plan(&good, &policies) }, "WINDOW_TOO_LONG");
    let phase = Phase::BoundedAuto;
    check(&people, &SessionPlan { phase, ..plan(&good, &policies) }, "PHASE_FORBIDS");
    let plugins = Vec::new();
    check(&people, &SessionPlan { plugins, ..plan(&good, &policies) }, "NOTHING_TO_DO");
    let balances = BTreeMap::from([("USDT".to_owned(), Money::ZERO)]);
    check(&people, &SessionPlan { balances, ..plan(&good, &policies) }, "BALANCE_NOT_ALLOWED");
}
