//! The CRC-32 by which Kraken lets a client check its book.

use portcullis_domain::{Book, Px, Qty, Side};

/// Levels of each side that enter the checksum.
pub const CHECKSUM_DEPTH: usize = 10;

/// The checksum of the best ten levels of both sides.
///
/// The venue concatenates each price and quantity without point and leading zeros, at the
/// instrument's full precision: that is the text of our integer units, whatever zeros the frame
/// wrote or left out.
#[must_use]
pub fn book_checksum(book: &Book) -> u32 {
    let mut text = String::with_capacity(512);
    for (px, qty) in book.levels(Side::Sell).take(CHECKSUM_DEPTH) {
        push_level(&mut text, px, qty);
    }
    for (px, qty) in book.levels(Side::Buy).take(CHECKSUM_DEPTH) {
        push_level(&mut text, px, qty);
    }
    crc32(text.as_bytes())
}

fn push_level(text: &mut String, px: Px, qty: Qty) {
    text.push_str(&px.units().to_string());
    text.push_str(&qty.units().to_string());
}

/// CRC-32 as in zip (reflected polynomial 0xEDB88320).
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        let [low, ..] = crc.to_le_bytes();
        let entry = TABLE.get(usize::from(low ^ byte)).copied().unwrap_or_default();
        crc = (crc >> 8) ^ entry;
    }
    !crc
}

const TABLE: [u32; 256] = table();

#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "evaluated by the compiler: an overflow or a wrong index would not build"
)]
const fn table() -> [u32; 256] {
    let mut table = [0_u32; 256];
    let mut index = 0_usize;
    let mut seed = 0_u32;
    while index < 256 {
        let mut value = seed;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ 0xEDB8_8320 } else { value >> 1 };
            bit += 1;
        }
        table[index] = value;
        index += 1;
        seed += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kraken::testing::{shared, vectors};
    use portcullis_domain::market::Level;

    #[test]
    fn the_common_check_value_is_met() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn the_documented_book_has_the_documented_checksum() {
        let Some(vectors) = vectors() else { return };
        let vector = &vectors["kraken_book_v2_checksum"];
        let mut levels = Vec::new();
        for (name, side) in [("asks", Side::Sell), ("bids", Side::Buy)] {
            for level in vector[name].as_array().unwrap() {
                levels.push(Level {
                    side,
                    px: Px::parse(level[0].as_str().unwrap(), 1).unwrap(),
                    qty: Qty::parse(level[1].as_str().unwrap(), 8).unwrap(),
                });
            }
        }
        let mut book = Book::new();
        book.reset(&levels);
        assert_eq!(u64::from(book_checksum(&book)), vector["crc32"].as_u64().unwrap());
        assert_eq!(crc32(vector["string"].as_str().unwrap().as_bytes()), book_checksum(&book));
    }

    /// Applies one map of a recorded v1 frame; its checksum, if it has one.
    fn apply_v1(book: &mut Book, map: &serde_json::Value) -> Option<u32> {
        let sides = [("a", Side::Sell), ("as", Side::Sell), ("b", Side::Buy), ("bs", Side::Buy)];
        for (name, side) in sides {
            for level in map[name].as_array().into_iter().flatten() {
                // That protocol writes prices with five decimals, and sums them so.
                let px = Px::parse(level[0].as_str().unwrap(), 5).unwrap();
                let qty = Qty::parse(level[1].as_str().unwrap(), 8).unwrap();
                book.apply(&[Level { side, px, qty }]);
            }
        }
        book.truncate(CHECKSUM_DEPTH);
        map["c"].as_str().map(|text| text.parse().unwrap())
    }

    #[test]
    fn every_recorded_checksum_of_the_venue_is_met() {
        let name = "market/kraken_v1/orderbook-v1_btcusd_d10_20230830.json";
        let Some(text) = shared(name) else { return };
        let recorded: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut book = Book::new();
        let mut met = 0;
        for kind in ["init", "updates"] {
            for frame in recorded[kind].as_array().unwrap() {
                let parts = frame.as_array().into_iter().flatten();
                let maps = parts.filter(|part| part.is_object());
                let sums = maps.filter_map(|map| apply_v1(&mut book, map));
                for sum in sums.collect::<Vec<_>>() {
                    assert_eq!(book_checksum(&book), sum, "{frame}");
                    met += 1;
                }
            }
        }
        assert_eq!(met, 979);
    }
}
