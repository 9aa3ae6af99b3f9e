//! What people ask for by hand, from the socket's words to the core's inputs.
//!
//! The operating system says which user asks; which person that is, the user says with `--as`. The
//! core holds the name against the roster, and the journal keeps it.

use std::sync::Arc;

use portcullis_control::{
    Answer, FindingConfirm, FindingExplain, FindingView, OrderAmend, OrderCancel, OrderSubmit,
    PositionClose, ProposalView, Reply,
};
use portcullis_core::{Input, PersonCommand, PersonOrder, PersonRequest};
use portcullis_domain::{ClOrdId, Name, Role, TimeInForce};
use portcullis_statement::Roster;

use crate::control::{ask, refused};
use crate::house::House;
use crate::open::unresponsive;

/// Most findings in one answer: they have to fit into one frame.
const FINDINGS_SHOWN_MAX: usize = 200;
/// Most proposals in one answer, for the same reason.
const PROPOSALS_SHOWN_MAX: usize = 50;
/// Who has a word about what reconciliation found.
const FINDING_ROLES: [Role; 2] = [Role::Operator, Role::Risk];

/// Code and cause of a refusal.
type No = (&'static str, String);

/// Puts a new order to the core.
pub(crate) fn submit(house: &House, order: OrderSubmit) -> Answer {
    let time_in_force = if order.ioc { TimeInForce::Ioc } else { TimeInForce::Gtc };
    let command = PersonCommand::Submit(PersonOrder {
        symbol: order.symbol,
        side: order.side,
        qty: order.qty,
        price: order.limit,
        time_in_force,
        reduce_only: order.reduce_only,
    });
    command_of(house, order.person, command)
}

/// Puts a change of an order to the core.
pub(crate) fn amend(house: &House, change: OrderAmend) -> Answer {
    let Some(cl_ord_id) = ClOrdId::parse(&change.cl_ord_id) else {
        return not_ours(&change.cl_ord_id);
    };
    let command = PersonCommand::Amend { cl_ord_id, qty: change.qty, price: change.limit };
    command_of(house, change.person, command)
}

/// Takes one order back, or all of them.
pub(crate) fn cancel(house: &House, which: OrderCancel) -> Answer {
    let command = match which.cl_ord_id {
        None => PersonCommand::CancelAll,
        Some(text) => match ClOrdId::parse(&text) {
            None => return not_ours(&text),
            Some(cl_ord_id) => PersonCommand::Cancel { cl_ord_id },
        },
    };
    command_of(house, which.person, command)
}

/// Makes a position smaller.
pub(crate) fn close(house: &House, close: PositionClose) -> Answer {
    let PositionClose { person, symbol, qty, limit } = close;
    command_of(house, person, PersonCommand::Close { symbol, qty, price: limit })
}

fn command_of(house: &House, named: Option<Name>, command: PersonCommand) -> Answer {
    match person(house.home.trust.roster(), named, command.verb().roles()) {
        Ok(who) => {
            ask(house, |request| Input::Person(Box::new(PersonRequest { request, who, command })))
        }
        Err((code, cause)) => refused(code, &cause),
    }
}

/// Who asks: whoever was named, or the only person whose role fits. The core judges either.
fn person(roster: &Roster, named: Option<Name>, roles: &[Role]) -> Result<Name, No> {
    if let Some(named) = named {
        return Ok(named);
    }
    let fits = |person: &&portcullis_statement::Person| {
        person.roles.iter().any(|role| roles.contains(role))
    };
    let able: Vec<&str> =
        roster.people().iter().filter(fits).map(|person| person.name.as_str()).collect();
    match able.as_slice() {
        [only] => Name::new(only).ok_or_else(|| nobody(roles)),
        [] => Err(nobody(roles)),
        several => {
            let cause = format!("this could be {}: say which with --as", several.join(" or "));
            Err(("PERSON_AMBIGUOUS", cause))
        }
    }
}

fn nobody(roles: &[Role]) -> No {
    let roles: Vec<&str> = roles.iter().map(|role| role.name()).collect();
    ("ROLE_FORBIDS", format!("nobody of this roster has the role {}", roles.join(" or ")))
}

fn not_ours(text: &str) -> Answer {
    refused("ORDER_NOT_FOUND", &format!("{text} is no order id of this house"))
}

/// What waits for a person's word, the oldest first.
pub(crate) fn proposals(house: &Arc<House>) -> Answer {
    let Some(shown) = house.look() else { return unresponsive() };
    let origin = shown.session_origin.unwrap_or_default();
    let mut proposals: Vec<ProposalView> =
        shown.view.proposals.into_iter().map(proposal_view).collect();
    let left_out = proposals.len().saturating_sub(PROPOSALS_SHOWN_MAX);
    proposals.truncate(PROPOSALS_SHOWN_MAX);
    let left_out = u64::try_from(left_out).unwrap_or(u64::MAX);
    Answer::last(Reply::Proposals { origin, proposals, left_out })
}

/// A proposal of the core in the words of the socket: the bytes that are shown and signed.
fn proposal_view(proposal: portcullis_core::ProposalView) -> ProposalView {
    let (bid, ask) = proposal.market.unzip();
    ProposalView {
        shown: proposal.shown.to_value().canonical_text(),
        digest: proposal.shown.digest().hex(),
        bid,
        ask,
        expires: proposal.expires.0.to_string(),
    }
}

/// What reconciliation has found, the newest first.
pub(crate) fn findings(house: &Arc<House>, number: Option<u64>) -> Answer {
    let Some(shown) = house.look() else { return unresponsive() };
    let mut all: Vec<FindingView> = shown.view.findings.into_iter().map(finding_view).collect();
    if let Some(number) = number {
        all.retain(|finding| finding.number == number);
        if all.is_empty() {
            return no_finding(number);
        }
    }
    all.sort_by_key(|finding| std::cmp::Reverse(finding.number));
    let left_out = all.len().saturating_sub(FINDINGS_SHOWN_MAX);
    all.truncate(FINDINGS_SHOWN_MAX);
    let left_out = u64::try_from(left_out).unwrap_or(u64::MAX);
    Answer::last(Reply::Findings { findings: all, left_out })
}

/// Puts one person's explanation to the core.
pub(crate) fn explain(house: &House, said: FindingExplain) -> Answer {
    let FindingExplain { person: named, finding, reason } = said;
    match person(house.home.trust.roster(), named, &FINDING_ROLES) {
        Ok(who) => ask(house, |request| Input::ExplainFinding { request, finding, who, reason }),
        Err((code, cause)) => refused(code, &cause),
    }
}

/// Puts another person's confirmation to the core.
pub(crate) fn confirm(house: &House, said: FindingConfirm) -> Answer {
    let finding = said.finding;
    match person(house.home.trust.roster(), said.person, &FINDING_ROLES) {
        Ok(who) => ask(house, |request| Input::ConfirmFinding { request, finding, who }),
        Err((code, cause)) => refused(code, &cause),
    }
}

/// A finding of the core in the words of the socket.
fn finding_view(finding: portcullis_core::FindingView) -> FindingView {
    let explained = finding.explained.map(|(who, reason)| format!("{who}: {reason}"));
    let confirmed = finding.confirmed.map(|by| format!("confirmed by {by}"));
    let said: Vec<String> = explained.into_iter().chain(confirmed).collect();
    let outcome = if said.is_empty() { finding.outcome.to_owned() } else { said.join("; ") };
    FindingView {
        number: finding.number,
        code: finding.code.to_owned(),
        subject: finding.subject,
        ours: finding.ours,
        venue: finding.venue,
        state: finding.state.to_owned(),
        outcome: Some(outcome),
    }
}

fn no_finding(number: u64) -> Answer {
    refused("FINDING_UNKNOWN", &format!("there is no finding {number}"))
}

#[cfg(test)]
mod tests;
