//! I7 and I12: what the journal says is what happened, and a plugin's fault is its own.
//!
//! A twin of the core steps the same events; its entries are what the journal must hold. A mirror
//! folds them, as recovery would. At the end of each run the inputs are read back from the entries
//! and stepped once more.

use std::collections::BTreeMap;

use portcullis_core::entry::{Class, decode};
use portcullis_core::{Core, EpochName, Event, Input, Ledger, NotRolled, RecoverError};
use portcullis_domain::{Now, OrdStatus, Order, PluginId};
use portcullis_statement::Digest;

use crate::approvals::PLUGINS;
use crate::people::ORIGIN;

/// The twin may roll whenever the number of entries is a multiple of this.
const ROLL_EVERY: usize = 13;

/// What one run of the house went through.
#[derive(Debug)]
pub(crate) struct Life {
    /// Entries that the run began with.
    before: usize,
    /// All entries, those of earlier runs included.
    entries: Vec<Vec<u8>>,
    /// Those of the last event that tell of stops, and of what people got by hand.
    pub(crate) told: Vec<Vec<u8>>,
    /// Market data by input number: the only input that is no entry.
    market: BTreeMap<u64, Event>,
    twin: Core,
    mirror: Core,
    newest: Newest,
    /// Planted: the twin's snapshots do not hold what the account holds.
    forgets: bool,
}

/// The epoch that the twin is in: who reads it knows as much as who reads all there ever was.
#[derive(Debug, Default)]
struct Newest {
    /// How often the twin had rolled when it began.
    rolled: usize,
    /// How it begins.
    begun: Vec<Vec<u8>>,
    /// How many entries there were before it.
    before: usize,
}

/// What a plugin's fault must leave as it is.
#[derive(Debug, PartialEq)]
pub(crate) struct Untouched {
    plugin: PluginId,
    others: Vec<Order>,
    suspended: Vec<String>,
    killed: bool,
    session: Option<String>,
}

impl Life {
    pub(crate) fn new(entries: Vec<Vec<u8>>, forgets: bool) -> Self {
        let first = Core::first_epoch(Now::default(), name(1)).bytes;
        let (mut twin, mirror) = (Core::new(), folded(&entries));
        for entry in [&first].into_iter().chain(&entries) {
            twin.fold(entry).expect("folded before");
        }
        Self {
            before: entries.len(),
            entries,
            told: Vec::new(),
            market: BTreeMap::new(),
            twin,
            mirror,
            newest: Newest::default(),
            forgets,
        }
    }

    /// Steps the twin and folds what it records. If the event is a plugin's fault, what must not
    /// change by it.
    pub(crate) fn foresee(
        &mut self,
        event: &Event,
        core: &Core,
    ) -> Result<Option<Untouched>, String> {
        let step = self.twin.step(event.clone());
        if matches!(event.input, Input::Market(_)) {
            self.market.insert(self.twin.place().input, event.clone());
        }
        let mut stopped = None;
        self.told.clear();
        for entry in step.entries {
            if entry.kind == "faulted" {
                let text = String::from_utf8_lossy(&entry.bytes).into_owned();
                return Err(format!("I6 an honest venue's report is called a fault: {text}"));
            }
            if entry.kind == "plugin-stopped" {
                stopped = plugin_of(&event.input);
            }
            if matches!(entry.kind, "stopped" | "stop-lifted" | "intervened") {
                self.told.push(entry.bytes.clone());
            }
            let folded = self.mirror.fold(&entry.bytes);
            folded.map_err(|error| format!("I7 an entry does not fold: {error:?}"))?;
            self.entries.push(entry.bytes);
        }
        self.roll()?;
        Ok(stopped.map(|plugin| untouched(core, plugin)))
    }

