//! `portcullis evidence verify` of an epoch's folder: journal, tiles and checkpoint.

use std::path::{Path, PathBuf};

use portcullis_evidence::epoch_folder;
use portcullis_evidence::log::{EpochReport, JOURNAL_FOLDER, LOG_FOLDER, verify_epoch};
use portcullis_evidence::pack::MANIFEST_FILE;
use portcullis_statement::json::{Value, count, object};

use crate::files::{exists, shown};
use crate::{CliError, Exit, out};

/// The folder of all epochs in a home.
const EPOCHS: &str = "epochs";

/// Whether `path` is the folder of an epoch, as a home has it.
pub(super) fn is_epoch(path: &Path) -> bool {
    let holds = |name: &str| path.join(name).is_dir();
    holds(JOURNAL_FOLDER) && holds(LOG_FOLDER) && !exists(&path.join(MANIFEST_FILE))
}

/// The epoch of a home that is asked for, or its last one; any other folder is its own.
pub(super) fn folder_of(path: &Path, epoch: Option<u32>) -> Result<PathBuf, CliError> {
    let epochs = path.join(EPOCHS);
    if !epochs.is_dir() {
        return Ok(path.to_owned());
    }
    if let Some(epoch) = epoch {
        return Ok(epoch_folder(&epochs, epoch));
    }
    let listed = epochs.read_dir().map_err(|error| {
        crate::files::io_error(&epochs, &error, "check the folder's permissions")
    })?;
    let folders = listed.filter_map(|item| item.ok().map(|item| item.path()));
    folders.filter(|folder| is_epoch(folder)).max().ok_or_else(|| {
        let (cause, next) = ("no epoch has a log yet", "start the daemon on this home");
        CliError::new(Exit::NotFound, "EPOCH_NOT_FOUND", &shown(path), cause, next)
    })
}

/// Judges the epoch. `key` is the log's key as somebody outside knows it.
pub(super) fn run(folder: &Path, key: Option<&str>, json: bool) -> Result<(), CliError> {
    let subject = shown(folder);
    let report = verify_epoch(folder).map_err(|fault| {
        let next = "keep the folder as it is; compare it with another copy";
        CliError::new(Exit::CheckFailed, fault.code(), &subject, &fault.to_string(), next)
    })?;
    if json {
        out::json("evidence.epoch", document(&report))?;
    } else {
        out::result(&render(&report))?;
    }
    let next = "name the log's key with --key, as the approval or the seal of its session does";
    match key {
        Some(key) if key == report.key.to_string() => Ok(()),
        Some(_) => {
            let cause = "the log is signed with another key than the one that you brought along";
            Err(CliError::new(Exit::CheckFailed, "LOG_KEY_OTHER", &subject, cause, next))
        }
        None => {
            let cause = "self-consistent, origin unproven: the key stands in the epoch itself";
            Err(CliError::new(Exit::Refused, "ORIGIN_UNPROVEN", &subject, cause, next))
        }
    }
}

fn render(report: &EpochReport) -> String {
    let EpochReport { key, checkpoint, journal, torn_bytes, ended } = report;
    let mut text = out::field("origin", &checkpoint.origin);
    text += &out::field("key", &key.to_string());
    text += &out::field("signed", &format!("{} entries", checkpoint.size));
    text += &out::field("root", &checkpoint.root.base64());
    text += &out::field("journal", &format!("{} entries", journal.size));
    text += &out::field("epoch", if *ended { "ended" } else { "goes on" });
    if *torn_bytes > 0 {
        text += &out::field("torn", &format!("{torn_bytes} bytes behind the last group"));
    }
    text
}

fn document(report: &EpochReport) -> Value {
    let EpochReport { key, checkpoint, journal, torn_bytes, ended } = report;
    object([
        ("ended", Value::Bool(*ended)),
        ("entries", count(journal.size)),
        ("key", key.to_string().into()),
        ("origin", checkpoint.origin.as_str().into()),
        ("root", checkpoint.root.base64().into()),
        ("signed", count(checkpoint.size)),
        ("torn_bytes", count(*torn_bytes)),
    ])
}
