//! `portcullis request session`: asks the daemon for a draft and fills the approval from it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use portcullis_control::{Reply, Request};
use portcullis_domain::time::{NS_PER_MS, NS_PER_S};
use portcullis_domain::{Money, Name};
use portcullis_statement::Digest;

use super::{Common, Setting, finish, name, phase};
use crate::client::{self, SOON};
use crate::draft::{self, ChosenPlugin, SessionPlan};
use crate::home::Policies;
use crate::{CliError, Exit};

/// Approves one session.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis request session --home demo-home --phase 2 --plugin ema-cross=SHA256 \
    --param fast=5 --param slow=20 --instrument BTC-USD --minutes 60 --out session.request\n\n\
    The worst-case loss in it: for each instrument, with its limits,\n  \
    value = ceil(max(position_qty_max, |carried|) / order_qty_max) x order_notional_max\n  \
    loss  = value x (1 + price_collar_bps / 10000) + 2 x value x taker_fee\n\
    that is, the largest holding becomes worthless. Repeated trading can cost more, up to the loss\n\
    limit, which the review shows beside it.")]
pub(crate) struct SessionArgs {
    /// The home of the running daemon.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// The phase.
    #[arg(long, value_name = "N")]
    pub(crate) phase: u8,
    /// A plugin and the SHA-256 of its component; may be given several times.
    #[arg(long = "plugin", value_name = "NAME=SHA", required = true)]
    pub(crate) plugins: Vec<String>,
    /// A parameter of the plugin; with several plugins PLUGIN:KEY=VALUE.
    #[arg(long = "param", value_name = "KEY=VALUE")]
    pub(crate) params: Vec<String>,
    /// An instrument, by our symbol; may be given several times.
    #[arg(long = "instrument", value_name = "SYMBOL", required = true)]
    pub(crate) instruments: Vec<String>,
    /// Length of the window, from now on.
    #[arg(long, value_name = "N")]
    pub(crate) minutes: u32,
    /// The session's name [default: s- and the time in UTC].
    #[arg(long, value_name = "NAME")]
    pub(crate) session: Option<String>,
    /// SHA-256 of the endpoint-set statement [default: the only accepted one].
    #[arg(long, value_name = "SHA")]
    pub(crate) endpoint: Option<String>,
    /// Phase 1: a starting balance of the shadow account; may be given several times.
    #[arg(long = "balance", value_name = "CURRENCY=AMOUNT")]
    pub(crate) balances: Vec<String>,
    /// The most that the account may be worth at the opening, in the account's currency
    /// [default: what it holds now and a tenth more].
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) equity_max: Option<String>,
    /// Latency of the paper model each way.
    #[arg(long, value_name = "MS", default_value_t = 2)]
    pub(crate) latency_ms: u32,
    /// Fuel that one batch of a plugin may use.
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    pub(crate) fuel: u32,
    /// Where to, and who signs.
    #[command(flatten)]
    pub(crate) common: Common,
}

pub(super) fn run(args: &SessionArgs) -> Result<(), CliError> {
    let (home, setting) = Setting::new(&args.home, &args.common)?;
    // Everything that can be wrong on this side is found before the journal learns of a draft.
    let phase = phase(args.phase)?;
    let plugins = plugins(args)?;
    let endpoint = args.endpoint.as_deref().map(digest).transpose()?;
    let balances = balances(&args.balances)?;
    let policies = Policies::read(&home.policies_folder())?;
    let strategies: Vec<Name> = plugins.iter().map(|plugin| plugin.name.clone()).collect();
    let (instruments, limits) = policies.choose(&args.instruments, &strategies)?;
    let equity_max = args.equity_max.as_deref().map(amount).transpose()?;
    let session = match &args.session {
        Some(session) => name("session", session)?,
        None => name("session", &format!("s-{}", setting.now.folder_stamp()))?,
    };
    let closes = setting.now.plus_ns(i64::from(args.minutes).saturating_mul(60 * NS_PER_S));

    let socket = home.control_socket();
    let request = Request::Draft { session: session.clone() };
    let Reply::Draft(view) = client::ask(&socket, &request, SOON)? else {
        return Err(client::unexpected(&socket));
    };
    let plan = SessionPlan {
        account: setting.installation.genesis.account.clone(),
        host: setting.installation.genesis.host.clone(),
        session,
        draft: &view,
        phase,
        plugins,
        instruments: &instruments,
        limits: &limits,
        phases: &policies.phases,
        safety: policies.safety.digest,
        endpoint,
        balances,
        equity_max,
        window: (setting.now, closes),
        latency_ns: i64::from(args.latency_ms).saturating_mul(NS_PER_MS),
        fuel_per_batch_max: u64::from(args.fuel),
    };
    finish(&args.common, draft::session(&setting.desk(closes), &plan))
}

fn usage(code: &str, subject: &str, cause: &str, next: &str) -> CliError {
    CliError::new(Exit::Usage, code, subject, cause, next)
}

pub(crate) fn digest(text: &str) -> Result<Digest, CliError> {
    let cause = "not a SHA-256 of 64 lower-case hex digits";
    Digest::from_hex(text)
        .ok_or_else(|| usage("DIGEST_FORM", text, cause, "portcullis plugin inspect FILE shows it"))
}

