//! The first statement of an installation.

use portcullis_domain::WallNs;
use portcullis_statement::{Envelope, Genesis, Header, Kind, Signer, draft};

use super::{DraftError, POLICY_SEQ};

/// The genesis as everybody in its roster signs it, each in the first of their roles.
pub(crate) fn genesis(
    genesis: &Genesis,
    nonce: String,
    (not_before, expires): (WallNs, WallNs),
) -> Result<Vec<u8>, DraftError> {
    let people = genesis.roster.people().iter();
    let signer = |person: &portcullis_statement::Person| -> Option<Signer> {
        person.roles.first().map(|role| person.signer(*role))
    };
    let header = Header {
        kind: Kind::Genesis,
        nonce,
        policy_seq: POLICY_SEQ,
        not_before,
        expires,
        signers: people.filter_map(signer).collect(),
        genesis: None,
    };
    let bytes = draft(&header, &genesis.to_value());
    Genesis::from_value(&Envelope::parse(&bytes)?.body)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use portcullis_domain::{Role, WallNs};
    use portcullis_statement::Trust;

    use crate::testing::{LATER, NOW, People};

    #[test]
    fn the_genesis_is_believed_when_everybody_signed_it() {
        let people = People::new();
        let trust = Trust::genesis(&people.genesis, people.fingerprint, NOW).unwrap();
        assert_eq!(trust.roster().people().len(), 4);
        assert!(trust.roster().people().iter().all(|person| person.roles != [Role::Risk]));
        let late = Trust::genesis(&people.genesis, people.fingerprint, LATER);
        assert_eq!(late.map_err(|refusal| refusal.code()).err(), Some("STATEMENT_EXPIRED"));
        let early = Trust::genesis(&people.genesis, people.fingerprint, WallNs(0));
        assert_eq!(early.map_err(|refusal| refusal.code()).err(), Some("STATEMENT_NOT_YET_VALID"));
        let mut cut = people.genesis.clone();
        cut.signatures.pop();
        let cut = Trust::genesis(&cut, people.fingerprint, NOW);
        assert_eq!(cut.map_err(|refusal| refusal.code()).err(), Some("SIGNATURE_MISSING"));
    }
}
