//! Phase 5: what is asked for waits for a person's signed word, and one word makes one order.

use portcullis_core::entry::decode;
use portcullis_core::{Input, PersonCommand, PersonOrder, ProposalView};
use portcullis_domain::frame::event_kind;
use portcullis_domain::policy::guards::Guard;
use portcullis_domain::{ClOrdId, ExecType, Phase, Role, Side, StopMode, TimeInForce};
use portcullis_statement::json::Fields;
use portcullis_statement::{Digest, Kind, Release, SignedStatement};

use crate::golden::{check_kinds, golden_file};
use crate::people::{self, ORIGIN, name};
use crate::replay::check_replay;
use crate::witness;
use crate::world::{ALPHA, BETA, Out, SECOND_NS, World, bracketed, buy, cancel, folded};

const TTL_MS: u32 = 10_000;

/// An open session of phase 5 whose guards are all alive, with two people who hold tokens.
fn live() -> World {
    live_with(|_| ())
}

fn live_with(change: impl FnOnce(&mut portcullis_domain::policy::Limits)) -> World {
    let mut world = World::started_for(Phase::ManualLive);
    world.link_up();
    let mut approval = world.draft("s-1", Phase::ManualLive);
    approval.limits.rules.proposal_ttl_ms = TTL_MS;
    approval.limits.rules.price_drift_bps = 50;
    change(&mut approval.limits);
    assert_eq!(world.open_with(&approval).answers(), ["DONE"]);
    beats(&mut world);
    world.ready();
    world
}

fn beats(world: &mut World) {
    // The scribe beats for nobody: it claims.
    for guard in Guard::ALL.into_iter().filter(|guard| *guard != Guard::Scribe) {
        let valid_until = world.now.wall.plus_ns(60 * SECOND_NS);
        world.feed(Input::Beat { guard, valid_until });
    }
    assert_eq!(witness::cosigned(world).answers(), ["DONE"]);
}

/// What alpha buys by its number waits.
fn proposed(world: &mut World, reference: u64) -> ProposalView {
    let out = world.reply(ALPHA, vec![buy(reference, 10_000, 9_990)]);
    assert_eq!(
        (out.submits(), out.reasons("proposed")),
        (vec![], vec!["WAITS_FOR_A_PERSON"]),
        "{:?}",
        out.entries
    );
    world.core.view().proposals.pop().unwrap()
}

/// The release of a proposal as it is shown.
fn of_shown(view: &ProposalView) -> Release {
    let (bid, ask) = view.market.clone().unwrap();
    Release {
        account: name("acct"),
        origin: ORIGIN.to_owned(),
        shown: view.shown.clone(),
        digest: view.shown.digest(),
        bid,
        ask,
    }
}

fn signed_by(world: &mut World, who: &'static str, release: &Release) -> SignedStatement {
    let paper = world.paper(Kind::Release, &[(who, Role::Operator)]);
    paper.sign(Some(world.fingerprint()), &release.to_value())
}

fn release(world: &mut World, view: &ProposalView) -> Out {
    let signed = signed_by(world, "tina", &of_shown(view));
    world.statement(&signed)
}

fn by_hand(side: Side, qty: &str) -> PersonCommand {
    PersonCommand::Submit(PersonOrder {
        symbol: "BTC-USDT".to_owned(),
        side,
        qty: qty.to_owned(),
        price: Some(if side == Side::Buy { "99.9" } else { "100.2" }.to_owned()),
        time_in_force: TimeInForce::Gtc,
        reduce_only: false,
    })
}

fn ended(out: &Out) -> Vec<(String, String)> {
    let ends = out.entries.iter().filter(|entry| entry.kind == "proposal-ended");
    let cause = |body| Fields::new(body).unwrap().text("cause").unwrap().to_owned();
    ends.map(|entry| (entry.reason.clone(), cause(&entry.body))).collect()
}

fn end(code: &str, cause: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), cause.to_owned())]
}

