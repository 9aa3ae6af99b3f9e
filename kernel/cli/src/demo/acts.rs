//! The eight steps, in order.

use std::fs;
use std::path::{Path, PathBuf};

use portcullis_control::{Reconciliation, Request, SignedBytes};
use portcullis_domain::parse_scaled;

use super::stage::{Stage, tell, unexpected};
use super::watch::verdicts;
use crate::CliError;
use crate::client::{self, SOON};
use crate::request_file::RequestFile;

const SYMBOL: &str = "BTC-USD";
/// What the venue calls unset: a key that works on the simulated exchange alone.
const BALANCES: &str = r#"{"USD":"100000","BTC":"0"}"#;

/// 1: what the component can do, from its bytes.
pub(super) fn show_component(stage: &Stage) -> Result<(), CliError> {
    let component = stage.component.display().to_string();
    let said = stage.must(&["plugin", "inspect", &component])?;
    let happened = format!("The strategy, read from its bytes:\n{}", indent(&said.stdout));
    tell(
        1,
        &happened,
        "Why: what it can do is proved, not declared; it can return intents and log.",
    )
}

/// 2: a home with four people.
pub(super) fn make_home(stage: &Stage) -> Result<(), CliError> {
    let (home, pin, keys) = (stage.text("home"), stage.text("pin"), stage.text("keys"));
    let policies = stage.policies.display().to_string();
    stage.must(&[
        "init",
        &home,
        "--profile",
        "demo",
        "--pin",
        &pin,
        "--keys",
        &keys,
        "--policies",
        &policies,
    ])?;
    tell(
        2,
        &format!(
            "A home with four people and their SSH keys: ana wrote the plugin, gus governs, olga \
             operates, petra approves. Genesis, limits and phase rules: {home}"
        ),
        "Why: the roster is signed by everyone in it, pinned outside the home, and marked demo: \
         no phase from 4 on accepts it.",
    )
}

