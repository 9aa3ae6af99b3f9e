//! One fill as the house remembers it.

use crate::ids::{ClOrdId, ExecId};
use crate::money::{Money, Px, Qty};
use crate::report::{ExecType, ExecutionReport};
use crate::time::WallNs;

/// What one execution said; compared when its id comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// FIX 11.
    pub cl_ord_id: ClOrdId,
    /// FIX 31.
    pub last_px: Px,
    /// FIX 32.
    pub last_qty: Qty,
    /// In the quote currency.
    pub fee: Money,
    /// Whether the order rested and was taken.
    pub maker: bool,
    /// FIX 60. Not compared: two doors of a venue may round the same moment differently.
    pub transact_time: WallNs,
}

impl Execution {
    /// What a report says of an execution; `None` if it is no fill.
    #[must_use]
    pub fn of(report: &ExecutionReport) -> Option<(&ExecId, Self)> {
        let ExecType::Trade { exec_id, last_px, last_qty, fee, maker } = &report.exec_type else {
            return None;
        };
        let (cl_ord_id, transact_time) = (report.cl_ord_id, report.transact_time);
        let (last_px, last_qty, fee, maker) = (*last_px, *last_qty, *fee, *maker);
        Some((exec_id, Self { cl_ord_id, last_px, last_qty, fee, maker, transact_time }))
    }

    /// Whether both say the same of order and money.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        *self == Self { transact_time: self.transact_time, ..*other }
    }
}
