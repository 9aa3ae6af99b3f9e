//! Each reason for which a gate stays shut, with statements that are really signed.

use portcullis_domain::{Phase, Role, WallNs};
use portcullis_gate::OpenRefusal;
use portcullis_statement::{Digest, EndpointKind, Kind, Trust};

use crate::fixture::{House, PLUGIN};
use crate::people::{self, HOUR_NS, NOW, Paper, floors, name};

/// Alters one thing of a house whose gate opens; `OPEN` or the code of the refusal.
#[track_caller]
fn check(phase: Phase, change: impl FnOnce(&mut House), expect: &str) {
    let mut house = House::new(phase, EndpointKind::Simulated, "ada");
    change(&mut house);
    assert_eq!(house.open().map_or_else(OpenRefusal::code, |_gate| "OPEN"), expect);
}

#[test]
fn a_gate_opens_for_what_was_signed() {
    for phase in Phase::ALL.into_iter().filter(|phase| *phase > Phase::Foundation) {
        check(phase, |_| {}, "OPEN");
    }
    let house = House::new(Phase::Shadow, EndpointKind::Recorded, "ada");
    let gate = house.open().unwrap();
    assert_eq!((gate.phase(), gate.limits()), (Phase::Shadow, &house.approval.limits));
    assert_eq!(gate.instruments(), house.approval.instruments);
}

/// A12, A14, B2: another installation, another account, another journal, another time.
#[test]
fn a14_an_approval_counts_in_one_place_and_state_only() {
    check(Phase::Paper, |h| h.genesis = Digest::of(b"other"), "GENESIS_MISMATCH");
    check(Phase::Paper, |h| h.host = name("host-2"), "HOST_MISMATCH");
    check(Phase::Paper, |h| h.account = name("acct-2"), "ACCOUNT_MISMATCH");
    check(Phase::Paper, |h| h.origin = "host-1/new".to_owned(), "JOURNAL_MISMATCH");
    check(Phase::Paper, |h| h.kill_seq = 1, "KILL_SEQ_CHANGED");
    check(Phase::Paper, |h| h.approval.kill_seq = 1, "KILL_SEQ_CHANGED");
    check(Phase::Paper, |h| h.safety_digest = Digest::of(b"no triggers"), "POLICY_CHANGED");
    check(Phase::Paper, |h| h.phases_digest = Digest::of(b"new rules"), "POLICY_CHANGED");
}

#[test]
fn an_approval_counts_in_its_window_only() {
    check(Phase::Paper, |h| h.now = WallNs(NOW.0 - 1), "OUTSIDE_SESSION_WINDOW");
    check(Phase::Paper, |h| h.now = NOW.plus_ns(HOUR_NS - 1), "OPEN");
    check(Phase::Paper, |h| h.now = NOW.plus_ns(HOUR_NS), "OUTSIDE_SESSION_WINDOW");
    let expiring = |now: WallNs| {
        move |h: &mut House| {
            h.paper.expires = NOW.plus_ns(10);
            h.now = now;
        }
    };
    check(Phase::Paper, expiring(NOW.plus_ns(9)), "OPEN");
    check(Phase::Paper, expiring(NOW.plus_ns(10)), "OUTSIDE_SESSION_WINDOW");
}

/// C4, F16: the endpoint is a signed one, of the signed kind, and never a real one yet.
#[test]
fn f16_the_endpoint_is_the_signed_one() {
    check(Phase::Paper, |h| h.endpoints.clear(), "ENDPOINT_NOT_SIGNED");
    check(Phase::Paper, bind_foreign, "ENDPOINT_FORBIDDEN");
    check(Phase::Paper, |h| h.approval.endpoint = Digest::of(b"other"), "ENDPOINT_NOT_SIGNED");
    check(
        Phase::Shadow,
        |h| h.approval.endpoint_kind = EndpointKind::Recorded,
        "ENDPOINT_FORBIDDEN",
    );
    for (phase, kind) in [
        (Phase::Shadow, EndpointKind::Sandbox),
        (Phase::Paper, EndpointKind::Sandbox),
        (Phase::Shadow, EndpointKind::Real),
        (Phase::PreLive, EndpointKind::Real),
        (Phase::Continuous, EndpointKind::Real),
    ] {
        let refused = House::new(phase, kind, "ada").open().map(|_gate| ());
        assert_eq!(refused, Err(OpenRefusal::EndpointForbidden), "{phase:?} {kind:?}");
    }
}

