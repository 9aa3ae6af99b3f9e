//! A plain client of the exchange: one process, raw HTTP, and sockets that block.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use portcullis_domain::{
    ExecutionReport, Instrument, InstrumentId, InstrumentKind, Money, Px, Qty, Rate,
};
use portcullis_wire::kraken::request::{self, PrivateCall};
use portcullis_wire::kraken::{
    Answer, Executions, Method, PrivateFrame, PrivateStreams, sign, ws_token,
};
use tungstenite::{Message, WebSocket};

pub(crate) const KEY: &str = "key-one";
pub(crate) const OTHER_KEY: &str = "key-two";
pub(crate) const SECRET: &str = "c2VjcmV0IG9mIHRoZSB0ZXN0";
const PATIENCE: Duration = Duration::from_secs(30);

/// A running exchange; killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    folder: PathBuf,
    pub(crate) public_port: u16,
    pub(crate) private_port: u16,
    nonce: AtomicU64,
}

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("exchange-{name}"));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Writes a credential file.
pub(crate) fn credentials(name: &str, text: &str) -> PathBuf {
    let path = folder(name).join("credentials.json");
    std::fs::write(&path, text).unwrap();
    path
}

/// What the policy file says; checked against it by the exchange's own tests.
pub(crate) fn instrument() -> Instrument {
    Instrument {
        id: InstrumentId(0),
        symbol: "BTC-USD".into(),
        venue_symbol: "BTC/USD".into(),
        base: "BTC".into(),
        quote: "USD".into(),
        kind: InstrumentKind::Spot,
        price_scale: 1,
        qty_scale: 8,
        tick: Px::new(1).unwrap(),
        lot: Qty::new(1).unwrap(),
        qty_min: Qty::new(5_000).unwrap(),
        notional_min: Money::parse("0.5").unwrap(),
        maker_fee: Rate::from_bps(25),
        taker_fee: Rate::from_bps(40),
    }
}

impl Running {
    /// The command that would start it.
    pub(crate) fn command(name: &str, public_port: &str) -> Command {
        let entry = |key: &str| {
            format!(
                r#"{{"key":"{key}","secret":"{SECRET}","account":"{key}","balances":{{"USD":"100000","BTC":"1"}}}}"#
            )
        };
        let file = credentials(name, &format!("[{},{}]", entry(KEY), entry(OTHER_KEY)));
        Self::command_with(name, public_port, &file)
    }

