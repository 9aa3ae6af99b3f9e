//! The recorded quarter of an hour of BTCUSDT, decoded whole.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use portcullis_domain::{Book, MarketEvent, Px, Qty, Side};

use super::bad_frames::btcusdt;
use super::{DEPTH, QUOTES, SpotStreams, TRADES};

const FILES: [&str; 2] =
    ["btcusdt_20240808_2354-2400.jsonl.gz", "btcusdt_20240809_0000-0005.jsonl.gz"];

fn data_dir() -> Option<PathBuf> {
    let start = Path::new(env!("CARGO_MANIFEST_DIR"));
    let at = |dir: &Path| dir.join("shared/data/market/binance_spot");
    start.ancestors().map(at).find(|dir| dir.is_dir())
}

/// Every frame of the recording as it came, in order; `None`, and said so, where it is absent.
#[expect(clippy::print_stderr, reason = "a skipped test has to be seen")]
fn frames() -> Option<Vec<String>> {
    let Some(dir) = data_dir() else {
        eprintln!("SKIPPED: no shared/data beside the project");
        return None;
    };
    let mut frames = Vec::new();
    for name in FILES {
        let file = std::fs::File::open(dir.join(name)).unwrap();
        for line in BufReader::new(MultiGzDecoder::new(file)).lines() {
            let line = line.unwrap();
            let (_, message) = line.split_once(r#","msg":"#).unwrap();
            frames.push(message.strip_suffix('}').unwrap().to_owned());
        }
    }
    Some(frames)
}

/// What the recording holds, as its manifest counts.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    snapshots: u64,
    diffs: u64,
    trades: u64,
    quotes: u64,
    gaps: u64,
    levels: u64,
}

impl Counts {
    fn add(&mut self, event: &MarketEvent) {
        let (counter, levels) = match event {
            MarketEvent::Snapshot { levels } => (&mut self.snapshots, levels.len()),
            MarketEvent::Levels { levels } => (&mut self.diffs, levels.len()),
            MarketEvent::Trade { .. } => (&mut self.trades, 0),
            MarketEvent::Quote { .. } => (&mut self.quotes, 0),
            MarketEvent::Gap { .. } => (&mut self.gaps, 0),
        };
        *counter = counter.saturating_add(1);
        self.levels = self.levels.saturating_add(levels.try_into().unwrap());
    }
}

/// The two diffs that ended before the snapshot, which are dropped: 12 and 5 levels.
const DROPPED_DIFFS: u64 = 2;
const DROPPED_LEVELS: u64 = 17;

#[test]
fn the_whole_recording_decodes_without_a_gap() {
    let Some(frames) = frames() else { return };
    assert_eq!(frames.len(), 99_574);
    let mut streams = SpotStreams::new(btcusdt());
    let (mut counts, mut last, mut book) = (Counts::default(), [0_u64; 3], Book::new());
    for frame in &frames {
        for market in streams.decode(frame.as_bytes()).unwrap() {
            let place = &mut last[usize::from(market.stream.0)];
            *place = place.saturating_add(1);
            assert_eq!(market.sequence, *place);
            counts.add(&market.event);
            match &market.event {
                MarketEvent::Snapshot { levels } => book.reset(levels),
                MarketEvent::Levels { levels } => book.apply(levels),
                MarketEvent::Quote { .. } | MarketEvent::Trade { .. } => {}
                MarketEvent::Gap { .. } => book.invalidate(),
            }
            assert!(!book.is_crossed(), "crossed after {frame}");
        }
    }
    let expect = Counts {
        snapshots: 1,
        diffs: 6_495_u64.saturating_sub(DROPPED_DIFFS),
        trades: 19_904,
        quotes: 73_174,
        gaps: 0,
        levels: 300_111_u64.saturating_sub(DROPPED_LEVELS),
    };
    assert_eq!(counts, expect);
    // The manifest's 393 189 atomic events: every level of every diff, dropped or not, and of the
    // snapshot, and every trade and quote.
    let atomic = [counts.levels, DROPPED_LEVELS, counts.trades, counts.quotes];
    assert_eq!(atomic.into_iter().fold(0, u64::saturating_add), 393_189);
    assert!(streams.has_book() && book.is_valid());
    assert_eq!(last, [6_494, 73_174, 19_904]);
    assert_eq!((DEPTH.0, QUOTES.0, TRADES.0), (0, 1, 2));
}

/// Best bid and offer after the venue's update of that number.
type Best = (u64, Option<(Px, Qty)>, Option<(Px, Qty)>);

/// The venue's update number `u`, which diffs and quotes share.
fn update_id(frame: &str) -> u64 {
    let (_, rest) = frame.split_once(r#""u":"#).unwrap();
    rest.split_once(',').unwrap().0.parse().unwrap()
}

/// A quote is the best level after update `u`. So after a diff that ends at `u`, the book's best
/// levels are those of the last quote up to `u`, whichever of the two arrived first.
#[test]
fn the_book_says_what_the_quotes_say() {
    let Some(frames) = frames() else { return };
    let mut streams = SpotStreams::new(btcusdt());
    let (mut book, mut books, mut quotes) = (Book::new(), Vec::<Best>::new(), Vec::<Best>::new());
    for frame in &frames {
        for market in streams.decode(frame.as_bytes()).unwrap() {
            match market.event {
                MarketEvent::Quote { bid, bid_qty, ask, ask_qty } => {
                    quotes.push((update_id(frame), Some((bid, bid_qty)), Some((ask, ask_qty))));
                }
                MarketEvent::Levels { levels } if book.is_valid() => {
                    book.apply(&levels);
                    let (bid, ask) = (book.best(Side::Buy), book.best(Side::Sell));
                    if frame.contains("depthUpdate") {
                        books.push((update_id(frame), bid, ask));
                    }
                }
                MarketEvent::Snapshot { levels } => book.reset(&levels),
                MarketEvent::Levels { .. }
                | MarketEvent::Trade { .. }
                | MarketEvent::Gap { .. } => {}
            }
        }
    }
    let agrees = |(id, bid, ask): &&Best| {
        let upto = quotes.partition_point(|quote| quote.0 <= *id);
        let (_, best_bid, best_ask) = quotes[upto.checked_sub(1).unwrap()];
        (*bid, *ask) == (best_bid, best_ask)
    };
    // Twice the best bid went and came back between two quotes: the venue sent no quote for it.
    assert_eq!((books.len(), books.iter().filter(agrees).count()), (6_492, 6_490));
}
