//! `portcullis status`: may I trade, why not, what is open, what next.

use std::path::PathBuf;

use portcullis_control::{Answer, Reconciliation, Reply, Request, StatusView};
use portcullis_statement::json::{self, Value};

use crate::client::{self, SOON};
use crate::home::Home;
use crate::out::{self, field, indented};
use crate::{CliError, Exit};

/// May I trade, why not, what is open, what next.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis status --home demo-home\n  \
    portcullis status --home demo-home --json")]
pub(crate) struct Args {
    /// The home of the running daemon.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let view = ask(&Home::open(&args.home)?)?;
    if args.json { out::json("status", document(view)?) } else { out::result(&render(&view)) }
}

/// The daemon's view of itself.
pub(crate) fn ask(home: &Home) -> Result<StatusView, CliError> {
    let socket = home.control_socket();
    let Reply::Status(view) = client::ask(&socket, &Request::Status, SOON)? else {
        return Err(client::unexpected(&socket));
    };
    Ok(view)
}

/// The view's own fields, as they crossed the socket.
fn document(view: StatusView) -> Result<Value, CliError> {
    let fault = |cause: &str| {
        let next = "use the portcullis of the same release as the daemon";
        CliError::new(Exit::Internal, "ANSWER_FOREIGN", "daemon", cause, next)
    };
    let bytes = Answer::last(Reply::Status(view)).to_bytes();
    let bytes = bytes.map_err(|error| fault(&error.to_string()))?;
    let mut value = json::parse(&bytes).map_err(|error| fault(&error.to_string()))?;
    if let Value::Object(entries) = &mut value {
        for mark in ["last", "ok", "reply", "v"] {
            entries.remove(mark);
        }
    }
    Ok(value)
}

/// The view for a terminal. The first line is the answer to the first question.
pub(crate) fn render(view: &StatusView) -> String {
    let mut text = field("may I trade", if view.may_trade { "YES" } else { "NO" });
    for reason in &view.reasons {
        text += &indented(reason);
    }
    let session = match (&view.session, &view.phase) {
        (Some(session), Some(phase)) => {
            format!("{session}, phase {} ({})", phase.number, phase.name)
        }
        _ => "none open".to_owned(),
    };
    text += &field("session", &session);
    let kill = match &view.kill_entry {
        Some(entry) => format!("DOWN, kill {}, entry {entry}", view.kill_seq),
        None => format!("up, {} kills so far", view.kill_seq),
    };
    text += &field("kill latch", &kill);
    for (guard, state) in &view.guards {
        text += &field("guard", &format!("{guard}: {state}"));
    }
    for line in &view.witnesses {
        text += &field("witnesses", line);
    }
    if let Some(claim) = &view.copies {
        text += &field("copies", claim);
    }
    if view.size_percent < 100 {
        text += &field("size", &format!("{} % of the limits after a kill", view.size_percent));
    }
    let feed = view.feed_age_ms.map_or_else(|| "none".to_owned(), |age| format!("{age} ms old"));
    text += &field("market data", &feed);
    text += &reconciliation(&view.reconciliation);
    text += &orders(view);
    text += &positions(view);
    for line in &view.protection {
        text += &field("protection", line);
    }
    for (code, count) in &view.verdicts {
        text += &field("verdict", &format!("{count} x {code}"));
    }
    for line in &view.seals {
        text += &field("seal", line);
    }
    for (session, state) in &view.sessions {
        text += &field("known session", &format!("{session}: {state}"));
    }
    text + &field("next", &view.next)
}

fn reconciliation(state: &Reconciliation) -> String {
    match state {
        Reconciliation::NotCompared => field("reconciliation", "not compared yet"),
        Reconciliation::Agreed => field("reconciliation", "account and house agree"),
        Reconciliation::Differs(list) => {
            let count = format!("{} differences", list.len());
            let lines = list.iter().map(|line| indented(line));
            lines.fold(field("reconciliation", &count), |text, line| text + &line)
        }
    }
}

