//! Strategies and sandboxes that do their worst, in a replay of the real programs: each ends
//! itself and harms nothing else.

use crate::replay::{
    Kept, Scratch, copy_policies, market, replay, synthetic, text, write_recording,
};
use portcullis_core::entry::Decoded;
use portcullis_statement::json::{Fields, Value};
use portcullis_tests::component;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::OnceLock;

/// What the kernel said of the plugin that it stopped, after checking that the run went on
/// without it, to the end and as if nothing had happened.
#[track_caller]
fn check_stopped<'a>(kept: &'a Kept, expect: &str) -> &'a Decoded {
    let [stopped] = kept.of_kind("plugin-stopped")[..] else { panic!("not stopped once") };
    assert_eq!(stopped.reason, expect);
    let mut document = Fields::new(&kept.document).unwrap();
    let told = document.list("stopped").unwrap();
    assert_eq!((told.len(), text(&told[0], "code")), (1, expect.to_owned()));
    assert_eq!(Some(&market(&kept.document)), whole_market());
    for (kind, count) in [("killed", 0), ("faulted", 0), ("session-closed", 1), ("clean-stop", 1)] {
        assert_eq!(kept.of_kind(kind).len(), count, "{kind}");
    }
    let of_plugin = |kind| kept.of_kind(kind).into_iter().map(|entry| entry.place.input);
    assert!(of_plugin("plugin-reply").all(|input| input < stopped.place.input));
    stopped
}

#[track_caller]
fn check_strategy(name: &str, params: &[&str], expect: &str) -> Option<Kept> {
    let ((_scratch, folder), strategy) = (short()?, component(name)?);
    // A strategy without limits of its own may not trade: these get those of the project's.
    let scratch = Scratch::new();
    let policies = scratch.path("policies");
    let table = format!("[strategies.{name}]");
    copy_policies(&policies, "limits.toml", "[strategies.ema-cross]", &table);
    let mut arguments: Vec<&dyn AsRef<OsStr>> = vec![&folder, &"--component", &strategy];
    let named: [&dyn AsRef<OsStr>; 4] = [&"--plugin", &name, &"--policies", &policies];
    arguments.extend(named);
    for param in params {
        arguments.push(&"--param");
        arguments.push(param);
    }
    let kept = Kept::new(&arguments);
    assert_eq!(check_stopped(&kept, expect).corr, name);
    Some(kept)
}

#[test]
fn an_endless_loop_ends_by_its_fuel() {
    check_strategy("hostile-spin", &["after=100"], "PLUGIN_FUEL");
}

#[test]
fn a_memory_bomb_ends_by_its_memory() {
    check_strategy("hostile-memory-bomb", &[], "PLUGIN_MEMORY");
}

#[test]
fn a_flood_of_intents_or_words_ends_by_fuel_memory_or_count() {
    check_strategy("hostile-intent-flood", &[], "PLUGIN_MEMORY");
    check_strategy("hostile-intent-flood", &["count=257"], "PLUGIN_OUTPUT");
    check_strategy("hostile-log-flood", &[], "PLUGIN_FUEL");
}

/// What a strategy asked for in the call in which it trapped does not get out.
#[test]
fn a_trap_takes_the_orders_of_its_own_call_with_it() {
    let Some(kept) = check_strategy("hostile-trap", &["after=3"], "PLUGIN_TRAP") else { return };
    assert_eq!(kept.of_kind("denied").len(), 3, "one too small an order for each good event");
    assert_eq!(kept.of_kind("ordered").len(), 0);
}

#[test]
fn parameters_that_a_strategy_refuses_end_it_before_its_first_event() {
    let Some(kept) = check_strategy("ema-cross", &["fast=50", "slow=20"], "PLUGIN_INIT") else {
        return;
    };
    assert_eq!(kept.of_kind("plugin-reply").len(), 0);
}

/// A short recording, from the seeded one.
fn short() -> Option<(Scratch, PathBuf)> {
    let lines = synthetic()?.lines();
    let scratch = Scratch::new();
    let folder = scratch.path("recording");
    write_recording(&folder, &lines[..1_000]);
    Some((scratch, folder))
}

/// What a strategy that behaves leaves counted of the short recording.
fn whole_market() -> Option<&'static Value> {
    static MARKET: OnceLock<Value> = OnceLock::new();
    let ((_scratch, folder), strategy) = (short()?, component("ema-cross")?);
    Some(MARKET.get_or_init(|| {
        let run = replay(&[&"--json", &folder, &"--component", &strategy]);
        market(&run.document())
    }))
}

