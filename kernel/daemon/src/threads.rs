//! Threads with a name. One that cannot be started is a fault to handle, not a panic: the core
//! loop starts some, and nothing may end that one.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread.
pub(crate) fn start(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).spawn(work)
}
