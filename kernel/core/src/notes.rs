//! What people add to the evidence of a session until its pack is sealed: observations, lessons,
//! the reviewer's answers, and the reason for each thing that the evidence lacks.
//!
//! The kernel judges who may say it and when, and numbers what was said, so that nothing can be
//! left out of a pack or be put in afterwards without being seen. What it means is for readers.

use std::collections::BTreeMap;

use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{Name, Role, SessionId, WallNs};
use portcullis_statement::json::{self, Fields, Value};
use portcullis_statement::{Seal, Signer};

use crate::entry::{EntryError, int};
use crate::outcome::Outcome;
use crate::recover::RecoverError;
use crate::snapshot::Kept;
use crate::state::{Core, SessionState, Turn};

/// Longest note in bytes.
pub const NOTE_BYTES_MAX: usize = 1_000;
/// Most notes of one session.
const NOTES_MAX: u64 = 1_000;
/// Most lessons of one session: what is a list of thirty is learned by nobody.
const LESSONS_MAX: u64 = 3;

/// What a note is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKind {
    /// Something that a person saw.
    Observation,
    /// Something that a person saw and that ought not to be.
    Anomaly,
    /// What is to be done better, asked for even when all was green.
    Lesson,
    /// The reviewer's answer to a question of the review.
    Answer,
    /// Why the evidence lacks something.
    Gap,
}

/// The roles of which one is enough to say something about a session.
const WITNESSES: [Role; 4] = [Role::Operator, Role::Approver, Role::Risk, Role::Governance];

impl NoteKind {
    /// All kinds.
    pub const ALL: [Self; 5] =
        [Self::Observation, Self::Anomaly, Self::Lesson, Self::Answer, Self::Gap];

    /// The name in evidence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observation => "observation",
            Self::Anomaly => "anomaly",
            Self::Lesson => "lesson",
            Self::Answer => "answer",
            Self::Gap => "gap",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The roles of which one is enough.
    #[must_use]
    pub const fn roles(self) -> &'static [Role] {
        match self {
            Self::Answer => &[Role::Approver],
            Self::Observation | Self::Anomaly | Self::Lesson | Self::Gap => &WITNESSES,
        }
    }

    /// Whether it answers something that has a name.
    #[must_use]
    pub const fn is_about_something(self) -> bool {
        matches!(self, Self::Answer | Self::Gap)
    }
}

/// What a person says about a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The session.
    pub session: SessionId,
    /// Who says it; has to be in the roster.
    pub who: Name,
    /// What it is.
    pub kind: NoteKind,
    /// The question or the gap that it answers.
    pub about: Option<Name>,
    /// In that person's words.
    pub text: String,
}

/// A note that the kernel took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// What was said.
    pub note: Note,
    /// Its number in the session, from 1.
    pub number: u64,
    /// In which role.
    pub role: Role,
    /// Whether the session was over.
    pub late: bool,
}

/// A session that was opened and whose pack is not sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unsealed {
    /// Notes so far.
    pub notes: u64,
    /// Lessons among them.
    pub lessons: u64,
    /// When the session ended; `None` while it is open.
    pub ended: Option<WallNs>,
    /// Who answered each question of the review last: only that reviewer may sign the seal.
    pub answers: BTreeMap<Name, Name>,
}

impl Kept for Unsealed {
    fn to_value(&self) -> Value {
        let own = [
            ("ended", self.ended.to_value()),
            ("lessons", self.lessons.to_value()),
            ("notes", self.notes.to_value()),
        ];
        // Absent where there is none, as in snapshots from before answers were kept.
        let answers = (!self.answers.is_empty()).then(|| ("answers", self.answers.to_value()));
        json::object(own.into_iter().chain(answers))
    }

    fn from_value(value: &Value) -> Result<Self, EntryError> {
        let mut fields = Fields::new(value)?;
        let answers = fields.optional("answers").map(Kept::from_value).transpose()?;
        let kept = Self {
            notes: Kept::from_value(fields.value("notes")?)?,
            lessons: Kept::from_value(fields.value("lessons")?)?,
            ended: Kept::from_value(fields.value("ended")?)?,
            answers: answers.unwrap_or_default(),
        };
        fields.finish()?;
        Ok(kept)
    }
}

