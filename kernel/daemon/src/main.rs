//! `portcullisd`: the kernel daemon. One account on one endpoint set.
//!
//! This file is the table of contents. What runs where:
//!
//! | thread | does |
//! |---|---|
//! | core | `order_path::core_loop`: every decision |
//! | outbox | `order_path::outbox_loop`: every order and every answer |
//! | committer | writes and syncs the journal |
//! | notary | makes the log of what is durable, signs checkpoints |
//! | link, account, clock, public | the venue: reports, reconciliation, skew, market data |
//! | lifeline | cancels while the venue's socket is down |
//! | worker-N | one per plugin: talks to its process |
//! | control, kill | people, over two sockets |
//! | signals | `TERM` ends in order, `USR1` kills |

mod account;
mod args;
mod board;
mod by_hand;
mod clock;
mod control;
mod fault;
mod heard;
mod home;
mod house;
mod notary;
mod open;
mod pack;
mod recover;
mod requests;
mod rescue;
mod reserve;
mod sink;
mod skew;
mod status;
mod threads;
mod venue;
mod wiring;
mod witness;
mod workers;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use portcullis_core::{Event, Input};
use portcullis_path::inbox::inbox;
use portcullis_path::order_path::{
    commit_channel, commit_loop, core_loop, first_turn, hand_on, outbox_loop,
};
use portcullis_path::outbox::outbox;

use fault::DaemonFault;
use home::Home;
use house::House;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            // With stderr gone the exit code still speaks.
            drop(writeln!(std::io::stderr(), "{fault}"));
            ExitCode::from(fault.exit)
        }
    }
}

fn run() -> Result<(), DaemonFault> {
    let args = args::parse(std::env::args_os().skip(1))?;
    let home = Home::open(&args)?;
    if args.rescue {
        return rescue::rescue(&home);
    }
    let recover::Opened { mut core, journal, start } = home.recover()?;

    // What a start can fail at comes before the journal knows of it; nobody is heard before that.
    let sockets = control::bind(&home)?;
    let signals = house::take_signals()?;
    let (lanes, inbox) = inbox();
    let (outbox, outbox_end) = outbox();
    let (commits, commits_end) = commit_channel();
    let (mut appender, mut committer) = journal.split();
    let mark = appender.mark();
    let notary = home.notary(mark.durable_epoch().epoch)?;
    let started = Event { now: clock::now(), input: Input::Started(Box::new(start)) };
    let begun = first_turn(&mut core, (&mut appender, &mut committer), started);
    let begun = begun.map_err(|fault| home.journal_fault(&fault))?;
    let house = Arc::new(House::new(home, lanes.clone(), (mark.clone(), notary.key()), &core));
    let mut wiring = wiring::HouseWiring::new(Arc::clone(&house));
    house.begin();

    venue::start_lifeline(&house)?;
    if hand_on(begun, &outbox, &mut wiring) {
        return house.ended();
    }
    control::listen(&house, sockets)?;
    house::watch_signals(&house, signals)?;
    let written = AtomicBool::new(false);
    reserve::keep(&house)?;
    thread::scope(|scope| {
        let (shared, written_to, committer) = (&house, &written, &mut committer);
        scope.spawn(move || {
            let mut full = reserve::Full::new(shared);
            let done = commit_loop(committer, commits_end, &mut |it| full.look(it));
            if let Err(fault) = done {
                shared.journal_failed(fault.code());
            }
            written_to.store(true, Ordering::Release);
        });
        scope.spawn(|| notary.run(&house, &written));
        scope.spawn(|| {
            let mut sink = sink::VenueSink::new(&house);
            let mut give = |request, answer| house.requests.give(request, answer);
            let authority = (&mark, &house.authority);
            let tell = |report| house.report(report);
            outbox_loop(outbox_end, authority, &clock::now, &mut sink, (&tell, &mut give));
        });
        core_loop(core, &inbox, (appender, &commits), &outbox, &mut wiring);
        // Dropping these ends the committer and the outbox once they have settled what they hold.
        drop((commits, outbox));
    });
    house.ended()
}
