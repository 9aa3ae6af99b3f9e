//! The pack: one session's evidence in one folder, for people who trust none of our tools.
//!
//! ```text
//! reports/<phase>_sessions/YYYYMMDD_HHMMSS_<session>/
//!   runlog.md checklist.md executions.jsonl recon.json recon.md metrics.json
//!   alerts.jsonl incidents.jsonl lessons.md
//!   journal/NNNNNN.journal           the epoch's journal up to the session's end
//!   chunks/<sha256 of content>.gz    market data for replay
//!   plugins/<sha256>.wasm             the components that ran, for replay
//!   statements/NN-<kind>.json        what people signed, and beside it
//!   statements/NN-<kind>.json.K.sig  their signatures, as ssh-keygen makes them
//!   manifest.json SHA256SUMS         what there is
//!   statements/seal.json, .K.sig     signed later, over the manifest's digest
//! ```

mod bindings;
mod folder;
mod kernel_leaves;
mod manifest;
mod parts;
pub mod render;
#[cfg(test)]
mod testkit;
#[cfg(test)]
mod tests;
mod verify;
mod write;

pub use folder::{Finding, Folder, PackJournal};
pub use kernel_leaves::KernelLeaves;
pub use manifest::{FileEntry, Manifest};
pub use parts::{
    JOURNAL, MANIFEST_FILE, PACK_VERSION, PackContents, Part, REQUIRED_PARTS, SessionLeaves,
    chunk_digest, chunk_file, component_file, session_root, sessions,
};
pub use render::{DERIVED_PARTS, RenderFault, classify, render_parts};
pub use verify::{Outcome, Step, StepResult, Verdict, verify};
pub use write::{PackFault, WrittenPack, seal_pack, write_pack};
