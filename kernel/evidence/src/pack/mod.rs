//! The pack: one session's evidence in one folder, for people who trust none of our tools.
//!
//! ```text
//! reports/<phase>_sessions/YYYYMMDD_HHMMSS_<session>/
//!   runlog.md checklist.md executions.jsonl recon.json recon.md metrics.json
//!   alerts.jsonl incidents.jsonl lessons.md notes.jsonl
//!   review.md boundaries.json        from phase 3 on
//!   auto_enablement.jsonl gate_checks.jsonl overrides.jsonl classification.json
//!                                    in phases 6 and 7
//!   journal/NNNNNN.journal           the epoch's journal up to the session's end
//!   chunks/<sha256 of content>.gz    market data for replay
//!   plugins/<sha256>.wasm             the components that ran, for replay
//!   log/checkpoint                   signed by the epoch's key; log/witness-<name> by others
//!   log/NNN-back.tlog-proof          an epoch before it, if the approval was drafted there
//!   statements/NN-<kind>.json        what people signed, and beside it
//!   statements/NN-<kind>.json.K.sig  their signatures, as ssh-keygen makes them
//!   manifest.json SHA256SUMS         what there is
//!   statements/seal.json, .K.sig     signed later, over the manifest's digest
//! ```

mod attested;
mod bindings;
mod folder;
mod kernel_leaves;
mod lineage;
mod manifest;
mod parts;
pub mod render;
mod renderings;
#[cfg(test)]
mod tamper;
#[cfg(test)]
mod testkit;
#[cfg(test)]
mod tests;
mod verify;
mod write;

pub use attested::Attested;
pub use folder::{Finding, Folder, PackJournal};
pub use kernel_leaves::KernelLeaves;
pub use lineage::{Lineage, Previous};
pub use manifest::{FileEntry, Manifest};
pub use parts::{
    JOURNAL, MANIFEST_FILE, NOTES_FILE, PACK_VERSION, PackContents, Part, SessionLeaves, Told,
    chunk_digest, chunk_file, component_file, derived_names, folder_name, required_parts,
    session_of_folder, session_root, sessions, sessions_folder,
};
pub use render::{
    GAPS, QUESTIONS, RENDERER_VERSION, RenderFault, classify, render_parts, runlog_form,
};
pub use renderings::{RENDERINGS_FOLDER, Renderings, check_renderings};
pub use verify::{Outcome, Step, StepResult, Verdict, verify};
pub use write::{PackFault, WrittenPack, seal_pack, write_pack};
