//! `cargo xtask <verb>`: everything a developer does to this project, in one place.
//!
//! CI runs the same verbs and has no logic of its own. Each verb starts from nothing, may be run
//! again and again as an ordinary user, and says at the end what it did, what it could not do on
//! this machine, and what to type next.

mod bench;
mod build;
mod canary;
mod coverage;
mod demo;
mod guest;
mod mutants;
mod process;
mod replay;
mod setup;
mod stranger;
mod tally;
mod test;

use process::Failure;
use std::env;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <verb>

  setup                    check the machine, install what is missing
  check                    format, lints, unit tests of the pure crates (a minute, warm)
  test [--all]             everything; --all also fails where something had to be skipped
  demo [--replay [FOLDER]] the product from nothing; --replay runs a recording, by default a
                           small synthetic one
  guest [PACKAGE]          one strategy as a component, or all of them
  mutants [--in-diff BASE] [--shard K/N] [--report]
                           breaks gate, orders and kill on purpose: the tests must notice
  stranger                 makes evidence and has it judged by Go, ssh-keygen, sha256sum and openssl
  coverage                 every region of the gate must be run by its own tests
  bench [FOLDER]           a recording five times, and the figures of each part; never a verdict
";

/// What was typed, resolved: nothing behind this point looks at an argument again.
#[derive(Debug, PartialEq, Eq)]
enum Verb {
    Setup,
    Check,
    Test { all: bool },
    Demo,
    DemoReplay(replay::Recording),
    Guest(Option<String>),
    Mutants(mutants::Request),
    Stranger,
    Coverage,
    Bench(Option<String>),
    Help,
}

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some(verb) = parse(&words) else {
        match words.as_slice() {
            [] => eprint!("xtask: no verb was typed\n\n{USAGE}"),
            typed => eprint!("xtask: `{}` is no verb of mine\n\n{USAGE}", typed.join(" ")),
        }
        return ExitCode::from(2);
    };
    match run(verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\n{failure}");
            ExitCode::FAILURE
        }
    }
}

fn parse(words: &[&str]) -> Option<Verb> {
    Some(match words {
        ["setup"] => Verb::Setup,
        ["check"] => Verb::Check,
        ["test"] => Verb::Test { all: false },
        ["test", "--all"] => Verb::Test { all: true },
        ["demo"] => Verb::Demo,
        ["demo", "--replay"] => Verb::DemoReplay(replay::Recording::Synthetic),
        ["demo", "--replay", folder] if !folder.starts_with('-') => {
            Verb::DemoReplay(replay::Recording::Folder((*folder).into()))
        }
        ["guest"] => Verb::Guest(None),
        ["guest", package] if !package.starts_with('-') => Verb::Guest(Some((*package).to_owned())),
        ["mutants", rest @ ..] => Verb::Mutants(mutants::Request::parse(rest)?),
        ["stranger"] => Verb::Stranger,
        ["coverage"] => Verb::Coverage,
        ["bench"] => Verb::Bench(None),
        ["bench", folder] if !folder.starts_with('-') => Verb::Bench(Some((*folder).to_owned())),
        ["help" | "--help" | "-h"] => Verb::Help,
        _ => return None,
    })
}

fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Setup => setup::run(),
        Verb::Check => test::check(),
        Verb::Test { all } => test::everything(all),
        Verb::Demo => demo::run(),
        Verb::DemoReplay(recording) => demo::replay(&recording),
        Verb::Guest(package) => build::guest(package),
        Verb::Mutants(request) => mutants::run(&request),
        Verb::Stranger => stranger::run(),
        Verb::Coverage => coverage::run(),
        Verb::Bench(folder) => bench::run(folder),
        Verb::Help => {
            print!("{USAGE}");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_verb_or_it_is_refused() {
        let check = |line: &str, expect: Option<Verb>| {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(parse(&words), expect, "{line}");
        };
        check("test", Some(Verb::Test { all: false }));
        check("test --all", Some(Verb::Test { all: true }));
        check("test --al", None);
        check("demo --replay", Some(Verb::DemoReplay(replay::Recording::Synthetic)));
        check("demo --replay a", Some(Verb::DemoReplay(replay::Recording::Folder("a".into()))));
        check("demo --replay a b", None);
        check("demo --replay --fast", None);
        check("bench", Some(Verb::Bench(None)));
        check("mutants", Some(Verb::Mutants(mutants::Request::default())));
        check("mutants --shard 9", None);
        check("coverage", Some(Verb::Coverage));
        check("coverage all", None);
        check("guest a", Some(Verb::Guest(Some("a".to_owned()))));
        check("", None);
        check("tset", None);
    }
}
