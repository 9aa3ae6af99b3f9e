//! Who has to have signed: listed people against the roster, signatures against the list, and
//! the list against what the kind demands.

use std::collections::BTreeSet;

use portcullis_domain::policy::{PhaseRules, phase_floor};
use portcullis_domain::{Name, Phase, Role};

use crate::body::{Genesis, PluginRelease, SessionApproval};
use crate::header::{Header, Kind, Signer};
use crate::key::PublicKey;
use crate::roster::Roster;
use crate::{Refusal, SignedStatement, Statement, sshsig};

/// Every listed signer is a distinct person of the roster, with that key and that role, and each
/// of them signed exactly these bytes; nobody else did.
pub(crate) fn check_signers(
    signed: &SignedStatement,
    header: &Header,
    roster: &Roster,
) -> Result<(), Refusal> {
    let mut awaited = listed_keys(header, roster)?;
    let mut seen = BTreeSet::new();
    for armored in &signed.signatures {
        let key = sshsig::verify(armored, header.kind.namespace(), &signed.bytes)
            .map_err(Refusal::SignatureInvalid)?;
        if !seen.insert(key) {
            let person = roster.people().iter().find(|person| person.key == key);
            return Err(person.map_or_else(
                || Refusal::SignatureUnlisted(key.fingerprint()),
                |person| Refusal::SignerTwice(person.name.clone()),
            ));
        }
        let place = awaited.iter().position(|(listed, _)| *listed == key);
        let place = place.ok_or_else(|| Refusal::SignatureUnlisted(key.fingerprint()))?;
        awaited.swap_remove(place);
    }
    match awaited.into_iter().next() {
        Some((_, person)) => Err(Refusal::SignatureMissing(person)),
        None => Ok(()),
    }
}

fn listed_keys(header: &Header, roster: &Roster) -> Result<Vec<(PublicKey, Name)>, Refusal> {
    let mut keys: Vec<(PublicKey, Name)> = Vec::new();
    for Signer { person: name, role, key } in &header.signers {
        let person = roster.person(name).filter(|person| person.key.fingerprint() == *key);
        let person = person.ok_or_else(|| Refusal::SignerUnknown(name.clone()))?;
        if !person.roles.contains(role) || !header.kind.roles().contains(role) {
            return Err(Refusal::SignerRole(name.clone(), *role));
        }
        // The roster has one key per person and one person per key; both are compared all the
        // same, because two signatures of one hand are the attack this file exists for.
        if keys.iter().any(|(held, other)| *held == person.key || other == name) {
            return Err(twice(header, name));
        }
        keys.push((person.key, name.clone()));
    }
    Ok(keys)
}

/// One person listed twice: in a release as author and governance it has a name of its own.
fn twice(header: &Header, name: &Name) -> Refusal {
    let listed_as = |role| header.signers.iter().any(|s| s.person == *name && s.role == role);
    let both = listed_as(Role::Author) && listed_as(Role::Governance);
    if header.kind == Kind::PluginRelease && both {
        Refusal::AuthorAlone(name.clone())
    } else {
        Refusal::SignerTwice(name.clone())
    }
}

/// Everybody in the roster is listed. That they signed is [`check_signers`]'s part.
pub(crate) fn check_genesis(header: &Header, genesis: &Genesis) -> Result<(), Refusal> {
    let listed = |name: &Name| header.signers.iter().any(|signer| signer.person == *name);
    let missing = genesis.roster.people().iter().find(|person| !listed(&person.name));
    missing.map_or(Ok(()), |person| Err(Refusal::SignatureMissing(person.name.clone())))
}

/// The list of signers is what this kind demands.
pub(crate) fn check_demands(
    header: &Header,
    statement: &Statement,
    rules: &PhaseRules,
) -> Result<(), Refusal> {
    match statement {
        Statement::EndpointSet(_) => {
            demand_roles(header, &[Role::Governance], "a signer as governance")?;
            demand_two(header, "two people, one of them as governance")
        }
        Statement::PluginRelease(release) => demand_release(header, release),
        Statement::SessionApproval(approval) => demand_session(header, approval, rules),
        Statement::LimitsChange(_) => {
            let needed = "two people, one of them as governance or risk";
            demand_any(header, &[Role::Governance, Role::Risk], needed)?;
            demand_two(header, needed)
        }
        Statement::Unkill(_) => demand_two(header, "two people of operator, approver and risk"),
        Statement::FlattenPlan(_) => {
            demand_roles(header, &[Role::Operator, Role::Risk], "an operator and one for risk")
        }
        Statement::Release(_) => demand_roles(header, &[Role::Operator], "an operator"),
        Statement::Seal(_) => {
            demand_roles(header, &[Role::Operator, Role::Approver], "an operator and an approver")
        }
    }
}

