//! Who is connected, what each wants to hear, and the bounded line to each.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_domain::Book;
use portcullis_domain::market::Level;
use portcullis_wire::kraken::checksum::book_checksum;
use portcullis_wire::server::executions;
use portcullis_wire::server::socket::Kind;
use tokio::sync::mpsc;

/// Frames that may wait for one connection; a reader who falls further behind is cut off.
const LINE_FRAMES_MAX: usize = 4_096;

/// Something that a connection can be subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Feed {
    /// Book of a market, with a depth.
    Book(usize, usize),
    /// Best bid and offer of a market.
    Ticker(usize),
    /// Trades of a market.
    Trades(usize),
    /// What can be traded.
    Instruments,
    /// What happens to an account's orders.
    Executions(usize),
}

/// One connection as the exchange sees it.
#[derive(Debug)]
struct Connection {
    line: mpsc::Sender<String>,
    feeds: BTreeSet<Feed>,
    executions_sequence: u64,
}

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    connections: BTreeMap<u64, Connection>,
    opened: u64,
    books: BTreeMap<(usize, usize), Vec<Level>>,
}

impl Hub {
    /// A new connection and the line to it.
    pub(crate) fn open(&mut self) -> (u64, mpsc::Receiver<String>) {
        let (line, receiver) = mpsc::channel(LINE_FRAMES_MAX);
        self.opened = self.opened.saturating_add(1);
        let feeds = BTreeSet::new();
        self.connections.insert(self.opened, Connection { line, feeds, executions_sequence: 0 });
        (self.opened, receiver)
    }

    pub(crate) fn close(&mut self, id: u64) {
        self.connections.remove(&id);
    }

    /// Queues a frame; a connection whose line is full or closed is dropped, which ends it.
    pub(crate) fn send(&mut self, id: u64, frame: String) {
        let Some(connection) = self.connections.get(&id) else { return };
        if connection.line.try_send(frame).is_err() {
            self.connections.remove(&id);
        }
    }

    /// Adds a feed; `false` if the connection had it.
    pub(crate) fn subscribe(&mut self, id: u64, feed: Feed) -> bool {
        let connection = self.connections.get_mut(&id);
        connection.is_some_and(|connection| connection.feeds.insert(feed))
    }

    pub(crate) fn unsubscribe(&mut self, id: u64, feed: Feed) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.feeds.remove(&feed);
        }
    }

    /// To everyone with that feed.
    pub(crate) fn publish(&mut self, feed: Feed, frame: &str) {
        for id in self.listeners(|feeds| feeds.contains(&feed)) {
            self.send(id, frame.to_owned());
        }
    }

    /// To everyone who is subscribed to anything.
    pub(crate) fn heartbeat(&mut self, frame: &str) {
        for id in self.listeners(|feeds| !feeds.is_empty()) {
            self.send(id, frame.to_owned());
        }
    }

    /// An executions element to the account's listeners, each with its own count.
    pub(crate) fn executions(&mut self, account: usize, element: &str) {
        for id in self.listeners(|feeds| feeds.contains(&Feed::Executions(account))) {
            self.executions_to(id, Kind::Update, &[element.to_owned()]);
        }
    }

    /// Executions elements to one connection.
    pub(crate) fn executions_to(&mut self, id: u64, kind: Kind, elements: &[String]) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.executions_sequence = connection.executions_sequence.saturating_add(1);
        let sequence = connection.executions_sequence;
        self.send(id, executions::frame(kind, elements, sequence));
    }

    /// The depths at which someone listens to a market's book.
    pub(crate) fn depths(&self, market: usize) -> BTreeSet<usize> {
        let feeds = self.connections.values().flat_map(|connection| &connection.feeds);
        let depth = |feed: &Feed| match feed {
            Feed::Book(of, depth) if *of == market => Some(*depth),
            Feed::Book(..)
            | Feed::Ticker(_)
            | Feed::Trades(_)
            | Feed::Instruments
            | Feed::Executions(_) => None,
        };
        feeds.filter_map(depth).collect()
    }

    /// Remembers the book as last published; gives what changed, and the checksum after it.
    pub(crate) fn book_change(
        &mut self,
        market: usize,
        depth: usize,
        now: Vec<Level>,
    ) -> (Vec<Level>, u32) {
        let before = self.books.remove(&(market, depth)).unwrap_or_default();
        let changes = changed_levels(&before, &now, depth);
        let sum = checksum_of(&now);
        self.books.insert((market, depth), now);
        (changes, sum)
    }

    fn listeners(&self, wanted: impl Fn(&BTreeSet<Feed>) -> bool) -> Vec<u64> {
        let ids = self.connections.iter().filter(|(_, connection)| wanted(&connection.feeds));
        ids.map(|(id, _)| *id).collect()
    }
}

/// The checksum of a book of these levels.
pub(crate) fn checksum_of(levels: &[Level]) -> u32 {
    let mut book = Book::new();
    book.reset(levels);
    book_checksum(&book)
}

/// What a reader who truncates to `depth` has to be told, removals first.
///
/// A level that other levels pushed beyond the depth is not told: readers drop it themselves.
fn changed_levels(before: &[Level], now: &[Level], depth: usize) -> Vec<Level> {
    let mut changes = Vec::new();
    for old in before {
        let gone = !now.iter().any(|new| (new.side, new.px) == (old.side, old.px));
        let room = now.iter().filter(|new| new.side == old.side).count() < depth;
        let within = now.iter().filter(|new| new.side == old.side).any(|new| match old.side {
            portcullis_domain::Side::Buy => new.px < old.px,
            portcullis_domain::Side::Sell => new.px > old.px,
        });
        if gone && (room || within) {
            changes.push(Level { qty: portcullis_domain::Qty::ZERO, ..*old });
        }
    }
    changes.extend(now.iter().filter(|new| !before.contains(new)));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use portcullis_domain::{Px, Qty, Side};

    /// The best `depth` levels of both sides of a random market.
    fn market(random: &mut Random, depth: usize) -> Vec<Level> {
        let mut levels = Vec::new();
        for (side, low) in [(Side::Buy, 1), (Side::Sell, 51)] {
            let mut book = Book::new();
            for _ in 0..random.between(0, 30) {
                let px = Px::new(random.between(low, low.saturating_add(49))).unwrap();
                book.apply(&[Level { side, px, qty: Qty::new(random.between(1, 3)).unwrap() }]);
            }
            let best = book.levels(side).take(depth);
            levels.extend(best.map(|(px, qty)| Level { side, px, qty }));
        }
        levels
    }

    #[test]
    fn a_reader_who_truncates_holds_the_book_that_was_meant() {
        let mut random = Random::new(7);
        let depth = 10;
        let mut before = market(&mut random, depth);
        let mut reader = Book::new();
        reader.reset(&before);
        for _ in 0..2_000 {
            let now = market(&mut random, depth);
            reader.apply(&changed_levels(&before, &now, depth));
            reader.truncate(depth);
            let mut meant = Book::new();
            meant.reset(&now);
            assert_eq!(reader, meant);
            before = now;
        }
    }

    #[test]
    fn a_slow_reader_is_cut_off() {
        let mut hub = Hub::default();
        let (id, mut receiver) = hub.open();
        for _ in 0..=LINE_FRAMES_MAX {
            hub.send(id, String::new());
        }
        assert!(hub.connections.is_empty());
        while receiver.try_recv().is_ok() {}
        assert_eq!(receiver.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
    }
}
