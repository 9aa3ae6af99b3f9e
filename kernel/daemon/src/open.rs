//! Drafting, opening and ending, as far as the daemon has to prepare something for the core.

use std::fs;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use portcullis_control::{Answer, DraftView, EndpointView, PositionView, ReleaseView, Reply};
use portcullis_core::{EpochName, Input, Worker};
use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{Name, Phase, SessionId};
use portcullis_path::WorkerProcess;
use portcullis_statement::{
    ApprovedPlugin, Digest, Envelope, JournalBinding, SignedStatement, Statement,
};

use crate::board::Shown;
use crate::clock;
use crate::control::{Asker, ask, refused};
use crate::house::House;
use crate::pack;
use crate::witness;

/// How long a signal waits for the session to close.
const CLOSE_NS_MAX: i64 = 60 * NS_PER_S;
/// Between two looks at it.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// Drafts a session: binds it to the journal as it stands, and says what an approval has to name.
pub(crate) fn draft(house: &Arc<House>, session: SessionId) -> Answer {
    let Some(before) = house.look() else { return unresponsive() };
    let Some(epoch) = before.epoch.clone() else { return unresponsive() };
    let journal = JournalBinding {
        origin: epoch.origin.clone(),
        key: epoch.key.clone(),
        size: before.head.size,
        root: before.head.root,
    };
    let name = session.clone();
    let answer = ask(house, |request| Input::Draft { request, session, journal });
    if answer.result.is_err() {
        return answer;
    }
    Answer::last(Reply::Draft(draft_view(house, &name, epoch, before)))
}

fn draft_view(house: &House, session: &Name, epoch: EpochName, shown: Shown) -> DraftView {
    let balances = shown.balances.unwrap_or_default();
    let positions = shown.view.positions.into_iter().map(|position| PositionView {
        symbol: position.symbol,
        qty: position.qty,
        avg_px: position.avg_px,
        profit: position.profit,
        fees: position.fees,
    });
    let releases = shown.releases.into_iter().map(|(digest, release)| ReleaseView {
        release: digest.hex(),
        component: release.component.hex(),
        plugin: release.plugin.to_string(),
        author: release.author.to_string(),
        phase_max: release.phase_max.number(),
        release_seq: release.release_seq,
    });
    let endpoints = shown.endpoints.into_iter().map(|(digest, endpoint)| EndpointView {
        endpoint: digest.hex(),
        kind: endpoint.kind.name().to_owned(),
        venue: endpoint.venue.name().to_owned(),
    });
    DraftView {
        session: session.to_string(),
        build: env!("CARGO_PKG_VERSION").to_owned(),
        origin: epoch.origin,
        key: epoch.key,
        size: shown.head.size,
        root: shown.head.root.hex(),
        kill_seq: shown.view.kill_seq,
        kill_entry: shown.view.kill_entry,
        phases_digest: house.home.phases.digest.hex(),
        safety_digest: house.home.safety.digest.hex(),
        positions: positions.collect(),
        balances: balances.into_iter().map(|(name, amount)| (name, amount.text())).collect(),
        releases: releases.collect(),
        endpoints: endpoints.collect(),
    }
}

/// Opens a session: loads the components that the approval names, then asks the core.
///
/// What is loaded is hashed here, from the bytes that go to the worker; the core compares.
pub(crate) fn open(house: &Arc<House>, asked: (&SignedStatement, &[String])) -> Answer {
    let (signed, burns) = asked;
    if let Some(refusal) = witness::foreign_burn(house, burns) {
        return refusal;
    }
    // Two at once would take each other's workers away. The pool's own lock is held for moments
    // only: the core loop needs it to deliver.
    let _one_at_a_time = house.opening.lock().unwrap_or_else(PoisonError::into_inner);
    let pool = || house.workers.lock().unwrap_or_else(PoisonError::into_inner);
    let plugins = match plugins_of(signed) {
        Ok(plugins) => plugins,
        Err((code, cause)) => return refused(code, cause),
    };
    match house.look() {
        Some(shown) if is_hopeless(house, signed, &shown) => {
            // The core refuses this, and knows best why; nothing is loaded for it.
            let (approval, workers, burns) = (signed.clone(), Vec::new(), burns.to_vec());
            ask(house, |request| Input::OpenSession { request, approval, workers, burns })
        }
        Some(shown) => {
            let mut processes = Vec::new();
            let mut workers = Vec::new();
            for plugin in &plugins {
                match load(house, plugin, &shown) {
                    Ok((process, worker)) => {
                        processes.push(process);
                        workers.push(worker);
                    }
                    Err((code, cause)) => return refused(&code, &cause),
                }
            }
            // X8: the runlog exists before the session does.
            if let Err((code, cause)) = pack::write_form(house, signed) {
                return refused(&code, &cause);
            }
            pool().adopt(house, processes);
            let (approval, burns) = (signed.clone(), burns.to_vec());
            let answer =
                ask(house, |request| Input::OpenSession { request, approval, workers, burns });
            if answer.result.is_err() {
                pool().clear();
            }
            answer
        }
        None => unresponsive(),
    }
}

