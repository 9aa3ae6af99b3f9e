//! What a person's word does to a proposal, and everything that it does not do.

use portcullis_domain::{
    BootNs, Bracket, Instrument, InstrumentId, Origin, Phase, Position, Role, Side, WallNs,
};
use portcullis_gate::{Denial, Gate, Proposal, Verdict};
use portcullis_statement::{Digest, EndpointKind, Kind, Release, ShownProposal, Trust, Verified};

use crate::fixture::{Case, House};
use crate::people::{self, NOW, ORIGIN, Paper, floors, name, px, qty};

const ASKER: &str = "plugin ema-cross";

/// A proposal, what is signed about it, and the world in which it is released.
struct Scene {
    gate: Gate,
    proposal: Box<Proposal>,
    word: Release,
    asker: &'static str,
    expires: WallNs,
    case: Case,
    trust: Trust,
}

impl Scene {
    fn new(change: impl Fn(&mut Case)) -> Self {
        let mut case = Case::new(Phase::ManualLive);
        case.all_limits().rules.proposal_ttl_ms = 60_000;
        change(&mut case);
        let gate = case.house.open().unwrap();
        let Verdict::Propose(proposal) = case.ask(&gate) else { panic!("{}", case.answer()) };
        let shown = gate.shown(&proposal, ASKER).unwrap();
        // By now its number is taken.
        case.at.reference_used = true;
        let signed = people::genesis_for(Phase::ManualLive, EndpointKind::Simulated);
        let trust = Trust::genesis(&signed, Digest::of(&signed.bytes), NOW).unwrap();
        let expires = NOW.plus_ns(people::HOUR_NS);
        Self { gate, proposal, word: word(shown), asker: ASKER, expires, case, trust }
    }

    fn verified(&self, nonce: u64) -> Verified<Release> {
        let mut paper = Paper::new(Kind::Release, nonce, &[("tina", Role::Operator)]);
        paper.expires = self.expires;
        let signed = paper.sign(Some(self.trust.fingerprint()), &self.word.to_value());
        self.trust.verify(&signed, &floors(), NOW).unwrap().into_release().unwrap()
    }

    /// Why not, if not.
    fn released(self) -> Option<Denial> {
        let word = self.verified(50);
        let (intent, id) = (self.proposal.intent().clone(), self.proposal.cl_ord_id());
        match self.gate.release(self.proposal, self.asker, word, &self.case.at) {
            Ok(order) => {
                assert_eq!((order.item(), order.cl_ord_id()), (&intent, id));
                None
            }
            Err(kept) => {
                // Whatever is said no to waits on, as it was.
                assert_eq!((kept.proposal.intent(), kept.proposal.cl_ord_id()), (&intent, id));
                Some(kept.denial)
            }
        }
    }
}

fn word(shown: ShownProposal) -> Release {
    Release {
        account: name("acct"),
        origin: ORIGIN.to_owned(),
        digest: shown.digest(),
        shown,
        bid: "99.90".to_owned(),
        ask: "100.10".to_owned(),
    }
}

/// Alters one thing of a release that leads to an order.
#[track_caller]
fn check(change: impl FnOnce(&mut Scene), expect: &str) {
    let mut scene = Scene::new(|_| ());
    change(&mut scene);
    let said = scene.released().map_or("ORDER", |denial| denial.code.code());
    assert_eq!(said, expect);
}

/// Says something else than what is shown, under a digest that fits it.
fn says(change: impl FnOnce(&mut ShownProposal)) -> impl FnOnce(&mut Scene) {
    move |scene| {
        change(&mut scene.word.shown);
        scene.word.digest = scene.word.shown.digest();
    }
}

#[test]
fn a_release_turns_a_proposal_into_its_order() {
    check(|_| (), "ORDER");
    let by_hand = Scene::new(|case| case.intent.origin = Origin::Person);
    assert_eq!(by_hand.released(), None);
    let bracket = Bracket { stop_px: Some(px(9_900)), target_px: Some(px(10_200)) };
    let scene = Scene::new(|case| case.intent.bracket = Some(bracket));
    let shown = &scene.word.shown;
    assert_eq!((shown.stop.as_deref(), shown.target.as_deref()), (Some("99.00"), Some("102.00")));
    assert_eq!((shown.qty.as_str(), shown.price.as_deref()), ("0.10000", Some("100.00")));
    assert_eq!(scene.released(), None);
}

/// A18: what was signed is what leaves, or nothing leaves.
#[test]
fn a18_a_word_about_something_else_is_none() {
    const NO: &str = "RELEASE_REVOKED";
    check(says(|shown| shown.qty = "0.2".to_owned()), NO);
    check(says(|shown| shown.side = Side::Sell), NO);
    check(says(|shown| shown.proposal.sequence += 1), NO);
    check(says(|shown| shown.session = name("s-2")), NO);
    check(says(|shown| shown.asked_by = "person olga".to_owned()), NO);
    check(|scene| scene.asker = "plugin other", NO);
    check(|scene| scene.word.origin = "host-1/other".to_owned(), NO);
    check(|scene| scene.word.bid = "99.901".to_owned(), NO);
    check(|scene| scene.word.ask = "100.101".to_owned(), NO);
    // Another session's gate, and another genesis.
    check(
        |scene| {
            let mut house = House::new(Phase::ManualLive, EndpointKind::Simulated, "ada");
            house.approval.session = name("s-2");
            scene.gate = house.open().unwrap();
        },
        NO,
    );
    check(
        |scene| {
            let signed = people::genesis_for(Phase::ManualLive, EndpointKind::Sandbox);
            scene.trust = Trust::genesis(&signed, Digest::of(&signed.bytes), NOW).unwrap();
        },
        NO,
    );
}

