//! What several test modules share: a folder that cleans up after itself, a small generator.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// A folder of its own for one test, removed at the end.
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let folder = format!("portcullis-evidence-{name}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&path).unwrap();
        Self { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A folder that cannot be removed is no reason to fail a test that passed.
        drop(std::fs::remove_dir_all(&self.path));
    }
}

/// `xorshift64*`: small, seeded, good enough to choose cases.
#[derive(Debug)]
pub(crate) struct Generator(u64);

impl Generator {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap();
        usize::try_from(self.next().checked_rem(bound).unwrap()).unwrap()
    }
}

/// Damages bytes as a broken disk or somebody with an editor would: up to four times.
pub(crate) fn damage(bytes: &mut Vec<u8>, random: &mut Generator) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        let until = at.saturating_add(random.below(64)).min(bytes.len());
        match random.below(7) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, b"09\n +=/\xff"[random.below(8)]),
            2 => drop(bytes.drain(at..until)),
            3 => bytes.extend_from_within(at..until),
            4 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            5 => {
                let copied = bytes[at..until].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, copied);
            }
            _ => {
                let digits = |byte: &u8| byte.is_ascii_digit();
                if let Some(found) = bytes.iter().position(digits) {
                    let digits = b"18446744073709551615";
                    let from = random.below(digits.len());
                    bytes.splice(found..=found, digits[from..].iter().copied());
                }
            }
        }
    }
}
