//! What a witness is asked, read strictly.

use portcullis_core::entry::{Class, decode};
use portcullis_statement::Digest;
use portcullis_statement::json::Fields;
use portcullis_statement::note::{KeyKind, Note, VerifierKey};

/// Most hashes of a proof, by the specification.
const PROOF_MAX: usize = 63;
/// What the origins of our journals begin with.
const OURS: &str = "portcullis/";

/// The body of `add-checkpoint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AddCheckpoint {
    /// The size that the witness is believed to know.
    pub(crate) old: u64,
    /// That the new tree continues that one.
    pub(crate) proof: Vec<Digest>,
    /// The new checkpoint.
    pub(crate) note: Note,
}

impl AddCheckpoint {
    /// Reads `old <size>`, hashes a line each, an empty line, and the note.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let (head, note) = str::from_utf8(body).ok()?.split_once("\n\n")?;
        let mut lines = head.split('\n');
        let digits = lines.next()?.strip_prefix("old ")?;
        let old: u64 = digits.parse().ok()?;
        let proof = lines.map(Digest::from_base64).collect::<Option<Vec<_>>>()?;
        let whole = old.to_string() == digits && proof.len() <= PROOF_MAX;
        let note = Note::parse(note.as_bytes()).ok().filter(|_| whole)?;
        Some(Self { old, proof, note })
    }

    /// The body as it is sent.
    pub(crate) fn text(&self) -> String {
        let hashes: String = self.proof.iter().map(|hash| hash.base64() + "\n").collect();
        format!("old {}\n{hashes}\n{}", self.old, self.note)
    }
}

/// The installation of an origin: `portcullis/<host>/<account>` of ours, another's whole origin.
pub(crate) fn installation(origin: &str) -> String {
    let parts: Vec<_> = origin.split('/').collect();
    match parts.as_slice() {
        [_, host, account, _number] | [_, host, account, _number, "simulated"]
            if origin.starts_with(OURS) =>
        {
            format!("{OURS}{host}/{account}")
        }
        _ => origin.to_owned(),
    }
}

/// The origin of the epoch after this one.
pub(crate) fn next_number(origin: &str) -> Option<String> {
    let rest = origin.strip_prefix(&installation(origin))?.strip_prefix('/')?;
    let (digits, suffix) = match rest.split_once('/') {
        Some((digits, suffix)) => (digits, format!("/{suffix}")),
        None => (rest, String::new()),
    };
    let number: u64 = digits.parse().ok()?;
    Some(format!("{}/{}{suffix}", installation(origin), number.checked_add(1)?))
}

/// The key that the last entry of an epoch announces: signed by the last key, since it stands in
/// a tree that the last key signed.
pub(crate) fn ended_epoch(leaf: &[u8]) -> Option<VerifierKey> {
    let entry = decode(leaf).ok().filter(|it| it.class == Class::Host)?;
    if entry.kind != "epoch-ended" {
        return None;
    }
    let mut body = Fields::new(&entry.body).ok()?;
    let key = VerifierKey::parse(body.text("next_key").ok()?).ok()?;
    let named = body.text("next_origin").ok()? == key.name();
    (named && key.kind() == KeyKind::Ed25519).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_is_what_its_epochs_share() {
        let check = |origin: &str, of: &str, next: Option<&str>| {
            assert_eq!((&*installation(origin), next_number(origin).as_deref()), (of, next));
        };
        check("portcullis/h/a/1", "portcullis/h/a", Some("portcullis/h/a/2"));
        let (ours, next) = ("portcullis/h/a/9/simulated", "portcullis/h/a/10/simulated");
        check(ours, "portcullis/h/a", Some(next));
        check("portcullis/h/a/x", "portcullis/h/a", None);
        check("portcullis/h/a/18446744073709551615", "portcullis/h/a", None);
        check("portcullis/h/a/1/real", "portcullis/h/a/1/real", None);
        check("example.com/log", "example.com/log", None);
        check("elsewhere/h/a/1", "elsewhere/h/a/1", None);
    }
}
