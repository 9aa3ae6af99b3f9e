//! The names, the credentials, and a real server that speaks S3, on this host.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Stdio};

use super::super::store::{Place, Store};
use super::*;
use crate::testing::{Scratch, tools};

const SECRET: &str = "a-secret-of-the-store";
const KEY: &str = "a-key-of-the-store";

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    #[expect(clippy::print_stderr, reason = "a test that skips says so")]
    fn start() -> Option<Self> {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let Some(mut python) = tools::python_with("moto.server", &project) else {
            eprintln!("SKIPPED: no Python with moto: cargo xtask setup");
            return None;
        };
        // Free a moment ago, and nobody else asks for it in the meantime.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let port = address.port().to_string();
        python.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port]);
        let child = python.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { child, address };
        for _ in 0..400 {
            if ureq::put(format!("http://{address}/bucket")).send_empty().is_ok() {
                return Some(server);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the server does not answer");
    }

    fn place(&self, scratch: &Scratch, to: &str) -> Place {
        let file = scratch.path().join("credentials");
        fs::write(&file, format!("{{\"key\":\"{KEY}\",\"secret\":\"{SECRET}\"}}")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let remote = Remote {
            endpoint: Some(format!("http://{}", self.address)),
            region: "us-east-1".to_owned(),
            credentials: Some(file),
        };
        Place { to: to.to_owned(), remote }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The store itself refuses to write a name twice; two hosts with one prefix are told so.
#[test]
fn a_copy_in_a_store_is_made_once_and_never_changed() {
    let Some(server) = Server::start() else { return };
    let scratch = Scratch::new("s3");
    let place = server.place(&scratch, "s3://bucket/desk/one");
    let (store, other) = (Store::open(&place).unwrap(), Store::look(&place).unwrap());
    assert_eq!(store.list().unwrap(), super::super::Listed::new());
    assert!(store.create("a/b/c", b"one").unwrap());
    assert!(!other.create("a/b/c", b"one").unwrap());
    for bytes in [&b"two"[..], b"on", b"ones", b""] {
        assert_eq!(other.create("a/b/c", bytes).unwrap_err().code, "COPY_DIFFERS");
    }
    assert!(store.create("a/empty", b"").unwrap());
    let long = vec![7; 3_000_000];
    assert!(store.create("a/long", &long).unwrap());
    assert!(!store.create("a/long", &long).unwrap());
    let expect = [("a/b/c", 3), ("a/empty", 0), ("a/long", 3_000_000)];
    assert_eq!(other.list().unwrap(), expect.map(|(name, it)| (name.to_owned(), it)).into());
    // It lies below its prefix.
    let whole = Store::open(&server.place(&scratch, "s3://bucket")).unwrap().list().unwrap();
    assert_eq!(whole.get("desk/one/a/b/c"), Some(&3));
}

/// More names than one answer of a store holds.
#[test]
fn a_long_list_is_read_to_its_end() {
    let Some(server) = Server::start() else { return };
    let scratch = Scratch::new("s3");
    let store = Store::open(&server.place(&scratch, "s3://bucket")).unwrap();
    for number in 0..1_005 {
        store.create(&format!("n/{number:04}"), b"x").unwrap();
    }
    let listed = store.list().unwrap();
    assert_eq!((listed.len(), listed.last_key_value().unwrap().0.as_str()), (1_005, "n/1004"));
}

#[test]
fn what_a_store_refuses_is_told_without_a_secret() {
    let Some(server) = Server::start() else { return };
    let scratch = Scratch::new("s3");
    let store = Store::open(&server.place(&scratch, "s3://another")).unwrap();
    for error in [store.list().unwrap_err(), store.create("a", b"x").unwrap_err()] {
        assert!(error.code.starts_with("STORE_") && error.cause.contains("404"), "{error}");
        let said = format!("{error} {error:?} {store:?}");
        assert!(!said.contains(SECRET), "{said}");
    }
}

#[test]
fn credentials_lie_in_a_file_of_their_owner_alone() {
    let scratch = Scratch::new("s3");
    let file = scratch.path().join("credentials");
    let place = Remote { credentials: Some(file.clone()), ..Remote::default() };
    let check = |text: &str, mode: u32, code: &str| {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let error = open("s3://bucket", &place).err().unwrap();
        assert_eq!(error.code, code, "{error}");
        assert!(!error.to_string().contains(SECRET), "{error}");
    };
    let whole = format!("{{\"key\":\"k\",\"secret\":\"{SECRET}\"}}");
    for mode in [0o640, 0o604, 0o660] {
        check(&whole, mode, "CREDENTIALS_OPEN");
    }
    check(&format!("{{\"secret\":\"{SECRET}\"}}"), 0o600, "CREDENTIALS_MALFORMED");
    check(&format!("{{\"key\":1,\"{SECRET}\":2}}"), 0o400, "CREDENTIALS_MALFORMED");
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("elsewhere", &file).unwrap();
    assert_eq!(open("s3://bucket", &place).err().unwrap().code, "CREDENTIALS_OPEN");
    let error = open("s3://bucket", &Remote::default()).err().unwrap();
    assert_eq!(error.code, "CREDENTIALS_MISSING");
    for name in ["s3://", "s3:///prefix", "s3://bucket/a//b"] {
        assert_eq!(open(name, &place).err().unwrap().code, "STORE_NAME", "{name}");
    }
}

#[test]
fn without_tls_only_this_host_is_spoken_to() {
    for (endpoint, expect) in [
        ("https://s3.example.org", Ok(true)),
        ("http://127.0.0.1:9000", Ok(false)),
        ("http://[::1]:9000", Ok(false)),
        ("http://s3.example.org", Err(())),
        ("http://127.0.0.1.example.org", Err(())),
        ("http://localhost:9000", Err(())),
        ("https://key:secret@s3.example.org", Err(())),
        ("ftp://127.0.0.1", Err(())),
        ("127.0.0.1:9000", Err(())),
        ("", Err(())),
    ] {
        assert_eq!(is_https(endpoint).map_err(drop), expect, "{endpoint}");
    }
}
