//! The kernel's side of the socket, as far as tests need it.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use portcullis_domain::frame::{
    EventRecord, FrameHeader, FrameKind, HEADER_LEN, IntentRecord, RECORD_LEN, event_kind,
};

const SANDBOX: &str = env!("CARGO_BIN_EXE_portcullis-sandbox");
const REPLY_WAIT: Duration = Duration::from_mins(1);

/// The folder of the built components.
#[expect(clippy::disallowed_methods, reason = "a test may be told where its fixtures are")]
fn guests() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::env::var_os("PORTCULLIS_GUESTS")
        .map_or_else(|| root.join("target/guest/components"), PathBuf::from)
}

fn guest_path(name: &str) -> PathBuf {
    guests().join(format!("{name}.wasm"))
}

/// The bytes of a built component, or nothing, and then it says so.
#[expect(clippy::print_stderr, reason = "a skipped test has to be seen")]
pub(crate) fn component(name: &str) -> Option<Vec<u8>> {
    let path = guest_path(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        eprintln!("SKIPPED: {} is not built", path.display());
    }
    bytes
}

/// `portcullis-sandbox inspect`: exit code, output, errors.
pub(crate) fn inspect(name: &str) -> (i32, String, String) {
    let output = Command::new(SANDBOX).arg("inspect").arg(guest_path(name)).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The payload of `Init` with these parameters, an object of texts.
pub(crate) fn session_start(params: &str) -> String {
    let instrument = r#"{"id":0,"lot":10,"price_scale":2,"qty_min":10,"qty_scale":5"#;
    let instrument = format!(r#"{instrument},"symbol":"BTC-USDT","tick":1}}"#);
    format!(r#"{{"instruments":[{instrument}],"params":{params},"phase":2,"session":"s1"}}"#)
}

/// A quote at this time with this bid and ask.
pub(crate) fn quote(time: i64, bid: i64, ask: i64) -> EventRecord {
    let kind = event_kind::QUOTE;
    EventRecord { time, kind, price: bid, qty: 1, price2: ask, qty2: 1, ..EventRecord::default() }
}

/// A header; the payload length is filled in on sending.
pub(crate) const fn header(kind: FrameKind, batch: u32, count: u32, value: u64) -> FrameHeader {
    FrameHeader { kind, payload_len: 0, batch, count, value }
}

/// An answer to a batch repeats its number.
fn check_answers(reply: &Result<Reply, Failure>, batch: u32) {
    match reply {
        Ok(reply) => {
            assert_eq!((reply.header.kind, reply.header.batch), (FrameKind::Intents, batch));
        }
        Err(failure) => assert_eq!(failure.batch, batch),
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) header: FrameHeader,
    pub(crate) payload: Vec<u8>,
}

impl Reply {
    fn intents_len(&self) -> usize {
        usize::try_from(self.header.count).unwrap().checked_mul(RECORD_LEN).unwrap()
    }

    pub(crate) fn intents(&self) -> Vec<IntentRecord> {
        let records = self.payload.get(..self.intents_len()).unwrap();
        let (records, _) = records.as_chunks::<RECORD_LEN>();
        records.iter().map(IntentRecord::decode).collect()
    }

    pub(crate) fn log(&self) -> String {
        String::from_utf8(self.payload.get(self.intents_len()..).unwrap().to_vec()).unwrap()
    }
}

/// A `Failed` frame.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) batch: u32,
    pub(crate) text: String,
}

impl Failure {
    pub(crate) fn code(&self) -> &str {
        self.text.split_once(' ').unwrap().0
    }

    pub(crate) fn cause(&self) -> &str {
        self.text.split_once(' ').unwrap().1
    }
}

/// A running sandbox and our end of its socket.
#[derive(Debug)]
pub(crate) struct Kernel {
    stream: UnixStream,
    child: Child,
}

impl Kernel {
    pub(crate) fn start() -> Self {
        let (stream, theirs) = UnixStream::pair().unwrap();
        stream.set_read_timeout(Some(REPLY_WAIT)).unwrap();
        let child = Command::new(SANDBOX)
            .arg("serve")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { stream, child }
    }

    pub(crate) fn load(&mut self, component: &[u8], memory_max: u64) -> Result<Reply, Failure> {
        self.send(header(FrameKind::Load, 0, 0, memory_max), component);
        self.reply()
    }

    pub(crate) fn init(&mut self, params: &str, fuel: u64) -> Result<Reply, Failure> {
        self.send(header(FrameKind::Init, 0, 0, fuel), session_start(params).as_bytes());
        self.reply()
    }

    pub(crate) fn events(
        &mut self,
        batch: u32,
        events: &[EventRecord],
        fuel: u64,
    ) -> Result<Reply, Failure> {
        let payload: Vec<u8> = events.iter().flat_map(EventRecord::encode).collect();
        let count = u32::try_from(events.len()).unwrap();
        self.send(header(FrameKind::Events, batch, count, fuel), &payload);
        let reply = self.reply();
        check_answers(&reply, batch);
        reply
    }

    /// Sends a frame; its payload length is that of the payload.
    pub(crate) fn send(&mut self, header: FrameHeader, payload: &[u8]) {
        let payload_len = u32::try_from(payload.len()).unwrap();
        let mut frame = FrameHeader { payload_len, ..header }.encode().to_vec();
        frame.extend_from_slice(payload);
        self.send_bytes(&frame);
    }

    /// A sandbox that has already refused may have hung up; its answer is what counts.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        match self.stream.write_all(bytes) {
            Ok(()) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe),
        }
    }

    pub(crate) fn reply(&mut self) -> Result<Reply, Failure> {
        let mut header = [0; HEADER_LEN];
        self.stream.read_exact(&mut header).unwrap();
        let header = FrameHeader::decode(&header).unwrap();
        let mut payload = vec![0; usize::try_from(header.payload_len).unwrap()];
        self.stream.read_exact(&mut payload).unwrap();
        if header.kind == FrameKind::Failed {
            let text = String::from_utf8(payload).unwrap();
            return Err(Failure { batch: header.batch, text });
        }
        Ok(Reply { header, payload })
    }

    /// Whatever else the sandbox sends before it hangs up.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).unwrap();
        rest
    }

    pub(crate) fn hang_up(&mut self) {
        self.stream.shutdown(Shutdown::Both).unwrap();
    }

    /// The exit code.
    pub(crate) fn wait(&mut self) -> i32 {
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        // It may have ended by itself.
        if self.child.kill().is_ok() {
            self.child.wait().unwrap();
        }
    }
}
