//! Every way in which a statement does not count.

use portcullis_domain::Role::{Approver, Author, Governance, Operator, Risk};
use portcullis_domain::policy::PhaseRule;

use super::*;
use crate::json::Value;
use crate::testkit::*;
use crate::{EndpointKind, Mark, draft};

type Signers<'a> = &'a [(&'a str, Role)];

/// The code of the refusal, or `ok`.
fn code<T>(result: Result<T, Refusal>) -> &'static str {
    result.map_or_else(|refusal| refusal.code(), |_| "ok")
}

fn simulated() -> Trust {
    trust(None, EndpointKind::Simulated)
}

fn bodies() -> [(Kind, Value); 8] {
    [
        (Kind::EndpointSet, endpoint_set(EndpointKind::Simulated).to_value()),
        (Kind::PluginRelease, release().to_value()),
        (Kind::SessionApproval, approval(Phase::Paper, EndpointKind::Simulated).to_value()),
        (Kind::LimitsChange, limits_change().to_value()),
        (Kind::Unkill, unkill().to_value()),
        (Kind::FlattenPlan, flatten_plan().to_value()),
        (Kind::Release, word().to_value()),
        (Kind::Seal, seal().to_value()),
    ]
}

#[track_caller]
fn check(kind: Kind, signers: Signers<'_>, expect: &str) {
    let trust = simulated();
    let (_, body) = bodies().into_iter().find(|(known, _)| *known == kind).unwrap();
    let signed = statement(&trust, kind, signers, &body);
    assert_eq!(code(trust.verify(&signed, &floors(), NOW)), expect, "{} {signers:?}", kind.name());
}

#[test]
fn each_kind_has_its_signers() {
    check(Kind::EndpointSet, &[("gerd", Governance), ("olga", Operator)], "ok");
    check(Kind::EndpointSet, &[("gerd", Governance), ("ada", Governance)], "ok");
    check(Kind::EndpointSet, &[("gerd", Governance)], "SIGNER_MISSING");
    check(Kind::EndpointSet, &[("olga", Operator), ("anna", Approver)], "SIGNER_MISSING");
    check(Kind::EndpointSet, &[("gerd", Governance), ("ada", Author)], "SIGNER_ROLE");

    check(Kind::PluginRelease, &[("ada", Author), ("gerd", Governance)], "ok");
    check(Kind::PluginRelease, &[("ada", Author)], "SIGNER_MISSING");
    check(Kind::PluginRelease, &[("gerd", Governance)], "SIGNER_MISSING");
    check(Kind::PluginRelease, &[("ada", Governance), ("gerd", Governance)], "AUTHOR_ALONE");
    check(Kind::PluginRelease, &[("ada", Author), ("ada", Governance)], "AUTHOR_ALONE");
    check(Kind::PluginRelease, &[("ada", Author), ("olga", Operator)], "SIGNER_ROLE");
    check(Kind::PluginRelease, &[("gerd", Author), ("ada", Governance)], "SIGNER_ROLE");

    check(Kind::SessionApproval, &[("olga", Operator)], "ok");
    check(Kind::SessionApproval, &[("olga", Operator), ("anna", Approver)], "ok");
    check(Kind::SessionApproval, &[("anna", Approver)], "SIGNER_MISSING");
    check(Kind::SessionApproval, &[("ada", Author)], "SIGNER_ROLE");
    check(Kind::SessionApproval, &[], "SIGNER_MISSING");

    check(Kind::LimitsChange, &[("gerd", Governance), ("olga", Operator)], "ok");
    check(Kind::LimitsChange, &[("rita", Risk), ("anna", Approver)], "ok");
    check(Kind::LimitsChange, &[("rita", Risk), ("gerd", Governance)], "ok");
    check(Kind::LimitsChange, &[("olga", Operator), ("anna", Approver)], "SIGNER_MISSING");
    check(Kind::LimitsChange, &[("gerd", Governance)], "SIGNER_MISSING");
    check(Kind::LimitsChange, &[("rita", Risk), ("ada", Author)], "SIGNER_ROLE");
    check(Kind::LimitsChange, &[("ada", Governance), ("ada", Governance)], "SIGNER_TWICE");

    check(Kind::Unkill, &[("olga", Operator), ("rita", Risk)], "ok");
    check(Kind::Unkill, &[("olga", Operator), ("otto", Operator)], "ok");
    check(Kind::Unkill, &[("rita", Risk)], "SIGNER_MISSING");
    check(Kind::Unkill, &[("olga", Operator), ("gerd", Governance)], "SIGNER_ROLE");

    check(Kind::FlattenPlan, &[("olga", Operator), ("rita", Risk)], "ok");
    check(Kind::FlattenPlan, &[("olga", Operator), ("otto", Operator)], "SIGNER_MISSING");
    check(Kind::FlattenPlan, &[("olga", Operator)], "SIGNER_MISSING");
    check(Kind::FlattenPlan, &[("rita", Risk)], "SIGNER_MISSING");
    check(Kind::FlattenPlan, &[("olga", Operator), ("anna", Approver)], "SIGNER_ROLE");

    check(Kind::Release, &[("tina", Operator)], "ok");
    check(Kind::Release, &[("olga", Operator)], "TOUCH_REQUIRED");
    check(Kind::Release, &[("tina", Operator), ("olga", Operator)], "TOUCH_REQUIRED");
    check(Kind::Release, &[("theo", Approver)], "SIGNER_ROLE");
    check(Kind::Release, &[], "SIGNER_MISSING");

    check(Kind::Seal, &[("olga", Operator), ("anna", Approver)], "ok");
    check(Kind::Seal, &[("olga", Operator), ("otto", Operator)], "SIGNER_MISSING");
    check(Kind::Seal, &[("anna", Approver)], "SIGNER_MISSING");
    check(Kind::Seal, &[("otto", Operator), ("otto", Approver)], "SIGNER_TWICE");
}

#[test]
fn a_kind_has_one_name_one_namespace_and_its_verified_type() {
    let trust = simulated();
    for kind in Kind::ALL {
        assert_eq!(Kind::from_name(kind.name()), Some(kind));
        assert_eq!(kind.namespace(), format!("portcullis-{}", kind.name()));
    }
    let verified = |kind: Kind| {
        let signers: Signers<'_> = match kind {
            Kind::PluginRelease => &[("ada", Author), ("gerd", Governance)],
            Kind::EndpointSet | Kind::LimitsChange => &[("olga", Operator), ("gerd", Governance)],
            Kind::FlattenPlan => &[("olga", Operator), ("rita", Risk)],
            Kind::Release => &[("tina", Operator)],
            Kind::Genesis | Kind::SessionApproval | Kind::Unkill | Kind::Seal => {
                &[("olga", Operator), ("anna", Approver)]
            }
        };
        let (_, body) = bodies().into_iter().find(|(known, _)| *known == kind).unwrap();
        let verified = trust.verify(&statement(&trust, kind, signers, &body), &floors(), NOW);
        let verified = verified.unwrap();
        assert_eq!(verified.item().to_value(), body);
        assert_eq!(verified.header().kind, kind);
        assert_eq!(verified.genesis(), trust.fingerprint());
        verified
    };
    let taken = |kind| {
        [
            verified(kind).into_endpoint_set().is_some(),
            verified(kind).into_plugin_release().is_some(),
            verified(kind).into_session_approval().is_some(),
            verified(kind).into_limits_change().is_some(),
            verified(kind).into_unkill().is_some(),
            verified(kind).into_flatten_plan().is_some(),
            verified(kind).into_release().is_some(),
            verified(kind).into_seal().is_some(),
        ]
    };
    for (place, (kind, _)) in bodies().into_iter().enumerate() {
        let mut expect = [false; 8];
        expect[place] = true;
        assert_eq!(taken(kind), expect, "{}", kind.name());
    }
}

