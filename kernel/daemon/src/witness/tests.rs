//! Which checkpoints are this journal's, which are ahead of it, and which are another's.

use portcullis_evidence::log::TileWriter;
use portcullis_statement::Digest;

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
