//! What witnesses burn of the approvals of a world.

use portcullis_domain::WallNs;
use portcullis_statement::note::{Burn, Checkpoint};
use portcullis_statement::{Digest, Envelope, SignedStatement, Statement};

use crate::people::{ORIGIN, cosigner};
use crate::world::{SECOND_NS, World};

pub(crate) fn seconds(at: WallNs) -> u64 {
    u64::try_from(at.0 / SECOND_NS).unwrap()
}

pub(crate) fn journal(size: u64) -> Checkpoint {
    Checkpoint { origin: ORIGIN.to_owned(), size, root: Digest::of(&size.to_be_bytes()) }
}

/// What a witness is asked to burn for this approval; nothing where the bytes are none.
pub(crate) fn burn_of(world: &World, signed: &SignedStatement) -> Option<Burn> {
    let envelope = Envelope::parse(&signed.bytes).ok()?;
    let Ok(Statement::SessionApproval(approval)) = envelope.statement() else { return None };
    Some(Burn {
        installation: "portcullis/host-1/acct".to_owned(),
        session: approval.session.clone(),
        nonce: envelope.header.nonce,
        approval: Digest::of(&signed.bytes),
        run: world.draw,
        journal: journal(approval.journal.size + 1),
    })
}

/// The burns of all witnesses of this house, made just now.
pub(crate) fn burns(world: &World, signed: &SignedStatement) -> Vec<String> {
    let Some(burn) = burn_of(world, signed) else { return vec![] };
    let sign = |witness: &&str| cosigner(witness).burn(&burn, seconds(world.now.wall));
    world.witnesses.iter().map(|witness| sign(witness).unwrap().to_string()).collect()
}
