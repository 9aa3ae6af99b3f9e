//! Every way to tamper, found by us and, where the log alone shows it, by the stranger too.

use std::fs;
use std::path::Path;

use portcullis_evidence::log::{LOG_FOLDER, LogFiles, LogProof, TileReader, verify_epoch};
use portcullis_evidence::note::{KeyKind, NoteSigner, SignedCheckpoint};

use super::Stranger;
use super::epoch::{self, Scratch, key};
use super::kinds::{self, ENTRIES, Found, GROUP};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for item in fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        let target = to.join(item.file_name());
        if item.file_type().unwrap().is_dir() {
            copy(&item.path(), &target);
        } else {
            fs::copy(item.path(), target).unwrap();
        }
    }
}

#[test]
fn a_sound_log_is_sound_to_a_stranger_too() {
    let Some(mut stranger) = Stranger::start() else { return };
    let scratch = Scratch::new();
    let vkey = key(1).verifier().to_string();
    let signed = epoch::make(scratch.path(), &key(1), ENTRIES, GROUP);
    let log = scratch.path().join(LOG_FOLDER);
    let found = stranger.log(&log, &vkey).unwrap();
    assert_eq!(found, format!("{} {}", signed.size, signed.root.base64()));
    let folder = log.display().to_string();
    for size in (GROUP..=ENTRIES).step_by(GROUP) {
        let older = scratch.path().join(format!("checkpoint.{size}")).display().to_string();
        stranger.ask(&["consistent", &older, &folder, &vkey]).unwrap();
    }
    for index in ["0", "50", "255", "256", "599"] {
        stranger.ask(&["included", &folder, &vkey, index]).unwrap();
    }
    stranger.ask(&["included", &folder, &vkey, "600"]).unwrap_err();
    let other = key(2).verifier().to_string();
    stranger.log(&log, &other).unwrap_err();
}

#[test]
fn a_log_that_was_cut_back_is_found_by_who_remembers_more_and_by_nobody_else() {
    let Some(mut stranger) = Stranger::start() else { return };
    let (long, short) = (Scratch::new(), Scratch::new());
    let vkey = key(1).verifier().to_string();
    epoch::make(long.path(), &key(1), ENTRIES, GROUP);
    epoch::make(short.path(), &key(1), ENTRIES - GROUP, GROUP);
    verify_epoch(short.path()).unwrap();
    let [long, short] = [&long, &short].map(|it| it.path().join(LOG_FOLDER));
    stranger.log(&short, &vkey).unwrap();
    // A witness, a time stamp, a copy elsewhere: each is a checkpoint that somebody kept.
    let kept = |log: &Path| log.join("checkpoint").display().to_string();
    let folder = |log: &Path| log.display().to_string();
    stranger.ask(&["consistent", &kept(&long), &folder(&short), &vkey]).unwrap_err();
    stranger.ask(&["consistent", &kept(&short), &folder(&long), &vkey]).unwrap();
}

#[test]
fn two_logs_of_one_key_are_not_one() {
    let Some(mut stranger) = Stranger::start() else { return };
    let (one, other) = (Scratch::new(), Scratch::new());
    let vkey = key(1).verifier().to_string();
    epoch::make(one.path(), &key(1), 300, GROUP);
    let mut entries = epoch::entries(&key(1), ENTRIES);
    entries.swap(20, 21);
    epoch::write_journal(other.path(), &entries, GROUP);
    let mut follower = epoch::follower(other.path(), &key(1));
    while follower.follow(None, |_| {}).unwrap() {}
    follower.sign(&key(1), false).unwrap();
    let seen = one.path().join(LOG_FOLDER).join("checkpoint").display().to_string();
    let forked = other.path().join(LOG_FOLDER);
    stranger.log(&forked, &vkey).unwrap();
    let forked = forked.display().to_string();
    stranger.ask(&["consistent", &seen, &forked, &vkey]).unwrap_err();
}

