//! Frames over a stream: as few reads and writes as the stream allows, and no allocation for a
//! claim.

use std::io::{self, Read, Write};

use portcullis_domain::frame::{FrameError, FrameHeader, HEADER_LEN};

/// Room for any batch of events; a component makes it grow.
const BUFFER_LEN: usize = 16 * 1024;
/// The most that the buffer grows ahead of bytes that have really come.
const GROWTH_LEN_MAX: usize = 1024 * 1024;

/// Why no further frame will come.
#[derive(Debug)]
pub(crate) enum StreamEnd {
    /// The other side hung up, between two frames or within one.
    Closed,
    /// What came is not a frame.
    Malformed(FrameError),
    /// The stream failed.
    Io(io::Error),
}

/// Cuts a stream into frames.
#[derive(Debug)]
pub(crate) struct FrameReader {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl FrameReader {
    pub(crate) fn new() -> Self {
        Self { buffer: vec![0; BUFFER_LEN], start: 0, end: 0 }
    }

    /// The next frame: its header and its payload.
    pub(crate) fn next<'a>(
        &'a mut self,
        source: &mut impl Read,
    ) -> Result<(FrameHeader, &'a [u8]), StreamEnd> {
        self.fill(source, HEADER_LEN)?;
        let header = self.waiting().first_chunk::<HEADER_LEN>().ok_or(StreamEnd::Closed)?;
        let header = FrameHeader::decode(header).map_err(StreamEnd::Malformed)?;
        let payload_len = usize::try_from(header.payload_len).unwrap_or(usize::MAX);
        let frame_len = HEADER_LEN.saturating_add(payload_len);
        self.fill(source, frame_len)?;
        let start = self.start;
        self.start = start.saturating_add(frame_len);
        let frame = self.buffer.get(start..self.start).unwrap_or_default();
        Ok((header, frame.get(HEADER_LEN..).unwrap_or_default()))
    }

    fn waiting(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Reads until `needed` bytes wait.
    fn fill(&mut self, source: &mut impl Read, needed: usize) -> Result<(), StreamEnd> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        while self.end.saturating_sub(self.start) < needed {
            self.make_room(needed);
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            match source.read(room) {
                Ok(0) => return Err(StreamEnd::Closed),
                Ok(count) => self.end = self.end.saturating_add(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(StreamEnd::Io(error)),
            }
        }
        Ok(())
    }

    /// Moves what waits to the front, and grows step by step: a header alone allocates nothing.
    fn make_room(&mut self, needed: usize) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end.saturating_sub(self.start));
        }
        if self.end == self.buffer.len() {
            let grown = self.buffer.len().saturating_add(GROWTH_LEN_MAX);
            self.buffer.resize(grown.min(needed.max(BUFFER_LEN)), 0);
        }
    }
}

/// Builds one reply at a time and writes it at once.
#[derive(Debug, Default)]
pub(crate) struct FrameWriter {
    bytes: Vec<u8>,
}

impl FrameWriter {
    /// Where to put the payload of the next frame.
    pub(crate) fn begin(&mut self) -> &mut Vec<u8> {
        self.bytes.clear();
        self.bytes.resize(HEADER_LEN, 0);
        &mut self.bytes
    }

    /// Sends the frame that `begin` began. The header's payload length is set here.
    pub(crate) fn send(&mut self, sink: &mut impl Write, header: FrameHeader) -> io::Result<()> {
        let payload_len = self.bytes.len().saturating_sub(HEADER_LEN);
        let payload_len = u32::try_from(payload_len)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        if let Some(head) = self.bytes.first_chunk_mut::<HEADER_LEN>() {
            *head = FrameHeader { payload_len, ..header }.encode();
        }
        sink.write_all(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::frame::FrameKind;

    /// Gives its bytes in pieces of a fixed length.
    struct Dripping<'a>(&'a [u8], usize);

    impl Read for Dripping<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let take = self.1.min(room.len()).min(self.0.len());
            let (now, later) = self.0.split_at(take);
            room[..take].copy_from_slice(now);
            self.0 = later;
            Ok(take)
        }
    }

    fn header(batch: u32) -> FrameHeader {
        FrameHeader { kind: FrameKind::Load, payload_len: 0, batch, count: 0, value: 7 }
    }

    #[test]
    fn frames_survive_any_cutting_of_the_stream() {
        let mut stream = Vec::new();
        let mut writer = FrameWriter::default();
        for (batch, len) in [(1, 0), (2, 5), (3, 100_000), (4, 1)] {
            writer.begin().extend(std::iter::repeat_n(9_u8, len));
            writer.send(&mut stream, header(batch)).unwrap();
        }
        for piece in [1, 7, 24, 4096, usize::MAX] {
            let mut source = Dripping(&stream, piece);
            let mut reader = FrameReader::new();
            for (batch, len) in [(1, 0), (2, 5), (3, 100_000), (4, 1)] {
                let (header, payload) = reader.next(&mut source).unwrap();
                assert_eq!((header.batch, payload.len()), (batch, len), "pieces of {piece}");
                assert!(payload.iter().all(|byte| *byte == 9));
            }
            assert!(matches!(reader.next(&mut source), Err(StreamEnd::Closed)));
        }
    }

    #[test]
    fn a_claim_allocates_nothing() {
        let claim = FrameHeader { payload_len: 60 * 1024 * 1024, ..header(1) }.encode();
        let mut reader = FrameReader::new();
        assert!(matches!(reader.next(&mut claim.as_slice()), Err(StreamEnd::Closed)));
        assert!(reader.buffer.len() <= BUFFER_LEN);
    }
}
