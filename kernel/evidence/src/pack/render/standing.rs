//! What stands at some point of a journal: what was accepted, the kill latch, the last word on
//! the account, and which executions are booked.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_statement::json::{Fields, JsonError, Value};

use super::fault::RenderFault;
use super::item::Item;

/// A kill, and whether people lifted it.
#[derive(Clone, Copy, Debug)]
pub(super) struct KillNote {
    pub(super) kill_seq: u64,
    /// The entry that recorded it.
    pub(super) seq: u64,
    /// The entry that lifted it.
    pub(super) lifted: Option<u64>,
}

/// What stands after all entries that were taken in.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    /// Statements by digest, with the entry that accepted them.
    pub(super) accepted: BTreeMap<String, u64>,
    /// The last kill.
    pub(super) kill: Option<KillNote>,
    /// The last comparison of account and house in this run.
    pub(super) reconciled: Option<Item>,
    /// The account as the venue last stated it in this run.
    pub(super) account: Option<Item>,
    /// The balances that the house took for true.
    pub(super) adopted: Option<Item>,
    /// The last start of the kernel.
    pub(super) started: Option<Item>,
    /// The last request to open a session.
    pub(super) open_request: Option<Item>,
    /// What people did by hand since the last session ended: in no session, so in no pack yet.
    pub(super) between: Vec<Item>,
    /// Whether a session is open.
    open: bool,
    /// Symbols of orders, by `ClOrdId`.
    pub(super) symbols: BTreeMap<String, String>,
    executions: BookedExecutions,
}

/// An execution that the house booked.
#[derive(Clone, Debug)]
pub(super) struct Fill {
    /// The entry that told of it.
    pub(super) told: Item,
    /// Its `ClOrdId`.
    pub(super) cl_ord_id: String,
    /// As the venue reported it.
    pub(super) report: Value,
}

impl Standing {
    /// Takes in one entry. Hands out the executions that it booked for the first time.
    pub(super) fn take(&mut self, item: &Item) -> Result<Vec<Fill>, RenderFault> {
        match item.kind() {
            "session-opened" => self.open = true,
            "session-closed" => self.end(),
            "intervened" if !self.open => self.between.push(item.clone()),
            "started" => {
                if self.open {
                    self.end();
                }
                (self.reconciled, self.account) = (None, None);
                self.started = Some(item.clone());
            }
            "open-session" => self.open_request = Some(item.clone()),
            "statement-accepted" => {
                let digest = item.body(|body| body.text("digest"))?;
                self.accepted.insert(digest.to_owned(), item.seq);
            }
            "killed" => {
                let kill_seq = item.body(|body| body.uint("kill_seq"))?;
                self.kill = Some(KillNote { kill_seq, seq: item.seq, lifted: None });
            }
            "unkilled" => {
                if let Some(kill) = &mut self.kill {
                    kill.lifted = Some(item.seq);
                }
            }
            "reconciled" => self.reconciled = Some(item.clone()),
            "account" => self.account = Some(item.clone()),
            "balances-adopted" => self.adopted = Some(item.clone()),
            "ordered" => {
                let symbol = item.body(|body| body.text("symbol"))?.to_owned();
                self.symbols.insert(item.entry.corr.clone(), symbol);
            }
            _ => {}
        }
        self.executions.take(item)
    }

    /// Executions, by order and id, that were booked before the first entry that is taken in. The
    /// venue tells of them again, and none is booked again.
    pub(super) fn booked_before(&mut self, executions: impl Iterator<Item = (String, String)>) {
        self.executions.seen.extend(executions);
    }

    /// A session has ended; whatever came before it was shown in its pack.
    fn end(&mut self) {
        self.open = false;
        self.between.clear();
    }
}

/// Executions become fills once the entry that books them follows, in the same event.
///
/// The venue tells of an execution more than once, in reports and in every reading of the
/// account, and some of what it tells is refused; what was booked counts, once.
#[derive(Clone, Debug, Default)]
struct BookedExecutions {
    seen: BTreeSet<(String, String)>,
    /// Told in the present event and not booked yet, with the execution's id.
    told: Vec<(String, Fill)>,
    input: u64,
}

