//! A small installation for tests: three people, one session, one pack, all on the ordinary path.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use portcullis_domain::{
    BootNs, Instrument, InstrumentId, InstrumentKind, Money, Name, Now, Phase, Px, Qty, Rate, Role,
    StreamId, WallNs,
};
use portcullis_statement::json::Value;
use portcullis_statement::{
    ApprovedPlugin, Classification, Digest, EndpointKind, EndpointSet, Genesis, Header, Host,
    JournalBinding, JournalHead, Kind, Mark, Person, PluginRelease, Roster, Seal, SessionApproval,
    SignedStatement, Signer, SigningKey, Venue, draft,
};

use super::{
    Attested, PackContents, Part, SessionLeaves, Told, WrittenPack, required_parts, seal_pack,
    write_pack,
};
use crate::chunk::ChunkWriter;
use crate::disk::MemoryDisk;
use crate::journal::{Head, Journal};
use crate::note::{Checkpoint, KeyKind, NoteSigner};
use crate::testing::Scratch;

#[path = "../../../statement/src/testkit/limits.rs"]
mod wide;
use wide::wide_limits;

pub(super) const ORIGIN: &str = "host-1/acct/1";
pub(super) const BEGINS: WallNs = WallNs(1_800_000_000_000_000_000);
const PEOPLE: [(&str, &[Role]); 3] = [
    ("ada", &[Role::Author, Role::Approver]),
    ("gerd", &[Role::Governance]),
    ("olga", &[Role::Operator]),
];

pub(super) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// Entries are `h…` for the host, `(` opens and `)` closes a session; metrics count the rest.
pub(super) struct TestLeaves;

impl SessionLeaves for TestLeaves {
    fn session_leaf(&self, entry: &[u8]) -> Option<Vec<u8>> {
        (!entry.starts_with(b"h")).then(|| entry.to_vec())
    }
    fn is_open_session(&self, entry: &[u8]) -> bool {
        entry == b"("
    }
    fn is_close_session(&self, entry: &[u8]) -> bool {
        entry == b")"
    }
    fn derived_parts(&self, _: i64, told: &Told<'_>) -> Result<Vec<Part>, String> {
        let bytes = format!("{{\"entries\":{}}}", told.session.len()).into_bytes();
        Ok(vec![Part { name: "metrics.json".to_owned(), bytes }])
    }
}

/// The key of an epoch's log.
pub(super) fn checkpoint_signer(origin: &str) -> NoteSigner {
    NoteSigner::from_seed(origin, KeyKind::Ed25519, Digest::of(origin.as_bytes()).0).unwrap()
}

/// What the notary signs of a journal that has come so far; nobody witnesses it.
pub(super) fn attested(head: Head) -> Attested {
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: head.size, root: head.root };
    let note = checkpoint.sign(&checkpoint_signer(ORIGIN)).unwrap();
    Attested { checkpoint: note.to_string().into_bytes(), ..Attested::default() }
}

/// The keys of one installation; another salt makes a stranger's.
pub(super) struct Installation {
    salt: u8,
    pub(super) genesis: SignedStatement,
}

impl Installation {
    pub(super) fn new(salt: u8) -> Self {
        let person = |(person, roles): (&str, &[Role])| Person {
            name: name(person),
            roles: roles.to_vec(),
            key: key(salt, person).public(),
        };
        let people = PEOPLE.into_iter().map(person).collect();
        let roster = Roster::new(people, Some(Mark::Demo), EndpointKind::Simulated).unwrap();
        let genesis = Genesis { account: name("acct"), host: name("host-1"), roster };
        let mut made =
            Self { salt, genesis: SignedStatement { bytes: vec![], signatures: vec![] } };
        let everyone = PEOPLE.map(|(person, roles)| (person, roles[0]));
        made.genesis = made.sign(Kind::Genesis, &everyone, &genesis.to_value());
        made
    }

    pub(super) fn pin(&self) -> Digest {
        Digest::of(&self.genesis.bytes)
    }

