//! May I trade, why not, what is open, what next.

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis_control::{
    Answer, OrderView, PhaseView, PositionView, Reconciliation, Reply, StatusView,
};
use portcullis_core::View;

use crate::house::House;
use crate::open::unresponsive;

/// The answer to `status`.
pub(crate) fn status(house: &Arc<House>) -> Answer {
    match house.look() {
        Some(shown) => Answer::last(Reply::Status(view(shown.view, house.shut_because()))),
        None => unresponsive(),
    }
}

fn view(mut view: View, shut: Option<&str>) -> StatusView {
    let next = next(&view);
    // The gate shuts before the core hears of it, and people are told what is.
    if let Some(reason) = shut.filter(|_| view.kill_entry.is_none()) {
        view.blocked.insert(0, reason.to_owned());
    }
    let orders = view.orders.into_iter().map(|order| OrderView {
        cl_ord_id: order.cl_ord_id,
        symbol: order.symbol,
        what: order.what,
        status: order.status.to_owned(),
        cum_qty: order.cum_qty,
    });
    let positions = view.positions.into_iter().map(|position| PositionView {
        symbol: position.symbol,
        qty: position.qty,
        avg_px: position.avg_px,
        profit: position.profit,
        fees: position.fees,
    });
    StatusView {
        may_trade: view.blocked.is_empty(),
        reasons: view.blocked,
        protection: view.protection,
        phase: view.phase.map(|(number, name)| PhaseView { number, name: name.to_owned() }),
        session: view.session,
        killed: view.kill_entry.is_some(),
        kill_seq: view.kill_seq,
        kill_entry: view.kill_entry,
        orders: orders.collect(),
        positions: positions.collect(),
        guards: owned(view.guards),
        witnesses: view.witnesses,
        copies: view.copies,
        run: view.run.map(|run| format!("{run:08x}")),
        size_percent: view.size_percent,
        verdicts: view.verdicts,
        feed_age_ms: view.feed_age_ms.and_then(|age| u64::try_from(age).ok()),
        reconciliation: match view.differences {
            None => Reconciliation::NotCompared,
            Some(list) if list.is_empty() => Reconciliation::Agreed,
            Some(list) => Reconciliation::Differs(list),
        },
        sessions: owned(view.sessions),
        seals: view.seals,
        next,
    }
}

fn owned(words: BTreeMap<impl Into<String> + Ord, &'static str>) -> BTreeMap<String, String> {
    words.into_iter().map(|(name, state)| (name.into(), state.to_owned())).collect()
}

/// The one thing to do now.
fn next(view: &View) -> String {
    let unsealed = view.seals.first().and_then(|line| line.split_once(':'));
    let next = if view.kill_entry.is_some() {
        "once the orders are clear, portcullis request unkill, signed by two people"
    } else if view.differences.as_ref().is_some_and(|list| !list.is_empty()) {
        "compare the account at the venue with portcullis status; differences block new orders"
    } else if !view.proposals.is_empty() {
        "portcullis proposal list; each waits for a signed release until its time is over"
    } else if view.session.is_some() {
        "portcullis close, or portcullis kill at the first doubt"
    } else if let Some((session, _)) = unsealed {
        return format!("portcullis pack {session}, then sign its seal");
    } else {
        "portcullis request session, then have it signed"
    };
    next.to_owned()
}