/// One word, one order, under the proposal's own id; on record with whoever gave it.
#[test]
fn a_released_proposal_is_one_order_and_never_two() {
    let mut world = live();
    let view = proposed(&mut world, 1);
    let id = view.shown.proposal;
    let body = world.past.iter().flat_map(|(_, entries)| entries).find_map(|entry| {
        let entry = decode(&entry.bytes).unwrap();
        (entry.kind == "proposed").then_some(entry)
    });
    let body = body.unwrap();
    assert_eq!(body.corr, id.to_string());
    let mut fields = Fields::new(&body.body).unwrap();
    assert_eq!(fields.digest("digest"), Ok(view.shown.digest()));
    assert_eq!(fields.value("shown"), Ok(&view.shown.to_value()));
    assert_eq!(
        (view.shown.asked_by.as_str(), view.shown.qty.as_str()),
        ("plugin alpha", "0.10000")
    );
    // It reserves nothing.
    assert_eq!(world.core.view().orders, []);

    let signed = signed_by(&mut world, "tina", &of_shown(&view));
    let out = world.statement(&signed);
    assert_eq!((out.answers(), out.submits()), (vec!["ORDERED"], vec![id]));
    assert_eq!(out.kinds(), ["statement", "statement-accepted", "ordered", "intervened"]);
    let intent = &world.core.account().orders.get(id).unwrap().intent;
    assert_eq!((intent.origin.plugin(), intent.reference), (Some(ALPHA), 1));
    let entry = out.entry("intervened").unwrap();
    let mut fields = Fields::new(&entry.body).unwrap();
    assert_eq!((fields.text("who"), fields.text("role")), (Ok("tina"), Ok("operator")));
    assert_eq!(
        (fields.text("verb"), entry.corr.as_str()),
        (Ok("proposal-release"), &*id.to_string())
    );
    assert_eq!(world.core.view().proposals, []);

    // The same word again, another word about it, and its number again.
    let again = world.statement(&signed);
    assert_eq!((again.answers(), again.submits()), (vec!["NONCE_BURNED"], vec![]));
    let again = release(&mut world, &view);
    assert_eq!((again.answers(), again.submits()), (vec!["PROPOSAL_RELEASED"], vec![]));
    let again = world.reply(ALPHA, vec![buy(1, 10_000, 9_990)]);
    assert_eq!(again.reasons("denied"), ["DUPLICATE_INTENT"]);
    world.report(id, ExecType::New);
    world.fill(id, "e1", 10_000, 9_990);
    assert_eq!(world.status(id), "filled");
    let again = release(&mut world, &view);
    assert_eq!((again.answers(), again.submits()), (vec!["PROPOSAL_RELEASED"], vec![]));
    check_replay(&world);
}

/// A person's new exposure waits like a plugin's; what makes a position smaller needs the role only.
#[test]
fn a_persons_new_exposure_waits_and_a_reduction_does_not() {
    let mut world = live();
    let out = world.by_hand("olga", by_hand(Side::Buy, "0.1"));
    assert_eq!((out.answers(), out.submits()), (vec!["DONE"], vec![]));
    assert_eq!(out.kinds(), ["person-submit", "proposed", "intervened"]);
    let view = world.core.view().proposals.pop().unwrap();
    assert_eq!(view.shown.asked_by, "person olga");
    // Not a key in a file, be it the operator's who asked.
    let soft = signed_by(&mut world, "olga", &of_shown(&view));
    let out = world.statement(&soft);
    assert_eq!((out.answers(), out.submits()), (vec!["TOUCH_REQUIRED"], vec![]));
    assert_eq!(out.reasons("refused"), ["TOUCH_REQUIRED"]);
    let id = release(&mut world, &view).submits()[0];
    assert!(world.core.account().orders.get(id).unwrap().intent.origin.plugin().is_none());
    world.report(id, ExecType::New);
    world.fill(id, "e1", 10_000, 9_990);
    world.account(&[], &[("USDT", "990.01"), ("BTC", "5.1")]);

    let out = world.by_hand("olga", by_hand(Side::Sell, "0.05"));
    assert_eq!((out.answers(), out.submits().len()), (vec!["ORDERED"], 1));
    let working = out.submits()[0];
    world.report(working, ExecType::New);
    // More of it reaches through zero: new exposure again.
    let out = world.by_hand("olga", by_hand(Side::Sell, "0.0501"));
    assert_eq!((out.answers(), out.submits()), (vec!["DONE"], vec![]));
    // A change that grows is none of the two, and a cancel needs the role only.
    let (cl_ord_id, qty, price) = (working, Some("0.06".to_owned()), None);
    let out = world.by_hand("olga", PersonCommand::Amend { cl_ord_id, qty, price });
    assert_eq!((out.answers(), out.amends()), (vec!["RELEASE_REQUIRED"], vec![]));
    let out = world.by_hand("rita", PersonCommand::Cancel { cl_ord_id: working });
    assert_eq!((out.answers(), out.cancels()), (vec!["DONE"], vec![working]));
    check_replay(&world);
}

