//! What one assessment costs. The gate is opened by really signed and verified statements of a
//! throw-away roster, as a replay's is: there is no other way to have one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use portcullis_domain::{
    BootNs, ClOrdId, Instrument, InstrumentId, Money, Name, Now, OrdType, OrderIntent, Origin,
    PluginId, Position, Px, Qty, Side, TimeInForce, WallNs,
};
use portcullis_gate::{
    Balance, Circumstances, Gate, GuardState, Guards, Opening, PriceWindow, Quote, Standing,
    StandingUsage, Usage, VenueStatus, Verdict, Working,
};
use portcullis_governance::{parse_instrument, parse_limits, parse_phases};
use portcullis_path::plugin_port::Loaded;
use portcullis_statement::json::{Value, object};
use portcullis_statement::{
    Digest, EndpointKind, RecordedFile, SignedStatement, Statement, Trust, Verified,
};

use super::Times;
use crate::replay::people::{Cast, Plan};
use crate::{CliError, Exit, files, out};

/// A day whose wall clock the bench uses, on which the prices in the limits are young; no clock
/// decides what it measures.
const START: WallNs = WallNs(1_723_161_600_000_000_000);
/// Whose limits in the policy files it takes.
const STRATEGY: &str = "ema-cross";
const BOOT: BootNs = BootNs(1_000_000_000_000);
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Measures one assessment.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Assessments of each kind.
    #[arg(long, default_value_t = 200_000)]
    count: u32,
    /// Folder of the policy files.
    #[arg(long, default_value = "policies")]
    policies: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let desk = Desk::open(args)?;
    let empty = Times::of(args.count, || ());
    let mut rows = vec![("the measurement itself", empty)];
    for case in desk.cases() {
        let id = ClOrdId { epoch: 1, sequence: 1 };
        let said = code(&desk.gate.assess(case.intent.clone(), id, &case.at));
        if said != case.answer {
            let cause = format!("the gate says {said} instead of {}", case.answer);
            return Err(failed(case.answer, &cause));
        }
        let times = Times::of(args.count, || desk.gate.assess(case.intent.clone(), id, &case.at));
        rows.push((case.answer, times));
    }
    if args.json {
        let rows = rows.iter().map(|(name, times)| times.value(name)).collect();
        return out::json("bench-gate", object([("rows", Value::List(rows))]));
    }
    let lines = rows.iter().map(|(name, times)| times.line(name));
    out::result(&format!("{} assessments of each kind\n{}", args.count, lines.collect::<String>()))
}

/// One question to the gate, and what it answers.
struct Case {
    answer: &'static str,
    intent: OrderIntent,
    at: Circumstances,
}

/// An open gate and what its approval is about.
struct Desk {
    gate: Gate,
    instrument: Instrument,
    component: Digest,
}

impl Desk {
    fn open(args: &Args) -> Result<Self, CliError> {
        let read = |name: &str| {
            let path = args.policies.join(name);
            files::read(&path, FILE_BYTES_MAX).map(|bytes| (path.display().to_string(), bytes))
        };
        let (path, bytes) = read("instruments/binance-btc-usdt.toml")?;
        let instrument = parse_instrument(&bytes, InstrumentId(0));
        let instrument = instrument.map_err(|error| failed(&path, &error.cause()))?;
        let of: Vec<Instrument> = vec![instrument.value.instrument.clone()];
        let (path, bytes) = read("limits.toml")?;
        let limits =
            parse_limits(&bytes, &of, &[name(STRATEGY)?]).map_err(|e| failed(&path, &e.cause()))?;
        let (path, bytes) = read("phases.toml")?;
        let phases = parse_phases(&bytes).map_err(|error| failed(&path, &error.cause()))?;
        let loaded = loaded();
        let balance = Money::parse("10000").unwrap_or(Money::ZERO);
        let plan = Plan {
            session: name("bench")?,
            plugin: name(STRATEGY)?,
            params: BTreeMap::new(),
            loaded: &loaded,
            instrument: &instrument,
            limits: &limits,
            phases: &phases,
            safety: Digest::of(&[]),
            balances: BTreeMap::from([(instrument.value.instrument.quote.clone(), balance)]),
            latency_ns: 0,
            fuel_per_batch_max: 1,
            start: START,
            window_ns: 3_600_000_000_000,
            origin: "portcullis/bench/bench/1/recorded".to_owned(),
            head: (0, Digest::of(&[])),
        };
        let gate = open(&plan)?;
        Ok(Self {
            gate,
            instrument: instrument.value.instrument.clone(),
            component: loaded.component,
        })
    }

