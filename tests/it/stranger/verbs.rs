//! The verbs of the command line over an epoch's folder.

use std::fs;
use std::path::Path;
use std::process::Command;

use portcullis_tests::program;

use super::Stranger;
use super::epoch::{self, Scratch, key};

/// Exit code, and what was said on both outputs.
fn evidence(folder: &Path, verb: &str, more: &[&str]) -> (i32, String) {
    let mut command = Command::new(program("portcullis").unwrap());
    let output = command.args(["evidence", verb]).arg(folder).args(more).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[test]
fn an_epoch_is_verified_as_far_as_somebody_outside_vouches_for_its_key() {
    let scratch = Scratch::new();
    epoch::make(scratch.path(), &key(1), 300, 50);
    let [vkey, other] = [key(1), key(2)].map(|it| it.verifier().to_string());
    let verify = |more: &[&str]| evidence(scratch.path(), "verify", more);
    let (code, said) = verify(&["--key", &vkey]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("300 entries") && said.contains(&vkey), "{said}");
    let (code, said) = verify(&[]);
    assert_eq!((code, said.contains("error[ORIGIN_UNPROVEN]")), (3, true), "{said}");
    let (code, said) = verify(&["--key", &other]);
    assert_eq!((code, said.contains("error[LOG_KEY_OTHER]")), (5, true), "{said}");
    let (code, said) = verify(&["--key", &vkey, "--json"]);
    assert_eq!((code, said.contains("\"schema\":\"portcullis.evidence.epoch/1\"")), (0, true));
    let tile = scratch.path().join("log/tile/0/000");
    let mut bytes = fs::read(&tile).unwrap();
    bytes[1] ^= 1;
    fs::write(tile, bytes).unwrap();
    let (code, said) = verify(&["--key", &vkey]);
    assert_eq!((code, said.contains("error[LOG_DIFFERS]")), (5, true), "{said}");
}

#[test]
fn an_entry_is_exported_from_tiles_or_from_the_journal_alone() {
    let home = Scratch::new();
    let folder = home.path().join("epochs/000001");
    fs::create_dir_all(&folder).unwrap();
    epoch::make(&folder, &key(1), 300, 50);
    let out = home.path().join("77.tlog-proof");
    let file = out.display().to_string();
    let (code, said) = evidence(home.path(), "export", &["--entry", "77", "--out", &file]);
    assert_eq!(code, 0, "{said}");
    if let Some(mut stranger) = Stranger::start() {
        let found = stranger.ask(&["proof", &file, &key(1).verifier().to_string()]).unwrap();
        assert!(found.starts_with("77 "), "{found}");
    }
    let (code, said) = evidence(&folder, "export", &["--entry", "300"]);
    assert_eq!((code, said.contains("error[LOG_NO_SUCH_ENTRY]")), (4, true), "{said}");
    let text = fs::read_to_string(&out).unwrap();
    fs::remove_dir_all(folder.join("log/tile")).unwrap();
    let (code, said) = evidence(&folder, "export", &["--entry", "77"]);
    assert_eq!((code, said), (0, text));
    epoch::write_journal(&folder, &[epoch::began(&key(1))], 1);
    let (code, said) = evidence(&folder, "export", &["--entry", "0"]);
    assert_eq!((code, said.contains("error[CHECKPOINT_AHEAD]")), (5, true), "{said}");
}
