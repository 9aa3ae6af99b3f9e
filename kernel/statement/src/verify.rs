//! From bytes to belief: the only place where a [`Verified`] value comes into being.

use portcullis_domain::policy::PhaseRules;
use portcullis_domain::{Name, Phase, Role, WallNs};

use crate::body::{
    EndpointSet, FlattenPlan, Genesis, LimitsChange, PluginRelease, Release, Seal, SessionApproval,
    Unkill,
};
use crate::header::{Header, Kind};
use crate::roster::Roster;
use crate::threshold::{check_demands, check_genesis, check_signers, check_touch};
use crate::{Digest, Envelope, Refusal, SignedStatement, Statement};

/// A value that the right people signed under one genesis.
///
/// Not `Clone`, `Default` or `From`: each of them would be a second way in.
///
/// ```
/// use portcullis_statement::{Seal, Verified};
/// fn read<T>(verified: &Verified<T>) -> &T { verified.item() }
/// fn needs<T: std::fmt::Debug>() {}
/// needs::<Verified<Seal>>();
/// ```
///
/// Two of them cannot be made of one, and none can be made of its parts:
///
/// ```compile_fail,E0277
/// use portcullis_statement::{Seal, Verified};
/// fn needs<T: Clone>() {}
/// needs::<Verified<Seal>>();
/// ```
///
/// ```compile_fail,E0451
/// use portcullis_statement::{Digest, Header, Verified};
/// fn forge<T>(item: T, digest: Digest, genesis: Digest, header: Header) -> Verified<T> {
///     Verified { item, digest, genesis, header }
/// }
/// ```
#[must_use = "a verified statement that nobody uses has been verified for nothing"]
#[derive(Debug)]
pub struct Verified<T> {
    item: T,
    digest: Digest,
    genesis: Digest,
    header: Header,
}

impl<T> Verified<T> {
    /// What was signed.
    pub const fn item(&self) -> &T {
        &self.item
    }

    /// SHA-256 of the signed bytes: the name by which other statements bind this one.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The fingerprint of the genesis under which it was verified.
    pub const fn genesis(&self) -> Digest {
        self.genesis
    }

    /// Kind, nonce, validity and signers.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    fn map<U>(self, pick: impl FnOnce(T) -> Option<U>) -> Option<Verified<U>> {
        let Self { item, digest, genesis, header } = self;
        Some(Verified { item: pick(item)?, digest, genesis, header })
    }
}

impl Verified<Statement> {
    /// The endpoint set, if it is one.
    #[must_use]
    pub fn into_endpoint_set(self) -> Option<Verified<EndpointSet>> {
        self.map(|item| if let Statement::EndpointSet(body) = item { Some(body) } else { None })
    }

    /// The plugin release, if it is one.
    #[must_use]
    pub fn into_plugin_release(self) -> Option<Verified<PluginRelease>> {
        self.map(|item| if let Statement::PluginRelease(body) = item { Some(body) } else { None })
    }

    /// The session approval, if it is one.
    #[must_use]
    pub fn into_session_approval(self) -> Option<Verified<SessionApproval>> {
        self.map(
            |item| if let Statement::SessionApproval(body) = item { Some(*body) } else { None },
        )
    }

    /// The change of limits, if it is one.
    #[must_use]
    pub fn into_limits_change(self) -> Option<Verified<LimitsChange>> {
        self.map(|item| if let Statement::LimitsChange(body) = item { Some(*body) } else { None })
    }

    /// The unkill, if it is one.
    #[must_use]
    pub fn into_unkill(self) -> Option<Verified<Unkill>> {
        self.map(|item| if let Statement::Unkill(body) = item { Some(body) } else { None })
    }

    /// The flatten plan, if it is one.
    #[must_use]
    pub fn into_flatten_plan(self) -> Option<Verified<FlattenPlan>> {
        self.map(|item| if let Statement::FlattenPlan(body) = item { Some(body) } else { None })
    }

    /// The release of a proposal, if it is one.
    #[must_use]
    pub fn into_release(self) -> Option<Verified<Release>> {
        self.map(|item| if let Statement::Release(body) = item { Some(*body) } else { None })
    }

    /// The seal, if it is one.
    #[must_use]
    pub fn into_seal(self) -> Option<Verified<Seal>> {
        self.map(|item| if let Statement::Seal(body) = item { Some(body) } else { None })
    }
}

impl Verified<SessionApproval> {
    /// Whether `endpoint` is the endpoint set that this approval binds, by digest and by kind.
    pub fn check_endpoint(&self, endpoint: &Verified<EndpointSet>) -> Result<(), Refusal> {
        let same = self.genesis == endpoint.genesis
            && self.item.endpoint == endpoint.digest
            && self.item.endpoint_kind == endpoint.item.kind;
        if same { Ok(()) } else { Err(Refusal::EndpointMismatch) }
    }