    /// An order that every check lets pass, and orders that one check each denies: the first, some
    /// in the middle, and the last.
    fn cases(&self) -> Vec<Case> {
        let case = |answer, alter: &dyn Fn(&mut OrderIntent, &mut Circumstances)| {
            let (mut intent, mut at) = (self.intent(), self.circumstances());
            alter(&mut intent, &mut at);
            Case { answer, intent, at }
        };
        vec![
            case("WOULD_BE", &|_, _| {}),
            case("KILL_ACTIVE", &|_, at| at.killed = true),
            case("MAX_ORDER_QTY", &|intent, _| intent.qty = self.lots(100_000)),
            case("STALE_MARKET_DATA", &|_, at| {
                at.now.boot = BootNs(BOOT.0.saturating_add(3_600_000_000_000));
            }),
            case("PRICE_COLLAR", &|intent, _| intent.price = Px::new(7_000_000)),
            case("MAX_MSG_RATE", &|_, at| at.whole.messages = u32::MAX),
        ]
    }

    fn lots(&self, count: i64) -> Qty {
        Qty::new(self.instrument.lot.units().saturating_mul(count)).unwrap_or(Qty::ZERO)
    }

    fn intent(&self) -> OrderIntent {
        OrderIntent {
            origin: Origin::Plugin(PluginId(0)),
            reference: 1,
            instrument: self.instrument.id,
            side: Side::Buy,
            ord_type: OrdType::Limit,
            time_in_force: TimeInForce::Gtc,
            qty: self.lots(1_000),
            price: Px::new(6_000_000),
            reduce_only: false,
            bracket: None,
        }
    }

    fn circumstances(&self) -> Circumstances {
        let quote = Px::new(5_999_900).zip(Px::new(6_000_100));
        let (none, zero) = (GuardState::NotRequired, Some(Money::ZERO));
        let ten_thousand = Money::parse("10000").ok();
        let unused = Usage {
            gross: zero,
            profit: zero,
            drawdown: zero,
            adverse: zero,
            fees: zero,
            ..Usage::default()
        };
        Circumstances {
            now: Now { wall: START.plus_ns(1), boot: BOOT },
            killed: false,
            closing: false,
            reduce_only: false,
            flatten: false,
            size_percent: 100,
            evidence_writable: true,
            clock_offset_ns: Some(0),
            guards: Guards { guardian: none, witness: none, dead_man: none, presence: none },
            standing: Standing::Running,
            component: Some(self.component),
            warming_up: false,
            disabled: false,
            reference_used: false,
            same_approved: None,
            quote: quote.map(|(bid, ask)| Quote { bid, ask, received: BOOT }),
            window: Some(PriceWindow { low_twice: 12_000_000, high_twice: 12_000_000 }),
            book_valid: true,
            feed: Some(EndpointKind::Recorded),
            venue_status: Some(VenueStatus::Online),
            metadata_read: Some(START),
            reduced: None,
            position: Some(Position::FLAT),
            reducible: Some(Qty::ZERO),
            working: Some(Working::default()),
            crosses_own: false,
            balance: ten_thousand.map(|quote| Balance { base: Qty::ZERO, quote, read: BOOT }),
            reconciled: true,
            marks_fresh: true,
            exposure: Some(Money::ZERO),
            whole: unused,
            strategy: Some(unused),
            across: StandingUsage {
                notional: Some(Money::ZERO),
                profit_day: Some(Money::ZERO),
                profit_week: Some(Money::ZERO),
                equity: ten_thousand,
            },
        }
    }
}

