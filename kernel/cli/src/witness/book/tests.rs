//! A witness signs what continues what it signed, and nothing else, whatever happens in between.

use portcullis_core::entry::{Content, Entry, Place};
use portcullis_domain::Name;
use portcullis_evidence::log::{LogFiles, TileReader, TileWriter, prove_consistency};

use super::*;
use crate::testing::Scratch;

const OF: &str = "portcullis/h/a";
const NOW_S: u64 = 1_800_000_000;

fn origin(number: u64) -> String {
    format!("{OF}/{number}/simulated")
}

/// A log that grows as it is told, and its tiles.
struct TestLog {
    tiles: TileWriter,
    signer: NoteSigner,
}

impl TestLog {
    fn new(scratch: &Scratch, name: &str, number: u64) -> Self {
        let seed = Digest::of(format!("{number}").as_bytes()).0;
        let signer = NoteSigner::from_seed(&origin(number), KeyKind::Ed25519, seed).unwrap();
        Self { tiles: TileWriter::new(LogFiles::new(scratch.path().join(name))), signer }
    }

    fn grow(&mut self, leaves: &[&str]) -> &mut Self {
        for leaf in leaves {
            self.tiles.push(leaf.as_bytes()).unwrap();
        }
        self.tiles.flush().unwrap();
        self
    }

    fn checkpoint(&self) -> Checkpoint {
        let (size, root) = (self.tiles.size(), self.tiles.root());
        Checkpoint { origin: self.signer.verifier().name().to_owned(), size, root }
    }

    fn signed(&self) -> SignedCheckpoint {
        let note = self.checkpoint().sign(&self.signer).unwrap().to_string();
        SignedCheckpoint::open(note.as_bytes(), self.signer.verifier()).unwrap()
    }

    fn reader(&self) -> TileReader {
        TileReader::new(self.tiles.files().clone(), self.tiles.size())
    }

    fn asked(&self, old: u64) -> AddCheckpoint {
        let proof = prove_consistency(&mut self.reader(), old, self.tiles.size());
        let note = self.signed().note().clone();
        AddCheckpoint { old, proof: proof.unwrap_or_default(), note }
    }

    fn offer(&self, book: &mut Book, old: u64) -> (u16, String) {
        let said = book.add_checkpoint(self.asked(old).text().as_bytes(), NOW_S);
        (said.status, said.body)
    }

    /// The text of the proof of one leaf under the last checkpoint.
    fn proof(&self, index: u64) -> String {
        LogProof::from_tiles(&mut self.reader(), index, &self.signed()).unwrap().to_string()
    }
}

fn witness(scratch: &Scratch, trusted: &TestLog) -> Book {
    let folder = scratch.path().join("w1");
    let signer = NoteSigner::from_seed("w1", KeyKind::Cosignature, [7; 32]).unwrap();
    Book::create(&folder, &signer).unwrap();
    let mut book = Book::open(&folder).unwrap();
    book.trust(trusted.signer.verifier().clone()).unwrap();
    book
}

fn reopened(scratch: &Scratch, book: Book) -> Book {
    drop(book);
    Book::open(&scratch.path().join("w1")).unwrap()
}

/// Offers the log as it stands, which the witness signs.
#[track_caller]
fn check_signed(book: &mut Book, log: &TestLog, old: u64) {
    let said = log.offer(book, old);
    check_line(book, log, said);
}

#[track_caller]
fn check_line(book: &Book, log: &TestLog, (status, body): (u16, String)) {
    assert_eq!(status, 200, "{body}");
    let note = format!("{}{body}", log.signed().note());
    let note = Note::parse(note.as_bytes()).unwrap();
    assert_eq!(note.cosigned_at(book.verifier()), Ok(NOW_S));
}

