//! From a signed approval to a gate. Nothing else makes one.

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis_domain::policy::{ActivityLimits, LimitTable, Limits, NotTighter, ScopeLimits};
use portcullis_domain::{Instrument, InstrumentId, Name, Phase, PluginId, WallNs};
use portcullis_statement::{
    Digest, EndpointKind, EndpointSet, PluginRelease, Refusal, SessionApproval, Signer, Verified,
    Witnesses,
};

use crate::assess::Authority;
use crate::circumstances::Circumstances;
use crate::closing::Rights;
use crate::code::DenyCode;
use crate::deny::Scope;

/// An open gate: the values that people signed, and nothing that could change them.
#[derive(Debug)]
pub struct Gate {
    approval: Verified<SessionApproval>,
    pub(crate) rights: Rights,
    /// The instruments of the approval. Each order carries its own, and copies none.
    instruments: Vec<Arc<Instrument>>,
    /// What holds now: the limits of the approval, or what was tightened since.
    limits: Limits,
    /// The strictest of account, venue and host.
    whole: ScopeLimits,
}

/// What an approval is held against when the gate opens.
#[derive(Debug)]
pub struct Opening<'a> {
    /// Wall time of the opening.
    pub now: WallNs,
    /// Fingerprint of the genesis that is pinned outside the home.
    pub genesis: Digest,
    /// Name of this host.
    pub host: &'a Name,
    /// Account of this daemon.
    pub account: &'a Name,
    /// Origin of this journal.
    pub origin: &'a str,
    /// Kills so far. An approval signed before the last one is void.
    pub kill_seq: u64,
    /// Digest of the phase rules in force.
    pub phases_digest: Digest,
    /// Digest of the safety policy in force.
    pub safety_digest: Digest,
    /// Endpoint sets that people signed, by digest.
    pub endpoints: &'a BTreeMap<Digest, Verified<EndpointSet>>,
    /// Plugin releases that people signed, by digest.
    pub releases: &'a BTreeMap<Digest, Verified<PluginRelease>>,
    /// Digests of the components that are loaded, in the approval's order.
    pub components: &'a [Digest],
    /// Who cosigns this journal, and how many must.
    pub witnesses: &'a Witnesses,
    /// Which of them have burned this approval.
    pub burned_by: &'a [Name],
}

/// Why a gate stays shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenRefusal {
    /// Signed under another genesis.
    GenesisMismatch,
    /// For another host.
    HostMismatch,
    /// For another account.
    AccountMismatch,
    /// For another journal.
    JournalMismatch,
    /// Signed before a kill.
    KillSeqChanged,
    /// Signed under other phase rules.
    PolicyChanged,
    /// Expired, or outside its window.
    OutsideSessionWindow,
    /// The endpoint set was not signed here.
    EndpointNotSigned,
    /// The endpoint set is not what the approval says, or the phase does not admit its kind.
    EndpointForbidden,
    /// A component was not released by people, or another one is loaded.
    HashNotSigned,
    /// The release does not go up to this phase.
    ReleasePhase,
    /// The author of a plugin approves its session.
    AuthorAlone,
    /// The worker compiles for itself, which this phase does not admit.
    CompileRecord,
    /// No instrument or no plugin in it.
    NothingToDo,
    /// The approval names other witnesses than the roster.
    WitnessMismatch,
    /// The roster's witnesses are too few, or too near, for this phase.
    WitnessRequired,
    /// Too few witnesses have burned the approval.
    BurnMissing,
}

impl OpenRefusal {
    /// What is missing, for people.
    #[must_use]
    pub const fn cause(self) -> &'static str {
        match self {
            Self::WitnessMismatch => "the approval names other witnesses than the roster",
            Self::WitnessRequired => {
                "from phase 5 on the roster needs a witness, from 6 on one on another host that \
                 the operator does not run"
            }
            Self::BurnMissing => {
                "too few witnesses have burned this approval: portcullis open FILE --witness \
                 NAME=URL asks them"
            }
            Self::GenesisMismatch
            | Self::HostMismatch
            | Self::AccountMismatch
            | Self::JournalMismatch
            | Self::KillSeqChanged
            | Self::PolicyChanged
            | Self::OutsideSessionWindow
            | Self::EndpointNotSigned
            | Self::EndpointForbidden
            | Self::HashNotSigned
            | Self::ReleasePhase
            | Self::AuthorAlone
            | Self::CompileRecord
            | Self::NothingToDo => "the approval does not fit this host as it stands now",
        }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::GenesisMismatch => "GENESIS_MISMATCH",
            Self::HostMismatch => "HOST_MISMATCH",
            Self::AccountMismatch => "ACCOUNT_MISMATCH",
            Self::JournalMismatch => "JOURNAL_MISMATCH",
            Self::KillSeqChanged => "KILL_SEQ_CHANGED",
            Self::PolicyChanged => "POLICY_CHANGED",
            Self::OutsideSessionWindow => "OUTSIDE_SESSION_WINDOW",
            Self::EndpointNotSigned => "ENDPOINT_NOT_SIGNED",
            Self::EndpointForbidden => "ENDPOINT_FORBIDDEN",
            Self::HashNotSigned => "HASH_NOT_SIGNED",
            Self::ReleasePhase => "RELEASE_PHASE",
            Self::AuthorAlone => "AUTHOR_ALONE",
            Self::CompileRecord => "COMPILE_RECORD",
            Self::NothingToDo => "NOTHING_TO_DO",
            Self::WitnessMismatch => "WITNESS_MISMATCH",
            Self::WitnessRequired => "WITNESS_REQUIRED",
            Self::BurnMissing => "BURN_MISSING",
        }
    }
}

