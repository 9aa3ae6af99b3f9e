//! `portcullis kill`: the gate shut, the latch durable, the orders gone; each as it is reached.

use std::path::PathBuf;

use portcullis_control::{Reply, Request};
use portcullis_domain::{Stop, StopMode, StopScope};

use crate::client::{self, LONG};
use crate::files::shown;
use crate::home::Home;
use crate::{CliError, Exit, out};

/// What works while nothing answers on the socket.
const WITHOUT_SOCKET: &str = "send the daemon SIGUSR1: kill -USR1 PID-OF-PORTCULLISD";

/// Shuts the gate, latches, takes every order back.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis kill --home demo-home --reason \"prices look wrong\"\n\n\
    Prints GATE_CLOSED, LATCHED and ORDERS_CLEAR as each is reached.")]
pub(crate) struct Args {
    /// The home of the running daemon.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// Why, for the record.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// How far: block-new, reduce-only or cancel-all.
    #[arg(long, value_name = "MODE", default_value = "cancel-all", value_parser = mode)]
    pub(crate) mode: StopMode,
    /// Of what: all, venue, account, strategy:NAME or instrument:SYMBOL.
    #[arg(long, value_name = "SCOPE", default_value = "all", value_parser = scope)]
    pub(crate) scope: StopScope,
}

fn mode(text: &str) -> Result<StopMode, String> {
    let known = StopMode::ALL.map(StopMode::name).join(", ");
    StopMode::from_name(text).ok_or_else(|| format!("a mode is one of {known}"))
}

fn scope(text: &str) -> Result<StopScope, String> {
    let known = "a scope is all, venue, account, strategy:NAME or instrument:SYMBOL";
    StopScope::parse(text).ok_or_else(|| known.to_owned())
}

/// The request for that stop. A kill of everything is asked for as it ever was.
fn request(args: &Args) -> Request {
    let stop = Stop { mode: args.mode, scope: args.scope.clone() };
    if stop.is_kill() {
        return Request::kill(&args.reason);
    }
    let (mode, scope) = (Some(stop.mode.name().to_owned()), Some(stop.scope.text()));
    Request::Kill { reason: args.reason.clone(), mode, scope }
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let request = request(args);
    kill(&Home::open(&args.home)?, &request, out::result)?;
    let home = shown(&args.home);
    let which =
        if request == Request::kill(&args.reason) { "" } else { " --stop SEQ --entry SHA256" };
    out::narrate(&format!(
        "next: portcullis status --home {home}\n\
         then: portcullis request unkill --home {home}{which} --reason TEXT --out unkill.request"
    ));
    Ok(())
}

/// Kills, and hands on one line for each step as it is reached.
pub(crate) fn kill(
    home: &Home,
    request: &Request,
    mut told: impl FnMut(&str) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let socket = home.kill_socket();
    let (latch, last) = latch_of(request);
    let mut reached: Vec<&str> = Vec::new();
    let ended = client::converse(&socket, request, LONG, |reply| {
        let (step, line) = match reply {
            Reply::GateClosed { epoch } => {
                ("GATE_CLOSED", format!("GATE_CLOSED epoch {epoch}: no order leaves any more"))
            }
            Reply::Latched { kill_seq } => {
                ("LATCHED", format!("LATCHED {latch} {kill_seq}: it survives a restart"))
            }
            Reply::OrdersClear { kill_seq } => {
                ("ORDERS_CLEAR", format!("ORDERS_CLEAR {latch} {kill_seq}: no order of it is left"))
            }
            Reply::Done { .. }
            | Reply::Signed { .. }
            | Reply::Status(_)
            | Reply::Draft(_)
            | Reply::Pack(_)
            | Reply::Ordered { .. }
            | Reply::Denied(_)
            | Reply::Findings { .. }
            | Reply::Proposals { .. } => {
                return Err(client::unexpected(&socket));
            }
        };
        reached.push(step);
        // The kill goes on at the daemon whether or not this line could be printed.
        told(&line)
    });
    conclude(ended, last, &reached)
}

/// What the latch is called, and the step after which nothing is left to wait for: only a
/// cancel-all takes orders back that the venue has to confirm.
fn latch_of(request: &Request) -> (&'static str, &'static str) {
    let Request::Kill { mode, scope, .. } = request else { return ("kill", "ORDERS_CLEAR") };
    match Request::stop(mode.as_deref(), scope.as_deref()) {
        Some(stop) if stop.mode < StopMode::CancelAll => ("stop", "LATCHED"),
        Some(stop) if !stop.is_kill() => ("stop", "ORDERS_CLEAR"),
        Some(_) | None => ("kill", "ORDERS_CLEAR"),
    }
}

