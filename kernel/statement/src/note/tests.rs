//! Notes against bytes that Go's note package wrote, and everything that is no note.

use super::*;
use crate::Digest;

const NAME: &str = "portcullis/host/acct/1/simulated";
/// `note.GenerateKey` over the seed 0, 1, … 31.
const SKEY: &str = "PRIVATE+KEY+portcullis/host/acct/1/simulated+a6cf27e9+AQABAg\
    MEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
const VKEY: &str =
    "portcullis/host/acct/1/simulated+a6cf27e9+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
/// `note.Sign` with that key.
const SIGNED: &str = "portcullis/host/acct/1/simulated\n3\n\
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
    — portcullis/host/acct/1/simulated ps8n6R2CouLkJeMGK2Am7blTZGPYNj1KUAzAW2npj\
    TJpj/MyYI27jT4ITgyoewVrXGs0tx2tAnkIIZJujZfLC5Q4Ggk=\n";
/// From the specification of cosignatures.
const PUBLISHED: &str = "example.com/behind-the-sofa\n20852163\n\
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
    — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoR\
    De4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
    — witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OW\
    XEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

fn seed() -> [u8; 32] {
    std::array::from_fn(|at| u8::try_from(at).unwrap())
}

fn log_key() -> NoteSigner {
    NoteSigner::from_seed(NAME, KeyKind::Ed25519, seed()).unwrap()
}

fn witness(seed: u8) -> NoteSigner {
    NoteSigner::from_seed("witness/w1", KeyKind::Cosignature, [seed; 32]).unwrap()
}

fn checkpoint() -> Checkpoint {
    let root = Digest::from_base64("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=").unwrap();
    Checkpoint { origin: NAME.to_owned(), size: 3, root }
}

#[test]
fn keys_and_signatures_are_the_bytes_that_go_writes() {
    let signer = log_key();
    assert_eq!(signer.secret_text(), SKEY);
    assert_eq!(signer.verifier().to_string(), VKEY);
    assert_eq!(NoteSigner::parse(SKEY).unwrap().verifier(), signer.verifier());
    assert_eq!(VerifierKey::parse(VKEY).unwrap(), *signer.verifier());
    assert_eq!(checkpoint().sign(&signer).unwrap().to_string(), SIGNED);
    let opened = SignedCheckpoint::open(SIGNED.as_bytes(), signer.verifier()).unwrap();
    assert_eq!((opened.checkpoint(), opened.note().lines().len()), (&checkpoint(), 1));
    assert_eq!(opened.note().to_string(), SIGNED);
}

#[test]
fn the_published_example_is_read_and_written_back() {
    let note = Note::parse(PUBLISHED.as_bytes()).unwrap();
    assert_eq!(note.to_string(), PUBLISHED);
    assert_eq!(Checkpoint::parse(note.text()).unwrap().size, 20_852_163);
    let [_, witness] = note.lines() else { panic!("two lines") };
    assert_eq!(witness.signature.len(), 8 + 64);
    assert_eq!(witness.signature[..8], 1_679_315_147_u64.to_be_bytes());
}

