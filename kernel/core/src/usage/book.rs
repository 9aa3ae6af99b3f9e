//! The open session's exposure book, and which orders of the ledger are the session's own.

use std::collections::BTreeMap;

use portcullis_domain::{BootNs, ClOrdId, InstrumentId, Money, Order, Origin, Px, Qty};
use portcullis_gate::exposure::{Cell, ExposureBook, Owner, Traded};
use portcullis_gate::{Gate, Holding};

/// An exposure book whose instruments are found by our symbol: numbers of instruments and plugins
/// mean something within one session only, and orders of an earlier one may still be open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionBook {
    book: ExposureBook,
    ids: BTreeMap<String, InstrumentId>,
    /// The last order that was issued before the session.
    before: ClOrdId,
}

impl SessionBook {
    pub(crate) fn new(gate: &Gate, before: ClOrdId) -> Self {
        let converters: Vec<_> =
            gate.instruments().iter().map(|instrument| gate.converter(instrument)).collect();
        let plugins = u16::try_from(gate.approval().plugins.len()).unwrap_or(u16::MAX);
        let ids = gate.instruments().iter().map(|i| (i.symbol.clone(), i.id)).collect();
        Self { book: ExposureBook::new(gate.instruments(), plugins, &converters), ids, before }
    }

    pub(crate) const fn book(&self) -> &ExposureBook {
        &self.book
    }

    /// States what is held of a symbol.
    pub(crate) fn seed(&mut self, symbol: &str, holding: Holding) {
        if let Some(id) = self.ids.get(symbol) {
            // A book that does not add up answers nothing any more, and nothing is approved.
            self.book.seed(*id, holding);
        }
    }

    pub(crate) fn order_changed(&mut self, before: Option<&Order>, after: &Order, symbol: &str) {
        let Some(id) = self.ids.get(symbol).copied() else { return };
        if self.is_own(after) {
            self.book.order_changed(before, after);
        } else {
            let foreign = |order: &Order| as_account_order(order, id);
            self.book.order_changed(before.map(foreign).as_ref(), &foreign(after));
        }
    }

    pub(crate) fn filled(&mut self, order: &Order, symbol: &str, (px, qty, fee): (Px, Qty, Money)) {
        let Some(instrument) = self.ids.get(symbol).copied() else { return };
        let origin = if self.is_own(order) { order.intent.origin } else { Origin::House };
        let side = order.intent.side;
        self.book.filled(&Traded { origin, instrument, side, px, qty, fee });
    }

    pub(crate) fn marked(&mut self, instrument: InstrumentId, px: Px, at: BootNs) {
        self.book.marked(instrument, px, at);
    }

    /// What stands of a symbol, in the account as a whole.
    pub(crate) fn cell_of(&self, symbol: &str) -> Option<&Cell> {
        self.book.cell(Owner::Whole, *self.ids.get(symbol)?)
    }

    /// Whether the order was issued in the session: then its numbers are the session's.
    pub(crate) fn is_own(&self, order: &Order) -> bool {
        let ClOrdId { epoch, sequence } = order.cl_ord_id;
        epoch == self.before.epoch && sequence > self.before.sequence
    }
}

/// An order of an earlier session: it counts for the account, under the present number.
fn as_account_order(order: &Order, instrument: InstrumentId) -> Order {
    let mut order = order.clone();
    order.intent.instrument = instrument;
    order.intent.origin = Origin::House;
    order
}
