//! How long orders took, from the entries' times on the boot clock, which never steps.

use std::collections::BTreeMap;

use portcullis_domain::BootNs;
use portcullis_statement::json::{Value, count, object};

use super::item::Item;
use super::session::Session;
use crate::bytes::len_u64;

/// The stretches of an order's way.
const STRETCHES: [&str; 4] =
    ["intent_to_approved", "approved_to_sent", "sent_to_ack", "ack_to_fill"];

/// Where an order is on its way. The first of each counts; what comes again changes nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    asked: Option<BootNs>,
    approved: Option<BootNs>,
    sent: Option<BootNs>,
    answered: Option<BootNs>,
    filled: Option<BootNs>,
}

/// Percentiles of each stretch, in nanoseconds.
///
/// What is approved in the event that brings it took nothing of the first stretch; a proposal took
/// as long as it waited. The second stretch holds the disk: an order leaves when it is durable.
pub(super) fn of(session: &Session) -> Value {
    let mut ways: BTreeMap<&str, Way> = BTreeMap::new();
    for item in session.run() {
        let corr = item.entry.corr.as_str();
        if ["proposed", "ordered"].contains(&item.kind()) {
            ways.entry(corr).or_default();
        }
        if let Some(way) = ways.get_mut(corr) {
            way.go(item, session.fills.contains_key(&item.seq));
        }
    }
    let samples = |of: fn(&Way) -> [Option<BootNs>; 2]| {
        let pairs = ways.values().map(of).filter_map(|[from, to]| from.zip(to));
        pairs.map(|(from, to)| to.since_ns(from)).collect::<Vec<i64>>()
    };
    let stretches = [
        samples(|way| [way.asked, way.approved]),
        samples(|way| [way.approved, way.sent]),
        samples(|way| [way.sent, way.answered]),
        samples(|way| [way.answered, way.filled]),
    ];
    object(STRETCHES.into_iter().zip(stretches.map(percentiles)))
}

impl Way {
    fn go(&mut self, item: &Item, fill: bool) {
        let now = item.entry.place.at.boot;
        let place = match item.kind() {
            "proposed" => &mut self.asked,
            "ordered" => {
                self.asked.get_or_insert(now);
                &mut self.approved
            }
            "sent" => &mut self.sent,
            "booked" if fill => &mut self.filled,
            _ if item.is_report() => &mut self.answered,
            _ => return,
        };
        place.get_or_insert(now);
    }
}

/// The smallest sample that at least so many of a hundred do not exceed; null of nothing.
fn percentiles(mut samples: Vec<i64>) -> Value {
    samples.sort_unstable();
    let at = |percent: usize| {
        let rank = samples.len().saturating_mul(percent).div_ceil(100);
        samples.get(rank.saturating_sub(1)).map_or(Value::Null, |ns| Value::Int(*ns))
    };
    object([
        ("max_ns", at(100)),
        ("p50_ns", at(50)),
        ("p95_ns", at(95)),
        ("p99_ns", at(99)),
        ("samples", count(len_u64(samples.len()))),
    ])
}
