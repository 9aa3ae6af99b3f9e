//! A venue client that can cancel, cancel all and list open orders, and nothing else.
//!
//! This is the way out that stays open when everything else is shut: after a failed disk, a lost
//! socket or a kill. No order can be encoded with what is here, so whoever holds a [`Lifeline`]
//! can make an account safer and never more exposed. Beside it stand the few things that every
//! client of a venue needs: the endpoint, the credential, the nonces and the private REST door.

mod credential;
mod endpoint;
mod fault;
mod http;
mod nonces;
mod rest;

use std::sync::Arc;

use portcullis_domain::ClOrdId;
use portcullis_wire::kraken::request::PrivateCall;
use portcullis_wire::kraken::{VenueRefusal, cancel_count, open_orders};

pub use credential::Credential;
pub use endpoint::{SimulatedEndpoint, TIMEOUT};
pub use fault::VenueFault;
pub use http::BODY_BYTES_MAX;
pub use nonces::{Nonces, Turn};
pub use portcullis_wire::kraken::OrderRecord as VenueOrderLine;
pub use rest::PrivateDoor;

/// Takes orders back and lists them, over a connection of its own for each call.
///
/// Taking one back, taking all back and looking is all there is:
/// ```
/// # use portcullis_lifeline::{Lifeline, VenueFault};
/// fn calm(lifeline: &Lifeline) -> Result<u64, VenueFault> { lifeline.cancel_all() }
/// ```
/// ```compile_fail,E0599
/// # use portcullis_lifeline::{Lifeline, VenueFault};
/// fn calm(lifeline: &Lifeline) -> Result<u64, VenueFault> { lifeline.add_order() }
/// ```
#[derive(Clone, Debug)]
pub struct Lifeline {
    door: PrivateDoor,
}

impl Lifeline {
    /// A client for one account. `nonces` is shared by everything that signs with the same key.
    #[must_use]
    pub fn new(
        endpoint: SimulatedEndpoint,
        credential: Arc<Credential>,
        nonces: Arc<Nonces>,
    ) -> Self {
        Self { door: PrivateDoor::new(endpoint, credential, nonces) }
    }

    /// Takes one order of ours back; how many were. Zero says that no such order is open.
    ///
    /// # Errors
    /// Any [`VenueFault`]. The order may be canceled all the same: ask again, it does no harm.
    pub fn cancel(&self, id: ClOrdId) -> Result<u64, VenueFault> {
        match self.door.call(&PrivateCall::CancelOrder(id), cancel_count) {
            Err(VenueFault::Refused(refused)) if refused.refusal == VenueRefusal::UnknownOrder => {
                Ok(0)
            }
            other => other,
        }
    }

    /// Takes every order of the account back, whoever's; how many were.
    ///
    /// # Errors
    /// Any [`VenueFault`]. Some may be canceled all the same: ask again, it does no harm.
    pub fn cancel_all(&self) -> Result<u64, VenueFault> {
        self.door.call(&PrivateCall::CancelAll, cancel_count)
    }

    /// Every open order of the account, ours or not, sorted by the venue's id.
    ///
    /// # Errors
    /// Any [`VenueFault`]; nothing is known then.
    pub fn open_orders(&self) -> Result<Vec<VenueOrderLine>, VenueFault> {
        self.door.call(&PrivateCall::OpenOrders, open_orders)
    }
}

#[cfg(test)]
mod tests;
