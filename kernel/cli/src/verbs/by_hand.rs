//! What the verbs of people's own orders and of findings have in common.

use std::path::{Path, PathBuf};

use portcullis_control::{DenialView, Reply, Request};
use portcullis_domain::number::parse_scaled_wide;
use portcullis_domain::{ClOrdId, Money, Name};
use portcullis_statement::json::object;

use crate::client::{self, SOON};
use crate::home::Home;
use crate::{CliError, Exit, out};

/// Which daemon is asked, and as whom.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Asking {
    /// The home of the running daemon.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// Who asks, where this user could be several people of the roster.
    #[arg(long = "as", value_name = "PERSON", value_parser = person)]
    pub(crate) person: Option<Name>,
}

/// Reads a person's name.
fn person(text: &str) -> Result<Name, String> {
    Name::new(text).ok_or_else(|| "no name of a person: 1 to 64 of a-z 0-9 . _ -".to_owned())
}

/// Reads a plain decimal number above zero, and keeps it as it was typed: only the kernel knows
/// how many decimals the instrument has.
pub(crate) fn decimal(text: &str) -> Result<String, String> {
    match parse_scaled_wide(text, Money::SCALE) {
        Ok(value) if value > 0 => Ok(text.to_owned()),
        Ok(_) => Err("not above zero".to_owned()),
        Err(error) => Err(error.cause().to_owned()),
    }
}

/// Reads an order id of this house.
pub(crate) fn order_id(text: &str) -> Result<String, String> {
    let id = ClOrdId::parse(text).map(|id| id.to_string());
    id.ok_or_else(|| "no order id: pc and 16 digits of 0-9 a-f, as order list shows".to_owned())
}

/// Asks the daemon of that home, and prints what came of it.
pub(crate) fn ask(asking: &Asking, request: &Request, json: bool) -> Result<(), CliError> {
    answered(&Home::open(&asking.home)?.control_socket(), request, json)
}

/// Asks the daemon behind a socket for what may end in an order, and prints what came of it.
pub(crate) fn answered(socket: &Path, request: &Request, json: bool) -> Result<(), CliError> {
    match client::ask(socket, request, SOON)? {
        Reply::Ordered { cl_ord_id } if json => {
            out::json("order", object([("cl_ord_id", cl_ord_id.into())]))
        }
        Reply::Ordered { cl_ord_id } => out::result(&out::field("order", &cl_ord_id)),
        Reply::Done { text } => out::result(&portcullis_evidence::text::escape_terminal(&text)),
        Reply::Denied(denial) => Err(denied(&denial)),
        Reply::Signed { .. }
        | Reply::Status(_)
        | Reply::Draft(_)
        | Reply::Pack(_)
        | Reply::Findings { .. }
        | Reply::Proposals { .. }
        | Reply::GateClosed { .. }
        | Reply::Latched { .. }
        | Reply::OrdersClear { .. } => Err(client::unexpected(socket)),
    }
}

/// The gate's no: what was seen, what is allowed and what would pass.
fn denied(denial: &DenialView) -> CliError {
    let figure = |name: &str, figure: &Option<String>| {
        figure.as_ref().map_or_else(String::new, |text| format!("; {name} {text}"))
    };
    let observed = figure("observed", &denial.observed);
    let cause = format!("{}{observed}{}", denial.meaning, figure("limit", &denial.limit));
    let kill = denial.code == "KILL_ACTIVE";
    let exit = if kill { Exit::KillEngaged } else { Exit::Refused };
    let next = format!("what passes: {}", denial.passes);
    CliError::new(exit, &denial.code, "gate", &cause, &next)
}

#[cfg(test)]
mod tests;
