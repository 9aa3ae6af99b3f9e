//! Market data out of chunks: decoded as the kernel decoded it, or refused.

use std::collections::BTreeMap;

use portcullis_domain::{Instrument, MarketFrame, StreamId, WallNs};
use portcullis_evidence::chunk::RawFrame;
use portcullis_statement::EndpointKind;
use portcullis_wire::WireError;
use portcullis_wire::binance::SpotStreams;
use portcullis_wire::kraken::PublicStreams;

use super::source::{Evidence, refused};
use crate::CliError;

/// What is done with a market frame and its receive time.
type Act<'a> = dyn FnMut(WallNs, &MarketFrame) -> Result<(), CliError> + 'a;

/// Calls `act` for every market frame of the session with its receive time, in order.
///
/// # Errors
/// `MARKET_VENUE`: nothing here reads the frames of such an endpoint. `MARKET_INSTRUMENTS`: the
/// session does not have exactly one instrument. `MARKET_DISAGREES`: a frame does not read as the
/// kernel read it, or one is missing.
pub(super) fn for_each(evidence: &Evidence, act: &mut Act<'_>) -> Result<(), CliError> {
    let mut reader = Reader::new(evidence)?;
    evidence.frames(&mut |raw| {
        let frames = reader.decode(&raw).map_err(|cause| {
            let place = format!("stream {}, sequence {}: {cause}", raw.stream.0, raw.sequence);
            refused("MARKET_DISAGREES", &evidence.place, &place)
        })?;
        frames.iter().try_for_each(|frame| act(raw.received.wall, frame))
    })
}

/// The one instrument whose market data a session keeps.
pub(super) fn instrument(evidence: &Evidence) -> Result<&Instrument, CliError> {
    let [instrument] = evidence.approval.instruments.as_slice() else {
        let cause = "market data of a session with one instrument is read, and no other";
        return Err(refused("MARKET_INSTRUMENTS", &evidence.place, cause));
    };
    Ok(instrument)
}

/// Who wrote the frames.
enum Streams {
    Recorded(SpotStreams),
    Simulated(PublicStreams),
}

impl Streams {
    fn new(recorded: bool, instrument: Instrument) -> Self {
        if recorded {
            Self::Recorded(SpotStreams::new(instrument))
        } else {
            Self::Simulated(PublicStreams::new(instrument))
        }
    }

    fn decode(&mut self, bytes: &[u8]) -> Result<Vec<MarketFrame>, WireError> {
        match self {
            Self::Recorded(streams) => streams.decode(bytes),
            Self::Simulated(streams) => streams.decode(bytes),
        }
    }
}

struct Reader {
    recorded: bool,
    instrument: Instrument,
    streams: Streams,
    /// The last sequence of each stream since the connection began.
    last: BTreeMap<StreamId, u64>,
}

impl Reader {
    fn new(evidence: &Evidence) -> Result<Self, CliError> {
        let instrument = instrument(evidence)?.clone();
        let recorded = match evidence.approval.endpoint_kind {
            EndpointKind::Recorded => true,
            EndpointKind::Simulated => false,
            EndpointKind::Sandbox | EndpointKind::Real => {
                let cause = "the frames of this endpoint are not read by this version";
                return Err(refused("MARKET_VENUE", &evidence.place, cause));
            }
        };
        let streams = Streams::new(recorded, instrument.clone());
        Ok(Self { recorded, instrument, streams, last: BTreeMap::new() })
    }

    /// Numbers that begin again are a new connection, which the kernel read from its beginning.
    fn decode(&mut self, raw: &RawFrame) -> Result<Vec<MarketFrame>, String> {
        let last = self.last.get(&raw.stream).copied().unwrap_or(0);
        if raw.sequence != 0 && raw.sequence <= last {
            self.streams = Streams::new(self.recorded, self.instrument.clone());
            self.last.clear();
        }
        let frames = self.streams.decode(&raw.bytes).map_err(|error| error.to_string())?;
        let place = frames.last().map_or((StreamId::BOOK, 0), |it| (it.stream, it.sequence));
        if place != (raw.stream, raw.sequence) {
            return Err(format!("it reads as stream {}, sequence {}", place.0.0, place.1));
        }
        if raw.sequence != 0 {
            self.last.insert(raw.stream, raw.sequence);
        }
        Ok(frames)
    }
}
