//! Recovery of what reconciliation keeps.

use portcullis_statement::json::Fields;

use super::findings::Finding;
use crate::input_codec::money;
use crate::recover::RecoverError;
use crate::state::Core;

impl Core {
    /// Folds an outcome of reconciliation; anything else is left alone.
    pub(crate) fn fold_recon(
        &mut self,
        kind: &str,
        body: &mut Fields<'_>,
    ) -> Result<(), RecoverError> {
        match kind {
            "finding-opened" => self.recon.findings.open(Finding::from_body(body)?),
            "finding-gone" => self.recon.findings.hide(body.uint("finding")?),
            "finding-explained" => {
                let (finding, who) = (body.uint("finding")?, body.name("who")?);
                self.recon.findings.explain(finding, who, body.text("reason")?.to_owned());
            }
            "finding-confirmed" => {
                self.recon.findings.confirm(body.uint("finding")?, body.name("who")?);
            }
            "balance-adjusted" => {
                let (amount, currency) = (money(body.text("amount")?)?, body.text("currency")?);
                // What overflowed then was refused then, and is not on record.
                let _moved: Option<()> = self.account.adopt_gap(currency, amount);
                self.recon.findings.hide(body.uint("finding")?);
            }
            // Its entry is in the reading that it came with.
            _ => {}
        }
        Ok(())
    }
}