/// The orders that can still trade.
pub(crate) fn orders(view: &StatusView) -> String {
    let mut text = field("open orders", &view.orders.len().to_string());
    for order in &view.orders {
        let line = format!(
            "{} {} {} {}, filled {}",
            order.cl_ord_id, order.symbol, order.what, order.status, order.cum_qty
        );
        text += &indented(&line);
    }
    text
}

/// What is held.
pub(crate) fn positions(view: &StatusView) -> String {
    let mut text = field("positions", &view.positions.len().to_string());
    for position in &view.positions {
        let at = position.avg_px.as_ref().map_or_else(String::new, |px| format!(" at {px}"));
        let profit = position.profit.as_deref().unwrap_or("unknown");
        let line = format!(
            "{} {}{at}, profit {profit}, fees {}",
            position.symbol, position.qty, position.fees
        );
        text += &indented(&line);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use portcullis_control::{OrderView, PhaseView, PositionView};

    use super::*;
    use crate::testing::{People, Scratch};
    use crate::testing::{daemon, frame};

    fn view() -> StatusView {
        let text = |text: &str| text.to_owned();
        StatusView {
            may_trade: false,
            reasons: vec![text("KILL_ACTIVE: kill 1 (\u{1b}[2Joops)")],
            protection: vec![text("PROTECTION_HELD_BY_KERNEL: 1 positions")],
            phase: Some(PhaseView { number: 2, name: text("paper") }),
            session: Some(text("s1")),
            killed: true,
            kill_seq: 1,
            kill_entry: Some(text("ab")),
            orders: vec![OrderView {
                cl_ord_id: text("pc1"),
                symbol: text("BTC-USDT"),
                what: text("buy 1 @ 2"),
                status: text("New"),
                cum_qty: text("0"),
            }],
            positions: vec![PositionView {
                symbol: text("BTC-USDT"),
                qty: text("1"),
                avg_px: Some(text("2")),
                profit: None,
                fees: text("0.1"),
            }],
            verdicts: BTreeMap::from([(text("APPROVED"), 2)]),
            feed_age_ms: Some(5),
            guards: BTreeMap::from([(text("witness"), text("not required"))]),
            witnesses: vec![text("self-attested")],
            copies: Some(text("7 bytes uncopied")),
            run: None,
            size_percent: 50,
            reconciliation: Reconciliation::Differs(vec![text("one\ntwo")]),
            sessions: BTreeMap::from([(text("s1"), text("open"))]),
            seals: vec![text("s0: overdue")],
            next: text("portcullis request unkill"),
        }
    }

    #[test]
    fn the_first_line_answers_and_nothing_foreign_reaches_the_terminal() {
        let text = render(&view());
        assert!(text.starts_with("may I trade      NO\n  KILL_ACTIVE: kill 1 (\\u{1b}[2Joops)\n"));
        assert!(text.contains("PROTECTION_HELD_BY_KERNEL: 1 positions"));
        assert!(text.contains("one\\u{a}two") && !text.contains('\u{1b}'));
        assert!(
            text.contains("7 bytes uncopied")
                && text.contains("witness: not required")
                && text.contains("50 % of the limits")
        );
        assert!(text.contains("BTC-USDT 1 at 2, profit unknown, fees 0.1"));
        assert!(text.ends_with("next             portcullis request unkill\n"));
    }

    #[test]
    fn the_document_is_what_crossed_the_socket() {
        let document = document(view()).unwrap();
        let mut fields = json::Fields::new(&document).unwrap();
        assert_eq!(fields.uint("kill_seq"), Ok(1));
        assert!(fields.optional("v").is_none() && fields.optional("reply").is_none());
        assert_eq!(fields.list("orders").map(<[Value]>::len), Ok(1));
    }

    #[test]
    fn the_view_comes_from_the_daemon_of_that_home() {
        let scratch = Scratch::new("status");
        let people = People::new();
        std::fs::write(scratch.path().join("genesis.json"), &people.genesis.bytes).unwrap();
        let socket = scratch.path().join("control.sock");
        let server = daemon(socket, vec![frame(&Answer::last(Reply::Status(view())))]);
        assert_eq!(ask(&Home::open(scratch.path()).unwrap()), Ok(view()));
        assert_eq!(server.join().unwrap(), Request::Status);
    }
}
