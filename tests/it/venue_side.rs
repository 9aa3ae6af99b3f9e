//! The other side of the daemon: a wire to the exchange that can be cut or fall silent, and somebody
//! else who holds a key to the same account.

use portcullis_domain::{Money, WallNs};
use portcullis_lifeline::{Credential, Nonces, PrivateDoor, SimulatedEndpoint};
use portcullis_wire::kraken::moment::rfc3339_micros;
use portcullis_wire::kraken::request::PrivateCall;
use portcullis_wire::kraken::{balances, open_orders, ws_token};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

/// What the wire does with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mode {
    /// Hands them on.
    Open,
    /// Hands on what the daemon says; what the venue says is lost.
    Mute,
    /// Takes everything and hands on nothing.
    Swallow,
}

/// A wire between the daemon and the private door of an exchange.
pub(crate) struct Wire {
    pub(crate) port: u16,
    mode: Arc<AtomicU8>,
    ahead_s: Arc<AtomicI64>,
    venue: Arc<Mutex<u16>>,
    ends: Arc<Mutex<Vec<TcpStream>>>,
}

impl Wire {
    pub(crate) fn to(venue: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let wire = Self {
            port: listener.local_addr().unwrap().port(),
            mode: Arc::new(AtomicU8::new(Mode::Open as u8)),
            ahead_s: Arc::default(),
            venue: Arc::new(Mutex::new(venue)),
            ends: Arc::default(),
        };
        let (mode, venue) = (Arc::clone(&wire.mode), Arc::clone(&wire.venue));
        let (ends, ahead_s) = (Arc::clone(&wire.ends), Arc::clone(&wire.ahead_s));
        // Ends with the process of the tests.
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let port = *venue.lock().unwrap();
                let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { continue };
                let clone = |stream: &TcpStream| stream.try_clone().unwrap();
                ends.lock().unwrap().extend([clone(&near), clone(&far)]);
                let (out, back) = ((clone(&near), clone(&far)), (far, near));
                for (lost_from, (from, to)) in [(Mode::Swallow, out), (Mode::Mute, back)] {
                    let (mode, ahead_s) = (Arc::clone(&mode), Arc::clone(&ahead_s));
                    std::thread::spawn(move || carry((from, to), (&mode, lost_from), &ahead_s));
                }
            }
        });
        wire
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::SeqCst);
    }

    /// The venue's clock, as its pongs tell it, is so many seconds ahead.
    pub(crate) fn set_ahead(&self, seconds: i64) {
        self.ahead_s.store(seconds, Ordering::SeqCst);
    }

    /// Another exchange is at the far end from now on.
    pub(crate) fn lead_to(&self, venue: u16) {
        *self.venue.lock().unwrap() = venue;
    }

    /// Cuts every connection that there is.
    pub(crate) fn cut(&self) {
        for end in self.ends.lock().unwrap().drain(..) {
            drop(end.shutdown(Shutdown::Both));
        }
    }
}

/// Carries one direction. In the modes from `lost_from` on, what it takes is lost.
fn carry(
    (mut from, mut to): (TcpStream, TcpStream),
    (mode, lost_from): (&AtomicU8, Mode),
    ahead_s: &AtomicI64,
) {
    let mut bytes = [0; 4_096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let lost = mode.load(Ordering::SeqCst) >= lost_from as u8;
        let part = &mut bytes[..count];
        shift_pong(part, ahead_s.load(Ordering::SeqCst));
        if !lost && to.write_all(part).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Both));
}

/// Moves the time in a pong, whose text keeps its length. What a venue sends is not masked.
fn shift_pong(bytes: &mut [u8], seconds: i64) {
    const KEY: &[u8] = br#""time_in":""#;
    const TIME: std::ops::Range<usize> = 0..27;
    let found = |key: &[u8]| bytes.windows(key.len()).position(|part| part == key);
    let (Some(_), Some(key)) = (found(br#""method":"pong""#), found(KEY)) else { return };
    let Some(time) = bytes[key + KEY.len()..].get_mut(TIME) else { return };
    let at = WallNs::parse_rfc3339(std::str::from_utf8(time).unwrap()).unwrap();
    let moved = rfc3339_micros(at.plus_ns(seconds * 1_000_000_000));
    time.copy_from_slice(moved.as_bytes());
}

/// How a WebSocket begins.
const UPGRADE: &str = "GET /v2 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Somebody else with a key to the account.
pub(crate) struct Outsider {
    door: PrivateDoor,
}

impl Outsider {
    pub(crate) fn new(port: u16, credential: &str) -> Self {
        let endpoint = SimulatedEndpoint::new("127.0.0.1", port).unwrap();
        let credential = Credential::from_json(credential.as_bytes()).unwrap();
        #[expect(clippy::disallowed_methods, reason = "the venue wants numbers that rise")]
        let nonces = Nonces::new(0, || {
            let age = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            WallNs(i64::try_from(age.as_nanos()).unwrap())
        });
        Self { door: PrivateDoor::new(endpoint, Arc::new(credential), Arc::new(nonces)) }
    }

    /// Every balance as the venue states it.
    pub(crate) fn balances(&self) -> BTreeMap<String, Money> {
        let all = self.door.call(&PrivateCall::BalanceEx, balances).unwrap();
        all.into_iter().map(|one| (one.currency, one.total.money().unwrap())).collect()
    }

    /// How many orders are open.
    pub(crate) fn open_orders(&self) -> usize {
        self.door.call(&PrivateCall::OpenOrders, open_orders).unwrap().len()
    }

    /// Rests an order far below the market, with or without an id.
    pub(crate) fn place(&self, cl_ord_id: Option<&str>) {
        let token = self.door.call(&PrivateCall::WebSocketsToken, ws_token).unwrap().token;
        let id = cl_ord_id.map_or_else(String::new, |id| format!("\"cl_ord_id\":\"{id}\","));
        let order = format!(
            "{{\"method\":\"add_order\",\"params\":{{\"order_type\":\"limit\",\"side\":\"buy\",\
             \"order_qty\":0.001,\"limit_price\":50000.0,\"symbol\":\"BTC/USD\",\
             \"time_in_force\":\"gtc\",{id}\"token\":\"{token}\"}},\"req_id\":1}}"
        );
        let mut stream = self.door.endpoint().dial().unwrap();
        stream.write_all(UPGRADE.as_bytes()).unwrap();
        let length = u16::try_from(order.len()).unwrap().to_be_bytes();
        // One text frame, masked with zeros, which is no mask.
        let head = [0x81, 0xfe, length[0], length[1], 0, 0, 0, 0];
        stream.write_all(&[&head, order.as_bytes()].concat()).unwrap();
        let (mut said, mut part) = (String::new(), [0; 4_096]);
        while let Ok(count @ 1..) = stream.read(&mut part) {
            said += &String::from_utf8_lossy(&part[..count]);
            if let Some((_, answer)) = said.split_once("\"add_order\"") {
                assert!(!answer.contains("\"success\":false"), "{said}");
                return;
            }
        }
        panic!("the exchange did not answer");
    }
}
