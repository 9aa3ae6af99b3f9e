//! How the plain values of a snapshot are written.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use portcullis_domain::policy::guards::Guard;
use portcullis_domain::policy::triggers::Trigger;
use portcullis_domain::{
    BootNs, ClOrdId, ExecId, InstrumentId, InstrumentKind, LedgerEntryId, LedgerKind, Money, Name,
    Now, OrdStatus, OrderId, Position, Px, Qty, Rate, StopMode, StopScope, WallNs,
};
use portcullis_gate::VenueStatus;
use portcullis_statement::json::{Fields, Value};
use portcullis_statement::{Digest, JournalBinding, SignedStatement};

use super::{Kept, Read, Sections};
use crate::entry::{EntryError, as_int, as_list, as_text, at_from, at_value};
use crate::recon::DifferenceKind;
use crate::state::SessionState;

fn bad() -> EntryError {
    EntryError::Value("snapshot")
}

/// Values that are numbers.
macro_rules! kept_numbers {
    ($($type:ty: |$from:ident| $write:expr, |$to:ident| $read:expr;)+) => {
        $(impl Kept for $type {
            fn to_value(&self) -> Value {
                let $from = self;
                Value::Int($write)
            }

            fn from_value(value: &Value) -> Read<Self> {
                let $to = as_int(value).ok_or_else(bad)?;
                $read.ok_or_else(bad)
            }
        })+
    };
}

kept_numbers! {
    u8: |number| i64::from(*number), |read| u8::try_from(read).ok();
    u32: |number| i64::from(*number), |read| u32::try_from(read).ok();
    // Counts stay far below 2^63.
    u64: |number| i64::try_from(*number).unwrap_or(i64::MAX), |read| u64::try_from(read).ok();
    i64: |number| *number, |read| Some(read);
    InstrumentId: |id| i64::from(id.0), |read| u32::try_from(read).ok().map(InstrumentId);
    Position: |position| position.0, |read| Some(Position(read));
    Px: |px| px.units(), |read| Px::new(read);
    Qty: |qty| qty.units(), |read| Qty::new(read);
}

/// Values that are texts.
macro_rules! kept_texts {
    ($($type:ty: |$from:ident| $write:expr, |$to:ident| $read:expr;)+) => {
        $(impl Kept for $type {
            fn to_value(&self) -> Value {
                let $from = self;
                Value::from($write)
            }

            fn from_value(value: &Value) -> Read<Self> {
                let $to = as_text(value).ok_or_else(bad)?;
                $read.ok_or_else(bad)
            }
        })+
    };
}

kept_texts! {
    String: |text| text.as_str(), |read| Some(read.to_owned());
    Name: |name| name.as_str(), |read| Name::new(read);
    Digest: |digest| digest.hex(), |read| Digest::from_hex(read);
    ClOrdId: |id| id.to_string(), |read| ClOrdId::parse(read);
    OrderId: |id| id.0.as_str(), |read| Some(OrderId(read.to_owned()));
    ExecId: |id| id.0.as_str(), |read| Some(ExecId(read.to_owned()));
    LedgerEntryId: |id| id.0.as_str(), |read| Some(LedgerEntryId(read.to_owned()));
    // Readers of JSON lose integers above 2^53.
    WallNs: |at| at.0.to_string(), |read| read.parse().ok().map(WallNs);
    BootNs: |at| at.0.to_string(), |read| read.parse().ok().map(BootNs);
    Money: |money| money.text(), |read| Money::parse(read).ok();
    Rate: |rate| rate.text(), |read| Rate::parse(read).ok();
    InstrumentKind: |kind| kind.name(), |read| InstrumentKind::from_name(read);
    LedgerKind: |kind| kind.name(), |read| LedgerKind::from_name(read);
    DifferenceKind: |kind| kind.code(), |read| DifferenceKind::from_code(read);
    OrdStatus: |status| status.name(),
        |read| OrdStatus::ALL.into_iter().find(|status| status.name() == read);
    SessionState: |state| state.name(), |read| SessionState::from_name(read);
    StopMode: |mode| mode.name(), |read| StopMode::from_name(read);
    StopScope: |scope| scope.text(), |read| StopScope::parse(read);
    Trigger: |trigger| trigger.code(), |read| Trigger::from_code(read);
    Guard: |guard| guard.name(), |read| Guard::from_name(read);
    VenueStatus: |status| status.name(), |read| VenueStatus::from_name(read);
}