fn pair<'a>(text: &'a str, form: &str) -> Result<(&'a str, &'a str), CliError> {
    let next = format!("write {form}");
    text.split_once('=').ok_or_else(|| usage("PAIR_FORM", text, &format!("not {form}"), &next))
}

/// The plugins with their parameters.
fn plugins(args: &SessionArgs) -> Result<Vec<ChosenPlugin>, CliError> {
    let mut plugins = Vec::new();
    for text in &args.plugins {
        let (plugin, component) = pair(text, "NAME=SHA")?;
        let (name, component) = (name("plugin", plugin)?, digest(component)?);
        plugins.push(ChosenPlugin { name, component, params: BTreeMap::new() });
    }
    for text in &args.params {
        let (key, value) = pair(text, "KEY=VALUE")?;
        let (plugin, key) = match (plugins.as_mut_slice(), key.split_once(':')) {
            ([only], _) => (only, key),
            (several, Some((plugin, key))) => (named(several, plugin, text)?, key),
            (_, None) => {
                let cause = "which plugin's?";
                return Err(usage("PARAM_FORM", text, cause, "write PLUGIN:KEY=VALUE"));
            }
        };
        if plugin.params.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(usage("PARAM_TWICE", text, "given twice", "give each parameter once"));
        }
    }
    Ok(plugins)
}

fn named<'a>(
    plugins: &'a mut [ChosenPlugin],
    name: &str,
    text: &str,
) -> Result<&'a mut ChosenPlugin, CliError> {
    let name = Name::new(name);
    let found = plugins.iter_mut().find(|plugin| Some(&plugin.name) == name.as_ref());
    found.ok_or_else(|| usage("PARAM_FORM", text, "no such plugin here", "name it with --plugin"))
}

fn money(text: &str) -> Option<Money> {
    Money::parse(text).ok().filter(|amount| *amount >= Money::ZERO)
}

fn amount(text: &str) -> Result<Money, CliError> {
    let next = "write --equity-max 10000";
    money(text).ok_or_else(|| usage("AMOUNT_FORM", text, "no amount", next))
}

fn balances(texts: &[String]) -> Result<BTreeMap<String, Money>, CliError> {
    let mut balances = BTreeMap::new();
    for text in texts {
        let (currency, amount) = pair(text, "CURRENCY=AMOUNT")?;
        let amount = money(amount);
        let next = "write --balance USD=10000";
        let amount = amount.ok_or_else(|| usage("BALANCE_FORM", text, "no amount", next))?;
        if balances.insert(currency.to_owned(), amount).is_some() {
            return Err(usage("BALANCE_TWICE", text, "given twice", "give each currency once"));
        }
    }
    Ok(balances)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(plugins: &[&str], params: &[&str]) -> SessionArgs {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        SessionArgs {
            home: PathBuf::new(),
            phase: 2,
            plugins: texts(plugins),
            params: texts(params),
            instruments: Vec::new(),
            minutes: 1,
            session: None,
            endpoint: None,
            balances: Vec::new(),
            equity_max: None,
            latency_ms: 1,
            fuel: 1,
            common: Common { out: PathBuf::new(), signers: Vec::new() },
        }
    }

    #[test]
    fn a_parameter_belongs_to_one_plugin() {
        let sha = "0".repeat(64);
        let (a, b) = (format!("a={sha}"), format!("b={sha}"));
        let check = |names: &[&str], params: &[&str], expect: Result<usize, &str>| {
            let seen = plugins(&args(names, params));
            let seen = seen.map(|list| list.last().map_or(0, |plugin| plugin.params.len()));
            assert_eq!(seen.map_err(|error| error.code), expect.map_err(str::to_owned));
        };
        check(&[&a], &["x=1", "y=a=b", "p:q=2"], Ok(3));
        check(&[&a, &b], &["a:x=1", "b:x=2", "b:y=3"], Ok(2));
        check(&[&a, &b], &["x=1"], Err("PARAM_FORM"));
        check(&[&a, &b], &["c:x=1"], Err("PARAM_FORM"));
        check(&[&a], &["x=1", "x=1"], Err("PARAM_TWICE"));
        check(&[&a], &["x"], Err("PAIR_FORM"));
        check(&["a"], &[], Err("PAIR_FORM"));
        check(&["a=12"], &[], Err("DIGEST_FORM"));
        check(&[&format!("A={sha}")], &[], Err("NAME_FORM"));
    }

    #[test]
    fn a_balance_is_an_amount_of_one_currency() {
        let check = |texts: &[&str], expect: Result<usize, &str>| {
            let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
            let seen = balances(&texts).map(|map| map.len()).map_err(|error| error.code);
            assert_eq!(seen, expect.map_err(str::to_owned));
        };
        check(&["USD=1.5", "BTC=0"], Ok(2));
        check(&["USD=-1"], Err("BALANCE_FORM"));
        check(&["USD=1e3"], Err("BALANCE_FORM"));
        check(&["USD=1", "USD=2"], Err("BALANCE_TWICE"));
    }
}
