//! The words of the house: numbers, instruments, intents, orders, reports, books, frames, policy.
//!
//! Everything here is plain data and exact integer arithmetic. Nothing reads a clock, a file or a
//! random number, and nothing depends on another crate: what the rest of the house agrees on has
//! to be readable on its own.

pub mod book;
pub mod execution;
pub mod frame;
pub mod ids;
pub mod instrument;
pub mod intent;
pub mod ledger_entry;
pub mod market;
pub mod money;
pub mod number;
pub mod order;
pub mod policy;
pub mod report;
pub mod stop;
pub mod time;

pub use book::Book;
pub use execution::Execution;
pub use ids::{
    ClOrdId, ExecId, InstrumentId, Name, OrderId, Phase, PluginId, Role, SessionId, StreamId,
};
pub use instrument::{Instrument, InstrumentKind};
pub use intent::{
    Amendment, Bracket, CancelIntent, OrdType, OrderIntent, Origin, Side, TimeInForce,
};
pub use ledger_entry::{LedgerEntry, LedgerEntryId, LedgerKind};
pub use market::{MarketEvent, MarketFrame};
pub use money::{Money, Position, Px, Qty, Rate};
pub use number::{NumberError, format_scaled, parse_scaled};
pub use order::{OrdStatus, Order, OrderFault, OrderTable};
pub use report::{ExecType, ExecutionReport};
pub use stop::{Stop, StopMode, StopScope};
pub use time::{BootNs, Now, WallNs};
