//! How the journal in a pack goes back to the one that its approval was drafted from.
//!
//! A session may be approved in one epoch and opened in a later one. The first entry of each epoch
//! names size and root of the one before it; a proof of each epoch between, the nearest first, and
//! a proof that the oldest continues what the approval bound lead back without its entries.

use portcullis_core::entry::{Class, decode};
use portcullis_statement::JournalBinding;
use portcullis_statement::json::Fields;

use super::folder::{Finding, Folder};
use super::parts::LOG;
use crate::Digest;
use crate::log::{LogProof, Nodes, PROOF_BYTES_MAX, check_consistency, key_of, prove_consistency};
use crate::note::Checkpoint;

/// The proof that the oldest epoch continues what the approval bound.
pub(super) const CONTINUES_FILE: &str = "log/approval.consistency";
/// Most epochs between an approval's draft and its session.
const EPOCHS_MAX: usize = 1_000;
/// Longest consistency proof in bytes: two hashes for each level of a tree.
const CONTINUES_BYTES_MAX: u64 = 8 * 1024;

/// The file of an epoch before the pack's own: 1 for the one directly before it.
fn ancestor_file(back: usize) -> String {
    format!("{LOG}{back:03}-back.tlog-proof")
}

/// The epochs before a pack's own, as far as its approval goes back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineage {
    /// The first entry of each under its last checkpoint, the nearest first.
    pub ancestors: Vec<LogProof>,
    /// That the oldest continues what the approval bound.
    pub continues: Vec<Digest>,
}

/// Where an epoch says that the one before it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previous {
    /// Its origin.
    pub origin: String,
    /// How many entries it had.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

impl Previous {
    /// What the first entry of an epoch says of the one before; `None` for the first of a house,
    /// and for an entry that begins no epoch.
    #[must_use]
    pub fn of(first_entry: &[u8]) -> Option<Self> {
        let entry = decode(first_entry).ok()?;
        let begins = entry.class == Class::Host && entry.kind == "epoch-began";
        let mut body = Fields::new(&entry.body).ok().filter(|_| begins)?;
        let mut previous = body.fields("previous").ok()?;
        Some(Self {
            origin: previous.text("origin").ok()?.to_owned(),
            size: previous.uint("size").ok()?,
            root: previous.digest("root").ok()?,
        })
    }
}

impl Lineage {
    /// Proves that the oldest epoch, of that many entries, continues what the approval bound.
    ///
    /// # Errors
    /// What reading its nodes gives.
    pub fn prove(
        ancestors: Vec<LogProof>,
        nodes: &mut impl Nodes,
        (bound, size): (u64, u64),
    ) -> Result<Self, crate::log::LogFault> {
        Ok(Self { ancestors, continues: prove_consistency(nodes, bound, size)? })
    }

    /// Whether the journal that begins with `first_entry` goes back to what the approval bound.
    pub(super) fn check(&self, first_entry: &[u8], bound: &JournalBinding) -> Result<(), String> {
        let mut first = first_entry.to_vec();
        for (proof, back) in self.ancestors.iter().zip(1_u64..) {
            let previous = Previous::of(&first).ok_or("its first epoch is none of the pack's")?;
            let wrong = |what: &str| format!("{back} epochs back: {what}");
            let key = key_of(&proof.leaf).ok_or_else(|| wrong("no epoch begins so"))?;
            let signed = proof.verify(&key).map_err(|fault| wrong(&fault.to_string()))?;
            let Checkpoint { origin, size, root } = signed.checkpoint();
            let named = (&previous.origin, previous.size, previous.root);
            if proof.index != 0 || (origin, *size, *root) != named {
                return Err(wrong("not the epoch that the next one names"));
            }
            if *origin == bound.origin {
                if back < crate::bytes::len_u64(self.ancestors.len()) {
                    return Err(wrong("goes back further than the approval"));
                }
                if key.to_string() != bound.key {
                    return Err(wrong("the approval names another key"));
                }
                let (old, new) = ((bound.size, bound.root), (*size, *root));
                return check_consistency(&self.continues, old, new)
                    .map_err(|_fault| wrong("does not continue what the approval bound"));
            }
            first.clone_from(&proof.leaf);
        }
        Err("binds another journal".to_owned())
    }

    /// Its files.
    pub(super) fn files(&self) -> Vec<(String, Vec<u8>)> {
        if self.ancestors.is_empty() {
            return Vec::new();
        }
        let proofs = self.ancestors.iter().zip(1_usize..);
        let proofs =
            proofs.map(|(proof, back)| (ancestor_file(back), proof.to_string().into_bytes()));
        let lines = self.continues.iter().map(|hash| hash.base64() + "\n").collect::<String>();
        proofs.chain([(CONTINUES_FILE.to_owned(), lines.into_bytes())]).collect()
    }

    /// Reads what [`Lineage::files`] wrote; empty where there is none of it.
    pub(super) fn read(folder: &Folder) -> Result<Self, Finding> {
        let mut ancestors = Vec::new();
        for back in 1..=EPOCHS_MAX {
            let name = ancestor_file(back);
            if !folder.has(&name) {
                break;
            }
            let bytes = folder.read(&name, crate::bytes::len_u64(PROOF_BYTES_MAX))?;
            let proof = LogProof::parse(&bytes);
            ancestors.push(
                proof.map_err(|fault| Finding::new(fault.code(), &name, &fault.to_string()))?,
            );
        }
        if ancestors.is_empty() {
            return Ok(Self::default());
        }
        let bytes = folder.read(CONTINUES_FILE, CONTINUES_BYTES_MAX)?;
        let malformed =
            || Finding::new("LOG_PROOF_MALFORMED", CONTINUES_FILE, "not lines of hashes");
        let text = str::from_utf8(&bytes).map_err(|_not_text| malformed())?;
        let continues = text.lines().map(Digest::from_base64).collect::<Option<Vec<_>>>();
        let lineage = Self { ancestors, continues: continues.ok_or_else(malformed)? };
        // One text for one proof.
        let again = lineage.files().pop().map(|(_, bytes)| bytes);
        if again.as_ref() == Some(&bytes) { Ok(lineage) } else { Err(malformed()) }
    }

    /// Whether a pack of this lineage has a file of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        let mut names = (1..=self.ancestors.len()).map(ancestor_file);
        !self.ancestors.is_empty() && (name == CONTINUES_FILE || names.any(|it| it == name))
    }
}

#[cfg(test)]
mod tests;
