//! What crossed the order door, one line of JSON each, on disk before the answer goes out.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use portcullis_domain::WallNs;
use portcullis_wire::server::Object;

use crate::fault::Fault;

/// The open log.
#[derive(Debug)]
pub(crate) struct WireLog {
    file: File,
    name: String,
    broken: Option<String>,
}

impl WireLog {
    pub(crate) fn open(path: &Path) -> Result<Self, Fault> {
        let name = path.display().to_string();
        match OpenOptions::new().create(true).append(true).open(path) {
            Ok(file) => Ok(Self { file, name, broken: None }),
            Err(error) => Err(Fault::unavailable(name, error.to_string())),
        }
    }

    /// A line that begins with the moment and the kind of event.
    pub(crate) fn line(at: WallNs, event: &str) -> Object {
        Object::new().text("wall_ns", &at.0.to_string()).text("event", event)
    }

    /// Appends it in one write. A failure is kept and ends the run at the next step.
    pub(crate) fn append(&mut self, line: Object) {
        let mut text = line.done();
        text.push('\n');
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            self.broken = Some(error.to_string());
        }
    }

    /// The fault of the first line that could not be written.
    pub(crate) fn fault(&self) -> Option<Fault> {
        self.broken.as_ref().map(|cause| Fault::unavailable(self.name.clone(), cause.clone()))
    }
}
