//! What a reading of the account leads to: findings, cancels, and the stop.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_domain::{ClOrdId, ExecId, Execution, ExecutionReport, LedgerEntry, Now};
use portcullis_gate::CancelRequest;

use super::compare::{Reading, compare};
use super::kind::{Difference, DifferenceKind, ReconOutcome};
use super::record::ReconRecord;
use super::standing::Stated;
use crate::effect::Effect;
use crate::input::AccountSnapshot;
use crate::ledger::{EntryChange, EntryFault};
use crate::outcome::Outcome;
use crate::state::{Core, Turn};

/// Differences that are named in one entry.
const LINES_MAX: usize = 1_000;

impl Core {
    /// A reading with everything that is needed to judge it.
    pub(crate) fn reading<'a>(&'a self, venue: &'a AccountSnapshot, now: Now) -> Reading<'a> {
        Reading {
            venue,
            house: &self.account,
            instruments: &self.instruments,
            past_shadow: &self.past_shadow,
            live_shadow: self.live.as_ref().and_then(|live| live.shadow.as_ref()),
            asked: venue.asked_wall(now),
        }
    }

    /// Whether a reading was asked for after the last order must have arrived or been refused.
    /// One that does not say when it was asked for proves nothing of the kind.
    pub(crate) fn asked_past_deadlines(&self, snapshot: &AccountSnapshot, now: Now) -> bool {
        snapshot.asked(now).is_some_and(|asked| self.past_venue_deadlines(asked))
    }

    /// Remembers what the venue stated, for whatever is judged until the next reading.
    pub(crate) fn remember(&mut self, snapshot: &AccountSnapshot, now: Now) {
        let asked = snapshot.asked(now).map_or(now.wall, |asked| asked.wall);
        self.recon.fresh |= asked >= self.recon.link_changed;
        self.recon.foreign = snapshot.open_orders.iter().any(|order| order.cl_ord_id.is_none());
        self.recon.venue = Some(Stated {
            positions: snapshot.positions.clone(),
            balances: snapshot.balances.clone(),
        });
    }

    /// Books what the venue's ledger lists. Returns what an earlier reading should have shown.
    pub(crate) fn book_entries(
        &mut self,
        snapshot: &AccountSnapshot,
        turn: &mut Turn,
    ) -> Vec<Difference> {
        let before = self.recon.ledger_read;
        let mut late = Vec::new();
        for entry in &snapshot.ledger {
            match self.account.book_entry(entry) {
                Ok(EntryChange::Booked) => {
                    turn.record(&Outcome::Recon(ReconRecord::LedgerBooked(entry.clone())));
                    if before.is_some_and(|asked| entry.at < asked) {
                        late.push(unbooked(entry));
                    }
                }
                Ok(EntryChange::Opening | EntryChange::Duplicate) => {}
                Err(fault) => {
                    if self.recon.impossible.insert(entry.id.clone()) {
                        ledger_fault(fault, turn);
                    }
                }
            }
        }
        self.note_ledger_read(snapshot);
        late
    }

    /// The durable half of booking entries: live and in recovery alike.
    pub(crate) fn note_ledger_read(&mut self, snapshot: &AccountSnapshot) {
        if snapshot.ledger_since.is_some() {
            self.recon.ledger_read =
                self.recon.ledger_read.max(snapshot.asked_at.map(|asked| asked.wall));
        }
    }

    /// Compares, exactly. Most differences count when two readings in a row show them, since a
    /// reading and the reports cross on the way; the first reading of a run counts at once.
    pub(crate) fn judge(
        &mut self,
        snapshot: &AccountSnapshot,
        (of_fills, late): (Vec<Difference>, Vec<Difference>),
        found: Vec<String>,
        turn: &mut Turn,
    ) {
        let mut seen = compare(&self.reading(snapshot, turn.now));
        let adopted = self.adopted_fills(&of_fills).into_iter().chain(late);
        let mut findings: Vec<Difference> = adopted.collect();
        seen.extend(of_fills.into_iter().filter(|difference| !difference.kind.is_adopted()));
        // One thing may be seen in several places of one reading.
        let mut suspects = BTreeSet::new();
        seen.retain(|difference| suspects.insert(difference.about()));
        let first = self.differences.is_none();
        let counts = |difference: &&Difference| {
            let known = || self.suspects.contains(&difference.about());
            first || difference.kind.counts_at_once() || known()
        };
        let standing: Vec<Difference> = seen.iter().filter(counts).cloned().collect();
        self.suspects = suspects;
        let differences = lines(&standing);
        if self.differences.as_ref() != Some(&differences) || !found.is_empty() {
            let differences = differences.clone();
            turn.record(&Outcome::Reconciled { found, differences });
        }
        self.differences = Some(differences);
        findings.extend(standing.iter().cloned());
        self.note_findings(&findings, turn);
        self.recon.standing = standing;
        self.act_on(snapshot, turn);
    }

