//! Positions on margin. The balances are the positions of a spot account, and this venue lists what
//! was bought or sold on credit apart.

use std::borrow::Cow;
use std::collections::BTreeMap;

use portcullis_domain::Side;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::frame::{missing, read};
use super::number::NumberText;
use super::public::side;
use super::rest::{RestFailure, result_of};
use crate::WireError;

/// Decimals that the venue writes of a volume.
pub const VOLUME_SCALE: u8 = 8;

/// One open position on margin; every one of them is somebody's who is not this house.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarginPosition {
    /// The venue's id.
    pub id: String,
    /// The pair in the words of the REST door.
    pub pair: String,
    /// Bought or sold.
    pub side: Side,
    /// What is not closed of it, in units of 10^-[`VOLUME_SCALE`].
    pub units: i64,
}

/// Answer of `OpenPositions`, sorted by the venue's id; what is closed is left out.
///
/// # Errors
/// [`RestFailure`].
pub fn open_positions(body: &[u8]) -> Result<Vec<MarginPosition>, RestFailure> {
    let listed: BTreeMap<Cow<'_, str>, PositionData<'_>> = read(result_of(body)?)?;
    let positions = listed.into_iter().map(|(id, data)| data.position(&id));
    let positions = positions.collect::<Result<Vec<_>, WireError>>()?;
    Ok(positions.into_iter().filter(|position| position.units != 0).collect())
}

#[derive(Deserialize)]
struct PositionData<'a> {
    #[serde(borrow)]
    pair: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    side: Cow<'a, str>,
    #[serde(borrow)]
    vol: &'a RawValue,
    #[serde(borrow)]
    vol_closed: &'a RawValue,
}

impl PositionData<'_> {
    fn position(self, id: &str) -> Result<MarginPosition, WireError> {
        let units = |field, raw| {
            let text = NumberText::from_raw(field, raw)?;
            let units = text.scaled(VOLUME_SCALE);
            units.map_err(|error| WireError::number(field, text.as_str(), error))
        };
        let (all, closed) = (units("vol", self.vol)?, units("vol_closed", self.vol_closed)?);
        Ok(MarginPosition {
            id: id.to_owned(),
            pair: self.pair.into_owned(),
            side: side("type", &self.side)?,
            units: all.checked_sub(closed).ok_or_else(|| missing("vol"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kraken::testing::rest_fixture;

    #[test]
    fn a_recorded_list_is_read_without_what_is_closed() {
        let Some(body) = rest_fixture("/0/private/OpenPositions") else { return };
        let positions = open_positions(body.as_bytes()).unwrap();
        let found = positions.iter().find(|it| it.id == "TF5GVO-T7ZZ2-6NBKBI").unwrap();
        assert_eq!((found.pair.as_str(), found.side), ("XXBTZUSD", Side::Buy));
        // 8.82412861 less 0.20200000.
        assert_eq!(found.units, 862_212_861);
    }

    #[test]
    fn nothing_is_open_and_nothing_unreadable_is_taken_for_nothing() {
        assert_eq!(open_positions(br#"{"error":[],"result":{}}"#), Ok(Vec::new()));
        let one = |vol: &str| {
            let body = format!(
                r#"{{"error":[],"result":{{"T":{{"pair":"XXBTZUSD","type":"sell","vol":"{vol}",
                "vol_closed":"1.00000000"}}}}}}"#
            );
            open_positions(body.as_bytes()).map(|all| all.iter().map(|it| it.units).sum::<i64>())
        };
        assert_eq!((one("1.00000000"), one("1.5")), (Ok(0), Ok(50_000_000)));
        assert!(matches!(one("1.000000001"), Err(RestFailure::Unreadable(_))));
    }
}
