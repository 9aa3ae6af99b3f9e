//! Kraken spot: WebSocket v2, the REST answers, signing, and everything a client may send that is
//! not an order.
//!
//! The encoders of orders live with the door to the venue; here is the decoder that checks them.

pub mod amend;
pub mod checksum;
mod execution;
pub mod frame;
pub mod ledger;
pub mod margin;
pub mod moment;
pub mod number;
pub mod order;
pub mod pong;
pub mod private;
pub mod public;
pub mod record;
pub mod refusal;
pub mod request;
pub mod rest;
pub mod sign;
#[cfg(test)]
pub(crate) mod testing;

pub use amend::{AmendOrder, DecodedAmend};
pub use ledger::{LedgerRecord, ledgers};
pub use margin::{MarginPosition, open_positions};
pub use number::NumberText;
pub use order::{AddOrder, DecodedOrder, decode_add_order};
pub use pong::{Pong, pong};
pub use private::{Accepted, Answer, Executions, ForeignOrder, Method, PrivateFrame};
pub use private::{PrivateStreams, Refused};
pub use public::PublicStreams;
pub use record::{OrderRecord, RecordStatus};
pub use refusal::{SystemStatus, VenueRefusal};
pub use rest::{
    Balance, DeadMan, RestFailure, TradeRecord, WsToken, balances, cancel_count, closed_orders,
    dead_man, open_orders, server_time, system_status, trades_history, ws_token,
};
pub use sign::sign;