    /// Whether a fill contradicts what is booked, or is of an order that was never ordered. The
    /// first of its kind is a fault that kills; after the kill it is a finding and no more.
    pub(crate) fn is_impossible(&self, fill: &ExecutionReport) -> bool {
        let Some((id, there)) = Execution::of(fill) else { return false };
        match self.account.orders.execution(id) {
            Some(here) => !here.agrees(&there),
            None => self.account.orders.get(fill.cl_ord_id).is_none(),
        }
    }

    /// Records what counts as findings, and what does not count any more as gone.
    pub(crate) fn note_findings(&mut self, counting: &[Difference], turn: &mut Turn) {
        for number in self.recon.findings.gone(counting) {
            turn.record(&Outcome::Recon(ReconRecord::Gone { finding: number }));
            self.recon.findings.hide(number);
        }
        let session = self.open_session().cloned();
        for finding in self.recon.findings.fresh(counting, session.as_ref()) {
            let opened = ReconRecord::Opened(Box::new(finding.clone()));
            turn.record(&Outcome::Recon(opened));
            self.recon.findings.open(finding);
        }
    }

    /// Those of the fills' differences that were really booked.
    pub(crate) fn adopted_fills(&self, found: &[Difference]) -> Vec<Difference> {
        let booked = |difference: &&Difference| {
            let id = ExecId(difference.subject.clone());
            difference.kind == DifferenceKind::FillMissingHere
                && self.account.orders.has_execution(&id)
        };
        found.iter().filter(booked).cloned().collect()
    }

    /// Does what the differences that count demand by themselves: orders that nobody here counts
    /// on are taken back, and what the house cannot live with stops it.
    pub(crate) fn act_on(&mut self, snapshot: &AccountSnapshot, turn: &mut Turn) {
        let outcome = |difference: &Difference| difference.kind.outcome();
        let stop = self.recon.standing.iter().find(|d| outcome(d) == ReconOutcome::HardStop);
        if let Some(stop) = stop.filter(|_| self.kill.is_none()) {
            turn.kill(stop.kind.code());
        }
        // Cancel-all reaches a clone's orders; where somebody else's rest as well, each is named.
        let named = |d: &&Difference| {
            let clone = d.kind == DifferenceKind::OrderNeverIssued && self.recon.foreign;
            clone || outcome(d) == ReconOutcome::CancelUnknownOrders
        };
        let unknown = self.recon.standing.iter().filter(named);
        let unknown: BTreeMap<&str, &'static str> =
            unknown.map(|d| (d.subject.as_str(), d.kind.code())).collect();
        if unknown.is_empty() {
            return;
        }
        let listed = snapshot.open_orders.iter().filter_map(|order| order.cl_ord_id);
        for cl_ord_id in listed {
            if let Some(cause) = unknown.get(cl_ord_id.to_string().as_str()) {
                take_back_unknown(cl_ord_id, cause, turn);
            }
        }
    }
}

/// Taking back is legal for any id of ours (D9). The order does not work in the house, so its state
/// does not move: only the venue's list can show that it is gone.
fn take_back_unknown(cl_ord_id: ClOrdId, cause: &'static str, turn: &mut Turn) {
    turn.record(&Outcome::CancelRequested { cl_ord_id, cause });
    turn.effect(Effect::Cancel(CancelRequest { cl_ord_id }));
}

/// The differences as lines. Each is a finding of its own; an entry of the journal is bounded.
pub(super) fn lines(standing: &[Difference]) -> Vec<String> {
    let mut lines: Vec<String> = standing.iter().take(LINES_MAX).map(Difference::text).collect();
    let rest = standing.len().saturating_sub(LINES_MAX);
    if rest > 0 {
        lines.push(format!("RECON_MORE: and {rest} more"));
    }
    lines
}

fn unbooked(entry: &LedgerEntry) -> Difference {
    let LedgerEntry { id, kind, currency, amount, .. } = entry;
    Difference {
        kind: DifferenceKind::LedgerUnbooked,
        subject: id.0.clone(),
        symbol: None,
        ours: None,
        venue: Some(format!("{} {} {currency}", kind.name(), amount.text())),
        gap: None,
    }
}

/// An entry that cannot be true: the house does not know what it owns any more, and stops.
fn ledger_fault(fault: EntryFault, turn: &mut Turn) {
    turn.record(&Outcome::Faulted { code: fault.code(), cl_ord_id: None });
    turn.kill(fault.code());
}
