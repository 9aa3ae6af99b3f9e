//! One person is one key, one key is one person, and a mark keeps a roster at home.

use super::*;
use crate::testkit::{genesis, key, name, people, sign, trust_in};
use crate::{Envelope, Genesis, SignedStatement, draft};

#[track_caller]
fn check(change: impl FnOnce(&mut Vec<Person>), expect: &str) {
    let mut people = people();
    change(&mut people);
    let roster = Roster::new(people, None, EndpointKind::Simulated);
    let got = roster.map_or_else(|refusal| refusal.to_string(), |_| "ok".to_owned());
    assert!(got.contains(expect), "{got} is not about {expect}");
}

#[test]
fn one_person_is_one_key() {
    check(|_| (), "ok");
    check(|p| p[1].key = p[0].key, "gerd and ada have the same key");
    // The point of a token's key in a file would be a second key of one hand.
    check(|p| p[0].key = key("tina").public(), "tina and ada have the same key");
    check(|p| p[1].name = p[0].name.clone(), "ada and ada have the same name");
    check(|p| p[7].roles.clear(), "rita has no role");
    check(|p| p[7].roles.push(Role::Risk), "rita has no role, or one twice");
    check(|p| p.truncate(1), "fewer than two people");
    check(|p| p.truncate(2), "ok");
}

#[test]
fn a_witness_is_nobody_of_the_roster() {
    let witnessed = |key: crate::SigningKey| {
        let kind = crate::note::KeyKind::Cosignature;
        let key = crate::note::VerifierKey::new("w1", kind, key.public()).unwrap();
        let domain = crate::FailureDomain::SameHost;
        let one = crate::Witness { name: name("w1"), key, domain, operator: name("olga") };
        let roster = Roster::new(people(), None, EndpointKind::Simulated).unwrap();
        roster.witnessed(crate::Witnesses::new(vec![one], 1).unwrap())
    };
    let refusal = witnessed(key("olga")).unwrap_err();
    assert!(refusal.cause().contains("w1 and olga have the same key"), "{refusal}");
    let roster = witnessed(crate::SigningKey::from_seed([9; 32])).unwrap();
    assert_eq!(roster.witnesses().words(), "1 of: w1 (same-host, run by olga)");
}

/// The genesis with one text replaced, signed anew by everybody.
fn rewritten(find: &str, put: &str) -> SignedStatement {
    let good = genesis(None, EndpointKind::Simulated);
    let text = String::from_utf8(good.bytes).unwrap();
    assert!(text.contains(find), "{find} is not in {text}");
    let bytes = text.replace(find, put).into_bytes();
    sign(bytes, Kind::Genesis, &crate::testkit::PEOPLE.map(|(person, _)| person))
}

#[test]
fn a_genesis_that_contradicts_itself_is_refused() {
    let check = |find: &str, put: &str, expect: &str| {
        let refusal = trust_in(&rewritten(find, put)).unwrap_err();
        assert_eq!(refusal.code(), expect, "{put}: {refusal}");
    };
    let line = |person| key(person).public().openssh_line();
    check(&line("gerd"), &line("ada"), "ROSTER_INVALID");
    check(r#""name":"gerd""#, r#""name":"ada""#, "ROSTER_INVALID");
    check(r#""mark":null"#, r#""mark":"test""#, "STATEMENT_MALFORMED");
    check(r#""mark":null,"#, "", "STATEMENT_MALFORMED");
    check(r#""ladder":"simulated""#, r#""ladder":"moon""#, "STATEMENT_MALFORMED");
    check(r#"["risk"]"#, r#"["root"]"#, "STATEMENT_MALFORMED");
    check(r#"["risk"]"#, "[]", "ROSTER_INVALID");
    check("ssh-ed25519 ", "sk-ssh-ed25519@openssh.com ", "STATEMENT_MALFORMED");
    check(r#""name":"rita""#, r#""name":"Rita""#, "STATEMENT_MALFORMED");
}

#[test]
fn a_key_with_another_comment_is_the_same_key() {
    let ada = key("ada").public().openssh_line();
    let gerd = key("gerd").public().openssh_line();
    let refusal = trust_in(&rewritten(&gerd, &format!("{ada} another-comment"))).unwrap_err();
    assert_eq!(refusal.code(), "ROSTER_INVALID");
}

#[test]
fn a_marked_roster_has_no_ladder_that_leads_outside() {
    for mark in [Mark::Demo, Mark::ThrowAway] {
        assert_eq!(Mark::from_name(mark.name()), Some(mark));
        for ladder in EndpointKind::ALL {
            let roster = Roster::new(people(), Some(mark), ladder);
            let expect = if ladder.is_outside() { Some(Refusal::DemoRoster) } else { None };
            assert_eq!(roster.err(), expect);
        }
    }
}

#[test]
fn a_genesis_reads_back() {
    for mark in [None, Some(Mark::Demo), Some(Mark::ThrowAway)] {
        let signed = genesis(mark, EndpointKind::Recorded);
        let envelope = Envelope::parse(&signed.bytes).unwrap();
        let genesis = Genesis::from_value(&envelope.body).unwrap();
        assert_eq!(genesis.roster.mark(), mark);
        assert_eq!(genesis.roster.people(), people());
        assert_eq!(genesis.to_value(), envelope.body);
        assert_eq!(draft(&envelope.header, &envelope.body), signed.bytes);
        assert_eq!(genesis.roster.person(&name("nobody")), None);
    }
}
