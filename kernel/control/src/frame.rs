//! Frames: a length and that many bytes. The length is judged before anything is reserved for it.

use std::io::{self, Read, Write};

use crate::ControlError;

/// Longest frame in bytes, without its length.
pub const FRAME_BYTES_MAX: usize = 256 * 1024;

const LENGTH_BYTES: usize = 4;

/// Writes one frame and flushes.
///
/// # Errors
/// [`ControlError::Empty`], [`ControlError::TooLarge`] or what the stream says.
pub fn write_frame(stream: &mut impl Write, payload: &[u8]) -> Result<(), ControlError> {
    let length = checked(payload.len())?;
    let length = u32::try_from(length).map_err(|_wide| ControlError::TooLarge(length))?;
    // One write: a peer that reads a length finds the payload behind it.
    let mut frame = length.to_be_bytes().to_vec();
    frame.extend_from_slice(payload);
    stream.write_all(&frame)?;
    Ok(stream.flush()?)
}

/// Reads one frame; nothing where the stream ended in order, between two frames.
///
/// # Errors
/// See [`ControlError`]; the stream is of no use after any of them.
pub fn read_frame(stream: &mut impl Read) -> Result<Option<Vec<u8>>, ControlError> {
    let mut length = [0; LENGTH_BYTES];
    let Some((first, rest)) = length.split_first_mut() else { return Ok(None) };
    if !read_first(stream, first)? {
        return Ok(None);
    }
    stream.read_exact(rest)?;
    let wide = u32::from_be_bytes(length);
    let length = checked(usize::try_from(wide).unwrap_or(usize::MAX))?;
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload)?;
    Ok(Some(payload))
}

fn checked(length: usize) -> Result<usize, ControlError> {
    match length {
        0 => Err(ControlError::Empty),
        1..=FRAME_BYTES_MAX => Ok(length),
        _ => Err(ControlError::TooLarge(length)),
    }
}

/// Reads one byte; `false` where there is none any more.
fn read_first(stream: &mut impl Read, byte: &mut u8) -> Result<bool, ControlError> {
    loop {
        match stream.read(std::slice::from_mut(byte)) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expect: Result<Option<&[u8]>, ControlError>) {
        let read = read_frame(&mut &*bytes);
        assert_eq!(read, expect.map(|frame| frame.map(<[u8]>::to_vec)));
    }

    #[test]
    fn a_frame_reads_back_and_the_next_one_follows() {
        let mut stream = Vec::new();
        write_frame(&mut stream, b"one").unwrap();
        write_frame(&mut stream, &vec![7; FRAME_BYTES_MAX]).unwrap();
        let mut stream = stream.as_slice();
        assert_eq!(read_frame(&mut stream), Ok(Some(b"one".to_vec())));
        assert_eq!(read_frame(&mut stream), Ok(Some(vec![7; FRAME_BYTES_MAX])));
        assert_eq!(read_frame(&mut stream), Ok(None));
    }

    #[test]
    fn cut_empty_and_long_frames_are_refused() {
        check(b"", Ok(None));
        check(&[0, 0], Err(ControlError::Truncated));
        check(&[0, 0, 0, 3, 1, 2], Err(ControlError::Truncated));
        check(&[0, 0, 0, 0], Err(ControlError::Empty));
        let long = FRAME_BYTES_MAX + 1;
        check(&u32::try_from(long).unwrap().to_be_bytes(), Err(ControlError::TooLarge(long)));
        check(&[0xff; 4], Err(ControlError::TooLarge(0xffff_ffff)));
        let mut stream = Vec::new();
        assert_eq!(write_frame(&mut stream, b""), Err(ControlError::Empty));
        let refused = write_frame(&mut stream, &vec![0; long]);
        assert_eq!((refused, stream.len()), (Err(ControlError::TooLarge(long)), 0));
    }

    #[test]
    fn a_slow_peer_is_told_from_a_broken_one() {
        struct Slow;
        impl Read for Slow {
            fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::WouldBlock.into())
            }
        }
        assert!(read_frame(&mut Slow).unwrap_err().is_timeout());
        assert!(!ControlError::Truncated.is_timeout());
    }
}
