//! The outer shape that all frames of the WebSocket share.

use std::borrow::Cow;

use portcullis_domain::WallNs;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::moment::parse_rfc3339;
use super::refusal::SystemStatus;
use crate::{WireError, WireFault};

/// No frame of the venue is near this; a longer one is refused before it is read.
pub const FRAME_BYTES_MAX: usize = 1 << 20;

/// A frame before its data is read. Fields that the venue adds later are let through.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope<'a> {
    #[serde(borrow, default)]
    pub(crate) channel: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) method: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "type")]
    pub(crate) kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) data: Option<&'a RawValue>,
    #[serde(default)]
    pub(crate) sequence: Option<u64>,
    #[serde(default)]
    pub(crate) req_id: Option<u64>,
    #[serde(default)]
    pub(crate) success: Option<bool>,
    #[serde(borrow, default)]
    pub(crate) error: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) result: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    pub(crate) fn read(frame: &'a [u8]) -> Result<Self, WireError> {
        if frame.len() > FRAME_BYTES_MAX {
            let cause = format!("{} bytes; {FRAME_BYTES_MAX} is the most", frame.len());
            return Err(WireError::new(WireFault::FrameMalformed, cause));
        }
        serde_json::from_slice(frame).map_err(|error| WireError::json(&error))
    }

    pub(crate) fn data(&self) -> Result<&'a RawValue, WireError> {
        self.data.ok_or_else(|| missing("data"))
    }

    /// Whether the data replaces what was known.
    pub(crate) fn is_snapshot(&self) -> Result<bool, WireError> {
        match self.kind.as_deref() {
            Some("snapshot") => Ok(true),
            Some("update") => Ok(false),
            other => Err(invalid("type", other.unwrap_or("(none)"))),
        }
    }

    /// The system's status of a `status` frame.
    pub(crate) fn system(&self) -> Result<SystemStatus, WireError> {
        #[derive(Deserialize)]
        struct Status<'a> {
            #[serde(borrow)]
            system: Cow<'a, str>,
        }
        let list: Vec<Status<'_>> = read(self.data()?)?;
        let status = list.first().ok_or_else(|| missing("data[0].system"))?;
        SystemStatus::from_name(&status.system)
            .ok_or_else(|| invalid("data[0].system", &status.system))
    }
}

/// Reads a part of a frame.
pub(crate) fn read<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, WireError> {
    serde_json::from_str(raw.get()).map_err(|error| WireError::json(&error))
}

/// A field that has to be there and is not.
pub(crate) fn missing(field: &str) -> WireError {
    WireError::new(WireFault::FieldInvalid, format!("{field} is missing"))
}

/// A field whose value is not one of those that are known.
pub(crate) fn invalid(field: &str, value: &str) -> WireError {
    let shown: String = value.chars().take(80).collect();
    WireError::new(WireFault::FieldInvalid, format!("{field} {shown:?} is not known"))
}

/// A moment in RFC 3339.
pub(crate) fn moment(field: &str, text: &str) -> Result<WallNs, WireError> {
    parse_rfc3339(text).ok_or_else(|| invalid(field, text))
}
