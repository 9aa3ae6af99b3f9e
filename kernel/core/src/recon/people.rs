//! One person explains a finding, another confirms it.

use portcullis_domain::Name;

use super::findings::{Finding, FindingState};
use super::judge::lines;
use super::kind::{Difference, DifferenceKind};
use super::record::ReconRecord;
use crate::outcome::Outcome;
use crate::state::{Core, Turn};

/// Longest explanation, in bytes.
const REASON_LEN_MAX: usize = 1_000;

type Refused = (&'static str, &'static str);

impl Core {
    pub(crate) fn on_explain(
        &mut self,
        request: u64,
        (finding, who, reason): (u64, Name, String),
        turn: &mut Turn,
    ) {
        if let Err((code, cause)) = self.may_explain(finding, &reason) {
            return turn.refuse(request, "explain", code, cause);
        }
        let (by, text) = (who.clone(), reason.clone());
        turn.record(&Outcome::Recon(ReconRecord::Explained { finding, who, reason }));
        self.recon.findings.explain(finding, by, text);
        turn.done(request, format!("finding {finding} is explained; another person confirms it"));
    }

    fn may_explain(&self, finding: u64, reason: &str) -> Result<(), Refused> {
        if reason.trim().is_empty() {
            return Err(("REASON_MISSING", "say what was behind it"));
        }
        if reason.len() > REASON_LEN_MAX {
            return Err(("REASON_TOO_LONG", "say it in at most 1000 bytes"));
        }
        if self.finding(finding)?.state.is_settled() {
            return Err(("FINDING_SETTLED", "nothing is left to explain in this finding"));
        }
        Ok(())
    }

    pub(crate) fn on_confirm(&mut self, request: u64, finding: u64, who: Name, turn: &mut Turn) {
        if let Err((code, cause)) = self.may_confirm(finding, &who) {
            return turn.refuse(request, "confirm", code, cause);
        }
        if let Err((code, cause)) = self.adopt_balance(finding, turn) {
            return turn.refuse(request, "confirm", code, cause);
        }
        let by = who.clone();
        turn.record(&Outcome::Recon(ReconRecord::Confirmed { finding, who: by }));
        self.recon.findings.confirm(finding, who);
        turn.done(request, format!("finding {finding} is explained and confirmed"));
    }

    fn may_confirm(&self, finding: u64, who: &Name) -> Result<(), Refused> {
        let finding = self.finding(finding)?;
        match &finding.state {
            FindingState::Adopted | FindingState::Confirmed { .. } => {
                Err(("FINDING_SETTLED", "nothing is left to confirm in this finding"))
            }
            FindingState::Open => {
                Err(("FINDING_NOT_EXPLAINED", "first somebody explains it: recon explain"))
            }
            FindingState::Explained { who: explained, .. } if explained == who => {
                Err(("SAME_PERSON", "whoever explained it cannot confirm it"))
            }
            FindingState::Explained { .. } if finding.shown && !is_balance(finding) => {
                Err(("STILL_SHOWN", "the venue still shows it: no word makes that go away"))
            }
            FindingState::Explained { .. } => Ok(()),
        }
    }

    fn finding(&self, number: u64) -> Result<&Finding, Refused> {
        let unknown = ("FINDING_UNKNOWN", "no finding has this number: recon list");
        self.recon.findings.get(number).ok_or(unknown)
    }

    /// A balance that two people explained is taken from the venue, on record, and does not differ
    /// any more.
    fn adopt_balance(&mut self, number: u64, turn: &mut Turn) -> Result<(), Refused> {
        let finding = self.finding(number)?;
        if !(is_balance(finding) && finding.shown) {
            return Ok(());
        }
        let Difference { kind: _, subject: currency, gap, .. } = finding.difference.clone();
        let about = finding.difference.about();
        // The amount has to be the last reading's: before there is one nobody can adopt it.
        let stands = |d: &&Difference| d.about() == about && d.gap == gap;
        if self.differences.is_none() || self.recon.standing.iter().find(stands).is_none() {
            return Err(("NOT_COMPARED", "the account has not been read since the start"));
        }
        let overflow = ("BALANCE_OVERFLOW", "the amount is beyond what the ledger can hold");
        let gap = gap.ok_or(overflow)?;
        self.account.adopt_gap(&currency, gap).ok_or(overflow)?;
        let adjusted = ReconRecord::BalanceAdjusted { finding: number, currency, amount: gap };
        turn.record(&Outcome::Recon(adjusted));
        self.recon.findings.hide(number);
        self.recon.standing.retain(|difference| difference.about() != about);
        self.suspects.remove(&about);
        let differences = lines(&self.recon.standing);
        turn.record(&Outcome::Reconciled { found: vec![], differences: differences.clone() });
        self.differences = Some(differences);
        Ok(())
    }
}

fn is_balance(finding: &Finding) -> bool {
    finding.difference.kind == DifferenceKind::BalanceAmount
}
