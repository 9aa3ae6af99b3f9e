//! The one way from a proposal to an order: a person's signed word, which is spent by it.

use portcullis_domain::{Bracket, ClOrdId, Instrument, Now, OrderIntent, Px};
use portcullis_statement::{Release, ShownProposal, Verified};

use super::approved::Terms;
use super::case::ms_to_ns;
use super::{Approved, Passed, price};
use crate::circumstances::{Circumstances, Quote};
use crate::code::DenyCode;
use crate::deny::{Denial, Scope};
use crate::open::Gate;

/// An intent that passed every check in a phase in which a person has the last word. It reserves
/// nothing and is assessed anew when it is released.
///
/// There is one of it, and [`Gate::release`] takes it: no proposal becomes two orders.
/// ```compile_fail,E0277
/// fn needs<T: Clone>() {}
/// needs::<portcullis_gate::Proposal>();
/// ```
/// ```compile_fail,E0382
/// use portcullis_gate::{Circumstances, Gate, Proposal};
/// use portcullis_statement::{Release, Verified};
/// fn twice(
///     (gate, at): (&Gate, &Circumstances),
///     proposal: Box<Proposal>,
///     (one, two): (Verified<Release>, Verified<Release>),
/// ) {
///     let _ = gate.release(proposal, "plugin p", one, at);
///     let _ = gate.release(proposal, "plugin p", two, at);
/// }
/// ```
/// ```
/// use portcullis_gate::{Circumstances, Gate, Proposal};
/// use portcullis_statement::{Release, Verified};
/// fn once(
///     (gate, at): (&Gate, &Circumstances),
///     proposal: Box<Proposal>,
///     word: Verified<Release>,
/// ) {
///     let _ = gate.release(proposal, "plugin p", word, at);
/// }
/// ```
/// What is signed has to be verified, and a proposal is no approval, nor can it be written down:
/// ```compile_fail,E0308
/// use portcullis_gate::{Circumstances, Gate, Proposal};
/// use portcullis_statement::Release;
/// fn unsigned(gate: &Gate, proposal: Box<Proposal>, word: Release, at: &Circumstances) {
///     let _ = gate.release(proposal, "plugin p", word, at);
/// }
/// ```
/// ```compile_fail,E0308
/// use portcullis_domain::OrderIntent;
/// use portcullis_gate::{Approved, Proposal};
/// fn send(_order: Approved<OrderIntent>) {}
/// fn proposed(proposal: Proposal) {
///     send(proposal);
/// }
/// ```
/// ```compile_fail,E0451
/// fn other(
///     intent: portcullis_domain::OrderIntent,
///     real: portcullis_gate::Proposal,
/// ) -> portcullis_gate::Proposal {
///     portcullis_gate::Proposal { intent, ..real }
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a proposal waits for a person: it is recorded and kept"]
pub struct Proposal {
    intent: OrderIntent,
    cl_ord_id: ClOrdId,
    reference: Quote,
    expires: Now,
}

/// A proposal that was not released: it waits on, and why.
#[derive(Debug)]
#[must_use = "what is given back is kept or ended, and both are recorded"]
pub struct Kept {
    /// As it was.
    pub proposal: Box<Proposal>,
    /// What stood against it.
    pub denial: Denial,
}

impl Proposal {
    /// What was asked for.
    #[must_use]
    pub const fn intent(&self) -> &OrderIntent {
        &self.intent
    }

    /// The id under which it will leave if it is released: two orders of one proposal would be two
    /// orders of one id.
    #[must_use]
    pub const fn cl_ord_id(&self) -> ClOrdId {
        self.cl_ord_id
    }

    /// Where the market stood when it was asked for.
    #[must_use]
    pub const fn reference(&self) -> Quote {
        self.reference
    }

    /// The first moment, on either clock, at which it cannot be released any more.
    #[must_use]
    pub const fn expires(&self) -> Now {
        self.expires
    }

    /// Whether its time is over. One clock is enough: the other may have been set back.
    #[must_use]
    pub fn is_over(&self, now: Now) -> bool {
        now.wall >= self.expires.wall || now.boot >= self.expires.boot
    }
}

impl Gate {
    /// A proposal, for as long as the limits let it wait.
    pub(super) fn propose(
        &self,
        intent: OrderIntent,
        cl_ord_id: ClOrdId,
        reference: Quote,
        now: Now,
    ) -> Proposal {
        let ttl = ms_to_ns(self.limits().rules.proposal_ttl_ms);
        let expires = Now { wall: now.wall.plus_ns(ttl), boot: now.boot.plus_ns(ttl) };
        Proposal { intent, cl_ord_id, reference, expires }
    }

