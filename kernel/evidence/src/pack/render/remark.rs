//! What people said about the session: kept apart from what the kernel says, and marked with whose
//! words they are.

use portcullis_core::entry;
use portcullis_core::{NoteKind, Noted};
use portcullis_domain::SessionId;
use portcullis_statement::json::{Value, object};

use super::fault::RenderFault;
use super::item::Item;
use crate::bytes::len_u64;
use crate::text::quote_markdown;

/// A person's note, with when the kernel took it.
#[derive(Clone, Debug)]
pub(super) struct Remark {
    pub(super) noted: Noted,
    /// UTC.
    pub(super) time: String,
}

impl Remark {
    /// Its words and whose they are, as one quoted line that begins with words of ours.
    pub(super) fn line(&self) -> String {
        let Noted { note, number, role, late } = &self.noted;
        let when = if *late { "after the session" } else { "in the session" };
        let said = object([
            ("as", role.name().into()),
            ("by", note.who.as_str().into()),
            ("said", note.text.as_str().into()),
        ]);
        let (time, kind) = (&self.time, note.kind.name());
        format!("{time} note {number}, {when}, {kind}: {}", quote_markdown(&said))
    }

    /// The same for a list of conditions.
    pub(super) fn to_value(&self) -> Value {
        let Noted { note, number, role, late } = &self.noted;
        object([
            ("as", role.name().into()),
            ("by", note.who.as_str().into()),
            ("late", (*late).into()),
            ("note", portcullis_statement::json::count(*number)),
            ("said", note.text.as_str().into()),
        ])
    }
}

/// Reads all notes of a session. They are numbered without a gap, speak of this session, and those
/// that came while it was open are the very entries of its journal.
pub(super) fn read(
    notes: &[&[u8]],
    session: &SessionId,
    items: &[Item],
) -> Result<Vec<Remark>, RenderFault> {
    let mut remarks = Vec::new();
    for (number, bytes) in (1_u64..).zip(notes) {
        let fault = |cause: &str| RenderFault::Note { number, cause: cause.to_owned() };
        let entry = entry::decode(bytes).map_err(|_no_entry| fault("is no entry"))?;
        let said = Noted::read(&entry.body).map_err(|_no_note| fault("is no note"))?;
        if entry.kind != "noted" || entry.class != entry::Class::Outcome {
            return Err(fault("is another kind of entry"));
        }
        if said.number != number || said.note.session != *session {
            return Err(fault("is of another session, or one before it is left out"));
        }
        let time = entry.place.at.wall.rfc3339();
        remarks.push(Remark { noted: said, time });
    }
    let within = items.iter().filter(|item| item.is("noted"));
    for (number, item) in (0_usize..).zip(within) {
        let listed = remarks.get(number).map(|remark| &remark.noted);
        if Noted::read(&item.entry.body).ok().as_ref() != listed {
            let number = len_u64(number).saturating_add(1);
            let cause = "is not the one of the session's journal".to_owned();
            return Err(RenderFault::Note { number, cause });
        }
    }
    Ok(remarks)
}

/// The notes of one kind about one thing.
pub(super) fn about<'a>(
    remarks: &'a [Remark],
    kind: NoteKind,
    what: &'a str,
) -> impl Iterator<Item = &'a Remark> {
    remarks.iter().filter(move |remark| {
        let note = &remark.noted.note;
        note.kind == kind && note.about.as_ref().is_some_and(|about| about.as_str() == what)
    })
}
