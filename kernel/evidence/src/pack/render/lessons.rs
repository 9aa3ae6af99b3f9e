//! `lessons.md`: what people want to do better, asked for even when all was green.

use portcullis_core::NoteKind;
use portcullis_statement::json::Value;

use super::page::Page;
use super::session::Session;
use crate::text::quote_markdown;

/// One bullet a lesson, quoted, with its author.
pub(super) fn render(session: &Session) -> Page {
    let mut page = Page::default();
    page.line("# Lessons\n\nIn people's own words, quoted.\n");
    let all = session.remarks.iter().map(|remark| &remark.noted);
    let mut lessons = all.filter(|noted| noted.note.kind == NoteKind::Lesson).peekable();
    if lessons.peek().is_none() {
        page.blank("lesson", "what is to be done better, or why nothing");
    }
    for noted in lessons {
        let text = quote_markdown(&Value::from(noted.note.text.as_str()));
        let (who, role) = (&noted.note.who, noted.role.name());
        let late = if noted.late { ", after the session" } else { "" };
        page.line(format!("- {text} ({who} as {role}{late})"));
    }
    page
}