#[test]
fn one_wrong_bit_anywhere_is_found() {
    let key = VerifierKey::parse(VKEY).unwrap();
    for at in 0..SIGNED.len() {
        for bit in 0..8 {
            let mut bytes = SIGNED.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            assert!(SignedCheckpoint::open(&bytes, &key).is_err(), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn a_key_is_one_text_and_nothing_else() {
    let refused = |text: &str| {
        assert_eq!(VerifierKey::parse(text), Err(NoteFault::Key), "{text}");
        assert_eq!(NoteSigner::parse(text).unwrap_err(), NoteFault::Key, "{text}");
    };
    for text in ["", "+", "a+b", "name+a6cf27e9+", "name+a6cf27e9+AQ=="] {
        refused(text);
    }
    for (from, to) in [
        ("a6cf27e9", "A6CF27E9"),
        ("a6cf27e9", "a6cf27e8"),
        ("a6cf27e9", "+6cf27e9"),
        ("acct/1", "acct/2"),
        ("acct", "ac ct"),
        ("acct", "ac+ct"),
        ("+AQ", "+Ag"),
        ("+AQ", "+BA"),
        ("+AQ", "+AQAA"),
    ] {
        refused(&VKEY.replace(from, to));
        refused(&SKEY.replacen(from, to, 1));
    }
    // Each is refused as the other, too.
    assert_eq!(VerifierKey::parse(SKEY), Err(NoteFault::Key));
    assert_eq!(NoteSigner::parse(VKEY).unwrap_err(), NoteFault::Key);
    assert!(!format!("{:?}", log_key()).contains("AQABAgME"), "a secret in a debug text");
}

#[test]
fn a_note_that_the_key_did_not_sign_is_refused() {
    let key = VerifierKey::parse(VKEY).unwrap();
    let check = |text: &str, fault: NoteFault| {
        let found = SignedCheckpoint::open(text.as_bytes(), &key).unwrap_err();
        assert_eq!(found, fault, "{text}");
    };
    check(&SIGNED.replace("\n3\n", "\n4\n"), NoteFault::Signature);
    check(&SIGNED.replace("ps8n6R", "qs8n6R"), NoteFault::NotSigned);
    check(&SIGNED.replace("— portcullis", "— portcullus"), NoteFault::NotSigned);
    check(&SIGNED.replacen("portcullis/", "other/", 1), NoteFault::Origin);
    // A line that lies beside one that is true.
    let line = SIGNED.lines().last().unwrap();
    check(&format!("{SIGNED}{}\n", line.replace("2CouL", "2CouM")), NoteFault::Signature);
    check(&format!("{SIGNED}{}\n", line.replace("Ggk=", "Ggw=")), NoteFault::Signature);
}

#[test]
fn what_is_no_note_is_refused() {
    let check = |text: &str, fault: NoteFault| {
        assert_eq!(Note::parse(text.as_bytes()).unwrap_err(), fault, "{text:.80}");
    };
    check("", NoteFault::Malformed);
    check("text\n\n", NoteFault::Malformed);
    check(SIGNED.trim_end(), NoteFault::Malformed);
    check(&SIGNED.replace("\n\n", "\n"), NoteFault::Malformed);
    check(&format!("{SIGNED}\n"), NoteFault::Malformed);
    check(&SIGNED.replace("— ", "- "), NoteFault::Malformed);
    check(&SIGNED.replace("\n3\n", "\n\t3\n"), NoteFault::Malformed);
    check(&SIGNED.replace('\n', "\r\n"), NoteFault::Malformed);
    check(&SIGNED.replace("Ggk=", "Ggk"), NoteFault::Malformed);
    check(&SIGNED.replace("Ggk=", "Ggl="), NoteFault::Malformed);
    check(&SIGNED.replace("— portcullis", "— port\u{a0}cullis"), NoteFault::Malformed);
    check(&format!("{SIGNED}— name AAAAAA==\n"), NoteFault::Malformed);
    let line = SIGNED.lines().last().unwrap();
    let many = format!("{SIGNED}{}", format!("{line}\n").repeat(NOTE_SIGNATURES_MAX));
    check(&many, NoteFault::TooLarge);
    check(&format!("{}{SIGNED}", "x".repeat(NOTE_BYTES_MAX)), NoteFault::TooLarge);
    assert_eq!(Note::parse(b"\xff\n\n").unwrap_err(), NoteFault::Malformed);
    for text in ["no newline", "a\tb\n", ""] {
        assert_eq!(Note::sign(text, &log_key()).unwrap_err(), NoteFault::Malformed, "{text}");
    }
}

#[test]
fn a_checkpoint_has_one_text() {
    let good = checkpoint().text();
    let check = |text: String| {
        assert_eq!(Checkpoint::parse(&text).unwrap_err(), NoteFault::Checkpoint, "{text}");
    };
    assert_eq!(Checkpoint::parse(&good).unwrap(), checkpoint());
    for size in ["03", "+3", "-3", "", " 3", "18446744073709551616"] {
        check(good.replace("\n3\n", &format!("\n{size}\n")));
    }
    check(format!("{good}extension\n"));
    check(good.trim_end().to_owned());
    check(good.replace("q2I=", "q2J="));
    check(good.replace("q2I=", "q2I"));
    check(good.replace("portcullis/", "port cullis/"));
    check(good.replace('=', "==="));
    let other = Checkpoint { origin: "other".to_owned(), ..checkpoint() };
    assert_eq!(other.sign(&log_key()).unwrap_err(), NoteFault::Origin);
}

#[test]
fn a_cosignature_is_of_one_witness_one_text_and_one_time() {
    let (log, w1) = (log_key(), witness(7));
    let mut signed = SignedCheckpoint::open(SIGNED.as_bytes(), log.verifier()).unwrap();
    assert_eq!(signed.note().cosigned_at(w1.verifier()), Err(NoteFault::NotSigned));
    let (early, late) = (1_679_315_147, 1_679_315_200);
    for time_s in [late, early] {
        let line = w1.cosign(&checkpoint(), time_s).unwrap();
        assert_eq!(SignatureLine::parse(&line.to_string()).unwrap(), line);
        assert_eq!(signed.cosign(line, w1.verifier()), Ok(time_s));
    }
    let note = Note::parse(signed.note().to_string().as_bytes()).unwrap();
    assert_eq!(note.cosigned_at(w1.verifier()), Ok(late));
    assert_eq!(note.cosigned_at(witness(8).verifier()), Err(NoteFault::NotSigned));
    note.verify(log.verifier()).unwrap();

    let line = w1.cosign(&checkpoint(), late).unwrap();
    let mut refused = |change: &dyn Fn(&mut SignatureLine), fault: NoteFault| {
        let mut wrong = line.clone();
        change(&mut wrong);
        assert_eq!(signed.cosign(wrong, w1.verifier()), Err(fault));
    };
    for at in 0..line.signature.len() {
        refused(&|wrong| wrong.signature[at] ^= 1, NoteFault::Signature);
    }
    refused(&|wrong| wrong.signature.truncate(7), NoteFault::Signature);
    refused(&|wrong| wrong.name.push('x'), NoteFault::NotSigned);
    refused(&|wrong| wrong.key_hash ^= 1, NoteFault::NotSigned);
    let larger = Checkpoint { size: 4, ..checkpoint() };
    let of_another = w1.cosign(&larger, late).unwrap();
    refused(&|wrong| *wrong = of_another.clone(), NoteFault::Signature);
    assert_eq!(signed.note().lines().len(), 3, "nothing wrong was added");
}

#[test]
fn the_message_of_a_cosignature_is_the_specified_one() {
    let time_s = 1_679_315_147;
    let line = witness(7).cosign(&checkpoint(), time_s).unwrap();
    let message = format!("cosignature/v1\ntime {time_s}\n{}", checkpoint().text());
    let key = witness(7).verifier().key();
    assert!(key.verifies(message.as_bytes(), &line.signature[8..]));
    assert_eq!(line.signature[..8], time_s.to_be_bytes());
}

#[test]
fn a_key_signs_what_its_kind_says_and_nothing_else() {
    let (log, w1) = (log_key(), witness(7));
    assert_eq!(log.cosign(&checkpoint(), 1).unwrap_err(), NoteFault::Key);
    assert_eq!(Note::sign("text\n", &w1).unwrap_err(), NoteFault::Key);
    assert_eq!(w1.cosign(&checkpoint(), u64::MAX).unwrap_err(), NoteFault::Malformed);
    let note = Note::parse(SIGNED.as_bytes()).unwrap();
    assert_eq!(note.cosigned_at(log.verifier()), Err(NoteFault::Key));
    // One key under both kinds: the hashes differ, so that no line can be taken for the other's.
    let twin = NoteSigner::from_seed(NAME, KeyKind::Cosignature, seed()).unwrap();
    assert_ne!(twin.verifier().hash(), log.verifier().hash());
    assert_eq!(NoteSigner::parse(&twin.secret_text()).unwrap().verifier(), twin.verifier());
}