#[test]
fn a_tree_that_grows_is_cosigned_across_restarts() {
    let scratch = Scratch::new("book");
    let mut log = TestLog::new(&scratch, "log", 1);
    let mut book = witness(&scratch, &log);
    check_signed(&mut book, &log, 0);
    let mut known = 0;
    for step in 1..=9_u64 {
        let leaves = vec!["x"; usize::try_from(step * 31).unwrap()];
        log.grow(&leaves);
        check_signed(&mut book, &log, known);
        // The same once more, as a carrier does whose answer was lost.
        known = log.tiles.size();
        check_signed(&mut book, &log, known);
        book = reopened(&scratch, book);
        let last = book.last(OF, NOW_S).body;
        assert!(last.starts_with(&format!("{} {known}\n", origin(1))), "{last}");
    }
}

/// A11: what is shorter, forked, reordered or of another key is not signed, and what is known
/// stays known.
#[test]
fn a11_a_shorter_or_forked_tree_is_refused() {
    let scratch = Scratch::new("book");
    let mut log = TestLog::new(&scratch, "log", 1);
    let mut book = witness(&scratch, &log);
    log.grow(&["a", "b", "c", "d", "e"]);
    check_signed(&mut book, &log, 0);
    let conflict = (409, "5\n".to_owned());
    let mut short = TestLog::new(&scratch, "short", 1);
    short.grow(&["a", "b", "c"]);
    for old in [0, 3] {
        assert_eq!(short.offer(&mut book, old), conflict);
    }
    assert_eq!(short.offer(&mut book, 5).0, 400);
    let mut forked = TestLog::new(&scratch, "forked", 1);
    forked.grow(&["a", "b", "c", "d", "x"]);
    assert_eq!(forked.offer(&mut book, 5), conflict);
    forked.grow(&["f"]);
    for old in [0, 4, 6] {
        assert_eq!(forked.offer(&mut book, old), conflict);
    }
    assert_eq!(forked.offer(&mut book, 5).0, 422);
    log.grow(&["f", "g"]);
    let mut bent = log.asked(5);
    bent.proof.pop();
    assert_eq!(book.add_checkpoint(bent.text().as_bytes(), NOW_S).status, 422);
    let mut stranger = TestLog::new(&scratch, "stranger", 1);
    stranger.signer = NoteSigner::from_seed(&origin(1), KeyKind::Ed25519, [9; 32]).unwrap();
    stranger.grow(&["a", "b", "c", "d", "e", "f"]);
    assert_eq!(stranger.offer(&mut book, 5).0, 403);
    let unknown = TestLog::new(&scratch, "unknown", 2);
    assert_eq!(unknown.offer(&mut book, 0).0, 404);
    let good = log.asked(5).text();
    for bad in ["", "old 5\n", &good.replace("old 5", "old 05"), &good.replace("old 5", "new 5")] {
        assert_eq!(book.add_checkpoint(bad.as_bytes(), NOW_S).status, 400, "{bad}");
    }
    check_signed(&mut book, &log, 5);
}

fn ended(number: u64) -> String {
    let next = TestLog::new(&Scratch::new("next"), "x", number).signer.verifier().to_string();
    let body = object([("next_key", next.into()), ("next_origin", origin(number).into())]);
    let (corr, reason) = ("-".to_owned(), "ROLLED".to_owned());
    let content = Content { kind: "epoch-ended", corr, reason, body };
    let entry = Entry::new(portcullis_core::Class::Host, &Place::default(), content);
    String::from_utf8(entry.bytes).unwrap()
}

