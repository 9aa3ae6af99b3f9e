//! The client against small servers that do one thing each.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;

use portcullis_domain::{ClOrdId, WallNs};

use super::*;

const ID: ClOrdId = ClOrdId { epoch: 1, sequence: 2 };

fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn lifeline(port: u16) -> Lifeline {
    let credential = Credential::from_json(br#"{"key":"k","secret":"c2VjcmV0"}"#).unwrap();
    let endpoint = SimulatedEndpoint::new("127.0.0.1", port).unwrap();
    Lifeline::new(endpoint, Arc::new(credential), Arc::new(Nonces::new(41, || WallNs(0))))
}

/// Reads one request whole.
fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    let whole = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let (_, length) = head.split_once("Content-Length: ")?;
        let length: usize = length.split("\r\n").next()?.parse().ok()?;
        (body.len() >= length).then_some(())
    };
    while whole(&bytes).is_none() && stream.read(&mut byte).unwrap() == 1 {
        bytes.push(byte[0]);
    }
    String::from_utf8(bytes).unwrap()
}

/// A server that answers each connection with the next of `answers` and gives what it was asked.
fn server(answers: Vec<String>) -> (u16, JoinHandle<Vec<String>>) {
    let (listener, port) = listen();
    let serve = move || {
        let one = |answer: String| {
            let (mut stream, _) = listener.accept().unwrap();
            let asked = request(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
            asked
        };
        answers.into_iter().map(one).collect()
    };
    (port, std::thread::spawn(serve))
}

fn good(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[test]
fn cancels_and_lists_are_signed_and_read() {
    let open = r#"{"error":[],"result":{"open":{"O1":{"cl_ord_id":"pc0000000100000002","status":"open","descr":{"pair":"XBTUSD","type":"buy","ordertype":"limit","price":"30000.0"},"vol":"0.5","vol_exec":"0.1"}}}}"#;
    let count = r#"{"error":[],"result":{"count":1}}"#;
    let unknown = r#"{"error":["EOrder:Unknown order"]}"#;
    let (port, server) = server([count, unknown, count, open].map(good).to_vec());
    let lifeline = lifeline(port);
    assert_eq!(lifeline.cancel(ID), Ok(1));
    assert_eq!(lifeline.cancel(ID), Ok(0));
    assert_eq!(lifeline.cancel_all(), Ok(1));
    let orders = lifeline.open_orders().unwrap();
    assert_eq!((orders.len(), orders[0].ours()), (1, Some(ID)));
    let asked = server.join().unwrap();
    let check = |asked: &str, path: &str, body: &str| {
        assert!(asked.starts_with(&format!("POST {path} HTTP/1.1\r\n")), "{asked}");
        assert!(asked.ends_with(&format!("\r\n\r\n{body}")), "{asked}");
        let nonce = body.split('&').next().and_then(|nonce| nonce.strip_prefix("nonce="));
        let signature =
            portcullis_wire::kraken::sign(path, nonce.unwrap(), body, "c2VjcmV0").unwrap();
        assert!(asked.contains(&format!("API-Key: k\r\nAPI-Sign: {signature}\r\n")), "{asked}");
    };
    let cancel = "/0/private/CancelOrder";
    check(&asked[0], cancel, "nonce=42&cl_ord_id=pc0000000100000002");
    check(&asked[1], cancel, "nonce=43&cl_ord_id=pc0000000100000002");
    check(&asked[2], "/0/private/CancelAll", "nonce=44");
    check(&asked[3], "/0/private/OpenOrders", "nonce=45");
}

#[test]
fn a_bad_answer_is_a_fault_with_its_code() {
    let check = |answer: &str, code: &str| {
        let (port, server) = server(vec![answer.to_owned()]);
        assert_eq!(lifeline(port).cancel_all().unwrap_err().code(), code, "{answer}");
        assert_eq!(server.join().unwrap().len(), 1);
    };
    check("", "VENUE_UNREACHABLE");
    check("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "VENUE_UNREACHABLE");
    check("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{}", "VENUE_PROTOCOL");
    check(&good("{}"), "VENUE_PROTOCOL");
    check(&good(r#"{"error":["EAPI:Rate limit exceeded"]}"#), "VENUE_RATE");
    check(&good(r#"{"error":["EAPI:Invalid key"]}"#), "VENUE_REFUSED");
    check(&format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(20_000)), "VENUE_PROTOCOL");
}

/// A6: a redirect is a fault, and the place it points to never hears of the key.
#[test]
fn a6_a_redirect_is_a_fault_and_no_byte_goes_to_the_other_port() {
    for status in ["301", "302", "303", "307", "308"] {
        let (other, other_port) = listen();
        other.set_nonblocking(true).unwrap();
        let location = format!("http://127.0.0.1:{other_port}/0/private/CancelAll");
        let answer =
            format!("HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        let (port, server) = server(vec![answer]);
        let fault = lifeline(port).cancel_all().unwrap_err();
        assert_eq!(
            (fault.code(), fault.cause()),
            ("VENUE_PROTOCOL", &*format!("HTTP status {status}"))
        );
        assert_eq!(server.join().unwrap().len(), 1);
        assert_eq!(other.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }
}

#[test]
fn silence_ends_after_the_timeout() {
    let (listener, port) = listen();
    let fault = lifeline(port).cancel_all().unwrap_err();
    assert_eq!(fault, VenueFault::Unreachable("no whole answer in time".to_owned()));
    drop(listener);
    assert_eq!(lifeline(port).cancel_all().unwrap_err().code(), "VENUE_UNREACHABLE");
}
