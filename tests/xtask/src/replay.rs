//! `portcullis replay`, called for what it prints: the session root and the number of events.

use crate::build::{self, Profile};
use crate::process::{self, Failure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Recording {
    /// A small seeded one, made by the command line itself.
    Synthetic,
    /// A folder of recorded market data.
    Folder(PathBuf),
}

/// What one run printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Replayed {
    pub(crate) session_root: String,
    pub(crate) events: Option<u64>,
}

impl Recording {
    /// The recordings that lie beside the project on some machines.
    pub(crate) fn beside_the_project() -> Option<Self> {
        let folder = process::project().parent()?.join("shared/data/market/binance_spot");
        folder.is_dir().then_some(Self::Folder(folder))
    }

    /// The command that replays it with a program of `profile`.
    pub(crate) fn command(&self, profile: Profile, component: &Path) -> Command {
        let mut command = process::bound_to_us(&build::program("portcullis", profile));
        command.arg("replay");
        match self {
            Self::Synthetic => command.arg("--synthetic"),
            Self::Folder(folder) => command.arg(folder),
        };
        command.arg("--component").arg(component);
        command.arg("--policies").arg(process::project().join("policies"));
        command
    }

    /// Replays it silently and reads what it printed.
    pub(crate) fn run(&self, profile: Profile, component: &Path) -> Result<Replayed, Failure> {
        let text = process::read(
            self.command(profile, component),
            "replaying a recording",
            "cargo xtask demo --replay FOLDER",
        )?;
        parse(&text).ok_or_else(|| {
            Failure::new(
                "reading the replay's output",
                "no line `session root` with 64 hexadecimal digits",
                "cargo xtask demo --replay FOLDER",
            )
        })
    }
}

fn parse(text: &str) -> Option<Replayed> {
    let root_line = text.lines().find(|line| line.to_lowercase().contains("session root"))?;
    let session_root = root_line
        .split(|letter: char| !letter.is_ascii_hexdigit())
        .find(|word| word.len() == 64)?
        .to_owned();
    let events = text.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.windows(2).find_map(|pair| match pair {
            [number, word] if word.trim_matches(|it| it == ',' || it == ':') == "events" => {
                number.replace(['_', ','], "").parse().ok()
            }
            ["events" | "events:", number] => number.replace(['_', ','], "").parse().ok(),
            _ => None,
        })
    });
    Some(Replayed { session_root, events })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_and_events_are_read_from_the_output() {
        let root = "0123456789abcdef".repeat(4);
        let check = |text: &str, expect: Option<u64>| {
            let replayed = parse(&format!("SIMULATED\n{text}\nsession root: {root}\n")).unwrap();
            assert_eq!(replayed, Replayed { session_root: root.clone(), events: expect });
        };
        check("12,345 events, 7 orders", Some(12_345));
        check("events: 12345", Some(12_345));
        check("nothing to count", None);
        assert_eq!(parse("session root: short"), None);
    }
}
