//! The throw-away roster of a replay: five people who exist for one run, and really sign.
//!
//! There is no side door for replays. The gate opens because a roster, an endpoint set, a plugin
//! release and a session approval were signed and verified, as ever; only the keys come from the
//! recording's digest, so that the same recording gives the same journal. The roster is marked,
//! and nothing outside a simulation accepts a marked one.

use std::collections::BTreeMap;

use portcullis_domain::policy::{Limits, PhaseRules};
use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{Money, Name, Phase, Role, WallNs};
use portcullis_governance::{Hashed, InstrumentFile};
use portcullis_path::plugin_port::Loaded;
use portcullis_statement::json::{Fields, JsonError, Value};
use portcullis_statement::{
    ApprovedPlugin, Digest, EndpointKind, EndpointSet, Genesis, Header, JournalBinding, Kind, Mark,
    Person, PluginRelease, RecordedFile, Refusal, Roster, SessionApproval, SignedStatement, Signer,
    SigningKey, Venue, draft,
};

use crate::draft::worst_case;

/// How long the throw-away statements hold: the runbook's longest window of phase 1.
pub(super) const WINDOW_NS: i64 = 7 * 24 * 3_600 * NS_PER_S;

/// What is written where an amount fits no number.
const BEYOND: Money = Money(i128::MAX);

/// Name and role of everybody.
const PEOPLE: [(&str, Role); 5] = [
    ("author", Role::Author),
    ("governor", Role::Governance),
    ("operator", Role::Operator),
    ("approver", Role::Approver),
    ("risk", Role::Risk),
];

/// What a replay's session is made of.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) session: Name,
    pub(crate) plugin: Name,
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) loaded: &'a Loaded,
    pub(crate) instrument: &'a Hashed<InstrumentFile>,
    pub(crate) limits: &'a Hashed<Limits>,
    pub(crate) phases: &'a Hashed<PhaseRules>,
    pub(crate) safety: Digest,
    pub(crate) balances: BTreeMap<String, Money>,
    pub(crate) latency_ns: i64,
    pub(crate) fuel_per_batch_max: u64,
    pub(crate) start: WallNs,
    pub(crate) window_ns: i64,
    pub(crate) journal: JournalBinding,
}

/// The throw-away people and their genesis.
#[derive(Debug)]
pub(crate) struct Cast {
    seed: Digest,
    start: WallNs,
    pub(crate) genesis: SignedStatement,
    pub(crate) fingerprint: Digest,
    drafts: std::cell::Cell<u64>,
}

impl Cast {
    /// Makes the roster of the recording with this digest.
    pub(crate) fn new(
        seed: Digest,
        start: WallNs,
        account: Name,
        host: Name,
    ) -> Result<Self, Refusal> {
        let people = PEOPLE.iter().filter_map(|(name, role)| {
            Some(Person {
                name: Name::new(name)?,
                roles: vec![*role],
                key: key(seed, name).public(),
            })
        });
        let mark = Some(Mark::ThrowAway);
        let roster = Roster::new(people.collect(), mark, EndpointKind::Simulated)?;
        let body = Genesis { account, host, roster }.to_value();
        let empty = SignedStatement { bytes: Vec::new(), signatures: Vec::new() };
        let fingerprint = Digest::of(&[]);
        let drafts = std::cell::Cell::new(0);
        let mut cast = Self { seed, start, genesis: empty, fingerprint, drafts };
        cast.genesis = cast.sign(Kind::Genesis, &PEOPLE.map(|(name, _)| name), None, &body);
        cast.fingerprint = Digest::of(&cast.genesis.bytes);
        Ok(cast)
    }

    fn sign(
        &self,
        kind: Kind,
        people: &[&str],
        genesis: Option<Digest>,
        body: &Value,
    ) -> SignedStatement {
        self.drafts.set(self.drafts.get().saturating_add(1));
        let nonce = format!("{} nonce {}", self.seed.hex(), self.drafts.get());
        let nonce: String = Digest::of(nonce.as_bytes()).hex().chars().take(32).collect();
        let role = |person: &str| PEOPLE.iter().find(|(name, _)| *name == person);
        let signers = people.iter().filter_map(|person| {
            let (name, role) = role(person)?;
            let key = key(self.seed, name).public().fingerprint();
            Some(Signer { person: Name::new(name)?, role: *role, key })
        });
        let header = Header {
            kind,
            nonce,
            policy_seq: 0,
            not_before: self.start,
            expires: self.start.plus_ns(WINDOW_NS),
            signers: signers.collect(),
            genesis,
        };
        let keys: Vec<SigningKey> = people.iter().map(|person| key(self.seed, person)).collect();
        let keys: Vec<&SigningKey> = keys.iter().collect();
        SignedStatement::signed_by(draft(&header, body), kind, &keys)
    }