    /// Whether `release` lets one of the approved plugins into this phase, and its author is not
    /// the one who approves the session.
    pub fn check_release(&self, release: &Verified<PluginRelease>) -> Result<(), Refusal> {
        let item = &release.item;
        let binds = |plugin: &crate::ApprovedPlugin| {
            plugin.release == release.digest && plugin.component == item.component
        };
        let fits = self.genesis == release.genesis
            && self.item.plugins.iter().any(binds)
            && self.item.phase <= item.phase_max;
        if !fits {
            return Err(Refusal::ReleaseMismatch(item.plugin.clone()));
        }
        let mut signers = self.header.signers.iter();
        if signers.any(|s| s.role == Role::Approver && s.person == item.author) {
            return Err(Refusal::AuthorAlone(item.author.clone()));
        }
        Ok(())
    }
}

/// A genesis that is the pinned one, and with it everybody whose word counts.
#[derive(Clone, Debug)]
pub struct Trust {
    genesis: Genesis,
    fingerprint: Digest,
}

impl Trust {
    /// Accepts the genesis whose digest is `pinned`, if everybody in its roster signed it.
    pub fn genesis(signed: &SignedStatement, pinned: Digest, now: WallNs) -> Result<Self, Refusal> {
        signed.check_size()?;
        let fingerprint = Digest::of(&signed.bytes);
        if fingerprint != pinned {
            return Err(Refusal::GenesisMismatch);
        }
        let envelope = Envelope::parse(&signed.bytes)?;
        let header = &envelope.header;
        if header.kind != Kind::Genesis {
            return Err(Refusal::KindUnexpected(header.kind));
        }
        let genesis = Genesis::from_value(&envelope.body)?;
        check_genesis(header, &genesis)?;
        check_signers(signed, header, &genesis.roster)?;
        check_validity(header, now)?;
        Ok(Self { genesis, fingerprint })
    }

    /// The people.
    #[must_use]
    pub const fn roster(&self) -> &Roster {
        &self.genesis.roster
    }

    /// The digest of the genesis.
    #[must_use]
    pub const fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// The account that this installation trades.
    #[must_use]
    pub const fn account(&self) -> &Name {
        &self.genesis.account
    }

    /// The host that the kernel runs on.
    #[must_use]
    pub const fn host(&self) -> &Name {
        &self.genesis.host
    }

    /// Believes a statement, or says why not.
    ///
    /// Checked: canonical form, genesis, each signature over the received bytes, people, keys and
    /// roles, validity at `now`, the signers that kind and phase demand (`rules` may only be
    /// stricter than the runbook), hardware keys from phase 5 on, and whether this roster may go
    /// where the statement leads. Not checked, because it needs memory: that nonce and counters
    /// are new.
    pub fn verify(
        &self,
        signed: &SignedStatement,
        rules: &PhaseRules,
        now: WallNs,
    ) -> Result<Verified<Statement>, Refusal> {
        signed.check_size()?;
        let envelope = Envelope::parse(&signed.bytes)?;
        let item = envelope.statement()?;
        let header = envelope.header;
        if header.genesis != Some(self.fingerprint) {
            return Err(Refusal::GenesisMismatch);
        }
        check_signers(signed, &header, self.roster())?;
        check_validity(&header, now)?;
        check_demands(&header, &item, rules)?;
        check_touch(&header, &item, self.roster())?;
        self.check_reach(&item)?;
        let digest = Digest::of(&signed.bytes);
        Ok(Verified { item, digest, genesis: self.fingerprint, header })
    }

    /// Whether the people of this roster may go where the statement leads.
    fn check_reach(&self, statement: &Statement) -> Result<(), Refusal> {
        match statement {
            Statement::EndpointSet(set) => self.check_mark(set.kind, None),
            Statement::SessionApproval(approval) => {
                let (phase, kind) = (approval.phase, approval.endpoint_kind);
                if approval.account != *self.account() || approval.host != *self.host() {
                    return Err(Refusal::AccountMismatch);
                }
                self.check_mark(kind, Some(phase))?;
                if !kind.is_open_to(phase, self.roster().ladder()) {
                    return Err(Refusal::EndpointForbidden(phase, kind));
                }
                Ok(())
            }
            Statement::LimitsChange(change) if change.account != *self.account() => {
                Err(Refusal::AccountMismatch)
            }
            Statement::FlattenPlan(plan) if plan.account != *self.account() => {
                Err(Refusal::AccountMismatch)
            }
            Statement::Release(release) if release.account != *self.account() => {
                Err(Refusal::AccountMismatch)
            }
            Statement::LimitsChange(_)
            | Statement::PluginRelease(_)
            | Statement::Unkill(_)
            | Statement::FlattenPlan(_)
            | Statement::Release(_)
            | Statement::Seal(_) => Ok(()),
        }
    }

    /// A demo or throw-away roster stays inside of simulations and below pre-live.
    fn check_mark(&self, kind: crate::EndpointKind, phase: Option<Phase>) -> Result<(), Refusal> {
        let goes_far = kind.is_outside() || phase.is_some_and(|phase| phase >= Phase::PreLive);
        if self.roster().mark().is_some() && goes_far {
            return Err(Refusal::DemoRoster);
        }
        Ok(())
    }
}

fn check_validity(header: &Header, now: WallNs) -> Result<(), Refusal> {
    if now < header.not_before {
        Err(Refusal::NotYetValid)
    } else if now >= header.expires {
        Err(Refusal::Expired)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