/// A kill that is cut short says how far it came and what to do about the rest.
fn conclude(ended: Result<(), CliError>, awaited: &str, reached: &[&str]) -> Result<(), CliError> {
    let last = reached.last().copied();
    match ended {
        Ok(()) if last == Some(awaited) => Ok(()),
        Ok(()) => {
            let cause = &format!("the daemon ended its answer before {awaited}");
            let next = "portcullis status: look for open orders, and ask the venue";
            Err(CliError::new(Exit::Temporary, "KILL_INCOMPLETE", "kill", cause, next))
        }
        Err(error) if last.is_none() && error.exit != Exit::Usage => {
            Err(CliError { next: WITHOUT_SOCKET.to_owned(), ..error })
        }
        Err(error) => {
            let done = last.map_or_else(String::new, |step| format!(" after {step}"));
            Err(CliError { cause: format!("{}{done}", error.cause), ..error })
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_control::Answer;

    use super::*;
    use crate::testing::{People, Scratch};
    use crate::testing::{daemon, frame};

    fn check(frames: &[Answer], steps: &[&str], expect: Result<(), (&str, Exit)>) {
        check_request(&Request::kill("test"), frames, steps, expect);
    }

    fn check_request(
        request: &Request,
        frames: &[Answer],
        steps: &[&str],
        expect: Result<(), (&str, Exit)>,
    ) {
        let scratch = Scratch::new("kill");
        let people = People::new();
        std::fs::write(scratch.path().join("genesis.json"), &people.genesis.bytes).unwrap();
        let home = Home::open(scratch.path()).unwrap();
        let server = daemon(home.kill_socket(), frames.iter().map(frame).collect());
        let mut lines = Vec::new();
        let ended = kill(&home, request, |line| {
            lines.push(line.split(' ').next().unwrap_or_default().to_owned());
            Ok(())
        });
        assert_eq!(lines, steps);
        let seen = ended.map_err(|error| (error.code, error.exit));
        assert_eq!(seen, expect.map_err(|(code, exit)| (code.to_owned(), exit)));
        assert_eq!(server.join().unwrap(), *request);
    }

    fn args(words: &[&str]) -> Result<Request, clap::error::ErrorKind> {
        #[derive(Debug, clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: Args,
        }
        let line = ["kill", "--home", "h", "--reason", "r"].iter().chain(words);
        let line = <Line as clap::Parser>::try_parse_from(line);
        line.map(|line| super::request(&line.args)).map_err(|error| error.kind())
    }

    /// The default is the kill as it ever was; a word that nobody knows is no milder stop.
    #[test]
    fn mode_and_scope_are_known_words() {
        assert_eq!(args(&[]), Ok(Request::kill("r")));
        assert_eq!(args(&["--mode", "cancel-all", "--scope", "all"]), Ok(Request::kill("r")));
        let request = args(&["--mode", "reduce-only", "--scope", "strategy:alpha"]).unwrap();
        let Request::Kill { mode, scope, .. } = request else { panic!() };
        assert_eq!(
            (mode.as_deref(), scope.as_deref()),
            (Some("reduce-only"), Some("strategy:alpha"))
        );
        for words in [["--mode", "halt"], ["--scope", "plugin:a"], ["--scope", "strategy:"]] {
            let kind = args(&words).unwrap_err();
            // The command line library ends with 2 for these, as for every line without sense.
            assert_eq!(kind, clap::error::ErrorKind::ValueValidation, "{words:?}");
        }
    }

    /// A stop that takes nothing back is done when it is durable.
    #[test]
    fn a_milder_stop_ends_with_its_latch() {
        let gate = Answer::more(Reply::GateClosed { epoch: 3 });
        let latched = Reply::Latched { kill_seq: 2 };
        let block = args(&["--mode", "block-new"]).unwrap();
        let steps = ["GATE_CLOSED", "LATCHED"];
        check_request(&block, &[gate.clone(), Answer::last(latched.clone())], &steps, Ok(()));
        let cancel = args(&["--scope", "account"]).unwrap();
        let incomplete = Err(("KILL_INCOMPLETE", Exit::Temporary));
        check_request(&cancel, &[gate, Answer::last(latched)], &steps, incomplete);
    }

    #[test]
    fn each_step_is_told_and_a_missing_one_is_no_success() {
        let gate = Answer::more(Reply::GateClosed { epoch: 3 });
        let latched = Answer::more(Reply::Latched { kill_seq: 1 });
        let clear = Answer::last(Reply::OrdersClear { kill_seq: 1 });
        let all = [gate.clone(), latched.clone(), clear];
        check(&all, &["GATE_CLOSED", "LATCHED", "ORDERS_CLEAR"], Ok(()));
        let cut = [gate.clone(), latched.clone()];
        check(&cut, &["GATE_CLOSED", "LATCHED"], Err(("ANSWER_CUT", Exit::Temporary)));
        let early = [gate, Answer { last: true, ..latched }];
        let incomplete = Err(("KILL_INCOMPLETE", Exit::Temporary));
        check(&early, &["GATE_CLOSED", "LATCHED"], incomplete);
        check(&[], &[], Err(("ANSWER_CUT", Exit::Temporary)));
    }

    #[test]
    fn with_no_daemon_there_is_another_way() {
        let scratch = Scratch::new("kill");
        let people = People::new();
        std::fs::write(scratch.path().join("genesis.json"), &people.genesis.bytes).unwrap();
        let home = Home::open(scratch.path()).unwrap();
        let error = kill(&home, &Request::kill("test"), |_| Ok(())).unwrap_err();
        assert_eq!((error.exit, error.next.as_str()), (Exit::Unreachable, WITHOUT_SOCKET));
        let blank = kill(&home, &Request::kill(" "), |_| Ok(())).unwrap_err();
        assert_eq!(blank.exit, Exit::Usage);
    }
}
