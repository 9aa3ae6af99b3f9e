//! What a plugin says of itself, bounded and checked, and what that makes of the parameters.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::bindings::exports::portcullis::strategy::plugin as world;
use crate::fault::{FaultCode, PluginFault};

/// Longest text in a declaration, in bytes.
const TEXT_LEN_MAX: usize = 512;
/// Longest name of a parameter, in bytes.
const NAME_LEN_MAX: usize = 32;
/// Most parameters, and most instruments.
const LIST_LEN_MAX: usize = 64;
/// Largest snapshot that may be declared, in bytes. It has to fit what one call may return.
const SNAPSHOT_BYTES_MAX: u32 = 32 * 1024;
/// Most fuel that an event may be declared to need.
const FUEL_PER_EVENT_MAX: u64 = 1_000_000_000;

/// What a parameter's text must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// A whole number.
    Integer,
    /// `0` or `1`.
    Flag,
    /// Text, bounded in length.
    Text,
}

impl ParameterKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Flag => "flag",
            Self::Text => "text",
        }
    }
}

/// A market-data stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Best bid and offer.
    Quotes,
    /// Trades.
    Trades,
}

impl Stream {
    const fn name(self) -> &'static str {
        match self {
            Self::Quotes => "quotes",
            Self::Trades => "trades",
        }
    }
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// `[a-z0-9_-]`, used once.
    pub name: String,
    /// What its text must be.
    pub kind: ParameterKind,
    /// Least value, or least length.
    pub min: i64,
    /// Greatest value, or greatest length.
    pub max: i64,
    /// The value if the approval says nothing.
    pub default_value: String,
    /// What it does, with its unit.
    pub meaning: String,
}

/// What a plugin says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// What it does, in one sentence.
    pub summary: String,
    /// Symbols without which it cannot run; empty = any.
    pub instruments: Vec<String>,
    /// Streams that it wants.
    pub streams: Vec<Stream>,
    /// Its settings.
    pub parameters: Vec<Parameter>,
    /// Market events before its intents count.
    pub warm_up_events: u32,
    /// Fuel that one event may need.
    pub fuel_per_event: u64,
    /// Most bytes of a snapshot; 0 = none.
    pub snapshot_bytes_max: u32,
}

impl Declaration {
    /// Takes what `describe` returned, if it is within bounds and does not contradict itself.
    pub(crate) fn from_world(said: world::Declaration) -> Result<Self, PluginFault> {
        let declaration = Self {
            summary: said.summary,
            instruments: said.instruments,
            streams: said.streams.into_iter().map(stream).collect(),
            parameters: said.parameters.into_iter().map(parameter).collect(),
            warm_up_events: said.warm_up_events,
            fuel_per_event: said.fuel_per_event,
            snapshot_bytes_max: said.snapshot_bytes_max,
        };
        declaration.check()?;
        Ok(declaration)
    }

    /// The members; printed with sorted keys they are canonical JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let parameters = self.parameters.iter().map(|parameter| {
            json!({
                "default": parameter.default_value,
                "kind": parameter.kind.name(),
                "max": parameter.max,
                "meaning": parameter.meaning,
                "min": parameter.min,
                "name": parameter.name,
            })
        });
        json!({
            "fuel_per_event": self.fuel_per_event,
            "instruments": self.instruments,
            "parameters": parameters.collect::<Vec<_>>(),
            "snapshot_bytes_max": self.snapshot_bytes_max,
            "streams": self.streams.iter().map(|stream| stream.name()).collect::<Vec<_>>(),
            "summary": self.summary,
            "warm_up_events": self.warm_up_events,
        })
    }

    /// The value of each declared parameter, in declared order: as approved, or its default.
    /// Refuses a parameter that was not declared, and a value that does not fit.
    pub(crate) fn settle(
        &self,
        approved: &BTreeMap<String, String>,
    ) -> Result<Vec<world::ParameterValue>, PluginFault> {
        let declared = |name: &str| self.parameters.iter().any(|parameter| parameter.name == name);
        if let Some(name) = approved.keys().find(|name| !declared(name)) {
            return Err(init_fault(format!("parameter {name} is not declared")));
        }
        let settle = |parameter: &Parameter| {
            let value = approved.get(&parameter.name).unwrap_or(&parameter.default_value).clone();
            if !parameter.accepts(&value) {
                return Err(init_fault(format!(
                    "parameter {}: {}",
                    parameter.name,
                    parameter.rule()
                )));
            }
            Ok(world::ParameterValue { name: parameter.name.clone(), value })
        };
        self.parameters.iter().map(settle).collect()
    }

    fn check(&self) -> Result<(), PluginFault> {
        let lists = [self.instruments.len(), self.streams.len(), self.parameters.len()];
        if lists.iter().any(|len| *len > LIST_LEN_MAX) {
            return Err(refusal(format!("a list of more than {LIST_LEN_MAX}")));
        }
        let texts = self.parameters.iter().flat_map(|p| [&p.meaning, &p.default_value]);
        if texts.chain([&self.summary]).chain(&self.instruments).any(|t| t.len() > TEXT_LEN_MAX) {
            return Err(refusal(format!("a text of more than {TEXT_LEN_MAX} bytes")));
        }
        if self.fuel_per_event > FUEL_PER_EVENT_MAX {
            return Err(refusal(format!("fuel-per-event above {FUEL_PER_EVENT_MAX}")));
        }
        if self.snapshot_bytes_max > SNAPSHOT_BYTES_MAX {
            return Err(refusal(format!("snapshot-bytes-max above {SNAPSHOT_BYTES_MAX}")));
        }
        for (place, parameter) in self.parameters.iter().enumerate() {
            let before = self.parameters.iter().take(place);
            if !name_is_plain(&parameter.name)
                || before.into_iter().any(|other| other.name == parameter.name)
            {
                return Err(refusal("a parameter's name is not [a-z0-9_-]{1,32}, or used twice"));
            }
            if !parameter.accepts(&parameter.default_value) {
                return Err(refusal(format!("the default of {} does not fit it", parameter.name)));
            }
        }
        Ok(())
    }
}