/// A18: a word about other values, another proposal or another journal turns nothing into an order.
#[test]
fn a18_what_was_signed_is_what_waits_or_nothing_happens() {
    let mut world = live();
    let view = proposed(&mut world, 1);
    let check = |world: &mut World, change: &dyn Fn(&mut Release), expect: &str| {
        let mut release = of_shown(&view);
        change(&mut release);
        release.digest = release.shown.digest();
        let signed = signed_by(world, "tina", &release);
        let out = world.statement(&signed);
        assert_eq!((out.answers(), out.submits()), (vec![expect], vec![]));
        assert_eq!(out.kinds(), ["statement", "refused"]);
    };
    check(&mut world, &|said| said.shown.qty = "0.2".to_owned(), "PROPOSAL_MISMATCH");
    check(&mut world, &|said| said.shown.price = Some("99.80".to_owned()), "PROPOSAL_MISMATCH");
    check(&mut world, &|said| said.shown.side = Side::Sell, "PROPOSAL_MISMATCH");
    check(&mut world, &|said| said.shown.session = name("s-2"), "PROPOSAL_MISMATCH");
    check(&mut world, &|said| said.origin = "host-1/other".to_owned(), "PROPOSAL_MISMATCH");
    check(&mut world, &|said| said.account = name("other"), "ACCOUNT_MISMATCH");
    check(&mut world, &|said| said.shown.proposal.sequence += 1, "PROPOSAL_UNKNOWN");
    let mut forged = signed_by(&mut world, "tina", &of_shown(&view));
    forged.bytes = String::from_utf8(forged.bytes).unwrap().replace("0.10000", "0.20000").into();
    assert_eq!(world.statement(&forged).answers(), ["STATEMENT_MALFORMED"]);
    // All of it left the proposal as it was.
    assert_eq!(release(&mut world, &view).submits(), [view.shown.proposal]);
    check_replay(&world);
}

/// It ends by its time, with whoever asked being told; a late word changes nothing.
#[test]
fn a_proposal_ends_by_its_time() {
    let mut world = live();
    let view = proposed(&mut world, 1);
    assert_eq!(world.core.next_deadline().map(|at| at <= view.expires), Some(true));
    world.pass(i64::from(TTL_MS) * 1_000_000);
    // Before any tick: the release itself finds that it is too late.
    let late = release(&mut world, &view);
    assert_eq!((late.answers(), late.submits()), (vec!["RELEASE_EXPIRED"], vec![]));
    assert_eq!(ended(&late), end("RELEASE_EXPIRED", "TIME_OVER"));
    let out = release(&mut world, &view);
    assert_eq!(
        (out.answers(), out.kinds()),
        (vec!["RELEASE_EXPIRED"], vec!["statement", "refused"])
    );

    // Whoever asked hears of it.
    let told = world.reply(ALPHA, vec![]).delivered(ALPHA);
    let told = told.iter().filter(|record| record.kind == event_kind::DENIAL);
    assert_eq!(told.map(|record| record.reference).collect::<Vec<_>>(), [1]);

    world.quote(9_990, 10_010);
    world.reply(ALPHA, vec![]);
    let view = proposed(&mut world, 2);
    world.pass(i64::from(TTL_MS) * 1_000_000);
    let out = world.feed(Input::Tick);
    assert_eq!(ended(&out), end("RELEASE_EXPIRED", "TIME_OVER"));
    assert_eq!(release(&mut world, &view).answers(), ["RELEASE_EXPIRED"]);
    check_replay(&world);
}