/// Signs everything that a session needs, verifies it, and opens the gate with it.
fn open(plan: &Plan<'_>) -> Result<Gate, CliError> {
    let refused = |cause: String| failed("the throw-away session", &cause);
    let (account, host) = (name("bench")?, name("bench")?);
    let cast = Cast::new(Digest::of(b"bench"), plan.start, account.clone(), host.clone());
    let cast = cast.map_err(|refusal| refused(refusal.cause()))?;
    let trust = Trust::genesis(&cast.genesis, cast.fingerprint, plan.start);
    let trust = trust.map_err(|refusal| refused(refusal.cause()))?;
    let verify = |signed: &SignedStatement| -> Result<Verified<Statement>, CliError> {
        let verified = trust.verify(signed, &plan.phases.value, plan.start);
        verified.map_err(|refusal| refused(refusal.cause()))
    };
    let files = vec![RecordedFile { name: "none.jsonl".to_owned(), sha256: Digest::of(&[]) }];
    let endpoint = cast.endpoint(files);
    let release = cast.release(&plan.plugin, plan.loaded);
    let release = release.map_err(|error| refused(error.to_string()))?;
    let approval = cast.approval(plan, (&account, &host), (&endpoint, &release));
    let kind = || refused("a statement is of another kind".to_owned());
    let endpoint = verify(&endpoint)?.into_endpoint_set().ok_or_else(kind)?;
    let release = verify(&release)?.into_plugin_release().ok_or_else(kind)?;
    let approval = verify(&approval)?.into_session_approval().ok_or_else(kind)?;
    let desk = Opening {
        now: plan.start,
        genesis: cast.fingerprint,
        host: &host,
        account: &account,
        origin: &plan.origin,
        kill_seq: 0,
        phases_digest: plan.phases.digest,
        safety_digest: plan.safety,
        endpoints: &BTreeMap::from([(endpoint.digest(), endpoint)]),
        releases: &BTreeMap::from([(release.digest(), release)]),
        components: &[plan.loaded.component],
    };
    Gate::open(approval, &desk).map_err(|refusal| refused(refusal.code().to_owned()))
}

/// A component that is never run: only its digest and what it can do are signed.
fn loaded() -> Loaded {
    Loaded {
        component: Digest::of(b"bench component"),
        engine: "none".to_owned(),
        facts: object([
            ("exports", Value::List(Vec::new())),
            ("imports", Value::List(Vec::new())),
            ("memory_bytes_max", 1.into()),
            ("world", "portcullis:strategy@0.9.0".into()),
        ]),
    }
}

fn code(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Approve(_) => "APPROVE",
        Verdict::WouldBe(_) => "WOULD_BE",
        Verdict::Propose(_) => "PROPOSE",
        Verdict::Pause(_) => "PAUSE",
        Verdict::Deny(denial) => denial.code.code(),
    }
}

fn name(text: &str) -> Result<Name, CliError> {
    Name::new(text).ok_or_else(|| failed(text, "not a name"))
}

fn failed(subject: &str, cause: &str) -> CliError {
    let next = "name the folder of the policy files with --policies";
    CliError::new(Exit::BadConfig, "BENCH_FAILED", subject, cause, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_case_is_answered_as_it_says() {
        let policies = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../policies");
        let desk = Desk::open(&Args { count: 1, policies, json: false }).unwrap();
        for case in desk.cases() {
            let id = ClOrdId { epoch: 1, sequence: 1 };
            assert_eq!(code(&desk.gate.assess(case.intent, id, &case.at)), case.answer);
        }
    }
}