    /// Now and then the twin goes on from what the first entries of a new epoch say. The house
    /// does not, and both have to record the same.
    fn roll(&mut self) -> Result<(), String> {
        if !self.entries.len().is_multiple_of(ROLL_EVERY) || self.twin.open_session().is_some() {
            return Ok(());
        }
        let outcome = self.twin.roll(&name(2 + self.newest.rolled));
        let roll = match outcome {
            Ok((_, roll)) => roll,
            Err(NotRolled::NotNow(_)) => return Ok(()),
            Err(fault) => return Err(format!("I7 the house does not roll: {fault:?}")),
        };
        let begun = roll.begun((0, Digest::of(b"an epoch of the twin")));
        let begun: Vec<Vec<u8>> = begun.into_iter().map(|entry| entry.bytes).collect();
        let begun = if self.forgets { begun.iter().map(|e| forgetful(e)).collect() } else { begun };
        self.twin = read(&begun).map_err(|error| format!("I7 a snapshot: {error:?}"))?;
        let rolled = self.newest.rolled + 1;
        self.newest = Newest { rolled, begun, before: self.entries.len() };
        Ok(())
    }

    /// Compares the live core with its mirror, and with what a plugin's fault had to leave alone.
    pub(crate) fn compare(&self, core: &Core, before: Option<Untouched>) -> Result<(), String> {
        if let Some(before) = before {
            let after = untouched(core, before.plugin);
            if after != before {
                return Err(format!("I12 a plugin's fault: before {before:?}, after {after:?}"));
            }
        }
        same_ledger(core.account(), self.mirror.account())?;
        let latch = |core: &Core| (core.kill_seq(), core.kill_entry(), core.is_killed());
        if latch(core) != latch(&self.mirror) {
            return Err("I7 the latch that the journal tells is another".to_owned());
        }
        Ok(())
    }

    /// What the disk holds is the beginning of what was recorded.
    pub(crate) fn is_continued_by(&self, recovered: &[Vec<u8>]) -> Result<(), String> {
        let same = recovered.iter().zip(&self.entries).all(|(found, then)| found == then);
        if same && recovered.len() <= self.entries.len() {
            return self.newest.tells_all(recovered);
        }
        Err("I7 the disk holds other entries than were recorded".to_owned())
    }

    /// Steps the inputs of this run again, as the entries state them.
    pub(crate) fn replay(&self, core: &Core) -> Result<(), String> {
        let (before, then) = self.entries.split_at(self.before);
        let mut again = folded(before);
        let mut replayed = Vec::new();
        let mut events = self.market.clone();
        for bytes in then {
            let entry = decode(bytes).map_err(|error| format!("I7 undecodable: {error:?}"))?;
            if entry.class == Class::Input {
                let input = Input::decode(&entry);
                let input = input.map_err(|error| format!("I7 undecodable: {error:?}"))?;
                events.insert(entry.place.input, Event { now: entry.place.at, input });
            }
        }
        for event in events.into_values() {
            let step = again.step(event);
            replayed.extend(step.entries.into_iter().map(|entry| entry.bytes));
        }
        let pairs = replayed.iter().zip(then);
        if let Some((again, then)) = pairs.into_iter().find(|(again, then)| again != then) {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            return Err(format!("I7 replay:\n  {}\nthen:\n  {}", text(again), text(then)));
        }
        if replayed.len() != then.len() || again.view() != core.view() {
            return Err("I7 a replay ends elsewhere".to_owned());
        }
        Ok(())
    }

    /// All entries so far.
    pub(crate) fn entries(&self) -> &[Vec<u8>] {
        &self.entries
    }
}

fn plugin_of(input: &Input) -> Option<PluginId> {
    match input {
        Input::PluginFailed { plugin, .. } | Input::PluginReply { plugin, .. } => Some(*plugin),
        _ => None,
    }
}

