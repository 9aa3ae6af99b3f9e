//! The account, read as often as the core asks: what reconciliation compares.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use portcullis_core::{AccountSnapshot, Input, VenueOrder};
use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{ExecId, ExecType, ExecutionReport, LedgerEntry, Now, WallNs};
use portcullis_path::inbox::NotTaken;
use portcullis_venue::{AccountReader, AccountState, PrivateDoor};

use crate::clock;
use crate::house::{House, LANE_PAUSE};

/// How long the account thread waits for a wish before it looks whether it is still needed.
const WISH_WAIT: Duration = Duration::from_secs(1);
/// Fills, and entries of the ledger, that one reading of the account may carry: an entry of the
/// journal is bounded.
const SNAPSHOT_ITEMS_MAX: usize = 512;
/// A reading states every fill and every entry of the ledger of so long before it, so that one that
/// the venue has lost shows.
const COVERED_NS: i64 = 30 * NS_PER_S;

/// Reads the account when the core asks.
pub(crate) fn keep_account(house: &House, door: PrivateDoor, generation: u64) {
    let reader = AccountReader::new(door, house.home.instruments.clone());
    let mut told = BTreeMap::new();
    while house.venue.is_link(generation) {
        // The core says when; waking up in between only serves the end of the generation.
        if !house.venue.account_wanted(WISH_WAIT) {
            continue;
        }
        if !house.venue.is_link(generation) {
            // The wish is the next generation's.
            house.venue.read_account();
            return;
        }
        if !house.venue.is_up() {
            continue;
        }
        read_once(house, (&reader, &mut told), generation);
    }
}

fn read_once(
    house: &House,
    (reader, told): (&AccountReader, &mut BTreeMap<ExecId, ExecutionReport>),
    generation: u64,
) {
    let known = house.venue.known_orders();
    let asked = clock::now();
    let ledger_since = ledger_since(house.venue.ledger_read(), asked.wall);
    // A read that failed leaves the house without news; the gate judges by the last ones.
    let Ok(mut state) = reader.read_account(&known, ledger_since) else { return };
    if !house.venue.is_link(generation) {
        return;
    }
    for order in &state.open_orders {
        if let Some(id) = order.cl_ord_id {
            house.venue.learn(Some(&order.order_id), id);
        }
    }
    let (fills, fills_since) = news(house, told, (state.fills, asked));
    let (ledger, ledger_since) = entries(state.ledger, ledger_since);
    let whole = ledger_since.map(|_| asked.wall);
    let read_to = whole.or_else(|| ledger.last().map(|entry| entry.at));
    (state.fills, state.ledger) = (fills, ledger);
    if let Some(read_to) = read_to {
        house.venue.note_ledger_read(read_to);
    }
    house.report(Input::Account(snapshot(state, asked, (fills_since, ledger_since))));
}

/// From when on the ledger is asked for: with some overlap from where it was last read whole, by
/// this run or by one before it. A house that never has begins now, for what was booked before it
/// knew any balance is part of that balance. A wall clock that was ahead for a while hides nothing.
fn ledger_since(read: Option<WallNs>, now: WallNs) -> WallNs {
    read.map_or(now, |read| read.min(now)).plus_ns(COVERED_NS.saturating_neg())
}

/// The entries that fit into one reading, the oldest, and since when these are all, if they are.
/// The next reading goes on from where this one ends.
fn entries(mut all: Vec<LedgerEntry>, since: WallNs) -> (Vec<LedgerEntry>, Option<WallNs>) {
    let rest = all.split_off(all.len().min(SNAPSHOT_ITEMS_MAX));
    (all, rest.is_empty().then_some(since))
}

