//! The request file: one statement with the signatures it has so far, to be passed from hand to
//! hand.
//!
//! One line of canonical JSON and a line feed:
//!
//! ```text
//! {"format":"portcullis.request/1","kind":"unkill","signatures":["-----…"],"statement":"{…}"}
//! ```
//!
//! `statement` is the text whose bytes are signed. Everything else can be derived from it or
//! checked against it, so nobody has to trust the file.

use std::path::Path;

use portcullis_statement::json::{Fields, JsonError, Value, object, parse_canonical};
use portcullis_statement::{Envelope, Kind, PublicKey, Refusal, SignedStatement, sshsig};

use crate::files::{self, shown};
use crate::{CliError, Exit};

const FORMAT: &str = "portcullis.request/1";
/// Longest request file in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A statement on its way to its signers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestFile {
    /// The statement, read and not verified.
    pub(crate) envelope: Envelope,
    /// Its bytes and the signatures so far.
    pub(crate) signed: SignedStatement,
}

/// One listed signer and what became of their signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Which signers, by position, have a valid signature in the file.
    pub(crate) signed: Vec<bool>,
    /// Signatures that are none over these bytes, or of nobody who is listed.
    pub(crate) foreign: usize,
}

impl RequestFile {
    /// A request without signatures.
    pub(crate) fn new(bytes: Vec<u8>) -> Result<Self, Refusal> {
        let envelope = Envelope::parse(&bytes)?;
        if envelope.header.kind != Kind::Genesis {
            envelope.statement()?;
        }
        Ok(Self { envelope, signed: SignedStatement { bytes, signatures: Vec::new() } })
    }

    /// Reads a request file; whatever stands in it must agree.
    pub(crate) fn read(path: &Path) -> Result<Self, CliError> {
        let bytes = files::read(path, FILE_BYTES_MAX)?;
        Self::parse(&bytes).map_err(|refusal| {
            let next = "ask for the request file again; portcullis request --help makes one";
            CliError::new(Exit::Refused, refusal.code(), &shown(path), &refusal.cause(), next)
        })
    }

    fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let value = parse_canonical(line)?;
        let mut fields = Fields::new(&value)?;
        if fields.text("format")? != FORMAT {
            return Err(JsonError::field("format", format!("is not {FORMAT}")).into());
        }
        let kind = fields.text("kind")?;
        let statement = object([
            ("signatures", Value::List(fields.list("signatures")?.to_vec())),
            ("statement", fields.text("statement")?.into()),
        ]);
        fields.finish()?;
        let signed = SignedStatement::from_value(&statement)?;
        let mut file = Self::new(signed.bytes)?;
        if kind != file.kind().name() {
            return Err(JsonError::field("kind", "is not that of the statement").into());
        }
        file.signed.signatures = signed.signatures;
        Ok(file)
    }

    /// The one spelling of the file.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let signatures = self.signed.signatures.iter().map(|text| text.as_str().into()).collect();
        let statement = String::from_utf8_lossy(&self.signed.bytes).into_owned();
        let value = object([
            ("format", FORMAT.into()),
            ("kind", self.kind().name().into()),
            ("signatures", Value::List(signatures)),
            ("statement", statement.into()),
        ]);
        let mut bytes = value.canonical();
        bytes.push(b'\n');
        bytes
    }

    /// What is to be signed.
    pub(crate) const fn kind(&self) -> Kind {
        self.envelope.header.kind
    }

    /// The key behind a signature over these bytes.
    pub(crate) fn signer_of(&self, armored: &str) -> Option<PublicKey> {
        sshsig::verify(armored, self.kind().namespace(), &self.signed.bytes).ok()
    }

    /// Adds a signature. Another one of the same key is replaced, the others are kept.
    pub(crate) fn add(&mut self, armored: String, key: PublicKey) {
        let others = self.signed.signatures.iter();
        let others = others.filter(|other| self.signer_of(other) != Some(key)).cloned();
        let mut signatures: Vec<String> = others.collect();
        signatures.push(armored);
        self.signed.signatures = signatures;
    }

    /// Who has signed so far, by key; whether people and roles are right is for the daemon.
    pub(crate) fn standing(&self) -> Standing {
        let keys: Vec<_> = self.signed.signatures.iter().map(|text| self.signer_of(text)).collect();
        let prints: Vec<_> = keys.iter().flatten().map(PublicKey::fingerprint).collect();
        let signers = &self.envelope.header.signers;
        let signed: Vec<bool> = signers.iter().map(|signer| prints.contains(&signer.key)).collect();
        let listed = prints.iter().filter(|print| signers.iter().any(|s| s.key == **print)).count();
        Standing { signed, foreign: keys.len().saturating_sub(listed) }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_statement::{Digest, Target};

    use super::*;
    use crate::draft;
    use crate::testing::{People, key, signed};

    fn request() -> RequestFile {
        let people = People::new();
        let bytes =
            draft::unkill(&people.desk(), Target::kill(1, Digest::of(b"kill")), "mended").unwrap();
        RequestFile::new(bytes).unwrap()
    }

    #[test]
    fn a_request_reads_back_with_its_signatures() {
        let mut file = request();
        assert_eq!(file.standing(), Standing { signed: vec![false, false], foreign: 0 });
        for armored in signed(file.signed.bytes.clone()).signatures {
            let key = file.signer_of(&armored).unwrap();
            file.add(armored.clone(), key);
            file.add(armored, key);
        }
        assert_eq!(file.standing(), Standing { signed: vec![true, true], foreign: 0 });
        assert_eq!(RequestFile::parse(&file.to_bytes()), Ok(file.clone()));
        let foreign = key("eve").sign("portcullis-unkill", &file.signed.bytes);
        file.signed.signatures.push(foreign);
        file.signed.signatures.push("nothing".to_owned());
        assert_eq!(file.standing().foreign, 2);
    }

    #[test]
    fn a_file_that_says_two_things_is_refused() {
        let text = String::from_utf8(request().to_bytes()).unwrap();
        let check = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            let read = RequestFile::parse(text.replacen(from, to, 1).as_bytes());
            assert_eq!(read.map_err(|error| error.code()), Err("STATEMENT_MALFORMED"), "{to}");
        };
        check("\"kind\":\"unkill\"", "\"kind\":\"seal\"");
        check("request/1", "request/2");
        check("{\"format\"", "{\"extra\":1,\"format\"");
        check("{\"format\"", "{ \"format\"");
        check("\\\"kill_seq\\\":1", "\\\"kill_seq\\\":-1");
    }
}
