//! The venue's ledger: what it booked on the account, entry by entry.

use std::borrow::Cow;
use std::collections::BTreeMap;

use portcullis_domain::{LedgerEntry, LedgerEntryId, LedgerKind, Money, WallNs};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::frame::read;
use super::moment::parse_unix_seconds;
use super::number::NumberText;
use super::record::asset_name;
use super::rest::{RestFailure, result_of};
use crate::{WireError, WireFault};

/// What the id of a charge ends in that the venue booked within another entry.
const FEE_SUFFIX: &str = "-fee";

/// One entry of the venue's ledger, in the venue's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRecord {
    /// The venue's id.
    pub id: LedgerEntryId,
    /// What it belongs to: a fill, a deposit, a transfer.
    pub ref_id: String,
    /// When, by the venue's clock.
    pub at: WallNs,
    /// The venue's word for the kind.
    pub kind: String,
    /// The venue's word within the kind; mostly empty.
    pub subtype: String,
    /// The common name of the currency.
    pub currency: String,
    /// Signed: above zero came in.
    pub amount: NumberText,
    /// Charged beside it, in the same currency; below zero where it was given back.
    pub fee: NumberText,
}

/// Answer of `Ledgers`: one page, the oldest first.
///
/// # Errors
/// [`RestFailure`].
pub fn ledgers(body: &[u8]) -> Result<Vec<LedgerRecord>, RestFailure> {
    #[derive(Deserialize)]
    struct Page<'a> {
        #[serde(borrow)]
        ledger: BTreeMap<Cow<'a, str>, EntryData<'a>>,
    }
    let page: Page<'_> = read(result_of(body)?)?;
    let records = page.ledger.into_iter().map(|(id, data)| data.record(&id));
    let mut records = records.collect::<Result<Vec<_>, WireError>>()?;
    records.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    Ok(records)
}

#[derive(Deserialize)]
struct EntryData<'a> {
    #[serde(borrow)]
    refid: Cow<'a, str>,
    #[serde(borrow)]
    time: &'a RawValue,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    subtype: Cow<'a, str>,
    #[serde(borrow)]
    asset: Cow<'a, str>,
    #[serde(borrow)]
    amount: &'a RawValue,
    #[serde(borrow)]
    fee: &'a RawValue,
}

impl EntryData<'_> {
    fn record(self, id: &str) -> Result<LedgerRecord, WireError> {
        let time = self.time.get();
        Ok(LedgerRecord {
            id: LedgerEntryId(id.to_owned()),
            ref_id: self.refid.into_owned(),
            at: parse_unix_seconds(time).map_err(|error| WireError::number("time", time, error))?,
            kind: self.kind.into_owned(),
            subtype: self.subtype.into_owned(),
            currency: asset_name(&self.asset).to_owned(),
            amount: NumberText::from_raw("amount", self.amount)?,
            fee: NumberText::from_raw("fee", self.fee)?,
        })
    }
}

impl LedgerRecord {
    /// What it books besides fills: its amount, and what was charged beside it as an entry of its
    /// own. Nothing for a trade, which the list of fills states, and nothing for a word that is not
    /// known: its amount is then a difference of the balance, and people's to settle.
    ///
    /// # Errors
    /// `FIELD_INVALID` for an amount that is too large.
    pub fn entries(&self) -> Result<Vec<LedgerEntry>, WireError> {
        let read = |field, text: &NumberText| {
            text.money().map_err(|error| WireError::number(field, text.as_str(), error))
        };
        let (amount, fee) = (read("amount", &self.amount)?, read("fee", &self.fee)?);
        let charge = fee.0.checked_neg().map(Money).ok_or_else(|| {
            WireError::new(WireFault::FieldInvalid, format!("fee {:?}", self.fee.as_str()))
        })?;
        let Some(kind) = self.booked_as(amount) else { return Ok(Vec::new()) };
        let fee_id = LedgerEntryId(format!("{}{FEE_SUFFIX}", self.id.0));
        // The price of credit stands in the fee alone.
        let fee_kind = if self.kind == "rollover" { kind } else { LedgerKind::Fee };
        let entry = |id, kind, amount| LedgerEntry {
            id,
            kind,
            currency: self.currency.clone(),
            amount,
            at: self.at,
        };
        let both = [entry(self.id.clone(), kind, amount), entry(fee_id, fee_kind, charge)];
        Ok(both.into_iter().filter(|entry| entry.amount != Money::ZERO).collect())
    }