/// The next key is the one that the last entry of the last tree names, and no other.
#[test]
fn the_next_epoch_comes_with_the_proof_of_its_announcement() {
    let scratch = Scratch::new("book");
    let mut log = TestLog::new(&scratch, "log", 1);
    let mut book = witness(&scratch, &log);
    let (two, three) = (ended(2), ended(3));
    log.grow(&["a", &three, &two]);
    let next = |book: &mut Book, text: &str| book.next_epoch(text.as_bytes()).status;
    // Not before the tree that holds it was cosigned.
    assert_eq!(next(&mut book, &log.proof(2)), 409);
    log.offer(&mut book, 0);
    assert_eq!(next(&mut book, &log.proof(0)), 400);
    assert_eq!(next(&mut book, &log.proof(1)), 409);
    let mut forged = TestLog::new(&scratch, "forged", 1);
    forged.grow(&["a", "b", &two]);
    assert_eq!(next(&mut book, &forged.proof(2)), 409);
    forged.signer = NoteSigner::from_seed(&origin(1), KeyKind::Ed25519, [9; 32]).unwrap();
    assert_eq!(next(&mut book, &forged.proof(2)), 422);
    assert_eq!(next(&mut book, &log.proof(2).replace("index 2", "index 1")), 422);
    assert_eq!(next(&mut book, "nothing"), 400);
    let good = log.proof(2);
    assert_eq!(next(&mut book, &good), 200);
    book = reopened(&scratch, book);
    // The answer may have been lost. What came before is over.
    assert_eq!(next(&mut book, &good), 200);
    assert_eq!(log.offer(&mut book, 3).0, 404);
    let mut after = TestLog::new(&scratch, "after", 2);
    after.grow(&["began", &two]);
    check_signed(&mut book, &after, 0);
    // An announcement that is not the last entry announces nothing.
    after.grow(&[&three, "more"]);
    after.offer(&mut book, 2);
    assert_eq!(next(&mut book, &after.proof(2)), 422);
}

fn burn(log: &TestLog, nonce: &str) -> Burn {
    Burn {
        installation: OF.to_owned(),
        session: Name::new("s-1").unwrap(),
        nonce: nonce.to_owned(),
        approval: Digest::of(b"approval"),
        run: 1,
        journal: log.checkpoint(),
    }
}

/// A burn as the house asks for it.
fn asked(log: &TestLog, burn: &Burn) -> String {
    Note::sign(&burn.text(), &log.signer).unwrap().to_string()
}

/// A11: a nonce is burned once, whatever is said with it, and only at the tree that is known.
#[test]
fn a11_a_nonce_is_burned_once() {
    let scratch = Scratch::new("book");
    let mut log = TestLog::new(&scratch, "log", 1);
    let mut book = witness(&scratch, &log);
    log.grow(&["a", "b"]);
    let ask = |book: &mut Book, burn: &Burn| book.burn(asked(&log, burn).as_bytes(), NOW_S);
    log.offer(&mut book, 0);
    let good = burn(&log, "n1");
    let said = ask(&mut book, &good);
    let note = Note::parse(said.body.as_bytes()).unwrap();
    assert_eq!((said.status, note.cosigned_at(book.verifier())), (200, Ok(NOW_S)));
    assert_eq!(Burn::parse(note.text()), Some(good.clone()));
    assert_eq!(ask(&mut book, &good).status, 410);
    book = reopened(&scratch, book);
    let other = Burn { run: 2, session: Name::new("s-2").unwrap(), ..good.clone() };
    assert_eq!(ask(&mut book, &other).status, 410);
    // Not at a tree that is shorter, longer, forked, or of another house.
    let mut short = TestLog::new(&scratch, "short", 1);
    let conflict = format!("{} 2\n", origin(1));
    for leaves in [&["a"][..], &["x"], &["c", "d"]] {
        short.grow(leaves);
        let said = ask(&mut book, &burn(&short, "n2"));
        assert_eq!((said.status, said.body), (409, conflict.clone()));
    }
    let foreign = Burn { installation: "portcullis/h/b".to_owned(), ..burn(&log, "n2") };
    assert_eq!(ask(&mut book, &foreign).status, 404);
    assert_eq!(book.burn(b"burn this", NOW_S).status, 400);
    // Nobody but the house burns its nonces: no key, another's, or the last epoch's.
    let wanted = burn(&log, "n2");
    assert_eq!(book.burn(wanted.text().as_bytes(), NOW_S).status, 400);
    for key in [(origin(1), [9; 32]), (origin(2), Digest::of(b"2").0)] {
        let stranger = NoteSigner::from_seed(&key.0, KeyKind::Ed25519, key.1).unwrap();
        let asked = Note::sign(&wanted.text(), &stranger).unwrap().to_string();
        assert_eq!(book.burn(asked.as_bytes(), NOW_S).status, 403);
    }
    let cosigned = NoteSigner::from_seed("w1", KeyKind::Cosignature, [7; 32]).unwrap();
    let burned = cosigned.burn(&wanted, NOW_S).unwrap().to_string();
    assert_eq!(book.burn(burned.as_bytes(), NOW_S).status, 403);
    // What a crash left of a burn burns.
    let named = Digest::of(format!("{OF}\nn3").as_bytes()).hex();
    fs::write(scratch.path().join("w1/burns").join(named), b"").unwrap();
    assert_eq!(ask(&mut book, &burn(&log, "n3")).status, 410);
    assert_eq!(ask(&mut book, &burn(&log, "n2")).status, 200);
}

