//! A key is drawn once, found again, and gone at the end.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use portcullis_evidence::epoch_folder;

use super::*;

const ORIGIN: &str = "portcullis/host/account/1/simulated";

fn scratch() -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let name = format!("portcullis-keys-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn a_key_is_drawn_once_and_found_again() {
    let epochs = scratch();
    let folder = epoch_folder(&epochs, 1);
    assert!(folder.ends_with("000001"));
    let drawn = prepare(&folder, ORIGIN).unwrap();
    assert_eq!(drawn.verifier().name(), ORIGIN);
    let mode = fs::metadata(folder.join(KEY)).unwrap().mode();
    assert_eq!(mode & 0o777, 0o600);
    for found in [prepare(&folder, ORIGIN).unwrap(), load(&folder, ORIGIN).unwrap()] {
        assert_eq!(found.verifier(), drawn.verifier());
    }
    let other = prepare(&epoch_folder(&epochs, 2), ORIGIN).unwrap();
    assert_ne!(other.verifier(), drawn.verifier());
    fs::remove_dir_all(epochs).unwrap();
}

#[test]
fn a_key_that_is_missing_open_to_others_or_another_logs_is_refused() {
    let epochs = scratch();
    let folder = epoch_folder(&epochs, 1);
    let code = |origin: &str| load(&folder, origin).map(drop).map_err(|fault| fault.code);
    assert_eq!(code(ORIGIN), Err("EPOCH_KEY_MISSING".to_owned()));
    prepare(&folder, ORIGIN).unwrap();
    assert_eq!(code(ORIGIN), Ok(()));
    assert_eq!(code("another"), Err("EPOCH_KEY_MALFORMED".to_owned()));
    let path = folder.join(KEY);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(code(ORIGIN), Err("EPOCH_KEY_UNREADABLE".to_owned()));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, "PRIVATE+KEY+x\n").unwrap();
    assert_eq!(code(ORIGIN), Err("EPOCH_KEY_MALFORMED".to_owned()));
    fs::remove_dir_all(epochs).unwrap();
}

#[test]
fn a_forgotten_key_is_overwritten_before_its_name_goes() {
    let epochs = scratch();
    let folder = epoch_folder(&epochs, 1);
    prepare(&folder, ORIGIN).unwrap();
    // Another name of the same bytes on the disk.
    let witness = epochs.join("witness");
    fs::hard_link(folder.join(KEY), &witness).unwrap();
    let before = fs::read(&witness).unwrap();
    assert!(before.starts_with(b"PRIVATE+KEY+"));
    forget(&folder).unwrap();
    assert!(!folder.join(KEY).exists());
    assert_eq!(fs::read(&witness).unwrap(), vec![0; before.len()]);
    forget(&folder).unwrap();
    fs::remove_dir_all(epochs).unwrap();
}

/// A crash between overwriting and removing leaves zeros under the key's name.
#[test]
fn what_a_crash_left_of_forgetting_is_forgotten_and_nothing_else() {
    let epochs = scratch();
    let folder = epoch_folder(&epochs, 1);
    let key = prepare(&folder, ORIGIN).unwrap().verifier().to_string();
    forget_wiped(&folder).unwrap();
    assert_eq!(loss(&folder, ORIGIN, &key), None);
    assert!(loss(&folder, ORIGIN, "another").unwrap().starts_with("EPOCH_KEY_FOREIGN"));
    let length = fs::read(folder.join(KEY)).unwrap().len();
    fs::write(folder.join(KEY), vec![0; length]).unwrap();
    assert!(loss(&folder, ORIGIN, &key).unwrap().starts_with(MALFORMED));
    assert_eq!(first_there(&epochs, 1..=2), 1);
    forget_wiped(&folder).unwrap();
    assert!(!folder.join(KEY).exists());
    assert!(loss(&folder, ORIGIN, &key).unwrap().starts_with(MISSING));
    assert_eq!(first_there(&epochs, 1..=2), 2);
    forget_wiped(&folder).unwrap();
    fs::remove_dir_all(epochs).unwrap();
}
