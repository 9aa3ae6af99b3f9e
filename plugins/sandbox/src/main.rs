//! The process that runs one plugin and holds nothing worth stealing.
//!
//! `serve` speaks frames on file descriptor 0, a Unix stream socket that the kernel made.
//! `inspect` says what a component can do, from its bytes, without running any of it.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use portcullis_sandbox::{PluginFault, SandboxEngine, inspect, serve};

const USAGE: &str = "usage: portcullis-sandbox serve         frames on file descriptor 0\n       \
                     portcullis-sandbox inspect FILE  what a component can do, as JSON\n";

/// The plugin or its kernel failed.
const EXIT_FAILED: u8 = 1;
/// The command line makes no sense.
const EXIT_USAGE: u8 = 2;
/// The component is refused.
const EXIT_REFUSED: u8 = 3;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["serve"] => serve_socket(),
        ["inspect", path] => inspect_file(path),
        _ => say(&mut io::stderr(), USAGE, EXIT_USAGE),
    }
}

fn serve_socket() -> ExitCode {
    let stream = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from);
    let mut stream = match stream {
        Ok(stream) => stream,
        Err(error) => return say(&mut io::stderr(), &format!("fd 0: {error}\n"), EXIT_FAILED),
    };
    match serve(&mut stream) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => say(&mut io::stderr(), &format!("{fault}\n"), EXIT_FAILED),
    }
}

fn inspect_file(path: &str) -> ExitCode {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return say(&mut io::stderr(), &format!("{path}: {error}\n"), EXIT_FAILED),
    };
    let proof: Result<_, PluginFault> =
        SandboxEngine::new().and_then(|engine| inspect(&engine, &bytes));
    match proof {
        Ok(capabilities) => say(&mut io::stdout(), &format!("{}\n", capabilities.to_value()), 0),
        Err(fault) => say(&mut io::stderr(), &format!("{fault}\n"), EXIT_REFUSED),
    }
}

/// Writes and returns the exit code. If even that cannot be written, the code says it.
fn say(stream: &mut impl Write, text: &str, code: u8) -> ExitCode {
    match stream.write_all(text.as_bytes()) {
        Ok(()) => ExitCode::from(code),
        Err(_) => ExitCode::from(code.max(EXIT_FAILED)),
    }
}