    pub(super) fn sign(&self, kind: Kind, by: &[(&str, Role)], body: &Value) -> SignedStatement {
        let signer = |(person, role): &(&str, Role)| Signer {
            person: name(person),
            role: *role,
            key: key(self.salt, person).public().fingerprint(),
        };
        let header = Header {
            kind,
            // Each statement is good for one time.
            nonce: Digest::of(&body.canonical()).hex().chars().take(32).collect(),
            policy_seq: 1,
            not_before: BEGINS,
            expires: BEGINS.plus_ns(3_600_000_000_000),
            signers: by.iter().map(signer).collect(),
            genesis: (kind != Kind::Genesis).then(|| self.pin()),
        };
        let keys: Vec<_> = by.iter().map(|(person, _)| key(self.salt, person)).collect();
        let keys: Vec<_> = keys.iter().collect();
        SignedStatement::signed_by(draft(&header, body), kind, &keys)
    }

    /// Genesis, endpoint set, release and approval.
    pub(super) fn statements(&self, phase: Phase, before: Head) -> Vec<SignedStatement> {
        let endpoint = EndpointSet {
            kind: EndpointKind::Simulated,
            venue: Venue::Binance,
            public: Some(Host { host: "127.0.0.1".to_owned(), port: 9_443 }),
            private: None,
            files: vec![],
        };
        let two = [("gerd", Role::Governance), ("olga", Role::Operator)];
        let endpoint = self.sign(Kind::EndpointSet, &two, &endpoint.to_value());
        let author = [("ada", Role::Author), ("gerd", Role::Governance)];
        let release = self.sign(Kind::PluginRelease, &author, &release().to_value());
        let digest = |signed: &SignedStatement| Digest::of(&signed.bytes);
        let approval = approval(phase, digest(&endpoint), digest(&release), before);
        let operator = [("olga", Role::Operator)];
        let approval = self.sign(Kind::SessionApproval, &operator, &approval.to_value());
        vec![self.genesis.clone(), endpoint, release, approval]
    }

    /// A pack's contents, from a journal of one session between two entries of the host.
    pub(super) fn contents(&self) -> PackContents {
        let mut journal = Journal::create(MemoryDisk::new(), ORIGIN).unwrap();
        journal.append(b"h start");
        journal.commit().unwrap();
        let before = journal.head();
        for entry in ["(", "{\"fill\":1}", "h tick", ")", "h end"] {
            journal.append(entry.as_bytes());
            journal.commit().unwrap();
        }
        let mut chunks = ChunkWriter::new();
        let received = Now { wall: BEGINS, boot: BootNs(0) };
        chunks.push(StreamId(0), 1, b"{\"b\":\"1.0\"}", received).unwrap();
        let part = |name: &str| {
            let text = match name {
                "metrics.json" => "{\"entries\":4}",
                _ => "text\n",
            };
            Part { name: name.to_owned(), bytes: text.as_bytes().to_vec() }
        };
        PackContents {
            session: name("s-1"),
            range: 1..5,
            phase: Phase::Paper,
            key: checkpoint_signer(ORIGIN).verifier().to_string(),
            attested: attested(journal.head()),
            simulated: true,
            parts: required_parts(Phase::Paper).into_iter().map(part).collect(),
            statements: self.statements(Phase::Paper, before),
            journal: journal.disk().segments(1),
            chunks: chunks.flush().into_iter().collect(),
            components: vec![b"component".to_vec()],
        }
    }

    pub(super) fn seal(&self, written: &WrittenPack, notes: u64) -> SignedStatement {
        let by = [("olga", Role::Operator), ("ada", Role::Approver)];
        self.seal_by(written, notes, &by)
    }

    pub(super) fn seal_by(
        &self,
        written: &WrittenPack,
        notes: u64,
        by: &[(&str, Role)],
    ) -> SignedStatement {
        let seal = Seal {
            classification: Classification::Green,
            journal: JournalHead {
                head: written.journal.root,
                key: checkpoint_signer(ORIGIN).verifier().to_string(),
                origin: ORIGIN.to_owned(),
                size: written.journal.size,
            },
            manifest: written.manifest,
            notes,
            session: name("s-1"),
        };
        self.sign(Kind::Seal, by, &seal.to_value())
    }

