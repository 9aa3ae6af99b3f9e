//! Cosignatures of witnesses, as `c2sp.org/tlog-cosignature` has them for Ed25519 (kind 0x04).
//!
//! A cosignature says: of all trees of this log that I saw, this is the largest, and none of them
//! contradicts it. It is over a time and the whole text of the checkpoint; the line's signature is
//! `u64 seconds, big-endian | 64 bytes`.

use super::{Checkpoint, KeyKind, Note, NoteFault, NoteSigner, SignatureLine, VerifierKey};

/// What the witness's key signs. `time_s` counts seconds since 1970.
fn signed_message(time_s: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time_s}\n{text}")
}

impl NoteSigner {
    /// The line by which this witness cosigns `checkpoint` at `time_s`, in seconds since 1970.
    ///
    /// # Errors
    /// `NOTE_KEY_MALFORMED` if the key is no witness's, `NOTE_MALFORMED` for a time that the
    /// format does not hold.
    pub fn cosign(&self, checkpoint: &Checkpoint, time_s: u64) -> Result<SignatureLine, NoteFault> {
        self.cosign_text(&checkpoint.text(), time_s)
    }

    pub(super) fn cosign_text(&self, text: &str, time_s: u64) -> Result<SignatureLine, NoteFault> {
        if self.verifier().kind() != KeyKind::Cosignature {
            return Err(NoteFault::Key);
        }
        if i64::try_from(time_s).is_err() {
            return Err(NoteFault::Malformed);
        }
        let signature = self.raw(signed_message(time_s, text).as_bytes());
        Ok(self.line(&[&time_s.to_be_bytes(), signature.as_slice()].concat()))
    }
}

impl Note {
    /// When `witness` cosigned this note's text, in seconds since 1970; the latest if it did so
    /// more than once. Whether that is recent enough is the caller's to judge.
    ///
    /// # Errors
    /// `NOTE_NOT_SIGNED`; `NOTE_SIGNATURE_WRONG` if any line that names the key is wrong;
    /// `NOTE_KEY_MALFORMED` if the key is no witness's.
    pub fn cosigned_at(&self, witness: &VerifierKey) -> Result<u64, NoteFault> {
        if witness.kind() != KeyKind::Cosignature {
            return Err(NoteFault::Key);
        }
        let mut latest = Err(NoteFault::NotSigned);
        for line in self.lines_of(witness) {
            let time_s = verified_time(self.text(), witness, &line.signature)?;
            latest = Ok(latest.map_or(time_s, |before: u64| before.max(time_s)));
        }
        latest
    }
}

fn verified_time(text: &str, witness: &VerifierKey, signature: &[u8]) -> Result<u64, NoteFault> {
    let (time, signature) = signature.split_first_chunk().ok_or(NoteFault::Signature)?;
    let time_s = u64::from_be_bytes(*time);
    let message = signed_message(time_s, text);
    let sound =
        i64::try_from(time_s).is_ok() && witness.key().verifies(message.as_bytes(), signature);
    if sound { Ok(time_s) } else { Err(NoteFault::Signature) }
}
