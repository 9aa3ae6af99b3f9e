//! Renderings of a pack: made from it after the seal, bound to it, no part of what is sealed.
//!
//! ```text
//! renderings/manifest.json     which pack they were made from, and the digest of each
//! renderings/report.html …     whatever somebody rendered
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use portcullis_statement::json::{self, Fields, JsonError, object};

use super::folder::{Finding, Folder};
use super::manifest::{FileEntry, files_value, read_files};
use super::parts::MANIFEST_FILE;
use crate::bytes::len_u64;
use crate::{Digest, journal};

/// Their folder within a pack.
pub const RENDERINGS_FOLDER: &str = "renderings";

/// Longest rendering in bytes.
const RENDERING_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Longest manifest of renderings in bytes.
const LISTING_BYTES_MAX: u64 = 1024 * 1024;

/// What `renderings/manifest.json` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renderings {
    /// The journal's name.
    pub origin: String,
    /// The digest of the pack's manifest; `None` if they were made from a home.
    pub pack: Option<Digest>,
    /// RFC 6962 root over the session's entries.
    pub session_root: Digest,
    /// Every rendering.
    pub files: BTreeMap<String, FileEntry>,
}

impl Renderings {
    /// Canonical JSON.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let pack = self.pack.map(|digest| ("pack_manifest", digest.hex().into()));
        let rest = [
            ("files", files_value(&self.files)),
            ("origin", self.origin.as_str().into()),
            ("session_root", self.session_root.hex().into()),
        ];
        object(rest.into_iter().chain(pack)).canonical()
    }

    /// Reads what [`Renderings::to_bytes`] writes and nothing else.
    ///
    /// # Errors
    /// Anything that is not canonical or not of these keys.
    pub fn parse(bytes: &[u8]) -> Result<Self, JsonError> {
        let value = json::parse_canonical(bytes)?;
        let mut fields = Fields::new(&value)?;
        let origin = fields.text("origin")?;
        if !journal::is_origin(origin) {
            return Err(JsonError::field("origin", "is not an origin"));
        }
        let renderings = Self {
            origin: origin.to_owned(),
            pack: fields.optional_digest("pack_manifest")?,
            session_root: fields.digest("session_root")?,
            files: read_files(fields.object("files")?)?,
        };
        fields.finish()?;
        Ok(renderings)
    }
}

/// Whether the renderings of the pack at `root` belong to it, and are whole: bound to the digest of
/// its manifest and to its session's root. `None` where there are none, which blocks nothing.
///
/// What they show is not compared with the entries here: whoever made them renders them again.
///
/// # Errors
/// `RENDERINGS_UNBOUND`: they were made from something else, or do not say from what.
/// `RENDERINGS_DAMAGED`: a file is missing, another one than listed, or not listed. And whatever
/// makes a folder unreadable.
pub fn check_renderings(
    root: &Path,
    manifest: Digest,
    session_root: Digest,
) -> Result<Option<Renderings>, Finding> {
    if !Folder::open(root)?.has_renderings {
        return Ok(None);
    }
    let folder = Folder::open(&root.join(RENDERINGS_FOLDER))?;
    let listing = format!("{RENDERINGS_FOLDER}/{MANIFEST_FILE}");
    let unbound = |reason: &str| Finding::new("RENDERINGS_UNBOUND", &listing, reason);
    let bytes = folder.read(MANIFEST_FILE, LISTING_BYTES_MAX)?;
    let found = Renderings::parse(&bytes).map_err(|error| unbound(&error.to_string()))?;
    if found.pack != Some(manifest) {
        return Err(unbound("made from another pack"));
    }
    if found.session_root != session_root {
        return Err(unbound("made from another session"));
    }
    let damaged = |name: &str, reason: &str| {
        let place = format!("{RENDERINGS_FOLDER}/{name}");
        Err(Finding::new("RENDERINGS_DAMAGED", &place, reason))
    };
    for name in folder.names().filter(|name| *name != MANIFEST_FILE) {
        if !found.files.contains_key(name) {
            return damaged(name, "not listed");
        }
    }
    for (name, entry) in &found.files {
        let bytes = folder.read(name, entry.bytes.min(RENDERING_BYTES_MAX))?;
        if (Digest::of(&bytes), len_u64(bytes.len())) != (entry.digest, entry.bytes) {
            return damaged(name, "not the file that is listed");
        }
    }
    Ok(Some(found))
}