/// A market that moved away since it was shown releases nothing; whoever looks again can.
#[test]
fn a_proposal_is_not_released_into_another_market() {
    let mut world = live();
    let stale = proposed(&mut world, 1);
    world.quote(10_060, 10_080);
    let out = release(&mut world, &stale);
    assert_eq!((out.answers(), out.submits()), (vec!["PRICE_DRIFT"], vec![]));
    let kinds = ["statement", "statement-accepted", "denied", "intervened"];
    assert_eq!((out.kinds(), out.reasons("intervened")), (kinds.to_vec(), vec!["PRICE_DRIFT"]));
    let denied = out.entry("denied").unwrap();
    let mut body = Fields::new(&denied.body).unwrap();
    assert_eq!((body.text("observed"), body.text("limit")), (Ok("70"), Ok("50")));
    // The limit of 99.90 is inside of the collar again when the market is back.
    world.quote(10_000, 10_020);
    let view = world.core.view().proposals.pop().unwrap();
    assert_eq!(view.market, Some(("100.00".to_owned(), "100.20".to_owned())));
    assert_eq!(release(&mut world, &view).submits(), [view.shown.proposal]);
    check_replay(&world);
}

/// Kill, session end, stop, suspension, and whoever asked or may refuse: each takes it back.
#[test]
fn a_proposal_is_revoked_with_what_it_came_from() {
    let check = |revoke: &dyn Fn(&mut World, &ProposalView) -> Out, cause: &str| {
        let mut world = live();
        let view = proposed(&mut world, 1);
        let out = revoke(&mut world, &view);
        assert_eq!(ended(&out), end("RELEASE_REVOKED", cause));
        let late = release(&mut world, &view);
        let open = world.core.open_session().is_some();
        let expect = if open { "RELEASE_REVOKED" } else { "PROPOSAL_UNKNOWN" };
        assert_eq!((late.answers(), late.submits()), (vec![expect], vec![]), "{cause}");
        assert_eq!(world.core.view().proposals, []);
        check_replay(&world);
    };
    check(&|world, _| world.kill(), "SESSION_CLOSING");
    check(&|world, _| world.close(), "SESSION_CLOSING");
    let failed = |world: &mut World, _: &ProposalView| {
        let (code, cause) = ("PLUGIN_TRAP".to_owned(), "unreachable".to_owned());
        world.feed(Input::PluginFailed { plugin: ALPHA, code, cause })
    };
    check(&failed, "PLUGIN_SUSPENDED");
    check(&|world, _| world.reply(ALPHA, vec![cancel(1)]), "PLUGIN_ASKED");
    let refused = |world: &mut World, view: &ProposalView| {
        world.by_hand("rita", PersonCommand::Cancel { cl_ord_id: view.shown.proposal })
    };
    check(&refused, "PERSON_ASKED");
    check(&|world, _| world.by_hand("rita", PersonCommand::CancelAll), "PERSON_ASKED");
    let stopped =
        |world: &mut World, _: &ProposalView| world.stop(StopMode::CancelAll, "strategy:alpha");
    check(&stopped, "STOP_ACTIVE");
    // Another plugin's end is none of this one's.
    let mut world = live();
    let view = proposed(&mut world, 1);
    let (code, cause) = ("PLUGIN_TRAP".to_owned(), "unreachable".to_owned());
    assert_eq!(ended(&world.feed(Input::PluginFailed { plugin: BETA, code, cause })), []);
    assert_eq!(release(&mut world, &view).answers(), ["ORDERED"]);
}

/// Only so many wait at once, and each that ends makes room.
#[test]
fn only_so_many_proposals_wait() {
    let mut world = live_with(|limits| limits.account.activity.open_proposals_max = 2);
    let first = proposed(&mut world, 1);
    world.by_hand("olga", by_hand(Side::Buy, "0.06"));
    let out = world.reply(ALPHA, vec![buy(2, 9_000, 9_990)]);
    assert_eq!(out.reasons("denied"), ["MAX_OPEN_PROPOSALS"]);
    let out = world.by_hand("olga", by_hand(Side::Buy, "0.07"));
    assert_eq!(out.answers(), ["MAX_OPEN_PROPOSALS"]);
    // Nothing holds a release up but what holds an order up.
    assert_eq!(release(&mut world, &first).answers(), ["ORDERED"]);
    let out = world.reply(ALPHA, vec![buy(3, 8_000, 9_990)]);
    assert_eq!(out.reasons("proposed").len(), 1);
    check_replay(&world);
    // Each strategy has a number of its own.
    let mut world = live_with(|limits| {
        limits.strategies.get_mut(&name("alpha")).unwrap().open_proposals_max = 1;
    });
    proposed(&mut world, 1);
    let out = world.reply(ALPHA, vec![buy(2, 9_000, 9_990)]);
    assert_eq!(out.reasons("denied"), ["MAX_OPEN_PROPOSALS"]);
    assert_eq!(world.reply(BETA, vec![buy(1, 9_000, 9_990)]).reasons("proposed").len(), 1);
}

