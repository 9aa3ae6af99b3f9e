//! What stood when an epoch began: its first entries are the house's own snapshot, which the core
//! reads back as it would at a start.

use portcullis_core::Core;
use portcullis_core::entry::{self, Class, Decoded};
use portcullis_statement::json::{Value, object};

use super::fault::RenderFault;
use super::item::Item;
use super::standing::{KillNote, Standing};
use crate::bytes::len_u64;

/// How many entries the beginning of an epoch takes; none where the journal begins without one.
fn length(before: &[&[u8]]) -> Result<usize, RenderFault> {
    let Some(first) = before.first() else { return Ok(0) };
    let first = entry::decode(first).map_err(|error| RenderFault::Entry { seq: 0, error })?;
    if first.class != Class::Host || first.kind != "epoch-began" {
        return Ok(0);
    }
    let parts = Item { seq: 0, entry: first }.body(|body| body.uint("parts"))?;
    let parts = usize::try_from(parts).unwrap_or(usize::MAX);
    Ok(parts.saturating_add(1).min(before.len()))
}

/// The house as the snapshot of the epoch says it was. Everything of it is on record in the last
/// entry of the snapshot.
pub(super) fn standing(before: &[&[u8]]) -> Result<Standing, RenderFault> {
    let (mut core, mut standing) = (Core::new(), Standing::default());
    let length = length(before)?;
    let beginning = before.get(..length).unwrap_or_default();
    if beginning.len() < 2 {
        return Ok(standing);
    }
    let seq = len_u64(length).saturating_sub(1);
    for bytes in beginning {
        core.fold(bytes).map_err(|_unreadable| RenderFault::Snapshot)?;
    }
    let digests = core.releases().map(|(digest, _)| digest);
    let digests = digests.chain(core.endpoints().map(|(digest, _)| digest));
    standing.accepted = digests.map(|digest| (digest.hex(), seq)).collect();
    if core.kill_seq() > 0 {
        let lifted = (!core.is_killed()).then_some(seq);
        standing.kill = Some(KillNote { kill_seq: core.kill_seq(), seq, lifted });
    }
    let said = |kind: &str, body| {
        let (class, place) = (Class::Host, core.place());
        let (kind, reason) = (kind.to_owned(), "SNAPSHOT".to_owned());
        Item { seq, entry: Decoded { class, kind, place, corr: "-".to_owned(), reason, body } }
    };
    if let Some(differences) = core.view().differences {
        let list = |texts: Vec<String>| Value::List(texts.into_iter().map(Value::Text).collect());
        let body = object([("differences", list(differences)), ("found", list(Vec::new()))]);
        standing.reconciled = Some(said("reconciled", body));
    }
    if let Some(balances) = core.account().balances() {
        let amount = |(name, amount): (&String, &portcullis_domain::Money)| {
            (name.clone(), amount.text().into())
        };
        let balances = Value::Object(balances.iter().map(amount).collect());
        standing.adopted = Some(said("balances-adopted", object([("balances", balances)])));
    }
    let orders = core.account().orders.iter();
    let symbol = |order: &portcullis_domain::Order| {
        let instrument = core.account().instrument_of(order.cl_ord_id)?;
        Some((order.cl_ord_id.to_string(), instrument.symbol.clone()))
    };
    standing.symbols = orders.filter_map(symbol).collect();
    let booked = core.account().orders.executions();
    standing
        .booked_before(booked.map(|(id, of)| (of.cl_ord_id.to_string(), id.0.as_str().to_owned())));
    Ok(standing)
}
