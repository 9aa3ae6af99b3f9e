//! A daemon of one answer, for the tests of every command line.

use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use portcullis_control::{Answer, Request, read_frame, write_frame};

/// A daemon that answers one request with the given frames and hands back the request.
pub(crate) fn daemon(socket: PathBuf, frames: Vec<Vec<u8>>) -> JoinHandle<Request> {
    let listener = UnixListener::bind(socket).unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let request = read_frame(&mut stream).unwrap().unwrap();
        for frame in frames {
            write_frame(&mut stream, &frame).unwrap();
        }
        Request::from_bytes(&request).unwrap()
    })
}

pub(crate) fn frame(answer: &Answer) -> Vec<u8> {
    answer.to_bytes().unwrap()
}