/// D2: after a write that failed nothing is signed, and what is on disk is what was.
#[test]
fn a_witness_that_cannot_write_does_not_sign() {
    let scratch = Scratch::new("book");
    let mut log = TestLog::new(&scratch, "log", 1);
    let mut book = witness(&scratch, &log);
    log.grow(&["a"]);
    check_signed(&mut book, &log, 0);
    let state = scratch.path().join("w1/logs").join(Digest::of(OF.as_bytes()).hex());
    let in_the_way = beside(&state, ".partial");
    fs::create_dir(&in_the_way).unwrap();
    log.grow(&["b"]);
    assert_eq!(log.offer(&mut book, 1).0, 500);
    fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(log.offer(&mut book, 1).0, 500);
    let known = TestLog::new(&scratch, "known", 1).grow(&["a"]).checkpoint();
    let wanted = Burn { journal: known, ..burn(&log, "n1") };
    assert_eq!(book.burn(asked(&log, &wanted).as_bytes(), NOW_S).status, 500);
    book = reopened(&scratch, book);
    assert_eq!(log.offer(&mut book, 2), (409, "1\n".to_owned()));
    check_signed(&mut book, &log, 1);
}

#[test]
fn one_process_signs_and_a_damaged_state_signs_nothing() {
    let scratch = Scratch::new("book");
    let log = TestLog::new(&scratch, "log", 1);
    let book = witness(&scratch, &log);
    let folder = scratch.path().join("w1");
    let code = || Book::open(&folder).map(|_| ()).map_err(|error| error.code).unwrap_err();
    assert_eq!(code(), "WITNESS_LOCKED");
    let mut book = reopened(&scratch, book);
    let again = book.trust(log.signer.verifier().clone()).unwrap_err();
    assert_eq!(again.code, "WITNESS_TRUSTS");
    let next = TestLog::new(&scratch, "next", 2).signer.verifier().clone();
    assert_eq!(book.trust(next).unwrap_err().code, "WITNESS_TRUSTS");
    drop(book);
    let state = folder.join("logs").join(Digest::of(OF.as_bytes()).hex());
    let whole = fs::read_to_string(&state).unwrap();
    fs::write(beside(&state, ".partial"), b"half").unwrap();
    assert!(Book::open(&folder).is_ok());
    for bad in ["", "{}", &whole.replace("\"size\":0", "\"size\":-1"), &whole.replace('1', "2")] {
        fs::write(&state, bad).unwrap();
        assert_eq!(code(), "WITNESS_STATE", "{bad}");
    }
    fs::write(&state, &whole).unwrap();
    fs::write(folder.join("key"), log.signer.secret_text()).unwrap();
    assert_eq!(code(), "WITNESS_STATE");
}

/// A clock that is set back makes no signature older than one before it.
#[test]
fn signed_times_do_not_go_back() {
    let scratch = Scratch::new("book");
    let mut log = TestLog::new(&scratch, "log", 1);
    let mut book = witness(&scratch, &log);
    log.grow(&["a"]);
    log.offer(&mut book, 0);
    let said = book.add_checkpoint(log.asked(1).text().as_bytes(), NOW_S - 500);
    check_line(&book, &log, (said.status, said.body));
}
