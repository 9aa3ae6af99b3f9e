//! From the home to its witnesses and back: checkpoints there, cosignatures and burns here.
//! Whoever carries can be slow; whatever else it does is found by one end or the other.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use portcullis_control::{Reply, Request};
use portcullis_evidence::log::prove_consistency;
use portcullis_statement::note::{Burn, Note, SignatureLine, SignedCheckpoint};
use portcullis_statement::{Witness, Witnesses};

use super::asked::{AddCheckpoint, installation};
use super::book::last_note;
use super::epochs::{EpochLog, read_all};
use super::http::Place;
use crate::client::{self, SOON};
use crate::files::{self, beside, exists, shown};
use crate::home::{Home, Installation};
use crate::verbs::status;
use crate::{CliError, Exit, out};

/// How often a checkpoint that is not there yet is looked for, and how long between.
const LOOKS: u32 = 50;
const LOOK_PAUSE: Duration = Duration::from_millis(100);

/// One witness of the roster and where it serves.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    witness: Witness,
    place: Place,
}

/// Finds out where the roster's witnesses serve: by `NAME=PLACE` words, or by the lines of the
/// file beside the home.
pub(crate) fn reaches(
    home: &Path,
    witnesses: &Witnesses,
    words: &[String],
) -> Result<Vec<Reach>, CliError> {
    let beside = beside(home, ".witnesses");
    let words = if words.is_empty() && exists(&beside) {
        let text = String::from_utf8_lossy(&files::read(&beside, 64 * 1024)?).into_owned();
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    } else {
        words.to_vec()
    };
    words.iter().map(|word| reach(witnesses, word)).collect()
}

fn reach(witnesses: &Witnesses, word: &str) -> Result<Reach, CliError> {
    let usage = |cause: &str| {
        let next = "--witness NAME=http://HOST:PORT, or NAME=unix:PATH";
        CliError::new(Exit::Usage, "WITNESS_FORM", word, cause, next)
    };
    let (name, place) = word.split_once('=').ok_or_else(|| usage("there is no `=` in it"))?;
    let known = witnesses.list().iter().find(|witness| witness.name.as_str() == name);
    let witness = known.ok_or_else(|| usage("no witness of the roster has that name"))?.clone();
    let place = Place::parse(place).ok_or_else(|| usage("this is no place"))?;
    Ok(Reach { witness, place })
}

impl Reach {
    /// Brings this witness up to the last of these logs, and adds its line to `signed`.
    fn bring(&self, logs: &[EpochLog], signed: &mut SignedCheckpoint) -> Result<(), CliError> {
        let Some((last, before)) = logs.split_last() else { return Ok(()) };
        let of = installation(last.key.name());
        let (status, body) = self.place.ask(&format!("GET /last/{of}"), "")?;
        // Others' witnesses do not tell: their answer to a wrong guess does.
        let known = last_note(&body).filter(|_| status == 200);
        let mut size = known.as_ref().map_or(0, |(_, size, _)| *size);
        if let Some((origin, ..)) = known {
            let at = logs.iter().position(|log| log.key.name() == origin);
            let at = at.ok_or_else(|| self.ahead(&format!("it is at {origin}")))?;
            for log in before.iter().skip(at) {
                self.add(log, size)?;
                let end = log.end().map_err(|fault| self.said(fault.code(), &fault.to_string()))?;
                let (status, body) = self.place.ask("POST /next-epoch", &end.to_string())?;
                if status == 400 {
                    return Err(self.unannounced(&last.key.to_string()));
                }
                if status != 200 {
                    return Err(self.refused(status, &body, &last.key.to_string()));
                }
                size = 0;
            }
        }
        let lines = self.add(last, size)?;
        let added = lines.lines().filter_map(|line| SignatureLine::parse(line).ok());
        let mut added = added.map(|line| signed.cosign(line, &self.witness.key));
        if added.any(|at| at.is_ok()) {
            return Ok(());
        }
        Err(self.said("COSIGNATURE_FOREIGN", "it did not sign with its key in the roster"))
    }

