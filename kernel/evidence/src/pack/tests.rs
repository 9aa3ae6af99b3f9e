//! Packs: written whole, sealed, verified, and attacked.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use portcullis_statement::{Digest, Kind};

use super::testkit::{Installation, TestLeaves, files, name};
use portcullis_domain::Phase;

use super::*;
use crate::testing::{Generator, Scratch};

const SEGMENT: &str = "journal/000001.journal";

fn damage(pack: &Path, ours: &Installation) -> Finding {
    match verify(pack, Some(ours.pin()), &TestLeaves).outcome {
        Outcome::Damaged(finding) => finding,
        Outcome::Ok | Outcome::SelfConsistentOriginUnproven => panic!("nothing found"),
    }
}

fn alter(pack: &Path, file: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(pack.join(file)).unwrap();
    change(&mut bytes);
    fs::write(pack.join(file), bytes).unwrap();
}

#[test]
fn an_honest_pack_holds_under_its_genesis_and_only_then() {
    let (scratch, ours) = (Scratch::new("pack"), Installation::new(7));
    let pack = ours.pack(&scratch);
    let verdict = verify(&pack, Some(ours.pin()), &TestLeaves);
    assert_eq!(verdict.outcome, Outcome::Ok, "{:#?}", verdict.steps);
    assert_eq!(verdict.simulated, Some(true));
    assert!(verdict.steps.iter().all(|step| matches!(step.result, StepResult::Passed(_))));
    assert_eq!(verdict.steps.len(), 15);

    let unproven = verify(&pack, None, &TestLeaves);
    assert_eq!(unproven.outcome, Outcome::SelfConsistentOriginUnproven);
}

/// A stranger's pack is consistent in itself; only the anchor tells.
#[test]
fn a_whole_pack_signed_anew_by_a_stranger_is_refused() {
    let (scratch, ours, stranger) =
        (Scratch::new("stranger"), Installation::new(7), Installation::new(8));
    let forged = stranger.pack(&scratch);
    assert_eq!(damage(&forged, &ours).code, "GENESIS_MISMATCH");
    let unpinned = verify(&forged, None, &TestLeaves);
    assert_eq!(unpinned.outcome, Outcome::SelfConsistentOriginUnproven);
}

#[test]
fn a_flipped_byte_anywhere_is_found_and_its_file_named() {
    let (scratch, ours) = (Scratch::new("flip"), Installation::new(7));
    let pack = ours.pack(&scratch);
    for file in files(&pack) {
        let original = fs::read(pack.join(&file)).unwrap();
        for at in [0, original.len() / 3, original.len() / 2, original.len() - 1] {
            alter(&pack, &file, |bytes| bytes[at] ^= 0x04);
            let verdict = verify(&pack, Some(ours.pin()), &TestLeaves);
            // A signature of the seal is named by its statement: nothing lists it by itself.
            let named = |finding: &Finding| {
                finding.place.starts_with(&file)
                    || file.starts_with(&finding.place)
                    || finding.reason.contains(&file)
            };
            let found = verdict
                .steps
                .iter()
                .any(|step| matches!(&step.result, StepResult::Failed(finding) if named(finding)));
            assert!(found, "{file} at {at}: {:#?}", verdict.steps);
            assert!(matches!(verdict.outcome, Outcome::Damaged(_)));
            fs::write(pack.join(&file), &original).unwrap();
        }
    }
    assert_eq!(verify(&pack, Some(ours.pin()), &TestLeaves).outcome, Outcome::Ok);
}

#[test]
fn a_damaged_record_of_the_journal_is_named() {
    let (scratch, ours) = (Scratch::new("record"), Installation::new(7));
    let pack = ours.pack(&scratch);
    let journal = fs::read(pack.join(SEGMENT)).unwrap();
    let at = journal.windows(6).position(|window| window == b"\"fill\"").unwrap();
    alter(&pack, SEGMENT, |bytes| bytes[at] = b'\'');
    let finding = damage(&pack, &ours);
    assert_eq!(
        (finding.code, finding.place.as_str()),
        ("JOURNAL_DAMAGED", "journal/000001.journal entry 2")
    );
}

