//! One session as its entries tell it, with the approval under which it ran.

use std::collections::BTreeMap;

use portcullis_domain::{Instrument, Phase};
use portcullis_statement::json::{Fields, JsonError, Value};
use portcullis_statement::{Digest, Envelope, SessionApproval, SignedStatement, Signer, Statement};

use super::beginning;
use super::fault::RenderFault;
use super::item::Item;
use super::remark::{self, Remark};
use super::standing::{Fill, Standing};
use crate::bytes::len_u64;
use crate::pack::parts::Told;

/// The approval and the people who signed it.
#[derive(Clone, Debug)]
pub(super) struct Approval {
    /// The entry that holds it.
    pub(super) seq: u64,
    /// SHA-256 of its bytes.
    pub(super) digest: Digest,
    /// Who had to sign; the kernel opened, so they did.
    pub(super) signers: Vec<Signer>,
    /// The policy under which it was signed.
    pub(super) policy_seq: u64,
    /// What it approves.
    pub(super) item: SessionApproval,
}

/// One plugin as it was opened.
#[derive(Clone, Debug)]
pub(super) struct OpenedPlugin {
    pub(super) name: String,
    pub(super) component: Digest,
    pub(super) engine: String,
}

/// A session and what stood around it.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// Its entries, from `session-opened` to its end, without those about the host.
    pub(super) items: Vec<Item>,
    /// What stood when it was opened.
    pub(super) at_opening: Standing,
    /// What stood at its end. After a crash: at the start that followed.
    pub(super) at_end: Standing,
    /// Under what it ran.
    pub(super) approval: Approval,
    /// The plugins that ran.
    pub(super) plugins: Vec<OpenedPlugin>,
    /// Whether positions could only be made smaller.
    pub(super) reduce_only: bool,
    /// Executions booked in it, by the entry that booked them.
    pub(super) fills: BTreeMap<u64, Fill>,
    /// What people said about it, until its pack was written.
    pub(super) remarks: Vec<Remark>,
}

impl Session {
    /// Reads a session.
    pub(super) fn read(told: &Told<'_>) -> Result<Self, RenderFault> {
        let Told { session: entries, before, notes } = *told;
        let mut standing = beginning::standing(before)?;
        for (seq, bytes) in (0_u64..).zip(before) {
            if let Some(item) = Item::read(seq, bytes)? {
                // Executions before the session are not its own; they are only remembered.
                drop(standing.take(&item)?);
            }
        }
        let at_opening = standing.clone();
        let (mut items, mut fills) = (Vec::new(), BTreeMap::new());
        for (seq, bytes) in (len_u64(before.len())..).zip(entries) {
            let Some(item) = Item::read(seq, bytes)? else { continue };
            let booked = standing.take(&item)?;
            fills.extend(booked.into_iter().map(|fill| (seq, fill)));
            items.push(item);
        }
        let opened = items.first().filter(|item| item.is("session-opened"));
        let ends = |item: &&Item| item.is("session-closed") || item.is("started");
        let (Some(opened), Some(_)) = (opened, items.last().filter(ends)) else {
            return Err(RenderFault::NoSession);
        };
        let approval = approval_of(opened, &at_opening)?;
        let (plugins, reduce_only) = opened.body(|body| {
            let mut facts = body.fields("facts")?;
            let plugins = facts.list("plugins")?.iter().map(plugin);
            Ok((plugins.collect::<Result<_, JsonError>>()?, facts.bool("reduce_only")?))
        })?;
        let at_end = standing;
        let remarks = remark::read(notes, &approval.item.session, &items)?;
        Ok(Self { items, at_opening, at_end, approval, plugins, reduce_only, fills, remarks })
    }

    pub(super) fn phase(&self) -> Phase {
        self.approval.item.phase
    }

    /// Whether it ended with the kernel's next start instead of with its closing.
    pub(super) fn crashed(&self) -> bool {
        self.items.last().is_some_and(|item| item.is("started"))
    }

    /// The entries of the run in which it was open: without the start after a crash.
    pub(super) fn run(&self) -> &[Item] {
        match self.items.split_last() {
            Some((last, rest)) if last.is("started") => rest,
            Some(_) | None => &self.items,
        }
    }

    /// The closing, with the kernel's own counts; a crash leaves none.
    pub(super) fn closing(&self) -> Option<&Item> {
        self.items.last().filter(|item| item.is("session-closed"))
    }

    /// The instrument of that symbol, as approved for this session.
    pub(super) fn instrument(&self, symbol: &str) -> Option<&Instrument> {
        self.approval.item.instruments.iter().find(|instrument| instrument.symbol == symbol)
    }

    /// The instrument of an order of ours.
    pub(super) fn instrument_of(&self, cl_ord_id: &str) -> Option<&Instrument> {
        self.instrument(self.at_end.symbols.get(cl_ord_id)?)
    }
}

/// The approval that the opening names, as it was handed in.
fn approval_of(opened: &Item, standing: &Standing) -> Result<Approval, RenderFault> {
    let digest = opened.body(|body| body.fields("facts")?.digest("approval"))?;
    let request = standing.open_request.as_ref().ok_or(RenderFault::ApprovalMissing)?;
    let signed = request.body(|body| SignedStatement::from_value(body.value("signed")?))?;
    if Digest::of(&signed.bytes) != digest {
        return Err(RenderFault::ApprovalMissing);
    }
    let seq = request.seq;
    let fault = |cause: &str| RenderFault::Approval { seq, cause: cause.to_owned() };
    let envelope = Envelope::parse(&signed.bytes).map_err(|refusal| fault(&refusal.cause()))?;
    let statement = envelope.statement().map_err(|refusal| fault(&refusal.cause()))?;
    let Statement::SessionApproval(item) = statement else {
        return Err(fault("is another kind of statement"));
    };
    let same = opened.body(|body| {
        let session = body.text("session")? == item.session.as_str();
        let mut facts = body.fields("facts")?;
        let phase = facts.uint("phase")? == u64::from(item.phase.number());
        Ok(session && phase && facts.text("endpoint_kind")? == item.endpoint_kind.name())
    })?;
    if !same {
        return Err(fault("speaks of another session, phase or endpoint"));
    }
    let (signers, policy_seq) = (envelope.header.signers, envelope.header.policy_seq);
    Ok(Approval { seq, digest, signers, policy_seq, item: *item })
}

fn plugin(value: &Value) -> Result<OpenedPlugin, JsonError> {
    let mut fields = Fields::new(value)?;
    Ok(OpenedPlugin {
        name: fields.text("name")?.to_owned(),
        component: fields.digest("component")?,
        engine: fields.text("engine")?.to_owned(),
    })
}
