//! What the kernel's own entries mean to a pack.

use portcullis_core::entry::{is_close_session, is_open_session, session_bytes};

use super::parts::{Part, SessionLeaves, Told};
use super::render::render_parts;

/// Reads entries as the kernel's core writes them, and renders every part again.
#[derive(Clone, Copy, Debug)]
pub struct KernelLeaves;

impl SessionLeaves for KernelLeaves {
    fn session_leaf(&self, entry: &[u8]) -> Option<Vec<u8>> {
        session_bytes(entry)
    }

    fn is_open_session(&self, entry: &[u8]) -> bool {
        is_open_session(entry)
    }

    fn is_close_session(&self, entry: &[u8]) -> bool {
        is_close_session(entry)
    }

    fn derived_parts(&self, version: i64, told: &Told<'_>) -> Result<Vec<Part>, String> {
        render_parts(version, told).map_err(|fault| fault.to_string())
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::entry::{Class, Content, Entry, Place};
    use portcullis_statement::json::{Value, object};

    use super::*;
    use crate::pack::sessions;

    fn entry(class: Class, kind: &'static str, body: Value) -> Vec<u8> {
        let content = Content { kind, corr: "-".to_owned(), reason: "-".to_owned(), body };
        Entry::new(class, &Place::default(), content).bytes
    }

    #[test]
    fn the_cores_entries_are_told_apart() {
        let empty = || object([]);
        let liar = object([("kind", "session-closed".into())]);
        let entries = [
            entry(Class::Host, "heartbeat", empty()),
            entry(Class::Outcome, "session-opened", empty()),
            entry(Class::Outcome, "session-note", liar),
            entry(Class::Host, "heartbeat", empty()),
            entry(Class::Outcome, "session-closed", empty()),
        ];
        let slices: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        assert_eq!(sessions(&slices, &KernelLeaves), vec![1..5]);
        assert_eq!(KernelLeaves.session_leaf(&entries[2]).as_ref(), Some(&entries[2]));
        assert_eq!(KernelLeaves.session_leaf(&entries[3]), None);
        assert_eq!(KernelLeaves.session_leaf(b"no entry"), None);
    }
}
