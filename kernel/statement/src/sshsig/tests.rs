//! Our signatures against `ssh-keygen` and its signatures against us.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::*;
use crate::testkit;
use crate::{EndpointKind, Kind, SigningKey};

const NAMESPACE: &str = "portcullis-seal";

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let name = format!("portcullis-statement-{test}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in a temporary folder does no harm, and a test must not fail on it.
        drop(fs::remove_dir_all(&self.0));
    }
}

#[expect(clippy::print_stderr, reason = "a test that cannot run says so")]
fn ssh_keygen_is_here() -> bool {
    let found = Command::new("ssh-keygen").arg("-?").output().is_ok();
    if !found {
        eprintln!("SKIPPED: ssh-keygen is not installed");
    }
    found
}

/// Whether `ssh-keygen -Y verify` accepts the signature of `principal`.
fn stranger_accepts(
    folder: &Folder,
    principal: &str,
    namespace: &str,
    signature: &str,
    message: &[u8],
) -> bool {
    let signature = folder.write("signature", signature.as_bytes());
    let message = folder.write("message", message);
    let status = Command::new("ssh-keygen")
        .args(["-Y", "verify", "-I", principal, "-n", namespace, "-f"])
        .arg(folder.0.join("allowed_signers"))
        .arg("-s")
        .arg(signature)
        .env("TZ", "EST5EDT")
        .stdin(fs::File::open(message).unwrap())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.unwrap().success()
}