/// A session approval listed for `olga` and `anna`, after `change`, signed by `by`.
fn changed(by: &[&str], change: impl FnOnce(&mut Header)) -> &'static str {
    let trust = simulated();
    let signers = [("olga", Operator), ("anna", Approver)];
    let mut header = header(Kind::SessionApproval, &signers, Some(trust.fingerprint()));
    change(&mut header);
    let body = approval(Phase::Paper, EndpointKind::Simulated).to_value();
    let signed = sign(draft(&header, &body), Kind::SessionApproval, by);
    code(trust.verify(&signed, &floors(), NOW))
}

#[test]
fn the_header_is_believed_only_as_a_whole() {
    let both = ["olga", "anna"];
    assert_eq!(changed(&both, |_| ()), "ok");
    assert_eq!(changed(&["anna", "olga"], |_| ()), "ok");
    assert_eq!(changed(&both, |h| h.genesis = Some(Digest::of(b"other"))), "GENESIS_MISMATCH");
    assert_eq!(changed(&both, |h| h.genesis = None), "STATEMENT_MALFORMED");
    assert_eq!(changed(&both, |h| h.expires = NOW), "STATEMENT_EXPIRED");
    assert_eq!(changed(&both, |h| h.expires = NOW.plus_ns(1)), "ok");
    assert_eq!(changed(&both, |h| h.not_before = NOW.plus_ns(1)), "STATEMENT_NOT_YET_VALID");
    assert_eq!(changed(&both, |h| h.not_before = NOW), "ok");
    assert_eq!(changed(&both, |h| h.not_before = h.expires), "STATEMENT_MALFORMED");
    assert_eq!(changed(&both, |h| h.nonce = "FF".repeat(16)), "STATEMENT_MALFORMED");
    assert_eq!(changed(&both, |h| h.nonce.truncate(31)), "STATEMENT_MALFORMED");
    assert_eq!(changed(&both, |h| h.policy_seq = 1 << 53), "STATEMENT_MALFORMED");
    assert_eq!(changed(&both, |h| h.kind = Kind::Genesis), "STATEMENT_MALFORMED");
}

