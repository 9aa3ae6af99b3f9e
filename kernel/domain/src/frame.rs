//! The records that cross to a plugin and back, and the frames that carry them.
//!
//! The layouts are those of `wit/`: 64 bytes each, little-endian, integers only. Kernel and
//! sandbox share this codec and nothing else. Everything that comes back is an allegation: codes
//! are checked by whoever turns a record into a domain type.

/// Bytes of one event or intent record.
pub const RECORD_LEN: usize = 64;
/// Bytes of a frame header.
pub const HEADER_LEN: usize = 24;
/// Largest payload of a frame. A longer claim is a violation, not an allocation.
pub const PAYLOAD_MAX: usize = 64 * 1024 * 1024;
/// Version of header and records; both sides must agree exactly.
pub const FRAME_VERSION: u16 = 1;
/// Most events in one batch.
pub const BATCH_EVENTS_MAX: usize = 64;
/// Most intents in one reply. More is a fault of the plugin.
pub const REPLY_INTENTS_MAX: usize = 256;

/// Event kinds (`event.kind`).
pub mod event_kind {
    /// Best bid and offer.
    pub const QUOTE: u8 = 1;
    /// A trade in the market.
    pub const TRADE: u8 = 2;
    /// A timer that the plugin set.
    pub const TIMER: u8 = 5;
    /// An order of the plugin changed state.
    pub const ORDER: u8 = 6;
    /// An order of the plugin was filled, wholly or in part.
    pub const FILL: u8 = 7;
    /// The gate denied an intent.
    pub const DENIAL: u8 = 8;
    /// The plugin's position in an instrument.
    pub const POSITION: u8 = 10;
    /// The session's state changed.
    pub const SESSION: u8 = 13;
}

/// Intent kinds (`intent.kind`).
pub mod intent_kind {
    /// A new order.
    pub const SUBMIT: u8 = 1;
    /// Change a working order.
    pub const AMEND: u8 = 2;
    /// Take a working order back.
    pub const CANCEL: u8 = 3;
    /// Ask for a timer event.
    pub const SET_TIMER: u8 = 4;
}

/// Sides (`side`); 0 where a side means nothing.
pub mod side_code {
    /// FIX 54 = 1.
    pub const BUY: u8 = 1;
    /// FIX 54 = 2.
    pub const SELL: u8 = 2;
}

/// Order types (`intent.ord-type`).
pub mod ord_type_code {
    /// FIX 40 = 1.
    pub const MARKET: u8 = 1;
    /// FIX 40 = 2.
    pub const LIMIT: u8 = 2;
}

/// Times in force (`intent.time-in-force`).
pub mod tif_code {
    /// Good till canceled.
    pub const GTC: u8 = 1;
    /// Immediate or cancel.
    pub const IOC: u8 = 3;
}

/// Flags of a cancel (`intent.flags`).
pub mod cancel_flag {
    /// Not the order, but the exits that came with it.
    pub const EXITS: u64 = 1;
}

/// One thing that a plugin is told. Field meanings by kind are tabled in `wit/`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct EventRecord {
    /// Receive time, wall clock, nanoseconds.
    pub time: i64,
    /// The plugin's own order number, trade id or timer number.
    pub reference: u64,
    /// Our instrument number.
    pub instrument: u32,
    /// See [`event_kind`].
    pub kind: u8,
    /// See [`side_code`].
    pub side: u8,
    /// Order state, denial code or session state, by kind.
    pub code: u16,
    /// First price.
    pub price: i64,
    /// First quantity.
    pub qty: i64,
    /// Second price.
    pub price2: i64,
    /// Second quantity.
    pub qty2: i64,
    /// Of orders, fills and denials: 1 for the target's exit and 2 for the stop's, which go by
    /// the number of their entry; 0 for the order of that number itself.
    pub extra: i64,
}

