//! A plugin's process, and the only thing it is given: one end of a socket pair.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::plugin_port::{Loaded, PluginChannel, PluginFault};

/// Compiling takes a moment; this version of the worker compiles for itself.
const LOAD_MAX: Duration = Duration::from_mins(1);

/// A running worker. Dropping it ends the process.
#[derive(Debug)]
pub struct WorkerProcess {
    child: Child,
    channel: PluginChannel<UnixStream>,
    deadline: Option<Duration>,
}

impl WorkerProcess {
    /// Starts the sandbox program with an empty environment and nothing but the socket.
    pub fn spawn(sandbox: &Path) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let child = Command::new(sandbox)
            .arg("serve")
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { child, channel: PluginChannel::new(ours), deadline: None })
    }

    /// Hands over the component.
    pub fn load(&mut self, component: &[u8], memory_max: u64) -> Result<Loaded, PluginFault> {
        self.within(LOAD_MAX)?.load(component, memory_max)
    }

    /// The way to talk to it; an answer that takes longer than `deadline` is a fault.
    pub fn within(
        &mut self,
        deadline: Duration,
    ) -> Result<&mut PluginChannel<UnixStream>, PluginFault> {
        // Two system calls that most batches need not make.
        if self.deadline != Some(deadline) {
            self.channel.stream().set_read_timeout(Some(deadline))?;
            self.channel.stream().set_write_timeout(Some(deadline))?;
            self.deadline = Some(deadline);
        }
        Ok(&mut self.channel)
    }

    /// Ends the process.
    pub fn end(&mut self) {
        // One that has ended by itself needs no ending; its status is collected all the same.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        self.end();
    }
}