    pub(crate) fn command_with(name: &str, public_port: &str, credentials: &PathBuf) -> Command {
        let instruments = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../../policies/instruments/kraken-btc-usd.toml");
        let folder = folder(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis-exchange"));
        command
            .args(["serve", "--seed", "42", "--private-port", "0"])
            .args(["--public-port", public_port])
            .arg("--instruments")
            .arg(instruments)
            .arg("--credentials")
            .arg(credentials)
            .arg("--wire-log")
            .arg(folder.join("wire.jsonl"))
            .arg("--transfers")
            .arg(folder.join("transfers.jsonl"))
            .arg("--ready-file")
            .arg(folder.join("ready.json"))
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn start(name: &str) -> Self {
        let folder = folder(name);
        let ready = folder.join("ready.json");
        for old in [&ready, &folder.join("wire.jsonl"), &folder.join("transfers.jsonl")] {
            if old.exists() {
                std::fs::remove_file(old).unwrap();
            }
        }
        let child = Self::command(name, "0").args(["--run-seconds-max", "120"]).spawn().unwrap();
        let began = Instant::now();
        let text = loop {
            assert!(began.elapsed() < PATIENCE, "no ready file");
            match std::fs::read_to_string(&ready) {
                Ok(text) => break text,
                Err(_not_yet) => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        let ready: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(ready["instruments"][0], "BTC-USD");
        assert_eq!(ready["public"]["host"], "127.0.0.1");
        let port = |door: &str| u16::try_from(ready[door]["port"].as_u64().unwrap()).unwrap();
        let (public_port, private_port) = (port("public"), port("private"));
        Self { child, folder, public_port, private_port, nonce: AtomicU64::new(1) }
    }

    /// The file whose lines are deposits.
    pub(crate) fn transfers(&self) -> PathBuf {
        self.folder.join("transfers.jsonl")
    }

    pub(crate) fn wire_log(&self) -> String {
        std::fs::read_to_string(self.folder.join("wire.jsonl")).unwrap()
    }

    /// SIGTERM; the exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }

    /// A call of the first key with the next nonce.
    pub(crate) fn call(&self, call: &PrivateCall) -> Vec<u8> {
        self.signed(call, KEY, SECRET, self.nonce.fetch_add(1, Ordering::SeqCst))
    }

    pub(crate) fn signed(
        &self,
        call: &PrivateCall,
        key: &str,
        secret: &str,
        nonce: u64,
    ) -> Vec<u8> {
        let body = call.body(nonce);
        let signature = sign(call.path(), &nonce.to_string(), &body, secret).unwrap();
        let head = format!(
            "POST {} HTTP/1.1\r\nAPI-Key: {key}\r\nAPI-Sign: {signature}\r\nContent-Length: {}\r\n",
            call.path(),
            body.len()
        );
        exchange_bytes(self.private_port, &head, &body)
    }

    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        exchange_bytes(self.public_port, &format!("GET {path} HTTP/1.1\r\n"), "")
    }

    pub(crate) fn public_socket(&self) -> Socket {
        Socket::open(self.public_port)
    }

    /// A socket with a token, subscribed to executions.
    pub(crate) fn private_socket(&self) -> PrivateSocket {
        let token = ws_token(&self.call(&PrivateCall::WebSocketsToken)).unwrap().token;
        let mut socket = Socket::open(self.private_port);
        socket.send(&request::subscribe_executions(&token, 1));
        let streams = PrivateStreams::new(vec![instrument()]);
        let (answers, executions) = (VecDeque::new(), VecDeque::new());
        PrivateSocket { token, socket, streams, answers, executions }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// One request on a connection of its own; the body of the answer.
fn exchange_bytes(port: u16, head: &str, body: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "{head}Host: exchange\r\nConnection: close\r\n\r\n{body}").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    answer.split_off(end + 4)
}

/// A WebSocket that blocks.
#[derive(Debug)]
pub(crate) struct Socket(WebSocket<TcpStream>);

impl Socket {
    fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (socket, _) = tungstenite::client(format!("ws://127.0.0.1:{port}/v2"), stream).unwrap();
        Self(socket)
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }

    /// The next text frame.
    pub(crate) fn next(&mut self) -> String {
        loop {
            if let Message::Text(text) = self.0.read().unwrap() {
                return text.to_string();
            }
        }
    }

    /// The next answer to that method.
    pub(crate) fn next_answer(&mut self, method: &str) -> String {
        loop {
            let frame = self.next();
            if frame.contains(&format!("\"method\":\"{method}\"")) {
                return frame;
            }
        }
    }
}

/// A private socket that sorts answers from executions.
#[derive(Debug)]
pub(crate) struct PrivateSocket {
    pub(crate) token: String,
    socket: Socket,
    streams: PrivateStreams,
    answers: VecDeque<Answer>,
    executions: VecDeque<Executions>,
}

impl PrivateSocket {
    pub(crate) fn send(&mut self, text: &str) {
        self.socket.send(text);
    }

    pub(crate) fn frame(&mut self) -> PrivateFrame {
        let frame = self.socket.next();
        self.streams.decode(frame.as_bytes()).unwrap()
    }

    fn sort(&mut self) {
        match self.frame() {
            PrivateFrame::Answer(answer) => self.answers.push_back(answer),
            PrivateFrame::Executions(executions) => self.executions.push_back(executions),
            PrivateFrame::Subscription { refused, .. } => assert_eq!(refused, None),
            PrivateFrame::Heartbeat
            | PrivateFrame::Status(_)
            | PrivateFrame::Pong { .. }
            | PrivateFrame::Balances => {}
        }
    }

    /// The next answer, which must be to that method.
    pub(crate) fn answer(&mut self, method: Method) -> Answer {
        while self.answers.is_empty() {
            self.sort();
        }
        let answer = self.answers.pop_front().unwrap();
        assert_eq!(answer.method, method);
        answer
    }

    /// The next executions frame.
    pub(crate) fn executions(&mut self) -> Executions {
        while self.executions.is_empty() {
            self.sort();
        }
        self.executions.pop_front().unwrap()
    }

    /// At least `count` reports, as they come.
    pub(crate) fn reports(&mut self, count: usize) -> Vec<ExecutionReport> {
        let mut reports = Vec::new();
        while reports.len() < count {
            reports.extend(self.executions().reports);
        }
        reports
    }

    /// Sends a buy order; `rest` is its id and its time in force.
    pub(crate) fn order(&mut self, kind: &str, qty: &str, price: Option<&str>, rest: (&str, &str)) {
        let (id, time_in_force) = rest;
        let price = price.map_or_else(String::new, |price| format!("\"limit_price\":{price},"));
        let token = &self.token;
        let frame = format!(
            r#"{{"method":"add_order","params":{{"order_type":"{kind}","side":"buy","order_qty":{qty},{price}"symbol":"BTC/USD","cl_ord_id":"{id}","time_in_force":"{time_in_force}","token":"{token}"}},"req_id":3}}"#
        );
        self.socket.send(&frame);
    }

    /// A good order with some more fields.
    pub(crate) fn order_with(&self, fields: &str) -> String {
        let token = &self.token;
        format!(
            r#"{{"method":"add_order","params":{{{fields}"order_type":"limit","side":"buy","order_qty":0.01,"limit_price":1000.0,"symbol":"BTC/USD","token":"{token}"}},"req_id":4}}"#
        )
    }
}
