//! Requests are read strictly, places too, and nobody can hold a connection for ever.

use std::io::Cursor;

use super::*;

/// What somebody sends, and nothing to answer to.
struct Sent(Cursor<Vec<u8>>);

impl Read for Sent {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // In small pieces, as a network does.
        let count = buffer.len().min(7);
        self.0.read(&mut buffer[..count])
    }
}

impl Write for Sent {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Sent {
    fn patience(&self, _left: Duration) -> io::Result<()> {
        Ok(())
    }
}

#[track_caller]
fn check(text: &str, expect: Result<(&str, &str), u16>) {
    let read = read_request(&mut Sent(Cursor::new(text.as_bytes().to_vec())));
    let read = read.map(|it| (it.start, String::from_utf8(it.body).unwrap()));
    let expect = expect.map(|(start, body)| (start.to_owned(), body.to_owned()));
    assert_eq!(read, expect, "{text}");
}

#[test]
fn a_request_is_read_strictly() {
    let post = "POST /burn HTTP/1.1\r\nHost: x\r\n";
    check(&format!("{post}Content-Length: 3\r\n\r\nabc"), Ok(("POST /burn", "abc")));
    check("GET /last/a HTTP/1.1\r\nHost: x\r\n\r\n", Ok(("GET /last/a", "")));
    check(&format!("{post}\r\n"), Err(411));
    check(&format!("{post}Content-Length: 4\r\n\r\nabc"), Err(400));
    check(&format!("{post}Content-Length: 2\r\n\r\nabc"), Err(400));
    check(&format!("{post}Content-Length: +3\r\n\r\nabc"), Err(400));
    check(&format!("{post}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"), Err(400));
    check(&format!("{post}Content-Length: 163841\r\n\r\n"), Err(413));
    check(&format!("{post}Transfer-Encoding: chunked\r\n\r\n"), Err(411));
    check("nonsense\r\n\r\n", Err(400));
    check("POST /burn HTTP/1.1\r\nHost: x", Err(400));
    check(&format!("{post}X: {}\r\n\r\n", "x".repeat(HEAD_BYTES_MAX)), Err(431));
}

#[test]
fn a_place_has_one_form() {
    let check = |text: &str, expect: Option<&str>| {
        let read = Place::parse(text).map(|place| place.to_string());
        assert_eq!(read.as_deref(), expect, "{text}");
    };
    check("http://127.0.0.1:7001", Some("http://127.0.0.1:7001"));
    check("http://w.example:80/a/b/", Some("http://w.example:80/a/b"));
    check("unix:/run/w1", Some("unix:/run/w1"));
    for bad in ["", "unix:", "http://", "http://h", "http://:1", "http://h:x", "https://h:1"] {
        check(bad, None);
    }
    check("http://h:1/a b", None);
    check("http://h\r\n:1", None);
}
