//! A home in the making, copied round by round.

use std::fs;

use portcullis_control::{Answer, Reply};
use portcullis_evidence::{FileDisk, Journal};

use super::*;
use crate::testing::{Scratch, daemon, frame};

const ORIGIN: &str = "portcullis/host-1/acct/1/simulated";

struct Scene {
    scratch: Scratch,
    journal: Journal<FileDisk>,
    store: Store,
    seen: Seen,
}

impl Scene {
    fn new() -> Self {
        let scratch = Scratch::new("copies");
        let home = scratch.path().join("home");
        for folder in ["chunks", "reports/paper_sessions/p1", "epochs"] {
            fs::create_dir_all(home.join(folder)).unwrap();
        }
        let disk = FileDisk::open(&home.join("epochs")).unwrap();
        let journal = Journal::create(disk, ORIGIN).unwrap();
        let store = Store::open(&store::folder(&scratch.path().join("copies"))).unwrap();
        Self { scratch, journal, store, seen: Seen::default() }
    }

    fn home(&self) -> PathBuf {
        self.scratch.path().join("home")
    }

    fn write(&mut self, entry: &str) {
        self.journal.append(entry.as_bytes());
        self.journal.commit().unwrap();
    }

    fn round(&mut self) -> Result<u64, CliError> {
        round(&self.home(), &self.store, &mut self.seen)
    }

    fn status(&self) -> Status {
        Status::of(&self.home(), &self.store, &mut Closed::new()).unwrap()
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.home().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn copy(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.scratch.path().join("copies").join(name)).ok()
    }
}

/// The pieces of a segment, one after the other in the order of their names, are the segment as
/// far as it is durable, while it grows and after it.
#[test]
fn the_pieces_of_a_growing_journal_are_the_journal() {
    let mut scene = Scene::new();
    for number in 0..20 {
        scene.write(&format!("entry {number} {}", "x".repeat(number * 50)));
        scene.round().unwrap();
        let status = scene.status();
        assert_eq!((status.unreplicated_bytes, status.epoch), (0, 1));
        assert_eq!(status.entries_copied, status.entries_durable);
        // The last group is durable for certain once another one says so.
        assert_eq!(status.entries_durable, u64::try_from(number).unwrap());
    }
    let segment = fs::read(scene.home().join("epochs/000001/journal/000001.journal")).unwrap();
    let named = pieces(&scene.store.list().unwrap(), "epochs/000001/journal/000001.journal");
    assert!(named.len() > 10, "{named:?}");
    let joined: Vec<u8> = named.iter().flat_map(|it| scene.copy(&it.0).unwrap()).collect();
    assert_eq!(joined, segment[..joined.len()]);
    // A piece that somebody took away comes back as it was.
    let lost = scene.scratch.path().join("copies").join(&named[4].0);
    fs::remove_file(&lost).unwrap();
    assert!(scene.status().unreplicated_bytes > 0);
    assert_eq!(scene.round().unwrap(), named[4].2 - named[4].1);
    assert_eq!(pieces(&scene.store.list().unwrap(), "epochs/000001/journal/000001.journal"), named);
    let mark = "epochs/000001/copied/00000000000000000019";
    assert!(scene.store.list().unwrap().contains_key(mark));
    assert!(scene.status().text().contains("unreplicated bytes: 0 (the scribe's claim)"));
}

/// What is copied is what never changes: no key, no pack in the making, no half a chunk. A
/// checkpoint is written anew again and again, and each state of it is kept.
#[test]
fn what_is_copied_is_finished_and_no_secret() {
    let mut scene = Scene::new();
    scene.write("one");
    let pack = "reports/paper_sessions/p1";
    scene.put("chunks/ab.gz", b"chunk");
    scene.put("chunks/cd.partial", b"half");
    scene.put("epochs/000001/key", b"secret");
    scene.put("epochs/000001/log/checkpoint", b"state 1");
    scene.put("epochs/000001/log/tile/0/000", b"tile");
    scene.put("credentials.json", b"secret");
    scene.put("genesis.json", b"genesis");
    scene.put(&format!("{pack}/runlog.md"), b"in the making");
    assert!(scene.status().unreplicated_bytes > 20);
    scene.round().unwrap();
    for (name, expect) in [
        ("chunks/ab.gz", Some(&b"chunk"[..])),
        ("chunks/cd.partial", None),
        ("epochs/000001/key", None),
        ("epochs/000001/log/checkpoint", None),
        ("epochs/000001/log/tile/0/000", Some(b"tile")),
        ("credentials.json", None),
        ("genesis.json", Some(b"genesis")),
        ("reports/paper_sessions/p1/runlog.md", None),
    ] {
        assert_eq!(scene.copy(name).as_deref(), expect, "{name}");
    }
    scene.put(&format!("{pack}/manifest.json"), b"{}");
    scene.put(&format!("{pack}/statements/seal.json"), b"seal");
    scene.put("epochs/000001/log/checkpoint", b"state 2");
    assert_eq!(scene.status().unreplicated_bytes, 13 + 2 + 4 + 7);
    scene.round().unwrap();
    assert_eq!(scene.status().unreplicated_bytes, 0);
    assert_eq!(scene.copy(&format!("{pack}/statements/seal.json")).unwrap(), b"seal");
    let listed = scene.store.list().unwrap();
    let states = listed.keys().filter(|it| it.starts_with("epochs/000001/log/checkpoints/"));
    assert_eq!(states.count(), 2);
}

/// Whoever changes history on one side is found on the next run, and nothing is overwritten.
#[test]
fn other_bytes_under_a_copied_name_are_a_refusal() {
    let mut scene = Scene::new();
    scene.put("chunks/ab.gz", b"chunk");
    (0..3).for_each(|number| scene.write(&format!("entry {number}")));
    scene.round().unwrap();
    scene.put("chunks/ab.gz", b"CHUNK");
    // This run has compared it; the next one reads everything anew.
    scene.round().unwrap();
    scene.seen = Seen::default();
    assert_eq!(scene.round().unwrap_err().code, "COPY_DIFFERS");
    assert_eq!(scene.copy("chunks/ab.gz").unwrap(), b"chunk");
    scene.put("chunks/ab.gz", b"chunk");

    let named = pieces(&scene.store.list().unwrap(), "epochs/000001/journal/000001.journal");
    let piece = scene.scratch.path().join("copies").join(&named[0].0);
    let mut bytes = fs::read(&piece).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::remove_file(&piece).unwrap();
    fs::write(&piece, &bytes).unwrap();
    scene.seen = Seen::default();
    assert_eq!(scene.round().unwrap_err().code, "COPY_DIFFERS");
    assert_eq!(fs::read(&piece).unwrap(), bytes);
}

/// The daemon of the home hears how much has no copy; a home without one is copied all the same.
#[test]
fn the_daemon_is_told_what_is_not_copied() {
    let scene = Scene::new();
    claim(&scene.home(), 5);
    let answer = Answer::last(Reply::Done { text: "noted".to_owned() });
    let heard = daemon(scene.home().join("control.sock"), vec![frame(&answer)]);
    claim(&scene.home(), 7);
    assert_eq!(heard.join().unwrap(), Request::Copied { unreplicated_bytes: 7 });
}
