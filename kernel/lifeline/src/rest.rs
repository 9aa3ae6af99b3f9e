//! The private REST door: signs, asks once, reads.

use std::sync::Arc;

use portcullis_wire::kraken::RestFailure;
use portcullis_wire::kraken::request::PrivateCall;

use crate::credential::Credential;
use crate::endpoint::SimulatedEndpoint;
use crate::fault::VenueFault;
use crate::http::{Deadline, post};
use crate::nonces::Nonces;

/// Asks what a [`PrivateCall`] can ask, and no order is among that.
#[derive(Clone, Debug)]
pub struct PrivateDoor {
    endpoint: SimulatedEndpoint,
    credential: Arc<Credential>,
    nonces: Arc<Nonces>,
}

impl PrivateDoor {
    /// A door for one account.
    #[must_use]
    pub fn new(
        endpoint: SimulatedEndpoint,
        credential: Arc<Credential>,
        nonces: Arc<Nonces>,
    ) -> Self {
        Self { endpoint, credential, nonces }
    }

    /// The address behind it.
    #[must_use]
    pub const fn endpoint(&self) -> SimulatedEndpoint {
        self.endpoint
    }

    /// Asks once, on a connection of its own, and reads the answer with `read`.
    ///
    /// # Errors
    /// Any [`VenueFault`]. After [`VenueFault::Unreachable`] and [`VenueFault::Protocol`] it is
    /// not known whether the venue did what was asked.
    pub fn call<T>(
        &self,
        call: &PrivateCall,
        read: fn(&[u8]) -> Result<T, RestFailure>,
    ) -> Result<T, VenueFault> {
        let mut turn = self.nonces.turn();
        let nonce = turn.next_nonce();
        let body = call.body(nonce);
        let signature = self.credential.sign(call.path(), &nonce.to_string(), &body)?;
        let headers = [("API-Key", self.credential.key()), ("API-Sign", signature.as_str())];
        let answer = post(self.endpoint, (call.path(), &headers, &body), Deadline::start());
        drop(turn);
        Ok(read(&answer?)?)
    }
}
