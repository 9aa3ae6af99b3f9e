//! What the scribe claims about copies of the evidence. It is a claim: it can hold orders back, and
//! where the policy asks for none it says nothing. What proves a copy is the copy itself.

use portcullis_domain::WallNs;
use portcullis_domain::policy::guards::Guard;
use portcullis_domain::time::NS_PER_MS;

use crate::state::{Core, Turn};

/// The last claim of this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    unreplicated_bytes: u64,
    at: WallNs,
}

impl Core {
    /// The latest claim counts, also when it is a worse one.
    pub(crate) fn on_copied(&mut self, request: u64, unreplicated_bytes: u64, turn: &mut Turn) {
        self.copies = Some(Claim { unreplicated_bytes, at: turn.now.wall });
        turn.done(request, format!("noted: the scribe claims {unreplicated_bytes} bytes uncopied"));
    }

    /// Whether the last claim, however old, is within the bound of the session's phase.
    pub(crate) fn copies_suffice(&self) -> bool {
        let phase = self.live.as_ref().map(|live| live.gate.phase());
        let rules = self.safety().map(|safety| &safety.guards.unreplicated_bytes_max);
        let bound = rules.zip(phase).and_then(|(rules, phase)| rules.get(&phase));
        bound.zip(self.copies).is_some_and(|(max, claim)| claim.unreplicated_bytes <= *max)
    }

    /// Until when the last claim counts: the journal grows on.
    pub(crate) fn claimed_until(&self) -> Option<WallNs> {
        let longest = i64::from(Guard::Scribe.beat_ms_max()).saturating_mul(NS_PER_MS);
        self.copies.map(|claim| claim.at.plus_ns(longest))
    }

    /// The claim, as the scribe's.
    pub(crate) fn copies_line(&self) -> Option<String> {
        let Claim { unreplicated_bytes, at } = self.copies?;
        Some(format!(
            "{unreplicated_bytes} bytes uncopied at {} (the scribe's claim)",
            at.rfc3339()
        ))
    }
}