impl BookedExecutions {
    fn take(&mut self, item: &Item) -> Result<Vec<Fill>, RenderFault> {
        if item.entry.place.input != self.input {
            self.input = item.entry.place.input;
            self.told.clear();
        }
        if item.is_report() {
            self.tell(item, &item.entry.body)?;
        } else if item.is("account") {
            for report in item.body(|body| body.list("fills"))? {
                self.tell(item, report)?;
            }
        } else if item.is("booked") {
            return Ok(self.book(&item.entry.corr));
        }
        Ok(Vec::new())
    }

    fn tell(&mut self, item: &Item, report: &Value) -> Result<(), RenderFault> {
        let found = execution_of(report);
        let found = found.map_err(|error| RenderFault::Field { seq: item.seq, error })?;
        if let Some((cl_ord_id, exec_id)) = found {
            let fill = Fill { told: item.clone(), cl_ord_id, report: report.clone() };
            self.told.push((exec_id, fill));
        }
        Ok(())
    }

    /// The first execution of that order that is new; one entry books one execution.
    fn book(&mut self, cl_ord_id: &str) -> Vec<Fill> {
        let new = |(exec_id, fill): &(String, Fill)| {
            let key = (fill.cl_ord_id.clone(), exec_id.clone());
            fill.cl_ord_id == cl_ord_id && !self.seen.contains(&key)
        };
        let Some(at) = self.told.iter().position(new) else { return Vec::new() };
        let (exec_id, fill) = self.told.remove(at);
        self.seen.insert((fill.cl_ord_id.clone(), exec_id));
        vec![fill]
    }
}

/// Order and execution of a venue report; `None` if it reports no trade.
fn execution_of(report: &Value) -> Result<Option<(String, String)>, JsonError> {
    let mut fields = Fields::new(report)?;
    let cl_ord_id = fields.text("cl_ord_id")?.to_owned();
    if *fields.value("trade")? == Value::Null {
        return Ok(None);
    }
    let exec_id = fields.fields("trade")?.text("exec_id")?.to_owned();
    Ok(Some((cl_ord_id, exec_id)))
}

#[cfg(test)]
mod tests {
    use portcullis_core::entry::{Class, Decoded, Place};
    use portcullis_statement::json::object;

    use super::*;

    const ORDER: &str = "pc0000000000000001";

    fn item(kind: &str, body: Value) -> Item {
        let place = Place { input: 7, ..Place::default() };
        let (kind, corr, reason) = (kind.to_owned(), ORDER.to_owned(), "-".to_owned());
        Item { seq: 9, entry: Decoded { class: Class::Input, kind, place, corr, reason, body } }
    }

    fn told(exec_id: &str) -> Value {
        let trade = object([("exec_id", exec_id.into())]);
        object([("cl_ord_id", ORDER.into()), ("trade", trade)])
    }

    /// A reading of the account tells of everything that the venue remembers, in one event. What
    /// the epoch before has booked is not what the entry books.
    #[test]
    fn an_execution_of_the_epoch_before_is_not_drawn_again() {
        let check = |before: &[&str], expect: &str| {
            let mut standing = Standing::default();
            let before = before.iter().map(|id| (ORDER.to_owned(), (*id).to_owned()));
            standing.booked_before(before);
            let fills = Value::List(vec![told("e-1"), told("e-2")]);
            let account = item("account", object([("fills", fills)]));
            assert!(standing.take(&account).unwrap().is_empty());
            let fills = standing.take(&item("booked", object([]))).unwrap();
            let [fill] = fills.as_slice() else { panic!("{fills:?}") };
            assert_eq!(execution_of(&fill.report).unwrap().unwrap().1, expect);
        };
        check(&[], "e-1");
        check(&["e-1"], "e-2");
        check(&["e-2"], "e-1");
    }
}
