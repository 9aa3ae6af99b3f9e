//! The journal, market-data chunks, the pack and its verification.
//!
//! What the kernel did is written down before anybody outside may see it. This crate owns the
//! bytes of that record and nothing of its meaning: entries, parts and frames come in as bytes
//! and go out as bytes. Only [`pack::render`] reads what the core's entries say, to render a
//! pack's parts from them. It reads no clock and opens no socket.

mod bytes;
pub mod chunk;

mod digest;
pub mod disk;
pub mod journal;
pub mod log;
pub mod pack;
pub mod recorded;
#[cfg(test)]
mod testing;
pub mod text;
pub mod tree;

pub use disk::{Disk, DiskFault, FileDisk, MemoryDisk, Place};
pub use journal::{
    Appender, Committer, Damage, DamageReason, End, Groups, Head, Journal, JournalFault,
    JournalFolder, ReadFault, Reader, Recovered, Seq, Source, Watermark, begun_epochs,
    epoch_folder, read,
};
pub use portcullis_statement::{Digest, note};
pub use recorded::{DurableEpoch, DurableMark, Either, NotDurable, Pending, Recorded, Waited};
