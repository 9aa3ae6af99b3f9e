//! The statements that need little more than what is asked for.

use portcullis_domain::{Name, Phase, Role};
use portcullis_evidence::pack::Manifest;
use portcullis_statement::{
    Classification, Digest, EndpointKind, EndpointSet, FlattenPlan, Host, JournalHead, Kind,
    LimitsChange, PluginRelease, Release, Seal, Target, Unkill, Venue,
};

use super::{Desk, DraftError, Seat, statement};

/// The loopback address of simulated exchanges.
const LOOPBACK: &str = "127.0.0.1";

/// What the sandbox read from a component's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReleaseFacts {
    /// SHA-256 of the component.
    pub(crate) component: Digest,
    /// Names of its exports.
    pub(crate) exports: Vec<String>,
    /// Names of its imports.
    pub(crate) imports: Vec<String>,
    /// Most memory in bytes.
    pub(crate) memory_bytes_max: u64,
    /// The world it is built for.
    pub(crate) world: String,
}

/// A plugin release, signed by its author and governance.
pub(crate) fn plugin_release(
    desk: &Desk<'_>,
    facts: ReleaseFacts,
    author: &Name,
    (plugin, release_seq): (Name, u64),
    phase_max: Phase,
) -> Result<Vec<u8>, DraftError> {
    let seats = vec![Seat::Held(author.clone(), Role::Author), Seat::Any(Role::Governance)];
    let release = PluginRelease {
        author: author.clone(),
        component: facts.component,
        exports: facts.exports,
        imports: facts.imports,
        memory_bytes_max: facts.memory_bytes_max,
        phase_max,
        plugin,
        release_seq,
        world: facts.world,
    };
    statement(desk, Kind::PluginRelease, &[seats], &release.to_value())
}

/// An endpoint set of the simulated exchange on this host, signed by governance and another.
pub(crate) fn endpoint_set(
    desk: &Desk<'_>,
    venue: Venue,
    (public_port, private_port): (u16, u16),
) -> Result<Vec<u8>, DraftError> {
    let host = |port| Some(Host { host: LOOPBACK.to_owned(), port });
    let set = EndpointSet {
        kind: EndpointKind::Simulated,
        venue,
        public: host(public_port),
        private: host(private_port),
        files: Vec::new(),
    };
    let seats = |other| vec![Seat::Any(Role::Governance), Seat::Any(other)];
    let options = [Role::Operator, Role::Approver, Role::Risk, Role::Governance].map(seats);
    statement(desk, Kind::EndpointSet, &options, &set.to_value())
}

/// Other limits from the next session on, signed by two people, one of them of those who answer
/// for limits.
pub(crate) fn limits_change(desk: &Desk<'_>, change: &LimitsChange) -> Result<Vec<u8>, DraftError> {
    use Role::{Approver, Governance, Operator, Risk};
    let seats = |one, other| vec![Seat::Any(one), Seat::Any(other)];
    let options = [
        seats(Governance, Operator),
        seats(Governance, Risk),
        seats(Governance, Approver),
        seats(Risk, Operator),
        seats(Risk, Approver),
        seats(Governance, Governance),
        seats(Risk, Risk),
    ];
    statement(desk, Kind::LimitsChange, &options, &change.to_value())
}

/// The end of one kill or stop, signed by two people.
pub(crate) fn unkill(desk: &Desk<'_>, target: Target, reason: &str) -> Result<Vec<u8>, DraftError> {
    use Role::{Approver, Operator, Risk};
    let pairs = [
        [Operator, Approver],
        [Operator, Risk],
        [Approver, Risk],
        [Operator, Operator],
        [Approver, Approver],
        [Risk, Risk],
    ];
    let options = pairs.map(|pair| pair.map(Seat::Any).to_vec());
    let unkill = Unkill { target, reason: reason.to_owned() };
    statement(desk, Kind::Unkill, &options, &unkill.to_value())
}

/// The way out of positions, signed by operator and risk.
pub(crate) fn flatten_plan(desk: &Desk<'_>, plan: &FlattenPlan) -> Result<Vec<u8>, DraftError> {
    let seats = [Role::Operator, Role::Risk].map(Seat::Any).to_vec();
    statement(desk, Kind::FlattenPlan, &[seats], &plan.to_value())
}

/// A person's word about one proposal, signed by an operator who touches a key.
pub(crate) fn release(desk: &Desk<'_>, word: &Release) -> Result<Vec<u8>, DraftError> {
    statement(desk, Kind::Release, &[vec![Seat::Touch(Role::Operator)]], &word.to_value())
}

