//! What several test modules share: a folder that cleans up after itself, and people with keys.

use portcullis_domain::{ClOrdId, Name, OrdType, Role, Side, TimeInForce, WallNs};
use portcullis_statement::{
    Digest, EndpointKind, Envelope, Mark, Person, PublicKey, Release, Roster, ShownProposal,
    SignedStatement, SigningKey, Trust,
};

use crate::draft::{self, Desk};

#[path = "../../statement/src/testkit/limits.rs"]
mod wide;
pub(crate) use wide::wide_limits;

#[path = "../../console/src/double.rs"]
mod double;
pub(crate) use double::{daemon, frame};

#[path = "../../console/src/scratch.rs"]
mod scratch;
pub(crate) use scratch::Scratch;

/// The moment at which everything in a test is drafted.
pub(crate) const NOW: WallNs = WallNs(1_800_000_000_000_000_000);
/// An hour later.
pub(crate) const LATER: WallNs = WallNs(1_800_003_600_000_000_000);

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// Four people with keys in memory, and the genesis that they signed.
pub(crate) struct People {
    pub(crate) genesis: SignedStatement,
    pub(crate) fingerprint: Digest,
    pub(crate) roster: Roster,
}

const PEOPLE: [(&str, Role); 4] = [
    ("ana", Role::Author),
    ("gus", Role::Governance),
    ("olga", Role::Operator),
    ("petra", Role::Approver),
];

pub(crate) fn key(person: &str) -> SigningKey {
    SigningKey::from_seed(Digest::of(person.as_bytes()).0)
}

/// The public half of a hardware key. Nobody can sign with it here.
pub(crate) fn token() -> PublicKey {
    let line = "sk-ssh-ed25519@openssh.com \
        AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIDxGnp1sWHXTekPzU9T4jmH8+B\
        LGbu40V0ZaQLDaQVPgAAAABHNzaDo=";
    PublicKey::parse_openssh(line).unwrap()
}

impl People {
    pub(crate) fn new() -> Self {
        Self::with(|person| key(person).public())
    }

    /// The operator has a hardware key.
    pub(crate) fn with_token() -> Self {
        Self::with(|person| if person == "olga" { token() } else { key(person).public() })
    }

    fn with(public: impl Fn(&str) -> PublicKey) -> Self {
        let person = |(person, role): (&str, Role)| Person {
            name: name(person),
            roles: vec![role],
            key: public(person),
        };
        let people = PEOPLE.map(person).to_vec();
        let roster = Roster::new(people, Some(Mark::Demo), EndpointKind::Simulated).unwrap();
        let genesis = portcullis_statement::Genesis {
            account: name("acct"),
            host: name("host-1"),
            roster: roster.clone(),
        };
        let bytes = draft::genesis(&genesis, "0".repeat(32), (NOW, LATER)).unwrap();
        let fingerprint = Digest::of(&bytes);
        Self { genesis: signed(bytes), fingerprint, roster }
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust::genesis(&self.genesis, self.fingerprint, NOW).unwrap()
    }

    pub(crate) fn desk(&self) -> Desk<'_> {
        Desk {
            roster: &self.roster,
            genesis: self.fingerprint,
            nonce: "1".repeat(32),
            now: NOW,
            expires: LATER,
            chosen: &[],
        }
    }
}

/// A release of a purchase by a plugin.
pub(crate) fn word() -> Release {
    let shown = ShownProposal {
        proposal: ClOrdId { epoch: 7, sequence: 3 },
        session: name("s1"),
        asked_by: "plugin ema-cross".to_owned(),
        symbol: "BTC-USDT".to_owned(),
        side: Side::Buy,
        ord_type: OrdType::Limit,
        time_in_force: TimeInForce::Gtc,
        qty: "0.1".to_owned(),
        price: Some("61837.60".to_owned()),
        reduce_only: false,
        stop: Some("60000".to_owned()),
        target: None,
    };
    Release {
        account: name("acct"),
        origin: "portcullis/host-1/acct/1/simulated".to_owned(),
        digest: shown.digest(),
        shown,
        bid: "61837.50".to_owned(),
        ask: "61837.70".to_owned(),
    }
}

/// Signs with the keys of everybody whom the bytes list.
pub(crate) fn signed(bytes: Vec<u8>) -> SignedStatement {
    let header = Envelope::parse(&bytes).unwrap().header;
    let keys: Vec<_> = header.signers.iter().map(|signer| key(signer.person.as_str())).collect();
    SignedStatement::signed_by(bytes, header.kind, &keys.iter().collect::<Vec<_>>())
}