#[test]
fn one_hand_never_counts_twice() {
    let both = ["olga", "anna"];
    assert_eq!(changed(&["olga"], |_| ()), "SIGNATURE_MISSING");
    assert_eq!(changed(&[], |_| ()), "SIGNATURE_MISSING");
    assert_eq!(changed(&["olga", "olga"], |_| ()), "SIGNER_TWICE");
    assert_eq!(changed(&["olga", "anna", "olga"], |_| ()), "SIGNER_TWICE");
    assert_eq!(changed(&["olga", "anna", "rita"], |_| ()), "SIGNATURE_UNLISTED");
    assert_eq!(changed(&["olga", "stranger"], |_| ()), "SIGNATURE_UNLISTED");
    let person = |person: &'static str| move |h: &mut Header| h.signers[1].person = name(person);
    assert_eq!(changed(&both, person("nobody")), "SIGNER_UNKNOWN");
    // A known person with the key of another one, and one key under two names.
    assert_eq!(changed(&both, person("rita")), "SIGNER_UNKNOWN");
    assert_eq!(
        changed(&["olga"], |h| h.signers[1].key = h.signers[0].key.clone()),
        "SIGNER_UNKNOWN"
    );
    assert_eq!(changed(&["olga"], |h| h.signers[1] = signer("olga", Operator)), "SIGNER_TWICE");
    assert_eq!(changed(&both, |h| h.signers[1].role = Operator), "SIGNER_ROLE");
    assert_eq!(changed(&both, |h| h.signers[0].role = Author), "SIGNER_ROLE");
}

#[test]
fn a_signature_counts_for_its_kind_and_its_bytes_alone() {
    let trust = simulated();
    let signers = [("olga", Operator), ("anna", Approver)];
    let good = statement(&trust, Kind::Seal, &signers, &seal().to_value());
    assert_eq!(code(trust.verify(&good, &floors(), NOW)), "ok");
    let other_purpose = sign(good.bytes.clone(), Kind::Unkill, &["olga", "anna"]);
    assert_eq!(code(trust.verify(&other_purpose, &floors(), NOW)), "SIGNATURE_INVALID");
    let mut junk = good.clone();
    junk.signatures[0].push_str("junk");
    assert_eq!(code(trust.verify(&junk, &floors(), NOW)), "SIGNATURE_INVALID");
    let mut doubled = good.clone();
    doubled.signatures[0] = good.signatures.concat();
    assert_eq!(code(trust.verify(&doubled, &floors(), NOW)), "SIGNATURE_INVALID");
    let mut newline = good.clone();
    newline.bytes.push(b'\n');
    assert_eq!(code(trust.verify(&newline, &floors(), NOW)), "STATEMENT_MALFORMED");
    let mut huge = good;
    huge.bytes = vec![b' '; crate::STATEMENT_MAX + 1];
    assert_eq!(code(trust.verify(&huge, &floors(), NOW)), "STATEMENT_TOO_LARGE");
}