#[test]
fn a_signature_of_ssh_keygen_is_read_and_any_change_is_seen() {
    if !ssh_keygen_is_here() {
        return;
    }
    let folder = Folder::new("theirs");
    let key = folder.0.join("key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "alice@host", "-f"])
        .arg(&key)
        .status();
    assert!(made.unwrap().success());
    let line = fs::read_to_string(key.with_extension("pub")).unwrap();
    let public = PublicKey::parse_openssh(&line).unwrap();
    let listed = Command::new("ssh-keygen").arg("-lf").arg(&key).output().unwrap().stdout;
    assert!(String::from_utf8(listed).unwrap().contains(&format!(" {} ", public.fingerprint())));

    for hash in ["sha256", "sha512"] {
        let message = folder.write("statement", b"{\"a\":1}");
        let signed = Command::new("ssh-keygen")
            .args(["-q", "-Y", "sign", "-n", NAMESPACE, "-O", &format!("hashalg={hash}"), "-f"])
            .arg(&key)
            .arg(&message)
            .stderr(Stdio::null())
            .status();
        assert!(signed.unwrap().success());
        let armored = fs::read_to_string(message.with_extension("sig")).unwrap();
        fs::remove_file(message.with_extension("sig")).unwrap();
        assert_eq!(verify(&armored, NAMESPACE, b"{\"a\":1}"), Ok(public), "{hash}");
        assert_eq!(verify(&armored, NAMESPACE, b"{\"a\":2}"), Err(SshsigError::Mismatch));
        assert_eq!(
            verify(&armored, "portcullis-unkill", b"{\"a\":1}"),
            Err(SshsigError::Namespace)
        );
    }
}

#[test]
fn ssh_keygen_accepts_ours_with_the_generated_allowed_signers() {
    if !ssh_keygen_is_here() {
        return;
    }
    let folder = Folder::new("ours");
    let trust = testkit::trust(None, EndpointKind::Simulated);
    let allowed = trust.roster().allowed_signers();
    folder.write("allowed_signers", allowed.as_bytes());
    let message = b"{\"b\":2}";
    for person in trust.roster().people() {
        for kind in Kind::ALL {
            let namespace = kind.namespace();
            let signature = testkit::armored(person.name.as_str(), namespace, message);
            // What strangers accept of a token, we read too.
            assert_eq!(verify(&signature, namespace, message), Ok(person.key), "{}", person.name);
            let accepted =
                stranger_accepts(&folder, person.name.as_str(), namespace, &signature, message);
            let has_say = person.roles.iter().any(|role| kind.roles().contains(role));
            assert_eq!(accepted, has_say, "{} {namespace}", person.name);
        }
    }
    let signature = testkit::key("olga").sign(NAMESPACE, message);
    assert!(stranger_accepts(&folder, "olga", NAMESPACE, &signature, message));
    for (principal, namespace, bytes) in [
        ("anna", NAMESPACE, &message[..]),
        ("olga", "portcullis-unkill", &message[..]),
        ("olga", NAMESPACE, b"{\"b\":3}"),
    ] {
        assert!(!stranger_accepts(&folder, principal, namespace, &signature, bytes));
    }
}

#[test]
fn the_allowed_signers_file_has_exact_namespaces_and_no_wildcard() {
    let trust = testkit::trust(None, EndpointKind::Simulated);
    let text = trust.roster().allowed_signers();
    assert!(!text.contains('*') && !text.contains("cert-authority"), "{text}");
    let expect = format!(
        "rita namespaces=\"portcullis-genesis,portcullis-endpoint-set,\
         portcullis-session-approval,portcullis-limits-change,portcullis-unkill,\
         portcullis-flatten-plan\" {}",
        testkit::key("rita").public().openssh_line()
    );
    assert_eq!(text.lines().last(), Some(expect.as_str()));
    assert_eq!(text.lines().count(), trust.roster().people().len());
}

#[test]
fn exactly_one_armour_block_and_nothing_around_it() {
    let key = SigningKey::from_seed([3; 32]);
    let good = key.sign(NAMESPACE, b"m");
    assert_eq!(verify(&good, NAMESPACE, b"m"), Ok(key.public()));
    assert_eq!(verify(good.trim_end(), NAMESPACE, b"m"), Ok(key.public()));
    assert!(good.lines().all(|line| line.len() <= LINE));
    for bad in [
        format!("{good}junk"),
        format!("{good}\n"),
        format!("{good}{good}"),
        format!("junk\n{good}"),
        format!(" {good}"),
        good.replace('\n', "\r\n"),
        good.replacen("U1NI", "U1NI ", 1),
        good.replace("-----END SSH SIGNATURE-----\n", ""),
        good.replace("-----BEGIN SSH SIGNATURE-----\n", ""),
        String::new(),
        format!("{BEGIN}{END}"),
    ] {
        assert_eq!(verify(&bad, NAMESPACE, b"m"), Err(SshsigError::Armor), "{bad}");
    }
    let long = format!("{BEGIN}{}\n{END}\n", "A".repeat(ARMORED_MAX));
    assert_eq!(verify(&long, NAMESPACE, b"m"), Err(SshsigError::TooLarge));
}

/// The armour block around any bytes.
fn armor(blob: &[u8]) -> String {
    format!("{BEGIN}{}\n{END}\n", STANDARD.encode(blob))
}

/// A signature of `m` with any bit turned or any end cut off holds no more.
#[track_caller]
fn check_damage(blob: &[u8]) {
    for (at, bit) in (0..blob.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut damaged = blob.to_vec();
        damaged[at] ^= 1 << bit;
        assert!(verify(&armor(&damaged), NAMESPACE, b"m").is_err(), "byte {at} bit {bit}");
    }
    for cut in 0..blob.len() {
        assert!(verify(&armor(&blob[..cut]), NAMESPACE, b"m").is_err(), "cut at {cut}");
    }
}

#[test]
fn no_bit_of_a_signature_is_idle() {
    let key = SigningKey::from_seed([3; 32]);
    let blob = unarmored(&key.sign(NAMESPACE, b"m")).unwrap();
    check_damage(&blob);
    let longer = [blob, vec![0]].concat();
    assert_eq!(verify(&armor(&longer), NAMESPACE, b"m"), Err(SshsigError::Malformed));
}

#[test]
fn no_part_of_the_block_can_carry_something_else() {
    let key = SigningKey::from_seed([3; 32]);
    let blob = unarmored(&key.sign(NAMESPACE, b"m")).unwrap();
    let mut strings = Strings(&blob[MAGIC.len() + 4..]);
    let parts: Vec<_> = std::iter::from_fn(|| strings.string().map(<[u8]>::to_vec)).collect();
    let [public, namespace, reserved, hash, signature] = &parts[..] else { panic!("{parts:?}") };
    let check = |parts: [&[u8]; 5], expect| {
        let mut blob = blob[..MAGIC.len() + 4].to_vec();
        for part in parts {
            put_string(&mut blob, part);
        }
        assert_eq!(verify(&armor(&blob), NAMESPACE, b"m"), expect);
    };
    let longer = |part: &[u8]| [part, b"x"].concat();
    check([public, namespace, reserved, hash, signature], Ok(key.public()));
    let malformed = Err(SshsigError::Malformed);
    check([public, namespace, b"x", hash, signature], malformed);
    check([public, namespace, reserved, hash, &longer(signature)], malformed);
    check([&longer(public), namespace, reserved, hash, signature], Err(SshsigError::Key));
    check([public, namespace, reserved, b"sha1", signature], Err(SshsigError::Hash));
    check([public, namespace, reserved, b"sha256", signature], Err(SshsigError::Mismatch));
    check([public, &longer(namespace), reserved, hash, signature], Err(SshsigError::Namespace));
}

/// B10: nothing that a token says of a signature can be changed behind it, and the touch is asked
/// for.
#[test]
fn b10_a_token_signs_by_touch_and_no_bit_of_it_is_idle() {
    let token = testkit::token("tina").unwrap();
    let signed = |flags| verify(&token.sign(NAMESPACE, b"m", flags), NAMESPACE, b"m");
    for flags in 0..=u8::MAX {
        let touched = flags & 1 == 1;
        let expect = if touched { Ok(token.public()) } else { Err(SshsigError::Untouched) };
        assert_eq!(signed(flags), expect, "{flags}");
    }
    let blob = unarmored(&token.sign(NAMESPACE, b"m", 1)).unwrap();
    check_damage(&blob);
}
