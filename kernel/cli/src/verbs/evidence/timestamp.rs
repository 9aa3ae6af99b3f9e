//! `portcullis evidence timestamp`: a checkpoint under the clock of somebody else (RFC 3161).
//!
//! Made and checked outside of the daemon. What a time stamp says of us is in it alone; whether it
//! is good is for `openssl ts -verify` to say, with the certificate of the authority pinned.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use portcullis_evidence::log::{CHECKPOINT, LOG_FOLDER};
use portcullis_evidence::note::{Checkpoint, NOTE_BYTES_MAX, Note};
use portcullis_evidence::pack::MANIFEST_FILE;
use portcullis_statement::Digest;

use super::epoch::folder_of;
use crate::clock;
use crate::files::{self, beside, exists, shown};
use crate::{CliError, Exit, out};

/// Longest answer of an authority in bytes.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;
/// How long an authority may take.
const WAIT: Duration = Duration::from_secs(20);

/// Has a checkpoint stamped by a time-stamping authority.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis evidence timestamp HOME                # writes the query, sends nothing\n  \
    portcullis evidence timestamp HOME --url http://tsa.example/tsr\n\n\
    The checkpoint is kept beside the log as stamped/SIZE, with SIZE.tsq and SIZE.tsr. Check it:\n  \
    openssl ts -verify -data SIZE -in SIZE.tsr -CAfile AUTHORITY.pem")]
pub(crate) struct Args {
    /// A home or an epoch's folder. A pack is sealed as it is.
    path: PathBuf,
    /// The epoch of a home; its last one if this is left out.
    #[arg(long)]
    epoch: Option<u32>,
    /// The authority, http:// alone: the stamp is signed, and what is stamped is a digest.
    #[arg(long)]
    url: Option<String>,
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    if exists(&args.path.join(MANIFEST_FILE)) {
        let (cause, next) = ("nothing is added to a pack", "name the home, or the epoch's folder");
        return Err(CliError::new(Exit::Refused, "IS_A_PACK", &shown(&args.path), cause, next));
    }
    let log = folder_of(&args.path, args.epoch)?.join(LOG_FOLDER);
    let url = args.url.as_deref().map(Url::parse).transpose()?;
    let kept = keep(&log)?;
    let query_file = beside(&kept, ".tsq");
    let checkpoint = files::read(&kept, bytes(NOTE_BYTES_MAX))?;
    if !exists(&query_file) {
        files::write_new(&query_file, &query(Digest::of(&checkpoint), &clock::nonce()?))?;
    }
    let mut text = out::field("checkpoint", &shown(&kept));
    text += &out::field("query", &shown(&query_file));
    if let Some(url) = url {
        let query = files::read(&query_file, ANSWER_BYTES_MAX)?;
        let answer = url.post(&query)?;
        require_granted(&answer, &query, &url.text)?;
        let stamp = beside(&kept, ".tsr");
        files::write_new(&stamp, &answer)?;
        text += &out::field("stamp", &shown(&stamp));
    }
    out::result(&text)
}

/// Copies the checkpoint of this moment to `stamped/SIZE`: the next second replaces it.
fn keep(log: &Path) -> Result<PathBuf, CliError> {
    let path = log.join(CHECKPOINT);
    let note = files::read(&path, bytes(NOTE_BYTES_MAX))?;
    let read = Note::parse(&note).and_then(|note| Checkpoint::parse(note.text()));
    let checkpoint = read.map_err(|fault| {
        let next = "portcullis evidence verify PATH says what else does not hold";
        CliError::new(Exit::CheckFailed, fault.code(), &shown(&path), fault.cause(), next)
    })?;
    let folder = log.join("stamped");
    if !folder.is_dir() {
        files::make_folder(&folder)?;
    }
    let kept = folder.join(checkpoint.size.to_string());
    if !exists(&kept) {
        files::write_new(&kept, &note)?;
    }
    Ok(kept)
}

fn bytes(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// The object identifier of SHA-256 with its empty parameters, in DER.
const SHA256: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00];

/// One DER element. Everything here is shorter than 128 bytes.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap_or(u8::MAX);
    [&[tag, length], content].concat()
}

/// A `TimeStampReq` of version 1 over `digest`, with a nonce, that asks for the certificate.
fn query(digest: Digest, nonce: &str) -> Vec<u8> {
    // Hex digits as they are: 16 bytes whose first bit is not set, so a positive integer.
    let nonce = nonce.as_bytes().get(..16).unwrap_or_default();
    let imprint = der(0x30, &[&SHA256[..], &der(0x04, &digest.0)].concat());
    let parts = [der(0x02, &[1]), imprint, der(0x02, nonce), der(0x01, &[0xff])];
    der(0x30, &parts.concat())
}

/// An answer that says `granted` and is about this very query: its digest and its nonce.
fn require_granted(answer: &[u8], query: &[u8], url: &str) -> Result<(), CliError> {
    let refuse = |cause: &str| {
        let next = "openssl ts -reply -in FILE.tsr -text shows the answer of another try";
        Err(CliError::new(Exit::Refused, "TIMESTAMP_REFUSED", url, cause, next))
    };
    // TimeStampResp: a sequence that begins with PKIStatusInfo, whose first element is the status.
    let status = inside(answer).and_then(inside).and_then(|info| info.get(..3));
    if !matches!(status, Some([0x02, 0x01, 0 | 1])) {
        return refuse("the authority did not grant the stamp");
    }
    // Where [`query`] put the digest, and the nonce as an element of its own.
    let parts = [24..56, 56..74].map(|range| query.get(range).unwrap_or_default());
    let holds = |part: &[u8]| !part.is_empty() && answer.windows(part.len()).any(|it| it == part);
    if parts.into_iter().all(holds) { Ok(()) } else { refuse("the stamp is of something else") }
}