/// The exchange and the daemon, and what they have to agree on.
pub(super) fn start_programs(stage: &mut Stage) -> Result<(), CliError> {
    let (key, secret) = credential(stage)?;
    let account = format!(
        r#"[{{"key":"{key}","secret":"{secret}","account":"demo","balances":{BALANCES}}}]"#
    );
    write(&stage.path("exchange/credentials.json"), &account)?;
    let own = format!(r#"{{"key":"{key}","secret":"{secret}"}}"#);
    write(&stage.path("keys/venue.json"), &own)?;
    let instruments = stage.policies.join("instruments/kraken-btc-usd.toml");
    let (instruments, ready) =
        (instruments.display().to_string(), stage.text("exchange/ready.json"));
    let (wire, accounts) =
        (stage.text("exchange/wire.jsonl"), stage.text("exchange/credentials.json"));
    let exchange = stage.start(
        "portcullis-exchange",
        &[
            "serve",
            "--instruments",
            &instruments,
            "--credentials",
            &accounts,
            "--seed",
            "7",
            "--public-port",
            "0",
            "--private-port",
            "0",
            "--wire-log",
            &wire,
            "--ready-file",
            &ready,
            "--run-seconds-max",
            "600",
        ],
    )?;
    stage.exchange = Some(exchange);
    let (public, private) = stage.await_until("the exchange", 20, |_| Ok(ports(&ready)))?;
    start_daemon(stage)?;
    let home = stage.text("home");
    let file = stage.text("requests/endpoint.json");
    stage.must(&[
        "request",
        "endpoint-set",
        "--home",
        &home,
        "--public-port",
        &public,
        "--private-port",
        &private,
        "--out",
        &file,
    ])?;
    let people = signers(stage, "requests/endpoint.json")?;
    sign_all(stage, "requests/endpoint.json", &people)?;
    stage.must(&["submit", &file, "--home", &home])?;
    stage.await_until("the first reconciliation", 20, |stage| {
        let agreed =
            |view: &portcullis_control::StatusView| view.reconciliation == Reconciliation::Agreed;
        Ok(stage.status().filter(agreed).map(drop))
    })
}

/// 3: refusals, each with its code.
pub(super) fn refuse_what_is_not_signed(stage: &mut Stage) -> Result<(), CliError> {
    let home = stage.text("home");
    let component = stage.component.display().to_string();
    let release = stage.text("requests/release.json");
    stage.must(&[
        "request",
        "plugin-release",
        "--home",
        &home,
        "--component",
        &component,
        "--author",
        "ana",
        "--phase-max",
        "2",
        "--out",
        &release,
    ])?;
    stage.sign("requests/release.json", &["ana"])?;
    let alone = submit_raw(stage, "requests/release.json")?;
    stage.sign("requests/release.json", &["gus"])?;
    stage.must(&["submit", &release, "--home", &home])?;
    stage.must(&["plugin", "install", &component, "--home", &home])?;
    stage.sha = component_sha(stage)?;

    draft_session(stage, "requests/first.json", "first", &trading("10", "3"))?;
    let file = "requests/first.json";
    let unsigned = open_raw(stage, &read_request(stage, file)?)?;
    stage.sign(file, &["olga"])?;
    let half = open_raw(stage, &read_request(stage, file)?)?;
    let mut twice = read_request(stage, file)?;
    twice.signatures.extend(twice.signatures.clone());
    let twice = open_raw(stage, &twice)?;
    stage.sign(file, &["petra"])?;
    let mut changed = read_request(stage, file)?;
    flip_one_bit(&mut changed.bytes);
    let changed = open_raw(stage, &changed)?;
    tell(
        3,
        &format!(
            "Refused: the release with the author's signature alone ({alone}), the session without \
             signatures ({unsigned}), with one of two ({half}), with the operator's twice ({twice}), \
             and fully signed but with one bit changed ({changed})"
        ),
        "Why: no order leaves that two people have not allowed, and they see the very bytes that \
         they allow.",
    )
}

/// 4: the session opens, trades, and one intent is denied by a limit.
pub(super) fn trade(stage: &mut Stage) -> Result<(), CliError> {
    let home = stage.text("home");
    let file = stage.text("requests/first.json");
    stage.must(&["open", &file, "--home", &home])?;
    let again = open_raw(stage, &read_request(stage, "requests/first.json")?)?;
    let view = stage.await_until("an order, a fill and a denial", 40, |stage| {
        let Some(view) = stage.status() else { return Ok(None) };
        let filled = view.positions.iter().any(|position| position.fees != "0");
        let denied = verdicts(&view, "MAX_ORDER_QTY") > 0;
        Ok((filled && denied && verdicts(&view, "APPROVED") > 0).then_some(view))
    })?;
    let counts: Vec<String> =
        view.verdicts.iter().map(|(code, count)| format!("{code} {count}")).collect();
    let said = stage.must(&["status", "--home", &home])?;
    tell(
        4,
        &format!(
            "Phase 2, paper: the sandboxed strategy trades on the simulated exchange; verdicts so \
             far: {}. The same approval a second time: {again}.\n{}",
            counts.join(", "),
            indent(&said.stdout)
        ),
        "Why: each intent got a verdict with a code, durably on record before anything left.",
    )
}

/// 5: a crash with an order working.
pub(super) fn crash_and_recover(stage: &mut Stage) -> Result<(), CliError> {
    let working = stage.await_until("a working order", 40, |stage| {
        let Some(view) = stage.status() else { return Ok(None) };
        let resting = |order: &&portcullis_control::OrderView| {
            matches!(order.status.as_str(), "new" | "partially-filled")
        };
        Ok(view.orders.iter().find(resting).map(|order| order.cl_ord_id.clone()))
    })?;
    if let Some(mut daemon) = stage.daemon.take() {
        daemon.kill();
    }
    let orders_before = stage.new_orders()?;
    start_daemon(stage)?;
    let view = stage.await_until("the account compared again", 30, |stage| {
        let compared = |view: &portcullis_control::StatusView| {
            view.reconciliation == Reconciliation::Agreed && view.orders.is_empty()
        };
        Ok(stage.status().filter(compared))
    })?;
    if !view.killed || view.may_trade {
        return Err(unexpected("the restart", "the kernel is not killed and blocked"));
    }
    let burned = open_raw(stage, &read_request(stage, "requests/first.json")?)?;
    let orders_after = stage.new_orders()?;
    if orders_after != orders_before {
        return Err(unexpected("the restart", "an order left without a session"));
    }
    let found = found_by_reconciliation(stage, &working)?;
    pack_and_seal(stage, "first", "red", "The daemon was killed with an order working.")?;
    let home = stage.text("home");
    let unkill = stage.text("requests/unkill.json");
    let reason = "crash understood, account compared";
    stage.must(&["request", "unkill", "--home", &home, "--reason", reason, "--out", &unkill])?;
    let people = signers(stage, "requests/unkill.json")?;
    sign_all(stage, "requests/unkill.json", &people)?;
    stage.must(&["submit", &unkill, "--home", &home])?;
    draft_session(stage, "requests/second.json", "second", &trading("0", "0"))?;
    stage.sign("requests/second.json", &["olga", "petra"])?;
    stage.must(&["open", &stage.text("requests/second.json"), "--home", &home])?;
    tell(
        5,
        &format!(
            "kill -9 with order {working} working. After the restart: {found}; status: {}; the old \
             approval: {burned}; new orders at the exchange: 0. The crashed session is sealed red, \
             two people lifted the kill ({}), and a fresh approval that lists the carried position \
             opened the next session",
            view.reasons.join("; "),
            people.join(" and ")
        ),
        "Why: a restart never re-opens anything, and a crash cannot lose a kill or repeat an order.",
    )
}

/// 6: the kill switch, while it trades.
pub(super) fn kill(stage: &mut Stage) -> Result<(), CliError> {
    let before = stage.new_orders()?;
    stage.await_until("trading in the second session", 40, |stage| {
        Ok((stage.new_orders()? > before).then_some(()))
    })?;
    let home = stage.text("home");
    let said = stage.must(&["kill", "--home", &home, "--reason", "demonstration"])?;
    let at_ack = stage.new_orders()?;
    std::thread::sleep(std::time::Duration::from_secs(1));
    let after = stage.new_orders()?;
    if after != at_ack {
        return Err(unexpected("the kill", "the exchange saw a new order after it"));
    }
    let steps: Vec<&str> = said.stdout.lines().filter_map(|line| line.split(' ').next()).collect();
    if steps != ["GATE_CLOSED", "LATCHED", "ORDERS_CLEAR"] {
        return Err(unexpected("the kill", &said.stdout));
    }
    tell(
        6,
        &format!(
            "portcullis kill while it trades: {}. New orders at the exchange after it: 0",
            steps.join(", ")
        ),
        "Why: the gate shuts in the thread that hears the kill; no queue, disk or plugin is waited for.",
    )
}

/// 7: close, seal, verify, and three ways in which a pack does not verify.
pub(super) fn seal_and_verify(stage: &mut Stage) -> Result<(), CliError> {
    let home = stage.text("home");
    // The kill has voided the approval: the session closes by itself once the orders are clear.
    stage.await_until("the end of the session", 30, |stage| {
        let ended = |view: &portcullis_control::StatusView| view.session.is_none();
        Ok(stage.status().filter(ended).map(drop))
    })?;
    let pack = pack_and_seal(stage, "second", "yellow", "The kill switch was tried and held.")?;
    stage.must(&["stop", "--home", &home])?;
    let (folder, pin) = (pack.display().to_string(), stage.text("pin"));
    stage.must(&["evidence", "verify", &folder, "--trust", &pin])?;
    let unproven = stage.call(&["evidence", "verify", &folder])?;
    let copy = stage.path("tampered");
    copy_folder(&pack, &copy)?;
    flip_in_journal(&copy)?;
    let tampered =
        stage.call(&["evidence", "verify", &copy.display().to_string(), "--trust", &pin])?;
    if unproven.exit != 3 || tampered.exit != 5 {
        let cause = format!("exit {} without an anchor, {} tampered", unproven.exit, tampered.exit);
        return Err(unexpected("evidence verify", &cause));
    }
    stage.packs.push(pack);
    let damage = tampered.stderr.lines().next().unwrap_or_default();
    let origin = unproven.stderr.lines().next().unwrap_or_default();
    tell(
        7,
        &format!(
            "Closed, reconciled, sealed by two people. With the genesis pin: OK. One byte flipped \
             in a copy: {damage}. Without the pin: {origin}"
        ),
        "Why: the seal binds every file and the journal's head, and only a pin from outside says whose.",
    )
}

/// 8: where everything lies.
pub(super) fn say_what_is_next(stage: &Stage) -> Result<(), CliError> {
    let packs: Vec<String> = stage.packs.iter().map(|pack| pack.display().to_string()).collect();
    let pack = packs.last().cloned().unwrap_or_default();
    tell(
        8,
        &format!("The packs: {}", packs.join(" and ")),
        &format!("Try next: portcullis evidence verify {pack} --trust {}", stage.text("pin")),
    )
}

fn start_daemon(stage: &mut Stage) -> Result<(), CliError> {
    let (home, pin, key) = (stage.text("home"), stage.text("pin"), stage.text("keys/venue.json"));
    let flags = ["--home", &home, "--pin", &pin, "--credential", &key];
    stage.daemon = Some(stage.start("portcullisd", &flags)?);
    stage.await_until("the daemon", 20, |stage| Ok(stage.status().map(drop)))
}

/// The strategy's parameters: how far from the quote orders rest (0: take at the market), and
/// every how many orders asks for too much.
fn trading(offset: &str, greedy: &str) -> Vec<String> {
    let rest = if offset == "0" { "0" } else { "1" };
    [
        ("fast", "5"),
        ("slow", "20"),
        ("qty", "100000"),
        ("rest", rest),
        ("offset", offset),
        ("greedy", greedy),
    ]
    .into_iter()
    .map(|(key, value)| format!("{key}={value}"))
    .collect()
}

fn draft_session(stage: &Stage, file: &str, name: &str, params: &[String]) -> Result<(), CliError> {
    let (home, out) = (stage.text("home"), stage.text(file));
    let plugin = format!("ema-cross={}", stage.sha);
    let mut arguments = vec![
        "request",
        "session",
        "--home",
        &home,
        "--phase",
        "2",
        "--plugin",
        &plugin,
        "--instrument",
        SYMBOL,
        "--minutes",
        "30",
        "--session",
        name,
        "--out",
        &out,
    ];
    for param in params {
        arguments.extend(["--param", param]);
    }
    stage.must(&arguments).map(drop)
}

/// Writes the pack of a session and has it sealed.
fn pack_and_seal(
    stage: &mut Stage,
    session: &str,
    classification: &str,
    lesson: &str,
) -> Result<PathBuf, CliError> {
    let home = stage.text("home");
    let said = stage.must(&["pack", session, "--home", &home, "--lesson", lesson])?;
    let pack = said.field("pack").or_else(|| said.field("path")).map(PathBuf::from);
    let pack = pack.ok_or_else(|| unexpected("pack", &said.stdout))?;
    let folder = pack.display().to_string();
    let name = format!("requests/seal-{session}.json");
    let file = stage.text(&name);
    stage.must(&[
        "request",
        "seal",
        "--home",
        &home,
        "--pack",
        &folder,
        "--classification",
        classification,
        "--out",
        &file,
    ])?;
    let people = signers(stage, &name)?;
    sign_all(stage, &name, &people)?;
    stage.must(&["submit", &file, "--home", &home])?;
    if session == "first" {
        stage.packs.push(pack.clone());
    }
    Ok(pack)
}

/// What the journal's reconciliation entries say about an order.
fn found_by_reconciliation(stage: &Stage, order: &str) -> Result<String, CliError> {
    let bytes = fs::read(stage.home().join("journal/000001.journal"));
    let bytes = bytes.map_err(|error| unexpected("the journal", &error.to_string()))?;
    let journal = portcullis_evidence::read(&bytes)
        .map_err(|damage| unexpected("the journal", &damage.to_string()))?;
    let found = journal.entries.iter().any(|entry| {
        let decoded = portcullis_core::entry::decode(entry);
        decoded.is_ok_and(|entry| {
            entry.kind == "reconciled" && entry.body.canonical_text().contains(order)
        })
    });
    if found {
        return Ok("reconciliation found it at the exchange and took it back".to_owned());
    }
    Err(unexpected("the journal", &format!("no reconciliation entry names {order}")))
}

fn read_request(stage: &Stage, file: &str) -> Result<SignedBytes, CliError> {
    let file = RequestFile::read(&stage.path(file))?;
    Ok(client::signed_bytes(&file.signed))
}

/// Everybody who has to sign a request, in its order.
fn signers(stage: &Stage, file: &str) -> Result<Vec<String>, CliError> {
    let file = RequestFile::read(&stage.path(file))?;
    Ok(file.envelope.header.signers.iter().map(|signer| signer.person.to_string()).collect())
}

fn sign_all(stage: &Stage, file: &str, people: &[String]) -> Result<(), CliError> {
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    stage.sign(file, &people)
}

/// Sends an approval as it is, past the checks of the command line: the kernel must refuse it.
fn open_raw(stage: &Stage, signed: &SignedBytes) -> Result<String, CliError> {
    refused_by_kernel(stage, &Request::Open(signed.clone()))
}

fn submit_raw(stage: &Stage, file: &str) -> Result<String, CliError> {
    refused_by_kernel(stage, &Request::Statement(read_request(stage, file)?))
}

fn refused_by_kernel(stage: &Stage, request: &Request) -> Result<String, CliError> {
    match client::ask(&stage.home().join("control.sock"), request, SOON) {
        Err(error) => Ok(error.code),
        Ok(_) => Err(unexpected("the kernel", "it accepted what it must refuse")),
    }
}

/// Changes one bit of a digit, so that what is left is still JSON.
fn flip_one_bit(bytes: &mut [u8]) {
    if let Some(digit) = bytes.iter_mut().rev().find(|byte| byte.is_ascii_digit()) {
        *digit ^= 1;
    }
}

/// Flips one bit in the middle of a pack's journal.
fn flip_in_journal(pack: &Path) -> Result<(), CliError> {
    let path = pack.join("journal/session.journal");
    let mut bytes = fs::read(&path).map_err(|e| unexpected("the copy", &e.to_string()))?;
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    fs::write(&path, bytes).map_err(|error| unexpected("the copy", &error.to_string()))
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), CliError> {
    let fault = |error: std::io::Error| unexpected("the copy", &error.to_string());
    fs::create_dir_all(to).map_err(fault)?;
    for entry in fs::read_dir(from).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target).map_err(fault)?;
        }
    }
    Ok(())
}

/// Drawn anew for each run; it works on this run's exchange alone.
fn credential(stage: &Stage) -> Result<(String, String), CliError> {
    let key = crate::clock::nonce()?;
    let secret = crate::clock::nonce()?;
    fs::create_dir_all(stage.path("keys")).map_err(|e| unexpected("keys", &e.to_string()))?;
    // Hexadecimal digits in a multiple of four are base64 as they stand.
    Ok((format!("demo-{key}"), secret))
}

fn ports(ready: &str) -> Option<(String, String)> {
    let text = fs::read_to_string(ready).ok()?;
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    let port = |side: &str| {
        let port = value.get(side)?.get("port")?.to_string();
        parse_scaled(&port, 0).is_ok().then_some(port)
    };
    Some((port("public")?, port("private")?))
}

fn component_sha(stage: &Stage) -> Result<String, CliError> {
    let bytes = fs::read(&stage.component);
    let bytes = bytes.map_err(|error| unexpected("the component", &error.to_string()))?;
    Ok(portcullis_statement::Digest::of(&bytes).hex())
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    fs::write(path, text).map_err(|error| unexpected("the demo's folder", &error.to_string()))
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("   | {line}\n")).collect::<String>().trim_end().to_owned()
}
