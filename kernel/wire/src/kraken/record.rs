//! What the venue says of an order as a whole, on either of its doors.

use portcullis_domain::{ClOrdId, Instrument, OrdType, OrderId, Side};

use super::number::NumberText;

/// Where an order stands in the venue's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordStatus {
    /// Not in the book yet.
    Pending,
    /// In the book, filled in part or not at all.
    Open,
    /// Filled.
    Closed,
    /// Taken back.
    Canceled,
    /// Ended by time.
    Expired,
}

impl RecordStatus {
    /// The status of that name, in the words of either door.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "pending" | "pending_new" => Some(Self::Pending),
            "open" | "new" | "partially_filled" => Some(Self::Open),
            "closed" | "filled" => Some(Self::Closed),
            "canceled" => Some(Self::Canceled),
            "expired" => Some(Self::Expired),
            _ => None,
        }
    }
}

/// One order in the venue's list, ours or not. Numbers are the venue's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRecord {
    /// FIX 37.
    pub order_id: OrderId,
    /// FIX 11 as the venue holds it; `None` if the order came without.
    pub cl_ord_id: Option<String>,
    /// The pair in the words of the door it came through; see [`names_pair`].
    pub pair: String,
    /// FIX 54.
    pub side: Side,
    /// FIX 40; `None` for a kind that the house never sends.
    pub ord_type: Option<OrdType>,
    /// Where it stands.
    pub status: RecordStatus,
    /// FIX 38.
    pub qty: NumberText,
    /// FIX 14.
    pub cum_qty: NumberText,
    /// FIX 44; `None` if the order has none.
    pub price: Option<NumberText>,
}

impl OrderRecord {
    /// FIX 11 if it is an id of ours.
    #[must_use]
    pub fn ours(&self) -> Option<ClOrdId> {
        self.cl_ord_id.as_deref().and_then(ClOrdId::parse)
    }
}

/// Codes that the REST door uses for currencies, beside the names that everybody uses.
const ASSETS: [(&str, &str); 19] = [
    ("XXBT", "BTC"),
    ("XBT", "BTC"),
    ("XETH", "ETH"),
    ("XLTC", "LTC"),
    ("XXRP", "XRP"),
    ("XXLM", "XLM"),
    ("XXMR", "XMR"),
    ("XZEC", "ZEC"),
    ("XETC", "ETC"),
    ("XREP", "REP"),
    ("XMLN", "MLN"),
    ("XXDG", "DOGE"),
    ("XDG", "DOGE"),
    ("ZUSD", "USD"),
    ("ZEUR", "EUR"),
    ("ZGBP", "GBP"),
    ("ZCAD", "CAD"),
    ("ZJPY", "JPY"),
    ("ZAUD", "AUD"),
];

/// The common name of a currency that the venue calls `code`.
#[must_use]
pub fn asset_name(code: &str) -> &str {
    let known = ASSETS.iter().find(|(venue, _)| *venue == code);
    known.map_or(code, |(_, name)| *name)
}

/// The venue's own codes of a currency, the longest first, the common name last.
pub fn asset_codes(name: &str) -> impl Iterator<Item = &str> {
    let known = ASSETS.iter().filter(move |(_, common)| *common == name);
    known.map(|(venue, _)| *venue).chain(std::iter::once(name))
}

/// The instrument's name on the REST door, such as `XBTUSD`.
#[must_use]
pub fn rest_pair(instrument: &Instrument) -> String {
    format!("{}{}", short_code(&instrument.base), short_code(&instrument.quote))
}

/// The instrument's key in REST answers, such as `XXBTZUSD`.
#[must_use]
pub fn rest_key(instrument: &Instrument) -> String {
    let (base, quote) = (long_code(&instrument.base), long_code(&instrument.quote));
    // The venue's long form exists only where both currencies have a long code.
    if base.len() == 4 && quote.len() == 4 && base != instrument.base && quote != instrument.quote {
        format!("{base}{quote}")
    } else {
        rest_pair(instrument)
    }
}

pub(crate) fn long_code(name: &str) -> &str {
    asset_codes(name).next().unwrap_or(name)
}

fn short_code(name: &str) -> &str {
    asset_codes(name).find(|code| code.len() == 3).unwrap_or(name)
}

/// Whether `text` is one of the venue's names for the instrument.
#[must_use]
pub fn names_pair(instrument: &Instrument, text: &str) -> bool {
    if text == instrument.venue_symbol || text == rest_pair(instrument) {
        return true;
    }
    let common = format!("{}{}", instrument.base, instrument.quote);
    let old = format!("{}/{}", short_code(&instrument.base), short_code(&instrument.quote));
    text == common || text == old || text == rest_key(instrument)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kraken::testing::instrument;

    #[test]
    fn the_venue_has_many_names_for_one_thing() {
        let btc_usd = instrument();
        assert_eq!(rest_pair(&btc_usd), "XBTUSD");
        assert_eq!(rest_key(&btc_usd), "XXBTZUSD");
        for name in ["BTC/USD", "XBTUSD", "XXBTZUSD", "XBT/USD", "BTCUSD"] {
            assert!(names_pair(&btc_usd, name), "{name}");
        }
        for name in ["ETH/USD", "XBTUSDT", "", "xbtusd"] {
            assert!(!names_pair(&btc_usd, name), "{name}");
        }
        let mut btc_usdt = instrument();
        btc_usdt.quote = "USDT".into();
        assert_eq!(
            (rest_pair(&btc_usdt), rest_key(&btc_usdt)),
            ("XBTUSDT".into(), "XBTUSDT".into())
        );
        assert_eq!(
            (asset_name("ZUSD"), asset_name("XXBT"), asset_name("USDT")),
            ("USD", "BTC", "USDT")
        );
    }
}