    /// The endpoint set of a recording: files by digest, no hosts.
    pub(crate) fn endpoint(&self, files: Vec<RecordedFile>) -> SignedStatement {
        let set = EndpointSet {
            kind: EndpointKind::Recorded,
            venue: Venue::Binance,
            public: None,
            private: None,
            files,
        };
        let people = ["governor", "operator"];
        self.sign(Kind::EndpointSet, &people, Some(self.fingerprint), &set.to_value())
    }

    /// The release of the component that was loaded, with what was read from its bytes.
    pub(crate) fn release(
        &self,
        plugin: &Name,
        loaded: &Loaded,
    ) -> Result<SignedStatement, JsonError> {
        let mut facts = Fields::new(&loaded.facts)?;
        let release = PluginRelease {
            author: Name::new("author").ok_or(JsonError::field("author", "not a name"))?,
            component: loaded.component,
            exports: texts(fields_list(&mut facts, "exports")?),
            imports: texts(fields_list(&mut facts, "imports")?),
            memory_bytes_max: facts.uint("memory_bytes_max")?,
            phase_max: Phase::Paper,
            plugin: plugin.clone(),
            release_seq: 1,
            world: facts.text("world")?.to_owned(),
        };
        let people = ["author", "governor"];
        Ok(self.sign(Kind::PluginRelease, &people, Some(self.fingerprint), &release.to_value()))
    }

    /// The approval of the session, signed by those whom the phase rules name.
    pub(crate) fn approval(
        &self,
        plan: &Plan<'_>,
        (account, host): (&Name, &Name),
        (endpoint, release): (&SignedStatement, &SignedStatement),
    ) -> SignedStatement {
        let instrument = plan.instrument.value.instrument.clone();
        let limits = &plan.limits.value;
        let approval = SessionApproval {
            account: account.clone(),
            host: host.clone(),
            session: plan.session.clone(),
            phase: Phase::Shadow,
            plugins: vec![ApprovedPlugin {
                name: plan.plugin.clone(),
                component: plan.loaded.component,
                release: Digest::of(&release.bytes),
                params: plan.params.clone(),
            }],
            worst_case_loss: worst_case(std::slice::from_ref(&instrument), limits, &[])
                .unwrap_or(BEYOND),
            equity_max: limits.cash_worth(&plan.balances).unwrap_or(BEYOND),
            instruments: vec![instrument],
            sources: vec![plan.instrument.value.source.clone()],
            limits: limits.clone(),
            limits_digest: plan.limits.digest,
            phases_digest: plan.phases.digest,
            safety_digest: plan.safety,
            endpoint: Digest::of(&endpoint.bytes),
            endpoint_kind: EndpointKind::Recorded,
            balances: plan.balances.clone(),
            carried: Vec::new(),
            kill_seq: 0,
            journal: plan.journal.clone(),
            window_opens: plan.start,
            window_closes: plan.start.plus_ns(plan.window_ns),
            latency_ns: plan.latency_ns,
            fuel_per_batch_max: plan.fuel_per_batch_max,
            compile_record: "in-worker".to_owned(),
            witness: "self-attested".to_owned(),
            build: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let rule = plan.phases.value.rules.get(&Phase::Shadow);
        let roles = rule.map(|rule| rule.signers.clone()).unwrap_or_default();
        let of_role = |role: Role| PEOPLE.iter().find(|(_, held)| *held == role);
        let people: Vec<&str> =
            roles.into_iter().filter_map(of_role).map(|(name, _)| *name).collect();
        let body = approval.to_value();
        self.sign(Kind::SessionApproval, &people, Some(self.fingerprint), &body)
    }
}

fn key(seed: Digest, person: &str) -> SigningKey {
    let text = format!("portcullis replay key {} {person}", seed.hex());
    SigningKey::from_seed(Digest::of(text.as_bytes()).0)
}

fn fields_list<'a>(facts: &mut Fields<'a>, key: &str) -> Result<&'a [Value], JsonError> {
    facts.list(key)
}

fn texts(values: &[Value]) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::Text(text) => Some(text.clone()),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::List(_) | Value::Object(_) => None,
    };
    values.iter().filter_map(text).collect()
}
