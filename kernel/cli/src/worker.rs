//! One plugin's process, and the only thing it is given: a socket.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use portcullis_core::Input;
use portcullis_domain::PluginId;
use portcullis_domain::frame::EventRecord;
use portcullis_path::lockstep::Workers;
use portcullis_path::plugin_port::{
    Loaded, PluginChannel, PluginFault, failed_input, reply_input,
};

/// Compiling and instantiating takes a moment; a worker that needs longer is broken.
const LOAD_MAX: Duration = Duration::from_secs(60);
/// In lock step the fuel is the deadline. This only ends a run whose worker hangs.
const CALL_MAX: Duration = Duration::from_secs(10);

/// A running worker. Dropping it ends the process.
#[derive(Debug)]
pub(crate) struct Worker {
    child: Child,
    channel: PluginChannel<UnixStream>,
}

impl Worker {
    /// Starts the sandbox with nothing but its end of a socket pair.
    pub(crate) fn spawn(sandbox: &Path) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let child = Command::new(sandbox)
            .arg("serve")
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { child, channel: PluginChannel::new(ours) })
    }

    /// Hands over the component.
    pub(crate) fn load(
        &mut self,
        component: &[u8],
        memory_max: u64,
    ) -> Result<Loaded, PluginFault> {
        self.channel.stream().set_read_timeout(Some(LOAD_MAX))?;
        let loaded = self.channel.load(component, memory_max)?;
        self.channel.stream().set_read_timeout(Some(CALL_MAX))?;
        Ok(loaded)
    }

    fn end(&mut self) {
        // A process that has ended by itself needs no ending; its status is collected all the same.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}

/// The one worker of a replay.
impl Workers for Worker {
    fn init(&mut self, plugin: PluginId, init: &[u8], fuel: u64) -> Input {
        match self.channel.init(init, fuel) {
            Ok(()) => Input::PluginReady { plugin },
            Err(fault) => failed_input(plugin, fault),
        }
    }

    fn deliver(
        &mut self,
        plugin: PluginId,
        batch: u32,
        records: &[EventRecord],
        fuel: u64,
    ) -> Input {
        reply_input(plugin, batch, self.channel.deliver(batch, records, fuel))
    }

    fn stop(&mut self, _plugin: PluginId) {
        self.end();
    }
}