/// The content of the DER sequence at the front of `bytes`.
fn inside(bytes: &[u8]) -> Option<&[u8]> {
    let [0x30, length, rest @ ..] = bytes else { return None };
    // Behind a long form stand so many bytes of length.
    let skipped = if *length < 0x80 { 0 } else { usize::from(*length & 0x7f) };
    rest.get(skipped..)
}

/// Where an authority listens.
struct Url {
    text: String,
    host: String,
    port: u16,
    path: String,
}

impl Url {
    fn parse(text: &str) -> Result<Self, CliError> {
        let read = || {
            let rest = text.strip_prefix("http://")?;
            let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
            let (host, port) = place.split_once(':').unwrap_or((place, "80"));
            let plain = |it: &str| it.bytes().all(|byte| byte.is_ascii_graphic());
            let sound = !host.is_empty() && plain(host) && plain(path);
            let (host, path) = (host.to_owned(), format!("/{path}"));
            let port = port.parse().ok()?;
            sound.then(|| Self { text: text.to_owned(), host, port, path })
        };
        read().ok_or_else(|| {
            let next = "write http://HOST[:PORT]/PATH, or leave --url out and send the .tsq";
            CliError::new(Exit::Usage, "URL_UNUSABLE", text, "not an http:// address", next)
        })
    }

    /// Sends a query and gives the answer's body. Nothing is followed, repeated or kept open.
    fn post(&self, query: &[u8]) -> Result<Vec<u8>, CliError> {
        let fault = |cause: &str| {
            let next = "try again, or send the .tsq by other means";
            CliError::new(Exit::Temporary, "TIMESTAMP_UNREACHABLE", &self.text, cause, next)
        };
        let talk = || {
            let mut places = (self.host.as_str(), self.port).to_socket_addrs()?;
            let place = places.next().ok_or_else(|| std::io::Error::other("no address"))?;
            let mut stream = TcpStream::connect_timeout(&place, WAIT)?;
            stream.set_read_timeout(Some(WAIT))?;
            stream.set_write_timeout(Some(WAIT))?;
            let head = format!(
                "POST {} HTTP/1.0\r\nHost: {}\r\nContent-Type: application/timestamp-query\r\n\
                 Content-Length: {}\r\n\r\n",
                self.path,
                self.host,
                query.len()
            );
            stream.write_all(head.as_bytes())?;
            stream.write_all(query)?;
            let mut answer = Vec::new();
            stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
            Ok::<_, std::io::Error>(answer)
        };
        let answer = talk().map_err(|error| fault(&error.to_string()))?;
        let end = answer.windows(4).position(|it| it == b"\r\n\r\n");
        let (head, body) = end.and_then(|end| answer.split_at_checked(end)).unwrap_or_default();
        let status = head.split(|byte| *byte == b' ').nth(1);
        let body = body.get(4..).unwrap_or_default();
        if status == Some(b"200") && !body.is_empty() {
            Ok(body.to_vec())
        } else {
            Err(fault("the authority gave no stamp"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_the_der_that_openssl_reads() {
        let query = query(Digest([7; 32]), "0123456789abcdef0123456789abcdef");
        let expect = [
            &[0x30, 0x4b, 0x02, 0x01, 0x01, 0x30, 0x31][..],
            &SHA256,
            &[0x04, 0x20],
            &[7; 32],
            &[0x02, 0x10],
            b"0123456789abcdef",
            &[0x01, 0x01, 0xff],
        ];
        assert_eq!(query, expect.concat());
    }

    #[test]
    fn an_answer_is_granted_and_about_this_query() {
        let asked = query(Digest([7; 32]), "0123456789abcdef0123456789abcdef");
        let answer = |status: u8, about: &[u8]| {
            let info = der(0x30, &der(0x02, &[status]));
            [&[0x30, 0x81, 0x90][..], &info, about].concat()
        };
        let code = |answer: &[u8]| {
            require_granted(answer, &asked, "http://x/").map_err(|error| error.code)
        };
        let refused = Err("TIMESTAMP_REFUSED".to_owned());
        assert_eq!(code(&answer(0, &asked)), Ok(()));
        assert_eq!(code(&answer(1, &asked)), Ok(()));
        assert_eq!(code(&answer(2, &asked)), refused);
        assert_eq!(code(&answer(0, &query(Digest([8; 32]), "0123456789abcdef"))), refused);
        assert_eq!(code(&answer(0, &query(Digest([7; 32]), "0123456789abcdeX"))), refused);
        assert_eq!(code(b""), refused);
    }

    #[test]
    fn an_address_is_plain_http() {
        let check = |text: &str, expect: Option<(&str, u16, &str)>| {
            let url = Url::parse(text).ok();
            let found = url.as_ref().map(|it| (it.host.as_str(), it.port, it.path.as_str()));
            assert_eq!(found, expect, "{text}");
        };
        check("http://tsa.example/tsr", Some(("tsa.example", 80, "/tsr")));
        check("http://127.0.0.1:8080", Some(("127.0.0.1", 8080, "/")));
        for text in ["https://tsa.example/", "tsa.example", "http://", "http://a b/", "http://a:x/"]
        {
            check(text, None);
        }
        check("http://a/b\r\nX: y", None);
    }
}
