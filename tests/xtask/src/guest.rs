//! Builds strategies to components, the same bytes for the same sources and toolchain.
//!
//! A guest is an ordinary library crate; here it is linked as a module for
//! `wasm32-unknown-unknown` and made a component. That target's standard library imports nothing,
//! which is why it is this one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use wit_component::ComponentEncoder;

use crate::{process, setup};

/// The target of all guests.
const TARGET: &str = "wasm32-unknown-unknown";
/// Most memory of a guest, in bytes: part of its bytes, so that admission can prove it.
const MEMORY_BYTES_MAX: u32 = 16 * 1024 * 1024;
/// Stack of a guest, in bytes. Small, so that little memory is touched.
const STACK_BYTES: u32 = 128 * 1024;
/// How long `rustup` may take to fetch something, in 0.1 s.
pub(crate) const RUSTUP_WAIT_TENTHS: u32 = 600;
/// What Debian calls compiler, cargo and standard library source for the web.
const DEBIAN_PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
/// Source of Debian's standard library; the same path on every machine, so it needs no remapping.
const DEBIAN_LIBRARY: &str = "/usr/lib/rustlib/src/rust/library";
/// Linker of the installed Rust toolchain; Debian's compiler needs one for WebAssembly.
const LINKER: &str = "rust-lld";
/// Where a package's prefix stops and its own name begins.
const PACKAGE_PREFIX: &str = "portcullis-";

/// How guests are compiled on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Toolchain {
    kind: Kind,
    /// `rustc --version`, for the record: components are equal only between equal compilers.
    version: String,
    cargo_home: PathBuf,
}

#[derive(Clone, Debug)]
enum Kind {
    /// The toolchain in use has the target.
    Installed,
    /// Debian's compiler builds the standard library from its source.
    Debian { linker: PathBuf },
}

impl Toolchain {
    /// What it is, for people.
    pub(crate) fn describe(&self) -> String {
        match &self.kind {
            Kind::Installed => self.version.clone(),
            Kind::Debian { .. } => format!("{} with its own standard library", self.version),
        }
    }
}

/// Finds a compiler for guests: the one in use with the target, or with the target fetched, or
/// Debian's, installed where the rights suffice. The error ends with the one line to run.
pub(crate) fn ensure_toolchain(root: &Path) -> Result<Toolchain, String> {
    let cargo_home = cargo_home()?;
    if target_is_installed(root) || (fetch_target(root) && target_is_installed(root)) {
        let version = text_of(Command::new("rustc").arg("--version").current_dir(root))?;
        return Ok(Toolchain { kind: Kind::Installed, version, cargo_home });
    }
    if !debian_is_installed() {
        install_debian()?;
    }
    let linker = installed_linker(root)?;
    let version = text_of(Command::new(DEBIAN_RUSTC).arg("--version"))?;
    Ok(Toolchain { kind: Kind::Debian { linker }, version, cargo_home })
}

/// Builds one guest package of the workspace at `root`. Returns the component's path:
/// `target/guest/components/<package without "portcullis-">.wasm`.
pub(crate) fn build_guest(root: &Path, package: &str) -> Result<PathBuf, String> {
    build_guest_with(root, package, &ensure_toolchain(root)?)
}