    /// What people are shown of a proposal, and what a release has to name. `None` for one of
    /// another session's instruments.
    #[must_use]
    pub fn shown(&self, proposal: &Proposal, asked_by: &str) -> Option<ShownProposal> {
        let instrument = self.instrument(proposal.intent.instrument)?;
        Some(self.shown_in(instrument, proposal, asked_by))
    }

    fn shown_in(
        &self,
        instrument: &Instrument,
        proposal: &Proposal,
        asked_by: &str,
    ) -> ShownProposal {
        let intent = &proposal.intent;
        let text = |px: Option<Px>| px.map(|px| px.text(instrument.price_scale));
        let leg = |pick: fn(&Bracket) -> Option<Px>| text(intent.bracket.as_ref().and_then(pick));
        ShownProposal {
            proposal: proposal.cl_ord_id,
            session: self.approval().session.clone(),
            asked_by: asked_by.to_owned(),
            symbol: instrument.symbol.clone(),
            side: intent.side,
            ord_type: intent.ord_type,
            time_in_force: intent.time_in_force,
            qty: intent.qty.text(instrument.qty_scale),
            price: text(intent.price),
            reduce_only: intent.reduce_only,
            stop: leg(|bracket| bracket.stop_px),
            target: leg(|bracket| bracket.target_px),
        }
    }

    /// The market that a release shows, twice its middle, if it is about exactly this proposal of
    /// this session in this journal.
    #[must_use]
    pub fn released_at(&self, proposal: &Proposal, asked_by: &str, word: &Release) -> Option<i128> {
        let instrument = self.instrument(proposal.intent.instrument)?;
        let shown = self.shown_in(instrument, proposal, asked_by);
        let approval = self.approval();
        let same = word.digest == shown.digest()
            && word.account == approval.account
            && word.origin == approval.journal.origin;
        let px = |text: &str| {
            let px = Px::parse(text, instrument.price_scale).ok()?;
            Some(i128::from(px.units()))
        };
        let middle_twice = px(&word.bid)?.saturating_add(px(&word.ask)?);
        same.then_some(middle_twice)
    }

    /// Turns a proposal into an order, if a person's word is about it, in time, and the order
    /// passes every check as the world stands now. Otherwise the proposal is given back. The word
    /// is spent either way.
    pub fn release(
        &self,
        proposal: Box<Proposal>,
        asked_by: &str,
        word: Verified<Release>,
        at: &Circumstances,
    ) -> Result<Approved<OrderIntent>, Box<Kept>> {
        let judged = self.judge_released(&proposal, asked_by, &word, at);
        drop(word);
        let passed = match judged {
            Ok(passed) => passed,
            Err(denial) => return Err(Box::new(Kept { proposal, denial })),
        };
        let Proposal { intent, cl_ord_id, .. } = *proposal;
        let Passed { act: _, instrument, reserve_px, rights, warnings } = passed;
        let terms = Terms { cl_ord_id, reserve_px, instrument, warnings, rights };
        Ok(Approved::mint(intent, terms, at.now, self.authority()))
    }

    fn judge_released(
        &self,
        proposal: &Proposal,
        asked_by: &str,
        word: &Verified<Release>,
        at: &Circumstances,
    ) -> Result<Passed, Denial> {
        // What was signed under another genesis, or about something else, is no word on this.
        let revoked = Denial::plain(DenyCode::ReleaseRevoked, Scope::Order);
        let same_genesis = word.genesis() == self.authority().genesis;
        let shown_twice =
            self.released_at(proposal, asked_by, word.item()).filter(|_| same_genesis);
        let shown_twice = shown_twice.ok_or(revoked)?;
        if proposal.is_over(at.now) || at.now.wall >= word.header().expires {
            return Err(Denial::plain(DenyCode::ReleaseExpired, Scope::Order));
        }
        let missing = Denial::plain(DenyCode::NoReferencePrice, Scope::Instrument);
        let Quote { bid, ask, .. } = at.quote.ok_or(missing)?;
        let now_twice = i128::from(bid.units()).saturating_add(i128::from(ask.units()));
        let moved_twice = now_twice.saturating_sub(shown_twice).saturating_abs();
        let max = self.limits().rules.price_drift_bps;
        price::within(DenyCode::PriceDrift, moved_twice, shown_twice, max)?;
        let released = as_released(at);
        self.judge(&proposal.intent, &released).map(Passed::of)
    }
}

/// The circumstances of an order whose number was taken when it was proposed.
fn as_released(at: &Circumstances) -> Circumstances {
    Circumstances { reference_used: false, ..at.clone() }
}
