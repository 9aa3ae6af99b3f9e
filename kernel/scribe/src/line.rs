//! One line of a pack's part, and the values at places in it.

use portcullis_domain::WallNs;
use portcullis_statement::json::Value;

/// The value at a place: keys from the outside in. `None` where there is nothing, or `null`.
pub(super) fn at<'a>(line: &'a Value, place: &[&str]) -> Option<&'a Value> {
    let step = |value: &'a Value, key: &&str| match value {
        Value::Object(entries) => entries.get(*key),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Text(_) | Value::List(_) => None,
    };
    place.iter().try_fold(line, step).filter(|value| **value != Value::Null)
}

/// The text at a place; `None` where there is none.
pub(super) fn text<'a>(line: &'a Value, place: &[&str]) -> Option<&'a str> {
    match at(line, place)? {
        Value::Text(text) => Some(text),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::List(_) | Value::Object(_) => None,
    }
}

/// The whole number at a place; `None` where there is none.
pub(super) fn int(line: &Value, place: &[&str]) -> Option<i64> {
    match at(line, place)? {
        Value::Int(number) => Some(*number),
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Object(_) => None,
    }
}

/// A moment: UTC as people read it, or nanoseconds since 1970.
pub(super) fn moment(text: &str) -> Option<WallNs> {
    WallNs::parse_rfc3339(text).or_else(|| text.parse().ok().map(WallNs))
}