#[test]
fn an_approval_with_one_bit_changed_is_refused() {
    let trust = simulated();
    let body = approval(Phase::Paper, EndpointKind::Simulated).to_value();
    let signed = statement(&trust, Kind::SessionApproval, &[("olga", Operator)], &body);
    for at in 0..signed.bytes.len() {
        let mut damaged = signed.clone();
        damaged.bytes[at] ^= 1 << (at & 7);
        assert!(trust.verify(&damaged, &floors(), NOW).is_err(), "byte {at}");
    }
}

#[test]
fn the_shape_of_a_statement_is_exact() {
    let trust = simulated();
    let check = |find: &str, put: &str, expect: &str| {
        let good = statement(&trust, Kind::Seal, &[("olga", Operator)], &seal().to_value());
        let text = String::from_utf8(good.bytes).unwrap();
        assert!(text.contains(find), "{find} is not in {text}");
        let bytes = text.replacen(find, put, 1).into_bytes();
        let signed = sign(bytes, Kind::Seal, &["olga"]);
        assert_eq!(code(trust.verify(&signed, &floors(), NOW)), expect, "{put}");
    };
    check(r#""kind":"seal""#, r#""kind":"promotion""#, "KIND_UNKNOWN");
    check(r#""version":1"#, r#""version":2"#, "STATEMENT_MALFORMED");
    check(r#""version":1"#, r#""version":1,"x":1"#, "STATEMENT_MALFORMED");
    check(r#""version":1"#, r#""version":1,"version":1"#, "STATEMENT_MALFORMED");
    check(r#""version":1"#, r#""version": 1"#, "STATEMENT_MALFORMED");
    check(r#""policy_seq":1"#, r#""policy_seq":1.0"#, "STATEMENT_MALFORMED");
    check(r#""policy_seq":1"#, r#""policy_seq":-1"#, "STATEMENT_MALFORMED");
    check(r#""policy_seq":1"#, r#""policy_seq":"1""#, "STATEMENT_MALFORMED");
    check(r#""expires":"1"#, r#""expires":"+1"#, "STATEMENT_MALFORMED");
    check(r#""session":"s-1""#, r#""session":"s\u202e1""#, "STATEMENT_MALFORMED");
    check(r#""origin":"host-1"#, "\"origin\":\"h\u{43e}st-1", "STATEMENT_MALFORMED");
}

#[track_caller]
fn check_session(trust: &Trust, phase: Phase, kind: EndpointKind, expect: &str) {
    let body = approval(phase, kind).to_value();
    let signers = [("tina", Operator), ("theo", Approver)];
    let signed = statement(trust, Kind::SessionApproval, &signers, &body);
    let got = code(trust.verify(&signed, &floors(), NOW));
    assert_eq!(got, expect, "phase {} on {}", phase.number(), kind.name());
}

#[test]
fn a_phase_goes_with_its_endpoint_and_its_ladder() {
    use EndpointKind::{Real, Recorded, Sandbox, Simulated};
    const NO: &str = "ENDPOINT_FORBIDDEN";
    let expect = |ladder, kind, phase: Phase| {
        let (shadow, rehearsal) = (phase == Phase::Shadow, phase <= Phase::BoundedAuto);
        match (ladder, kind) {
            (_, Recorded) => shadow,
            (Simulated, Simulated) => true,
            (_, Simulated) => rehearsal,
            (Sandbox | Real, Sandbox) => rehearsal,
            (Real, Real) => shadow || !rehearsal,
            (_, Sandbox | Real) => false,
        }
    };
    for ladder in EndpointKind::ALL {
        let trust = trust(None, ladder);
        for kind in EndpointKind::ALL {
            check_session(&trust, Phase::Foundation, kind, "PHASE_NOT_OPENABLE");
            for phase in Phase::ALL.into_iter().skip(1) {
                let expect = if expect(ladder, kind, phase) { "ok" } else { NO };
                check_session(&trust, phase, kind, expect);
            }
        }
    }
}

#[test]
fn a_marked_roster_stays_inside_of_simulations() {
    for mark in [Mark::Demo, Mark::ThrowAway] {
        let trust = trust(Some(mark), EndpointKind::Simulated);
        check_session(&trust, Phase::Shadow, EndpointKind::Recorded, "ok");
        check_session(&trust, Phase::BoundedAuto, EndpointKind::Simulated, "ok");
        for phase in Phase::ALL.into_iter().skip(4) {
            check_session(&trust, phase, EndpointKind::Simulated, "DEMO_ROSTER");
        }
        for kind in [EndpointKind::Sandbox, EndpointKind::Real] {
            for phase in Phase::ALL.into_iter().skip(1) {
                check_session(&trust, phase, kind, "DEMO_ROSTER");
            }
            let body = endpoint_set(kind).to_value();
            let signers = [("gerd", Governance), ("olga", Operator)];
            let signed = statement(&trust, Kind::EndpointSet, &signers, &body);
            assert_eq!(code(trust.verify(&signed, &floors(), NOW)), "DEMO_ROSTER");
        }
    }
}

#[test]
fn rules_below_the_runbook_open_nothing() {
    let trust = trust(None, EndpointKind::Simulated);
    let body = approval(Phase::BoundedAuto, EndpointKind::Simulated).to_value();
    let floor = floors().rules[&Phase::BoundedAuto].clone();
    let check = |signers: Signers<'_>, rule: Option<PhaseRule>, expect: &str| {
        let mut rules = floors();
        rules.rules.remove(&Phase::BoundedAuto);
        rules.rules.extend(rule.map(|rule| (Phase::BoundedAuto, rule)));
        let signed = statement(&trust, Kind::SessionApproval, signers, &body);
        assert_eq!(code(trust.verify(&signed, &rules, NOW)), expect);
    };
    let (one, two) = ([("olga", Operator)], [("olga", Operator), ("anna", Approver)]);
    let with = |roles: &[Role]| Some(PhaseRule { signers: roles.to_vec(), ..floor.clone() });
    check(&two, Some(floor.clone()), "ok");
    check(&one, Some(floor.clone()), "SIGNER_MISSING");
    check(&two, None, "PHASE_NOT_OPENABLE");
    for below in [&[][..], &[Operator], &[Approver], &[Operator, Risk]] {
        check(&two, with(below), "PHASE_RULES_BELOW_FLOOR");
    }
    let longer = PhaseRule { window_ns_max: floor.window_ns_max + 1, ..floor.clone() };
    check(&two, Some(longer), "PHASE_RULES_BELOW_FLOOR");
    check(&two, with(&[Operator, Approver, Risk]), "SIGNER_MISSING");
    check(&two, with(&[Operator, Approver, Approver]), "SIGNER_MISSING");
    let three = [("olga", Operator), ("anna", Approver), ("otto", Approver)];
    check(&three, with(&[Operator, Approver, Approver]), "ok");
    let shorter = PhaseRule { window_ns_max: HOUR_NS - 1, ..floor.clone() };
    check(&two, Some(shorter), "WINDOW_TOO_LONG");
}

#[test]
fn a_window_ends_where_the_phase_says() {
    let trust = simulated();
    for phase in Phase::ALL.into_iter().skip(1) {
        let max = floors().rules[&phase].window_ns_max;
        for (length, expect) in [(max, "ok"), (max + 1, "WINDOW_TOO_LONG")] {
            let kind = if phase == Phase::Shadow {
                EndpointKind::Recorded
            } else {
                EndpointKind::Simulated
            };
            let mut body = approval(phase, kind);
            body.window_closes = body.window_opens.plus_ns(length);
            let signers = [("tina", Operator), ("theo", Approver)];
            let signed = statement(&trust, Kind::SessionApproval, &signers, &body.to_value());
            assert_eq!(code(trust.verify(&signed, &floors(), NOW)), expect, "{phase:?}");
        }
    }
}

#[test]
fn an_approval_is_for_one_account_on_one_host() {
    let trust = simulated();
    let check = |change: fn(&mut crate::SessionApproval), expect| {
        let mut body = approval(Phase::Paper, EndpointKind::Simulated);
        change(&mut body);
        let signed =
            statement(&trust, Kind::SessionApproval, &[("olga", Operator)], &body.to_value());
        assert_eq!(code(trust.verify(&signed, &floors(), NOW)), expect);
    };
    check(|_| (), "ok");
    check(|body| body.account = name("other"), "ACCOUNT_MISMATCH");
    check(|body| body.host = name("other"), "ACCOUNT_MISMATCH");
}

#[test]
fn the_genesis_is_the_pinned_one_signed_by_everybody() {
    let good = genesis(None, EndpointKind::Real);
    assert_eq!(code(trust_in(&good)), "ok");
    let pinned = Digest::of(b"another");
    assert_eq!(code(Trust::genesis(&good, pinned, NOW)), "GENESIS_MISMATCH");
    let later = NOW.plus_ns(HOUR_NS);
    assert_eq!(code(Trust::genesis(&good, Digest::of(&good.bytes), later)), "STATEMENT_EXPIRED");
    for missing in 0..good.signatures.len() {
        let mut fewer = good.clone();
        fewer.signatures.remove(missing);
        assert_eq!(code(trust_in(&fewer)), "SIGNATURE_MISSING");
    }
    let mut damaged = good.clone();
    damaged.bytes[40] ^= 1;
    assert_ne!(code(trust_in(&damaged)), "ok");
    // Listed are all but the last: nobody is in a roster that they have not signed.
    let envelope = Envelope::parse(&good.bytes).unwrap();
    let mut fewer = envelope.header.clone();
    fewer.signers.pop();
    let unlisted = sign(draft(&fewer, &envelope.body), Kind::Genesis, &PEOPLE.map(|(p, _)| p)[..5]);
    assert_eq!(code(trust_in(&unlisted)), "SIGNATURE_MISSING");
    let trust = trust_in(&good).unwrap();
    assert_eq!(code(trust.verify(&good, &floors(), NOW)), "KIND_UNEXPECTED");
    let seal = statement(&trust, Kind::Seal, &[("olga", Operator)], &seal().to_value());
    assert_eq!(code(trust_in(&seal)), "KIND_UNEXPECTED");
}

#[test]
fn an_approval_goes_with_the_statements_that_it_names() {
    let trust = simulated();
    let verify = |kind, signers: Signers<'_>, body: &Value| {
        trust.verify(&statement(&trust, kind, signers, body), &floors(), NOW).unwrap()
    };
    let two = [("gerd", Governance), ("olga", Operator)];
    let set = endpoint_set(EndpointKind::Simulated).to_value();
    let set = verify(Kind::EndpointSet, &two, &set).into_endpoint_set().unwrap();
    let release_of = |release: crate::PluginRelease| {
        let signers = [(release.author.as_str(), Author), ("gerd", Governance)];
        let verified = verify(Kind::PluginRelease, &signers, &release.to_value());
        verified.into_plugin_release().unwrap()
    };
    let release_one = release_of(release());
    let approve = |phase, change: &dyn Fn(&mut crate::SessionApproval)| {
        let mut body = approval(phase, EndpointKind::Simulated);
        body.endpoint = set.digest();
        body.plugins[0].release = release_one.digest();
        change(&mut body);
        let signers = [("olga", Operator), ("anna", Approver)];
        let verified = verify(Kind::SessionApproval, &signers, &body.to_value());
        verified.into_session_approval().unwrap()
    };
    let good = approve(Phase::Paper, &|_| ());
    assert_eq!(good.check_endpoint(&set), Ok(()));
    assert_eq!(good.check_release(&release_one), Ok(()));
    let other = approve(Phase::Paper, &|body| body.endpoint = Digest::of(b"other"));
    assert_eq!(code(other.check_endpoint(&set)), "ENDPOINT_MISMATCH");
    let other = approve(Phase::Shadow, &|body| body.endpoint_kind = EndpointKind::Recorded);
    assert_eq!(code(other.check_endpoint(&set)), "ENDPOINT_MISMATCH");
    let other = approve(Phase::Paper, &|body| body.plugins[0].component = Digest::of(b"other"));
    assert_eq!(code(other.check_release(&release_one)), "RELEASE_MISMATCH");
    let next = release_of(crate::PluginRelease { release_seq: 2, ..release() });
    assert_eq!(code(good.check_release(&next)), "RELEASE_MISMATCH");
    // The release reaches up to phase 2.
    let higher = approve(Phase::BoundedAuto, &|_| ());
    assert_eq!(code(higher.check_release(&release_one)), "RELEASE_MISMATCH");
    // The approver of the session wrote the plugin.
    let own = release_of(crate::PluginRelease { author: name("otto"), ..release() });
    let mut body = approval(Phase::Paper, EndpointKind::Simulated);
    body.plugins[0].release = own.digest();
    let signed_by = |signers: Signers<'_>| {
        let verified = verify(Kind::SessionApproval, signers, &body.to_value());
        verified.into_session_approval().unwrap().check_release(&own)
    };
    let as_approver = signed_by(&[("olga", Operator), ("otto", Approver)]);
    assert_eq!(code(as_approver), "AUTHOR_ALONE");
    assert_eq!(signed_by(&[("olga", Operator), ("anna", Approver)]), Ok(()));
}

#[test]
fn a_statement_is_carried_as_one_value() {
    let trust = simulated();
    let signed = statement(&trust, Kind::Seal, &[("olga", Operator)], &seal().to_value());
    assert_eq!(SignedStatement::from_value(&signed.to_value()), Ok(signed.clone()));
    let mut broken = signed;
    broken.bytes[3] = 0xff;
    let carried = SignedStatement::from_value(&broken.to_value()).unwrap();
    for signed in [&broken, &carried] {
        assert_eq!(code(trust.verify(signed, &floors(), NOW)), "STATEMENT_MALFORMED");
    }
}

/// B10: from phase 5 on a session is opened by hardware keys alone, each of them touched.
#[test]
fn b10_from_phase_five_a_session_is_opened_by_touch() {
    let trust = simulated();
    let (tina, theo) = (("tina", Operator), ("theo", Approver));
    let (olga, anna) = (("olga", Operator), ("anna", Approver));
    let opened = |phase: Phase, signers: Signers<'_>| {
        let body = approval(phase, EndpointKind::Simulated).to_value();
        let signed = statement(&trust, Kind::SessionApproval, signers, &body);
        code(trust.verify(&signed, &floors(), NOW))
    };
    for phase in Phase::ALL.into_iter().filter(|phase| *phase >= Phase::Shadow) {
        let soft = if phase >= Phase::ManualLive { "TOUCH_REQUIRED" } else { "ok" };
        assert_eq!(opened(phase, &[tina, theo]), "ok", "{phase:?}");
        for signers in [[olga, anna], [tina, anna], [olga, theo]] {
            assert_eq!(opened(phase, &signers), soft, "{phase:?} {signers:?}");
        }
    }
}

/// A17: a token that nobody touched has signed nothing, whatever the statement is.
#[test]
fn a17_a_signature_without_a_touch_counts_for_nothing() {
    let trust = simulated();
    for (kind, body) in [bodies()[5].clone(), bodies()[6].clone()] {
        let header = header(kind, &[("tina", Operator)], Some(trust.fingerprint()));
        let bytes = draft(&header, &body);
        for (flags, expect) in [(0, "SIGNATURE_INVALID"), (4, "SIGNATURE_INVALID")] {
            let signature = token("tina").unwrap().sign(kind.namespace(), &bytes, flags);
            let signed = SignedStatement { bytes: bytes.clone(), signatures: vec![signature] };
            assert_eq!(code(trust.verify(&signed, &floors(), NOW)), expect, "{flags}");
        }
    }
    let mut other = word();
    other.account = name("acct-2");
    let signed = statement(&trust, Kind::Release, &[("tina", Operator)], &other.to_value());
    assert_eq!(code(trust.verify(&signed, &floors(), NOW)), "ACCOUNT_MISMATCH");
}