/// The run is refused before it begins; the error has every part, and nothing was made.
#[track_caller]
fn check_refused(arguments: &[&dyn AsRef<OsStr>], code: i32, words: &[&str]) {
    let Some((scratch, folder)) = short() else { return };
    let out = scratch.path("out");
    let before: [&dyn AsRef<OsStr>; 3] = [&folder, &"--out", &out];
    let run = replay(&[&before, arguments].concat());
    assert_eq!((run.code, &*run.stdout), (code, ""), "{}", run.stderr);
    for word in words.iter().chain(&["\nnext: "]) {
        assert!(run.stderr.contains(word), "{word} is not in {}", run.stderr);
    }
    assert_eq!(scratch.names(), ["recording"]);
}

#[test]
fn a_component_that_imports_more_than_it_may_is_refused_by_name() {
    let Some(foreign) = component("hostile-foreign-import") else { return };
    let words = ["error[PLUGIN_ADMISSION]", "wasi:clocks/monotonic-clock"];
    check_refused(&[&"--component", &foreign], 3, &words);
}

#[test]
fn what_is_no_component_is_refused() {
    let scratch = Scratch::new();
    let file = |name: &str, bytes: &[u8]| {
        let path = scratch.path(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let admission = ["error[PLUGIN_ADMISSION]"];
    check_refused(&[&"--component", &file("text", b"not wasm at all")], 3, &admission);
    check_refused(&[&"--component", &file("empty", b"")], 3, &admission);
    check_refused(&[&"--component", &file("module", b"\0asm\x01\0\0\0")], 3, &admission);
    let missing = scratch.path("missing");
    check_refused(&[&"--component", &missing], 4, &["error[FILE_NOT_FOUND]", "xtask guest"]);
    check_refused(&[&"--component", &"/dev/zero"], 3, &["error[FILE_WRONG_KIND]"]);
    if let Some(strategy) = component("ema-cross") {
        let bytes = fs::read(strategy).unwrap();
        let cut = file("cut", &bytes[..bytes.len() / 2]);
        check_refused(&[&"--component", &cut], 3, &admission);
    }
}

#[test]
fn a_sandbox_that_is_not_there_or_ends_at_once_is_an_error() {
    let scratch = Scratch::new();
    let (missing, text) = (scratch.path("missing"), scratch.path("text"));
    fs::write(&text, "no program").unwrap();
    check_refused(&[&"--sandbox", &missing], 4, &["error[SANDBOX_MISSING]", "--sandbox"]);
    check_refused(&[&"--sandbox", &text], 4, &["error[SANDBOX_MISSING]"]);
    check_refused(&[&"--sandbox", &"/bin/true"], 3, &["error[PLUGIN_GONE]"]);
    // One that answers with something else than frames.
    let garbage = puppet(&scratch, "garbage-at-load");
    check_refused(&[&"--sandbox", &garbage], 3, &["error[PLUGIN_PROTOCOL]"]);
}

/// The puppet under the name of its play, in the place of the sandbox.
fn puppet(scratch: &Scratch, play: &str) -> PathBuf {
    let path = scratch.path(play);
    symlink(env!("CARGO_BIN_EXE_portcullis-puppet"), &path).unwrap();
    path
}

fn played(play: &str, expect: &str) -> Option<Kept> {
    let (scratch, folder) = short()?;
    let kept = Kept::new(&[&folder, &"--sandbox", &puppet(&scratch, play)]);
    check_stopped(&kept, expect);
    Some(kept)
}

#[test]
fn a_captured_sandbox_can_end_its_plugin_and_nothing_else() {
    let plays = [
        ("gone", "PLUGIN_GONE"),
        ("half", "PLUGIN_GONE"),
        ("another-batch", "PLUGIN_PROTOCOL"),
        ("garbage", "PLUGIN_PROTOCOL"),
        ("long-claim", "PLUGIN_PROTOCOL"),
        ("too-many", "PLUGIN_OUTPUT"),
    ];
    for (play, expect) in plays {
        played(play, expect);
    }
}

/// Of two resting orders, the one that would make the position larger is taken back, and the one
/// that would make it smaller stands until the session ends.
#[test]
fn a_stopped_plugin_loses_the_orders_that_increase_its_exposure() {
    let Some(kept) = played("traps", "PLUGIN_TRAP") else { return };
    let ordered = kept.of_kind("ordered");
    assert_eq!(ordered.len(), 3, "one at the market, two that rest");
    let (buys, sells) = (&ordered[1].corr, &ordered[2].corr);
    let canceled = kept.of_kind("cancel-requested");
    let canceled: Vec<(&String, &str)> =
        canceled.iter().map(|entry| (&entry.corr, entry.reason.as_str())).collect();
    assert_eq!(canceled[0], (buys, "PLUGIN_STOPPED"));
    assert!(canceled[1..].iter().all(|(id, why)| *id == sells && *why != "PLUGIN_STOPPED"));
    let gone = kept
        .of_kind("shadow-report")
        .into_iter()
        .filter(|entry| text(&entry.body, "exec_type") == "canceled" && entry.corr == *buys);
    assert_eq!(gone.count(), 1, "the order is gone, not only asked back");
}

/// How long an answer took is no property of the recording: the run is void, and says so in the
/// time that it states.
#[test]
#[expect(clippy::disallowed_methods, reason = "it is the time it takes that is tested")]
fn a_sandbox_that_hangs_voids_the_run_in_bounded_time() {
    let Some((scratch, folder)) = short() else { return };
    let out = scratch.path("out");
    let mute = puppet(&scratch, "mute");
    let start = std::time::Instant::now();
    let run = replay(&[&folder, &"--out", &out, &"--sandbox", &mute]);
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
    assert_eq!((run.code, &*run.stdout), (75, ""));
    assert!(run.stderr.starts_with("error[PLUGIN_DEADLINE] "), "{}", run.stderr);
    assert_eq!(scratch.names(), ["mute", "recording"]);
}

#[test]
fn arguments_and_places_that_make_no_sense_are_refused_before_anything_is_made() {
    check_refused(&[&"--plugin", &"No Name"], 2, &["error[PLUGIN_NAME]", "No Name"]);
    check_refused(&[&"--param", &"fast"], 2, &["error[PARAM_FORM]", "fast"]);
    let twice: [&dyn AsRef<OsStr>; 4] = [&"--param", &"fast=1", &"--param", &"fast=2"];
    check_refused(&twice, 2, &["error[PARAM_TWICE]", "fast"]);
    check_refused(&[&"--balance", &"0"], 2, &["error[BALANCE_FORM]"]);
    check_refused(&[&"--balance=-5"], 2, &["error[BALANCE_FORM]", "-5"]);
    let Some((scratch, folder)) = short() else { return };
    let unwritable = |out: PathBuf| {
        let run = replay(&[&folder, &"--out", &out]);
        assert_eq!((run.code, &*run.stdout), (78, ""));
        assert!(run.stderr.starts_with("error[OUT_UNWRITABLE] "), "{}", run.stderr);
        assert!(run.stderr.contains(out.to_str().unwrap()), "{}", run.stderr);
    };
    unwritable(folder.clone());
    unwritable(scratch.path("no/such/place"));
    unwritable(folder.join("a.jsonl/out"));
    assert_eq!(scratch.names(), ["recording"]);
}

#[test]
fn a_policy_that_is_not_understood_refuses_the_run_with_file_and_key() {
    #[track_caller]
    fn check(file: &str, (from, to): (&str, &str), code: &str, key: &str) {
        let scratch = Scratch::new();
        let policies = scratch.path("policies");
        copy_policies(&policies, file, from, to);
        let path = policies.join(file).display().to_string();
        let arguments: [&dyn AsRef<OsStr>; 2] = [&"--policies", &policies];
        check_refused(&arguments, 78, &[&format!("error[{code}] {path}: "), key]);
    }
    let (limits, phases) = ("limits.toml", "phases.toml");
    let unknown = ("open_orders_max = 4", "open_orders_max = 4\nopen_order_max = 4");
    check(limits, unknown, "POLICY_SYNTAX", "open_order_max");
    check(limits, ("price_collar_bps = 100\n", ""), "POLICY_SYNTAX", "price_collar_bps");
    let missing = ("[instruments.BTC-USDT]", "[instruments.BTC-EUR]");
    check(limits, missing, "POLICY_MISSING_LIMITS", "BTC-USDT");
    let missing = ("[strategies.ema-cross]", "[strategies.other]");
    check(limits, missing, "POLICY_MISSING_LIMITS", "strategies.ema-cross");
    check(limits, ("\"0.05\"", "\"-0.05\""), "POLICY_NUMBER", "order_qty_max");
    check(limits, ("\"0.1\"", "\"0.123456789\""), "POLICY_NUMBER", "position_qty_max");
    check(limits, ("\"4000\"", "4000"), "POLICY_SYNTAX", "order_notional_max");
    let zero = ("messages_per_second_max = 10", "messages_per_second_max = 0");
    check(limits, zero, "POLICY_UNFIT", "account.messages_per_second_max");
    let longer = ("window_hours_max = 168", "window_hours_max = 169");
    check(phases, longer, "POLICY_BELOW_FLOOR", "phase 1");
    check(phases, ("[\"operator\"]", "[]"), "POLICY_BELOW_FLOOR", "phase 1");
    check(phases, ("[\"operator\"]", "[\"king\"]"), "POLICY_UNKNOWN_NAME", "king");
    let instrument = "instruments/binance-btc-usdt.toml";
    check(instrument, ("tick = \"0.01\"", "tick = \"0.001\""), "POLICY_NUMBER", "tick");
    check(instrument, ("venue =", "venues ="), "POLICY_SYNTAX", "venues");
}