impl Parameter {
    fn accepts(&self, value: &str) -> bool {
        match self.kind {
            ParameterKind::Flag => matches!(value, "0" | "1"),
            ParameterKind::Text => {
                i64::try_from(value.len()).is_ok_and(|len| (self.min..=self.max).contains(&len))
            }
            // Only one spelling of each number: what people sign is what the plugin reads.
            ParameterKind::Integer => value.parse::<i64>().is_ok_and(|number| {
                (self.min..=self.max).contains(&number) && number.to_string() == value
            }),
        }
    }

    fn rule(&self) -> String {
        match self.kind {
            ParameterKind::Flag => "expected 0 or 1".to_owned(),
            ParameterKind::Text => {
                format!("expected a text of {} to {} bytes", self.min, self.max)
            }
            ParameterKind::Integer => {
                format!("expected a whole number from {} to {}", self.min, self.max)
            }
        }
    }
}

fn name_is_plain(name: &str) -> bool {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    (1..=NAME_LEN_MAX).contains(&name.len()) && name.bytes().all(plain)
}

const fn stream(said: world::MarketStream) -> Stream {
    match said {
        world::MarketStream::Quotes => Stream::Quotes,
        world::MarketStream::Trades => Stream::Trades,
    }
}

fn parameter(said: world::Parameter) -> Parameter {
    Parameter {
        name: said.name,
        kind: match said.kind {
            world::ParameterKind::Integer => ParameterKind::Integer,
            world::ParameterKind::Flag => ParameterKind::Flag,
            world::ParameterKind::Text => ParameterKind::Text,
        },
        min: said.min,
        max: said.max,
        default_value: said.default_value,
        meaning: said.meaning,
    }
}

fn refusal(cause: impl AsRef<str>) -> PluginFault {
    PluginFault::new(FaultCode::Admission, format!("its declaration has {}", cause.as_ref()))
}

fn init_fault(cause: impl AsRef<str>) -> PluginFault {
    PluginFault::new(FaultCode::Init, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(kind: ParameterKind, min: i64, max: i64, default_value: &str) -> Declaration {
        let parameter = Parameter {
            name: "fast".to_owned(),
            kind,
            min,
            max,
            default_value: default_value.to_owned(),
            meaning: String::new(),
        };
        Declaration {
            summary: String::new(),
            instruments: Vec::new(),
            streams: vec![Stream::Quotes],
            parameters: vec![parameter],
            warm_up_events: 0,
            fuel_per_event: 1,
            snapshot_bytes_max: 0,
        }
    }

    fn check(kind: ParameterKind, value: &str, fits: bool) {
        let declaration = declared(kind, 1, 3, "1");
        let approved = BTreeMap::from([("fast".to_owned(), value.to_owned())]);
        assert_eq!(declaration.settle(&approved).is_ok(), fits, "{kind:?} {value:?}");
    }

    #[test]
    fn a_parameter_is_what_was_declared_or_refused() {
        check(ParameterKind::Integer, "3", true);
        check(ParameterKind::Integer, "4", false);
        check(ParameterKind::Integer, "03", false);
        check(ParameterKind::Integer, "+3", false);
        check(ParameterKind::Flag, "0", true);
        check(ParameterKind::Flag, "true", false);
        check(ParameterKind::Text, "", false);
        check(ParameterKind::Text, "abc", true);
        let declaration = declared(ParameterKind::Integer, 1, 3, "2");
        assert_eq!(declaration.settle(&BTreeMap::new()).unwrap()[0].value, "2");
        let unknown = BTreeMap::from([("slow".to_owned(), "1".to_owned())]);
        assert_eq!(declaration.settle(&unknown).unwrap_err().code(), FaultCode::Init);
    }

    #[test]
    fn a_declaration_that_contradicts_itself_is_refused() {
        assert!(declared(ParameterKind::Integer, 1, 3, "2").check().is_ok());
        assert!(declared(ParameterKind::Integer, 1, 3, "9").check().is_err());
        let mut twice = declared(ParameterKind::Integer, 1, 3, "2");
        twice.parameters.push(twice.parameters[0].clone());
        assert!(twice.check().is_err());
        let mut greedy = declared(ParameterKind::Integer, 1, 3, "2");
        greedy.fuel_per_event = u64::MAX;
        assert!(greedy.check().is_err());
    }
}
