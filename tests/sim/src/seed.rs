//! One seed from its beginning to the quiet at its end.

use std::collections::BTreeMap;
use std::fmt;

use portcullis_domain::time::NS_PER_MS;

use crate::approvals::bounds;
use crate::bug::Bug;
use crate::disk::Mishap;
use crate::fault::Counts;
use crate::laws::agree;
use crate::world::World;

/// Rounds of the quiet period. Deadlines, readings and cancels take some of them.
const QUIET_ROUNDS: u32 = 400;
/// Time that each takes.
const QUIET_ROUND_NS: i64 = 250 * NS_PER_MS;

/// Entries that a violation shows.
const STORY_ENTRIES: usize = 2_000;

/// How a seed is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Steps of the scheduler before the quiet period.
    pub steps: u32,
    /// The bug to plant, if any.
    pub bug: Option<Bug>,
    /// The process dies at a disk operation: 0 for none, 1 before the first one has done anything,
    /// 2 after all of the first one, 3 before the second one, and so on.
    pub crash_at: u64,
}

impl Plan {
    /// As every seed is played, unless a test says otherwise.
    pub const USUAL: Self = Self { steps: 2_500, bug: None, crash_at: 0 };
}

/// Entries that say what people did, and what came of it.
const ACTS: [&str; 7] = [
    "intervened",
    "stopped",
    "stop-lifted",
    "unkilled",
    "flatten-ended",
    "finding-confirmed",
    "balance-adjusted",
];

/// What one seed went through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Steps taken, those of the quiet period included.
    pub steps: u64,
    /// Faults that were injected, by kind.
    pub faults: Counts,
    /// Orders that left the house.
    pub orders: usize,
    /// Changes of orders that left.
    pub changes: usize,
    /// Fills at the venue.
    pub fills: usize,
    /// How often people did what, by the kind of the entry that says so.
    pub acts: BTreeMap<&'static str, usize>,
    /// Entries in the journal at the end.
    pub entries: usize,
    /// Starts of the house.
    pub starts: u32,
    /// Appends and syncs.
    pub disk_operations: u64,
    /// Digest over the journal: equal for equal seeds.
    pub digest: String,
}

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Whose run it was.
    pub seed: u64,
    /// How it was played.
    pub plan: Plan,
    /// The step after which it was seen.
    pub step: u64,
    /// Name and particulars.
    pub what: String,
    /// The last entries of the journal, for whoever replays it.
    pub story: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, plan, step, what, story: _ } = self;
        writeln!(f, "seed {seed}, step {step}: {what}")?;
        let crash = if plan.crash_at == 0 { String::new() } else { format!(" {}", plan.crash_at) };
        write!(f, "replay: cargo run --release --package portcullis-sim -- {seed} {}", plan.steps)?;
        write!(f, "{crash}")
    }
}

/// Seeds that failed once. They are played before any other.
pub fn kept_seeds() -> Vec<u64> {
    let lines = include_str!("../seeds.txt").lines();
    let numbers = lines.filter_map(|line| line.split('#').next()?.trim().parse().ok());
    numbers.collect()
}

/// Plays one seed. The first broken invariant ends it.
///
/// # Errors
/// The violation.
pub fn run(seed: u64, plan: Plan) -> Result<Report, Violation> {
    let mut world = World::new(seed, plan.bug);
    if plan.crash_at > 0 {
        let before = !plan.crash_at.is_multiple_of(2);
        let how = if before { Mishap::CrashBefore } else { Mishap::CrashAfter };
        world.platter.borrow_mut().crash_at = Some((plan.crash_at.div_ceil(2), how));
    }
    let mut steps = 0;
    let played = play(&mut world, plan, &mut steps);
    played.map_err(|what| {
        let story = story(&world);
        Violation { seed, plan, step: steps, what, story }
    })?;
    Ok(report(&world, steps))
}

fn story(world: &World) -> Vec<String> {
    let entries = world.house.as_ref().map_or(&[][..], |house| house.life.entries());
    let last = entries.iter().skip(entries.len().saturating_sub(STORY_ENTRIES));
    last.map(|entry| String::from_utf8_lossy(entry).into_owned()).collect()
}

