//! The start, and the statements that people hand in.

use portcullis_domain::WallNs;
use portcullis_statement::{
    Digest, EndpointKind, Latch, Release, SignedStatement, Statement, Target, Trust, Unkill,
    Verified,
};

use crate::effect::{Answer, Effect};
use crate::input::{EpochCause, Start};
use crate::outcome::Outcome;
use crate::state::{Core, Identity, Paper, SessionState, Turn};
use crate::stops::Clearing;

impl Core {
    pub(crate) fn on_started(&mut self, start: &Start, turn: &mut Turn) {
        if let Err(refusal) = self.identify(start, turn.now.wall) {
            let cause = refusal.cause();
            turn.record(&Outcome::Refused { what: "start", code: refusal.code().into(), cause });
            turn.effect(Effect::Halt);
            return;
        }
        self.lose_brackets(turn);
        self.lose_proposals(turn);
        self.restart();
        // Whatever was on its way when the last run ended is past its deadline only after this.
        self.venue_deadline_last = crate::submit::venue_deadline(turn.now);
        self.venue_deadline_start = self.venue_deadline_last;
        let endpoint = self.endpoint.and_then(|digest| self.endpoints.get(&digest));
        if let Some(endpoint) = endpoint {
            turn.effect(Effect::Connect(endpoint.item().clone()));
        }
        for standing in self.stops.standing.values_mut() {
            standing.clearing.not_before = self.venue_deadline_last;
        }
        // A restart never re-opens, and a run that did not end in order may have lost a kill that
        // was not durable yet: so it counts as one.
        // What is called a first run and is none contradicts itself: that is not clean either.
        let first = start.first && turn.place.input <= 1;
        let clean = start.clean && !start.first && start.torn_bytes == 0;
        let unsound = !first && !clean;
        // A journal without any history says nothing of an account that may have one.
        let ladder = self.identity.as_ref().map(|it| it.trust.roster().ladder());
        let fresh = first && ladder.is_some_and(EndpointKind::is_outside);
        let reason = match &start.damage {
            Some(_) => Some("JOURNAL_DAMAGED"),
            None if unsound => Some("NO_CLEAN_STOP_MARK"),
            None => fresh.then_some("NEW_ORIGIN"),
        };
        if let Some(reason) = reason.filter(|_| self.kill.is_none()) {
            let reason = reason.to_owned();
            let who = "kernel".to_owned();
            // Nothing is connected yet. The first reading of the account says what rests at the
            // venue, and that is taken back then: found first, canceled after.
            self.latch(who, reason, None, turn);
        }
    }

    /// Takes on the identity that a start states, if the pinned genesis proves it.
    pub(crate) fn identify(
        &mut self,
        start: &Start,
        now: portcullis_domain::WallNs,
    ) -> Result<(), portcullis_statement::Refusal> {
        let trust = Trust::genesis(&start.genesis, start.pinned, now)?;
        self.identity = Some(Identity { trust, start: Box::new(start.clone()), at: now });
        self.orders_issued = 0;
        Ok(())
    }

    pub(crate) fn on_statement(&mut self, request: u64, signed: &SignedStatement, turn: &mut Turn) {
        const WHAT: &str = "statement";
        let verified = match self.verify(signed, turn.now.wall) {
            Ok(verified) => verified,
            Err((code, cause)) => return turn.refuse(request, WHAT, &code, &cause),
        };
        if let Err((code, cause)) = self.applies(&verified) {
            return turn.refuse(request, WHAT, code, cause);
        }
        let (kind, digest) = (verified.header().kind, verified.digest());
        let nonce = verified.header().nonce.clone();
        turn.record(&Outcome::StatementAccepted { kind, digest, nonce });
        if let Statement::EndpointSet(endpoint) = verified.item() {
            turn.effect(Effect::Connect(endpoint.clone()));
        }
        if let Statement::Unkill(Unkill { target, .. }) = verified.item() {
            self.lift(*target, turn);
        }
        let plan = match verified.item() {
            Statement::FlattenPlan(plan) => Some(plan.clone()),
            Statement::EndpointSet(_)
            | Statement::PluginRelease(_)
            | Statement::SessionApproval(_)
            | Statement::LimitsChange(_)
            | Statement::Unkill(_)
            | Statement::Release(_)
            | Statement::Seal(_) => None,
        };
        let expires = verified.header().expires;
        if let Some(word) = self.admit(verified, signed, turn.now.wall) {
            return self.release(request, word, turn);
        }
        if let Some(plan) = plan {
            self.begin_flatten(plan, (digest, expires), turn);
        }
        turn.done(request, format!("{} accepted: {}", kind.name(), digest.hex()));
    }

