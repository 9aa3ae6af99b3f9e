//! The ladder judged on careers made by hand: what counts, what does not, and what nothing can buy.

use std::collections::BTreeMap;

use portcullis_core::entry::Place;
use portcullis_core::{Class, Entry, Input, Standing};
use portcullis_domain::{Name, Phase};
use portcullis_evidence::pack::Told;
use portcullis_statement::note::{Checkpoint, KeyKind, NoteSigner};
use portcullis_statement::{
    Classification, Digest, EndpointKind, FailureDomain, Witness, Witnesses,
};

use super::criteria::Measure;
use super::session::witnessed;
use super::{Bound, CRITERIA, Career, Demands, Found, Report, SessionFacts};

const MINUTE_NS: i64 = 60_000_000_000;
const DAY_NS: i64 = 24 * 60 * MINUTE_NS;

/// A session that counts.
fn good(number: u64, phase: Phase) -> SessionFacts {
    SessionFacts {
        session: Name::new(&format!("s-{number}")).unwrap(),
        phase,
        endpoint: EndpointKind::Real,
        day: i64::try_from(number).unwrap() / 2,
        open_ns: 20 * MINUTE_NS,
        witnessed_ns: 19 * MINUTE_NS,
        orders: 100,
        orders_filled: 99,
        orders_rejected: 1,
        recon_green: true,
        critical: 0,
        ended_by_person: true,
        to_wire_ns: Some(1),
        to_answer_ns: Some(2_000_001),
        derived: Classification::Yellow,
        sealed: Some(Classification::Green),
    }
}

fn career(sessions: Vec<SessionFacts>) -> Career {
    let mut career = Career::default();
    career.sessions = sessions;
    career
}

fn report(career: &Career) -> Report {
    Report::of(career, &Demands::new(&BTreeMap::new()).unwrap(), EndpointKind::Real)
}

#[track_caller]
fn check(sessions: Vec<SessionFacts>, id: &str, found: Found, met: bool) {
    let report = report(&career(sessions));
    let line = report.lines.iter().find(|line| line.id == id).unwrap();
    assert_eq!((line.found, line.is_met()), (found, met), "{line:?}");
}

#[test]
fn an_empty_career_meets_nothing_at_all() {
    let report = report(&Career::default());
    let met: Vec<&str> = report.lines.iter().filter(|it| it.is_met()).map(|it| it.id).collect();
    assert_eq!(met, [""; 0]);
}

#[test]
fn every_criterion_has_its_own_id_and_gates_a_live_phase() {
    let mut ids: Vec<&str> = CRITERIA.iter().map(|it| it.id).collect();
    ids.sort_unstable();
    let mut unique = ids.clone();
    unique.dedup();
    assert_eq!(ids, unique);
    assert!(CRITERIA.iter().all(|it| it.entry_to >= Phase::PreLive));
    assert!(CRITERIA.is_sorted_by_key(|it| it.entry_to.number()));
}

