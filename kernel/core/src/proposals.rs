//! What waits for a person's word, how long, and what becomes of it.
//!
//! A proposal is live state and reserves nothing. It becomes an order by one release, or it ends:
//! by its time, with its session or its plugin, by a cancel-all, or because somebody takes it back.
//! What still waited when a kernel went down is revoked by the next start and never revived.

use std::collections::BTreeMap;

use portcullis_domain::{ClOrdId, Origin, Role, StopMode};
use portcullis_gate::{Denial, DenyCode, Gate, Proposal, Standing};
use portcullis_statement::{Release, ShownProposal, Statement, Verified};

use crate::effect::{Answer, Effect};
use crate::outcome::Outcome;
use crate::people::PersonVerb;
use crate::state::{Core, LiveSession, Turn};
use crate::submit::{Door, Submitted};

type No = (&'static str, &'static str);

const UNKNOWN: No = ("PROPOSAL_UNKNOWN", "no such proposal waits in an open session");

/// One proposal, and who asked for it: `plugin NAME` or `person NAME`.
#[derive(Debug)]
pub(crate) struct Waiting {
    proposal: Box<Proposal>,
    asked_by: String,
}

/// The proposals of one session.
#[derive(Debug, Default)]
pub(crate) struct Proposals {
    waiting: BTreeMap<ClOrdId, Waiting>,
    /// How those that wait no more ended, so that a late release is told.
    ended: BTreeMap<ClOrdId, No>,
}

/// A proposal as people see it before they release it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalView {
    /// What a release has to name, to the last value.
    pub shown: ShownProposal,
    /// Best bid and best offer now, as decimal text; `None` without a quote.
    pub market: Option<(String, String)>,
    /// The wall time from which on it cannot be released.
    pub expires: portcullis_domain::WallNs,
}

impl Proposals {
    /// How many wait that were asked for by that origin, or by anybody.
    pub(crate) fn count(&self, of: Option<Origin>) -> u32 {
        let asked = |waiting: &&Waiting| of.is_none_or(|of| waiting.proposal.intent().origin == of);
        u32::try_from(self.waiting.values().filter(asked).count()).unwrap_or(u32::MAX)
    }

    /// When the first of them ends.
    pub(crate) fn next_end(&self) -> Option<portcullis_domain::WallNs> {
        self.waiting.values().map(|waiting| waiting.proposal.expires().wall).min()
    }

    fn find(&self, origin: Origin, reference: u64) -> Option<ClOrdId> {
        let same = |waiting: &Waiting| {
            let intent = waiting.proposal.intent();
            intent.origin == origin && intent.reference == reference
        };
        self.waiting.iter().find(|(_, waiting)| same(waiting)).map(|(id, _)| *id)
    }
}

impl Core {
    /// In the phases in which a person has the last word: recorded, and held for that word.
    pub(crate) fn on_proposed(&mut self, proposal: Box<Proposal>, turn: &mut Turn) -> Submitted {
        let Some(live) = self.live.as_mut() else { return Submitted::Faulted };
        let asked_by = asked_by(live, proposal.intent().origin, turn);
        let Some(shown) = live.gate.shown(&proposal, &asked_by) else { return Submitted::Faulted };
        let id = proposal.cl_ord_id();
        live.count("PROPOSED");
        turn.record(&Outcome::Proposed {
            intent: Box::new(proposal.intent().clone()),
            shown: Box::new(shown),
            market: proposal.reference(),
            expires: proposal.expires().wall,
        });
        live.proposals.waiting.insert(id, Waiting { proposal, asked_by });
        self.unreleased.insert(id);
        Submitted::Proposed(id)
    }