impl Gate {
    /// Opens the gate that `approval` describes. The approval is consumed: one approval, one gate.
    pub fn open(
        approval: Verified<SessionApproval>,
        desk: &Opening<'_>,
    ) -> Result<Self, OpenRefusal> {
        check_place(&approval, desk)?;
        check_time(&approval, desk)?;
        check_endpoint(&approval, desk)?;
        check_plugins(&approval, desk)?;
        if approval.item().instruments.is_empty() {
            return Err(OpenRefusal::NothingToDo);
        }
        check_witnesses(&approval, desk)?;
        Ok(Self::with_rights(approval, Rights::Session))
    }

    pub(crate) fn with_rights(approval: Verified<SessionApproval>, rights: Rights) -> Self {
        let instruments = approval.item().instruments.iter().cloned().map(Arc::new).collect();
        let limits = approval.item().limits.clone();
        let whole = strictest(&limits);
        Self { approval, rights, instruments, limits, whole }
    }

    /// Puts stricter limits in force at once. What is not provably stricter, key by key, is a
    /// loosening, needs signatures and waits for the next session.
    pub fn tighten(&mut self, limits: Limits) -> Result<(), NotTighter> {
        limits.check_tightens(&self.limits)?;
        self.whole = strictest(&limits);
        self.limits = limits;
        Ok(())
    }

    /// The approval behind this gate.
    #[must_use]
    pub fn approval(&self) -> &SessionApproval {
        self.approval.item()
    }

    /// The digest of the approval behind this gate.
    #[must_use]
    pub const fn approval_digest(&self) -> Digest {
        self.approval.digest()
    }

    /// The limits that hold: those that people signed, or what was tightened since.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The strictest of account, venue and host.
    #[must_use]
    pub const fn whole(&self) -> &ScopeLimits {
        &self.whole
    }

    /// The limits of one strategy.
    #[must_use]
    pub fn strategy_limits(&self, plugin: PluginId) -> Option<&ActivityLimits> {
        let plugin = self.approval.item().plugins.get(usize::from(plugin.0))?;
        self.limits.strategies.get(&plugin.name)
    }

    /// Which of account, venue and host a limit comes from, for the record of a denial.
    pub(crate) fn strictest(&self, scope: Scope, code: DenyCode) -> Scope {
        if scope != Scope::Account {
            return scope;
        }
        let whole = &self.whole;
        let says = |limits: &ScopeLimits| {
            holds_first(&limits.activity, &whole.activity, code)
                || holds_first(&limits.standing, &whole.standing, code)
        };
        let scopes = [
            (Scope::Account, &self.limits.account),
            (Scope::Venue, &self.limits.venue),
            (Scope::Host, &self.limits.host),
        ];
        scopes.into_iter().find(|(_, limits)| says(limits)).map_or(scope, |(scope, _)| scope)
    }

    /// The instrument of that number.
    #[must_use]
    pub fn instrument(&self, id: InstrumentId) -> Option<&Instrument> {
        self.shared(id).map(Arc::as_ref)
    }

    pub(crate) fn shared(&self, id: InstrumentId) -> Option<&Arc<Instrument>> {
        self.instruments.iter().find(|instrument| instrument.id == id)
    }

    /// All instruments of the session.
    #[must_use]
    pub fn instruments(&self) -> &[Instrument] {
        &self.approval.item().instruments
    }

    /// Who signed the approval.
    #[must_use]
    pub fn signers(&self) -> &[Signer] {
        &self.approval.header().signers
    }

    /// What the session's phase is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.approval.item().phase
    }

    /// The collar as it was signed, whatever was tightened since.
    pub(crate) fn signed_collar_bps(&self, id: InstrumentId) -> Option<u32> {
        self.approval.item().limits.instruments.get(&id).map(|limits| limits.price_collar_bps)
    }

    pub(crate) fn authority(&self) -> Authority {
        Authority { approval: self.approval.digest(), genesis: self.approval.genesis() }
    }

    pub(crate) fn expires(&self) -> WallNs {
        self.approval.header().expires
    }

    pub(crate) const fn rights(&self) -> Rights {
        self.rights
    }

    /// Whether the session is inside of its window and not closing.
    pub(crate) fn takes_new(&self, at: &Circumstances) -> bool {
        let item = self.approval.item();
        !at.closing && at.now.wall >= item.window_opens && at.now.wall < item.window_closes
    }

    pub(crate) fn component(&self, plugin: PluginId) -> Option<Digest> {
        let plugins = &self.approval.item().plugins;
        plugins.get(usize::from(plugin.0)).map(|plugin| plugin.component)
    }
}