/// The seal of a pack, by its manifest, signed by operator and approver.
pub(crate) fn seal(
    desk: &Desk<'_>,
    manifest: &Manifest,
    classification: Classification,
) -> Result<Vec<u8>, DraftError> {
    let seal = Seal {
        classification,
        journal: JournalHead {
            head: manifest.journal.root,
            key: manifest.key.clone(),
            origin: manifest.origin.clone(),
            size: manifest.journal.size,
        },
        manifest: Digest::of(&manifest.to_bytes()),
        session: manifest.session.clone(),
    };
    let seats = [Role::Operator, Role::Approver].map(Seat::Any).to_vec();
    statement(desk, Kind::Seal, &[seats], &seal.to_value())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use portcullis_domain::policy::PhaseRules;
    use portcullis_evidence::Head;
    use portcullis_statement::Statement;

    use super::*;
    use crate::testing::{NOW, People, name, signed};

    /// What `Trust::verify` says of the drafted bytes once all who are listed have signed.
    fn verified(people: &People, bytes: Vec<u8>) -> Statement {
        let rules = PhaseRules { rules: BTreeMap::new() };
        let verified = people.trust().verify(&signed(bytes), &rules, NOW).unwrap();
        portcullis_statement::Envelope::parse(&draft_bytes(&verified)).unwrap().statement().unwrap()
    }

    fn draft_bytes(verified: &portcullis_statement::Verified<Statement>) -> Vec<u8> {
        portcullis_statement::draft(verified.header(), &verified.item().to_value())
    }

    fn facts() -> ReleaseFacts {
        ReleaseFacts {
            component: Digest::of(b"component"),
            exports: vec!["portcullis:strategy/plugin@0.9.0".to_owned()],
            imports: vec!["portcullis:strategy/log@0.9.0".to_owned()],
            memory_bytes_max: 1 << 20,
            world: "portcullis:strategy@0.9.0".to_owned(),
        }
    }

    #[test]
    fn drafts_are_believed_once_they_are_signed() {
        let people = People::new();
        let desk = people.desk();
        let named = (name("ema-cross"), 1);
        let release =
            plugin_release(&desk, facts(), &name("ana"), named, Phase::BoundedAuto).unwrap();
        let Statement::PluginRelease(release) = verified(&people, release) else { panic!() };
        assert_eq!(release.component, Digest::of(b"component"));
        let endpoint = endpoint_set(&desk, Venue::Binance, (9001, 9002)).unwrap();
        let Statement::EndpointSet(endpoint) = verified(&people, endpoint) else { panic!() };
        assert_eq!(endpoint.private.map(|host| host.port), Some(9002));
        let kill = Target::kill(3, Digest::of(b"kill"));
        let lifted = unkill(&desk, kill, "feed was mended").unwrap();
        let Statement::Unkill(lifted) = verified(&people, lifted) else { panic!() };
        assert_eq!(lifted.target, kill);
        let manifest = manifest();
        let sealed = seal(&desk, &manifest, Classification::Yellow).unwrap();
        let Statement::Seal(sealed) = verified(&people, sealed) else { panic!() };
        assert_eq!(sealed.manifest, Digest::of(&manifest.to_bytes()));
    }

    fn manifest() -> Manifest {
        Manifest {
            session: name("s1"),
            phase: Phase::Paper,
            origin: "portcullis/host-1/acct/1/simulated".to_owned(),
            key: "host-1+00000000+key".to_owned(),
            journal: Head { size: 3, root: Digest::of(b"head") },
            session_root: Digest::of(b"root"),
            simulated: true,
            files: BTreeMap::new(),
        }
    }

    #[test]
    fn what_nobody_would_accept_is_not_drafted() {
        let people = People::new();
        let desk = people.desk();
        let stranger = (name("x"), 1);
        let release = plugin_release(&desk, facts(), &name("olga"), stranger, Phase::Paper);
        assert_eq!(release.unwrap_err().code(), "SIGNER_MISSING");
        let blank = unkill(&desk, Target::kill(1, Digest::of(b"")), " ");
        assert_eq!(blank.unwrap_err().code(), "STATEMENT_MALFORMED");
        let foreign = unkill(&desk, Target::kill(1, Digest::of(b"")), "caf\u{e9}");
        assert_eq!(foreign.unwrap_err().code(), "STATEMENT_MALFORMED");
        let port = endpoint_set(&desk, Venue::Kraken, (0, 1));
        assert_eq!(port.unwrap_err().code(), "STATEMENT_MALFORMED");
        let chosen = [(name("gus"), Role::Operator)];
        let desk = Desk { chosen: &chosen, ..people.desk() };
        let wrong = endpoint_set(&desk, Venue::Kraken, (1, 2));
        assert_eq!(wrong.unwrap_err().code(), "SIGNER_UNKNOWN");
    }
}
