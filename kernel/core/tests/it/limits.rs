//! Limits across sessions: tightened by anyone at once, loosened by two people and only from the
//! next session on.

use portcullis_core::entry::{Decoded, decode};
use portcullis_core::{Answer, Effect, EpochCause, Input};
use portcullis_domain::policy::{Conversion, Limits};
use portcullis_domain::{InstrumentId, Phase, Rate, Role};
use portcullis_statement::json::Value;
use portcullis_statement::{Digest, Kind, LimitsChange, SessionApproval, limits_value};

use crate::people::{self, instrument, money, name};
use crate::world::{ALPHA, BETA, Out, PLUGINS, World, buy, folded, sell};

const TWO: [(&str, Role); 2] = [("gerd", Role::Governance), ("olga", Role::Operator)];

pub(crate) fn strict() -> Limits {
    people::narrow_limits(&PLUGINS)
}

/// The same with twice as many open orders.
fn loose() -> Limits {
    let mut limits = strict();
    limits.account.activity.open_orders_max = 20;
    limits
}

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

/// Files `strict` and `loose` by name.
fn file(which: &str) -> (Digest, Limits) {
    (digest(which), if which == "loose" { loose() } else { strict() })
}

fn approval(world: &mut World, session: &str, which: &str) -> SessionApproval {
    let mut approval = world.draft(session, Phase::Paper);
    (approval.limits_digest, approval.limits) = file(which);
    approval
}

/// Opens a session under that file and closes it again; the answers to the opening.
fn visit(world: &mut World, session: &str, which: &str) -> Vec<String> {
    let approval = approval(world, session, which);
    let out = world.open_with(&approval);
    let answers: Vec<String> = out.answers().iter().map(|text| (*text).to_owned()).collect();
    world.close();
    answers
}

fn change(from: &str, to: &str) -> LimitsChange {
    let ((before, before_limits), (after, after_limits)) = (file(from), file(to));
    LimitsChange {
        account: name("acct"),
        before,
        before_limits,
        after,
        after_limits,
        instruments: vec![instrument()],
        sources: vec!["test".to_owned()],
    }
}

fn ready() -> World {
    let mut world = World::started();
    world.link_up();
    world
}

pub(crate) fn tighten(world: &mut World, limits: &Limits) -> Out {
    let request = world.next_request();
    let limits = limits_value(limits, &[instrument()]);
    world.feed(Input::Tighten { request, who: name("rita"), limits })
}

fn refusal(out: &Out) -> (String, String) {
    let refused = |effect: &Effect| match effect {
        Effect::Answer { answer: Answer::Refused { code, cause }, .. } => {
            Some((code.clone(), cause.clone()))
        }
        _ => None,
    };
    out.effects.iter().find_map(refused).expect("a refusal")
}

#[test]
fn a_session_opens_under_the_limits_in_force_or_stricter_ones() {
    let mut world = ready();
    assert_eq!(visit(&mut world, "s-1", "loose"), ["DONE"]);
    assert_eq!(visit(&mut world, "s-2", "loose"), ["DONE"]);
    assert_eq!(visit(&mut world, "s-3", "strict"), ["DONE"]);
    assert_eq!(visit(&mut world, "s-4", "loose"), ["LIMITS_LOOSENED"]);
    assert_eq!(world.core.limits_in_force(), Some(digest("strict")));
    // The cause names the key, so that people know what they would have to sign.
    let approval = approval(&mut world, "s-5", "loose");
    let out = world.open_with(&approval);
    let (_, cause) = refusal(&out);
    assert!(cause.starts_with("account.open_orders_max is looser"), "{cause}");
}

#[test]
fn b4_the_same_digest_with_other_values_is_refused() {
    let mut world = ready();
    assert_eq!(visit(&mut world, "s-1", "strict"), ["DONE"]);
    let mut lie = approval(&mut world, "s-2", "strict");
    lie.limits = loose();
    let out = world.open_with(&lie);
    assert_eq!(out.answers(), ["LIMITS_LOOSENED"]);
    // What the first session did not speak of cannot contradict it.
    let mut alone = approval(&mut world, "s-3", "strict");
    alone.plugins.truncate(1);
    alone.limits.strategies.retain(|strategy, _| strategy.as_str() == PLUGINS[0]);
    let paper = world.paper(Kind::SessionApproval, &people::signers(Phase::Paper));
    let signed = paper.sign(Some(world.fingerprint()), &alone.to_value());
    assert_eq!(world.open_signed(signed, &PLUGINS[..1]).answers(), ["DONE"]);
}