/// One thing that a plugin asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct IntentRecord {
    /// The plugin's own number of the order or timer, from 1, never used twice for orders.
    pub reference: u64,
    /// Our instrument number.
    pub instrument: u32,
    /// See [`intent_kind`].
    pub kind: u8,
    /// See [`side_code`].
    pub side: u8,
    /// See [`ord_type_code`].
    pub ord_type: u8,
    /// See [`tif_code`].
    pub time_in_force: u8,
    /// Limit price; 0 for a market order.
    pub price: i64,
    /// Base quantity.
    pub qty: i64,
    /// Of a new order: leave at the market once it is crossed; 0 for no stop.
    pub stop_price: i64,
    /// Of a new order: leave at this limit; 0 for no target.
    pub target_price: i64,
    /// For a timer: when, wall clock, nanoseconds.
    pub time: i64,
    /// See [`cancel_flag`]; 0 for everything else.
    pub flags: u64,
}

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// To the sandbox: the component's bytes. Payload = bytes.
    Load,
    /// To the sandbox: `init`. Payload = see `wit/README.md`.
    Init,
    /// To the sandbox: `on-events`. Payload = event records.
    Events,
    /// From the sandbox: loaded. Payload = declaration and engine, JSON.
    Loaded,
    /// From the sandbox: `init` returned. Payload empty.
    Ready,
    /// From the sandbox: `on-events` returned. `value` = fuel used. Payload = intent records,
    /// then log lines.
    Intents,
    /// From the sandbox: the plugin failed and is gone. `count` = 0. Payload = `CODE text`.
    Failed,
}

impl FrameKind {
    const ALL: [Self; 7] = [
        Self::Load,
        Self::Init,
        Self::Events,
        Self::Loaded,
        Self::Ready,
        Self::Intents,
        Self::Failed,
    ];

    const fn code(self) -> u16 {
        match self {
            Self::Load => 1,
            Self::Init => 2,
            Self::Events => 3,
            Self::Loaded => 17,
            Self::Ready => 18,
            Self::Intents => 19,
            Self::Failed => 20,
        }
    }
}

/// The 24 bytes before each payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// What follows.
    pub kind: FrameKind,
    /// Bytes that follow.
    pub payload_len: u32,
    /// Batch number; a reply repeats the one it answers.
    pub batch: u32,
    /// Records at the start of the payload.
    pub count: u32,
    /// Kind-dependent: fuel granted, fuel used.
    pub value: u64,
}

/// Why bytes are not a frame. Whoever sent them is not to be talked to again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// Another version of the codec.
    Version,
    /// No such kind.
    Kind,
    /// Longer than [`PAYLOAD_MAX`], or shorter than its records.
    Length,
}

impl FrameHeader {
    /// The header's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut out = Writer::new();
        out.put(&FRAME_VERSION.to_le_bytes());
        out.put(&self.kind.code().to_le_bytes());
        out.put(&self.payload_len.to_le_bytes());
        out.put(&self.batch.to_le_bytes());
        out.put(&self.count.to_le_bytes());
        out.put(&self.value.to_le_bytes());
        out.bytes
    }

    /// Reads a header and refuses one that cannot be true.
    pub fn decode(bytes: &[u8; HEADER_LEN]) -> Result<Self, FrameError> {
        let mut input = Reader::new(bytes);
        if u16::from_le_bytes(input.take()) != FRAME_VERSION {
            return Err(FrameError::Version);
        }
        let code = u16::from_le_bytes(input.take());
        let kind = FrameKind::ALL.into_iter().find(|kind| kind.code() == code);
        let header = Self {
            kind: kind.ok_or(FrameError::Kind)?,
            payload_len: u32::from_le_bytes(input.take()),
            batch: u32::from_le_bytes(input.take()),
            count: u32::from_le_bytes(input.take()),
            value: u64::from_le_bytes(input.take()),
        };
        let payload = usize::try_from(header.payload_len).unwrap_or(usize::MAX);
        let records = usize::try_from(header.count).unwrap_or(usize::MAX);
        if payload > PAYLOAD_MAX || records.saturating_mul(RECORD_LEN) > payload {
            return Err(FrameError::Length);
        }
        Ok(header)
    }
}

impl EventRecord {
    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; RECORD_LEN] {
        let mut out = Writer::new();
        out.put(&self.time.to_le_bytes());
        out.put(&self.reference.to_le_bytes());
        out.put(&self.instrument.to_le_bytes());
        out.put(&[self.kind, self.side]);
        out.put(&self.code.to_le_bytes());
        for value in [self.price, self.qty, self.price2, self.qty2, self.extra] {
            out.put(&value.to_le_bytes());
        }
        out.bytes
    }

    /// Reads a record. Any bytes are one.
    #[must_use]
    pub fn decode(bytes: &[u8; RECORD_LEN]) -> Self {
        let mut input = Reader::new(bytes);
        Self {
            time: i64::from_le_bytes(input.take()),
            reference: u64::from_le_bytes(input.take()),
            instrument: u32::from_le_bytes(input.take()),
            kind: u8::from_le_bytes(input.take()),
            side: u8::from_le_bytes(input.take()),
            code: u16::from_le_bytes(input.take()),
            price: i64::from_le_bytes(input.take()),
            qty: i64::from_le_bytes(input.take()),
            price2: i64::from_le_bytes(input.take()),
            qty2: i64::from_le_bytes(input.take()),
            extra: i64::from_le_bytes(input.take()),
        }
    }
}