    /// Whether a release is about a proposal that waits, exactly as it was shown.
    pub(crate) fn may_release(&self, verified: &Verified<Statement>) -> Result<(), No> {
        let Statement::Release(word) = verified.item() else { return Ok(()) };
        let id = word.shown.proposal;
        let live = self.live.as_ref().ok_or(UNKNOWN)?;
        if let Some(ended) = live.proposals.ended.get(&id) {
            return Err(*ended);
        }
        let Waiting { proposal, asked_by } = live.proposals.waiting.get(&id).ok_or(UNKNOWN)?;
        if live.gate.released_at(proposal, asked_by, word).is_none() {
            let cause = "what was signed is not what waits: look at the proposal again";
            return Err(("PROPOSAL_MISMATCH", cause));
        }
        let author = self.author_behind(&live.gate, proposal.intent().origin);
        if author
            .is_some_and(|author| verified.header().signers.iter().any(|s| s.person == *author))
        {
            let cause = "who wrote the plugin does not release what it asks for";
            return Err(("AUTHOR_ALONE", cause));
        }
        Ok(())
    }

    fn author_behind(&self, gate: &Gate, origin: Origin) -> Option<&portcullis_domain::Name> {
        let plugin = gate.approval().plugins.get(usize::from(origin.plugin()?.0))?;
        Some(&self.releases.get(&plugin.release)?.item().author)
    }

    /// A verified word about a proposal that waits: it is assessed anew and becomes an order, or
    /// it waits on. The word is spent either way.
    pub(crate) fn release(&mut self, request: u64, word: Verified<Release>, turn: &mut Turn) {
        let id = word.item().shown.proposal;
        let who = word.header().signers.first().map(|signer| signer.person.clone());
        let waiting = self.live.as_mut().and_then(|live| live.proposals.waiting.remove(&id));
        let (Some(Waiting { proposal, asked_by }), Some(who)) = (waiting, who) else {
            return turn.refuse(request, "release", UNKNOWN.0, UNKNOWN.1);
        };
        let intent = proposal.intent().clone();
        let at = self.circumstances(&intent, Door::Session, turn);
        let Some(live) = self.live.as_mut() else { return };
        let (denial, answer) = match live.gate.release(proposal, &asked_by, word, &at) {
            Ok(order) => {
                self.unreleased.remove(&id);
                match self.send(order, Door::Session, turn) {
                    Submitted::Issued(cl_ord_id) => {
                        let cause = "this proposal was released before; it became one order";
                        self.proposal_ended(id, ("PROPOSAL_RELEASED", cause));
                        (None, Answer::Ordered { cl_ord_id })
                    }
                    Submitted::Denied(_) | Submitted::Proposed(_) | Submitted::Faulted => {
                        let (code, cause) = (DenyCode::ReleaseRevoked, "ORDER_FAULT");
                        self.proposal_ended(id, (code.code(), code.meaning()));
                        turn.record(&Outcome::ProposalEnded { cl_ord_id: id, code, cause });
                        let cause = "the house contradicts itself: see its status";
                        return turn.refuse(request, "release", "ORDER_FAULT", cause);
                    }
                }
            }
            Err(kept) => {
                let denial: Denial = kept.denial;
                live.count(denial.code.code());
                live.proposals.waiting.insert(id, Waiting { proposal: kept.proposal, asked_by });
                // The plugin is not told: its order waits on, and nothing of it was refused.
                turn.record(&Outcome::Denied { intent: Box::new(intent), denial });
                (Some(denial.code), Answer::Denied(denial))
            }
        };
        let (role, verb, cl_ord_id) = (Role::Operator, PersonVerb::Release, Some(id));
        turn.record(&Outcome::Intervened { who, role, verb, cl_ord_id, denial });
        turn.effect(Effect::Answer { request, answer });
    }

    /// How a proposal ended, for whoever would release it later.
    fn proposal_ended(&mut self, id: ClOrdId, how: No) {
        if let Some(live) = self.live.as_mut() {
            live.proposals.ended.insert(id, how);
        }
    }