/// The same people under another genesis.
fn foreign_trust() -> Trust {
    let mark = Some(portcullis_statement::Mark::Demo);
    let signed = people::genesis(mark, EndpointKind::Simulated);
    Trust::genesis(&signed, Digest::of(&signed.bytes), NOW).unwrap()
}

/// Binds a sound endpoint set that the same people signed under another genesis.
fn bind_foreign(house: &mut House) {
    let trust = foreign_trust();
    let by = [("gerd", Role::Governance), ("olga", Role::Operator)];
    let body = people::endpoint_set(EndpointKind::Simulated).to_value();
    let signed = Paper::new(Kind::EndpointSet, 2, &by).sign(Some(trust.fingerprint()), &body);
    let set = trust.verify(&signed, &floors(), NOW).unwrap().into_endpoint_set().unwrap();
    house.approval.endpoint = set.digest();
    house.endpoints.insert(set.digest(), set);
}

#[test]
fn only_signed_components_of_this_phase_run() {
    check(Phase::Paper, |h| h.releases.clear(), "HASH_NOT_SIGNED");
    check(Phase::Paper, |h| h.components = vec![Digest::of(b"swapped")], "HASH_NOT_SIGNED");
    check(Phase::Paper, |h| h.components.clear(), "HASH_NOT_SIGNED");
    check(Phase::Paper, |h| h.components.push(Digest::of(b"one more")), "HASH_NOT_SIGNED");
    // Approval and worker agree on a component that the release does not cover.
    check(
        Phase::Paper,
        |h| {
            h.approval.plugins[0].component = Digest::of(b"swapped");
            h.components = vec![Digest::of(b"swapped")];
        },
        "HASH_NOT_SIGNED",
    );
    check(
        Phase::Paper,
        |h| {
            h.approval.plugins.clear();
            h.approval.limits.strategies.clear();
        },
        "NOTHING_TO_DO",
    );
    check(Phase::BoundedAuto, |h| up_to(h, Phase::Paper), "RELEASE_PHASE");
    check(Phase::Paper, |h| up_to(h, Phase::Paper), "OPEN");
}

/// B2: the same people released the same component, but under another genesis.
#[test]
fn a_release_of_another_genesis_is_none() {
    check(
        Phase::Paper,
        |house| {
            let trust = foreign_trust();
            let by = [("ada", Role::Author), ("gerd", Role::Governance)];
            let body = people::release("ada", PLUGIN, Phase::Continuous).to_value();
            let signed =
                Paper::new(Kind::PluginRelease, 3, &by).sign(Some(trust.fingerprint()), &body);
            let release = trust.verify(&signed, &floors(), NOW).unwrap();
            let release = release.into_plugin_release().unwrap();
            house.approval.plugins[0].release = release.digest();
            house.releases = [(release.digest(), release)].into();
        },
        "HASH_NOT_SIGNED",
    );
}

/// What a release covers for one plugin it does not cover for its neighbour.
#[test]
fn a_release_covers_each_plugin_by_its_own_component() {
    let beside = |component: &'static [u8]| {
        move |house: &mut House| {
            let mut other = house.approval.plugins[0].clone();
            (other.name, other.component) = (name("other"), Digest::of(component));
            house.components.push(other.component);
            house.approval.plugins.push(other);
            let limits = house.approval.limits.strategies[&name(PLUGIN)].clone();
            house.approval.limits.strategies.insert(name("other"), limits);
        }
    };
    check(Phase::Paper, beside(PLUGIN.as_bytes()), "OPEN");
    check(Phase::Paper, beside(b"swapped"), "HASH_NOT_SIGNED");
}

/// Replaces the release by one that goes up to `phase_max`.
fn up_to(house: &mut House, phase_max: Phase) {
    let by = [("ada", Role::Author), ("gerd", Role::Governance)];
    let body = people::release("ada", PLUGIN, phase_max).to_value();
    let signed = Paper::new(Kind::PluginRelease, 9, &by).sign(Some(house.genesis), &body);
    let release = house.trust.verify(&signed, &floors(), NOW).unwrap();
    let release = release.into_plugin_release().unwrap();
    house.approval.plugins[0].release = release.digest();
    house.releases.insert(release.digest(), release);
}

#[test]
fn a_session_without_an_instrument_has_nothing_to_do() {
    check(
        Phase::Paper,
        |h| {
            h.approval.instruments.clear();
            h.approval.sources.clear();
            h.approval.limits.instruments.clear();
        },
        "NOTHING_TO_DO",
    );
}