impl IntentRecord {
    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; RECORD_LEN] {
        let mut out = Writer::new();
        out.put(&self.reference.to_le_bytes());
        out.put(&self.instrument.to_le_bytes());
        out.put(&[self.kind, self.side, self.ord_type, self.time_in_force]);
        for value in [self.price, self.qty, self.stop_price, self.target_price, self.time] {
            out.put(&value.to_le_bytes());
        }
        out.put(&self.flags.to_le_bytes());
        out.bytes
    }

    /// Reads a record. Any bytes are one.
    #[must_use]
    pub fn decode(bytes: &[u8; RECORD_LEN]) -> Self {
        let mut input = Reader::new(bytes);
        Self {
            reference: u64::from_le_bytes(input.take()),
            instrument: u32::from_le_bytes(input.take()),
            kind: u8::from_le_bytes(input.take()),
            side: u8::from_le_bytes(input.take()),
            ord_type: u8::from_le_bytes(input.take()),
            time_in_force: u8::from_le_bytes(input.take()),
            price: i64::from_le_bytes(input.take()),
            qty: i64::from_le_bytes(input.take()),
            stop_price: i64::from_le_bytes(input.take()),
            target_price: i64::from_le_bytes(input.take()),
            time: i64::from_le_bytes(input.take()),
            flags: u64::from_le_bytes(input.take()),
        }
    }
}

/// Fills a fixed record front to back.
struct Writer<const N: usize> {
    bytes: [u8; N],
    at: usize,
}

impl<const N: usize> Writer<N> {
    fn new() -> Self {
        Self { bytes: [0; N], at: 0 }
    }

    fn put(&mut self, part: &[u8]) {
        for (slot, byte) in self.bytes.iter_mut().skip(self.at).zip(part) {
            *slot = *byte;
        }
        self.at = self.at.saturating_add(part.len());
    }
}

/// Reads a fixed record front to back.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next `N` bytes. The records' lengths are fixed, so they are always there; the layout
    /// test below holds that.
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.rest.split_first_chunk::<N>() {
            Some((part, rest)) => {
                self.rest = rest;
                *part
            }
            None => [0; N],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_the_fields_in_order_and_nothing_else() {
        let event = EventRecord {
            time: 1,
            reference: 2,
            instrument: 3,
            kind: 4,
            side: 5,
            code: 6,
            price: 7,
            qty: 8,
            price2: 9,
            qty2: 10,
            extra: -1,
        };
        let bytes = event.encode();
        assert_eq!(EventRecord::decode(&bytes), event);
        assert_eq!(&bytes[16..24], &[3, 0, 0, 0, 4, 5, 6, 0]);
        assert_eq!(&bytes[56..], &[0xff; 8]);
        let intent = IntentRecord {
            reference: 1,
            instrument: 2,
            kind: 3,
            side: 4,
            ord_type: 5,
            time_in_force: 6,
            price: 7,
            qty: 8,
            stop_price: 9,
            target_price: 10,
            time: 11,
            flags: u64::MAX,
        };
        let bytes = intent.encode();
        assert_eq!(IntentRecord::decode(&bytes), intent);
        assert_eq!(&bytes[56..], &[0xff; 8]);
    }

    #[test]
    fn a_header_that_cannot_be_true_is_refused() {
        let good = FrameHeader {
            kind: FrameKind::Events,
            payload_len: 128,
            batch: 9,
            count: 2,
            value: u64::MAX,
        };
        assert_eq!(FrameHeader::decode(&good.encode()), Ok(good));
        let long = FrameHeader { payload_len: u32::MAX, ..good };
        let many = FrameHeader { count: 3, ..good };
        assert_eq!(FrameHeader::decode(&long.encode()), Err(FrameError::Length));
        assert_eq!(FrameHeader::decode(&many.encode()), Err(FrameError::Length));
        let mut other = good.encode();
        other[0] = 9;
        assert_eq!(FrameHeader::decode(&other), Err(FrameError::Version));
        let mut unknown = good.encode();
        unknown[2] = 99;
        assert_eq!(FrameHeader::decode(&unknown), Err(FrameError::Kind));
    }
}