/// Parts altered together with manifest and sums: consistent again, but no longer sealed.
#[test]
fn manifest_and_sums_written_anew_do_not_fit_the_seal() {
    let (scratch, ours) = (Scratch::new("anew"), Installation::new(7));
    let pack = ours.pack(&scratch);
    alter(&pack, "lessons.md", |bytes| bytes.extend_from_slice(b"all went well\n"));
    let mut manifest = Manifest::parse(&fs::read(pack.join("manifest.json")).unwrap()).unwrap();
    let bytes = fs::read(pack.join("lessons.md")).unwrap();
    let entry = manifest.files.get_mut("lessons.md").unwrap();
    *entry =
        FileEntry { digest: crate::Digest::of(&bytes), bytes: bytes.len().try_into().unwrap() };
    fs::write(pack.join("manifest.json"), manifest.to_bytes()).unwrap();
    fs::write(pack.join("SHA256SUMS"), manifest.sums_text()).unwrap();
    let finding = damage(&pack, &ours);
    assert_eq!((finding.code, finding.place.as_str()), ("PACK_BINDING", "statements/seal.json"));
}

#[test]
fn valid_parts_in_the_wrong_place_do_not_bind() {
    let ours = Installation::new(7);
    let check = |change: fn(&mut PackContents), expect: &str| {
        let scratch = Scratch::new("bind");
        let mut contents = ours.contents();
        change(&mut contents);
        let pack = scratch.path().join("pack");
        let written = write_pack(&pack, &contents, &TestLeaves).unwrap();
        seal_pack(&pack, &ours.seal(&written, 1)).unwrap();
        assert_eq!(damage(&pack, &ours).code, expect);
    };
    check(|contents| contents.session = name("s-2"), "PACK_BINDING");
    check(|contents| contents.phase = portcullis_domain::Phase::Shadow, "PACK_BINDING");
    check(|contents| drop(contents.statements.remove(1)), "PACK_BINDING");
    check(|contents| drop(contents.statements.remove(2)), "PACK_BINDING");
    check(|contents| drop(contents.statements[3].signatures.pop()), "SIGNATURE_MISSING");
    check(|contents| contents.parts[5].bytes = b"{\"entries\":5}".to_vec(), "PACK_DERIVED");
    check(|contents| contents.chunks[0].digest.0[0] ^= 1, "CHUNK_DIGEST");
}

#[test]
fn an_unsealed_pack_is_no_evidence() {
    let (scratch, ours) = (Scratch::new("unsealed"), Installation::new(7));
    let pack = scratch.path().join("pack");
    let written = write_pack(&pack, &ours.contents(), &TestLeaves).unwrap();
    assert_eq!(damage(&pack, &ours).code, "PACK_UNSEALED");

    let mut elsewhere = written;
    elsewhere.manifest.0[0] ^= 1;
    let refusal = seal_pack(&pack, &ours.seal(&elsewhere, 1)).unwrap_err();
    assert_eq!(refusal.code(), "PACK_SEAL_ELSEWHERE");
    let refusal = seal_pack(&pack, &ours.contents().statements[3]).unwrap_err();
    assert_eq!(refusal.code(), "KIND_UNEXPECTED");
    seal_pack(&pack, &ours.seal(&written, 1)).unwrap();
    assert_eq!(seal_pack(&pack, &ours.seal(&written, 1)).unwrap_err().code(), "PACK_EXISTS");
    assert_eq!(verify(&pack, Some(ours.pin()), &TestLeaves).outcome, Outcome::Ok);
}

