//! Four settings, each a path, and one order. There is nothing else to configure: the rest is
//! signed.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::fault::DaemonFault;

/// Where everything is.
#[derive(Clone, Debug)]
pub(crate) struct Args {
    /// The home.
    pub(crate) home: PathBuf,
    /// The file, outside the home, that pins the genesis.
    pub(crate) pin: PathBuf,
    /// The venue credential, outside the home.
    pub(crate) credential: PathBuf,
    /// The sandbox program.
    pub(crate) sandbox: PathBuf,
    /// Begin a new epoch behind a damaged journal, and end.
    pub(crate) rescue: bool,
}

const USAGE: &str =
    "portcullisd --home HOME --pin FILE --credential FILE [--sandbox PROGRAM] [--rescue]";

pub(crate) fn parse(args: impl Iterator<Item = OsString>) -> Result<Args, DaemonFault> {
    let (mut home, mut pin, mut credential, mut sandbox) = (None, None, None, None);
    let (mut args, mut rescue) = (args, false);
    while let Some(flag) = args.next() {
        let slot = match flag.to_str() {
            Some("--home") => &mut home,
            Some("--pin") => &mut pin,
            Some("--credential") => &mut credential,
            Some("--sandbox") => &mut sandbox,
            Some("--rescue") => {
                rescue = true;
                continue;
            }
            Some(_) | None => return Err(usage(&flag.to_string_lossy(), "no such setting")),
        };
        let value = args.next().map(PathBuf::from);
        let value = value.ok_or_else(|| usage(&flag.to_string_lossy(), "a path must follow"))?;
        if slot.replace(value).is_some() {
            return Err(usage(&flag.to_string_lossy(), "given twice"));
        }
    }
    let beside = || {
        let program = std::env::current_exe().ok()?;
        Some(program.with_file_name("portcullis-sandbox"))
    };
    Ok(Args {
        home: home.ok_or_else(|| usage("--home", "missing"))?,
        pin: pin.ok_or_else(|| usage("--pin", "missing"))?,
        credential: credential.ok_or_else(|| usage("--credential", "missing"))?,
        sandbox: sandbox.or_else(beside).ok_or_else(|| usage("--sandbox", "missing"))?,
        rescue,
    })
}

fn usage(subject: &str, cause: &str) -> DaemonFault {
    DaemonFault::new(2, "USAGE", subject, cause, USAGE)
}
