//! Epochs of the journal: when one is over, how it ends, and how the next one begins.
//!
//! An epoch ends with the session in it, and at the first moment after midnight (UTC) at which no
//! session is open. Its last entry announces the next one's name and key. The next one begins with
//! the state of the house as a snapshot, and the house goes on as what that snapshot says: so a
//! later reading of the journal, which has nothing else, finds the same house.

use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{Now, WallNs};
use portcullis_statement::Digest;
use portcullis_statement::json::{self, Fields, Value};

use crate::effect::Effect;
use crate::entry::{Class, Content, Decoded, Entry, Place, int};
use crate::recover::RecoverError;
use crate::snapshot::NotNow;
use crate::state::{Core, Turn};

/// Longest entry that is a leaf of the log as it stands.
const LEAF_BYTES_MAX: usize = 32 * 1024;
/// Room that a snapshot has in an entry whatever else is in it.
const ROOM_BYTES_MIN: usize = 1024;
/// Between two times that the house is asked to end an epoch.
const ASK_PAUSE_NS: i64 = 60 * NS_PER_S;
const NS_PER_DAY: i64 = 86_400 * NS_PER_S;
/// Longest name and key of an epoch.
const NAME_LEN_MAX: usize = 255;

/// The present epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Epoch {
    /// Counted from 1.
    number: u64,
    name: EpochName,
    began: WallNs,
    /// A session ended in it.
    over: bool,
    /// When the house was last asked to end it.
    asked: Option<WallNs>,
}

impl Epoch {
    /// The same for a process that has not asked for anything yet.
    pub(crate) fn unasked(self) -> Self {
        Self { asked: None, ..self }
    }
}

/// A snapshot that is being read.
#[derive(Debug)]
pub(crate) struct Restoring {
    missing: u64,
    bodies: Vec<Value>,
}

/// What an epoch is called, and by which key its checkpoints are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochName {
    /// Origin of its journal.
    pub origin: String,
    /// Key that signs its checkpoints, as verifiers of signed notes write it.
    pub key: String,
}

/// Why an epoch does not end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRolled {
    /// Not at this moment.
    NotNow(NotNow),
    /// There is no epoch, or it is over already.
    NoEpoch,
    /// Name or key of the next one cannot be one.
    Unfit,
    /// The house cannot be read back from its own snapshot. It must not go on like this.
    Broken(RecoverError),
}

/// The beginning of the next epoch.
#[derive(Debug)]
pub struct Roll {
    /// The house in the next epoch. Whoever had the one before lets go of it.
    pub core: Core,
    bodies: Vec<Value>,
    /// Origin of the epoch before.
    before: String,
}

impl Roll {
    /// The first entries of the next epoch, once it is known where the one before ended: how many
    /// entries it has, and the root over all of them.
    #[must_use]
    pub fn begun(&self, (size, root): (u64, Digest)) -> Vec<Entry> {
        let place = &self.core.place;
        let Some(epoch) = &self.core.epoch else { return Vec::new() };
        let previous = json::object([
            ("origin", self.before.as_str().into()),
            ("root", root.hex().into()),
            ("size", int(size)),
        ]);
        let began = began(epoch, previous, self.bodies.len());
        let corr = corr(epoch.number);
        let part = |(number, body): (u64, &Value)| {
            let reason = format!("{number} of {}", self.bodies.len());
            let (kind, corr, body) = ("snapshot", corr.clone(), body.clone());
            Entry::new(Class::Host, place, Content { kind, corr, reason, body })
        };
        let parts = (1..).zip(&self.bodies).map(part);
        [Entry::new(Class::Host, place, began)].into_iter().chain(parts).collect()
    }
}

/// Room for the body of an entry of a snapshot.
pub(crate) fn entry_room(place: &Place) -> usize {
    let (corr, reason) = (corr(u64::MAX), format!("{0} of {0}", u64::MAX));
    let content = Content { kind: "snapshot", corr, reason, body: Value::Null };
    let frame = Entry::new(Class::Host, place, content).bytes.len();
    LEAF_BYTES_MAX.saturating_sub(frame).max(ROOM_BYTES_MIN)
}

