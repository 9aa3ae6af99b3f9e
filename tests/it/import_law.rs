//! The import law: which crate may name which, and what it may take from outside.
//!
//! A crate edge is the only fence that a compiler keeps for us, so the edges are a table that is
//! read by people and compared with every `Cargo.toml`. A package without a row, an edge without a
//! place in the table and an unargued dependency of a trusted crate all fail.

use crate::source;
use portcullis_tests::project;
use std::collections::BTreeSet;

/// What of ours a crate may import.
enum Ours {
    Only(&'static [&'static str]),
    AllBut(&'static [&'static str]),
}
use Ours::{AllBut, Only};

/// What from outside a crate may import.
enum Outside {
    /// A trusted crate: each dependency is argued for.
    Trusted(&'static [(&'static str, &'static str)]),
    /// No trust is placed in it; `deny.toml` says what nobody may take.
    Free,
}
use Outside::{Free, Trusted};

struct Row {
    folder: &'static str,
    ours: Ours,
    outside: Outside,
}

const fn row(folder: &'static str, ours: Ours, outside: Outside) -> Row {
    Row { folder, ours, outside }
}

const HASH: (&str, &str) = ("ring", "SHA-256, and Ed25519 or HMAC where a crate signs or checks");
const BASE64: (&str, &str) =
    ("base64", "armor of signatures, hashes of proofs, credentials of venues");
const SERDE: (&str, &str) = ("serde", "derives the raw form of a file or frame, never of a proof");
const SERDE_JSON: (&str, &str) =
    ("serde_json", "frames of venues and of the control socket, with raw numbers");
const TOML: (&str, &str) = ("toml", "policy files, read once and strictly");
const CHANNEL: (&str, &str) = ("crossbeam-channel", "bounded queues between threads");
const CRC32C: (&str, &str) = ("crc32c", "finds a torn group without the cost of a hash");
const FLATE2: (&str, &str) = ("flate2", "compressed chunks of market data");
const TUNGSTENITE: (&str, &str) = ("tungstenite", "the WebSocket protocol on a blocking socket");
const SIGNAL_HOOK: (&str, &str) =
    ("signal-hook", "USR1 kills, TERM closes, without unsafe of ours");
const RUSTIX: (&str, &str) =
    ("rustix", "clocks, socket options, opening beneath a folder, without unsafe of ours");

const PROOFS: &[&str] = &["domain", "statement", "gate"];
const PATH: &[&str] = &["domain", "statement", "gate", "core", "evidence"];
const DAEMON: &[&str] = &[
    "domain",
    "statement",
    "gate",
    "core",
    "evidence",
    "governance",
    "path",
    "lifeline",
    "venue",
    "control",
];
const LAB: &[&str] = &[
    "domain",
    "statement",
    "gate",
    "core",
    "evidence",
    "path",
    "governance",
    "paper",
    "wire",
    "sandbox",
];

/// The simulator is the house without threads, sockets and engine: no sandbox, so no wasmtime.
const SIM: &[&str] = &["domain", "statement", "gate", "core", "evidence", "path", "paper"];

/// No second order path: the command line reaches a venue through the daemon or not at all.
const NOT_FOR_THE_COMMAND_LINE: &[&str] =
    &["venue", "lifeline", "daemon", "guardian", "exchange", "cli", "scribe", "tests"];

/// The scribe reads evidence: it has no word in governance, and no path to a venue or a plugin.
const SCRIBE: &[&str] = &["domain", "statement", "core", "evidence", "wire", "control", "console"];

const LAW: &[Row] = &[
    row("kernel/domain", Only(&[]), Trusted(&[])),
    row("kernel/statement", Only(&["domain"]), Trusted(&[BASE64, HASH])),
    row("kernel/gate", Only(&["domain", "statement"]), Trusted(&[])),
    row("kernel/core", Only(PROOFS), Trusted(&[])),
    row(
        "kernel/evidence",
        Only(&["domain", "statement", "core"]),
        Trusted(&[BASE64, CRC32C, FLATE2, HASH, RUSTIX]),
    ),
    row(
        "kernel/governance",
        Only(&["domain", "statement", "core", "evidence"]),
        Trusted(&[SERDE, TOML]),
    ),
    row("kernel/path", Only(PATH), Trusted(&[CHANNEL])),
    row("kernel/wire", Only(&["domain"]), Trusted(&[BASE64, HASH, SERDE, SERDE_JSON])),
    row("kernel/lifeline", Only(&["domain", "wire"]), Trusted(&[SERDE, SERDE_JSON])),
    row(
        "kernel/venue",
        Only(&["domain", "gate", "evidence", "wire", "lifeline"]),
        Trusted(&[TUNGSTENITE, RUSTIX]),
    ),
    row("kernel/paper", Only(&["domain"]), Free),
    row("kernel/exchange", Only(&["domain", "paper", "wire"]), Free),
    row("kernel/control", Only(&["domain", "gate"]), Trusted(&[SERDE, SERDE_JSON])),
    row("kernel/daemon", Only(DAEMON), Trusted(&[CHANNEL, SIGNAL_HOOK, RUSTIX])),
    row("kernel/guardian", Only(&["domain", "lifeline", "control"]), Trusted(&[SIGNAL_HOOK])),
    row("kernel/console", Only(&["statement", "evidence", "control"]), Free),
    row("kernel/scribe", Only(SCRIBE), Free),
    row("kernel/cli", AllBut(NOT_FOR_THE_COMMAND_LINE), Free),
    row("plugins/sandbox", Only(&["domain"]), Free),
    row("plugins/compiler", Only(&["domain", "sandbox"]), Free),
    row("plugins/lab", Only(LAB), Free),
    row("tests", AllBut(&[]), Free),
    row("tests/loom", Only(&[]), Free),
    row("tests/sim", Only(SIM), Free),
    row("tests/xtask", Only(&[]), Free),
];

/// What the tests of a trusted crate import beyond its row, and why. None of it is linked into
/// anything that ships.
const FOR_TESTS_ALONE: &[(&str, &str, &str)] = &[
    ("kernel/gate", "allocation-counter", "an allocator that counts what an accepted order costs"),
    ("kernel/venue", "statement", "proofs for the door are really signed and verified, as ever"),
    ("kernel/gate", "ring", "a hardware key in memory signs by touch, as no code of ours does"),
    ("kernel/gate", "base64", "the armour of that key's signatures"),
    ("kernel/core", "ring", "the same key, in the same file"),
    ("kernel/core", "base64", "the same key, in the same file"),
    ("kernel/path", "ring", "the same key, in the same file"),
    ("kernel/path", "base64", "the same key, in the same file"),
    ("kernel/scribe", "governance", "evidence made by hand needs an instrument of the policies"),
    ("kernel/wire", "flate2", "the recordings beside the project are compressed"),
];

/// Packages of guests: they see `wit/` and nothing else of ours but the kit of their language.
const GUESTS: [&str; 3] = ["plugins/sdk/", "plugins/strategies/", "plugins/hostile/"];
const GUESTS_MAY: Ours = Only(&["strategy-sdk"]);

#[test]
fn every_edge_stands_in_the_table() {
    let mut faults = Vec::new();
    for (folder, manifest) in source::packages() {
        let guest = GUESTS.iter().any(|prefix| folder.starts_with(prefix));
        let row = LAW.iter().find(|row| row.folder == folder);
        let (ours, outside) = match row {
            Some(row) => (&row.ours, &row.outside),
            None if guest => (&GUESTS_MAY, &Free),
            None => {
                faults.push(format!("{folder}: no row in the import law"));
                continue;
            }
        };
        let shipped = dependencies(&manifest, &SHIPPED).into_iter();
        faults.extend(
            shipped.filter_map(|it| fault(&it, ours, outside)).map(|it| format!("{folder}: {it}")),
        );
        let tested = dependencies(&manifest, &TESTED).into_iter();
        faults.extend(
            tested
                .filter(|it| !for_tests_alone(&folder, it))
                .filter_map(|it| fault(&it, ours, outside))
                .map(|it| format!("{folder}, its tests: {it}")),
        );
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

fn for_tests_alone(folder: &str, name: &str) -> bool {
    let short = name.strip_prefix("portcullis-").unwrap_or(name);
    FOR_TESTS_ALONE.iter().any(|(of, what, _)| *of == folder && *what == short)
}

#[test]
fn every_argued_edge_is_taken() {
    let packages = source::packages();
    let taken = |folder: &str, tables: &[&str]| {
        packages.get(folder).map(|it| dependencies(it, tables)).unwrap_or_default()
    };
    for row in LAW.iter().filter(|row| packages.contains_key(row.folder)) {
        let Trusted(argued) = row.outside else { continue };
        let taken = taken(row.folder, &SHIPPED);
        for (name, reason) in argued {
            assert!(taken.contains(*name), "{}: does not take {name} ({reason})", row.folder);
        }
    }
    for (folder, what, reason) in FOR_TESTS_ALONE {
        let taken = taken(folder, &TESTED);
        let ours = format!("portcullis-{what}");
        assert!(taken.contains(*what) || taken.contains(&ours), "{folder}: {what} ({reason})");
    }
}

fn fault(name: &str, ours: &Ours, outside: &Outside) -> Option<String> {
    if let Some(short) = name.strip_prefix("portcullis-") {
        let legal = match ours {
            Only(list) => list.contains(&short),
            AllBut(list) => !list.contains(&short),
        };
        return (!legal).then(|| format!("may not import {name}"));
    }
    match outside {
        Trusted(list) if !list.iter().any(|(known, _)| *known == name) => {
            Some(format!("is trusted, and nobody argued for {name}"))
        }
        Trusted(_) | Free => None,
    }
}

/// Tables of a manifest whose packages end up in what we ship, or make it.
const SHIPPED: [&str; 2] = ["dependencies", "build-dependencies"];
/// The table of what only tests use.
const TESTED: [&str; 1] = ["dev-dependencies"];

/// The packages that a manifest names in these tables, for whatever target. Renamed packages count
/// under their real name.
fn dependencies(manifest: &toml::Table, tables: &[&str]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (key, value) in manifest {
        let Some(table) = value.as_table() else { continue };
        match key.as_str() {
            key if tables.contains(&key) => {
                names.extend(table.iter().map(|(name, it)| {
                    it.get("package").and_then(toml::Value::as_str).unwrap_or(name).to_owned()
                }));
            }
            "target" => {
                for each in table.values().filter_map(toml::Value::as_table) {
                    names.extend(dependencies(each, tables));
                }
            }
            _ => {}
        }
    }
    names
}

#[test]
fn a_package_is_named_for_its_folder_and_keeps_the_lints() {
    /// Packages with a table of their own; each says why in its `Cargo.toml`.
    const OWN_LINTS: [&str; 4] = ["tests", "tests/loom", "tests/sim", "tests/xtask"];
    let mut faults = Vec::new();
    for (folder, manifest) in source::packages() {
        let name = manifest["package"]["name"].as_str().unwrap_or_default();
        let last = folder.rsplit('/').next().unwrap_or_default();
        let guest = GUESTS.iter().any(|prefix| folder.starts_with(prefix));
        if !guest && folder != "tests/xtask" && name != format!("portcullis-{last}") {
            faults.push(format!("{folder}: is called {name}"));
        }
        let lints = manifest.get("lints");
        let shared = lints.and_then(|it| it.get("workspace")).and_then(toml::Value::as_bool);
        let own = lints.and_then(|it| it.get("clippy")).is_some();
        let excepted = OWN_LINTS.contains(&folder.as_str()) || guest;
        if shared != Some(true) && !(excepted && own) {
            faults.push(format!("{folder}: no `[lints] workspace = true`"));
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn every_package_belongs_to_the_workspace() {
    let text = std::fs::read_to_string(project().join("Cargo.toml")).unwrap();
    let root: toml::Table = text.parse().unwrap();
    let listed: BTreeSet<String> = ["members", "exclude"]
        .iter()
        .filter_map(|key| root["workspace"].get(*key)?.as_array())
        .flatten()
        .filter_map(|it| Some(it.as_str()?.to_owned()))
        .collect();
    for folder in source::packages().into_keys() {
        let known = listed.iter().any(|it| folder == *it || folder.starts_with(&format!("{it}/")));
        assert!(known, "{folder} is neither a member nor excluded");
    }
}

#[test]
fn the_law_refuses_what_it_should() {
    let law = |folder: &str| LAW.iter().find(|row| row.folder == folder).unwrap();
    let check = |folder: &str, name: &str, legal: bool| {
        let row = law(folder);
        assert_eq!(fault(name, &row.ours, &row.outside).is_none(), legal, "{folder} {name}");
    };
    check("kernel/gate", "portcullis-domain", true);
    check("kernel/gate", "portcullis-evidence", false);
    check("kernel/gate", "serde", false);
    check("kernel/cli", "portcullis-venue", false);
    check("kernel/cli", "clap", true);
    check("plugins/lab", "portcullis-lifeline", false);
    check("kernel/daemon", "wasmtime", false);
    assert!(for_tests_alone("kernel/venue", "portcullis-statement"));
    assert!(!for_tests_alone("kernel/gate", "portcullis-evidence"));
    let manifest: toml::Table = "[dependencies]\na = \"1\"\nb = { package = \"c\" }\n\
         [dev-dependencies]\ne = \"1\"\n\
         [target.'cfg(unix)'.build-dependencies]\nd = \"1\"\n"
        .parse()
        .unwrap();
    assert_eq!(dependencies(&manifest, &SHIPPED), ["a", "c", "d"].map(str::to_owned).into());
}

#[test]
fn nothing_but_a_test_imports_a_program_or_a_test() {
    for row in LAW.iter().filter(|row| row.folder != "tests") {
        for name in ["daemon", "guardian", "exchange", "cli", "scribe", "tests"] {
            let fault = fault(&format!("portcullis-{name}"), &row.ours, &row.outside);
            assert!(fault.is_some(), "{} {name}", row.folder);
        }
    }
}
