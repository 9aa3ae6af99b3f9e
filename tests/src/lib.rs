//! Where things lie, for every test of the product as a whole.

pub mod python;

use std::path::{Path, PathBuf};

/// The project's folder.
#[must_use]
pub fn project() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// A file or folder of the data that some machines hold beside the project, or `None` with a line
/// that says so: the caller returns, and the run counts the skip.
#[must_use]
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = project().parent()?.join("shared").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: shared/{name} is absent");
    None
}

/// The component of a strategy, `ema-cross` or `hostile-spin`, or `None` with a line that says so:
/// a machine without a compiler for strategies has none.
#[must_use]
pub fn component(name: &str) -> Option<PathBuf> {
    let path = project().join("target/guest/components").join(format!("{name}.wasm"));
    if path.is_file() {
        return Some(path);
    }
    eprintln!("SKIPPED: the component {name} is not built: cargo xtask guest");
    None
}

/// A program of the product, as built for the profile under test. `cargo xtask test` builds all of
/// them before the tests; by hand, build its package first.
///
/// # Errors
/// The command to type where the program has not been built.
pub fn program(name: &str) -> Result<PathBuf, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let path = this.ancestors().nth(2).unwrap_or(&this).join(name);
    if path.is_file() { Ok(path) } else { Err(format!("{name} is not built: cargo xtask test")) }
}

/// The entry of that number in the journals of the kill campaign: between a few and some ten
/// thousand bytes, all of which follow from the number.
#[must_use]
pub fn numbered_entry(number: u64) -> Vec<u8> {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let length = if mixed.is_multiple_of(50) { mixed % 60_000 } else { mixed % 400 };
    let mut entry = format!("{{\"number\":{number},\"fill\":\"").into_bytes();
    entry.extend((0..length).map(|_| b'x'));
    entry.extend_from_slice(b"\"}");
    entry
}