    /// The cosignature lines over the last checkpoint of a log. A wrong guess of the size that the
    /// witness knows is corrected once.
    fn add(&self, log: &EpochLog, guess: u64) -> Result<String, CliError> {
        let new = log.last.checkpoint().size;
        let mut old = guess;
        for _ in 0..2 {
            if old > new {
                return Err(self.ahead(&format!("it has cosigned {old} entries, here are {new}")));
            }
            let proof = prove_consistency(&mut log.tiles(), old, new)
                .map_err(|fault| self.said(fault.code(), &fault.to_string()))?;
            let asked = AddCheckpoint { old, proof, note: log.last.note().clone() };
            let (status, body) = self.place.ask("POST /add-checkpoint", &asked.text())?;
            match (status, body.trim_end().parse()) {
                (200, _) => return Ok(body),
                (409, Ok(size)) if size != old => old = size,
                _ => return Err(self.refused(status, &body, &log.key.to_string())),
            }
        }
        Err(self.said("WITNESS_BUSY", "somebody else carries to it at the same time"))
    }

    /// The burn of an approval, as this witness signed it.
    fn burn(&self, (burn, asked): (&Burn, &str)) -> Result<String, CliError> {
        let (status, body) = self.place.ask("POST /burn", asked)?;
        match status {
            200 => {}
            409 => return Err(self.ahead(&format!("it is at {}", body.trim_end()))),
            _ => return Err(self.refused(status, &body, &burn.journal.origin)),
        }
        let note = Note::parse(body.as_bytes()).ok();
        let signed = note.filter(|note| {
            note.text() == burn.text() && note.cosigned_at(&self.witness.key).is_ok()
        });
        let foreign = || self.said("BURN_FOREIGN", "it did not sign with its key in the roster");
        signed.map(|note| note.to_string()).ok_or_else(foreign)
    }

    /// Brings what this witness has seen to the daemon, which kills when it is more than the disk
    /// has. Whatever comes of it, the error is told.
    fn accuse(&self, home: &Home, origin: &str, error: CliError) -> CliError {
        let last = self.place.ask(&format!("GET /last/{}", installation(origin)), "");
        let seen = last.ok().filter(|(status, _)| *status == 200);
        if let Some((_, _, Some(note))) = seen.and_then(|(_, body)| last_note(&body)) {
            let request = Request::Cosigned { note: note.to_string() };
            if let Err(refused) = client::ask(&home.control_socket(), &request, SOON) {
                out::narrate(&refused.to_string());
            }
        }
        error
    }

    /// An epoch without an end of its own: the house was rescued, and no entry names the next key.
    fn unannounced(&self, key: &str) -> CliError {
        let (code, name) = ("EPOCH_UNANNOUNCED", self.witness.name.to_string());
        let cause = "the epoch that it follows has no last entry: the house was rescued";
        let next =
            format!("whoever runs it: portcullis witness trust STATE '{key}' --after-rescue");
        CliError::new(Exit::Refused, code, &name, cause, &next)
    }

    fn said(&self, code: &str, cause: &str) -> CliError {
        let next = "ask whoever runs this witness; portcullis status shows who has signed";
        CliError::new(Exit::Refused, code, &self.witness.name.to_string(), cause, next)
    }

    fn ahead(&self, seen: &str) -> CliError {
        let (name, cause) = (self.witness.name.to_string(), format!("{seen}: this disk is older"));
        let next = "kill, and put the whole journal back; nothing is opened on an older one";
        CliError::new(Exit::CheckFailed, "WITNESS_AHEAD", &name, &cause, next)
    }

    fn refused(&self, status: u16, body: &str, key: &str) -> CliError {
        let cause = format!("it answered {status}: {}", body.trim_end());
        let (code, next) = match status {
            404 => ("WITNESS_UNTRUSTING", format!("portcullis witness trust STATE '{key}'")),
            409 | 422 => {
                let next = "kill: the journal here is not the one that was witnessed";
                ("WITNESS_FORKED", next.to_owned())
            }
            410 => ("NONCE_BURNED", "draft the session anew and have it signed".to_owned()),
            _ => ("WITNESS_REFUSED", "look at the witness's own output".to_owned()),
        };
        let name = self.witness.name.to_string();
        CliError::new(Exit::Refused, code, &name, &cause, &next)
    }
}

/// Whether an error means that the disk here was set back: then nothing else may go on.
fn set_back(error: &CliError) -> bool {
    matches!(error.code.as_str(), "WITNESS_AHEAD" | "WITNESS_FORKED")
}

/// What the witnesses signed of a home, and who did not sign and why.
type Brought = (SignedCheckpoint, Vec<CliError>);

