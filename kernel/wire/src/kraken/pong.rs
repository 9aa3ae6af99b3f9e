//! The answer to a ping, with the venue's time: the only one that it states finer than a second.

use std::borrow::Cow;

use portcullis_domain::WallNs;
use serde::Deserialize;

use super::frame::{Envelope, missing, moment};
use crate::WireError;

/// A pong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pong {
    /// The number of our ping.
    pub req_id: Option<u64>,
    /// When the ping reached the venue, by its clock.
    pub time_in: WallNs,
}

/// Reads a frame that may be a pong; `None` for every other frame.
///
/// # Errors
/// A frame that is none, or a pong without a time.
pub fn pong(frame: &[u8]) -> Result<Option<Pong>, WireError> {
    #[derive(Deserialize)]
    struct Times<'a> {
        #[serde(borrow, default)]
        time_in: Option<Cow<'a, str>>,
    }
    let envelope = Envelope::read(frame)?;
    if envelope.method.as_deref() != Some("pong") {
        return Ok(None);
    }
    let times: Times<'_> =
        serde_json::from_slice(frame).map_err(|error| WireError::json(&error))?;
    let text = times.time_in.ok_or_else(|| missing("time_in"))?;
    Ok(Some(Pong { req_id: envelope.req_id, time_in: moment("time_in", &text)? }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kraken::testing::recorded;

    #[test]
    fn a_recorded_pong_states_the_time_and_other_frames_do_not() {
        let Some(frames) = recorded() else { return };
        for (name, frame) in frames {
            let read = pong(frame.as_bytes());
            if name == "get_pong" {
                let at = WallNs::parse_rfc3339("2024-05-20T11:08:49.272922Z").unwrap();
                assert_eq!(read, Ok(Some(Pong { req_id: Some(1), time_in: at })));
            } else {
                assert_eq!(read, Ok(None), "{name}");
            }
        }
    }

    #[test]
    fn a_pong_without_a_time_tells_no_time() {
        let check = |frame: &str, code: &str| {
            assert_eq!(pong(frame.as_bytes()).unwrap_err().code(), code, "{frame}");
        };
        check(r#"{"method":"pong","req_id":1}"#, "FIELD_INVALID");
        check(r#"{"method":"pong","req_id":1,"time_in":"now"}"#, "FIELD_INVALID");
        check("pong", "FRAME_MALFORMED");
    }
}
