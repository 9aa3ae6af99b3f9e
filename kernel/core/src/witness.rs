//! What witnesses say about this journal: cosigned checkpoints and burned approvals, verified
//! here and again in every replay. Whoever carries them can delay them and nothing else.

use std::collections::BTreeMap;

use portcullis_domain::policy::guards::Guard;
use portcullis_domain::time::{NS_PER_MS, NS_PER_S};
use portcullis_domain::{Name, WallNs};
use portcullis_gate::GuardState;
use portcullis_statement::note::{Burn, Checkpoint, Note};
use portcullis_statement::{SessionApproval, Verified, Witnesses};

use crate::state::{Core, Identity, Turn};

/// How old a burn may be, and how far ahead the witness's clock, in nanoseconds.
const BURN_NS_MAX: i64 = 120 * NS_PER_S;

/// Where the number stands in `portcullis/<host>/<account>/<number>[/simulated]`.
const EPOCH_PART: usize = 3;

/// How a checkpoint stands to the journal on this disk, as the wiring found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The house made it itself, then: all that came before is in it.
    Ours(WallNs),
    /// It has more entries than the disk: the disk was set back.
    Ahead,
    /// It has another root at that size: the disk was set back and written on, or rewritten.
    Forked,
}

impl Standing {
    /// The name in the entry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours(_) => "ours",
            Self::Ahead => "ahead",
            Self::Forked => "forked",
        }
    }
}

/// The last word of one witness in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cosigned {
    size: u64,
    /// When it signed, by its clock.
    at: WallNs,
    /// When the house made the checkpoint: what came later is not in it.
    made: WallNs,
}

impl Cosigned {
    /// Until when this counts. An old checkpoint signed anew covers no more than it did, and a
    /// witness whose clock is ahead does not make it younger.
    fn until(&self) -> WallNs {
        let longest = i64::from(Guard::Witness.beat_ms_max()).saturating_mul(NS_PER_MS);
        self.at.min(self.made).plus_ns(longest)
    }
}

type Refused = (&'static str, &'static str);
/// A checkpoint, and who signed it when.
type Read = (Checkpoint, Vec<(Name, WallNs)>);

impl Core {
    fn witnesses(&self) -> Option<&Witnesses> {
        self.identity.as_ref().map(|identity| identity.trust.roster().witnesses())
    }

    /// Origin of the present epoch.
    fn origin(&self) -> Option<&str> {
        let started = || self.identity.as_ref().map(|identity| &*identity.start.origin);
        self.epoch().map(|(_, name)| &*name.origin).or_else(started)
    }

    /// A checkpoint came back with cosignatures.
    pub(crate) fn on_cosigned(
        &mut self,
        request: u64,
        (note, standing): (&str, Standing),
        turn: &mut Turn,
    ) {
        let (checkpoint, signed) = match self.read_cosigned((note, standing)) {
            Ok(read) => read,
            Err((code, cause)) => return turn.refuse(request, "cosigned", code, cause),
        };
        let size = checkpoint.size;
        let names: Vec<_> = signed.iter().map(|(name, _)| name.to_string()).collect();
        match standing {
            Standing::Ours(made) => {
                for (name, at) in signed {
                    // A carrier may bring them in any order; the latest word of each counts.
                    let known = self.cosigned.get(&name);
                    if known.is_none_or(|known| (known.size, known.at) < (size, at)) {
                        self.cosigned.insert(name, Cosigned { size, at, made });
                    }
                }
                turn.done(request, format!("{size} entries cosigned by {}", names.join(", ")));
            }
            Standing::Ahead | Standing::Forked => {
                let (code, cause) = set_back(standing);
                turn.kill(code);
                turn.refuse(request, "cosigned", code, cause);
            }
        }
    }

    /// The checkpoint of a note, and which witnesses of the roster signed it, and when.
    fn read_cosigned(&self, (note, standing): (&str, Standing)) -> Result<Read, Refused> {
        let identity = self.identity.as_ref().ok_or(("NOT_STARTED", "there is no roster yet"))?;
        let malformed = ("COSIGNATURE_MALFORMED", "this is no cosigned checkpoint");
        let note = Note::parse(note.as_bytes()).map_err(|_fault| malformed)?;
        let checkpoint = Checkpoint::parse(note.text()).map_err(|_fault| malformed)?;
        let (origin, present) = (&*checkpoint.origin, self.origin().unwrap_or_default());
        // Of another epoch only that it contradicts this disk is news.
        let set_back = matches!(standing, Standing::Ahead | Standing::Forked);
        if origin != present && !(set_back && epoch_in(origin, present).is_some()) {
            return Err(("CHECKPOINT_FOREIGN", "the checkpoint is another journal's"));
        }
        let signed = identity.trust.roster().witnesses().signed(&note).into_iter();
        let signed: Vec<_> = signed.map(|(by, at)| (by.name.clone(), at)).collect();
        if signed.is_empty() {
            return Err(("COSIGNATURE_FOREIGN", "no witness of the roster has signed this"));
        }
        Ok((checkpoint, signed))
    }

