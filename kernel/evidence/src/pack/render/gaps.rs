//! What the evidence of a session lacks. Nobody can bring it back; people say why it is not there,
//! and a pack without that reason is not complete.

use portcullis_core::NoteKind;
use portcullis_statement::json::Fields;

use super::fault::RenderFault;
use super::page::Page;
use super::recon::Recon;
use super::remark::about;
use super::session::Session;

/// The names that a reason can be given for.
pub const GAPS: [&str; 3] = [ACCOUNT, COUNTS, MARKET_DATA];
const ACCOUNT: &str = "account";
const COUNTS: &str = "counts";
const MARKET_DATA: &str = "market-data";

/// One thing that is not there: its name, and what it is.
type Gap = (&'static str, &'static str);

/// Everything that this session's evidence lacks.
fn gaps(session: &Session, recon: &Recon) -> Result<Vec<Gap>, RenderFault> {
    let mut gaps = Vec::new();
    if recon.is_blind() {
        gaps.push((ACCOUNT, "account and house were not compared at the end of the session"));
    }
    match session.closing() {
        None => {
            gaps.push((COUNTS, "a crash leaves no counts of market data, events and positions"));
            gaps.push((MARKET_DATA, "market data of the last moment before the crash may be lost"));
        }
        Some(closed) => {
            let lost = closed
                .body(|body| Fields::new(body.fields("summary")?.value("market")?)?.uint("gaps"))?;
            if lost > 0 {
                gaps.push((MARKET_DATA, "market data was lost: its sequence has gaps"));
            }
        }
    }
    Ok(gaps)
}

/// How many things are not there.
pub(super) fn count(session: &Session, recon: &Recon) -> Result<usize, RenderFault> {
    Ok(gaps(session, recon)?.len())
}

/// The part of the runlog about what is not there, with people's reasons.
pub(super) fn write(page: &mut Page, session: &Session, recon: &Recon) -> Result<(), RenderFault> {
    page.line("\n## Gaps\n");
    let gaps = gaps(session, recon)?;
    if gaps.is_empty() {
        page.line("None: nothing that belongs here is missing.");
    }
    for (name, what) in gaps {
        page.line(format!("- {name}: {what}"));
        let mut reasons = about(&session.remarks, NoteKind::Gap, name).peekable();
        if reasons.peek().is_none() {
            page.blank("gap", name);
        } else {
            page.fenced(reasons.map(super::remark::Remark::line));
        }
    }
    Ok(())
}
