//! A small seeded recording in the format of a real one, for those who have none.
#![expect(clippy::arithmetic_side_effects, reason = "a made-up market, small by construction")]

/// Frames of market data in it, besides the snapshot.
const FRAMES: u32 = 20_000;
/// 2024-08-09 00:00:00 UTC: within the age of the conversion price in `policies/limits.toml`.
const START_NS: i64 = 1_723_161_600_000_000_000;

/// One JSONL file: a random walk of the best bid and offer, trades at it, and a book around it.
/// The same seed gives the same bytes.
pub(super) fn recording(seed: u64) -> Vec<u8> {
    let mut out = String::new();
    let mut random = Random(seed | 1);
    let mut walk = Walk {
        bid_cents: 6_000_000,
        book_bid_cents: 6_000_000,
        update: 1_000,
        book_update: 1_000,
        trade: 1,
        at_ns: START_NS,
    };
    walk.snapshot(&mut out);
    for _ in 0..FRAMES {
        walk.step(&mut random, &mut out);
    }
    out.into_bytes()
}

/// xorshift64*: enough for a walk, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound.max(1)
    }
}

struct Walk {
    /// Best bid now; the best offer is one cent above.
    bid_cents: i64,
    /// Best bid that the book's stream has told so far.
    book_bid_cents: i64,
    /// The venue's count of book changes, and how far the book's stream has told them.
    update: u64,
    book_update: u64,
    trade: u64,
    at_ns: i64,
}

impl Walk {
    fn snapshot(&self, out: &mut String) {
        let level = |cents: i64| format!("[\"{}\",\"1.50000000\"]", price(cents));
        let bids: Vec<String> = (0..20).map(|n| level(self.bid_cents - n)).collect();
        let asks: Vec<String> = (1..21).map(|n| level(self.bid_cents + n)).collect();
        let msg = format!(
            "{{\"lastUpdateId\":{},\"bids\":[{}],\"asks\":[{}]}}",
            self.update,
            bids.join(","),
            asks.join(",")
        );
        line(out, self.at_ns, &msg);
    }

    fn step(&mut self, random: &mut Random, out: &mut String) {
        self.at_ns += 5_000_000 + i64::try_from(random.below(20_000_000)).unwrap_or(0);
        match random.below(10) {
            0..=1 => self.trade(random, out),
            2..=3 => self.depth(random, out),
            _ => self.quote(random, out),
        }
    }

    fn quote(&mut self, random: &mut Random, out: &mut String) {
        self.bid_cents += i64::try_from(random.below(41)).unwrap_or(20) - 20;
        self.update += 1;
        let msg = format!(
            "{{\"stream\":\"btcusdt@bookTicker\",\"data\":{{\"u\":{},\"s\":\"BTCUSDT\",\"b\":\"{}\",\
             \"B\":\"1.50000000\",\"a\":\"{}\",\"A\":\"1.50000000\"}}}}",
            self.update,
            price(self.bid_cents),
            price(self.bid_cents + 1)
        );
        line(out, self.at_ns, &msg);
        self.depth(random, out);
    }

    /// Tells the book what has changed since it was last told: whatever the walk has passed over
    /// is gone, and both best levels stand.
    fn depth(&mut self, random: &mut Random, out: &mut String) {
        self.update += 1;
        let gone = |from: i64, to: i64| -> Vec<String> {
            (from..=to).map(|cents| format!("[\"{}\",\"0.00000000\"]", price(cents))).collect()
        };
        let mut bids = gone(self.bid_cents + 1, self.book_bid_cents);
        let mut asks = gone(self.book_bid_cents + 1, self.bid_cents);
        let size = 100 + random.below(300);
        let best = format!("{}.{:02}000000", size / 100, size % 100);
        bids.push(format!("[\"{}\",\"{best}\"]", price(self.bid_cents)));
        asks.push(format!("[\"{}\",\"{best}\"]", price(self.bid_cents + 1)));
        let msg = format!(
            "{{\"stream\":\"btcusdt@depth@100ms\",\"data\":{{\"e\":\"depthUpdate\",\"E\":{},\
             \"s\":\"BTCUSDT\",\"U\":{},\"u\":{},\"b\":[{}],\"a\":[{}]}}}}",
            self.at_ns / 1_000_000,
            self.book_update + 1,
            self.update,
            bids.join(","),
            asks.join(",")
        );
        (self.book_bid_cents, self.book_update) = (self.bid_cents, self.update);
        line(out, self.at_ns, &msg);
    }

    fn trade(&mut self, random: &mut Random, out: &mut String) {
        let sells = random.below(2) == 0;
        let px = if sells { self.bid_cents } else { self.bid_cents + 1 };
        let ms = self.at_ns / 1_000_000;
        let msg = format!(
            "{{\"stream\":\"btcusdt@trade\",\"data\":{{\"e\":\"trade\",\"E\":{ms},\"s\":\"BTCUSDT\",\
             \"t\":{},\"p\":\"{}\",\"q\":\"0.0{}000000\",\"T\":{ms},\"m\":{sells},\"M\":true}}}}",
            self.trade,
            price(px),
            1 + random.below(9)
        );
        self.trade += 1;
        line(out, self.at_ns, &msg);
    }
}

fn price(cents: i64) -> String {
    format!("{}.{:02}000000", cents / 100, cents % 100)
}

fn line(out: &mut String, recv_ns: i64, msg: &str) {
    out.extend(["{\"recv_ns\":", &recv_ns.to_string(), ",\"msg\":", msg, "}\n"]);
}
