//! Everything that a house's journal says of its sessions and kills, epoch by epoch.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_core::Input;
use portcullis_core::entry::{self, Decoded, EntryError};
use portcullis_domain::Name;
use portcullis_evidence::pack::{KernelLeaves, RenderFault, Told, sessions};
use portcullis_statement::json::{Fields, JsonError};
use portcullis_statement::{
    Classification, Digest, EndpointKind, Envelope, Genesis, Statement, Witnesses,
};

use super::SessionFacts;

/// Why a career cannot be read. Nothing is counted of one that cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CareerFault {
    /// An entry is not one of the kernel's, and why not.
    Malformed(String),
    /// A session's parts cannot be rendered.
    Render(String),
}

impl CareerFault {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "ENTRY_MALFORMED",
            Self::Render(_) => "RENDER",
        }
    }
}

impl std::fmt::Display for CareerFault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Malformed(cause) => write!(out, "an entry is not one of the kernel's: {cause}"),
            Self::Render(cause) => write!(out, "a session cannot be rendered: {cause}"),
        }
    }
}

impl std::error::Error for CareerFault {}

impl From<JsonError> for CareerFault {
    fn from(error: JsonError) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl From<EntryError> for CareerFault {
    fn from(error: EntryError) -> Self {
        Self::Malformed(format!("{error:?}"))
    }
}

impl From<RenderFault> for CareerFault {
    fn from(fault: RenderFault) -> Self {
        Self::Render(fault.to_string())
    }
}

/// What a house has gone through. Epochs are told twice, in order: first [`Career::hear`] all of
/// them, since what people say of a session stands behind it, then [`Career::judge`] each.
#[derive(Clone, Debug, Default)]
pub struct Career {
    /// Sessions that have ended, in order.
    pub sessions: Vec<SessionFacts>,
    /// Kills that people pulled and that ended with no order open.
    pub kills_tested: BTreeSet<String>,
    /// Kills that people pulled, until they are clear.
    pulled: BTreeSet<String>,
    /// Seals that came in, by digest, until they are accepted; and those that were.
    offered: BTreeMap<String, (Name, Classification)>,
    sealed: BTreeMap<Name, Classification>,
    notes: BTreeMap<String, Vec<Vec<u8>>>,
    /// The roster's witnesses, by the genesis under which the house started.
    witnesses: Option<Witnesses>,
}

impl Career {
    /// Takes what is said of sessions anywhere: notes, seals, kills.
    ///
    /// # Errors
    /// [`CareerFault::Malformed`].
    pub fn hear(&mut self, epoch: &[&[u8]]) -> Result<(), CareerFault> {
        for bytes in epoch {
            match entry::kind(bytes) {
                Some(b"noted") => {
                    let session = entry::decode(bytes)?.corr;
                    self.notes.entry(session).or_default().push(bytes.to_vec());
                }
                Some(b"started") => self.start(&entry::decode(bytes)?)?,
                Some(b"statement") => self.offer(&entry::decode(bytes)?)?,
                Some(b"statement-accepted") => {
                    let accepted = entry::decode(bytes)?.corr;
                    self.sealed.extend(self.offered.remove(&accepted));
                }
                Some(b"killed") => {
                    let Decoded { corr, body, .. } = entry::decode(bytes)?;
                    if Fields::new(&body)?.text("who")? != "kernel" {
                        self.pulled.insert(corr);
                    }
                }
                Some(b"orders-clear") => {
                    let kill = entry::decode(bytes)?.corr;
                    self.kills_tested.extend(self.pulled.take(&kill));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The kernel verified the genesis before it started; its roster says whose word counts.
    fn start(&mut self, entry: &Decoded) -> Result<(), CareerFault> {
        let Input::Started(start) = Input::decode(entry)? else {
            return Err(CareerFault::Malformed("a start is none".to_owned()));
        };
        let genesis = Envelope::parse(&start.genesis.bytes);
        let genesis = genesis.and_then(|it| Genesis::from_value(&it.body));
        let genesis = genesis.map_err(|refusal| CareerFault::Malformed(refusal.cause()))?;
        self.witnesses = Some(genesis.roster.witnesses().clone());
        Ok(())
    }

    /// A seal counts once the kernel has accepted it; anything else that came in is not asked.
    fn offer(&mut self, entry: &Decoded) -> Result<(), CareerFault> {
        let Input::Statement { signed, .. } = Input::decode(entry)? else {
            return Err(CareerFault::Malformed("a statement is none".to_owned()));
        };
        let statement = Envelope::parse(&signed.bytes).and_then(|envelope| envelope.statement());
        if let Ok(Statement::Seal(seal)) = statement {
            let judged = (seal.session, seal.classification);
            self.offered.insert(Digest::of(&signed.bytes).hex(), judged);
        }
        Ok(())
    }

    /// Judges the sessions that ended in an epoch, after all epochs were heard.
    ///
    /// # Errors
    /// As [`Career::hear`], and [`CareerFault::Render`].
    pub fn judge(&mut self, epoch: &[&[u8]]) -> Result<(), CareerFault> {
        for range in sessions(epoch, &KernelLeaves) {
            let session = epoch.get(range.clone()).unwrap_or_default();
            let opened = entry::decode(session.first().copied().unwrap_or_default())?;
            let notes = self.notes.get(&opened.corr).map(Vec::as_slice).unwrap_or_default();
            let notes: Vec<&[u8]> = notes.iter().map(Vec::as_slice).collect();
            let before = epoch.get(..range.start).unwrap_or_default();
            let mut facts = SessionFacts::read(
                &Told { session, before, notes: &notes },
                self.witnesses.as_ref(),
            )?;
            facts.sealed = self.sealed.get(&facts.session).copied();
            self.sessions.push(facts);
        }
        Ok(())
    }

    /// The sessions that may count on a ladder of that target: what ran against something simulated
    /// or recorded proves nothing of a real account.
    pub fn counted(&self, target: EndpointKind) -> impl Iterator<Item = &SessionFacts> {
        let real = matches!(target, EndpointKind::Sandbox | EndpointKind::Real);
        self.sessions.iter().filter(move |facts| !real || facts.endpoint == target)
    }
}