    /// Verifies a statement against the roster, and that its nonce was never used.
    pub(crate) fn verify(
        &self,
        signed: &SignedStatement,
        now: portcullis_domain::WallNs,
    ) -> Result<Verified<Statement>, (String, String)> {
        let Some(identity) = &self.identity else {
            return Err(("NOT_STARTED".into(), "the kernel has no roster yet".into()));
        };
        let verified = identity
            .trust
            .verify(signed, &identity.start.phases, now)
            .map_err(|refusal| (refusal.code().to_owned(), refusal.cause()))?;
        if self.burned.contains(&verified.header().nonce) {
            let cause = "this statement was used before; every one is good for one time";
            return Err(("NONCE_BURNED".into(), cause.into()));
        }
        Ok(verified)
    }

    /// Whether a verified statement fits the present state.
    fn applies(&self, verified: &Verified<Statement>) -> Result<(), (&'static str, &'static str)> {
        match verified.item() {
            Statement::PluginRelease(_) => Ok(()),
            Statement::EndpointSet(_) if self.live.is_some() => {
                Err(("SESSION_OPEN", "an open session keeps its endpoint: close it first"))
            }
            Statement::EndpointSet(_) => Ok(()),
            Statement::SessionApproval(_) => {
                Err(("WRONG_DOOR", "an approval is handed in by opening its session"))
            }
            Statement::LimitsChange(change) => self.check_change(change),
            Statement::Unkill(unkill) => self.may_lift(&unkill.target),
            Statement::FlattenPlan(plan) => self.may_flatten(plan),
            Statement::Release(_) => self.may_release(verified),
            Statement::Seal(seal) => self.may_seal(seal, &verified.header().signers),
        }
    }

    /// What took orders back is lifted only once the venue has confirmed that none is left: before
    /// that nobody can know what a return would add to.
    fn may_lift(&self, target: &Target) -> Result<(), (&'static str, &'static str)> {
        self.stands(target)?;
        let clear = match target.latch {
            Latch::Kill => self.kill.as_ref().is_none_or(|kill| kill.clearing.clear),
            Latch::Stop => self.stops.unclear().all(|(seq, _)| seq != target.seq),
        };
        let cause = "the venue has not confirmed that no order is left; wait for ORDERS_CLEAR";
        if clear { Ok(()) } else { Err(("ORDERS_NOT_CLEAR", cause)) }
    }

    /// Records what a statement lifts.
    fn lift(&mut self, target: Target, turn: &mut Turn) {
        if self.flatten.as_ref().is_some_and(|run| run.plan.target == target) {
            self.end_flatten("UNKILLED", turn);
        }
        match target.latch {
            Latch::Kill => {
                turn.record(&Outcome::Unkilled { kill_seq: target.seq });
                turn.effect(Effect::LiftKill);
                self.returned_at = Some(turn.now.wall);
            }
            Latch::Stop => turn.record(&Outcome::StopLifted { stop_seq: target.seq }),
        }
    }

