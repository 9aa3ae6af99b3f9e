//! Deposits and withdrawals from outside: lines of a file that grows while the exchange runs.

use std::path::{Path, PathBuf};

use portcullis_domain::{Money, WallNs};
use portcullis_wire::server::rest::LedgerView;
use serde::Deserialize;

use crate::account::Booking;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::wire_log::WireLog;

/// The file, and how much of it is booked.
#[derive(Debug)]
pub(crate) struct Transfers {
    path: PathBuf,
    read: usize,
}

/// One line: an amount above zero comes in, one below zero goes out.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Transfer {
    account: String,
    currency: String,
    amount: String,
}

impl Transfers {
    pub(crate) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), read: 0 }
    }

    /// The whole lines that have come since the last call. A file that is not there has none.
    fn fresh(&mut self) -> Result<Vec<Transfer>, Fault> {
        let fault = |cause: String| Fault::config(self.path.display().to_string(), cause);
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(fault(error.to_string())),
        };
        let rest = text.get(self.read..).ok_or_else(|| fault("it became shorter".to_owned()))?;
        let whole = rest.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let lines = whole.lines().map(serde_json::from_str);
        let fresh = lines.collect::<Result<_, _>>().map_err(|error| fault(error.to_string()))?;
        if !whole.is_empty() {
            self.read = self.read.saturating_add(whole.len()).saturating_add(1);
        }
        Ok(fresh)
    }
}

impl Exchange {
    /// Books what has come into the file of transfers, if there is one.
    pub(crate) fn book_transfers(&mut self, now: WallNs) -> Result<(), Fault> {
        let Some(mut transfers) = self.transfers.take() else { return Ok(()) };
        let (fresh, path) = (transfers.fresh(), transfers.path.display().to_string());
        self.transfers = Some(transfers);
        for transfer in fresh? {
            let Transfer { account, currency, amount } = transfer;
            let index = self.accounts.iter().position(|known| known.name == account);
            let index = index.ok_or_else(|| Fault::config(&path, format!("no {account:?}")))?;
            let amount = Money::parse(&amount)
                .map_err(|error| Fault::config(&path, format!("{amount:?}: {}", error.cause())))?;
            let kind = if amount < Money::ZERO { "withdrawal" } else { "deposit" };
            let (id, ref_id) = (self.venue_id('L'), self.venue_id('Q'));
            let booking = Booking { id, ref_id, at: now, kind, amount, fee: Money::ZERO };
            let Some(account) = self.accounts.get_mut(index) else { continue };
            account.post(&currency, booking);
            let line = WireLog::line(now, "transfer")
                .text("account", &account.name)
                .text("currency", &currency)
                .text("amount", &amount.text());
            self.log.append(line);
        }
        Ok(())
    }

    /// The account's ledger, the latest entry first.
    pub(crate) fn ledger(&self, account: usize) -> impl Iterator<Item = &LedgerView> + '_ {
        self.accounts.get(account).into_iter().flat_map(|account| account.ledger.iter().rev())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lines_are_read_and_each_once() {
        let name = format!("portcullis-transfers-{}.jsonl", std::process::id());
        let path = std::env::temp_dir().join(name);
        drop(std::fs::remove_file(&path));
        let mut transfers = Transfers::of(&path);
        assert_eq!(transfers.fresh().unwrap(), []);
        let line = |amount: &str| {
            format!("{{\"account\":\"a\",\"currency\":\"BTC\",\"amount\":\"{amount}\"}}\n")
        };
        let mut check = |text: String, expect: &[&str]| {
            std::fs::write(&path, text).unwrap();
            let fresh = transfers.fresh().unwrap();
            assert_eq!(fresh.iter().map(|it| it.amount.as_str()).collect::<Vec<_>>(), expect);
        };
        let (one, two) = (line("1"), line("-2"));
        check(one.clone() + two.split_at(9).0, &["1"]);
        check(one.clone() + &two, &["-2"]);
        check(one + &two, &[]);
        std::fs::write(&path, "no line\n").unwrap();
        assert!(transfers.fresh().is_err());
        std::fs::remove_file(&path).unwrap();
    }
}