/// From phase 5 on a session and each order in it are opened by touch: whoever signs holds a
/// hardware key. A signature of one that was not touched was never read.
pub(crate) fn check_touch(
    header: &Header,
    statement: &Statement,
    roster: &Roster,
) -> Result<(), Refusal> {
    let asked = match statement {
        Statement::SessionApproval(approval) => approval.phase >= Phase::ManualLive,
        Statement::Release(_) => true,
        Statement::EndpointSet(_)
        | Statement::PluginRelease(_)
        | Statement::LimitsChange(_)
        | Statement::Unkill(_)
        | Statement::FlattenPlan(_)
        | Statement::Seal(_) => false,
    };
    let touched = |name: &Name| roster.person(name).is_some_and(|held| held.key.is_hardware());
    let unseen = header.signers.iter().find(|signer| asked && !touched(&signer.person));
    unseen.map_or(Ok(()), |signer| Err(Refusal::TouchMissing(signer.person.clone())))
}

fn demand_release(header: &Header, release: &PluginRelease) -> Result<(), Refusal> {
    let author = |s: &&Signer| s.person == release.author;
    match header.signers.iter().find(author).map(|signer| signer.role) {
        Some(Role::Author) => {}
        Some(Role::Governance | Role::Operator | Role::Approver | Role::Risk) => {
            return Err(Refusal::AuthorAlone(release.author.clone()));
        }
        None => return Err(Refusal::SignerMissing("the author whom the release names")),
    }
    demand_roles(header, &[Role::Governance], "a signer as governance")
}

fn demand_session(
    header: &Header,
    approval: &SessionApproval,
    rules: &PhaseRules,
) -> Result<(), Refusal> {
    let phase = approval.phase;
    let floor = phase_floor(phase).ok_or(Refusal::PhaseNotOpenable(phase))?;
    let rule = rules.rules.get(&phase).ok_or(Refusal::PhaseNotOpenable(phase))?;
    if !rule.is_at_least(&floor) {
        return Err(Refusal::RulesBelowFloor(phase));
    }
    let window_ns = approval.window_closes.0.saturating_sub(approval.window_opens.0);
    if window_ns > rule.window_ns_max {
        return Err(Refusal::WindowTooLong(phase));
    }
    // The floor is asked for again on its own: it does not hang on how rules are compared.
    demand_roles(header, &floor.signers, needed(phase))?;
    demand_roles(header, &rule.signers, "every signer whom the phase rules ask for")
}

const fn needed(phase: Phase) -> &'static str {
    match phase {
        Phase::Foundation | Phase::Shadow | Phase::Paper => "an operator",
        Phase::BoundedAuto
        | Phase::PreLive
        | Phase::ManualLive
        | Phase::MonitoredAuto
        | Phase::Continuous => "an operator and an approver",
    }
}

/// One listed signer for each entry of `roles`; signers are distinct people already.
fn demand_roles(header: &Header, roles: &[Role], needed: &'static str) -> Result<(), Refusal> {
    let listed = |role| header.signers.iter().filter(|signer| signer.role == role).count();
    let asked = |role| roles.iter().filter(|asked| **asked == role).count();
    if roles.iter().all(|role| listed(*role) >= asked(*role)) {
        Ok(())
    } else {
        Err(Refusal::SignerMissing(needed))
    }
}

/// A listed signer in one of `roles`.
fn demand_any(header: &Header, roles: &[Role], needed: &'static str) -> Result<(), Refusal> {
    let listed = header.signers.iter().any(|signer| roles.contains(&signer.role));
    if listed { Ok(()) } else { Err(Refusal::SignerMissing(needed)) }
}

fn demand_two(header: &Header, needed: &'static str) -> Result<(), Refusal> {
    if header.signers.len() >= 2 { Ok(()) } else { Err(Refusal::SignerMissing(needed)) }
}