    /// Burns the nonce and lets the statement have its effect. The durable half, live and in
    /// recovery alike. A release is given back: what it leads to is judged, and on record by
    /// itself.
    pub(crate) fn admit(
        &mut self,
        verified: Verified<Statement>,
        signed: &SignedStatement,
        at: WallNs,
    ) -> Option<Verified<Release>> {
        self.burned.insert(verified.header().nonce.clone());
        let digest = verified.digest();
        match verified.item() {
            Statement::LimitsChange(change) => self.limits_changed(change),
            Statement::Unkill(Unkill { target, .. }) => {
                match target.latch {
                    Latch::Kill => self.kill = None,
                    Latch::Stop => drop(self.stops.standing.remove(&target.seq)),
                }
                self.forget_lifted();
            }
            Statement::Seal(seal) => {
                self.unsealed.remove(&seal.session);
                self.sessions.insert(seal.session.clone(), SessionState::Sealed);
            }
            Statement::PluginRelease(_) => {
                self.file(signed, digest, at);
                if let Some(release) = verified.into_plugin_release() {
                    self.releases.insert(digest, release);
                }
            }
            Statement::EndpointSet(_) => {
                self.file(signed, digest, at);
                if let Some(endpoint) = verified.into_endpoint_set() {
                    self.endpoint = Some(digest);
                    self.endpoints.insert(digest, endpoint);
                }
            }
            Statement::Release(_) => return verified.into_release(),
            Statement::SessionApproval(_) | Statement::FlattenPlan(_) => {}
        }
        None
    }

    /// Keeps a statement whose effect lasts as it was signed.
    pub(crate) fn file(&mut self, signed: &SignedStatement, digest: Digest, at: WallNs) {
        if let Some(identity) = &self.identity {
            self.papers.insert(digest, Paper::new(signed, identity, at));
        }
    }

    pub(crate) fn on_stop(&mut self, turn: &mut Turn) {
        // Ending with a session open is not an end in order: the next start will be killed.
        if self.live.is_none() {
            turn.record(&Outcome::CleanStop);
        }
        turn.effect(Effect::Halt);
    }

    /// Moves the kill latch down, once.
    pub(crate) fn fall(&mut self, cause: &EpochCause, turn: &mut Turn) {
        let EpochCause::Kill { who, reason, request } = cause else { return };
        if let Some(kill) = &mut self.kill {
            // Idempotent: the second pull is answered with the first one's number.
            let kill_seq = kill.seq;
            kill.clearing.waiting.extend(*request);
            // Since all was clear, people may have used their closing rights: another pull takes
            // what rests of that back too, and is clear only after it.
            let rests = kill.clearing.clear && self.account.orders.open().next().is_some();
            if rests {
                (kill.clearing.clear, kill.clearing.empty_since) = (false, None);
            }
            self.answer_latched(*request, kill_seq, turn);
            if rests {
                self.cancel_everything("KILL_ACTIVE", turn);
            }
            return;
        }
        self.latch(who.clone(), reason.clone(), *request, turn);
        self.cancel_everything("KILL_ACTIVE", turn);
    }

    fn latch(&mut self, who: String, reason: String, request: Option<u64>, turn: &mut Turn) {
        self.kill_seq = self.kill_seq.saturating_add(1);
        let kill_seq = self.kill_seq;
        let entry = turn.record_to_name(&Outcome::Killed { kill_seq, who, reason: reason.clone() });
        // The approval was signed before this kill; it is worth nothing after it.
        self.begin_closing(None, "KILL_ACTIVE", turn);
        let waiting = request.iter().copied().collect();
        self.kill = Some(crate::state::Kill {
            seq: kill_seq,
            entry,
            reason,
            clearing: Clearing { waiting, ..Clearing::default() },
        });
        self.answer_latched(request, kill_seq, turn);
    }

    fn answer_latched(&self, request: Option<u64>, kill_seq: u64, turn: &mut Turn) {
        let Some(request) = request else { return };
        turn.effect(Effect::Answer { request, answer: Answer::Latched { kill_seq } });
        if self.kill.as_ref().is_some_and(|kill| kill.clearing.clear) {
            turn.effect(Effect::Answer { request, answer: Answer::OrdersClear { kill_seq } });
        }
    }
}
