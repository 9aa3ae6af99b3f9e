//! Burns: what a witness signs once for an approval and never again.
//!
//! The line is a cosignature's, over another text. Neither can pass for the other: the second line
//! of a checkpoint is a number, and that of a burn never is.

use portcullis_domain::Name;

use super::{Checkpoint, Note, NoteFault, NoteSigner};
use crate::Digest;

/// One approval, used up: what a witness signs once and never again.
///
/// As text, each field on a line of its own, so that a note of it is read without tools:
///
/// ```text
/// portcullis burn v1
/// installation portcullis/host-1/acct
/// session s-1
/// nonce 00112233445566778899aabbccddeeff
/// approval <SHA-256 of the approval, in hex>
/// run <the draw of the kernel's start, in hex>
/// journal <origin> <size> <root, in base64>
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Burn {
    /// The installation: `portcullis/<host>/<account>`.
    pub installation: String,
    /// The session.
    pub session: Name,
    /// The approval's nonce.
    pub nonce: String,
    /// The approval's digest.
    pub approval: Digest,
    /// Drawn anew at each start of the kernel: a burn is of no use to a later one, so none that
    /// was kept opens anything after a rollback.
    pub run: u32,
    /// The journal as the witness last cosigned it.
    pub journal: Checkpoint,
}

const BURN: &str = "portcullis burn v1";

impl Burn {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        let Checkpoint { origin, size, root } = &self.journal;
        format!(
            "{BURN}\ninstallation {}\nsession {}\nnonce {}\napproval {}\nrun {:08x}\n\
             journal {origin} {size} {}\n",
            self.installation,
            self.session,
            self.nonce,
            self.approval.hex(),
            self.run,
            root.base64()
        )
    }

    /// Reads the text back; one spelling alone is read.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut line = |key: &str| lines.next()?.strip_prefix(key);
        line(BURN)?;
        let installation = line("installation ")?.to_owned();
        let session = Name::new(line("session ")?)?;
        let nonce = line("nonce ")?.to_owned();
        let approval = Digest::from_hex(line("approval ")?)?;
        let run = u32::from_str_radix(line("run ")?, 16).ok()?;
        let mut journal = line("journal ")?.splitn(3, ' ');
        let journal = Checkpoint {
            origin: journal.next()?.to_owned(),
            size: journal.next()?.parse().ok()?,
            root: Digest::from_base64(journal.next()?)?,
        };
        let burn = Self { installation, session, nonce, approval, run, journal };
        (burn.text() == text).then_some(burn)
    }
}

impl NoteSigner {
    /// The burn as a note, signed at `time_s`, in seconds since 1970.
    ///
    /// # Errors
    /// `NOTE_KEY_MALFORMED` if the key is no witness's, `NOTE_MALFORMED` for a time or a field
    /// that the format does not hold.
    pub fn burn(&self, burn: &Burn, time_s: u64) -> Result<Note, NoteFault> {
        let text = burn.text();
        if Burn::parse(&text).as_ref() != Some(burn) {
            return Err(NoteFault::Malformed);
        }
        let line = self.cosign_text(&text, time_s)?;
        Note::parse(format!("{text}\n{line}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::super::KeyKind;
    use super::*;

    fn burn() -> Burn {
        Burn {
            installation: "portcullis/host-1/acct".to_owned(),
            session: Name::new("s-1").unwrap(),
            nonce: "00".repeat(16),
            approval: Digest::of(b"approval"),
            run: 0x00c0_de01,
            journal: Checkpoint {
                origin: "portcullis/host-1/acct/1".to_owned(),
                size: 7,
                root: Digest::of(b"root"),
            },
        }
    }

    #[test]
    fn a_burn_has_one_spelling_and_is_no_checkpoint() {
        let text = burn().text();
        assert_eq!(Burn::parse(&text), Some(burn()));
        assert_eq!(Checkpoint::parse(&text), Err(NoteFault::Checkpoint));
        assert_eq!(Burn::parse(&burn().journal.text()), None);
        for bad in [
            text.replace("burn v1", "burn v2"),
            text.replace("run 00c0de01", "run c0de01"),
            text.replace(" 7 ", " 07 "),
            text.clone() + "\n",
            text.trim_end().to_owned(),
            text.replace("session s-1", "session S-1"),
        ] {
            assert_eq!(Burn::parse(&bad), None, "{bad}");
        }
    }

    #[test]
    fn a_burn_is_signed_by_witnesses_alone_and_says_when() {
        let witness = NoteSigner::from_seed("w1", KeyKind::Cosignature, [1; 32]).unwrap();
        let note = witness.burn(&burn(), 9).unwrap();
        assert_eq!((note.cosigned_at(witness.verifier()), note.text()), (Ok(9), &*burn().text()));
        let log = NoteSigner::from_seed("w1", KeyKind::Ed25519, [1; 32]).unwrap();
        assert_eq!(log.burn(&burn(), 9), Err(NoteFault::Key));
        // What would read as another burn than was meant is not signed.
        let twisted = Burn { nonce: "x\nnonce y".to_owned(), ..burn() };
        assert_eq!(witness.burn(&twisted, 9), Err(NoteFault::Malformed));
    }
}
