//! Does the house know where the market is?

use super::case::{Case, plain, young};
use crate::circumstances::{Quote, VenueStatus};
use crate::code::DenyCode as C;
use crate::deny::{Denial, Scope};

/// Data that is less real than the endpoint never feeds a session on it.
pub(super) fn check_feed(case: &mut Case<'_>) -> Result<(), Denial> {
    let approved = case.gate.approval().endpoint_kind;
    plain(case.at.feed == Some(approved), C::SyntheticData, Scope::Instrument)
}

pub(super) fn check_venue_status(case: &mut Case<'_>) -> Result<(), Denial> {
    let trades = case.at.venue_status == Some(VenueStatus::Online);
    plain(trades, C::VenueStatus, Scope::Venue)
}

pub(super) fn check_metadata(case: &mut Case<'_>) -> Result<(), Denial> {
    let missing = Denial::plain(C::InstrumentStale, Scope::Instrument);
    let read = case.at.metadata_read.ok_or(missing)?;
    let age = case.at.now.wall.0.checked_sub(read.0).ok_or(missing)?;
    young((C::InstrumentStale, Scope::Instrument), age, case.limits.metadata_age_ms_max)
}

pub(super) fn check_book(case: &mut Case<'_>) -> Result<(), Denial> {
    plain(case.at.book_valid, C::BookInvalid, Scope::Instrument)
}

pub(super) fn check_quote(case: &mut Case<'_>) -> Result<(), Denial> {
    let Quote { bid, ask, received } =
        case.at.quote.ok_or(Denial::plain(C::NoReferencePrice, Scope::Instrument))?;
    // A crossed or locked quote is none.
    plain(bid < ask, C::NoReferencePrice, Scope::Instrument)?;
    let age = case.at.now.boot.since_ns(received);
    young((C::StaleMarketData, Scope::Instrument), age, case.limits.market_data_age_ms_max)
}
