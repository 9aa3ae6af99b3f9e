//! The campaigns: kept seeds and fresh ones, a crash at every operation of the disk, and bugs
//! planted into the harness, each of which has to be found.

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use portcullis_sim::{Bug, Counts, Fault, Plan, Report, Violation, kept_seeds, run};

    /// Fresh seeds of a campaign. They are the same in every run: a new one is found by a long one.
    const SEEDS: u64 = 240;
    /// Seeds within which a planted bug has to be found.
    const BUG_SEEDS: u64 = 300;

    #[derive(Debug, Default)]
    struct Sum {
        seeds: u64,
        steps: u64,
        orders: usize,
        changes: usize,
        fills: usize,
        starts: u64,
        acts: BTreeMap<&'static str, usize>,
        faults: Counts,
    }

    impl Sum {
        fn add(&mut self, report: &Report) {
            self.seeds += 1;
            self.steps += report.steps;
            self.orders += report.orders;
            self.changes += report.changes;
            self.fills += report.fills;
            self.starts += u64::from(report.starts);
            for (act, count) in &report.acts {
                *self.acts.entry(act).or_insert(0) += count;
            }
            for (fault, count) in &report.faults {
                *self.faults.entry(*fault).or_insert(0) += count;
            }
        }

        fn print(&self, name: &str) {
            let Self { seeds, steps, orders, changes, fills, starts, acts, faults } = self;
            let injected: u64 = faults.values().sum();
            println!(
                "{name}: {seeds} seeds, {steps} steps, {orders} orders, {changes} changes, \
                 {fills} fills, {starts} starts, {injected} faults"
            );
            println!("  {acts:?}");
            for (fault, count) in faults {
                println!("  {count:>7} {fault:?}");
            }
        }
    }

    fn played(seed: u64, plan: Plan) -> Report {
        run(seed, plan).unwrap_or_else(|violation| panic!("\n{violation}\n"))
    }

    #[test]
    fn no_history_breaks_an_invariant() {
        let mut sum = Sum::default();
        for seed in kept_seeds().into_iter().chain(1..=SEEDS) {
            sum.add(&played(seed, Plan::USUAL));
        }
        sum.print("campaign");
        for fault in Fault::ALL {
            let count = sum.faults.get(&fault).copied().unwrap_or(0);
            assert!(count > 0, "{fault:?} was never injected");
        }
        for (act, count) in &sum.acts {
            assert!(*count > 10, "{act}: {count}");
        }
        assert!(
            sum.orders > 2_000 && sum.changes > 50 && sum.fills > 2_000,
            "the seeds hardly trade"
        );
    }

    /// The process dies at the k-th operation of the disk, for every k of the run.
    #[test]
    fn a_crash_at_every_journal_write_breaks_no_invariant() {
        const CRASHES_MAX: u64 = 200;
        let mut sum = Sum::default();
        for seed in [9, 21, 32] {
            let plan = Plan { steps: 600, ..Plan::USUAL };
            let whole = played(seed, plan);
            // Each operation is interrupted before it has done anything, or after all of it.
            for crash_at in 1..=(2 * whole.disk_operations).min(CRASHES_MAX) {
                sum.add(&played(seed, Plan { crash_at, ..plan }));
            }
        }
        sum.print("crash at every write");
        assert!(sum.seeds > 50 && sum.starts > sum.seeds);
    }

    #[test]
    fn every_planted_bug_is_found() {
        for bug in Bug::ALL {
            let plan = Plan { bug: Some(bug), ..Plan::USUAL };
            let found = (1..=BUG_SEEDS).find_map(|seed| run(seed, plan).err());
            let Some(Violation { seed, what, .. }) = found else {
                panic!("{bug:?} was not found within {BUG_SEEDS} seeds");
            };
            println!("{bug:?}: seed {seed}: {}", what.chars().take(90).collect::<String>());
            let expected = expected(bug);
            assert!(expected.iter().any(|name| what.starts_with(name)), "{bug:?} found as {what}");
        }
    }

    /// Which invariants a planted bug may break first.
    fn expected(bug: Bug) -> &'static [&'static str] {
        match bug {
            Bug::DurableTooSoon => &["I1"],
            Bug::ResendsUnknown => &["I2"],
            // The venue takes the second order of an id for the first one come twice.
            Bug::ReusesIds => &["I2", "I6"],
            Bug::IgnoresEpoch | Bug::CrashCalledClean => &["I4"],
            Bug::BooksTwice | Bug::DropsFill => &["I6"],
            Bug::ForgetsReservation => &["I3", "I6"],
            Bug::DropsCancels => &["I5"],
            Bug::LosesSynced => &["I10"],
            Bug::FaultSpreads => &["I12"],
            Bug::HandPastGate => &["I1"],
            Bug::ForgetsStop => &["I4"],
            // The venue fills more than was ordered.
            Bug::SliceTooLarge => &["I4", "I6"],
            Bug::MisreadsDeposit => &["I6"],
            Bug::SnapshotForgets => &["I7"],
        }
    }

    #[test]
    fn a_violation_prints_one_command_that_replays_it() {
        let plan = Plan { bug: Some(Bug::DurableTooSoon), ..Plan::USUAL };
        let text = (1..=BUG_SEEDS).find_map(|seed| run(seed, plan).err()).unwrap().to_string();
        assert_eq!(text.matches("replay: cargo run").count(), 1, "{text}");
    }
}
