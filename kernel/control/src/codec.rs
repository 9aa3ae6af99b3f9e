//! Canonical JSON of messages: encoded in one way, and decoded only from that one.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::ControlError;
use crate::frame::FRAME_BYTES_MAX;

/// The version of the protocol.
pub const VERSION: u64 = 1;

/// The canonical bytes of `message` with the version and the other `marks` beside its own fields.
///
/// Keys are sorted, because `serde_json` keeps objects in a sorted map.
pub(crate) fn encode(
    message: &impl Serialize,
    marks: &[(&str, Value)],
) -> Result<Vec<u8>, ControlError> {
    let value = serde_json::to_value(message).map_err(ControlError::malformed)?;
    let Value::Object(mut entries) = value else {
        return Err(ControlError::malformed("not an object"));
    };
    entries.insert("v".to_owned(), VERSION.into());
    for (key, value) in marks {
        entries.insert((*key).to_owned(), value.clone());
    }
    let bytes = serde_json::to_vec(&entries).map_err(ControlError::malformed)?;
    if bytes.len() > FRAME_BYTES_MAX {
        return Err(ControlError::TooLarge(bytes.len()));
    }
    Ok(bytes)
}

/// The entries of a message of our version, without the version.
pub(crate) fn open(bytes: &[u8]) -> Result<Map<String, Value>, ControlError> {
    if bytes.len() > FRAME_BYTES_MAX {
        return Err(ControlError::TooLarge(bytes.len()));
    }
    let mut entries: Map<String, Value> =
        serde_json::from_slice(bytes).map_err(ControlError::malformed)?;
    match entries.remove("v") {
        Some(version) if version == VERSION => Ok(entries),
        Some(version) => Err(ControlError::Version(version.to_string())),
        None => Err(ControlError::malformed("`v` is missing")),
    }
}

/// The message that these entries are.
pub(crate) fn typed<T: DeserializeOwned>(entries: Map<String, Value>) -> Result<T, ControlError> {
    serde_json::from_value(Value::Object(entries)).map_err(ControlError::malformed)
}

/// Refuses every spelling but the one that we write: a key twice, blanks, another order.
pub(crate) fn same(received: &[u8], written: &[u8]) -> Result<(), ControlError> {
    if received == written {
        Ok(())
    } else {
        Err(ControlError::malformed("unknown keys, or not in canonical form"))
    }
}

/// Names as text.
pub(crate) mod name {
    use portcullis_domain::Name;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(name: &Name, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(name.as_str())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Name, D::Error> {
        let text = String::deserialize(from)?;
        Name::new(&text).ok_or_else(|| serde::de::Error::custom("not a name"))
    }
}

/// Names as text, or nothing.
pub(crate) mod optional_name {
    use portcullis_domain::Name;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "the shape that serde asks for")]
    pub(crate) fn serialize<S: Serializer>(name: &Option<Name>, to: S) -> Result<S::Ok, S::Error> {
        match name {
            Some(name) => to.serialize_some(name.as_str()),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Name>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
        let name = Name::new(&text).ok_or_else(|| serde::de::Error::custom("not a name"))?;
        Ok(Some(name))
    }
}

/// The side of an order by its name.
pub(crate) mod side {
    use portcullis_domain::Side;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
    pub(crate) fn serialize<S: Serializer>(side: &Side, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(side.name())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Side, D::Error> {
        let text = String::deserialize(from)?;
        let side = [Side::Buy, Side::Sell].into_iter().find(|side| side.name() == text);
        side.ok_or_else(|| serde::de::Error::custom("neither buy nor sell"))
    }
}

/// Bytes that are text, as text.
pub(crate) mod text_bytes {
    use serde::{Deserialize, Deserializer, Serializer, ser};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        let text = std::str::from_utf8(bytes).map_err(ser::Error::custom)?;
        to.serialize_str(text)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        String::deserialize(from).map(String::into_bytes)
    }
}