impl Kept for bool {
    fn to_value(&self) -> Value {
        Value::Bool(*self)
    }

    fn from_value(value: &Value) -> Read<Self> {
        if let Value::Bool(truth) = value { Ok(*truth) } else { Err(bad()) }
    }
}

impl Kept for Now {
    fn to_value(&self) -> Value {
        at_value(*self)
    }

    fn from_value(value: &Value) -> Read<Self> {
        at_from(Fields::new(value)?)
    }
}

impl Kept for JournalBinding {
    fn to_value(&self) -> Value {
        Self::to_value(self)
    }

    fn from_value(value: &Value) -> Read<Self> {
        Ok(Self::from_value(value)?)
    }
}

impl Kept for SignedStatement {
    fn to_value(&self) -> Value {
        Self::to_value(self)
    }

    fn from_value(value: &Value) -> Read<Self> {
        Ok(Self::from_value(value)?)
    }
}

/// `null`, or the value in a list of one: so nothing and a value that is `null` differ.
impl<T: Kept> Kept for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, |value| Value::List(vec![value.to_value()]))
    }

    fn from_value(value: &Value) -> Read<Self> {
        match (value, as_list(value)) {
            (Value::Null, _) => Ok(None),
            (_, [only]) => T::from_value(only).map(Some),
            _ => Err(bad()),
        }
    }
}

impl<A: Kept, B: Kept> Kept for (A, B) {
    fn to_value(&self) -> Value {
        Value::List(vec![self.0.to_value(), self.1.to_value()])
    }

    fn from_value(value: &Value) -> Read<Self> {
        let [first, second] = as_list(value) else { return Err(bad()) };
        Ok((A::from_value(first)?, B::from_value(second)?))
    }
}

fn keep_all(values: Vec<Value>, section: &str, sections: &mut Sections) {
    let count = i64::try_from(values.len()).unwrap_or(i64::MAX);
    let mut all = vec![Value::Int(count)];
    all.extend(values);
    sections.put(section, all);
}

fn restore_all<T: Kept, C: FromIterator<T>>(section: &str, sections: &mut Sections) -> Read<C> {
    let values = sections.take(section)?;
    let (count, values) = values.split_first().ok_or_else(bad)?;
    if as_int(count) != i64::try_from(values.len()).ok() {
        return Err(bad());
    }
    values.iter().map(T::from_value).collect()
}

/// Collections: a list as a value, one value for each element as a section.
macro_rules! kept_lists {
    ($(<$($name:ident: $bound:ident $(+ $more:ident)?),+> $type:ty, $item:ty,
        |$element:ident| $write:expr;)+) => {
        $(impl<$($name: $bound $(+ $more)?),+> Kept for $type {
            fn to_value(&self) -> Value {
                Value::List(self.iter().map(|$element| $write).collect())
            }

            fn from_value(value: &Value) -> Read<Self> {
                as_list(value).iter().map(<$item>::from_value).collect()
            }

            fn keep(&self, section: &str, sections: &mut Sections) {
                keep_all(self.iter().map(|$element| $write).collect(), section, sections);
            }

            fn restore(section: &str, sections: &mut Sections) -> Read<Self> {
                restore_all::<$item, Self>(section, sections)
            }
        })+
    };
}

kept_lists! {
    <T: Kept> Vec<T>, T, |element| element.to_value();
    <T: Kept> VecDeque<T>, T, |element| element.to_value();
    <T: Kept + Ord> BTreeSet<T>, T, |element| element.to_value();
    <K: Kept + Ord, V: Kept> BTreeMap<K, V>, (K, V),
        |pair| Value::List(vec![pair.0.to_value(), pair.1.to_value()]);
}