/// Brings the last checkpoint of the home to each witness, and what they signed to the daemon.
///
/// A witness that knows more than was read here may have heard it from somebody who carries at the
/// same time: only a disk that has not grown meanwhile was set back.
pub(crate) fn carry(home: &Home, root: &Path, reaches: &[Reach]) -> Result<Brought, CliError> {
    let mut looks = LOOKS;
    let ((signed, failed), lines) = loop {
        let logs = read_all(root)?;
        let last = logs.last().ok_or_else(|| no_checkpoint(root))?;
        match bring_all(&logs, last, reaches) {
            Ok(brought) => break (brought, last.last.note().lines().len()),
            Err((reach, error)) => {
                looks = looks.saturating_sub(1);
                if looks == 0 || end(&read_all(root)?) <= end(&logs) {
                    return Err(reach.accuse(home, last.key.name(), error));
                }
                sleep(LOOK_PAUSE);
            }
        }
    };
    if signed.note().lines().len() > lines {
        let socket = home.control_socket();
        let request = Request::Cosigned { note: signed.note().to_string() };
        let text = client::done(&socket, &request, SOON)?;
        out::narrate(&portcullis_evidence::text::escape_terminal(&text));
    }
    Ok((signed, failed))
}

/// Which epoch a home is in, and how much of it is signed.
fn end(logs: &[EpochLog]) -> Option<(usize, u64)> {
    logs.last().map(|log| (logs.len(), log.last.checkpoint().size))
}

/// What each witness says to the last checkpoint; the first that says that it was set back ends it.
fn bring_all<'a>(
    logs: &[EpochLog],
    last: &EpochLog,
    reaches: &'a [Reach],
) -> Result<Brought, (&'a Reach, CliError)> {
    let (mut signed, mut failed) = (last.last.clone(), Vec::new());
    for reach in reaches {
        match reach.bring(logs, &mut signed) {
            Ok(()) => {}
            Err(error) if set_back(&error) => return Err((reach, error)),
            Err(error) => failed.push(error),
        }
    }
    Ok((signed, failed))
}

/// The burn as the house asks for it: a witness burns for nobody else.
fn asked(home: &Home, burn: &Burn) -> Result<String, CliError> {
    let (socket, request) = (home.control_socket(), Request::Burn { burn: burn.text() });
    let Reply::Signed { note } = client::ask(&socket, &request, SOON)? else {
        return Err(client::unexpected(&socket));
    };
    Ok(note)
}

fn no_checkpoint(root: &Path) -> CliError {
    let (cause, next) = ("there is no checkpoint yet", "portcullisd makes one a second");
    CliError::new(Exit::Temporary, "CHECKPOINT_MISSING", &shown(root), cause, next)
}

/// The burns of an approval by the witnesses of a home's roster; none where there is no witness.
pub(crate) fn burns(
    root: &Path,
    words: &[String],
    burn_at: impl Fn(u32, &SignedCheckpoint, String) -> Option<Burn>,
) -> Result<Vec<String>, CliError> {
    let home = Home::open(root)?;
    let genesis = Installation::read(&home.genesis_path())?.genesis;
    let witnesses = genesis.roster.witnesses();
    if witnesses.quorum() == 0 {
        return Ok(Vec::new());
    }
    let reaches = reaches(root, witnesses, words)?;
    let run = status::ask(&home)?.run;
    let run = run.and_then(|run| u32::from_str_radix(&run, 16).ok());
    let run = run.ok_or_else(|| client::unexpected(&home.control_socket()))?;
    let of = format!("portcullis/{}/{}", genesis.host, genesis.account);
    for _ in 0..LOOKS {
        let (signed, mut failed) = carry(&home, root, &reaches)?;
        let Some(burn) = burn_at(run, &signed, of.clone()) else {
            sleep(LOOK_PAUSE);
            continue;
        };
        let mut burns = Vec::new();
        let asked = asked(&home, &burn)?;
        for reach in &reaches {
            match reach.burn((&burn, &asked)) {
                Ok(note) => burns.push(note),
                Err(error) if set_back(&error) => {
                    return Err(reach.accuse(&home, &burn.journal.origin, error));
                }
                Err(error) => failed.push(error),
            }
        }
        let missing = burns.len() < witnesses.quorum();
        return match failed.into_iter().next().filter(|_| missing) {
            Some(error) => Err(error),
            // Too few were named, perhaps: the kernel says what it asks for.
            None => Ok(burns),
        };
    }
    Err(no_checkpoint(root))
}
