//! Time stamps: asked for by our verb, made by a loopback authority of openssl's, checked by
//! `openssl ts -verify`.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use portcullis_tests::program;

use super::epoch::{self, Scratch, key};

const CONFIG: &str = "\
[ tsa ]
default_tsa = it
[ it ]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
[ extensions ]
extendedKeyUsage = critical,timeStamping
[ req ]
distinguished_name = name
[ name ]
";

fn openssl(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("openssl").args(arguments).current_dir(folder).output().unwrap()
}

fn must(folder: &Path, arguments: &[&str]) {
    let output = openssl(folder, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {said}");
}

/// A key and a certificate that may stamp.
fn authority(folder: &Path) {
    fs::create_dir(folder).unwrap();
    fs::write(folder.join("tsa.conf"), CONFIG).unwrap();
    fs::write(folder.join("serial"), "01\n").unwrap();
    let new = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=tsa"];
    let files = ["-keyout", "tsa.key", "-out", "tsa.pem"];
    let how = ["-config", "tsa.conf", "-extensions", "extensions"];
    must(folder, &[&new[..], &files, &how].concat());
}

/// Answers one query over HTTP, as `openssl ts -reply` stamps it.
fn answer_one(folder: &Path, listener: &TcpListener) {
    let (mut stream, _) = listener.accept().unwrap();
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        request.push(byte[0]);
    }
    let head = String::from_utf8(request).unwrap();
    assert!(head.starts_with("POST /tsr HTTP/1.0\r\n"), "{head}");
    let length = head.split("Content-Length: ").nth(1).unwrap();
    let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
    let mut query = vec![0; length];
    stream.read_exact(&mut query).unwrap();
    fs::write(folder.join("query"), query).unwrap();
    let reply = ["ts", "-reply", "-config", "tsa.conf", "-section", "it", "-queryfile", "query"];
    must(
        folder,
        &[&reply[..], &["-inkey", "tsa.key", "-signer", "tsa.pem", "-out", "reply"]].concat(),
    );
    let reply = fs::read(folder.join("reply")).unwrap();
    let head = "HTTP/1.0 200 OK\r\nContent-Type: application/timestamp-reply\r\n\r\n";
    stream.write_all(&[head.as_bytes(), &reply].concat()).unwrap();
}

#[test]
fn a_checkpoint_is_stamped_and_openssl_agrees() {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("SKIPPED: no openssl: cargo xtask setup");
        return;
    }
    let scratch = Scratch::new();
    let tsa = scratch.path().join("tsa");
    authority(&tsa);
    let folder = scratch.path().join("epoch");
    fs::create_dir(&folder).unwrap();
    epoch::make(&folder, &key(1), 100, 50);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/tsr", listener.local_addr().unwrap());
    let stamp = |more: &[&str]| {
        let mut command = Command::new(program("portcullis").unwrap());
        command.args(["evidence", "timestamp"]).arg(&folder).args(more).output().unwrap()
    };
    // Without an authority only the query is written; openssl reads it.
    assert!(stamp(&[]).status.success());
    let stamped = folder.join("log/stamped");
    must(&stamped, &["ts", "-query", "-in", "100.tsq", "-text"]);
    std::thread::scope(|scope| {
        scope.spawn(|| answer_one(&tsa, &listener));
        let output = stamp(&["--url", &url]);
        assert!(output.status.success(), "{output:?}");
    });
    let trust = ["-CAfile", "../../../tsa/tsa.pem"];
    let verify = |data: &str| {
        let arguments = ["ts", "-verify", "-data", data, "-in", "100.tsr"];
        openssl(&stamped, &[&arguments[..], &trust].concat()).status.success()
    };
    assert!(verify("100"));
    must(
        &stamped,
        &[&["ts", "-verify", "-queryfile", "100.tsq", "-in", "100.tsr"][..], &trust].concat(),
    );
    // The stamp of one checkpoint is none of another, nor of a changed one.
    assert!(!verify("../../checkpoint.50"));
    let mut bytes = fs::read(stamped.join("100")).unwrap();
    bytes[3] ^= 1;
    fs::write(stamped.join("changed"), bytes).unwrap();
    assert!(!verify("changed"));
    // A second time there is nothing to replace.
    assert!(!stamp(&["--url", "http://127.0.0.1:9/tsr"]).status.success());
}
