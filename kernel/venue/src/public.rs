//! The market data of one instrument.

use std::net::TcpStream;

use portcullis_domain::{Instrument, MarketEvent, MarketFrame};
use portcullis_lifeline::{SimulatedEndpoint, VenueFault};
use portcullis_wire::WireFault;
use portcullis_wire::kraken::request::{PublicChannel, subscribe, unsubscribe};
use portcullis_wire::kraken::{PublicStreams, Refused, VenueRefusal};
use tungstenite::{Message, WebSocket};

use crate::socket::{Heard, READ_SLICE, SILENT_READS_MAX, fault, hear, open};

/// Book, quotes and trades of one instrument, over one public socket.
#[derive(Debug)]
pub struct PublicStream {
    socket: WebSocket<TcpStream>,
    streams: PublicStreams,
    symbol: String,
    requests: u64,
    silent_reads: u32,
}

impl PublicStream {
    /// Connects and subscribes: book ten deep, ticker by best bid and offer, trades.
    ///
    /// # Errors
    /// Any [`VenueFault`]. A refused subscription comes with the first frames.
    pub fn connect(
        endpoint: &SimulatedEndpoint,
        instrument: Instrument,
    ) -> Result<Self, VenueFault> {
        let socket = open(endpoint.address(), endpoint.dial()?)?;
        let limited = socket.get_ref().set_read_timeout(Some(READ_SLICE));
        limited.map_err(|error| VenueFault::Unreachable(error.to_string()))?;
        let symbol = instrument.venue_symbol.clone();
        let streams = PublicStreams::new(instrument);
        let mut stream = Self { socket, streams, symbol, requests: 0, silent_reads: 0 };
        for channel in [PublicChannel::Book, PublicChannel::Ticker, PublicChannel::Trade] {
            stream.ask(subscribe, channel)?;
        }
        Ok(stream)
    }

    /// The next frame as it came, and what it says. Both are empty after a second of silence.
    ///
    /// A book that breaks its checksum is asked for anew; until it comes there are no levels.
    ///
    /// # Errors
    /// Any [`VenueFault`]; the stream is to be dropped then.
    pub fn next_frames(&mut self) -> Result<(Vec<u8>, Vec<MarketFrame>), VenueFault> {
        let raw = match hear(&mut self.socket)? {
            Heard::Text(text) => text,
            Heard::Sign => {
                self.silent_reads = 0;
                return Ok((Vec::new(), Vec::new()));
            }
            Heard::Silence => {
                self.silent_reads = self.silent_reads.saturating_add(1);
                if self.silent_reads >= SILENT_READS_MAX {
                    return Err(VenueFault::Unreachable("no heartbeat".to_owned()));
                }
                return Ok((Vec::new(), Vec::new()));
            }
        };
        self.silent_reads = 0;
        let frames = self.streams.decode(&raw).map_err(|error| {
            if error.fault == WireFault::VenueError {
                let refusal = VenueRefusal::from_text(&error.cause);
                VenueFault::Refused(Refused { refusal, text: error.cause })
            } else {
                error.into()
            }
        })?;
        if frames.iter().any(|frame| matches!(frame.event, MarketEvent::Gap { .. })) {
            self.ask(unsubscribe, PublicChannel::Book)?;
            self.ask(subscribe, PublicChannel::Book)?;
        }
        Ok((raw, frames))
    }

    fn ask(
        &mut self,
        request: fn(PublicChannel, &[&str], u64) -> String,
        channel: PublicChannel,
    ) -> Result<(), VenueFault> {
        self.requests = self.requests.saturating_add(1);
        let text = request(channel, &[&self.symbol], self.requests);
        self.socket.send(Message::text(text)).map_err(|error| fault(&error))
    }
}
