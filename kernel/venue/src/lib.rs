//! The door to a venue: takes only orders that are approved and on record.
//!
//! [`VenueSession`] writes orders, [`PrivateReader`] hears what became of them, [`PublicStream`]
//! hears the market, [`AccountReader`] asks for the account as the venue sees it, and
//! [`ClockReader`] for its time. All of them block, each in a thread of its own; nothing here
//! retries an order, and the only endpoint that exists in this version is a simulated venue on
//! loopback.
//!
//! What must not compile stands below a twin that does and differs in one place.
//!
//! An approved and recorded order is taken; a plain intent is not:
//! ```
//! # use portcullis_domain::{OrderIntent, WallNs};
//! # use portcullis_evidence::Recorded;
//! # use portcullis_gate::Approved;
//! # use portcullis_venue::{SubmitFate, VenueSession};
//! fn place(venue: &mut VenueSession, order: Recorded<Approved<OrderIntent>>) -> SubmitFate {
//!     venue.submit(order, WallNs(0))
//! }
//! ```
//! ```compile_fail,E0308
//! # use portcullis_domain::{OrderIntent, WallNs};
//! # use portcullis_evidence::Recorded;
//! # use portcullis_gate::Approved;
//! # use portcullis_venue::{SubmitFate, VenueSession};
//! fn place(venue: &mut VenueSession, order: OrderIntent) -> SubmitFate {
//!     venue.submit(order, WallNs(0))
//! }
//! ```
//! Approved, and not on record:
//! ```compile_fail,E0308
//! # use portcullis_domain::{OrderIntent, WallNs};
//! # use portcullis_evidence::Recorded;
//! # use portcullis_gate::Approved;
//! # use portcullis_venue::{SubmitFate, VenueSession};
//! fn place(venue: &mut VenueSession, order: Approved<OrderIntent>) -> SubmitFate {
//!     venue.submit(order, WallNs(0))
//! }
//! ```
//! On record, and not approved:
//! ```compile_fail,E0308
//! # use portcullis_domain::{OrderIntent, WallNs};
//! # use portcullis_evidence::Recorded;
//! # use portcullis_gate::Approved;
//! # use portcullis_venue::{SubmitFate, VenueSession};
//! fn place(venue: &mut VenueSession, order: Recorded<OrderIntent>) -> SubmitFate {
//!     venue.submit(order, WallNs(0))
//! }
//! ```
//! What would have been sent in shadow is not an order either:
//! ```compile_fail,E0308
//! # use portcullis_domain::{OrderIntent, WallNs};
//! # use portcullis_evidence::Recorded;
//! # use portcullis_gate::{Approved, Shadow};
//! # use portcullis_venue::{SubmitFate, VenueSession};
//! fn place(venue: &mut VenueSession, order: Recorded<Shadow>) -> SubmitFate {
//!     venue.submit(order, WallNs(0))
//! }
//! ```
//! The same holds for changes: an approved and recorded one is taken, and an order's proof is not
//! one of a change.
//! ```
//! # use portcullis_domain::{Amendment, WallNs};
//! # use portcullis_evidence::Recorded;
//! # use portcullis_gate::Approved;
//! # use portcullis_venue::{SubmitFate, VenueSession};
//! fn change(venue: &mut VenueSession, change: Recorded<Approved<Amendment>>) -> SubmitFate {
//!     venue.amend(change, WallNs(0))
//! }
//! ```
//! ```compile_fail,E0308
//! # use portcullis_domain::{Amendment, WallNs};
//! # use portcullis_evidence::Recorded;
//! # use portcullis_gate::Approved;
//! # use portcullis_venue::{SubmitFate, VenueSession};
//! fn change(venue: &mut VenueSession, change: Recorded<Amendment>) -> SubmitFate {
//!     venue.amend(change, WallNs(0))
//! }
//! ```
//! ```compile_fail,E0308
//! # use portcullis_domain::{OrderIntent, WallNs};
//! # use portcullis_evidence::Recorded;
//! # use portcullis_gate::Approved;
//! # use portcullis_venue::{SubmitFate, VenueSession};
//! fn change(venue: &mut VenueSession, change: Recorded<Approved<OrderIntent>>) -> SubmitFate {
//!     venue.amend(change, WallNs(0))
//! }
//! ```
//! One proof, one order:
//! ```
//! # use portcullis_domain::{OrderIntent, WallNs};
//! # use portcullis_evidence::Recorded;
//! # use portcullis_gate::Approved;
//! # use portcullis_venue::{SubmitFate, VenueSession};
//! fn place(
//!     venue: &mut VenueSession,
//!     (one, two): (Recorded<Approved<OrderIntent>>, Recorded<Approved<OrderIntent>>),
//! ) -> [SubmitFate; 2] {
//!     [venue.submit(one, WallNs(0)), venue.submit(two, WallNs(0))]
//! }
//! ```
//! ```compile_fail,E0382
//! # use portcullis_domain::{OrderIntent, WallNs};
//! # use portcullis_evidence::Recorded;
//! # use portcullis_gate::Approved;
//! # use portcullis_venue::{SubmitFate, VenueSession};
//! fn place(
//!     venue: &mut VenueSession,
//!     (one, two): (Recorded<Approved<OrderIntent>>, Recorded<Approved<OrderIntent>>),
//! ) -> [SubmitFate; 2] {
//!     [venue.submit(one, WallNs(0)), venue.submit(one, WallNs(0))]
//! }
//! ```

mod account;
mod clock;
mod encode;
mod line;
mod private;
mod public;
mod requests;
mod session;
mod socket;
#[cfg(test)]
mod testing;

pub use account::{AccountReader, AccountState, OpenOrder};
pub use clock::{ClockReader, ClockReading};
pub use portcullis_lifeline::{
    Credential, Lifeline, Nonces, PrivateDoor, SimulatedEndpoint, VenueFault, VenueOrderLine,
};
pub use private::{PrivateEvent, PrivateReader};
pub use public::PublicStream;
pub use session::{Pins, SubmitFate, VenueSession};
