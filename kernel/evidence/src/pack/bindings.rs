//! What the statements of a pack prove: the chain from the genesis over approval to the seal, and
//! that each link speaks of this pack and of no other.
//!
//! Whether an approval was valid *at the moment it was used* is judged by replaying the entries.
//! Here each statement is read at its own beginning, so that a pack does not expire.

use std::collections::BTreeMap;

use portcullis_domain::policy::{PhaseRules, phase_floor};
use portcullis_domain::{Phase, WallNs};
use portcullis_statement::{
    Digest, EndpointKind, EndpointSet, Envelope, Genesis, Kind, PluginRelease, Refusal, Seal,
    SessionApproval, SignedStatement, Statement, Trust, Verified,
};

use super::folder::{Finding, Folder};
use super::lineage::Lineage;
use super::manifest::Manifest;
use super::parts::{
    MANIFEST_FILE, SEAL_FILE, STATEMENTS, component_file, has_ending, signature_file,
};
use crate::journal::Recovered;

/// Longest statement or signature file in bytes.
pub(super) const STATEMENT_BYTES_MAX: u64 = 64 * 1024;
/// Most signatures of one statement that are looked at.
pub(super) const SIGNATURES_MAX: usize = 64;

/// Whether a statement of a simulation stands in a pack that says it was real.
pub(super) fn contradicts_simulation(envelope: &Envelope, simulated: bool) -> bool {
    let pretended = |kind| matches!(kind, EndpointKind::Simulated | EndpointKind::Recorded);
    let of_simulation = match envelope.header.kind {
        Kind::Genesis => {
            Genesis::from_value(&envelope.body).is_ok_and(|genesis| genesis.roster.mark().is_some())
        }
        Kind::SessionApproval => SessionApproval::from_value(&envelope.body)
            .is_ok_and(|approval| pretended(approval.endpoint_kind)),
        Kind::EndpointSet
        | Kind::PluginRelease
        | Kind::LimitsChange
        | Kind::Unkill
        | Kind::FlattenPlan
        | Kind::Release
        | Kind::Seal => false,
    };
    of_simulation && !simulated
}

/// Everything signed in a pack, verified, by file.
pub(super) struct Believed {
    pub(super) trust: Trust,
    approval: (String, Verified<SessionApproval>),
    endpoints: Vec<Verified<EndpointSet>>,
    releases: Vec<Verified<PluginRelease>>,
    /// How many statements were verified.
    pub(super) count: usize,
}

/// Verifies every statement but the seal under the pack's genesis.
pub(super) fn believe(folder: &Folder, pin: Option<Digest>) -> Result<Believed, Finding> {
    let mut statements = BTreeMap::new();
    for name in folder.names().filter(|name| is_statement(name) && *name != SEAL_FILE) {
        statements.insert(name.to_owned(), signed(folder, name)?);
    }
    let count = statements.len();
    let missing = |what: &str| Finding::new("PACK_FILE_MISSING", STATEMENTS, what);
    let genesis = statements.keys().find(|name| name.ends_with("-genesis.json")).cloned();
    let genesis_file = genesis.ok_or_else(|| missing("there is no genesis"))?;
    let genesis = statements.remove(&genesis_file).ok_or_else(|| missing("there is no genesis"))?;
    // Without an anchor the genesis vouches for itself, which proves consistency, not origin.
    let pinned = pin.unwrap_or(Digest::of(&genesis.bytes));
    let trust = Trust::genesis(&genesis, pinned, begins(&genesis))
        .map_err(|refusal| refused(&genesis_file, &refusal))?;

    let (mut approvals, mut endpoints, mut releases) = (Vec::new(), Vec::new(), Vec::new());
    for (name, statement) in statements {
        let verified = verified(&trust, &name, &statement)?;
        match verified.item() {
            Statement::SessionApproval(_) => {
                approvals.extend(verified.into_session_approval().map(|item| (name, item)));
            }
            Statement::EndpointSet(_) => endpoints.extend(verified.into_endpoint_set()),
            Statement::PluginRelease(_) => releases.extend(verified.into_plugin_release()),
            Statement::LimitsChange(_)
            | Statement::Unkill(_)
            | Statement::FlattenPlan(_)
            | Statement::Release(_) => {}
            Statement::Seal(_) => {
                return Err(Finding::new("PACK_STRUCTURE", &name, "a seal under another name"));
            }
        }
    }
    let approval = approvals.pop().ok_or_else(|| missing("there is no session approval"))?;
    if !approvals.is_empty() {
        return Err(Finding::new("PACK_STRUCTURE", STATEMENTS, "more than one session approval"));
    }
    Ok(Believed { trust, approval, endpoints, releases, count })
}

