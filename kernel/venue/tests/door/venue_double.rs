//! A private door that answers the token and the subscription, and then does what a test wants.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use portcullis_venue::{
    Credential, Lifeline, Nonces, PrivateDoor, PrivateReader, SimulatedEndpoint, VenueFault,
    VenueSession,
};
use portcullis_wire::server::request::{Ask, SocketRequest};
use tungstenite::{Message, WebSocket};

use crate::minted::{House, instrument, wall};

const SUBSCRIBED: &str = r#"{"method":"subscribe","req_id":1,"result":{"channel":"executions"},"success":true,"time_in":"2026-11-23T00:00:00.000000Z","time_out":"2026-11-23T00:00:00.000000Z"}"#;

/// The double: its port, and every order message that came in over any connection.
pub(crate) struct Double {
    pub(crate) port: u16,
    pub(crate) orders: Arc<Mutex<Vec<String>>>,
    pub(crate) rest: Arc<Mutex<Vec<String>>>,
    thread: JoinHandle<TcpListener>,
}

impl Double {
    /// `act` gets the socket once it is subscribed. Afterwards REST calls are still answered,
    /// until as many connections as `calls` have come.
    pub(crate) fn new(
        calls: usize,
        act: impl Fn(WebSocket<TcpStream>, &Mutex<Vec<String>>) + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (orders, rest) = (Arc::<Mutex<Vec<String>>>::default(), Arc::default());
        let (heard, asked) = (Arc::clone(&orders), Arc::clone(&rest));
        let thread = std::thread::spawn(move || {
            for _ in 0..calls {
                let (stream, _) = listener.accept().unwrap();
                let mut start = [0; 4];
                stream.peek(&mut start).unwrap();
                if &start == b"POST" {
                    answer(stream, &asked);
                } else {
                    let mut socket = tungstenite::accept(stream).unwrap();
                    socket.read().unwrap();
                    socket.send(Message::text(SUBSCRIBED)).unwrap();
                    act(socket, &heard);
                }
            }
            listener
        });
        Self { port, orders, rest, thread }
    }

    pub(crate) fn connect(
        &self,
        house: &House,
    ) -> Result<(VenueSession, PrivateReader), VenueFault> {
        connect(self.port, house, br#"{"key":"k","secret":"c2VjcmV0"}"#)
    }

    /// Ends it. Nobody may have knocked more often than was expected.
    pub(crate) fn join(self) {
        let listener = self.thread.join().unwrap();
        listener.set_nonblocking(true).unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }
}

pub(crate) fn door(port: u16, credential: &[u8]) -> (PrivateDoor, Lifeline) {
    let endpoint = SimulatedEndpoint::new("127.0.0.1", port).unwrap();
    let credential = Arc::new(Credential::from_json(credential).unwrap());
    let nonces = Arc::new(Nonces::new(0, wall));
    let lifeline = Lifeline::new(endpoint, Arc::clone(&credential), Arc::clone(&nonces));
    (PrivateDoor::new(endpoint, credential, nonces), lifeline)
}

pub(crate) fn connect(
    port: u16,
    house: &House,
    credential: &[u8],
) -> Result<(VenueSession, PrivateReader), VenueFault> {
    let (door, lifeline) = door(port, credential);
    VenueSession::connect(&door, lifeline, house.pins(), vec![instrument()])
}

/// Reads text frames into `heard` until the socket ends.
pub(crate) fn hear_all(socket: &mut WebSocket<TcpStream>, heard: &Mutex<Vec<String>>) {
    while let Ok(message) = socket.read() {
        if let Message::Text(text) = message {
            heard.lock().unwrap().push(text.to_string());
        }
    }
}

/// How many of the frames are readable orders.
pub(crate) fn order_count(heard: &Mutex<Vec<String>>) -> usize {
    let is_order = |text: &String| {
        let request = SocketRequest::read(text.as_bytes()).unwrap();
        matches!(request.ask, Ok(Ask::AddOrder(_)))
    };
    heard.lock().unwrap().iter().filter(|text| is_order(text)).count()
}

fn answer(mut stream: TcpStream, asked: &Mutex<Vec<String>>) {
    let mut request = Vec::new();
    let mut part = [0; 4_096];
    while !String::from_utf8_lossy(&request).contains("nonce=") {
        let count = stream.read(&mut part).unwrap();
        assert!(count > 0);
        request.extend_from_slice(&part[..count]);
    }
    let text = String::from_utf8(request).unwrap();
    let path = text.split(' ').nth(1).unwrap().to_owned();
    let result = if path.ends_with("GetWebSocketsToken") {
        r#"{"token":"token","expires":900}"#
    } else {
        r#"{"count":1}"#
    };
    asked.lock().unwrap().push(path);
    let body = format!(r#"{{"error":[],"result":{result}}}"#);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
}
