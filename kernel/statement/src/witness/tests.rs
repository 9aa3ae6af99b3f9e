//! A quorum is one that can be met, a name or key stands once.

use super::*;
use crate::SigningKey;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn key(of: &str, seed: u8) -> VerifierKey {
    let public = SigningKey::from_seed([seed; 32]).public();
    VerifierKey::new(of, KeyKind::Cosignature, public).unwrap()
}

fn witness(of: &str, seed: u8, domain: FailureDomain, operator: &str) -> Witness {
    let key = key(of, seed);
    Witness { name: name(of), key, domain, operator: name(operator) }
}

fn three() -> Vec<Witness> {
    vec![
        witness("w1", 1, FailureDomain::SameHost, "olga"),
        witness("w2", 2, FailureDomain::OtherHost, "olga"),
        witness("w3", 3, FailureDomain::OtherHost, "eve"),
    ]
}

fn signers(operator: &str) -> Vec<Signer> {
    vec![Signer { person: name(operator), role: Role::Operator, key: String::new() }]
}

#[test]
fn a_quorum_is_one_that_can_be_met() {
    for (quorum, fits) in [(0, false), (1, true), (3, true), (4, false), (usize::MAX, false)] {
        assert_eq!(Witnesses::new(three(), quorum).is_ok(), fits, "{quorum}");
    }
    assert_eq!(Witnesses::new(vec![], 0).unwrap().words(), "self-attested");
    assert!(Witnesses::new(vec![], 1).is_err());
    let two = Witnesses::new(three()[..2].to_vec(), 2).unwrap();
    assert_eq!(two.words(), "2 of: w1 (same-host, run by olga), w2 (other-host, run by olga)");
    let again = |change: fn(&mut Vec<Witness>)| {
        let mut list = three();
        change(&mut list);
        Witnesses::new(list, 2).map_err(|refusal| refusal.code()).err()
    };
    assert_eq!(again(|list| list[1].name = list[0].name.clone()), Some("ROSTER_INVALID"));
    assert_eq!(again(|list| list[1].key = list[0].key.clone()), Some("ROSTER_INVALID"));
    let other_name = |list: &mut Vec<Witness>| {
        list[1].key = key("w9", 1);
    };
    assert_eq!(again(other_name), Some("ROSTER_INVALID"));
}

/// C11: from phase 5 on somebody else looks, from 6 on somebody who is not the operator in
/// another coat.
#[test]
fn c11_a_witness_in_name_only_is_none() {
    let serve = |list: &[Witness], phase, operator: &str| {
        let quorum = list.len().min(1);
        let witnesses = Witnesses::new(list.to_vec(), quorum).unwrap();
        witnesses.serve(phase, &signers(operator))
    };
    for phase in Phase::ALL {
        assert_eq!(serve(&[], phase, "olga"), phase < Phase::ManualLive);
        assert_eq!(serve(&three()[..2], phase, "olga"), phase < Phase::MonitoredAuto);
        assert!(serve(&three(), phase, "olga"));
        assert!(serve(&three()[1..2], phase, "otto"));
    }
    let all = Witnesses::new(three(), 2).unwrap();
    let suffice = |names: &[&str], phase| {
        let names: Vec<_> = names.iter().map(|text| name(text)).collect();
        all.suffice(&names, phase, &signers("olga"))
    };
    assert!(suffice(&["w1", "w2"], Phase::ManualLive));
    assert!(!suffice(&["w1", "w1", "w9"], Phase::Paper));
    assert!(!suffice(&["w1", "w2"], Phase::MonitoredAuto));
    assert!(suffice(&["w3", "w1"], Phase::MonitoredAuto));
    assert!(Witnesses::default().suffice([], Phase::Paper, &[]));
}

#[test]
fn the_roster_reads_its_witnesses_back() {
    let all = Witnesses::new(three(), 2).unwrap();
    let value = all.to_value();
    assert_eq!(Witnesses::from_value(Fields::new(&value).unwrap()), Ok(all));
    let text = String::from_utf8(value.canonical()).unwrap();
    let witness_key = key("w2", 2);
    let log_key = VerifierKey::new("w2", KeyKind::Ed25519, witness_key.key()).unwrap();
    let (witness_key, log_key) = (witness_key.to_string(), log_key.to_string());
    for (find, put) in [
        ("other-host", "moon"),
        ("\"operator\":\"eve\"", "\"operator\":\"Eve\""),
        ("\"quorum\":2", "\"quorum\":-1"),
        ("w2+", "w2+0"),
        (&witness_key, &log_key),
    ] {
        assert!(text.contains(find), "{find}");
        let changed = crate::json::parse(text.replacen(find, put, 1).as_bytes()).unwrap();
        assert!(Witnesses::from_value(Fields::new(&changed).unwrap()).is_err(), "{put}");
    }
}