    fn booked_as(&self, amount: Money) -> Option<LedgerKind> {
        let by_sign = |came, went| Some(if amount < Money::ZERO { went } else { came });
        match (self.kind.as_str(), self.subtype.as_str()) {
            ("deposit", _) => Some(LedgerKind::Deposit),
            ("withdrawal", _) => Some(LedgerKind::Withdrawal),
            // Between this account and another wallet of the same owner.
            ("transfer", _) => by_sign(LedgerKind::Deposit, LedgerKind::Withdrawal),
            ("rollover" | "staking" | "reward" | "dividend", _) => Some(LedgerKind::Interest),
            ("credit" | "adjustment", _) => by_sign(LedgerKind::Rebate, LedgerKind::Fee),
            ("spend" | "receive", "dustsweeping") => Some(LedgerKind::Dust),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kraken::testing::rest_fixture;

    fn record(kind: &str, subtype: &str, amount: &str, fee: &str) -> LedgerRecord {
        let body = format!(
            r#"{{"error":[],"result":{{"ledger":{{"LAAAAA-BBBBB-CCCCCC":{{"refid":"R","time":1.5,
            "type":"{kind}","subtype":"{subtype}","aclass":"currency","asset":"XXBT",
            "amount":"{amount}","fee":"{fee}","balance":"1"}}}},"count":1}}}}"#
        );
        ledgers(body.as_bytes()).unwrap().remove(0)
    }

    #[test]
    fn a_recorded_page_is_read_the_oldest_first_and_books_no_fill_twice() {
        let Some(page) = rest_fixture("/0/private/Ledgers") else { return };
        let page = ledgers(page.as_bytes()).unwrap();
        let of = |record: &LedgerRecord| (record.id.0.clone(), record.at.0, record.fee.clone());
        let (first, second) = (of(&page[0]), of(&page[1]));
        assert_eq!((first.0.as_str(), first.1), ("LMKZCZ-Z3GVL-CXKK4H", 1_688_444_262_888_800_000));
        assert_eq!((second.0.as_str(), second.2.as_str()), ("L4UESK-KG3EQ-UFO4T5", "0.0490"));
        assert_eq!((page[1].currency.as_str(), page[1].amount.as_str()), ("GBP", "-24.5000"));
        assert_eq!((page[1].kind.as_str(), page.len()), ("trade", 2));
        assert!(page.iter().all(|record| record.entries().unwrap().is_empty()));
    }

    #[test]
    fn each_word_of_the_venue_books_its_kind_and_an_unknown_one_nothing() {
        #[track_caller]
        fn check(kind: &str, subtype: &str, amounts: (&str, &str), expect: &[(LedgerKind, &str)]) {
            let booked = record(kind, subtype, amounts.0, amounts.1).entries().unwrap();
            let found: Vec<_> = booked.iter().map(|it| (it.kind, it.amount.text())).collect();
            let expect: Vec<_> = expect.iter().map(|(k, text)| (*k, (*text).to_owned())).collect();
            assert_eq!(found, expect, "{kind} {subtype}");
        }
        use LedgerKind::{Deposit, Dust, Fee, Interest, Rebate, Withdrawal};
        check("deposit", "", ("0.5", "0"), &[(Deposit, "0.5")]);
        check("deposit", "", ("0.5", "0.001"), &[(Deposit, "0.5"), (Fee, "-0.001")]);
        check("withdrawal", "", ("-0.5", "0.0002"), &[(Withdrawal, "-0.5"), (Fee, "-0.0002")]);
        check("transfer", "spottofutures", ("-1", "0"), &[(Withdrawal, "-1")]);
        check("transfer", "spotfromfutures", ("1", "0"), &[(Deposit, "1")]);
        check("rollover", "", ("0.0000", "0.25"), &[(Interest, "-0.25")]);
        check("staking", "", ("0.01", "0"), &[(Interest, "0.01")]);
        check("credit", "", ("2", "0"), &[(Rebate, "2")]);
        check("adjustment", "", ("-2", "0"), &[(Fee, "-2")]);
        check("spend", "dustsweeping", ("-0.00001", "0"), &[(Dust, "-0.00001")]);
        check("spend", "", ("-1", "0"), &[]);
        check("trade", "", ("-1", "0.1"), &[]);
        check("a word of next year", "", ("1", "0"), &[]);
        let ids: Vec<_> = record("deposit", "", "1", "1").entries().unwrap();
        assert_eq!(ids[0].id.0, "LAAAAA-BBBBB-CCCCCC");
        assert_eq!(ids[1].id.0, "LAAAAA-BBBBB-CCCCCC-fee");
        assert_eq!((ids[0].currency.as_str(), ids[0].at), ("BTC", WallNs(1_500_000_000)));
    }

    #[test]
    fn an_amount_that_cannot_be_read_is_a_failure() {
        let body = br#"{"error":[],"result":{"ledger":{"L":{"refid":"R","time":1,"type":"deposit",
            "asset":"XXBT","amount":"1e3","fee":"0"}},"count":1}}"#;
        assert!(matches!(ledgers(body), Err(RestFailure::Unreadable(_))));
        assert!(matches!(ledgers(b"{}"), Err(RestFailure::Unreadable(_))));
        assert_eq!(ledgers(br#"{"error":[],"result":{"ledger":{},"count":0}}"#), Ok(Vec::new()));
    }
}