    /// Which witnesses have burned this approval, for this run of this kernel, just now.
    pub(crate) fn burned_by(
        &self,
        approval: &Verified<SessionApproval>,
        (burns, now): (&[String], WallNs),
    ) -> Result<Vec<Name>, Refused> {
        let not_started = ("NOT_STARTED", "there is no roster yet");
        let identity = self.identity.as_ref().ok_or(not_started)?;
        let origin = self.origin().unwrap_or_default();
        let witnesses = identity.trust.roster().witnesses();
        let mut by = Vec::new();
        for text in burns {
            let malformed = ("BURN_MALFORMED", "this is no burn");
            let note = Note::parse(text.as_bytes()).map_err(|_fault| malformed)?;
            let burn = Burn::parse(note.text()).ok_or(malformed)?;
            check_burn(&burn, (identity, origin), approval)?;
            let signed = witnesses.signed(&note);
            if signed.is_empty() {
                return Err(("BURN_FOREIGN", "no witness of the roster has signed this burn"));
            }
            for (witness, at) in signed {
                if now.0.saturating_sub(at.0).saturating_abs() > BURN_NS_MAX {
                    return Err(("BURN_STALE", "the burn is not from just now; draft anew"));
                }
                by.push(witness.name.clone());
            }
        }
        Ok(by)
    }

    /// Where the witnesses stand together. Nobody's word is no word.
    pub(crate) fn witness_state(&self) -> GuardState {
        let now = self.place.at.wall;
        let fresh = self.cosigned.iter().filter(|(_, last)| last.until() > now);
        let fresh = fresh.map(|(name, _)| name);
        let alive = self.witnesses().zip(self.live.as_ref()).is_some_and(|(witnesses, live)| {
            let signers = live.gate.signers();
            witnesses.quorum() > 0 && witnesses.suffice(fresh, live.gate.phase(), signers)
        });
        if alive { GuardState::Alive } else { GuardState::Missing }
    }

    /// Until when a quorum's words hold.
    pub(crate) fn witnessed_until(&self) -> Option<WallNs> {
        let quorum = self.witnesses()?.quorum();
        let mut until: Vec<_> = self.cosigned.values().map(Cosigned::until).collect();
        until.sort_unstable_by(|one, other| other.cmp(one));
        until.get(quorum.checked_sub(1)?).copied()
    }

    /// The policy in words, then each witness and what it last signed in this run.
    pub(crate) fn witness_lines(&self) -> Vec<String> {
        let Some(witnesses) = self.witnesses() else { return Vec::new() };
        let line = |witness: &portcullis_statement::Witness| {
            let said = self.cosigned.get(&witness.name).map_or_else(
                || "has cosigned nothing in this run".to_owned(),
                |last| format!("cosigned {} entries at {}", last.size, last.at.rfc3339()),
            );
            format!("{}: {said}", witness.name)
        };
        [witnesses.words()].into_iter().chain(witnesses.list().iter().map(line)).collect()
    }
}

/// The number of the epoch that `origin` names, if it is one of the journal of which `known` names
/// one too: the two differ in their number alone.
#[must_use]
pub fn epoch_in(origin: &str, known: &str) -> Option<u64> {
    let (one, other): (Vec<&str>, Vec<&str>) =
        (origin.split('/').collect(), known.split('/').collect());
    let number = |parts: &[&str]| {
        let text = parts.get(EPOCH_PART)?;
        text.parse().ok().filter(|it: &u64| it.to_string() == **text)
    };
    let differs = |at: usize| at != EPOCH_PART && one.get(at) != other.get(at);
    if one.len() != other.len() || (0..one.len()).any(differs) {
        return None;
    }
    number(&other)?;
    number(&one)
}

/// What it means that somebody else has seen more of this journal, or another one.
const fn set_back(standing: Standing) -> Refused {
    match standing {
        Standing::Ahead => (
            "WITNESS_AHEAD",
            "a witness has cosigned more entries than the disk has: it was set back; put the \
             whole journal back",
        ),
        Standing::Ours(_) | Standing::Forked => (
            "WITNESS_FORKED",
            "a witness has cosigned other entries than the disk has: it was set back and written \
             on; put the journal back that the witness saw",
        ),
    }
}

/// Everything that a burn is bound to. One for an earlier run was kept by somebody.
fn check_burn(
    burn: &Burn,
    (identity, origin): (&Identity, &str),
    approval: &Verified<SessionApproval>,
) -> Result<(), Refused> {
    let item = approval.item();
    let foreign = |cause| Err(("BURN_FOREIGN", cause));
    let (host, account) = (identity.trust.host(), identity.trust.account());
    if burn.installation != format!("portcullis/{host}/{account}") {
        return foreign("the burn is for another installation");
    }
    let header = approval.header();
    if (&burn.session, &burn.nonce) != (&item.session, &header.nonce)
        || burn.approval != approval.digest()
    {
        return foreign("the burn is for another approval");
    }
    if burn.run != identity.start.draw {
        return foreign("the burn is for another run of the kernel: draft anew");
    }
    // A draft of an earlier epoch is before all of this one.
    let drafted = origin != item.journal.origin || burn.journal.size > item.journal.size;
    if burn.journal.origin != origin || !drafted {
        return foreign("the burn is at a journal that does not have this draft");
    }
    Ok(())
}

/// By witness; nothing of it survives a restart or an epoch, whose witnesses have to be heard of
/// anew.
pub(crate) type CosignedBy = BTreeMap<Name, Cosigned>;
