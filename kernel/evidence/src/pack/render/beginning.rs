//! What stood when the epoch began, as its snapshot tells it: whatever came before is in no entry of
//! this journal.

use std::collections::BTreeMap;

use portcullis_core::entry::{self, Decoded};
use portcullis_core::snapshot_sections;
use portcullis_statement::json::{self, Fields, JsonError, Value};

use super::fault::RenderFault;
use super::item::Item;
use super::standing::{KillNote, Standing};

/// The sections of a snapshot, each with the entry in which it begins.
struct Beginning {
    sections: BTreeMap<String, Vec<Value>>,
    begins: BTreeMap<String, u64>,
    /// The last entry of the snapshot.
    last: Decoded,
}

/// What stood at the beginning of the epoch whose first entries these are; nothing in an epoch
/// without a snapshot.
pub(super) fn standing(entries: &[&[u8]]) -> Result<Standing, RenderFault> {
    let mut standing = Standing::default();
    let Some(beginning) = Beginning::read(entries)? else { return Ok(standing) };
    for pair in beginning.all("papers") {
        if let [Value::Text(digest), _] = list(pair) {
            standing.accepted.insert(digest.clone(), beginning.seq("papers"));
        }
    }
    for execution in beginning.all("account.orders.executions") {
        if let [Value::Text(exec_id), said] = list(execution) {
            let order = beginning.read_in("account.orders.executions", said, "cl_ord_id")?;
            standing.remember(order, exec_id);
        }
    }
    standing.symbols = beginning.symbols()?;
    standing.kill = beginning.kill()?;
    if let Some([Value::Object(said)]) = beginning.one("identity").map(list) {
        let start = said.get("start").cloned().unwrap_or(Value::Null);
        standing.started = Some(beginning.item("identity", "started", start));
    }
    if let Some([Value::List(differences)]) = beginning.one("differences").map(list) {
        let body = json::object([
            ("differences", differences.clone().into()),
            ("found", Vec::new().into()),
        ]);
        standing.reconciled = Some(beginning.item("differences", "reconciled", body));
    }
    if let Some([Value::Object(stated)]) = beginning.one("recon.venue").map(list) {
        let pairs = stated.get("balances").map(list).unwrap_or_default();
        let pair = |pair: &Value| match list(pair) {
            [Value::Text(currency), amount] => Some((currency.clone(), amount.clone())),
            _ => None,
        };
        let balances = Value::Object(pairs.iter().filter_map(pair).collect());
        let body = json::object([("balances", balances)]);
        standing.account = Some(beginning.item("recon.venue", "account", body));
    }
    Ok(standing)
}

impl Beginning {
    fn read(entries: &[&[u8]]) -> Result<Option<Self>, RenderFault> {
        let (mut bodies, mut begins, mut last) = (Vec::new(), BTreeMap::new(), None);
        for (seq, bytes) in (0_u64..).zip(entries).skip(1) {
            let entry = entry::decode(bytes).map_err(|error| RenderFault::Entry { seq, error })?;
            if entry.kind != "snapshot" {
                break;
            }
            let named = names(&entry.body).map_err(|error| RenderFault::Field { seq, error })?;
            for name in named {
                begins.entry(name).or_insert(seq);
            }
            bodies.push(entry.body.clone());
            last = Some((seq, entry));
        }
        let Some((seq, last)) = last else { return Ok(None) };
        let sections = snapshot_sections(&bodies);
        let sections = sections.map_err(|error| RenderFault::Entry { seq, error })?;
        Ok(Some(Self { sections, begins, last }))
    }

    /// The entry in which a section begins.
    fn seq(&self, section: &str) -> u64 {
        self.begins.get(section).copied().unwrap_or_default()
    }

    /// The values of a section that has many, without their number.
    fn all(&self, section: &str) -> &[Value] {
        let values = self.sections.get(section).and_then(|values| values.split_first());
        values.map(|(_, values)| values).unwrap_or_default()
    }

    fn one(&self, section: &str) -> Option<&Value> {
        self.sections.get(section)?.first()
    }

