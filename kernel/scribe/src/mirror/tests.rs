//! The real server, on this host and in a folder of its own.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use portcullis_evidence::tree::TreeHasher;
use portcullis_evidence::{Digest, FileDisk, Journal};

use super::*;
use crate::testing::Scratch;

const ORIGIN: &str = "portcullis/host-1/acct.2/1/simulated";

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    #[expect(clippy::print_stderr, reason = "a test that skips says so")]
    fn start(scratch: &Scratch) -> Option<Self> {
        // Free a moment ago, and nobody else asks for it in the meantime.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let port = address.port().to_string();
        let mut command = Command::new("nats-server");
        command.args(["-a", "127.0.0.1", "-p", &port, "-js", "-sd"]).arg(scratch.path().join("js"));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let Ok(child) = child else {
            eprintln!("SKIPPED: no nats-server on this machine: apt-get install nats-server");
            return None;
        };
        Some(Self { child, address })
    }

    fn connect(&self) -> Connection {
        for _ in 0..100 {
            if let Ok(connection) = Connection::open(self.address) {
                return connection;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the server does not answer");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn journal(scratch: &Scratch, name: &str) -> (PathBuf, Journal<FileDisk>) {
    let home = scratch.path().join(name);
    fs::create_dir_all(home.join("epochs")).unwrap();
    let disk = FileDisk::open(&home.join("epochs")).unwrap();
    (home, Journal::create(disk, ORIGIN).unwrap())
}

fn write(journal: &mut Journal<FileDisk>, entries: std::ops::Range<usize>) {
    for number in entries {
        let long = "y".repeat(number.saturating_mul(5_000));
        journal.append(format!("{{\"entry\":{number},\"x\":\"{long}\"}}").as_bytes());
        journal.commit().unwrap();
    }
}

/// Every message of the stream, in order.
fn messages(connection: &mut Connection, count: u64) -> Vec<Vec<u8>> {
    let one = |seq: u64| {
        let ask = json!({ "seq": seq }).to_string();
        let subject = "$JS.API.STREAM.MSG.GET.portcullis_host-1_acct_2";
        let found = connection.ask(subject, &[], ask.as_bytes()).unwrap();
        STANDARD.decode(found.pointer("/message/data").unwrap().as_str().unwrap()).unwrap()
    };
    (1..=count).map(one).collect()
}

/// Each durable entry is on the stream once and in its place, however often the mirror begins anew;
/// the root over the messages is the journal's own.
#[test]
fn the_stream_is_the_journal_and_nothing_comes_twice() {
    let scratch = Scratch::new("mirror");
    let Some(server) = Server::start(&scratch) else { return };
    let (home, mut journal) = journal(&scratch, "home");
    write(&mut journal, 0..6);
    let mut connection = server.connect();
    let again = |connection: &mut Connection| {
        round(&home, &mut Closed::new(), (server.address, connection)).unwrap()
    };
    assert_eq!(again(&mut connection), Round { published: 5, whole: 5 });
    assert_eq!(again(&mut connection), Round { published: 0, whole: 5 });
    write(&mut journal, 6..9);
    let mut fresh = server.connect();
    assert_eq!(again(&mut fresh), Round { published: 3, whole: 8 });
    let mut tree = TreeHasher::new();
    for message in messages(&mut fresh, 8) {
        tree.push(&message);
    }
    let read = portcullis_evidence::read(JournalFolder::of_epoch(&home.join("epochs"), 1)).unwrap();
    assert_eq!(Some(tree.root()), read.root_at(8));
    assert_ne!(tree.root(), Digest::of(b""));
}

/// An epoch that is over is read once in a run, and one that the stream has passed not at all.
#[test]
fn the_stream_goes_on_through_epochs() {
    let scratch = Scratch::new("mirror");
    let Some(server) = Server::start(&scratch) else { return };
    let (home, mut journal) = journal(&scratch, "home");
    let (mut connection, mut closed) = (server.connect(), Closed::new());
    write(&mut journal, 0..4);
    let mut again = || round(&home, &mut closed, (server.address, &mut connection)).unwrap();
    assert_eq!(again(), Round { published: 3, whole: 3 });
    journal.begin_epoch("portcullis/host-1/acct.2/2/simulated");
    write(&mut journal, 4..7);
    // Of an epoch that is over all is durable.
    assert_eq!(again(), Round { published: 3, whole: 6 });
    write(&mut journal, 7..9);
    assert_eq!(again(), Round { published: 2, whole: 8 });
    assert_eq!(again(), Round { published: 0, whole: 8 });
    assert_eq!(closed.keys().collect::<Vec<_>>(), [&1]);
    // A run that knows nothing finds its place all the same.
    let mut fresh = Closed::new();
    let last = round(&home, &mut fresh, (server.address, &mut server.connect())).unwrap();
    assert_eq!(last, Round { published: 0, whole: 8 });
}

/// A journal that does not continue the stream, and a second writer, are refused by code.
#[test]
fn another_journal_and_another_writer_are_refused() {
    let scratch = Scratch::new("mirror");
    let Some(server) = Server::start(&scratch) else { return };
    let (home, mut longer) = journal(&scratch, "home");
    write(&mut longer, 0..5);
    let mut connection = server.connect();
    round(&home, &mut Closed::new(), (server.address, &mut connection)).unwrap();
    let (restored, mut shorter) = journal(&scratch, "restored");
    write(&mut shorter, 0..3);
    let error =
        round(&restored, &mut Closed::new(), (server.address, &mut connection)).unwrap_err();
    assert_eq!(error.code, "MIRROR_FORKED");
    let mut other = server.connect();
    let mut late = Stream::open(ORIGIN, (server.address, &mut other)).unwrap();
    write(&mut longer, 5..7);
    round(&home, &mut Closed::new(), (server.address, &mut connection)).unwrap();
    let error = late.publish(format!("{ORIGIN}/99"), b"{}").unwrap_err();
    assert_eq!(error.code, "MIRROR_REFUSED");
}

#[test]
fn an_address_elsewhere_and_a_silent_one_are_refused() {
    let code = |address: &str| Connection::open(address.parse().unwrap()).unwrap_err().code;
    assert_eq!(code("192.0.2.1:4222"), "MIRROR_ADDRESS");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(code(&closed.to_string()), "MIRROR_UNREACHABLE");
}

#[test]
fn a_name_is_no_pattern() {
    let expect = ("portcullis.h_1.a_".to_owned(), "portcullis_h_1_a_".to_owned());
    assert_eq!(names("portcullis/h.1/a>/7"), expect);
}
