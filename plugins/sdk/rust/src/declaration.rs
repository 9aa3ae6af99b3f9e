//! What a strategy says of itself.

use std::ops::RangeInclusive;

use crate::glue::world;

/// Fuel per event unless declared otherwise: some thousand lines of plain Rust.
const FUEL_PER_EVENT: u64 = 50_000;
/// Bytes that the glue puts before a strategy's own state.
const SNAPSHOT_HEAD_BYTES: u32 = 8;

/// A declaration, built up call by call.
#[derive(Clone, Debug)]
pub struct Declaration {
    inner: world::Declaration,
}

impl Declaration {
    /// A strategy that does what `summary` says, in one sentence.
    pub fn new(summary: &str) -> Self {
        let inner = world::Declaration {
            summary: summary.to_owned(),
            instruments: Vec::new(),
            streams: Vec::new(),
            parameters: Vec::new(),
            warm_up_events: 0,
            fuel_per_event: FUEL_PER_EVENT,
            snapshot_bytes_max: 0,
        };
        Self { inner }
    }

    /// It cannot run without this instrument. Without any call it takes what the session gives.
    pub fn instrument(mut self, symbol: &str) -> Self {
        self.inner.instruments.push(symbol.to_owned());
        self
    }

    /// It wants best bid and offer.
    pub fn quotes(mut self) -> Self {
        self.inner.streams.push(world::MarketStream::Quotes);
        self
    }

    /// It wants trades.
    pub fn trades(mut self) -> Self {
        self.inner.streams.push(world::MarketStream::Trades);
        self
    }

    /// It has a setting that is a whole number within `range`.
    pub fn integer(self, name: &str, range: RangeInclusive<i64>, or: i64, meaning: &str) -> Self {
        let or = or.to_string();
        self.parameter(world::ParameterKind::Integer, range, [name, &or, meaning])
    }

    /// It has a setting that is `0` or `1`.
    pub fn flag(self, name: &str, or: bool, meaning: &str) -> Self {
        let or = if or { "1" } else { "0" };
        self.parameter(world::ParameterKind::Flag, 0..=1, [name, or, meaning])
    }

    /// It has a setting that is a text of so many bytes.
    pub fn text(self, name: &str, length: RangeInclusive<i64>, or: &str, meaning: &str) -> Self {
        self.parameter(world::ParameterKind::Text, length, [name, or, meaning])
    }

    /// So many market events before its intents count.
    pub fn warm_up_events(mut self, count: u32) -> Self {
        self.inner.warm_up_events = count;
        self
    }

    /// The fuel that an event may need, on average over a batch.
    pub fn fuel_per_event(mut self, fuel: u64) -> Self {
        self.inner.fuel_per_event = fuel;
        self
    }

    /// Its `snapshot` returns at most so many bytes.
    pub fn snapshot_bytes_max(mut self, bytes: u32) -> Self {
        self.inner.snapshot_bytes_max = bytes.saturating_add(SNAPSHOT_HEAD_BYTES);
        self
    }

    pub(crate) fn into_world(self) -> world::Declaration {
        self.inner
    }

    fn parameter(
        mut self,
        kind: world::ParameterKind,
        range: RangeInclusive<i64>,
        [name, default_value, meaning]: [&str; 3],
    ) -> Self {
        self.inner.parameters.push(world::Parameter {
            name: name.to_owned(),
            kind,
            min: *range.start(),
            max: *range.end(),
            default_value: default_value.to_owned(),
            meaning: meaning.to_owned(),
        });
        self
    }
}