/// A22: from phase 3 on, native code comes with a compile record, which has a digest.
#[test]
fn a22_a_worker_that_compiles_for_itself_stays_below_phase_three() {
    for (phase, record, expect) in [
        (Phase::Paper, "in-worker", "OPEN"),
        (Phase::BoundedAuto, "in-worker", "COMPILE_RECORD"),
        (Phase::BoundedAuto, "whatever", "COMPILE_RECORD"),
    ] {
        check(phase, |h| h.approval.compile_record = record.to_owned(), expect);
    }
}

/// B5, F13: the author of a plugin does not approve its session.
#[test]
fn f13_the_author_of_a_plugin_does_not_approve_its_session() {
    let mut house = House::new(Phase::BoundedAuto, EndpointKind::Simulated, "otto");
    assert!(house.open().is_ok());
    house.paper =
        Paper::new(Kind::SessionApproval, 4, &[("olga", Role::Operator), ("otto", Role::Approver)]);
    let refused = house.open().map_or_else(OpenRefusal::code, |_gate| "OPEN");
    assert_eq!(refused, "AUTHOR_ALONE");
}

/// A10, A11, C11: from phase 5 on every witness of the quorum has to have burned the approval, and
/// the approval says who that is.
#[test]
fn a11_an_approval_opens_only_what_its_witnesses_burned() {
    for phase in [Phase::ManualLive, Phase::MonitoredAuto, Phase::Continuous] {
        check(phase, |h| h.burned_by.clear(), "BURN_MISSING");
        check(phase, |h| h.burned_by.truncate(1), "BURN_MISSING");
        check(phase, |h| h.burned_by = vec![name("near"), name("near")], "BURN_MISSING");
        check(phase, |h| h.burned_by = vec![name("near"), name("other")], "BURN_MISSING");
        check(phase, |h| h.approval.witness = "self-attested".to_owned(), "WITNESS_MISMATCH");
    }
    check(Phase::Paper, |h| h.burned_by.clear(), "OPEN");
    check(Phase::Paper, |h| h.approval.witness = "1 of: near".to_owned(), "WITNESS_MISMATCH");
}

/// A release that the same people signed under another genesis is none of this house.
#[test]
fn a14_a_release_of_another_genesis_runs_nothing() {
    check(
        Phase::Paper,
        |house| {
            let trust = foreign_trust();
            let by = [("ada", Role::Author), ("gerd", Role::Governance)];
            let body = people::release("ada", PLUGIN, Phase::Continuous).to_value();
            let signed = Paper::new(Kind::PluginRelease, 3, &by);
            let signed = signed.sign(Some(trust.fingerprint()), &body);
            let release = trust.verify(&signed, &floors(), NOW).unwrap();
            let release = release.into_plugin_release().unwrap();
            house.approval.plugins[0].release = release.digest();
            house.releases.insert(release.digest(), release);
        },
        "HASH_NOT_SIGNED",
    );
}

/// Programs and people look these words up.
#[test]
fn each_refusal_has_a_code_of_its_own() {
    use OpenRefusal as R;
    let all = [
        (R::GenesisMismatch, "GENESIS_MISMATCH"),
        (R::HostMismatch, "HOST_MISMATCH"),
        (R::AccountMismatch, "ACCOUNT_MISMATCH"),
        (R::JournalMismatch, "JOURNAL_MISMATCH"),
        (R::KillSeqChanged, "KILL_SEQ_CHANGED"),
        (R::PolicyChanged, "POLICY_CHANGED"),
        (R::OutsideSessionWindow, "OUTSIDE_SESSION_WINDOW"),
        (R::EndpointNotSigned, "ENDPOINT_NOT_SIGNED"),
        (R::EndpointForbidden, "ENDPOINT_FORBIDDEN"),
        (R::HashNotSigned, "HASH_NOT_SIGNED"),
        (R::ReleasePhase, "RELEASE_PHASE"),
        (R::AuthorAlone, "AUTHOR_ALONE"),
        (R::CompileRecord, "COMPILE_RECORD"),
        (R::NothingToDo, "NOTHING_TO_DO"),
        (R::WitnessMismatch, "WITNESS_MISMATCH"),
        (R::WitnessRequired, "WITNESS_REQUIRED"),
        (R::BurnMissing, "BURN_MISSING"),
    ];
    assert_eq!(all.map(|(refusal, _)| refusal.code()), all.map(|(_, code)| code));
}