fn corr(number: u64) -> String {
    format!("epoch-{number}")
}

fn began(epoch: &Epoch, previous: Value, parts: usize) -> Content {
    let body = json::object([
        ("epoch", int(epoch.number)),
        ("key", epoch.name.key.as_str().into()),
        ("origin", epoch.name.origin.as_str().into()),
        ("parts", int(u64::try_from(parts).unwrap_or(u64::MAX))),
        ("previous", previous),
    ]);
    let (kind, reason) = ("epoch-began", "FROM_SNAPSHOT".to_owned());
    Content { kind, corr: corr(epoch.number), reason, body }
}

fn name(body: &mut Fields<'_>, keys: (&str, &str)) -> Result<EpochName, RecoverError> {
    let (origin, key) = (body.text(keys.0)?.to_owned(), body.text(keys.1)?.to_owned());
    Ok(EpochName { origin, key })
}

fn is_name(text: &str) -> bool {
    (1..=NAME_LEN_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl Core {
    /// The first entry of a journal that has no history. It has to be folded like any other.
    #[must_use]
    pub fn first_epoch(now: Now, name: EpochName) -> Entry {
        let place = Place { at: now, ..Place::default() };
        let epoch = Epoch { number: 1, name, began: now.wall, over: false, asked: None };
        let began = began(&epoch, Value::Null, 0);
        Entry::new(Class::Host, &place, Content { reason: "NEW_HOME".to_owned(), ..began })
    }

    /// Number and name of the present epoch.
    #[must_use]
    pub fn epoch(&self) -> Option<(u64, &EpochName)> {
        self.epoch.as_ref().map(|epoch| (epoch.number, &epoch.name))
    }

    /// Whether the epoch is over: nothing more is written to its journal.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Whether the first entries of the epoch have been read in part only.
    #[must_use]
    pub const fn is_restoring(&self) -> bool {
        self.restoring.is_some()
    }

    /// Ends the epoch, if it can end now. This core is in the next one then, and what goes on is
    /// the one that comes out.
    ///
    /// Also the last entry of the epoch that ends.
    ///
    /// # Errors
    /// See [`NotRolled`]; nothing has changed then.
    pub fn roll(&mut self, next: &EpochName) -> Result<(Entry, Roll), NotRolled> {
        let epoch = self.epoch.clone().filter(|_| self.ended.is_none());
        let epoch = epoch.ok_or(NotRolled::NoEpoch)?;
        if next.origin == epoch.name.origin {
            // An answer that came late: the epoch of that name has begun already.
            return Err(NotRolled::Unfit);
        }
        let roll = self.next(next)?;
        Ok((self.ended_entry(&epoch, next), roll))
    }

    /// The same for an epoch whose end is on record and whose successor never began whole.
    ///
    /// # Errors
    /// See [`NotRolled`].
    pub fn roll_again(&mut self) -> Result<Roll, NotRolled> {
        let next = self.ended.take().ok_or(NotRolled::NoEpoch)?;
        self.next(&next)
    }

    fn next(&mut self, next: &EpochName) -> Result<Roll, NotRolled> {
        let epoch = self.epoch.as_ref().ok_or(NotRolled::NoEpoch)?;
        if !is_name(&next.origin) || !is_name(&next.key) {
            return Err(NotRolled::Unfit);
        }
        let (number, before) = (epoch.number.saturating_add(1), epoch.name.origin.clone());
        self.check_quiet().map_err(NotRolled::NotNow)?;
        self.leave_session_behind();
        let bodies = self.snapshot().map_err(NotRolled::NotNow)?;
        let following = Epoch {
            number,
            name: next.clone(),
            began: self.place.at.wall,
            over: false,
            asked: None,
        };
        let core = Self::restore(&self.place, Some(following.clone()), &bodies);
        let core = core.map_err(NotRolled::Broken)?;
        self.epoch = Some(following);
        Ok(Roll { core, bodies, before })
    }

    fn ended_entry(&self, epoch: &Epoch, next: &EpochName) -> Entry {
        let reason = if epoch.over { "SESSION_OVER" } else { "DAY_OVER" };
        let body = json::object([
            ("next_key", next.key.as_str().into()),
            ("next_origin", next.origin.as_str().into()),
        ]);
        let (kind, corr, reason) = ("epoch-ended", corr(epoch.number), reason.to_owned());
        Entry::new(Class::Host, &self.place, Content { kind, corr, reason, body })
    }

    /// When the house is to be asked to end the epoch.
    pub(crate) fn next_roll(&self) -> Option<WallNs> {
        let epoch = self.epoch.as_ref().filter(|_| self.ended.is_none())?;
        if self.live.is_some() || self.flatten.is_some() {
            return None;
        }
        let midnight = epoch.began.0.div_euclid(NS_PER_DAY).saturating_add(1);
        let midnight = WallNs(midnight.saturating_mul(NS_PER_DAY));
        let due = if epoch.over { epoch.began } else { midnight };
        // What is late already is due now: a deadline is a moment to wait for.
        let again = epoch.asked.map(|asked| asked.plus_ns(ASK_PAUSE_NS));
        Some(due.max(again.unwrap_or(due)))
    }

    /// Asks the house to end the epoch when it is over. Called after every event.
    pub(crate) fn tend_epoch(&mut self, turn: &mut Turn) {
        if self.next_roll().is_some_and(|due| due <= turn.now.wall)
            && let Some(epoch) = &mut self.epoch
        {
            epoch.asked = Some(turn.now.wall);
            turn.effect(Effect::EndEpoch { number: epoch.number });
        }
    }

    /// A session ended: the epoch does too. Live and in recovery alike.
    pub(crate) fn epoch_over(&mut self) {
        if let Some(epoch) = &mut self.epoch {
            epoch.over = true;
        }
    }

    /// Folds what is written about epochs; everything else about the host is left alone.
    pub(crate) fn fold_epoch(&mut self, entry: &Decoded) -> Result<(), RecoverError> {
        let mut body = Fields::new(&entry.body)?;
        match entry.kind.as_str() {
            "epoch-began" => {
                // Before it there is nothing: what came before is in its snapshot.
                if self.epoch.is_some() || self.identity.is_some() {
                    return Err(RecoverError::Epoch("it begins in the middle of another"));
                }
                let (number, began) = (body.uint("epoch")?, entry.place.at.wall);
                let name = name(&mut body, ("origin", "key"))?;
                self.epoch = Some(Epoch { number, name, began, over: false, asked: None });
                let missing = body.uint("parts")?;
                self.restoring = (missing > 0).then(|| Restoring { missing, bodies: Vec::new() });
            }
            "snapshot" => self.fold_snapshot(entry)?,
            "epoch-ended" => self.ended = Some(name(&mut body, ("next_origin", "next_key"))?),
            _ => {}
        }
        Ok(())
    }

    fn fold_snapshot(&mut self, entry: &Decoded) -> Result<(), RecoverError> {
        let unasked = RecoverError::Epoch("a snapshot in the middle of it");
        let mut restoring = self.restoring.take().ok_or(unasked)?;
        restoring.bodies.push(entry.body.clone());
        restoring.missing = restoring.missing.saturating_sub(1);
        if restoring.missing > 0 {
            self.restoring = Some(restoring);
            return Ok(());
        }
        let epoch = self.epoch.take();
        *self = Self::restore(&entry.place, epoch, &restoring.bodies)?;
        Ok(())
    }

    /// Whether an entry may stand here: nothing comes after the end of an epoch, and nothing
    /// between the parts of its snapshot.
    pub(crate) fn check_order(&self, kind: &str) -> Result<(), RecoverError> {
        if self.ended.is_some() {
            return Err(RecoverError::Epoch("an entry after its end"));
        }
        if self.restoring.is_some() && kind != "snapshot" {
            return Err(RecoverError::Epoch("its snapshot is not whole"));
        }
        Ok(())
    }
}