/// The fills that this run has not handed on yet and all that are new at the venue, and since when
/// these are all. The venue states its whole history at each reading; an entry holds a bounded
/// part of it. What is too much for one reading goes before it, fill by fill.
fn news(
    house: &House,
    told: &mut BTreeMap<ExecId, ExecutionReport>,
    (fills, asked): (Vec<ExecutionReport>, Now),
) -> (Vec<ExecutionReport>, Option<WallNs>) {
    let since = asked.wall.plus_ns(COVERED_NS.saturating_neg());
    let mut fresh = Vec::new();
    for fill in fills {
        let ExecType::Trade { exec_id, .. } = &fill.exec_type else { continue };
        // One that is told differently than before is news, and the core's to judge.
        let known = told.insert(exec_id.clone(), fill.clone()).as_ref() == Some(&fill);
        if !known || fill.transact_time >= since {
            fresh.push(fill);
        }
    }
    let recent = fresh.split_off(fresh.len().saturating_sub(SNAPSHOT_ITEMS_MAX));
    let whole = fresh.iter().all(|fill| fill.transact_time < since);
    for fill in fresh {
        while house.lanes.report(Input::Report(fill.clone())) == Err(NotTaken::Full) {
            sleep(LANE_PAUSE);
        }
    }
    (recent, whole.then_some(since))
}

fn snapshot(
    state: AccountState,
    asked: Now,
    (fills_since, ledger_since): (Option<WallNs>, Option<WallNs>),
) -> AccountSnapshot {
    let open_orders = state.open_orders.into_iter().map(|order| VenueOrder {
        order_id: order.order_id,
        cl_ord_id: order.cl_ord_id,
        leaves_qty: order.leaves_qty,
        side: Some(order.side),
        price: order.price,
        qty: order.qty,
        cum_qty: order.cum_qty,
    });
    AccountSnapshot {
        asked_at: Some(asked),
        open_orders: open_orders.collect(),
        fills: state.fills,
        fills_since,
        balances: state.balances,
        positions: Some(state.positions),
        ledger: state.ledger,
        ledger_since,
    }
}

#[cfg(test)]
mod tests {
    use portcullis_domain::{BootNs, LedgerEntryId, LedgerKind, Money};

    use super::*;

    fn entry(number: i64) -> LedgerEntry {
        LedgerEntry {
            id: LedgerEntryId(format!("L{number}")),
            kind: LedgerKind::Deposit,
            currency: "BTC".to_owned(),
            amount: Money(1),
            at: WallNs(number),
        }
    }

    #[test]
    fn the_ledger_is_read_on_from_where_it_was_read_and_a_first_time_from_now() {
        let at = |seconds: i64| WallNs(seconds.saturating_mul(NS_PER_S));
        assert_eq!(ledger_since(None, at(1_000)), at(970));
        // However long the house was away.
        assert_eq!(ledger_since(Some(at(100)), at(1_000)), at(70));
        // A wall that was ahead when it was read: what is booked since then is read too.
        assert_eq!(ledger_since(Some(at(1_000)), at(500)), at(470));
    }

    #[test]
    fn a_reading_that_leaves_entries_out_does_not_claim_to_have_all() {
        let read = |count: i64| entries((0..count).map(entry).collect(), WallNs(-7));
        let most = i64::try_from(SNAPSHOT_ITEMS_MAX).unwrap();
        assert_eq!(read(0), (Vec::new(), Some(WallNs(-7))));
        assert_eq!(read(most).1, Some(WallNs(-7)));
        let (oldest, since) = read(most.saturating_add(1));
        assert_eq!((oldest.len(), since), (SNAPSHOT_ITEMS_MAX, None));
        assert_eq!(oldest.last(), Some(&entry(most.saturating_sub(1))));
    }

    /// Orders, fills, positions, balances and ledger: nothing of a reading is left out.
    #[test]
    fn a_snapshot_states_every_part_of_the_account() {
        let state = AccountState {
            open_orders: Vec::new(),
            fills: Vec::new(),
            unplaced: Vec::new(),
            balances: [("BTC".to_owned(), Money(2))].into(),
            positions: BTreeMap::new(),
            ledger: vec![entry(1)],
        };
        let asked = Now { wall: WallNs(5), boot: BootNs(6) };
        let stated = snapshot(state, asked, (Some(WallNs(3)), Some(WallNs(4))));
        let expect = AccountSnapshot {
            asked_at: Some(asked),
            open_orders: Vec::new(),
            fills: Vec::new(),
            fills_since: Some(WallNs(3)),
            balances: [("BTC".to_owned(), Money(2))].into(),
            positions: Some(BTreeMap::new()),
            ledger: vec![entry(1)],
            ledger_since: Some(WallNs(4)),
        };
        assert_eq!(stated, expect);
    }
}
