//! The eight steps, in order.

use std::fs;

use portcullis_control::{Reconciliation, Request};

use super::props::{
    component_sha, copy_folder, credential, draft_session, flip_in_journal, flip_one_bit,
    found_by_reconciliation, indent, open_raw, pack_and_seal, ports, read_request, sign_all,
    signers, start_daemon, submit_raw, trading, write,
};
use super::stage::{Stage, call, must, tell, unexpected};
use super::watch::verdicts;
use crate::home::Home;
use crate::verbs::kill;
use crate::{CliError, clock};

/// What the account on the simulated exchange starts with.
const BALANCES: &str = r#"{"USD":"100000","BTC":"0"}"#;

/// The cooldown after a kill in the demo, in milliseconds; that of the policies is minutes.
const COOLDOWN_MS: u32 = 500;

/// 1: what the component can do, from its bytes.
pub(super) fn show_component(stage: &Stage) -> Result<(), CliError> {
    let component = stage.component.display().to_string();
    let said = must(&["plugin", "inspect", &component])?;
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
    must(&[
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
    shorten_cooldown(stage)?;
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

/// Nobody watches a demo for the minutes in which nothing new is allowed after a kill.
fn shorten_cooldown(stage: &Stage) -> Result<(), CliError> {
    let path = stage.path("home/policies/safety.toml");
    let failed = |error: std::io::Error| unexpected("the demo's policies", &error.to_string());
    let text = fs::read_to_string(&path).map_err(failed)?;
    let short = |line: &str| match line.split_once('=') {
        Some(("cooldown_ms ", _)) => format!("cooldown_ms = {COOLDOWN_MS}\n"),
        _ => format!("{line}\n"),
    };
    fs::write(&path, text.lines().map(short).collect::<String>()).map_err(failed)
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
    must(&[
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
    must(&["submit", &file, "--home", &home])?;
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
    must(&[
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
    must(&["submit", &release, "--home", &home])?;
    must(&["plugin", "install", &component, "--home", &home])?;
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
    if !changed.starts_with("SIGNATURE") {
        return Err(unexpected("the changed session", &format!("refused by {changed}")));
    }
    tell(
        3,
        &format!(
            "Refused: the release with the author's signature alone ({alone}), the session without \
             signatures ({unsigned}), with one of two ({half}), with the operator's twice \
             ({twice}), and fully signed but with one bit changed ({changed})"
        ),
        "Why: no order leaves that two people have not allowed, and they see the very bytes that \
         they allow.",
    )
}

/// 4: the session opens, trades, and one intent is denied by a limit.
pub(super) fn trade(stage: &mut Stage) -> Result<(), CliError> {
    let home = stage.text("home");
    let file = stage.text("requests/first.json");
    must(&["open", &file, "--home", &home])?;
    let again = open_raw(stage, &read_request(stage, "requests/first.json")?)?;
    let view = stage.await_until("an order, a fill and a denial", 40, |stage| {
        let Some(view) = stage.status() else { return Ok(None) };
        let filled = view.positions.iter().any(|position| position.fees != "0");
        let denied = verdicts(&view, "MAX_ORDER_QTY") > 0;
        Ok((filled && denied && verdicts(&view, "APPROVED") > 0).then_some(view))
    })?;
    let counts: Vec<String> =
        view.verdicts.iter().map(|(code, count)| format!("{code} {count}")).collect();
    let said = must(&["status", "--home", &home])?;
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
    let lacks = ["account", "counts", "market-data"];
    pack_and_seal(stage, "first", "red", "The daemon was killed with an order working.", &lacks)?;
    let home = stage.text("home");
    let unkill = stage.text("requests/unkill.json");
    let reason = "crash understood, account compared";
    must(&["request", "unkill", "--home", &home, "--reason", reason, "--out", &unkill])?;
    let people = signers(stage, "requests/unkill.json")?;
    sign_all(stage, "requests/unkill.json", &people)?;
    // Pulled again it is the same kill, and this returns once no order of it is left.
    kill::kill(&Home::open(stage.home().as_path())?, &Request::kill("is all clear"), |_| Ok(()))?;
    must(&["submit", &unkill, "--home", &home])?;
    draft_session(stage, "requests/second.json", "second", &trading("0", "0"))?;
    stage.sign("requests/second.json", &["olga", "petra"])?;
    must(&["open", &stage.text("requests/second.json"), "--home", &home])?;
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
    let mut steps = Vec::new();
    let mut closed = None;
    // The verb's own code, called here so that the moment of its first line is known.
    kill::kill(&Home::open(stage.home().as_path())?, &Request::kill("demonstration"), |line| {
        closed = Some(closed.map_or_else(clock::now, Ok)?);
        steps.push(line.split(' ').next().unwrap_or_default().to_owned());
        Ok(())
    })?;
    let closed = closed.ok_or_else(|| unexpected("the kill", "it said nothing"))?;
    std::thread::sleep(std::time::Duration::from_secs(1));
    let late = stage.new_orders_after(closed)?;
    if steps != ["GATE_CLOSED", "LATCHED", "ORDERS_CLEAR"] || late != 0 {
        let cause = format!("{}; {late} new orders after the first", steps.join(", "));
        return Err(unexpected("the kill", &cause));
    }
    tell(
        6,
        &format!(
            "portcullis kill while it trades: {}. New orders in the exchange's log after the first \
             of these: {late}",
            steps.join(", ")
        ),
        "Why: the gate shuts in the thread that hears the kill; no queue, disk or plugin is \
         waited for.",
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
    let pack =
        pack_and_seal(stage, "second", "yellow", "The kill switch was tried and held.", &[])?;
    must(&["stop", "--home", &home])?;
    let (folder, pin) = (pack.display().to_string(), stage.text("pin"));
    must(&["evidence", "verify", &folder, "--trust", &pin])?;
    let unproven = call(&["evidence", "verify", &folder])?;
    let copy = stage.path("tampered");
    copy_folder(&pack, &copy)?;
    flip_in_journal(&copy)?;
    let tampered = call(&["evidence", "verify", &copy.display().to_string(), "--trust", &pin])?;
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
        "Why: the seal binds every file and the journal's head, and only a pin from outside says \
         whose.",
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