impl Newest {
    /// Whoever reads this epoch alone starts as whoever reads everything.
    fn tells_all(&self, recovered: &[Vec<u8>]) -> Result<(), String> {
        // How many frames of the market came before the epoch is said by its first entries and by
        // every later one; the twin keeps the old epoch's last entry, which says it too, to itself.
        let since = recovered.get(self.before..).unwrap_or_default();
        if self.begun.is_empty() || since.is_empty() {
            return Ok(());
        }
        let started = recovered.iter().rev().map(|bytes| decode(bytes).expect("folded before"));
        let started = started.into_iter().find(|entry| entry.kind == "started");
        let started = started.expect("every run begins so");
        let input = Input::decode(&started).expect("folded before");
        let after = |entries: &[&[Vec<u8>]]| {
            let mut core = read(&entries.concat()).map_err(|error| format!("I7 {error:?}"))?;
            let now = core.place().at;
            let step = core.step(Event { now, input: input.clone() });
            Ok::<_, String>((step.entries, core.snapshot()))
        };
        if after(&[&self.begun, since])? == after(&[recovered])? {
            return Ok(());
        }
        Err("I7 the newest epoch tells another house than the whole journal".to_owned())
    }
}

/// The name of an epoch of the twin.
fn name(number: usize) -> EpochName {
    EpochName { origin: format!("{ORIGIN}/{number}"), key: format!("{ORIGIN}+{number}") }
}

/// Planted: an entry of a snapshot without what the account holds.
fn forgetful(entry: &[u8]) -> Vec<u8> {
    const BEGIN: &str = r#"{"name":"account.holdings","values":["#;
    let text = String::from_utf8(entry.to_vec()).expect("text");
    let forgotten = text.split_once(BEGIN).and_then(|(before, after)| {
        let (_, rest) = after.split_at(after.find(r#"]},{"name""#)?);
        Some(format!("{before}{BEGIN}0{rest}"))
    });
    forgotten.unwrap_or(text).into_bytes()
}

fn read(entries: &[Vec<u8>]) -> Result<Core, RecoverError> {
    let mut core = Core::new();
    entries.iter().try_for_each(|entry| core.fold(entry))?;
    Ok(core)
}

/// A core that has read these entries, all of which have been folded before.
fn folded(entries: &[Vec<u8>]) -> Core {
    let mut core = Core::new();
    for entry in entries {
        core.fold(entry).expect("folded before");
    }
    core
}

/// Everything but the failed plugin's own: its orders may be taken back and no more.
fn untouched(core: &Core, plugin: PluginId) -> Untouched {
    let own = format!("PLUGIN_SUSPENDED: {}", PLUGINS[usize::from(plugin.0)]);
    let orders = core.account().orders.iter().cloned();
    let others = orders.map(|mut order| {
        let of_plugin = order.intent.origin.plugin() == Some(plugin);
        if of_plugin && order.status.is_open() {
            order.status = OrdStatus::PendingCancel;
        } else if order.status == OrdStatus::PendingNew {
            // Its deadline may pass at the same moment, which is the clock's doing.
            order.status = OrdStatus::Unknown;
        }
        order
    });
    let suspended = core.view().blocked;
    Untouched {
        plugin,
        others: others.collect(),
        suspended: suspended
            .into_iter()
            .filter(|text| is_of_a_plugin(text) && *text != own)
            .collect(),
        killed: core.is_killed(),
        session: core.open_session().map(ToString::to_string),
    }
}

/// What else blocks is the whole house's: an order that is taken back may have protected something.
fn is_of_a_plugin(text: &str) -> bool {
    text.starts_with("PLUGIN_SUSPENDED")
}

fn same_ledger(live: &Ledger, mirror: &Ledger) -> Result<(), String> {
    if live.orders != mirror.orders {
        let pairs = live.orders.iter().zip(mirror.orders.iter());
        let first = pairs.into_iter().find(|(live, mirror)| live != mirror);
        return Err(format!("I7 orders, live and as the journal tells them: {first:?}"));
    }
    if !live.holdings().eq(mirror.holdings()) || live.balances() != mirror.balances() {
        return Err("I7 holdings or balances that the journal tells are others".to_owned());
    }
    if live.durable() != mirror.durable() {
        return Err("I7 the ledger that the journal tells is another".to_owned());
    }
    Ok(())
}
