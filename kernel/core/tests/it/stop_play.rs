//! Stops that come and go in long random sessions: what holds whatever the seed.

use portcullis_core::Core;
use portcullis_core::entry::decode;
use portcullis_domain::{Phase, PluginId, Side, StopMode, StopScope};
use portcullis_statement::json::{Fields, Value};

use crate::exchange::{Draw, Play};
use crate::replay::check_replay;
use crate::world::{PLUGINS, folded};

const SCOPES: [&str; 6] =
    ["all", "venue", "account", "strategy:alpha", "strategy:beta", "instrument:BTC-USDT"];

/// A session in which people stop and lift at random.
fn played(seed: u64, phase: Phase) -> Play {
    let mut play = Play::new(seed, phase);
    let mut draw = Draw(seed ^ 0x57_09);
    for turn in 0..1_500 {
        play.turn();
        if turn % 40 == 17 {
            let mode = StopMode::ALL[usize::try_from(draw.below(3)).unwrap()];
            let scope = SCOPES[usize::try_from(draw.below(6)).unwrap()];
            // The kill ends a session: it has tests of its own.
            if mode != StopMode::CancelAll || scope != "all" {
                let out = play.world.stop(mode, scope);
                play.follow(out);
            }
        }
        let standing: Vec<u64> = play.world.core.stops().map(|(seq, ..)| seq).collect();
        if turn % 25 == 11 && !standing.is_empty() {
            let seq = standing[usize::try_from(draw.below(64)).unwrap() % standing.len()];
            let out = play.world.lift(play.world.target(seq)).1;
            play.follow(out);
        }
    }
    play
}

/// The strictest stop over a strategy's orders in the one instrument of these sessions.
fn over(core: &Core, plugin: PluginId) -> Option<StopMode> {
    let name = PLUGINS[usize::from(plugin.0)];
    let covers = |scope: &StopScope| match scope {
        StopScope::Strategy(stopped) => stopped.as_str() == name,
        StopScope::All | StopScope::Venue | StopScope::Account | StopScope::Instrument(_) => true,
    };
    core.stops().filter(|(_, stop, _)| covers(&stop.scope)).map(|(_, stop, _)| stop.mode).max()
}

/// Side and plugin of an order on record.
fn asked(body: &Value) -> (Side, PluginId) {
    let mut fields = Fields::new(body).unwrap();
    let mut intent = Fields::new(fields.value("intent").unwrap()).unwrap();
    let side = if intent.text("side").unwrap() == "buy" { Side::Buy } else { Side::Sell };
    let plugin = u16::try_from(intent.uint("plugin").unwrap()).unwrap();
    (side, PluginId(plugin))
}

/// F1, F6, F19: whatever the seed, no order was approved against a stop that stood by the journal:
/// none at all under a cancel-all, and below it only what made the position smaller.
#[test]
fn f19_no_order_is_ever_approved_against_a_standing_stop() {
    let (mut free, mut stopped) = (0, 0);
    for seed in [0x5709_0001, 0x5709_0002, 0x5709_0003] {
        let play = played(seed, Phase::Paper);
        let mut core = Core::new();
        for bytes in play.world.journal() {
            let entry = decode(&bytes).unwrap();
            if entry.kind == "ordered" {
                let (side, plugin) = asked(&entry.body);
                let held = core.account().holding("BTC-USDT").position.0;
                match over(&core, plugin) {
                    None => free += 1,
                    Some(StopMode::CancelAll) => panic!("approved under a cancel-all: {seed:#x}"),
                    Some(StopMode::BlockNew | StopMode::ReduceOnly) => {
                        let reduces = if side == Side::Sell { held > 0 } else { held < 0 };
                        assert!(reduces, "{side:?} while {held} is held: {seed:#x}");
                        stopped += 1;
                    }
                }
            }
            core.fold(&bytes).unwrap();
        }
    }
    assert!(free > 50 && stopped > 0, "{free} {stopped}");
}

#[test]
fn sessions_with_stops_replay_and_fold() {
    let mut clear = 0;
    for (seed, phase) in [(0x5709_0004, Phase::Paper), (0x5709_0005, Phase::Shadow)] {
        let play = played(seed, phase);
        check_replay(&play.world);
        let stops = |core: &Core| {
            let stops = core.stops();
            stops.map(|(seq, stop, entry)| (seq, stop.clone(), entry)).collect::<Vec<_>>()
        };
        assert_eq!(stops(&folded(&play.world.journal())), stops(&play.world.core));
        let kinds = |kind: &str| {
            let journal = play.world.journal();
            journal.iter().filter(|bytes| decode(bytes).unwrap().kind == kind).count()
        };
        assert!(kinds("stopped") > 10 && kinds("stop-lifted") > 5);
        clear += kinds("stop-clear");
    }
    assert!(clear > 0, "no cancel-all was ever confirmed");
}