    fn item(&self, section: &str, kind: &str, body: Value) -> Item {
        let entry = Decoded { kind: kind.to_owned(), body, ..self.last.clone() };
        Item { seq: self.seq(section), entry }
    }

    fn read_in<'a>(
        &self,
        section: &str,
        value: &'a Value,
        key: &str,
    ) -> Result<&'a str, RenderFault> {
        let text = Fields::new(value).and_then(|mut fields| fields.text(key));
        text.map_err(|error| RenderFault::Field { seq: self.seq(section), error })
    }

    fn symbols(&self) -> Result<BTreeMap<String, String>, RenderFault> {
        let (orders, traded) = (self.all("account.orders.all"), self.all("account.traded"));
        let numbers = self.all("account.instrument_of_order");
        let mut symbols = BTreeMap::new();
        for (order, number) in orders.iter().zip(numbers) {
            let Value::Int(number) = number else { continue };
            let instrument = usize::try_from(*number).ok().and_then(|at| traded.get(at));
            let Some(instrument) = instrument else { continue };
            let order = self.read_in("account.orders.all", order, "cl_ord_id")?;
            let symbol = self.read_in("account.traded", instrument, "symbol")?;
            symbols.insert(order.to_owned(), symbol.to_owned());
        }
        Ok(symbols)
    }

    fn kill(&self) -> Result<Option<KillNote>, RenderFault> {
        let Some([kill]) = self.one("kill").map(list) else { return Ok(None) };
        let seq = self.seq("kill");
        let kill_seq = Fields::new(kill).and_then(|mut fields| fields.uint("seq"));
        let kill_seq = kill_seq.map_err(|error| RenderFault::Field { seq, error })?;
        Ok(Some(KillNote { kill_seq, seq, lifted: None }))
    }
}

fn names(body: &Value) -> Result<Vec<String>, JsonError> {
    let sections = Fields::new(body)?.list("sections")?;
    sections.iter().map(|section| Ok(Fields::new(section)?.text("name")?.to_owned())).collect()
}

fn list(value: &Value) -> &[Value] {
    if let Value::List(values) = value { values } else { &[] }
}

#[cfg(test)]
mod tests {
    use portcullis_core::{Core, EpochName};
    use portcullis_domain::{Now, Phase};

    use super::super::Told;
    use super::super::session::Session;
    use super::super::story::Story;
    use crate::Digest;

    fn name(number: u8) -> EpochName {
        EpochName { origin: format!("test/{number}"), key: format!("test+{number}") }
    }

    /// A session in an epoch of its own stands on the same facts as in one journal with all that
    /// came before it.
    #[test]
    fn a_session_behind_a_snapshot_stands_on_the_same_facts() {
        let mut story = Story::opened(Phase::Paper);
        story.trade("filled");
        story.close("END");
        let (session, before) = story.split();
        let request = before.len() - 1;
        let mut core = Core::new();
        core.fold(&Core::first_epoch(Now::default(), name(1)).bytes).unwrap();
        for entry in &before[..request] {
            core.fold(entry).unwrap();
        }
        let (_, roll) = core.roll(&name(2)).unwrap();
        let begun: Vec<_> = roll.begun((7, Digest::of(b"root")));
        let mut behind: Vec<&[u8]> = begun.iter().map(|entry| entry.bytes.as_slice()).collect();
        behind.push(before[request]);
        let told = |before| Told { session: &session, before, notes: &[] };
        let whole = Session::read(&told(&before)).unwrap().at_opening;
        let newest = Session::read(&told(&behind)).unwrap().at_opening;
        let digests = |accepted: &std::collections::BTreeMap<String, u64>| {
            accepted.keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(digests(&newest.accepted), digests(&whole.accepted));
        assert!(newest.accepted.values().all(|seq| (1..5).contains(seq)), "{:?}", newest.accepted);
        assert_eq!(newest.symbols, whole.symbols);
        let (newest, whole) = (newest.started.unwrap(), whole.started.unwrap());
        assert_eq!(newest.entry.body, whole.entry.body);
    }
}
