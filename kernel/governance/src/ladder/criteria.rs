//! What each step up the ladder asks for: the runbook's own numbers.

use portcullis_domain::Phase;

/// What a number must reach or may not exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// At least this many.
    AtLeast(i64),
    /// At most this many.
    AtMost(i64),
}

impl Bound {
    /// Whether that number is within the bound.
    #[must_use]
    pub const fn holds(self, number: i64) -> bool {
        match self {
            Self::AtLeast(least) => number >= least,
            Self::AtMost(most) => number <= most,
        }
    }

    /// The same bound with another number, if that is at least as strict.
    #[must_use]
    pub const fn tightened(self, number: i64) -> Option<Self> {
        match self {
            Self::AtLeast(least) if number >= least => Some(Self::AtLeast(number)),
            Self::AtMost(most) if number <= most => Some(Self::AtMost(number)),
            Self::AtLeast(_) | Self::AtMost(_) => None,
        }
    }
}

/// In what a criterion is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Whole days for which sessions of that phase were open, all together.
    DaysOpen(Phase),
    /// Sessions of those phases that succeeded.
    Successes(&'static [Phase]),
    /// Distinct UTC days with such a session.
    Days(&'static [Phase]),
    /// Sessions of those phases that ended without being reconciled or sealed.
    Unreconciled(&'static [Phase]),
    /// Ended sessions of those phases with a critical incident.
    Critical(&'static [Phase]),
    /// Orders that the venue did not reject, in hundredths of a percent, in those phases.
    NotRejectedBps(&'static [Phase]),
    /// Filled orders among the others, in hundredths of a percent, in those phases.
    FilledBps(&'static [Phase]),
    /// Milliseconds from approval to the wire, the worst session's 95th percentile.
    ToWireMs(&'static [Phase]),
    /// Milliseconds from the wire to the venue's answer, likewise.
    ToAnswerMs(&'static [Phase]),
    /// Milliseconds of both together.
    RoundTripMs(&'static [Phase]),
    /// Kills that people pulled, each ended with no order open.
    KillsTested,
    /// Nothing measures it yet; the text says what has to come.
    NotAvailable(&'static str),
}

/// One thing that has to be true before a session of a phase.
#[derive(Clone, Copy, Debug)]
pub struct Criterion {
    /// The runbook's name for it.
    pub id: &'static str,
    /// The phase that it gates.
    pub entry_to: Phase,
    /// In words.
    pub says: &'static str,
    /// The runbook's number; a policy may be stricter.
    pub bound: Bound,
    /// Where the number comes from.
    pub measure: Measure,
}

const PAPER: &[Phase] = &[Phase::Paper, Phase::BoundedAuto];
const BY_HAND: &[Phase] = &[Phase::ManualLive];
const AUTO: &[Phase] = &[Phase::MonitoredAuto];
const LIVE: &[Phase] = &[Phase::ManualLive, Phase::MonitoredAuto];

const fn criterion(
    (id, entry_to): (&'static str, Phase),
    says: &'static str,
    bound: Bound,
    measure: Measure,
) -> Criterion {
    Criterion { id, entry_to, says, bound, measure }
}

use Bound::{AtLeast, AtMost};
use Measure::{
    Critical, Days, DaysOpen, FilledBps, KillsTested, NotAvailable, NotRejectedBps, RoundTripMs,
    Successes, ToAnswerMs, ToWireMs, Unreconciled,
};
use Phase::{Continuous, ManualLive, MonitoredAuto, PreLive, Shadow};

const DRILLS: &str = "drills";
const METRICS: &str = "metrics over time";
const WORD: &str = "attestations";

/// All of them, in the order of the ladder. Phases 1 to 3 ask for nothing but their signatures.
pub const CRITERIA: &[Criterion] = &[
    criterion(("P1-R1", PreLive), "days in shadow", AtLeast(84), DaysOpen(Shadow)),
    criterion(
        ("P1-R2", PreLive),
        "uptime of the data, 0.01 %",
        AtLeast(9_950),
        NotAvailable(METRICS),
    ),
    criterion(
        ("P1-R2-SYSTEM", PreLive),
        "uptime of the system, 0.01 %",
        AtLeast(9_900),
        NotAvailable(METRICS),
    ),
    criterion(
        ("P1-R3", PreLive),
        "signals as expected, 0.01 %",
        AtLeast(9_000),
        NotAvailable("the lab"),
    ),
    criterion(
        ("P1-R3-FALSE", PreLive),
        "false signals, 0.01 %",
        AtMost(1_000),
        NotAvailable("the lab"),
    ),
    criterion(("P1-R4", PreLive), "median recovery, s", AtMost(29), NotAvailable(METRICS)),
    criterion(("P1-R4-P95", PreLive), "95 % of recoveries, s", AtMost(119), NotAvailable(METRICS)),
    criterion(("P2-R1", PreLive), "days on paper", AtLeast(112), DaysOpen(Phase::Paper)),
    criterion(
        ("P2-R2", PreLive),
        "orders not rejected, 0.01 %",
        AtLeast(9_900),
        NotRejectedBps(PAPER),
    ),
    criterion(("P2-R2-FILLED", PreLive), "orders filled, 0.01 %", AtLeast(9_800), FilledBps(PAPER)),
    criterion(
        ("P2-R3", PreLive),
        "sessions not reconciled or sealed",
        AtMost(0),
        Unreconciled(PAPER),
    ),
    criterion(
        ("P2-R4", PreLive),
        "of the six drills, passed on this build",
        AtLeast(6),
        NotAvailable(DRILLS),
    ),
    criterion(("P2-R5", PreLive), "signal to order, ms", AtMost(1_999), ToWireMs(PAPER)),
    criterion(("P2-R6", PreLive), "order to answer, ms", AtMost(499), ToAnswerMs(PAPER)),
    criterion(("P2-R7", PreLive), "round trip, ms", AtMost(4_999), RoundTripMs(PAPER)),
    criterion(
        ("P4-D1", ManualLive),
        "connection checked without trading",
        AtLeast(1),
        NotAvailable("the venue check"),
    ),
    criterion(
        ("P5-IN-2", ManualLive),
        "kills that people pulled, all orders back",
        AtLeast(1),
        KillsTested,
    ),
    criterion(
        ("P5-IN-3", ManualLive),
        "operator's drill, end to end",
        AtLeast(1),
        NotAvailable(DRILLS),
    ),
    criterion(("P5-IN-4", ManualLive), "alert set in force", AtLeast(1), NotAvailable("alerts")),
    criterion(
        ("P5-IN-6", ManualLive),
        "packet approved by governance",
        AtLeast(1),
        NotAvailable(WORD),
    ),
    criterion(
        ("P6-IN-2", MonitoredAuto),
        "sessions by hand that succeeded",
        AtLeast(10),
        Successes(BY_HAND),
    ),
    criterion(
        ("P6-IN-2-DAYS", MonitoredAuto),
        "days with such a session",
        AtLeast(5),
        Days(BY_HAND),
    ),
    criterion(
        ("P5-OUT-1", MonitoredAuto),
        "sessions by hand with a critical incident",
        AtMost(0),
        Critical(BY_HAND),
    ),
    criterion(
        ("P5-OUT-2", MonitoredAuto),
        "sessions by hand not reconciled or sealed",
        AtMost(0),
        Unreconciled(BY_HAND),
    ),
    criterion(
        ("P5-OUT-4", MonitoredAuto),
        "incidents handled by the playbook",
        AtLeast(1),
        NotAvailable("incidents"),
    ),
    criterion(
        ("P5-OUT-5", MonitoredAuto),
        "operators say that they are ready",
        AtLeast(1),
        NotAvailable(WORD),
    ),
    criterion(
        ("P6-IN-3", MonitoredAuto),
        "the team says that it is ready",
        AtLeast(1),
        NotAvailable(WORD),
    ),
    criterion(
        ("P6-IN-4", MonitoredAuto),
        "policy of auto signed",
        AtLeast(1),
        NotAvailable("the policy of auto"),
    ),
    criterion(("P6-IN-5", MonitoredAuto), "alerts tested", AtLeast(1), NotAvailable("alerts")),
    criterion(("P6-IN-6", MonitoredAuto), "kill drill in auto", AtLeast(1), NotAvailable(DRILLS)),
    criterion(
        ("P6-OUT-1", Continuous),
        "auto sessions that succeeded",
        AtLeast(20),
        Successes(AUTO),
    ),
    criterion(("P6-OUT-1-DAYS", Continuous), "days with such a session", AtLeast(10), Days(AUTO)),
    criterion(("P6-OUT-2", Continuous), "overrides that worked", AtLeast(2), NotAvailable(DRILLS)),
    criterion(
        ("P6-OUT-3", Continuous),
        "times that a gate ended auto",
        AtLeast(1),
        NotAvailable(DRILLS),
    ),
    criterion(
        ("P6-OUT-4", Continuous),
        "auto sessions not reconciled or sealed",
        AtMost(0),
        Unreconciled(AUTO),
    ),
    criterion(("P7-IN-2", Continuous), "sessions that succeeded", AtLeast(50), Successes(LIVE)),
    criterion(("P7-IN-3", Continuous), "the team works by itself", AtLeast(1), NotAvailable(WORD)),
    criterion(("P7-IN-4", Continuous), "weeks of baselines", AtLeast(4), NotAvailable("baselines")),
    criterion(
        ("P7-IN-5", Continuous),
        "incidents handled by the playbook",
        AtLeast(3),
        NotAvailable("incidents"),
    ),
    criterion(
        ("P7-IN-6", Continuous),
        "post-mortems, near misses too",
        AtLeast(1),
        NotAvailable("incidents"),
    ),
];
