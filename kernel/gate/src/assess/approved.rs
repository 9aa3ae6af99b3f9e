//! A yes that cannot be forged. This is a child of the only module that may mint one.

use std::sync::Arc;

use portcullis_domain::{ClOrdId, Instrument, Now, Px};
use portcullis_statement::Digest;

use crate::deny::Denial;

use crate::closing::Rights;

/// Proof that the gate approved `T`, when, and under whose signatures.
///
/// Not `Clone`, `Default`, `From` or decodable: each of them would be a second way in.
///
/// ```compile_fail,E0277
/// fn needs<T: Clone>() {}
/// needs::<portcullis_gate::Approved<portcullis_domain::OrderIntent>>();
/// ```
/// ```
/// fn needs<T: std::fmt::Debug>() {}
/// needs::<portcullis_gate::Approved<portcullis_domain::OrderIntent>>();
/// ```
/// An approval is spent by its use:
/// ```compile_fail,E0382
/// fn spend<T>(_approved: portcullis_gate::Approved<T>) {}
/// fn twice<T>(approved: portcullis_gate::Approved<T>) {
///     spend(approved);
///     spend(approved);
/// }
/// ```
/// ```
/// fn spend<T>(_approved: portcullis_gate::Approved<T>) {}
/// fn once<T>(approved: portcullis_gate::Approved<T>) {
///     spend(approved);
/// }
/// ```
/// An approval cannot be written down from outside; looking at one is fine:
/// ```compile_fail,E0451
/// fn forge<T>(item: T, real: portcullis_gate::Approved<T>) -> portcullis_gate::Approved<T> {
///     portcullis_gate::Approved { item, ..real }
/// }
/// ```
/// ```
/// fn look<T>(real: &portcullis_gate::Approved<T>) -> &T {
///     real.item()
/// }
/// ```
/// Only the gate mints:
/// ```compile_fail,E0624
/// use portcullis_domain::OrderIntent;
/// use portcullis_gate::Approved;
/// fn mint() {
///     let _ = Approved::<OrderIntent>::mint;
/// }
/// ```
/// An intent is not an approval, and neither is what would have been one in phase 1:
/// ```compile_fail,E0308
/// use portcullis_domain::OrderIntent;
/// use portcullis_gate::Approved;
/// fn send(_order: Approved<OrderIntent>) {}
/// fn plain(intent: OrderIntent) {
///     send(intent);
/// }
/// ```
/// ```compile_fail,E0308
/// use portcullis_domain::OrderIntent;
/// use portcullis_gate::{Approved, Shadow};
/// fn send(_order: Approved<OrderIntent>) {}
/// fn shadow(order: Shadow) {
///     send(order);
/// }
/// ```
/// ```
/// use portcullis_domain::OrderIntent;
/// use portcullis_gate::Approved;
/// fn send(_order: Approved<OrderIntent>) {}
/// fn approved(order: Approved<OrderIntent>) {
///     send(order);
/// }
/// ```
#[must_use = "an approval that is not sent must be recorded as not sent"]
#[derive(Debug)]
pub struct Approved<T> {
    item: T,
    terms: Terms,
    at: Now,
    authority: Authority,
}

/// What the gate fixed beside the order itself.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) cl_ord_id: ClOrdId,
    pub(super) reserve_px: Px,
    /// As the approval has it. What leaves is encoded and compared in its units and its name.
    pub(super) instrument: Arc<Instrument>,
    /// Limits that are used beyond their warning level, the order included.
    pub(super) warnings: Vec<Denial>,
    pub(super) rights: Rights,
}

/// Under which approval and which genesis a proof was made. Gate, journal and venue compare it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Digest of the session approval.
    pub approval: Digest,
    /// Fingerprint of the genesis roster.
    pub genesis: Digest,
}

impl<T> Approved<T> {
    pub(super) fn mint(item: T, terms: Terms, at: Now, authority: Authority) -> Self {
        Self { item, terms, at, authority }
    }

    /// What was approved. Read-only: an approved order cannot be edited.
    #[must_use]
    pub fn item(&self) -> &T {
        &self.item
    }

    /// The id under which it will leave.
    #[must_use]
    pub fn cl_ord_id(&self) -> ClOrdId {
        self.terms.cl_ord_id
    }

    /// The instrument as people approved it.
    #[must_use]
    pub fn instrument(&self) -> &Instrument {
        &self.terms.instrument
    }

    /// By which rights it was approved.
    #[must_use]
    pub fn rights(&self) -> Rights {
        self.terms.rights
    }

    /// The worst price that the limits reserved for it.
    #[must_use]
    pub fn reserve_px(&self) -> Px {
        self.terms.reserve_px
    }

    /// Limits that are used beyond their warning level, the order included.
    #[must_use]
    pub fn warnings(&self) -> &[Denial] {
        &self.terms.warnings
    }

    /// When it was approved.
    #[must_use]
    pub fn at(&self) -> Now {
        self.at
    }

    /// Under whose signatures.
    #[must_use]
    pub fn authority(&self) -> Authority {
        self.authority
    }
}