type Refused = (&'static str, String);

impl Note {
    pub(crate) fn fields(&self) -> [(&'static str, Value); 5] {
        [
            ("about", self.about.as_ref().map_or(Value::Null, |about| about.as_str().into())),
            ("kind", self.kind.name().into()),
            ("session", self.session.as_str().into()),
            ("text", self.text.as_str().into()),
            ("who", self.who.as_str().into()),
        ]
    }

    pub(crate) fn read(body: &mut Fields<'_>) -> Result<Self, EntryError> {
        let about = match body.value("about")? {
            Value::Null => None,
            Value::Bool(_) | Value::Int(_) | Value::Text(_) | Value::List(_) | Value::Object(_) => {
                Some(body.name("about")?)
            }
        };
        Ok(Self {
            session: body.name("session")?,
            who: body.name("who")?,
            kind: NoteKind::from_name(body.text("kind")?).ok_or(EntryError::Value("kind"))?,
            about,
            text: body.text("text")?.to_owned(),
        })
    }
}

impl Noted {
    /// Reads the body of a `noted` entry.
    ///
    /// # Errors
    /// What is missing or no value of its kind.
    pub fn read(body: &Value) -> Result<Self, EntryError> {
        let mut body = Fields::new(body)?;
        let role = Role::from_name(body.text("role")?).ok_or(EntryError::Value("role"))?;
        let (number, late) = (body.uint("number")?, body.bool("late")?);
        let noted = Self { note: Note::read(&mut body)?, number, role, late };
        body.finish()?;
        Ok(noted)
    }

    pub(crate) const fn reason(&self) -> &'static str {
        if self.late { "AFTER_THE_SESSION" } else { "IN_THE_SESSION" }
    }

    pub(crate) fn body(&self) -> Value {
        let own = [
            ("late", self.late.into()),
            ("number", int(self.number)),
            ("role", self.role.name().into()),
        ];
        json::object(self.note.fields().into_iter().chain(own))
    }
}

impl Core {
    pub(crate) fn on_note(&mut self, request: u64, note: Note, turn: &mut Turn) {
        match self.take_note(note) {
            Ok(noted) => {
                let text = format!("note {} of session {}", noted.number, noted.note.session);
                turn.record(&Outcome::Noted(Box::new(noted)));
                turn.done(request, text);
            }
            Err((code, cause)) => turn.refuse(request, "note", code, &cause),
        }
    }

    fn take_note(&mut self, note: Note) -> Result<Noted, Refused> {
        let no = |code, cause: &str| Err((code, cause.to_owned()));
        let role = self.role_among(&note.who, note.kind.roles(), note.kind.name());
        let role = role.map_err(|cause| ("ROLE_FORBIDS", cause))?;
        if note.text.trim().is_empty() || note.text.len() > NOTE_BYTES_MAX {
            return no("NOTE_LENGTH", "a note says something, in at most 1000 bytes");
        }
        if note.about.is_some() != note.kind.is_about_something() {
            return no("NOTE_SUBJECT", "an answer and a reason name what they are for; no other");
        }
        let Some(unsealed) = self.unsealed.get_mut(&note.session) else {
            let known = self.sessions.contains_key(&note.session);
            return if known {
                no("SESSION_SEALED", "its pack is sealed, or it was never opened")
            } else {
                no("SESSION_UNKNOWN", "no such session in this journal")
            };
        };
        if unsealed.notes >= NOTES_MAX {
            return no("NOTES_FULL", "a session has at most 1000 notes");
        }
        if note.kind == NoteKind::Lesson && unsealed.lessons >= LESSONS_MAX {
            return no("LESSONS_FULL", "a session has at most 3 lessons");
        }
        unsealed.count(&note);
        Ok(Noted { number: unsealed.notes, role, late: unsealed.ended.is_some(), note })
    }

    /// Folds a note.
    pub(crate) fn fold_note(&mut self, body: &Value) -> Result<(), RecoverError> {
        let noted = Noted::read(body)?;
        if let Some(unsealed) = self.unsealed.get_mut(&noted.note.session) {
            unsealed.count(&noted.note);
        }
        Ok(())
    }

    /// A seal closes what was said: all of it is in the pack that it binds. The approver who signs
    /// it is the reviewer, and speaks for nobody else's answers.
    pub(crate) fn may_seal(
        &self,
        seal: &Seal,
        signers: &[Signer],
    ) -> Result<(), (&'static str, &'static str)> {
        let reviews = |person: &Name| {
            signers.iter().any(|it| it.role == Role::Approver && it.person == *person)
        };
        match self.unsealed.get(&seal.session) {
            Some(Unsealed { ended: None, .. }) => {
                Err(("SESSION_NOT_CLOSED", "only an ended session can be sealed"))
            }
            Some(unsealed) if unsealed.notes != seal.notes => {
                Err(("PACK_STALE", "notes came after this pack was written: write it again"))
            }
            Some(unsealed) if !unsealed.answers.values().all(reviews) => Err((
                "REVIEWER_DIFFERS",
                "another approver answered the review: let that one sign, or answer it anew",
            )),
            Some(_) => Ok(()),
            None if self.sessions.contains_key(&seal.session) => {
                Err(("SESSION_SEALED", "its pack is sealed, or it was never opened"))
            }
            None => Err(("SESSION_UNKNOWN", "no such session in this journal")),
        }
    }

    /// What has been said so far about each session whose pack is not sealed.
    #[must_use]
    pub fn unsealed(&self) -> &BTreeMap<SessionId, Unsealed> {
        &self.unsealed
    }

    /// The session whose seal is overdue: nothing is opened before it is sealed.
    pub(crate) fn overdue_seal(&self, now: WallNs) -> Option<&SessionId> {
        self.seals_due().find(|(_, due)| *due < now).map(|(session, _)| session)
    }

    /// Each session that has ended and is not sealed, and until when its seal is due.
    fn seals_due(&self) -> impl Iterator<Item = (&SessionId, WallNs)> {
        let hours =
            self.identity.as_ref().map_or(0, |identity| identity.start.safety.seal_hours_max);
        let allowed = i64::from(hours).saturating_mul(3_600).saturating_mul(NS_PER_S);
        let due = move |unsealed: &Unsealed| Some(unsealed.ended?.plus_ns(allowed));
        let all = self.unsealed.iter();
        all.filter_map(move |(session, unsealed)| Some((session, due(unsealed)?)))
    }

    /// The same in words, the overdue ones first.
    pub(crate) fn seal_lines(&self) -> Vec<String> {
        let now = self.place.at.wall;
        let line = |(session, due): (&SessionId, WallNs)| {
            let by = due.rfc3339();
            if due < now {
                format!("{session}: overdue since {by}; nothing is opened before it is sealed")
            } else {
                format!("{session}: not sealed, due by {by}")
            }
        };
        let (overdue, due): (Vec<_>, Vec<_>) = self.seals_due().partition(|(_, due)| *due < now);
        overdue.into_iter().chain(due).map(line).collect()
    }

    /// A session is open, live and when the journal is read back.
    pub(crate) fn session_begun(&mut self, session: &SessionId) {
        self.unsealed.insert(session.clone(), Unsealed::default());
        self.sessions.insert(session.clone(), SessionState::Open);
    }

    /// A session has ended at the place of the present event.
    pub(crate) fn await_seal(&mut self, session: &SessionId) {
        let ended = self.place.at.wall;
        if let Some(unsealed) = self.unsealed.get_mut(session) {
            unsealed.ended = Some(ended);
        }
    }
}

impl Unsealed {
    fn count(&mut self, note: &Note) {
        self.notes = self.notes.saturating_add(1);
        if note.kind == NoteKind::Lesson {
            self.lessons = self.lessons.saturating_add(1);
        }
        if let (NoteKind::Answer, Some(question)) = (note.kind, &note.about) {
            self.answers.insert(question.clone(), note.who.clone());
        }
    }
}
