//! The whole house as a snapshot: every field of [`Core`], by name.

use std::sync::Arc;

use portcullis_gate::Gate;
use portcullis_statement::json::{self, Fields, Value};
use portcullis_statement::{Statement, limits_value, read_limits};

use super::{NotNow, Part, Read, Sections, cut, join};
use crate::entry::{EntryError, Place};
use crate::limits::Opened;
use crate::recover::RecoverError;
use crate::roll::{Epoch, entry_room};
use crate::state::{Core, SessionState};

/// What is left of the session that ended last.
const CLOSING_RIGHTS: &str = "closing_rights";

/// Every field of the core: those that are sections, and those that begin anew because they follow
/// from others or belong to an open session. A field that is in neither list does not compile.
macro_rules! core_sections {
    (kept { $($kept:ident)+ } anew { $($anew:ident)+ }) => {
        fn keep(core: &Core, sections: &mut Sections) {
            let Core { $($kept,)+ $($anew: _,)+ } = core;
            $($kept.keep_part(stringify!($kept), sections);)+
        }

        fn rebuild(sections: &mut Sections) -> Read<Core> {
            Ok(Core {
                $($kept: Part::restore_part(stringify!($kept), sections)?,)+
                $($anew: Default::default(),)+
            })
        }
    };
}

core_sections! {
    kept {
        identity burned drafts sessions unsealed unreleased papers endpoint
        limits_in_force instruments
        kill kill_seq stops returned_at watch
        account recorded_profit person_orders unprotected recon
        differences suspects past_shadow withdrawn
        beats epochs venue_up venue_status clock_offset_ns account_read evidence_full
        orders_issued venue_deadline_last venue_deadline_start venue_deadlines unanswered read_due
    }
    anew {
        releases endpoints closing epoch place
        live flatten brackets opened unfolded unfolded_limits ended restoring
        cosigned copies
    }
}

impl Core {
    /// The state of the house as bodies of entries, each of which fits a leaf of the log.
    ///
    /// # Errors
    /// Only between sessions, when no flatten plan is being carried out, is all of it on record.
    pub fn snapshot(&self) -> Result<Vec<Value>, NotNow> {
        self.check_quiet()?;
        let mut sections = Sections::default();
        keep(self, &mut sections);
        sections.put(CLOSING_RIGHTS, vec![self.closing.as_ref().map_or(Value::Null, rights)]);
        Ok(cut(&sections, entry_room(&self.place)))
    }

    /// Whether everything that a later event depends on is in a snapshot.
    pub(crate) fn check_quiet(&self) -> Result<(), NotNow> {
        // A core that was folded has no market and no desk, and knows an open session by its name.
        if self.live.is_some() || self.sessions.values().any(|s| *s == SessionState::Open) {
            return Err(NotNow::SessionOpen);
        }
        // Exits are held for a session or a plan, and end with it.
        if self.flatten.is_some() || !self.brackets.is_empty() {
            return Err(NotNow::FlattenRuns);
        }
        Ok(())
    }

    /// The house as a snapshot says that it was, at that place and in that epoch.
    ///
    /// # Errors
    /// A section is missing, doubled, damaged or out of its place, or a statement is not acceptable
    /// that was accepted once. A snapshot that is not the snapshot of what it leads to is none.
    pub(crate) fn restore(
        place: &Place,
        epoch: Option<Epoch>,
        bodies: &[Value],
    ) -> Result<Self, RecoverError> {
        let mut sections = join(bodies)?;
        let mut core = rebuild(&mut sections)?;
        core.place = Arc::new(place.clone());
        core.epoch = epoch;
        let [closing] = &sections.take(CLOSING_RIGHTS)?[..] else {
            return Err(EntryError::Value(CLOSING_RIGHTS).into());
        };
        core.verify_again(closing)?;
        match core.snapshot() {
            Ok(again) if again == bodies => Ok(core),
            Ok(_) | Err(_) => Err(RecoverError::Snapshot("it is not its own snapshot")),
        }
    }

    /// Verifies every statement that is kept, at the moment and by the rules of its acceptance.
    fn verify_again(&mut self, closing: &Value) -> Result<(), RecoverError> {
        for (digest, paper) in &self.papers {
            let identity = self.identity.as_ref();
            let identity = identity.ok_or(RecoverError::Snapshot("nobody has signed anything"))?;
            let verified = identity.trust.verify(&paper.signed, &paper.rules, paper.at);
            let verified = verified.map_err(|refusal| RecoverError::Statement(refusal.cause()))?;
            if verified.digest() != *digest {
                return Err(RecoverError::Snapshot("a statement under another's digest"));
            }
            match verified.item() {
                Statement::PluginRelease(_) => {
                    let release = verified.into_plugin_release();
                    self.releases.extend(release.map(|release| (*digest, release)));
                }
                Statement::EndpointSet(_) => {
                    let endpoint = verified.into_endpoint_set();
                    self.endpoints.extend(endpoint.map(|endpoint| (*digest, endpoint)));
                }
                Statement::SessionApproval(_) => {
                    self.closing = verified.into_session_approval().map(Gate::closing);
                }
                Statement::LimitsChange(_)
                | Statement::Unkill(_)
                | Statement::FlattenPlan(_)
                | Statement::Release(_)
                | Statement::Seal(_) => {
                    return Err(RecoverError::Snapshot("a statement whose effect does not last"));
                }
            }
        }
        let Some(gate) = &mut self.closing else { return Ok(()) };
        let mut fields = Fields::new(closing)?;
        let limits = read_limits(fields.value("limits")?, gate.instruments())?;
        gate.tighten(limits).map_err(|_looser| RecoverError::Snapshot("loosened limits"))
    }

    /// Lets go of what only an ended session needed: its instruments, and what was watched for it.
    pub(crate) fn leave_session_behind(&mut self) {
        self.opened = Opened::default();
        self.watch = std::mem::take(&mut self.watch).between_sessions();
    }

    /// What is left of a session that ends: its closing rights, and of the signed approvals the one
    /// that granted them. Live and in recovery alike.
    pub(crate) fn grant_closing(&mut self, gate: Gate) {
        let granted = gate.approval_digest();
        self.closing = Some(gate);
        let (releases, endpoints) = (&self.releases, &self.endpoints);
        self.papers.retain(|digest, _| {
            let lasting = releases.contains_key(digest) || endpoints.contains_key(digest);
            lasting || *digest == granted
        });
    }
}

/// Which approval left them, and by which limits they are judged since.
fn rights(gate: &Gate) -> Value {
    json::object([
        ("approval", gate.approval_digest().hex().into()),
        ("limits", limits_value(gate.limits(), gate.instruments())),
    ])
}
