//! The market data of one instrument.

use std::net::TcpStream;

use portcullis_domain::{Instrument, MarketEvent, MarketFrame};
use portcullis_lifeline::{SimulatedEndpoint, VenueFault};
use portcullis_wire::kraken::request::{PublicChannel, subscribe, unsubscribe};
use portcullis_wire::kraken::{PublicStreams, Refused, VenueRefusal};
use portcullis_wire::{FrameCounts, WireFault};
use tungstenite::{Message, WebSocket};

use crate::socket::{Heard, READ_SLICE, Silence, fault, hear, open};

/// Book, quotes and trades of one instrument, over one public socket.
#[derive(Debug)]
pub struct PublicStream {
    socket: WebSocket<TcpStream>,
    streams: PublicStreams,
    symbol: String,
    requests: u64,
    silence: Silence,
}

impl PublicStream {
    /// Connects and subscribes: book ten deep, ticker by best bid and offer, trades. Frames are
    /// numbered on behind `counts`.
    ///
    /// # Errors
    /// Any [`VenueFault`]. A refused subscription comes with the first frames.
    pub fn connect(
        endpoint: &SimulatedEndpoint,
        instrument: Instrument,
        counts: FrameCounts,
    ) -> Result<Self, VenueFault> {
        let socket = open(endpoint.address(), endpoint.dial()?)?;
        let limited = socket.get_ref().set_read_timeout(Some(READ_SLICE));
        limited.map_err(|error| VenueFault::Unreachable(error.to_string()))?;
        let symbol = instrument.venue_symbol.clone();
        let streams = PublicStreams::continuing(instrument, counts);
        let mut stream = Self { socket, streams, symbol, requests: 0, silence: Silence::default() };
        for channel in [PublicChannel::Book, PublicChannel::Ticker, PublicChannel::Trade] {
            stream.ask(subscribe, channel)?;
        }
        Ok(stream)
    }

    /// Frames given out so far, those of earlier connections included.
    #[must_use]
    pub const fn counts(&self) -> FrameCounts {
        self.streams.counts()
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
                self.silence.broken();
                return Ok((Vec::new(), Vec::new()));
            }
            Heard::Nothing => return self.silence.lasts().map(|()| (Vec::new(), Vec::new())),
        };
        self.silence.broken();
        let frames = self.streams.decode(&raw).map_err(|error| {
            if error.fault == WireFault::VenueError {
                // The decoder puts the method before the venue's words.
                let (_, words) = error.cause.split_once(": ").unwrap_or(("", &error.cause));
                let refusal = VenueRefusal::from_text(words);
                VenueFault::from(Refused { refusal, text: words.to_owned() })
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