#[test]
fn an_incomplete_pack_is_not_written_and_leaves_nothing_behind() {
    let ours = Installation::new(7);
    let check = |change: fn(&mut PackContents), expect: &str| {
        let scratch = Scratch::new("refused");
        let mut contents = ours.contents();
        change(&mut contents);
        let target = scratch.path().join("pack");
        assert_eq!(write_pack(&target, &contents, &TestLeaves).unwrap_err().code(), expect);
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
    };
    for (index, name) in required_parts(Phase::Paper).iter().enumerate() {
        let scratch = Scratch::new("missing");
        let mut contents = ours.contents();
        contents.parts.remove(index);
        let refusal = write_pack(&scratch.path().join("p"), &contents, &TestLeaves).unwrap_err();
        assert_eq!(refusal.to_string(), format!("PACK_PART_MISSING: {name} is missing"));
    }
    check(|contents| contents.parts[8].bytes = b"<<what we learnt>>".to_vec(), "PACK_PLACEHOLDER");
    check(|contents| contents.parts[0].name = "../runlog.md".to_owned(), "PACK_PART_UNEXPECTED");
    check(|contents| contents.parts.push(contents.parts[0].clone()), "PACK_PART_UNEXPECTED");
    check(|contents| drop(contents.statements.remove(0)), "PACK_PART_MISSING");
    check(|contents| drop(contents.statements.pop()), "PACK_PART_MISSING");
    check(|contents| contents.statements[1].bytes.push(b' '), "STATEMENT_MALFORMED");
    check(|contents| contents.simulated = false, "PACK_SIMULATED");
    check(|contents| contents.journal[0].truncate(400), "JOURNAL_TRUNCATED");
    check(|contents| contents.journal[0][260] ^= 1, "JOURNAL_DAMAGED");
}

#[test]
fn nothing_that_exists_is_replaced() {
    let (scratch, ours) = (Scratch::new("exists"), Installation::new(7));
    let pack = ours.pack(&scratch);
    let refusal = write_pack(&pack, &ours.contents(), &TestLeaves).unwrap_err();
    assert_eq!(refusal.code(), "PACK_EXISTS");
    assert_eq!(verify(&pack, Some(ours.pin()), &TestLeaves).outcome, Outcome::Ok);
}

#[test]
fn a_pack_cannot_lead_the_verifier_elsewhere() {
    let ours = Installation::new(7);
    let check = |change: fn(&Path), expect: &str| {
        let scratch = Scratch::new("hostile");
        let pack = ours.pack(&scratch);
        change(&pack);
        assert_eq!(damage(&pack, &ours).code, expect);
    };
    check(|pack| symlink("/etc/hostname", pack.join("extra")).unwrap(), "PACK_STRUCTURE");
    check(
        |pack| {
            fs::remove_file(pack.join("recon.md")).unwrap();
            symlink("lessons.md", pack.join("recon.md")).unwrap();
        },
        "PACK_STRUCTURE",
    );
    check(
        |pack| {
            fs::remove_dir_all(pack.join("chunks")).unwrap();
            symlink("statements", pack.join("chunks")).unwrap();
        },
        "PACK_STRUCTURE",
    );
    check(|pack| fs::create_dir(pack.join("more")).unwrap(), "PACK_STRUCTURE");
    check(|pack| fs::write(pack.join("a\u{1b}[2Jb"), b"").unwrap(), "PACK_STRUCTURE");
    check(|pack| fs::write(pack.join("extra.md"), b"").unwrap(), "PACK_FILE_UNLISTED");
    check(|pack| fs::remove_file(pack.join("recon.md")).unwrap(), "PACK_FILE_MISSING");
    check(|pack| alter(pack, "recon.md", |bytes| bytes.resize(9_999, b'x')), "PACK_FILE_TOO_LONG");
    check(|pack| fs::remove_file(pack.join("manifest.json")).unwrap(), "PACK_FILE_MISSING");
    let scratch = Scratch::new("nothing");
    assert_eq!(damage(&scratch.path().join("none"), &ours).code, "PACK_UNREADABLE");
    assert_eq!(damage(scratch.path(), &ours).code, "PACK_FILE_MISSING");
}