#[test]
fn b1_a_change_loosens_once_and_never_again_after_the_state_came_back() {
    let mut world = ready();
    assert_eq!(visit(&mut world, "s-1", "strict"), ["DONE"]);
    let body = change("strict", "loose").to_value();
    let (signed, out) = world.hand_in(Kind::LimitsChange, &TWO, &body);
    assert_eq!(out.answers(), ["DONE"]);
    assert_eq!(visit(&mut world, "s-2", "loose"), ["DONE"]);
    assert_eq!(visit(&mut world, "s-3", "strict"), ["DONE"], "tightened to A by a session");
    assert_eq!(world.statement(&signed).answers(), ["NONCE_BURNED"], "the replay of A to B");
    assert_eq!(visit(&mut world, "s-4", "loose"), ["LIMITS_LOOSENED"]);
    // After a restart it is still so.
    world.restart(true);
    world.link_up();
    assert_eq!(world.core.limits_in_force(), Some(digest("strict")));
    assert_eq!(world.statement(&signed).answers(), ["NONCE_BURNED"]);
    assert_eq!(visit(&mut world, "s-5", "loose"), ["LIMITS_LOOSENED"]);
    // A new one, signed anew, is another matter.
    let (_, out) = world.hand_in(Kind::LimitsChange, &TWO, &body);
    assert_eq!(out.answers(), ["DONE"]);
    assert_eq!(visit(&mut world, "s-6", "loose"), ["DONE"]);
}

#[test]
fn a_change_begins_with_what_is_in_force() {
    let mut world = ready();
    let body = change("strict", "loose").to_value();
    let (_, out) = world.hand_in(Kind::LimitsChange, &TWO, &body);
    assert_eq!(out.answers(), ["LIMITS_NOT_IN_FORCE"], "nothing is in force yet");
    visit(&mut world, "s-1", "loose");
    let (_, out) = world.hand_in(Kind::LimitsChange, &TWO, &body);
    assert_eq!(out.answers(), ["LIMITS_NOT_IN_FORCE"], "another file");
    let mut lie = change("strict", "loose");
    (lie.before, lie.after) = (digest("loose"), digest("new"));
    let (_, out) = world.hand_in(Kind::LimitsChange, &TWO, &lie.to_value());
    assert_eq!(out.answers(), ["LIMITS_NOT_IN_FORCE"], "the file, but not what it says");
}

#[test]
fn a_change_counts_from_the_next_session_on() {
    let mut world = ready();
    let strict = approval(&mut world, "s-1", "strict");
    world.open_with(&strict);
    world.ready();
    let body = change("strict", "loose").to_value();
    let (_, out) = world.hand_in(Kind::LimitsChange, &TWO, &body);
    assert_eq!(out.answers(), ["DONE"]);
    let orders = (1..=11).map(|n| buy(n, 6_000, 9_980)).collect();
    let out = world.reply(ALPHA, orders);
    assert_eq!((out.submits().len(), out.reasons("denied")), (10, vec!["MAX_OPEN_ORDERS"]));
}

