//! What witnesses say, as entries and back: the note as it came, so that a replay verifies it too.

use portcullis_domain::WallNs;
use portcullis_statement::json::{Fields, Value};

use super::{Parts, Read, ns, requested};
use crate::entry::{EntryError, as_text};
use crate::input::Input;
use crate::witness::Standing;

/// The body of a cosigned checkpoint.
pub(super) fn cosigned_content(request: u64, note: &str, standing: Standing) -> Parts {
    let made = if let Standing::Ours(made) = standing { made } else { WallNs(0) };
    let fields = [
        ("made", made.0.to_string().into()),
        ("note", note.into()),
        ("standing", standing.name().into()),
    ];
    requested("cosigned", request, fields)
}

pub(super) fn cosigned(body: &mut Fields<'_>) -> Read<Input> {
    let made = WallNs(ns(body, "made")?);
    let all = [Standing::Ours(made), Standing::Ahead, Standing::Forked];
    let standing = body.text("standing")?;
    let standing = all.into_iter().find(|known| known.name() == standing);
    Ok(Input::Cosigned {
        request: body.uint("request")?,
        note: body.text("note")?.to_owned(),
        standing: standing.ok_or(EntryError::Value("standing"))?,
    })
}

/// Only where there are burns: every other opening reads as it ever did.
pub(super) fn burns_value(burns: &[String]) -> Option<Value> {
    let texts = burns.iter().map(|note| note.as_str().into()).collect();
    (!burns.is_empty()).then_some(Value::List(texts))
}

pub(super) fn burns(body: &mut Fields<'_>) -> Read<Vec<String>> {
    if body.optional("burns").is_none() {
        return Ok(Vec::new());
    }
    let text = |value| as_text(value).map(str::to_owned).ok_or(EntryError::Value("burns"));
    body.list("burns")?.iter().map(text).collect()
}