/// What machinery is still to come, by name: whoever brings it changes this list.
#[test]
fn what_nothing_measures_yet_is_this_list() {
    let not_yet = |it: &&super::Criterion| matches!(it.measure, Measure::NotAvailable(_));
    let ids: Vec<&str> = CRITERIA.iter().filter(not_yet).map(|it| it.id).collect();
    let list = "P1-R2 P1-R2-SYSTEM P1-R3 P1-R3-FALSE P1-R4 P1-R4-P95 P2-R4 P4-D1 P5-IN-3 P5-IN-4 \
                P5-IN-6 P5-OUT-4 P5-OUT-5 P6-IN-3 P6-IN-4 P6-IN-5 P6-IN-6 P6-OUT-2 P6-OUT-3 \
                P7-IN-3 P7-IN-4 P7-IN-5 P7-IN-6";
    assert_eq!(ids, list.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn ten_good_sessions_by_hand_are_ten_and_nine_are_not_enough() {
    let by_hand = |count: u64| (0..count).map(|at| good(at, Phase::ManualLive)).collect::<Vec<_>>();
    check(by_hand(9), "P6-IN-2", Found::Number(9), false);
    check(by_hand(10), "P6-IN-2", Found::Number(10), true);
    check(by_hand(10), "P6-IN-2-DAYS", Found::Number(5), true);
    check(by_hand(10), "P5-OUT-1", Found::Number(0), true);
    check(by_hand(10), "P5-OUT-2", Found::Number(0), true);
    // Of another phase they are nothing.
    let auto = (0..10).map(|at| good(at, Phase::MonitoredAuto)).collect();
    check(auto, "P6-IN-2", Found::Number(0), false);
}

#[test]
fn each_thing_that_is_wrong_with_a_session_keeps_it_from_counting() {
    type Spoil = fn(&mut SessionFacts);
    let spoilt: [(&str, Spoil); 9] = [
        // C7: from phase 4 on only what the witnesses saw is time.
        ("too short or empty", |it| it.witnessed_ns = 10 * MINUTE_NS - 1),
        ("not sealed", |it| it.sealed = None),
        ("red", |it| it.sealed = Some(Classification::Red)),
        // People can call it worse than its entries do, never better.
        ("red", |it| it.derived = Classification::Red),
        ("not reconciled", |it| it.recon_green = false),
        ("critical incident", |it| it.critical = 1),
        ("not ended by a person", |it| it.ended_by_person = false),
        ("too short or empty", |it| it.open_ns = 10 * MINUTE_NS - 1),
        ("too short or empty", |it| it.orders = 0),
    ];
    assert!(good(1, Phase::ManualLive).is_successful());
    assert_eq!(good(1, Phase::ManualLive).why_not(), [""; 0]);
    for (why, spoil) in spoilt {
        let mut facts = good(1, Phase::ManualLive);
        spoil(&mut facts);
        assert!(!facts.is_successful(), "{why}");
        assert_eq!(facts.why_not(), [why]);
        check(vec![facts], "P6-IN-2", Found::Number(0), false);
    }
}

/// C7: weeks are not earned by setting a clock. The shorter of both clocks counts, and from phase 4
/// on no more of it than the witnesses saw.
#[test]
fn c7_unwitnessed_time_counts_nothing_from_phase_4() {
    let check = |phase, (open, witnessed): (i64, i64), earned: i64| {
        let times = |it| SessionFacts { open_ns: open, witnessed_ns: witnessed, ..it };
        assert_eq!(times(good(1, phase)).earned_ns(), earned, "{phase:?}");
    };
    for phase in [Phase::PreLive, Phase::ManualLive, Phase::MonitoredAuto, Phase::Continuous] {
        check(phase, (DAY_NS, 0), 0);
        check(phase, (DAY_NS, MINUTE_NS), MINUTE_NS);
        check(phase, (MINUTE_NS, DAY_NS), MINUTE_NS);
    }
    check(Phase::Shadow, (DAY_NS, 0), DAY_NS);
    check(Phase::Paper, (DAY_NS, 0), DAY_NS);
}

/// A word of these witnesses on the first `size` entries, as the kernel took it in.
fn word(size: u64, by: &[(&NoteSigner, u64)], standing: Standing) -> Vec<u8> {
    let (origin, root) = ("portcullis/host-1/acct/1".to_owned(), Digest::of(b"root"));
    let checkpoint = Checkpoint { origin, size, root };
    let lines = by.iter().map(|(key, at)| key.cosign(&checkpoint, *at).unwrap().to_string());
    let note = format!("{}\n{}\n", checkpoint.text(), lines.collect::<Vec<_>>().join("\n"));
    let content = Input::Cosigned { request: 1, note, standing }.content(false).unwrap();
    Entry::new(Class::Input, &Place::default(), content).bytes
}

/// C7: a session is as long as a quorum of the witnesses saw it, whatever its own clocks say.
#[test]
fn c7_the_time_of_a_session_is_between_two_words_of_its_witnesses() {
    let key = |name: &str, seed| NoteSigner::from_seed(name, KeyKind::Cosignature, [seed; 32]);
    let (near, far, other) = (key("near", 1), key("far", 2), key("far", 3));
    let (near, far, other) = (near.unwrap(), far.unwrap(), other.unwrap());
    let witness = |name: &str, key: &NoteSigner| Witness {
        name: Name::new(name).unwrap(),
        key: key.verifier().clone(),
        domain: FailureDomain::SameHost,
        operator: Name::new("eve").unwrap(),
    };
    let both = vec![witness("near", &near), witness("far", &far)];
    let witnesses = Witnesses::new(both, 2).unwrap();
    let ours = Standing::Ours(portcullis_domain::WallNs(0));
    let check = |words: &[Vec<u8>], expect_s: i64| {
        let session: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let told = Told { session: &session, before: &[b"first"], notes: &[] };
        let seen = witnessed(&told, Some(&witnesses)).unwrap();
        let found = seen.map_or(0, |(first, last)| (last.0 - first.0).max(0));
        assert_eq!(found, expect_s * 1_000_000_000);
        assert_eq!(witnessed(&told, None).unwrap(), None, "nobody is no witness");
    };
    let two = |size, at| word(size, &[(&near, at), (&far, at + 2)], ours);
    check(&[], 0);
    check(&[two(2, 100)], 0);
    // From the later of two clocks to the earlier.
    check(&[two(2, 100), two(3, 400), two(4, 700)], 598);
    check(&[two(4, 700), two(2, 100)], 598);
    // From before the opening, by one alone, by a stranger, or not of this journal: no word.
    check(&[two(1, 10), two(2, 100), two(3, 400)], 298);
    check(&[two(2, 100), word(9, &[(&near, 900)], ours)], 0);
    check(&[two(2, 100), word(9, &[(&near, 900), (&other, 900)], ours)], 0);
    let forked = word(9, &[(&near, 900), (&far, 900)], Standing::Forked);
    check(&[two(2, 100), forked], 0);
}

/// C2, C3: what was simulated proves nothing of a real account.
#[test]
fn c3_fifty_simulated_sessions_are_none_on_a_real_ladder() {
    let simulated =
        |at| SessionFacts { endpoint: EndpointKind::Simulated, ..good(at, Phase::ManualLive) };
    let career = career((0..50).map(simulated).collect());
    assert!(report(&career).lines.iter().all(|line| line.sessions.is_empty() && !line.is_met()));
    let demands = Demands::new(&BTreeMap::new()).unwrap();
    let rehearsal = Report::of(&career, &demands, EndpointKind::Simulated);
    assert!(rehearsal.lines.iter().any(|line| line.id == "P6-IN-2" && line.is_met()));
    assert_ne!(rehearsal.digest(), report(&career).digest());
}

#[test]
fn days_are_those_of_sealed_sessions_and_never_rounded_up() {
    let long = |open_ns| SessionFacts { open_ns, orders: 0, ..good(1, Phase::Shadow) };
    check(vec![long(84 * DAY_NS)], "P1-R1", Found::Number(84), true);
    check(vec![long(84 * DAY_NS - 1)], "P1-R1", Found::Number(83), false);
    check(vec![long(42 * DAY_NS), long(42 * DAY_NS)], "P1-R1", Found::Number(84), true);
    let open = SessionFacts { sealed: None, ..long(84 * DAY_NS) };
    check(vec![open], "P1-R1", Found::Number(0), false);
}

#[test]
fn shares_and_times_are_rounded_against_the_house() {
    let paper = |at| good(at, Phase::Paper);
    check(vec![paper(1)], "P2-R2", Found::Number(9_900), true);
    let worse = SessionFacts { orders_rejected: 2, ..paper(2) };
    check(vec![paper(1), worse], "P2-R2", Found::Number(9_850), false);
    check(vec![paper(1)], "P2-R6", Found::Number(3), true);
    let slow = SessionFacts { to_answer_ns: Some(499_000_001), ..paper(2) };
    check(vec![paper(1), slow], "P2-R6", Found::Number(500), false);
    let silent = SessionFacts { orders: 0, to_wire_ns: None, to_answer_ns: None, ..paper(1) };
    check(vec![silent.clone()], "P2-R2", Found::Nothing, false);
    check(vec![silent], "P2-R7", Found::Nothing, false);
}

/// B3: a policy may ask for more than the runbook and never for less.
#[test]
fn b3_a_policy_only_tightens() {
    let of = |id: &str, number| Demands::new(&BTreeMap::from([(id.to_owned(), number)]));
    assert_eq!(of("P6-IN-2", 11).unwrap().bound("P6-IN-2"), Some(Bound::AtLeast(11)));
    assert_eq!(of("P2-R6", 100).unwrap().bound("P2-R6"), Some(Bound::AtMost(100)));
    for (id, number, code) in [
        ("P6-IN-2", 9, "POLICY_UNFIT"),
        ("P2-R6", 500, "POLICY_UNFIT"),
        ("P5-OUT-1", 1, "POLICY_UNFIT"),
        ("P9-X", 1, "POLICY_UNKNOWN_NAME"),
    ] {
        assert_eq!(of(id, number).unwrap_err().code(), code, "{id} = {number}");
    }
    let ten: Vec<_> = (0..10).map(|at| good(at, Phase::ManualLive)).collect();
    let stricter = Report::of(&career(ten), &of("P6-IN-2", 11).unwrap(), EndpointKind::Real);
    assert!(stricter.lines.iter().any(|line| line.id == "P6-IN-2" && !line.is_met()));
}