#[test]
fn a1_a_tightening_holds_at_once_and_withdraws_authority() {
    let mut world = World::open(Phase::Paper);
    let mut limits = strict();
    limits.account.activity.open_orders_max = 1;
    limits.instruments.get_mut(&InstrumentId(0)).unwrap().cooldown_ms = 5_000;
    let out = tighten(&mut world, &limits);
    assert_eq!(out.answers(), ["DONE"]);
    let entry = out.entry("tightened").unwrap();
    let body = String::from_utf8(entry.body.canonical()).unwrap();
    assert!(body.contains("account.open_orders_max 10 -> 1"), "{body}");
    assert!(body.contains("instruments.BTC-USDT.cooldown_ms 0 -> 5000"), "{body}");
    assert!(body.contains(r#""count":2"#) && body.contains(r#""who":"rita""#), "{body}");
    let raised = |effect: &Effect| matches!(effect, Effect::RaiseEpoch(EpochCause::Tightened));
    assert!(out.has(raised));
    let out = world.reply(ALPHA, vec![buy(1, 6_000, 9_980), buy(2, 6_100, 9_980)]);
    assert_eq!((out.submits().len(), out.reasons("denied")), (1, vec!["MAX_OPEN_ORDERS"]));
}

#[test]
fn a24_a_tightening_that_loosens_one_key_is_refused_and_changes_nothing() {
    let mut world = World::open(Phase::Paper);
    let mut mixed = strict();
    mixed.account.activity.open_orders_max = 1;
    mixed.instruments.get_mut(&InstrumentId(0)).unwrap().order_qty_max = people::qty(100_001);
    let out = tighten(&mut world, &mixed);
    let (code, cause) = refusal(&out);
    assert_eq!(code, "LIMITS_LOOSENED");
    assert!(cause.starts_with("instruments.BTC-USDT.order_qty_max"), "{cause}");
    assert!(out.entry("tightened").is_none());
    assert_eq!(world.core.limits_in_force(), Some(Digest::of(b"limits")));
    let out = world.reply(BETA, vec![buy(1, 6_000, 9_980), buy(2, 6_100, 9_980)]);
    assert_eq!(out.submits().len(), 2);
    let out = tighten(&mut world, &strict());
    assert_eq!(out.answers(), ["LIMITS_SAME"]);
}

#[test]
fn what_was_tightened_stays_so_until_two_people_say_otherwise() {
    let mut world = World::open(Phase::Paper);
    let mut limits = strict();
    limits.account.activity.open_orders_max = 1;
    tighten(&mut world, &limits);
    world.close();
    let held = world.core.limits_in_force().unwrap();
    assert_ne!(held, Digest::of(b"limits"));
    let again = world.draft("s-2", Phase::Paper);
    assert_eq!(world.open_with(&again).answers(), ["LIMITS_LOOSENED"]);
    // Also for whoever reads the journal.
    assert_eq!(folded(&world.journal()).limits_in_force(), Some(held));
    let mut back = change("strict", "strict");
    (back.before, back.before_limits) = (held, limits);
    back.after = Digest::of(b"limits");
    let (_, out) = world.hand_in(Kind::LimitsChange, &TWO, &back.to_value());
    assert_eq!(out.answers(), ["DONE"]);
    let again = world.draft("s-3", Phase::Paper);
    assert_eq!(world.open_with(&again).answers(), ["DONE"]);
}

#[test]
fn a_tightening_needs_a_session_and_limits() {
    let mut world = ready();
    assert_eq!(tighten(&mut world, &strict()).answers(), ["NO_SESSION"]);
    let mut world = World::open(Phase::Paper);
    let request = world.next_request();
    let out = world.feed(Input::Tighten { request, who: name("rita"), limits: "x".into() });
    assert_eq!(out.answers(), ["LIMITS_MALFORMED"]);
    // Other instruments and strategies of the same file are left aside.
    let mut limits = strict();
    limits.account.activity.open_orders_max = 1;
    let other = limits.account.activity.clone();
    limits.strategies.insert(name("gamma"), other);
    assert_eq!(tighten(&mut world, &limits).answers(), ["DONE"]);
}

#[test]
fn a20_an_account_that_is_worth_more_than_approved_opens_nothing() {
    let mut world = ready();
    let mut approval = world.draft("s-1", Phase::Paper);
    approval.equity_max = money("999.99");
    let out = world.open_with(&approval);
    assert_eq!(out.answers(), ["EQUITY_ABOVE_CAP"]);
    let mut approval = world.draft("s-2", Phase::Paper);
    approval.equity_max = money("1000");
    assert_eq!(world.open_with(&approval).answers(), ["DONE"]);
    world.close();
    let mut approval = world.draft("s-3", Phase::Shadow);
    approval.equity_max = money("1");
    assert_eq!(world.open_with(&approval).answers(), ["EQUITY_ABOVE_CAP"]);
}

fn profit_of(entry: &Decoded) -> String {
    let Value::Object(fields) = &entry.body else { panic!("{:?}", entry.body) };
    let Value::Text(profit) = &fields["profit"] else { panic!("{fields:?}") };
    profit.clone()
}

/// Earned in one session and standing beside the next one, which trades something else: the same
/// amount, and in a foreign currency less the haircut, never more.
#[test]
fn what_was_earned_beside_a_session_does_not_grow_by_the_haircut() {
    let mut world = ready();
    let at_two = Conversion { rate: Rate(200_000_000), as_of: people::NOW };
    let in_dollars = |approval: &mut SessionApproval| {
        approval.limits.currency = "USD".to_owned();
        approval.limits.conversions = [("USDT".to_owned(), at_two)].into();
        approval.limits.rules.conversion_haircut_bps = 100;
    };
    let mut first = world.draft("s-1", Phase::Paper);
    in_dollars(&mut first);
    assert_eq!(world.open_with(&first).answers(), ["DONE"]);
    world.ready();
    world.hold(10_000);
    let sold = world.reply(ALPHA, vec![sell(2, 10_000, 10_000)]).submits()[0];
    world.fill(sold, "better", 10_000, 10_100);
    world.close();
    let mut second = world.draft("s-2", Phase::Paper);
    in_dollars(&mut second);
    let other = &mut second.instruments[0];
    (other.symbol, other.base) = ("ETH-USDT".to_owned(), "ETH".to_owned());
    assert_eq!(world.open_with(&second).answers(), ["DONE"]);
    world.close();
    let journal = world.journal();
    let stood = journal.iter().map(|bytes| decode(bytes).unwrap());
    let stood = stood.filter(|entry| entry.kind == "reckoned");
    let profits: Vec<String> = stood.map(|entry| profit_of(&entry)).collect();
    // A tenth of a coin, a dollar better, at two a piece, less one percent: and not once more.
    assert_eq!(profits, ["0", "0.198"]);
}

/// A fill is known by the position that it found: only what makes it smaller starts the pause.
#[test]
fn a_reduction_starts_the_pause_of_its_instrument_and_an_entry_does_not() {
    let mut world = ready();
    let mut approval = world.draft("s-1", Phase::Paper);
    approval.limits.instruments.get_mut(&InstrumentId(0)).unwrap().cooldown_ms = 5_000;
    assert_eq!(world.open_with(&approval).answers(), ["DONE"]);
    world.ready();
    for (record, exec) in [(buy(1, 10_000, 10_000), "in"), (sell(2, 5_000, 10_000), "out")] {
        let id = world.reply(ALPHA, vec![record]).submits()[0];
        world.fill(id, exec, if exec == "in" { 10_000 } else { 5_000 }, 10_000);
    }
    let out = world.reply(ALPHA, vec![buy(3, 10_000, 10_000)]);
    assert_eq!(out.reasons("denied"), ["COOLDOWN"]);
}
