//! `portcullis kill`: the gate shut, the latch durable, the orders gone; each as it is reached.

use std::path::PathBuf;

use portcullis_control::{Reply, Request};

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
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    kill(&Home::open(&args.home)?, &args.reason, out::result)?;
    let home = shown(&args.home);
    out::narrate(&format!(
        "next: portcullis status --home {home}\n\
         then: portcullis request unkill --home {home} --reason TEXT --out unkill.request"
    ));
    Ok(())
}

/// Kills, and hands on one line for each step as it is reached.
pub(crate) fn kill(
    home: &Home,
    reason: &str,
    mut told: impl FnMut(&str) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let socket = home.kill_socket();
    let request = Request::Kill { reason: reason.to_owned() };
    let mut reached: Vec<&str> = Vec::new();
    let ended = client::converse(&socket, &request, LONG, |reply| {
        let (step, line) = match reply {
            Reply::GateClosed { epoch } => {
                ("GATE_CLOSED", format!("GATE_CLOSED epoch {epoch}: no order leaves any more"))
            }
            Reply::Latched { kill_seq } => {
                ("LATCHED", format!("LATCHED kill {kill_seq}: it survives a restart"))
            }
            Reply::OrdersClear { kill_seq } => {
                ("ORDERS_CLEAR", format!("ORDERS_CLEAR kill {kill_seq}: no order of ours is left"))
            }
            Reply::Done { .. }
            | Reply::Status(_)
            | Reply::Draft(_)
            | Reply::Pack(_)
            | Reply::Ordered { .. }
            | Reply::Denied(_)
            | Reply::Findings { .. } => {
                return Err(client::unexpected(&socket));
            }
        };
        reached.push(step);
        // The kill goes on at the daemon whether or not this line could be printed.
        told(&line)
    });
    conclude(ended, &reached)
}

/// A kill that is cut short says how far it came and what to do about the rest.
fn conclude(ended: Result<(), CliError>, reached: &[&str]) -> Result<(), CliError> {
    let last = reached.last().copied();
    match ended {
        Ok(()) if last == Some("ORDERS_CLEAR") => Ok(()),
        Ok(()) => {
            let cause = "the daemon ended its answer before ORDERS_CLEAR";
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
    use crate::client::tests::{daemon, frame};
    use crate::testing::{People, Scratch};

    fn check(frames: &[Answer], steps: &[&str], expect: Result<(), (&str, Exit)>) {
        let scratch = Scratch::new("kill");
        let people = People::new();
        std::fs::write(scratch.path().join("genesis.json"), &people.genesis.bytes).unwrap();
        let home = Home::open(scratch.path()).unwrap();
        let server = daemon(home.kill_socket(), frames.iter().map(frame).collect());
        let mut lines = Vec::new();
        let ended = kill(&home, "test", |line| {
            lines.push(line.split(' ').next().unwrap_or_default().to_owned());
            Ok(())
        });
        assert_eq!(lines, steps);
        let seen = ended.map_err(|error| (error.code, error.exit));
        assert_eq!(seen, expect.map_err(|(code, exit)| (code.to_owned(), exit)));
        assert_eq!(server.join().unwrap(), Request::Kill { reason: "test".to_owned() });
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
        let error = kill(&home, "test", |_| Ok(())).unwrap_err();
        assert_eq!((error.exit, error.next.as_str()), (Exit::Unreachable, WITHOUT_SOCKET));
        let blank = kill(&home, " ", |_| Ok(())).unwrap_err();
        assert_eq!(blank.exit, Exit::Usage);
    }
}
