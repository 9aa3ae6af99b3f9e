//! What goes wrong, how often in one seed, and how often it has.

use std::collections::BTreeMap;

use crate::draw::Draw;

/// One kind of fault. Each has to be injected by every campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The venue's word that it has an order does not arrive.
    AckLost,
    /// Another report does not arrive; a fill is then learned by reading the account.
    ReportLost,
    /// A cancel does not reach the venue.
    CancelLost,
    /// An order does not reach the venue, because the link fails under it.
    SubmitLost,
    /// The link fails under an order that arrives all the same.
    HalfOpen,
    /// An order reaches the venue seconds after it was sent.
    LateAccept,
    /// A message arrives twice.
    Doubled,
    /// A message takes long.
    Delayed,
    /// A message overtakes an older one.
    Reordered,
    /// A reading of the account fails.
    ReadLost,
    /// The link to the venue goes down.
    LinkDown,
    /// A hole in the market data.
    FeedGap,
    /// No market data for a while.
    FeedStale,
    /// The wall clock is set forward by an hour.
    ClockForward,
    /// The wall clock is set back by an hour.
    ClockBack,
    /// Somebody pulls the kill switch.
    Kill,
    /// The process ends between two steps.
    Crash,
    /// The process ends under a write or a sync.
    CrashAtDisk,
    /// A crash takes bytes that were written and not synced.
    TailLost,
    /// A crash leaves holes in the last group.
    TailTorn,
    /// A write fails, input/output error.
    WriteEio,
    /// A write fails, no space left.
    WriteEnospc,
    /// A sync fails.
    SyncEio,
    /// The disk does not answer for seconds.
    SyncSlow,
    /// The whole process stands still for seconds.
    Paused,
    /// Money comes to the account that no fill explains.
    Deposit,
    /// A plugin's process fails.
    PluginFailed,
    /// A plugin answers what it was not asked.
    PluginProtocol,
    /// A plugin asks for more than any may.
    PluginFlood,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 29] = [
        Self::AckLost,
        Self::ReportLost,
        Self::CancelLost,
        Self::SubmitLost,
        Self::HalfOpen,
        Self::LateAccept,
        Self::Doubled,
        Self::Delayed,
        Self::Reordered,
        Self::ReadLost,
        Self::LinkDown,
        Self::FeedGap,
        Self::FeedStale,
        Self::ClockForward,
        Self::ClockBack,
        Self::Kill,
        Self::Crash,
        Self::CrashAtDisk,
        Self::TailLost,
        Self::TailTorn,
        Self::WriteEio,
        Self::WriteEnospc,
        Self::SyncEio,
        Self::SyncSlow,
        Self::Paused,
        Self::Deposit,
        Self::PluginFailed,
        Self::PluginProtocol,
        Self::PluginFlood,
    ];

    /// Chances in a thousand, at each opportunity, in rough weather. A message is an opportunity,
    /// and so is a step of the scheduler; rare things are rare so that trading goes on between.
    fn rough_per_mille(self) -> u64 {
        match self {
            Self::AckLost | Self::ReportLost | Self::ReadLost => 150,
            Self::CancelLost | Self::Doubled | Self::Delayed => 200,
            Self::LateAccept => 100,
            Self::Reordered => 300,
            Self::SubmitLost | Self::HalfOpen => 30,
            Self::FeedGap | Self::FeedStale => 8,
            Self::LinkDown => 10,
            Self::Kill | Self::PluginFailed | Self::Deposit => 5,
            Self::ClockForward | Self::ClockBack => 4,
            Self::PluginProtocol | Self::PluginFlood => 2,
            Self::Crash => 6,
            Self::CrashAtDisk => 4,
            Self::TailLost | Self::TailTorn => 500,
            Self::WriteEio | Self::WriteEnospc | Self::SyncEio => 2,
            Self::SyncSlow => 10,
            Self::Paused => 60,
        }
    }
}

/// How often each kind of fault was injected.
pub type Counts = BTreeMap<Fault, u64>;

/// Which faults a seed has, and how many there were.
#[derive(Debug)]
pub(crate) struct Weather {
    per_mille: BTreeMap<Fault, u64>,
    pub(crate) counts: Counts,
    /// In the quiet period nothing goes wrong any more.
    calm: bool,
}

impl Weather {
    /// Each seed has faults of its own: about half of all kinds never happen in it, so that what
    /// one kind hides does not stay hidden.
    pub(crate) fn new(draw: &mut Draw) -> Self {
        let level = |draw: &mut Draw, fault: Fault| match draw.below(4) {
            0 | 1 => 0,
            2 => fault.rough_per_mille().div_ceil(3),
            _ => fault.rough_per_mille(),
        };
        let per_mille = Fault::ALL.into_iter().map(|fault| (fault, level(draw, fault))).collect();
        Self { per_mille, counts: Counts::new(), calm: false }
    }

    /// Whether the fault happens at this opportunity; if so it is counted.
    pub(crate) fn strikes(&mut self, fault: Fault, draw: &mut Draw) -> bool {
        let strikes = draw.happens(self.chance(fault));
        if strikes {
            self.count(fault);
        }
        strikes
    }

    /// Chances in a thousand. Drawing by them counts nothing.
    pub(crate) fn chance(&self, fault: Fault) -> u64 {
        if self.calm { 0 } else { self.per_mille[&fault] }
    }

    /// Counts a fault that happened as part of another.
    pub(crate) fn count(&mut self, fault: Fault) {
        *self.counts.entry(fault).or_insert(0) += 1;
    }

    /// Ends all faults.
    pub(crate) fn calm_down(&mut self) {
        self.calm = true;
    }
}