/// As [`build_guest`], with a toolchain that was found before.
pub(crate) fn build_guest_with(
    root: &Path,
    package: &str,
    toolchain: &Toolchain,
) -> Result<PathBuf, String> {
    let target_dir = root.join("target").join("guest");
    let output = run(&mut cargo(root, package, toolchain, &target_dir))?;
    if !output.status.success() {
        return Err(format!("{package}:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    let module =
        target_dir.join(TARGET).join("release").join(format!("{}.wasm", package.replace('-', "_")));
    let module = fs::read(&module).map_err(|error| format!("{}: {error}", module.display()))?;
    let component = componentize(&module).map_err(|error| format!("{package}: {error}"))?;
    write_if_other(&component_path(root, package), &component)
}

/// Where the component of a package lies.
pub(crate) fn component_path(root: &Path, package: &str) -> PathBuf {
    let name = package.strip_prefix(PACKAGE_PREFIX).unwrap_or(package);
    root.join("target/guest/components").join(format!("{name}.wasm"))
}

/// Makes a component of a module that carries its world, and validates it.
pub(crate) fn componentize(module: &[u8]) -> Result<Vec<u8>, String> {
    ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(ComponentEncoder::encode)
        .map_err(|error| format!("{error:#}"))
}

/// The cargo call. Everything that decides the bytes is here and not in anyone's environment.
fn cargo(root: &Path, package: &str, toolchain: &Toolchain, target_dir: &Path) -> Command {
    let mut command = match &toolchain.kind {
        Kind::Installed => Command::new("cargo"),
        Kind::Debian { .. } => {
            let mut command = Command::new(DEBIAN_CARGO);
            command.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
            command.arg("-Zbuild-std=std,panic_abort");
            command
        }
    };
    for name in ["RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_TARGET"] {
        command.env_remove(name);
    }
    let flags = rustc_flags(root, toolchain).join("\u{1f}");
    command.current_dir(root).env("CARGO_ENCODED_RUSTFLAGS", flags);
    command.args(["rustc", "--quiet", "--release", "--lib", "--crate-type", "cdylib"]);
    command.args(["--target", TARGET, "--package", package, "--target-dir"]).arg(target_dir);
    for setting in [
        "opt-level=3",
        "codegen-units=1",
        "lto=\"fat\"",
        "panic=\"abort\"",
        "strip=true",
        "debug=false",
        "incremental=false",
        "overflow-checks=true",
    ] {
        command.arg("--config").arg(format!("profile.release.{setting}"));
    }
    command
}

fn rustc_flags(root: &Path, toolchain: &Toolchain) -> Vec<String> {
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let mut flags = vec![
        format!("-Clink-arg=--max-memory={MEMORY_BYTES_MAX}"),
        format!("-Clink-arg=-zstack-size={STACK_BYTES}"),
        remap(&toolchain.cargo_home, "/cargo"),
        remap(root, "/portcullis"),
    ];
    if let Kind::Debian { linker } = &toolchain.kind {
        flags.push(format!("-Clinker={}", linker.display()));
    }
    flags
}

/// Leaves an equal file alone, so that whoever watches it sees no change.
fn write_if_other(path: &Path, bytes: &[u8]) -> Result<PathBuf, String> {
    if fs::read(path).is_ok_and(|before| before == bytes) {
        return Ok(path.to_path_buf());
    }
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    // Written aside and renamed: a reader sees the old file or the new one.
    let aside = path.with_extension("new");
    fs::write(&aside, bytes).map_err(|error| format!("{}: {error}", aside.display()))?;
    fs::rename(&aside, path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path.to_path_buf())
}

fn target_is_installed(root: &Path) -> bool {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", TARGET]).current_dir(root);
    text_of(&mut rustc)
        .is_ok_and(|folder| fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()))
}

/// Asks `rustup` for the target, for at most a minute. Returns whether it says that it is there.
fn fetch_target(root: &Path) -> bool {
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]).current_dir(root);
    process::succeeds_within(rustup, RUSTUP_WAIT_TENTHS)
}

fn debian_is_installed() -> bool {
    Path::new(DEBIAN_RUSTC).exists()
        && Path::new(DEBIAN_CARGO).exists()
        && Path::new(DEBIAN_LIBRARY).is_dir()
}

/// Installs Debian's packages as root or with `sudo` that asks nothing.
fn install_debian() -> Result<(), String> {
    match setup::install(&DEBIAN_PACKAGES) {
        Ok(()) if debian_is_installed() => Ok(()),
        Ok(()) | Err(_) => Err(install_line("a compiler")),
    }
}

fn install_line(what: &str) -> String {
    format!(
        "{what} for {TARGET} is missing; run one of:\n  rustup target add {TARGET}\n  \
         sudo apt-get install {}",
        DEBIAN_PACKAGES.join(" ")
    )
}

/// The linker that comes with the Rust toolchain in use.
fn installed_linker(root: &Path) -> Result<PathBuf, String> {
    let mut rustc = Command::new("rustc");
    let sysroot = text_of(rustc.args(["--print", "sysroot"]).current_dir(root))?;
    let hosts = Path::new(&sysroot).join("lib").join("rustlib");
    let entries = fs::read_dir(&hosts).map_err(|error| format!("{}: {error}", hosts.display()))?;
    entries
        .filter_map(Result::ok)
        .map(|entry| entry.path().join("bin").join(LINKER))
        .find(|path| path.exists())
        .ok_or_else(|| format!("no {LINKER} under {}", hosts.display()))
}

fn cargo_home() -> Result<PathBuf, String> {
    if let Some(folder) = std::env::var_os("CARGO_HOME") {
        return Ok(PathBuf::from(folder));
    }
    let home = std::env::var_os("HOME").ok_or("neither CARGO_HOME nor HOME is set")?;
    Ok(PathBuf::from(home).join(".cargo"))
}

fn text_of(command: &mut Command) -> Result<String, String> {
    let output = run(command)?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn run(command: &mut Command) -> Result<Output, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).output().map_err(|error| format!("{program}: {error}"))
}