#[test]
fn a_pipe_in_a_pack_does_not_stop_the_verifier() {
    let (scratch, ours) = (Scratch::new("pipe"), Installation::new(7));
    let pack = ours.pack(&scratch);
    fs::remove_file(pack.join("recon.md")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(pack.join("recon.md")).status();
    assert!(made.unwrap().success());
    assert_eq!(damage(&pack, &ours).code, "PACK_STRUCTURE");
}

#[test]
fn names_from_a_pack_reach_the_terminal_escaped() {
    let (scratch, ours) = (Scratch::new("escape"), Installation::new(7));
    let pack = ours.pack(&scratch);
    fs::write(pack.join("ok\u{202e}\u{1b}]52;"), b"").unwrap();
    assert_eq!(damage(&pack, &ours).place, "ok\\u{202e}\\u{1b}]52;");
}

/// Damage at random: never a panic, never a pass.
#[test]
fn random_damage_never_panics_and_never_passes() {
    let (scratch, ours) = (Scratch::new("random"), Installation::new(7));
    let pack = ours.pack(&scratch);
    let (names, mut random) = (files(&pack), Generator::new(11));
    for round in 0..300 {
        let file = &names[random.below(names.len())];
        let original = fs::read(pack.join(file)).unwrap();
        alter(&pack, file, |bytes| {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes.truncate(at),
                1 => bytes[at] = bytes[at].wrapping_add(1),
                2 => bytes.insert(at, 0xff),
                _ => drop(bytes.drain(..=at)),
            }
        });
        let outcome = verify(&pack, Some(ours.pin()), &TestLeaves).outcome;
        assert!(matches!(outcome, Outcome::Damaged(_)), "round {round}: {file}");
        fs::write(pack.join(file), original).unwrap();
    }
}

/// The manifest by itself: no digest stands before its reader.
#[test]
fn a_damaged_manifest_is_refused_or_is_another_manifest() {
    let (scratch, ours) = (Scratch::new("fuzz-manifest"), Installation::new(7));
    let whole = fs::read(ours.pack(&scratch).join("manifest.json")).unwrap();
    let mut random = Generator::new(24);
    for _ in 0..5_000 {
        let mut bytes = whole.clone();
        crate::testing::damage(&mut bytes, &mut random);
        if let Ok(manifest) = Manifest::parse(&bytes) {
            assert_eq!(manifest.to_bytes(), bytes, "one manifest, one text");
        }
    }
}

/// Between the listing of a pack and the reading of a file, somebody puts another in its place.
#[test]
fn a_file_that_is_exchanged_while_the_pack_is_read_is_noticed() {
    let (scratch, ours) = (Scratch::new("exchanged"), Installation::new(7));
    let pack = ours.pack(&scratch);
    let (manifest, aside) = (pack.join("manifest.json"), scratch.path().join("aside"));
    let bytes_max = fs::metadata(&manifest).unwrap().len();
    let check = |exchange: &dyn Fn()| {
        let folder = Folder::open(&pack).unwrap();
        folder.read("manifest.json", bytes_max).unwrap();
        fs::rename(&manifest, &aside).unwrap();
        exchange();
        let code = folder.read("manifest.json", bytes_max).unwrap_err().code;
        fs::rename(&aside, &manifest).unwrap();
        code
    };
    // Byte for byte the same, and yet not the file that was listed.
    assert_eq!(check(&|| assert!(fs::copy(&aside, &manifest).is_ok())), "PACK_STRUCTURE");
    assert_eq!(check(&|| symlink(&aside, &manifest).unwrap()), "PACK_STRUCTURE");
    let grown = Folder::open(&pack).unwrap();
    alter(&pack, "manifest.json", |bytes| bytes.push(b' '));
    assert_eq!(grown.read("manifest.json", bytes_max + 1).unwrap_err().code, "PACK_STRUCTURE");
}