    /// Ends what cannot be released any more.
    pub(crate) fn tend_proposals(&mut self, turn: &mut Turn) {
        let waiting = self.live.iter().flat_map(|live| &live.proposals.waiting);
        let ends = waiting.filter_map(|(id, waiting)| {
            let intent = waiting.proposal.intent();
            let desk = intent.origin.plugin().and_then(|plugin| self.desk_of(plugin));
            let suspended = desk.is_some_and(|desk| desk.standing == Standing::Suspended);
            let stopped = self.stop_for(intent.origin, intent.instrument);
            if suspended {
                Some((*id, DenyCode::ReleaseRevoked, "PLUGIN_SUSPENDED"))
            } else if stopped == Some(StopMode::CancelAll) {
                Some((*id, DenyCode::ReleaseRevoked, "STOP_ACTIVE"))
            } else if waiting.proposal.is_over(turn.now) {
                Some((*id, DenyCode::ReleaseExpired, "TIME_OVER"))
            } else {
                None
            }
        });
        for (id, code, cause) in ends.collect::<Vec<_>>() {
            self.end_proposal(id, (code, cause), turn);
        }
    }

    /// Takes back everything that waits.
    pub(crate) fn revoke_proposals(&mut self, cause: &'static str, turn: &mut Turn) {
        let waiting = self.live.iter().flat_map(|live| live.proposals.waiting.keys());
        for id in waiting.copied().collect::<Vec<_>>() {
            self.end_proposal(id, (DenyCode::ReleaseRevoked, cause), turn);
        }
    }

    /// Takes one proposal back, if it waits.
    pub(crate) fn revoke_proposal(
        &mut self,
        id: ClOrdId,
        cause: &'static str,
        turn: &mut Turn,
    ) -> bool {
        let waits = self.live.as_ref().is_some_and(|live| live.proposals.waiting.contains_key(&id));
        if waits {
            self.end_proposal(id, (DenyCode::ReleaseRevoked, cause), turn);
        }
        waits
    }

    /// The proposal that waits under an asker's own number.
    pub(crate) fn proposal_of(&self, origin: Origin, reference: u64) -> Option<ClOrdId> {
        self.live.as_ref()?.proposals.find(origin, reference)
    }

    fn end_proposal(
        &mut self,
        id: ClOrdId,
        (code, cause): (DenyCode, &'static str),
        turn: &mut Turn,
    ) {
        let Some(live) = self.live.as_mut() else { return };
        let Some(Waiting { proposal, .. }) = live.proposals.waiting.remove(&id) else { return };
        live.proposals.ended.insert(id, (code.code(), code.meaning()));
        self.unreleased.remove(&id);
        turn.record(&Outcome::ProposalEnded { cl_ord_id: id, code, cause });
        let intent = proposal.intent();
        if let Some(plugin) = intent.origin.plugin() {
            let about = (intent.reference, intent.instrument.0);
            self.tell_denial(plugin, about, code, turn.now.wall);
        } else {
            live.count(code.code());
        }
    }

    /// What waited when the last run went down waits no more.
    pub(crate) fn lose_proposals(&mut self, turn: &mut Turn) {
        for cl_ord_id in std::mem::take(&mut self.unreleased) {
            let (code, cause) = (DenyCode::ReleaseRevoked, "RESTARTED");
            turn.record(&Outcome::ProposalEnded { cl_ord_id, code, cause });
        }
    }

    /// Everything that waits, oldest first.
    pub(crate) fn proposal_views(&self) -> Vec<ProposalView> {
        let Some(live) = &self.live else { return Vec::new() };
        let view = |waiting: &Waiting| {
            let Waiting { proposal, asked_by } = waiting;
            let id = proposal.intent().instrument;
            let scale = live.gate.instrument(id)?.price_scale;
            let quote = live.market.get(id).and_then(|market| market.quote);
            Some(ProposalView {
                shown: live.gate.shown(proposal, asked_by)?,
                market: quote.map(|quote| (quote.bid.text(scale), quote.ask.text(scale))),
                expires: proposal.expires().wall,
            })
        };
        live.proposals.waiting.values().filter_map(view).collect()
    }
}

/// Who asks, in the words that people are shown.
fn asked_by(live: &LiveSession, origin: Origin, turn: &Turn) -> String {
    let plugin = origin.plugin().and_then(|plugin| live.desks.get(usize::from(plugin.0)));
    match (plugin, &turn.asker) {
        (Some(desk), _) => format!("plugin {}", desk.name),
        (None, Some(person)) => format!("person {person}"),
        (None, None) => origin.name().to_owned(),
    }
}
