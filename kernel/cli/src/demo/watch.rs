//! What really happened: the daemon's own view, and the exchange's own log.

use std::fs;

use portcullis_control::{Reply, Request, StatusView};
use portcullis_domain::WallNs;
use serde::Deserialize;

use super::stage::{Stage, unexpected};
use crate::CliError;
use crate::client::{self, SOON};

/// One line of the exchange's log.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct WireLine {
    event: String,
    #[serde(default)]
    method: String,
    wall_ns: String,
}

impl WireLine {
    /// Whether a new order reached the exchange.
    fn is_new_order(&self) -> bool {
        self.event == "request" && self.method == "add_order"
    }
}

impl Stage {
    /// The daemon's view, if it answers.
    pub(super) fn status(&self) -> Option<StatusView> {
        let socket = self.home().join("control.sock");
        match client::ask(&socket, &Request::Status, SOON) {
            Ok(Reply::Status(view)) => Some(view),
            Ok(_) | Err(_) => None,
        }
    }

    /// Every line of the exchange's log so far.
    pub(super) fn wire(&self) -> Result<Vec<WireLine>, CliError> {
        let path = self.path("exchange/wire.jsonl");
        let text = fs::read_to_string(&path)
            .map_err(|error| unexpected("the exchange's log", &error.to_string()))?;
        // A last line that is being written is read the next time.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole
            .lines()
            .map(|line| {
                serde_json::from_str(line)
                    .map_err(|error| unexpected("the exchange's log", &error.to_string()))
            })
            .collect()
    }

    /// How many new orders reached the exchange after a moment, by its own clock.
    pub(super) fn new_orders_after(&self, moment: WallNs) -> Result<usize, CliError> {
        let mut count = 0_usize;
        for line in self.wire()?.iter().filter(|line| line.is_new_order()) {
            let at = line.wall_ns.parse::<i64>();
            let at = at.map_err(|error| unexpected("the exchange's log", &error.to_string()))?;
            if at > moment.0 {
                count = count.saturating_add(1);
            }
        }
        Ok(count)
    }

    /// How many new orders have reached the exchange.
    pub(super) fn new_orders(&self) -> Result<usize, CliError> {
        Ok(self.wire()?.iter().filter(|line| line.is_new_order()).count())
    }
}

/// Verdicts of a code.
pub(super) fn verdicts(view: &StatusView, code: &str) -> u64 {
    view.verdicts.get(code).copied().unwrap_or(0)
}
