//! Limits in which everything passes, so that a test shows by its own words what it narrows. The
//! tests of other crates use this file too.

use portcullis_domain::policy::{
    Conversion, Direction, LimitRow, LimitTable, Limits, ScopeLimits, Unit,
};
use portcullis_domain::{Instrument, Money, Name, Rate, WallNs};

/// A million of a currency, a thousand things, a collar of one percent, and quotes of two seconds.
fn wide<T: LimitTable>(row: &LimitRow<T>) -> i128 {
    match (row.unit, row.stricter) {
        (Unit::Count, _) => 1_000,
        (Unit::Milliseconds, _) if row.name == "market_data_age_ms_max" => 2_000,
        (Unit::Milliseconds, Direction::SmallerIsStricter) => 86_400_000,
        (Unit::Milliseconds | Unit::BasisPoints, Direction::LargerIsStricter) => {
            i128::from(!row.zero)
        }
        (Unit::BasisPoints, _) if row.name == "price_collar_window_bps" => 10_000,
        (Unit::BasisPoints, Direction::SmallerIsStricter) => 100,
        (Unit::Percent, Direction::SmallerIsStricter) => 80,
        (Unit::Percent, Direction::LargerIsStricter) => 20,
        (Unit::Hundredths, _) => 1_000_000,
        (Unit::Px, Direction::LargerIsStricter) => 1,
        (Unit::Qty | Unit::Px, _) => 1_000_000_000_000_000,
        (Unit::QuoteMoney | Unit::Money, _) => Money::parse("1000000").unwrap().0,
    }
}

fn table<T: LimitTable>() -> T {
    T::read(|row| Ok(wide(row)), |row| row.name).unwrap()
}

fn scope() -> ScopeLimits {
    ScopeLimits { activity: table(), standing: table() }
}

/// Limits of these instruments and strategies in which everything passes within one percent of
/// the quote, counted in the quote currency of the first instrument.
pub(crate) fn wide_limits(instruments: &[Instrument], strategies: &[&str]) -> Limits {
    let currency = instruments[0].quote.clone();
    let others = instruments.iter().filter(|instrument| instrument.quote != currency);
    let at_par = Conversion { rate: Rate(100_000_000), as_of: WallNs(1_800_000_000_000_000_000) };
    Limits {
        conversions: others.map(|instrument| (instrument.quote.clone(), at_par)).collect(),
        rules: table(),
        account: scope(),
        venue: scope(),
        host: scope(),
        strategies: strategies.iter().map(|name| (Name::new(name).unwrap(), table())).collect(),
        instruments: instruments.iter().map(|held| (held.id, table())).collect(),
        currency,
    }
}