/// What waited when the kernel went down is revoked by the next start, once, and never revived.
#[test]
fn a_crash_revokes_what_waited() {
    let mut world = live();
    let (first, second) = (proposed(&mut world, 1), proposed(&mut world, 2));
    let signed = signed_by(&mut world, "tina", &of_shown(&first));
    assert_eq!(world.statement(&signed).submits().len(), 1);
    let read = folded(&world.journal());
    assert_eq!(read.view().proposals, []);
    let out = world.restart(false);
    assert_eq!(ended(&out), end("RELEASE_REVOKED", "RESTARTED"));
    assert_eq!(out.entry("proposal-ended").unwrap().corr, second.shown.proposal.to_string());
    assert_eq!(release(&mut world, &second).answers(), ["PROPOSAL_UNKNOWN"]);
    assert_eq!(world.statement(&signed).answers(), ["NONCE_BURNED"]);
    assert_eq!(ended(&world.restart(false)), []);
}

/// Who wrote the plugin is not the one who releases what it asks for.
#[test]
fn an_author_does_not_release_the_orders_of_its_plugin() {
    let mut world = World::started_for(Phase::ManualLive);
    world.link_up();
    let body = people::release("tina", "alpha", Phase::Continuous).to_value();
    let by = [("tina", Role::Author), ("gerd", Role::Governance)];
    let (admitted, _) = world.hand_in(Kind::PluginRelease, &by, &body);
    world.releases.insert("alpha", Digest::of(&admitted.bytes));
    let mut approval = world.draft("s-1", Phase::ManualLive);
    approval.limits.rules.proposal_ttl_ms = TTL_MS;
    assert_eq!(world.open_with(&approval).answers(), ["DONE"]);
    beats(&mut world);
    world.ready();
    let view = proposed(&mut world, 1);
    assert_eq!(release(&mut world, &view).answers(), ["AUTHOR_ALONE"]);
}

/// A bracket is one proposal: its exits come with the entry and are never held.
#[test]
fn a_bracket_is_one_proposal() {
    let mut world = live();
    let out = world.reply(ALPHA, vec![bracketed(buy(1, 10_000, 9_990), 9_950, 10_050)]);
    assert_eq!(out.reasons("proposed").len(), 1);
    let view = world.core.view().proposals.pop().unwrap();
    let shown = (view.shown.stop.as_deref(), view.shown.target.as_deref());
    assert_eq!(shown, (Some("99.50"), Some("100.50")));
    let id: ClOrdId = release(&mut world, &view).submits()[0];
    world.report(id, ExecType::New);
    let out = world.fill(id, "e1", 10_000, 9_990);
    assert_eq!((out.submits().len(), out.reasons("proposed")), (1, vec![]), "{out:?}");
}

/// The bytes of what is recorded about proposals; the other kinds are in `golden.rs`.
#[test]
fn entries_about_proposals_are_written_as_they_ever_were() {
    let mut world = live();
    let first = proposed(&mut world, 1);
    release(&mut world, &first);
    proposed(&mut world, 2);
    world.kill();
    let file = "releases.jsonl";
    check_kinds(&world.journal(), &["proposed", "proposal-ended", "intervened"], file);
    // An entry about a proposal without its id is refused in recovery, never skipped.
    for line in golden_file(file).lines().take(2) {
        let damaged = line.replace("\"corr\":\"pc", "\"corr\":\"xx");
        assert!(portcullis_core::Core::new().fold(damaged.as_bytes()).is_err(), "{damaged}");
        assert!(portcullis_core::Core::new().fold(line.as_bytes()).is_ok(), "{line}");
    }
}