/// Whether an approval will be refused whatever is loaded for it. What is not signed starts no
/// process, not even one that is thrown away.
fn is_hopeless(house: &House, signed: &SignedStatement, shown: &Shown) -> bool {
    let verified = house.home.trust.verify(signed, &house.home.phases.value, clock::wall());
    verified.is_err() || shown.view.session.is_some() || shown.view.kill_entry.is_some()
}

/// The plugins of an approval, read before it is verified: only to know what to load.
fn plugins_of(
    signed: &SignedStatement,
) -> Result<Vec<ApprovedPlugin>, (&'static str, &'static str)> {
    let envelope = Envelope::parse(&signed.bytes);
    let statement = envelope.and_then(|envelope| envelope.statement());
    match statement {
        Ok(Statement::SessionApproval(approval)) if approval.phase == Phase::Shadow => {
            let cause = "phase 1 has no venue to connect to: portcullis replay runs it";
            Err(("PHASE_FORBIDS", cause))
        }
        // Streams are counted per kind, not per instrument, so two would be taken for one.
        Ok(Statement::SessionApproval(approval)) if approval.instruments.len() != 1 => {
            Err(("ONE_INSTRUMENT", "this version keeps the market of one instrument a session"))
        }
        Ok(Statement::SessionApproval(approval)) => Ok(approval.plugins),
        Ok(
            Statement::EndpointSet(_)
            | Statement::PluginRelease(_)
            | Statement::LimitsChange(_)
            | Statement::Unkill(_)
            | Statement::FlattenPlan(_)
            | Statement::Release(_)
            | Statement::Seal(_),
        ) => Err(("WRONG_KIND", "this statement is not a session approval")),
        Err(_) => Err(("STATEMENT_MALFORMED", "this is no statement")),
    }
}

fn load(
    house: &House,
    plugin: &ApprovedPlugin,
    shown: &Shown,
) -> Result<(WorkerProcess, Worker), (String, String)> {
    let path = house.home.path(&format!("plugins/{}.wasm", plugin.component.hex()));
    let component = fs::read(&path).map_err(|error| {
        let cause = format!("{}: {error}; portcullis plugin install", path.display());
        ("COMPONENT_MISSING".to_owned(), cause)
    })?;
    let release = shown.releases.iter().find(|(digest, _)| *digest == plugin.release);
    let Some((_, release)) = release else {
        let cause = format!("release {} was not signed here", plugin.release.hex());
        return Err(("HASH_NOT_SIGNED".to_owned(), cause));
    };
    if Digest::of(&component) != release.component {
        let cause = format!("{} is not the component that was released", path.display());
        return Err(("HASH_NOT_SIGNED".to_owned(), cause));
    }
    let mut process = WorkerProcess::spawn(&house.home.sandbox).map_err(|error| {
        let cause = format!("{}: {error}", house.home.sandbox.display());
        ("SANDBOX_MISSING".to_owned(), cause)
    })?;
    let loaded = process
        .load(&component, release.memory_bytes_max)
        .map_err(|fault| (fault.code, fault.cause))?;
    Ok((process, Worker { component: loaded.component, engine: loaded.engine }))
}

/// Ends the daemon, if nothing is open and nothing is being opened. Whoever asked is answered when
/// it has ended; before that, only a refusal is an answer.
pub(crate) fn stop(house: &Arc<House>, asker: &Asker, stream: &UnixStream) -> Option<Answer> {
    let Ok(_no_session_opens_meanwhile) = house.opening.try_lock() else {
        return Some(refused("SESSION_OPENING", "a session is being opened"));
    };
    match house.look() {
        Some(shown) if shown.view.session.is_some() => {
            Some(refused("SESSION_OPEN", "close the session first: portcullis close"))
        }
        Some(_) => {
            if let Ok(stream) = stream.try_clone() {
                house.leaving.lock().unwrap_or_else(PoisonError::into_inner).push(stream);
            }
            house.stop(&asker.name);
            None
        }
        None => Some(unresponsive()),
    }
}

/// Ends the daemon on a signal: the session is closed first, so that the end is in order. One that
/// does not close in time is left open, and the next start is a killed one.
pub(crate) fn end_in_order(house: &Arc<House>) {
    if house.look().is_some_and(|shown| shown.view.session.is_some()) {
        let (who, reason) = ("signal".to_owned(), "SIGTERM".to_owned());
        drop(ask(house, |request| Input::CloseSession { request, who, reason }));
        // A session that was closing already is waited for all the same.
        let until = clock::now().boot.plus_ns(CLOSE_NS_MAX);
        while clock::now().boot < until
            && house.look().is_some_and(|shown| shown.view.session.is_some())
        {
            sleep(LOOK_PAUSE);
        }
    }
    house.stop("signal");
}

pub(crate) fn unresponsive() -> Answer {
    refused("NO_ANSWER", "the core loop does not answer")
}