/// A pack of a million files is refused at the first that is too many.
#[test]
fn a_pack_of_too_many_files_is_refused_without_walking_them_all() {
    let (scratch, ours) = (Scratch::new("many"), Installation::new(7));
    let pack = ours.pack(&scratch);
    let (one, chunks) = (scratch.path().join("one"), pack.join("chunks"));
    fs::write(&one, b"").unwrap();
    // A hard link costs no file; a file system allows 65 000 of each.
    for number in 0..110_000_u32 {
        if number % 50_000 == 0 {
            fs::remove_file(&one).unwrap();
            fs::write(&one, b"").unwrap();
        }
        fs::hard_link(&one, chunks.join(number.to_string())).unwrap();
    }
    let found = damage(&pack, &ours);
    assert_eq!((found.code, &*found.reason), ("PACK_STRUCTURE", "too many files"));
}

/// What a stranger checks with tools that are not ours.
#[test]
fn coreutils_gzip_and_openssh_agree() {
    let (scratch, ours) = (Scratch::new("strangers"), Installation::new(7));
    let pack = ours.pack(&scratch);
    let script = "set -e; sha256sum --quiet -c SHA256SUMS; \
        for c in chunks/*.gz; do \
          test \"$(gunzip -c $c | sha256sum | cut -c1-64)\" = \"$(basename $c .gz)\"; done; \
        ssh-keygen -Y check-novalidate -n portcullis-seal \
          -s statements/seal.json.1.sig < statements/seal.json";
    let checked = std::process::Command::new("sh").args(["-c", script]).current_dir(&pack).output();
    let checked = checked.unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    assert_eq!(Kind::Seal.namespace(), "portcullis-seal");
}

/// Renderings lie beside what is sealed: their absence blocks nothing, and others than those that
/// were made from this pack are named.
#[test]
fn renderings_are_bound_to_their_pack_or_named() {
    let (scratch, ours) = (Scratch::new("renderings"), Installation::new(7));
    let pack = ours.pack(&scratch);
    let bytes = fs::read(pack.join("manifest.json")).unwrap();
    let (manifest, root) = (Digest::of(&bytes), Manifest::parse(&bytes).unwrap().session_root);
    let check = || check_renderings(&pack, manifest, root);
    assert_eq!(check(), Ok(None));
    let entry = FileEntry { digest: Digest::of(b"<p>"), bytes: 3 };
    let bound = Renderings {
        origin: "test".to_owned(),
        pack: Some(manifest),
        session_root: root,
        files: [("report.html".to_owned(), entry)].into(),
    };
    let put = |name: &str, bytes: &[u8]| {
        fs::create_dir_all(pack.join(RENDERINGS_FOLDER)).unwrap();
        fs::write(pack.join(RENDERINGS_FOLDER).join(name), bytes).unwrap();
    };
    let code = || check().unwrap_err().code;
    put("report.html", b"<p>");
    assert_eq!(code(), "PACK_FILE_MISSING");
    put("manifest.json", &bound.to_bytes());
    assert_eq!(check(), Ok(Some(bound.clone())));
    assert_eq!(verify(&pack, Some(ours.pin()), &TestLeaves).outcome, Outcome::Ok);
    let other = Some(Digest::of(b"another"));
    for renderings in [
        Renderings { pack: other, ..bound.clone() },
        Renderings { pack: None, ..bound.clone() },
        Renderings { session_root: Digest::of(b"another"), ..bound.clone() },
    ] {
        put("manifest.json", &renderings.to_bytes());
        assert_eq!(code(), "RENDERINGS_UNBOUND");
    }
    put("manifest.json", b"{}");
    assert_eq!(code(), "RENDERINGS_UNBOUND");
    put("manifest.json", &bound.to_bytes());
    put("report.html", b"<b>");
    assert_eq!(code(), "RENDERINGS_DAMAGED");
    put("report.html", b"<p>");
    put("more.html", b"");
    assert_eq!(code(), "RENDERINGS_DAMAGED");
    fs::remove_file(pack.join(RENDERINGS_FOLDER).join("more.html")).unwrap();
    symlink("/etc/hostname", pack.join(RENDERINGS_FOLDER).join("more.html")).unwrap();
    assert_eq!(code(), "PACK_STRUCTURE");
}