    /// A sealed pack in a folder of its own.
    pub(super) fn pack(&self, scratch: &Scratch) -> PathBuf {
        let target = scratch.path().join("pack");
        let written = write_pack(&target, &self.contents(), &TestLeaves).unwrap();
        seal_pack(&target, &self.seal(&written, 1)).unwrap();
        target
    }
}

fn key(salt: u8, person: &str) -> SigningKey {
    let mut seed = [salt; 32];
    for (to, from) in seed.iter_mut().zip(person.bytes()) {
        *to = from;
    }
    SigningKey::from_seed(seed)
}

fn release() -> PluginRelease {
    PluginRelease {
        author: name("ada"),
        component: Digest::of(b"component"),
        exports: vec!["on-events".to_owned()],
        imports: vec!["log".to_owned()],
        memory_bytes_max: 16_777_216,
        phase_max: Phase::Paper,
        plugin: name("ema-cross"),
        release_seq: 1,
        world: "portcullis:strategy@0.9.0".to_owned(),
    }
}

fn approval(phase: Phase, endpoint: Digest, release: Digest, before: Head) -> SessionApproval {
    let plugin = ApprovedPlugin {
        name: name("ema-cross"),
        component: Digest::of(b"component"),
        release,
        params: BTreeMap::new(),
    };
    SessionApproval {
        account: name("acct"),
        host: name("host-1"),
        session: name("s-1"),
        phase,
        plugins: vec![plugin],
        instruments: vec![instrument()],
        sources: vec!["test".to_owned()],
        limits: wide_limits(&[instrument()], &["ema-cross"]),
        limits_digest: Digest::of(b"limits"),
        phases_digest: Digest::of(b"phases"),
        safety_digest: Digest::of(b"safety"),
        endpoint,
        endpoint_kind: EndpointKind::Simulated,
        balances: BTreeMap::from([("USDT".to_owned(), Money::parse("10000").unwrap())]),
        carried: vec![],
        kill_seq: 0,
        journal: JournalBinding {
            origin: ORIGIN.to_owned(),
            key: checkpoint_signer(ORIGIN).verifier().to_string(),
            size: before.size,
            root: before.root,
        },
        window_opens: BEGINS,
        window_closes: BEGINS.plus_ns(3_600_000_000_000),
        latency_ns: 20_000_000,
        fuel_per_batch_max: 10_000_000,
        compile_record: "in-worker".to_owned(),
        witness: "self-attested".to_owned(),
        build: "0.1.0".to_owned(),
        worst_case_loss: Money::parse("250").unwrap(),
        equity_max: Money::parse("25000").unwrap(),
    }
}

fn instrument() -> Instrument {
    Instrument {
        id: InstrumentId(0),
        symbol: "BTC-USDT".to_owned(),
        venue_symbol: "BTCUSDT".to_owned(),
        base: "BTC".to_owned(),
        quote: "USDT".to_owned(),
        kind: InstrumentKind::Spot,
        price_scale: 2,
        qty_scale: 5,
        tick: Px::new(1).unwrap(),
        lot: Qty::new(1).unwrap(),
        qty_min: Qty::new(1).unwrap(),
        notional_min: Money::parse("5").unwrap(),
        maker_fee: Rate::parse("0.001").unwrap(),
        taker_fee: Rate::parse("0.001").unwrap(),
    }
}

/// Every file below `root`, sorted, by its name in the pack.
pub(super) fn files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for folder in ["", "statements", "journal", "log", "chunks", "plugins"] {
        for item in std::fs::read_dir(root.join(folder)).unwrap() {
            let item = item.unwrap();
            if item.metadata().unwrap().is_file() {
                let name = Path::new(folder).join(item.file_name());
                found.push(name.to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}