impl Believed {
    /// The approval speaks of this pack's session, phase and journal, and what it names is there.
    pub(super) fn check_approval(
        &self,
        manifest: &Manifest,
        (recovered, lineage): (&Recovered, &Lineage),
    ) -> Result<(), Finding> {
        let (name, approval) = &self.approval;
        let item = approval.item();
        let wrong = |reason: &str| Err(Finding::new("PACK_BINDING", name, reason));
        if item.session != manifest.session || item.phase != manifest.phase {
            return wrong("approves another session or phase");
        }
        if item.journal.origin != recovered.end.origin {
            let first = recovered.entries.first().map(Vec::as_slice).unwrap_or_default();
            if let Err(reason) = lineage.check(first, &item.journal) {
                return wrong(&reason);
            }
        } else if item.journal.key != manifest.key || *lineage != Lineage::default() {
            return wrong("binds another journal");
        } else if recovered.root_at(item.journal.size) != Some(item.journal.root) {
            return wrong("binds entries that this journal does not begin with");
        }
        let pretended =
            matches!(item.endpoint_kind, EndpointKind::Simulated | EndpointKind::Recorded);
        if (pretended || self.trust.roster().mark().is_some()) && !manifest.simulated {
            return wrong("is for a simulation, the manifest says it was real");
        }
        if !self.endpoints.iter().any(|endpoint| approval.check_endpoint(endpoint).is_ok()) {
            return wrong("its endpoint set is not in the pack");
        }
        for plugin in &item.plugins {
            let mut releases = self.releases.iter();
            let Some(release) = releases.find(|release| release.digest() == plugin.release) else {
                return wrong("the release of one of its plugins is not in the pack");
            };
            approval.check_release(release).map_err(|refusal| refused(name, &refusal))?;
            let file = manifest.files.get(&component_file(plugin.component));
            if file.is_none_or(|file| file.digest != plugin.component) {
                return wrong("the component of one of its plugins is not in the pack");
            }
        }
        Ok(())
    }
}

/// The seal is signed and binds the manifest and the end of the journal.
pub(super) fn check_seal(
    folder: &Folder,
    trust: &Trust,
    manifest: (&Manifest, Digest),
) -> Result<Seal, Finding> {
    let wrong = |code, reason: &str| Err(Finding::new(code, SEAL_FILE, reason));
    if !folder.has(SEAL_FILE) {
        return wrong("PACK_UNSEALED", "the pack is not sealed; draft a seal and sign it");
    }
    let statement = signed(folder, SEAL_FILE)?;
    let Some(seal) = verified(trust, SEAL_FILE, &statement)?.into_seal() else {
        return wrong("PACK_STRUCTURE", "not a seal");
    };
    let (manifest, digest) = manifest;
    let item = seal.item();
    if item.manifest != digest {
        return wrong("PACK_BINDING", &format!("binds another {MANIFEST_FILE}"));
    }
    let head = &item.journal;
    let same_journal = (&head.origin, &head.key) == (&manifest.origin, &manifest.key)
        && (head.size, head.head) == (manifest.journal.size, manifest.journal.root);
    if item.notes != manifest.notes {
        return wrong("PACK_BINDING", "counts other notes than there are");
    }
    if !same_journal || item.session != manifest.session {
        return wrong("PACK_BINDING", "binds another session or another journal");
    }
    Ok(item.clone())
}

fn is_statement(name: &str) -> bool {
    name.strip_prefix(STATEMENTS).is_some_and(|rest| has_ending(rest, "json"))
}

/// A statement and its signatures, numbered from 1 without a gap.
fn signed(folder: &Folder, name: &str) -> Result<SignedStatement, Finding> {
    let bytes = folder.read(name, STATEMENT_BYTES_MAX)?;
    let mut signatures = Vec::new();
    for number in 1..=SIGNATURES_MAX {
        let file = signature_file(name, number);
        if !folder.has(&file) {
            break;
        }
        let signature = String::from_utf8(folder.read(&file, STATEMENT_BYTES_MAX)?);
        let no_text = |_| Finding::new("SIGNATURE_INVALID", &file, "not text");
        signatures.push(signature.map_err(no_text)?);
    }
    Ok(SignedStatement { bytes, signatures })
}

fn verified(
    trust: &Trust,
    name: &str,
    statement: &SignedStatement,
) -> Result<Verified<Statement>, Finding> {
    let verified = trust.verify(statement, &floors(), begins(statement));
    verified.map_err(|refusal| refused(name, &refusal))
}

fn refused(name: &str, refusal: &Refusal) -> Finding {
    Finding::new(refusal.code(), name, &refusal.cause())
}

/// The first moment at which a statement holds. One that cannot be read is refused later.
fn begins(statement: &SignedStatement) -> WallNs {
    Envelope::parse(&statement.bytes).map_or(WallNs(0), |envelope| envelope.header.not_before)
}

/// The runbook's own rules: stricter ones were the kernel's business.
fn floors() -> PhaseRules {
    let rule = |phase| phase_floor(phase).map(|rule| (phase, rule));
    PhaseRules { rules: Phase::ALL.into_iter().filter_map(rule).collect() }
}