fn play(world: &mut World, plan: Plan, steps: &mut u64) -> Result<(), String> {
    world.start()?;
    for _ in 0..plan.steps {
        *steps += 1;
        world.step()?;
    }
    world.weather.calm_down();
    settle(world, steps)?;
    world.finish()
}

/// Nothing goes wrong any more: everything has to come to rest and agree.
fn settle(world: &mut World, steps: &mut u64) -> Result<(), String> {
    let mut asked = false;
    let mut last = String::new();
    for _ in 0..QUIET_ROUNDS {
        *steps += 1;
        world.pass(QUIET_ROUND_NS);
        if world.house.is_none() {
            world.start()?;
            world.check()?;
            continue;
        }
        world.link_up();
        world.word_on_finding();
        world.drain()?;
        if !asked {
            asked = true;
            world.begin_to_end();
        }
        match world.at_rest() {
            Ok(()) => return Ok(()),
            Err(unrest) => last = unrest,
        }
    }
    Err(format!("I6 no rest after {QUIET_ROUNDS} quiet rounds: {last}"))
}

fn report(world: &World, steps: u64) -> Report {
    let entries = world.house.as_ref().map_or(&[][..], |house| house.life.entries());
    let digest = portcullis_statement::Digest::of(&entries.concat()).hex();
    Report {
        steps,
        faults: world.weather.counts.clone(),
        orders: world.wire.orders(),
        changes: world.wire.changes(),
        fills: world.venue.fills().len(),
        acts: ACTS.into_iter().map(|kind| (kind, count(entries, kind))).collect(),
        entries: entries.len(),
        starts: world.starts,
        disk_operations: world.platter.borrow().operations,
        digest,
    }
}

fn count(entries: &[Vec<u8>], kind: &str) -> usize {
    let kind = format!("\"kind\":\"{kind}\"");
    let says = |entry: &&Vec<u8>| entry.windows(kind.len()).any(|part| part == kind.as_bytes());
    entries.iter().filter(says).count()
}

impl World {
    /// People end the day: an open session is closed. What rests at the venue without a session
    /// is nobody's to take back but the kill switch's.
    fn begin_to_end(&mut self) {
        let session = self.house.as_ref().and_then(|house| house.core.open_session());
        if session.is_some() { self.close() } else { self.kill() }
    }

    /// Moves everything that can move now.
    fn drain(&mut self) -> Result<(), String> {
        for _ in 0..64 {
            let mut moved = false;
            while self.turn()? {
                moved = true;
            }
            for _ in 0..2 {
                self.disk()?;
            }
            for _ in 0..8 {
                self.outbox();
            }
            while self.arrives() || self.heard() {
                moved = true;
            }
            self.account()?;
            self.plugins_silent();
            self.check()?;
            if !moved {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether nothing is on its way, nothing rests, and account and house have been compared.
    fn at_rest(&self) -> Result<(), String> {
        let Some(house) = &self.house else { return Err("no house".to_owned()) };
        if !self.is_quiet() {
            return Err(format!("at the venue or on the way: {:?}", self.venue.open_ids()));
        }
        if let Some(order) = house.core.account().orders.open().next() {
            return Err(format!("{} is {:?} in the house", order.cl_ord_id, order.status));
        }
        if let Some(session) = house.core.open_session() {
            return Err(format!("session {session} is open"));
        }
        match house.core.view().differences {
            Some(differences) if differences.is_empty() => {
                agree(&self.venue, &house.core, &bounds().instrument.symbol)
            }
            other => Err(format!("differences {other:?}")),
        }
    }

    /// The end of a run: the journal tells all of it.
    fn finish(&mut self) -> Result<(), String> {
        let Some(house) = &self.house else { return Err("no house".to_owned()) };
        house.life.replay(&house.core)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_the_same_run_every_time() {
        let plan = Plan { steps: 400, ..Plan::USUAL };
        assert_eq!(run(7, plan), run(7, plan));
    }
}