#[test]
fn a_proof_of_one_entry_is_judged_alike() {
    let Some(mut stranger) = Stranger::start() else { return };
    let scratch = Scratch::new();
    let signed = epoch::make(scratch.path(), &key(1), 300, GROUP);
    let log = scratch.path().join(LOG_FOLDER);
    let note = fs::read(log.join("checkpoint")).unwrap();
    let checkpoint = SignedCheckpoint::open(&note, key(1).verifier()).unwrap();
    let mut tiles = TileReader::new(LogFiles::new(log), signed.size);
    let proof = LogProof::of(&mut tiles, 77, &checkpoint).unwrap();
    let vkey = key(1).verifier().to_string();
    let file = scratch.path().join("77.tlog-proof");
    let mut judge = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        let ours = LogProof::parse(bytes).and_then(|it| it.verify(key(1).verifier()));
        let theirs = stranger.ask(&["proof", &file.display().to_string(), &vkey]);
        (ours.is_ok(), theirs.is_ok())
    };
    let text = proof.to_string();
    assert_eq!(judge(text.as_bytes()), (true, true));
    let changes: [fn(&mut LogProof); 8] = [
        |it| it.index = 78,
        |it| it.index += 512,
        |it| it.leaf[3] ^= 1,
        |it| it.leaf.clear(),
        |it| it.path[0].0[0] ^= 1,
        |it| it.path.swap(0, 1),
        |it| it.path.truncate(1),
        |it| it.path.push(it.path[0]),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut changed = proof.clone();
        change(&mut changed);
        assert_eq!(judge(changed.to_string().as_bytes()), (false, false), "change {number}");
    }
    // Each bit of each byte: the stranger is more lenient about spellings, never about content.
    let (mut ours, mut theirs) = (0, 0);
    for at in (0..text.len()).step_by(7) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 2;
        let (we, they) = judge(&bytes);
        assert!(!we, "byte {at}");
        ours += 1;
        theirs += usize::from(!they);
    }
    println!("{ours} flips of a proof found by us, {theirs} by the stranger");
    assert_eq!(ours, theirs);
}

#[test]
fn a_witness_is_understood_by_a_stranger() {
    let Some(mut stranger) = Stranger::start() else { return };
    let scratch = Scratch::new();
    let signed = epoch::make(scratch.path(), &key(1), 100, GROUP);
    let path = scratch.path().join(LOG_FOLDER).join("checkpoint");
    let mut checkpoint = SignedCheckpoint::open(&fs::read(&path).unwrap(), key(1).verifier());
    let checkpoint = checkpoint.as_mut().unwrap();
    let witness = NoteSigner::from_seed("witness/w1", KeyKind::Cosignature, [7; 32]).unwrap();
    let line = witness.cosign(&signed, 1_800_000_123).unwrap();
    checkpoint.cosign(line, witness.verifier()).unwrap();
    fs::write(&path, checkpoint.note().to_string()).unwrap();
    let (file, vkey) = (path.display().to_string(), witness.verifier().to_string());
    assert_eq!(stranger.ask(&["cosigned", &file, &vkey]), Ok("1800000123".to_owned()));
    // The log's own signature is still the one that it was, to those who know no witness.
    stranger.log(path.parent().unwrap(), &key(1).verifier().to_string()).unwrap();
    let other = NoteSigner::from_seed("witness/w1", KeyKind::Cosignature, [8; 32]).unwrap();
    stranger.ask(&["cosigned", &file, &other.verifier().to_string()]).unwrap_err();
}

#[test]
fn every_way_to_tamper_with_an_epoch_is_found() {
    let sound = Scratch::new();
    let vkey = key(1).verifier().to_string();
    epoch::make(sound.path(), &key(1), ENTRIES, GROUP);
    verify_epoch(sound.path()).unwrap();
    let mut stranger = Stranger::start();
    if let Some(stranger) = &mut stranger {
        stranger.log(&sound.path().join(LOG_FOLDER), &vkey).unwrap();
    }
    let (mut lines, mut missed) = (Vec::new(), Vec::new());
    let mut counts = [0, 0];
    for kind in kinds::all() {
        let scratch = Scratch::new();
        copy(sound.path(), scratch.path());
        (kind.tamper)(scratch.path());
        let ours = match verify_epoch(scratch.path()) {
            // Behind the last group of a live epoch that is what a crash leaves: it is said.
            Ok(report) => (report.torn_bytes > 0).then_some("torn bytes, said"),
            Err(fault) => Some(fault.code()),
        };
        let theirs = match &mut stranger {
            Some(it) if kind.found == Found::ByAll => {
                Some(it.log(&scratch.path().join(LOG_FOLDER), &vkey).err())
            }
            _ => None,
        };
        counts[0] += usize::from(ours.is_some());
        counts[1] += usize::from(matches!(theirs, Some(Some(_))));
        let stranger_says = match &theirs {
            None => "-",
            Some(None) => "NOT FOUND",
            Some(Some(_)) => "found",
        };
        let we_say = ours.unwrap_or("NOT FOUND");
        lines.push(format!("{:<62} {we_say:<22} {stranger_says}", kind.name));
        if ours.is_none() || matches!(theirs, Some(None)) {
            missed.push(kind.name);
        }
    }
    println!("{}", lines.join("\n"));
    println!("{} kinds: {} found by us, {} by the stranger", lines.len(), counts[0], counts[1]);
    assert!(missed.is_empty(), "not found: {missed:#?}");
    assert!(lines.len() >= 100, "{} kinds", lines.len());
}