fn strictest(limits: &Limits) -> ScopeLimits {
    limits.account.stricter(&limits.venue).stricter(&limits.host)
}

/// Whether the limit of that code in `whole` is the one of `table`. The first key of a code is the
/// limit, and what follows it says how it is measured.
fn holds_first<T: LimitTable>(table: &T, whole: &T, code: DenyCode) -> bool {
    let limit = T::ROWS.iter().find(|row| row.denies == code.code());
    limit.is_some_and(|row| (row.get)(table) == (row.get)(whole))
}

fn check_place(
    approval: &Verified<SessionApproval>,
    desk: &Opening<'_>,
) -> Result<(), OpenRefusal> {
    let item = approval.item();
    if approval.genesis() != desk.genesis {
        return Err(OpenRefusal::GenesisMismatch);
    }
    if item.host != *desk.host {
        return Err(OpenRefusal::HostMismatch);
    }
    if item.account != *desk.account {
        return Err(OpenRefusal::AccountMismatch);
    }
    if item.journal.origin != desk.origin {
        return Err(OpenRefusal::JournalMismatch);
    }
    if item.kill_seq != desk.kill_seq {
        return Err(OpenRefusal::KillSeqChanged);
    }
    if (item.phases_digest, item.safety_digest) != (desk.phases_digest, desk.safety_digest) {
        return Err(OpenRefusal::PolicyChanged);
    }
    Ok(())
}

fn check_time(approval: &Verified<SessionApproval>, desk: &Opening<'_>) -> Result<(), OpenRefusal> {
    let item = approval.item();
    let inside = desk.now >= item.window_opens && desk.now < item.window_closes;
    if inside && desk.now < approval.header().expires {
        Ok(())
    } else {
        Err(OpenRefusal::OutsideSessionWindow)
    }
}

/// Which kind of endpoint each phase admits on a ladder that aims at a simulated venue. A real
/// endpoint opens nothing yet: the connectors that would speak to one do not exist.
fn check_endpoint(
    approval: &Verified<SessionApproval>,
    desk: &Opening<'_>,
) -> Result<(), OpenRefusal> {
    let item = approval.item();
    let signed = desk.endpoints.get(&item.endpoint).ok_or(OpenRefusal::EndpointNotSigned)?;
    if approval.check_endpoint(signed).is_err() {
        return Err(OpenRefusal::EndpointForbidden);
    }
    let admitted = match item.endpoint_kind {
        EndpointKind::Recorded => item.phase == Phase::Shadow,
        // Nothing runs in foundation. No such approval is verified; here it would open nothing.
        EndpointKind::Simulated => item.phase != Phase::Foundation,
        EndpointKind::Sandbox | EndpointKind::Real => false,
    };
    if admitted { Ok(()) } else { Err(OpenRefusal::EndpointForbidden) }
}

/// Whoever copies a house back to before this opening has the approval again, and not the burn.
fn check_witnesses(
    approval: &Verified<SessionApproval>,
    desk: &Opening<'_>,
) -> Result<(), OpenRefusal> {
    let (item, signers) = (approval.item(), &approval.header().signers);
    if item.witness != desk.witnesses.words() {
        return Err(OpenRefusal::WitnessMismatch);
    }
    if !desk.witnesses.serve(item.phase, signers) {
        return Err(OpenRefusal::WitnessRequired);
    }
    let enough = desk.witnesses.suffice(desk.burned_by, item.phase, signers);
    if enough { Ok(()) } else { Err(OpenRefusal::BurnMissing) }
}

fn check_plugins(
    signed: &Verified<SessionApproval>,
    desk: &Opening<'_>,
) -> Result<(), OpenRefusal> {
    let approval = signed.item();
    if approval.plugins.is_empty() {
        return Err(OpenRefusal::NothingToDo);
    }
    // A compile record is named by its digest; any other word says that the worker compiles.
    let recorded = Digest::from_hex(&approval.compile_record).is_some();
    if approval.phase >= Phase::BoundedAuto && !recorded {
        return Err(OpenRefusal::CompileRecord);
    }
    if approval.plugins.len() != desk.components.len() {
        return Err(OpenRefusal::HashNotSigned);
    }
    for (plugin, loaded) in approval.plugins.iter().zip(desk.components) {
        let release = desk.releases.get(&plugin.release).ok_or(OpenRefusal::HashNotSigned)?;
        if plugin.component != *loaded || release.item().component != *loaded {
            return Err(OpenRefusal::HashNotSigned);
        }
        if release.item().phase_max < approval.phase {
            return Err(OpenRefusal::ReleasePhase);
        }
        signed.check_release(release).map_err(|refusal| {
            let own = matches!(refusal, Refusal::AuthorAlone(_));
            if own { OpenRefusal::AuthorAlone } else { OpenRefusal::HashNotSigned }
        })?;
    }
    Ok(())
}