#[test]
fn a_proposal_in_an_instrument_that_the_gate_does_not_know_is_neither_shown_nor_released() {
    let mut scene = Scene::new(|case| {
        let approval = &mut case.house.approval;
        let second = Instrument {
            id: InstrumentId(1),
            symbol: "ETH-USDT".to_owned(),
            venue_symbol: "ETHUSDT".to_owned(),
            ..approval.instruments[0].clone()
        };
        approval.instruments.push(second);
        approval.sources.push("elsewhere".to_owned());
        let same = approval.limits.instruments[&InstrumentId(0)].clone();
        approval.limits.instruments.insert(InstrumentId(1), same);
        case.intent.instrument = InstrumentId(1);
    });
    scene.gate = House::new(Phase::ManualLive, EndpointKind::Simulated, "ada").open().unwrap();
    assert_eq!(scene.gate.shown(&scene.proposal, ASKER), None);
    assert_eq!(scene.released().map(|denial| denial.code.code()), Some("RELEASE_REVOKED"));
}

/// Either clock ends a proposal, and the signed word has an end of its own.
#[test]
fn a_release_that_comes_too_late_is_none() {
    let expires = Scene::new(|_| ()).proposal.expires();
    check(|scene| scene.case.at.now.wall = WallNs(expires.wall.0 - 1), "ORDER");
    check(|scene| scene.case.at.now.wall = expires.wall, "RELEASE_EXPIRED");
    let quoted = |scene: &mut Scene, boot: BootNs| {
        scene.case.at.now.boot = boot;
        scene.case.quote().received = boot;
        scene.case.balance().read = boot;
    };
    check(|scene| quoted(scene, BootNs(expires.boot.0 - 1)), "ORDER");
    check(|scene| quoted(scene, expires.boot), "RELEASE_EXPIRED");
    check(|scene| scene.expires = scene.case.at.now.wall, "RELEASE_EXPIRED");
}

/// The market may have moved by `price_drift_bps` since it was shown, either way, and no further.
#[test]
fn a_market_that_moved_away_releases_nothing() {
    let quote = |bid: i64, ask: i64| {
        move |scene: &mut Scene| {
            (scene.case.quote().bid, scene.case.quote().ask) = (px(bid), px(ask));
        }
    };
    let max = i64::from(Case::new(Phase::ManualLive).all_limits().rules.price_drift_bps);
    let shift = max; // Basis points of 100.00, in hundredths.
    let mut scene = Scene::new(|_| ());
    quote(9_990 + shift, 10_010 + shift + 1)(&mut scene);
    let denial = scene.released().unwrap();
    assert_eq!(denial.code.code(), "PRICE_DRIFT");
    assert_eq!(denial.limit.unwrap().text(), max.to_string());
    check(quote(9_990 - shift, 10_010 - shift - 1), "PRICE_DRIFT");
    check(quote(9_990 + 10, 10_010 + 10), "ORDER");
    check(|scene| scene.case.at.quote = None, "NO_REFERENCE_PRICE");
    // What counts is the market that was shown, not the one in which it was proposed.
    let shown = |scene: &mut Scene| {
        (scene.word.bid, scene.word.ask) = ("50".to_owned(), "51".to_owned());
    };
    check(shown, "PRICE_DRIFT");
}

/// Every check holds again, as the world stands at the release.
#[test]
fn a_release_is_assessed_anew() {
    check(|scene| scene.case.at.killed = true, "KILL_ACTIVE");
    check(|scene| scene.case.at.closing = true, "OUTSIDE_SESSION_WINDOW");
    check(|scene| scene.case.quote().received.0 = 0, "STALE_MARKET_DATA");
    check(|scene| scene.case.balance().quote = people::money("1"), "INSUFFICIENT_BALANCE");
    check(|scene| scene.case.at.reconciled = false, "RECON_UNRESOLVED");
    check(|scene| scene.case.at.strategy = None, "APPROVAL_MISSING");
    check(|scene| scene.case.at.guards.presence = portcullis_gate::GuardState::Missing, {
        "PRESENCE_LAPSED"
    });
    // Whatever else waits does not hold it up, and its own number is its own.
    check(|scene| scene.case.at.whole.proposals = 1_000, "ORDER");
    check(|scene| scene.case.strategy().proposals = 1_000, "ORDER");
}

/// A plugin's reduction that does not say so is proposed, and released with a market only.
#[test]
fn a_proposed_reduction_is_released_like_everything_else() {
    let exit = |case: &mut Case| {
        case.intent.side = Side::Sell;
        case.at.position = Some(Position(50_000));
        case.intent.qty = qty(10_000);
    };
    assert_eq!(Scene::new(exit).released(), None);
    let mut blind = Scene::new(exit);
    blind.case.at.quote = None;
    assert_eq!(blind.released().unwrap().code.code(), "NO_REFERENCE_PRICE");
}
