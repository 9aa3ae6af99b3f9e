//! Which checkpoints are this journal's, which are ahead of it, and which are another's.

use portcullis_evidence::log::TileWriter;
use portcullis_statement::Digest;
use portcullis_statement::note::{KeyKind, NoteSigner};

use super::*;

fn checkpoint(size: u64, root: Digest) -> Checkpoint {
    Checkpoint { origin: "portcullis/h/a/1".to_owned(), size, root }
}

#[test]
fn a_checkpoint_is_held_against_the_tiles_of_this_disk() {
    let folder = std::env::temp_dir().join(format!("portcullis-standing-{}", std::process::id()));
    let files = LogFiles::new(folder.clone());
    let (made, mut tiles) = (Made::default(), TileWriter::new(files.clone()));
    let mut roots = vec![Digest::of(b"")];
    for number in 0_u16..600 {
        tiles.push(&number.to_be_bytes()).unwrap();
        roots.push(tiles.root());
    }
    tiles.flush().unwrap();
    let root = |size: usize| roots[size];
    let check = |size: usize, root: Digest| {
        let asked = checkpoint(u64::try_from(size).unwrap(), root);
        standing(&made, &files, &asked)
    };
    assert_eq!(check(600, root(600)).map_err(|(code, _)| code), Err("CHECKPOINT_FOREIGN"));
    made.add(checkpoint(300, root(300)), WallNs(3));
    made.add(checkpoint(600, root(600)), WallNs(6));
    // What is older than the first of this run covers nothing of it.
    for (size, at) in [(1, 0), (257, 0), (300, 3), (301, 3), (599, 3), (600, 6)] {
        assert_eq!(check(size, root(size)), Ok(Standing::Ours(WallNs(at))), "{size}");
        assert_eq!(check(size, root(size - 1)), Ok(Standing::Forked), "{size}");
    }
    assert_eq!(check(601, root(600)), Ok(Standing::Ahead));
    assert!(made.holds(&checkpoint(300, root(300))));
    assert!(!made.holds(&checkpoint(301, root(301))) && !made.holds(&checkpoint(300, root(1))));
    std::fs::remove_dir_all(folder).unwrap();
}

/// A11: of an epoch that is over a witness says nothing new, unless it saw another one.
#[test]
fn a11_an_epoch_that_is_over_is_held_against_what_was_seen_of_it() {
    let folder = std::env::temp_dir().join(format!("portcullis-over-{}", std::process::id()));
    let files = LogFiles::new(folder.clone());
    let mut tiles = TileWriter::new(files.clone());
    let mut roots = vec![Digest::of(b"")];
    for number in 0_u16..300 {
        tiles.push(&number.to_be_bytes()).unwrap();
        roots.push(tiles.root());
    }
    tiles.flush().unwrap();
    let at = |size: usize, root: usize| checkpoint(u64::try_from(size).unwrap(), roots[root]);
    assert_eq!(over(&files, &at(300, 300)), Err(FOREIGN), "it is not here any more");
    let last = at(300, 300);
    let key = NoteSigner::from_seed(&last.origin, KeyKind::Ed25519, [1; 32]).unwrap();
    files.put(CHECKPOINT, last.sign(&key).unwrap().to_string().as_bytes()).unwrap();
    for size in [1, 9, 299, 300] {
        assert_eq!(over(&files, &at(size, size)), Err(FOREIGN), "{size}");
        assert_eq!(over(&files, &at(size, size - 1)), Ok(Standing::Forked), "{size}");
    }
    assert_eq!(over(&files, &at(301, 300)), Ok(Standing::Ahead));
    std::fs::remove_dir_all(folder).unwrap();
}
