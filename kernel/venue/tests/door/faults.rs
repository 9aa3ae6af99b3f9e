//! Venues that misbehave, and proofs that are not for this venue.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use portcullis_domain::{ClOrdId, Side, TimeInForce, WallNs};
use portcullis_gate::DenyCode;
use portcullis_venue::{
    Pins, PrivateEvent, PrivateReader, PublicStream, SimulatedEndpoint, SubmitFate, VenueFault,
    VenueSession,
};
use portcullis_wire::kraken::VenueRefusal;
use tungstenite::Message;

use crate::minted::{House, Wish, instrument, wall};
use crate::venue_double::{Double, door, hear_all, order_count};

const WISH: Wish =
    Wish { side: Side::Buy, time_in_force: TimeInForce::Gtc, qty: 100_000, px: 300_000 };

fn soon() -> WallNs {
    wall().plus_ns(5_000_000_000)
}

/// What the reader says until the line is down.
fn until_down(reader: &mut PrivateReader) -> Vec<PrivateEvent> {
    let mut events = Vec::new();
    while !reader.is_down() {
        events.extend(reader.next_events());
    }
    events
}

/// A venue that takes one order and cuts the line: the order is on the wire once, whatever the
/// house does afterwards, and the line stays down.
#[test]
fn a5_a_cut_before_the_answer_leaves_exactly_one_order_on_the_wire() {
    for _ in 0..3 {
        let double = Double::new(2, |mut socket, heard| {
            // Filled, and cut before a word of it; a second order has half a second to show up.
            let half = Some(Duration::from_millis(500));
            socket.get_mut().set_read_timeout(half).unwrap();
            hear_all(&mut socket, heard);
        });
        let mut house = House::new(1);
        let (mut session, mut reader) = double.connect(&house).unwrap();
        assert_eq!(session.submit(house.order(WISH), soon()), SubmitFate::Sent);
        let events = until_down(&mut reader);
        let [PrivateEvent::Down(fault)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(fault.code(), "VENUE_UNREACHABLE");
        let fate = session.submit(house.order(WISH), soon());
        assert_eq!(fate, SubmitFate::NotSent(DenyCode::ReconUnresolved));
        assert_eq!(reader.next_events(), []);
        assert_eq!(order_count(&double.orders), 1);
        double.join();
    }
}

/// A3: nothing waits in a buffer of ours for a venue that does not read.
#[test]
fn a3_a_write_that_would_block_ends_the_line_at_once() {
    let (done, wait) = std::sync::mpsc::sync_channel::<()>(0);
    let double = Double::new(2, move |mut socket, _| {
        // Reads nothing until the line is down, then looks how it ended.
        wait.recv().unwrap();
        let stream = socket.get_mut();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut sink = vec![0; 1 << 20];
        let ended = loop {
            match stream.read(&mut sink) {
                Ok(0) => break Ok(()),
                Ok(_) => {}
                Err(error) => break Err(error.kind()),
            }
        };
        // Reset, not closed: what our side had not handed over is forgotten.
        assert_eq!(ended, Err(std::io::ErrorKind::ConnectionReset));
    });
    let mut house = House::new(1);
    let (mut session, mut reader) = double.connect(&house).unwrap();
    let mut sent = 0_u32;
    let fate = loop {
        let fate = session.submit(house.order(WISH), soon());
        if fate != SubmitFate::Sent {
            break fate;
        }
        sent = sent.checked_add(1).unwrap();
        assert!(sent < 200_000);
    };
    assert_eq!(fate, SubmitFate::Lost);
    assert!(sent > 0 && !session.is_up());
    let events = until_down(&mut reader);
    assert!(matches!(events.as_slice(), [PrivateEvent::Down(_)]), "{events:?}");
    drop(reader);
    done.send(()).unwrap();
    double.join();
}

#[test]
fn a_proof_of_another_house_or_journal_does_not_leave() {
    let double = Double::new(6, |mut socket, heard| hear_all(&mut socket, heard));
    let check = |seed: u8, pins: fn(Pins) -> Pins, expect: SubmitFate| {
        let (mut ours, mut other) = (House::new(1), House::new(seed));
        let (door, lifeline) = door(double.port, br#"{"key":"k","secret":"c2VjcmV0"}"#);
        let connected =
            VenueSession::connect(&door, lifeline, pins(ours.pins()), vec![instrument()]);
        let (mut session, _reader) = connected.unwrap();
        let minter = if seed == 1 { &mut ours } else { &mut other };
        let order = minter.order(WISH);
        let change = minter.change(order.item().cl_ord_id(), WISH, (200_000, 300_000));
        assert_eq!(session.submit(order, soon()), expect);
        assert_eq!(session.amend(change, soon()), expect);
    };
    let revoked = SubmitFate::NotSent(DenyCode::ReleaseRevoked);
    check(2, |pins| pins, revoked);
    check(1, |pins| Pins { origin: pins.genesis, ..pins }, revoked);
    check(1, |pins| Pins { genesis: pins.origin, ..pins }, revoked);
    assert_eq!(order_count(&double.orders), 0);
    double.join();
}

#[test]
fn refusals_name_the_order_and_doubt_is_not_a_refusal() {
    let double = Double::new(2, |mut socket, heard| {
        let refuse = |id: u64, method: &str, text: &str| {
            Message::text(format!(
                r#"{{"method":"{method}","req_id":{id},"success":false,"error":"{text}"}}"#
            ))
        };
        for _ in 0..6 {
            let Message::Text(text) = socket.read().unwrap() else { panic!() };
            heard.lock().unwrap().push(text.to_string());
        }
        for answer in [
            refuse(2, "add_order", "EOrder:Insufficient funds"),
            refuse(3, "add_order", "EService:Deadline elapsed"),
            refuse(4, "cancel_order", "EOrder:Unknown order"),
            refuse(5, "cancel_all", "EGeneral:Permission denied"),
            refuse(6, "amend_order", "EOrder:Insufficient funds"),
            refuse(7, "amend_order", "EService:Busy"),
            // An answer to a question that was never asked.
            refuse(99, "add_order", "EOrder:Insufficient funds"),
        ] {
            socket.send(answer).unwrap();
        }
    });
    let mut house = House::new(1);
    let (mut session, mut reader) = double.connect(&house).unwrap();
    let (one, two) = (house.order(WISH), house.order(WISH));
    let (first, second) = (one.item().cl_ord_id(), two.item().cl_ord_id());
    assert_eq!(session.submit(one, soon()), SubmitFate::Sent);
    assert_eq!(session.submit(two, soon()), SubmitFate::Sent);
    session.cancel(first).unwrap();
    session.cancel_all().unwrap();
    for id in [first, second] {
        let change = house.change(id, WISH, (200_000, 300_000));
        assert_eq!(session.amend(change, soon()), SubmitFate::Sent);
    }
    let mut events = until_down(&mut reader);
    assert!(matches!(events.pop(), Some(PrivateEvent::Down(_))));
    let expect = [
        PrivateEvent::OrderRefused {
            cl_ord_id: first,
            refusal: VenueRefusal::InsufficientFunds,
            text: "EOrder:Insufficient funds".to_owned(),
        },
        PrivateEvent::OrderUnknown {
            cl_ord_id: second,
            text: "EService:Deadline elapsed".to_owned(),
        },
        PrivateEvent::CancelRefused {
            cl_ord_id: Some(first),
            refusal: VenueRefusal::UnknownOrder,
            text: "EOrder:Unknown order".to_owned(),
        },
        PrivateEvent::CancelRefused {
            cl_ord_id: None,
            refusal: VenueRefusal::PermissionDenied,
            text: "EGeneral:Permission denied".to_owned(),
        },
        PrivateEvent::ChangeRefused {
            cl_ord_id: first,
            refusal: VenueRefusal::InsufficientFunds,
            text: "EOrder:Insufficient funds".to_owned(),
        },
        PrivateEvent::OrderUnknown { cl_ord_id: second, text: "EService:Busy".to_owned() },
    ];
    assert_eq!(events, expect);
    double.join();
}

#[test]
fn cancels_find_the_lifeline_when_the_line_is_down() {
    let double = Double::new(4, |socket, _| drop(socket));
    let house = House::new(1);
    let (mut session, mut reader) = double.connect(&house).unwrap();
    until_down(&mut reader);
    session.cancel(ClOrdId { epoch: 1, sequence: 1 }).unwrap();
    session.cancel_all().unwrap();
    let rest = double.rest.lock().unwrap().clone();
    let calls = ["GetWebSocketsToken", "CancelOrder", "CancelAll"];
    assert_eq!(rest, calls.map(|call| format!("/0/private/{call}")));
    double.join();
    assert_eq!(session.cancel_all().unwrap_err().code(), "VENUE_UNREACHABLE");
}

/// An order that no open venue answers: dialling is refused, and so is what speaks something else.
#[test]
fn a_venue_that_is_not_there_is_a_fault() {
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let house = House::new(1);
    let credential = br#"{"key":"k","secret":"c2VjcmV0"}"#;
    let fault = crate::venue_double::connect(port, &house, credential).map(drop).unwrap_err();
    assert_eq!(fault.code(), "VENUE_UNREACHABLE");
}

/// A6: the upgrade follows no redirect either.
#[test]
fn a6_a_redirected_upgrade_is_a_fault_and_no_byte_goes_to_the_other_port() {
    let other = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    other.set_nonblocking(true).unwrap();
    let elsewhere = other.local_addr().unwrap();
    let venue = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = venue.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = venue.accept().unwrap();
        let mut asked = [0; 4_096];
        assert!(stream.read(&mut asked).unwrap() > 0);
        let answer =
            format!("HTTP/1.1 307 x\r\nLocation: ws://{elsewhere}/v2\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let endpoint = SimulatedEndpoint::new("127.0.0.1", port).unwrap();
    let fault = PublicStream::connect(&endpoint, instrument(), [0; 3]).map(drop).unwrap_err();
    assert_eq!(fault.code(), "VENUE_PROTOCOL");
    server.join().unwrap();
    assert_eq!(other.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_refused_subscription_is_the_venues_word() {
    let venue = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = venue.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let mut socket = tungstenite::accept(venue.accept().unwrap().0).unwrap();
        let mut asked = Vec::new();
        for _ in 0..3 {
            asked.push(socket.read().unwrap().into_text().unwrap().to_string());
        }
        let no = r#"{"method":"subscribe","success":false,"error":"EGeneral:Permission denied"}"#;
        socket.send(Message::text(no)).unwrap();
        asked
    });
    let endpoint = SimulatedEndpoint::new("127.0.0.1", port).unwrap();
    let mut stream = PublicStream::connect(&endpoint, instrument(), [0; 3]).unwrap();
    let fault = stream.next_frames().unwrap_err();
    assert_eq!((fault.code(), fault.cause()), ("VENUE_REFUSED", "EGeneral:Permission denied"));
    let asked = server.join().unwrap();
    for (text, channel) in asked.iter().zip(["book", "ticker", "trade"]) {
        assert!(text.contains(&format!("\"channel\":\"{channel}\"")), "{text}");
    }
}

/// Pings are answered without cutting into what the session writes.
#[test]
fn pings_and_orders_share_the_line() {
    let double = Double::new(2, |mut socket, heard| {
        for _ in 0..50 {
            socket.send(Message::Ping(b"are you there".to_vec().into())).unwrap();
        }
        let (mut orders, mut pongs) = (0_u32, 0_u32);
        for _ in 0..100 {
            let message = socket.read().unwrap();
            if let Message::Text(text) = message {
                heard.lock().unwrap().push(text.to_string());
                orders = orders.saturating_add(1);
            } else {
                assert_eq!(message, Message::Pong(b"are you there".to_vec().into()));
                pongs = pongs.saturating_add(1);
            }
        }
        assert_eq!((orders, pongs), (50, 50));
    });
    let mut house = House::new(1);
    let (mut session, mut reader) = double.connect(&house).unwrap();
    let hearer = std::thread::spawn(move || until_down(&mut reader));
    for _ in 0..50 {
        assert_eq!(session.submit(house.order(WISH), soon()), SubmitFate::Sent);
    }
    let events = hearer.join().unwrap();
    assert!(matches!(events.as_slice(), [PrivateEvent::Down(VenueFault::Unreachable(_))]));
    assert_eq!(order_count(&double.orders), 50);
    double.join();
}
