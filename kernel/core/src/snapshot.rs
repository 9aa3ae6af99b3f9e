//! The core's own state as text: what the first entries of an epoch say.
//!
//! A snapshot is a list of named sections, one for each field of [`Core`] that outlives an event;
//! a section is a list of values. It is canonical: one state has one snapshot, byte for byte, in a
//! fixed order, and what is read back is held against its own snapshot before it is believed. So a
//! section that is left out, doubled or out of its place is refused, whoever wrote it. Statements
//! are in it as they were signed, and are verified again.
//!
//! A live core is replaced by what its snapshot says whenever an epoch begins. What is not in the
//! snapshot is therefore gone for the running house and for a later reading of the journal alike.

mod cut;
mod fields;
mod house;
mod values;

use std::collections::BTreeMap;

use portcullis_statement::json::Value;

use crate::entry::EntryError;

pub(crate) use cut::{cut, join};

/// Version of the form of a snapshot.
pub(crate) const SNAPSHOT_VERSION: i64 = 1;

type Read<T> = Result<T, EntryError>;

/// Why there is no snapshot at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotNow {
    /// A session is open: its market, its plugins and its book are nowhere on record.
    SessionOpen,
    /// A flatten plan is being carried out, by a market that is nowhere on record.
    FlattenRuns,
}

/// Something that is one value of a snapshot.
pub(crate) trait Kept: Sized {
    fn to_value(&self) -> Value;
    fn from_value(value: &Value) -> Read<Self>;

    /// Writes its section. What holds many values begins with their number, so that none can be
    /// left away.
    fn keep(&self, section: &str, sections: &mut Sections) {
        sections.put(section, vec![self.to_value()]);
    }

    /// Reads its section.
    fn restore(section: &str, sections: &mut Sections) -> Read<Self> {
        match sections.take(section)?.as_slice() {
            [only] => Self::from_value(only),
            _ => Err(EntryError::Value("snapshot")),
        }
    }
}

/// Something that is one section of a snapshot, or several.
pub(crate) trait Part: Sized {
    fn keep_part(&self, section: &str, sections: &mut Sections);
    fn restore_part(section: &str, sections: &mut Sections) -> Read<Self>;
}

impl<T: Kept> Part for T {
    fn keep_part(&self, section: &str, sections: &mut Sections) {
        self.keep(section, sections);
    }

    fn restore_part(section: &str, sections: &mut Sections) -> Read<Self> {
        Self::restore(section, sections)
    }
}

/// Named lists of values.
#[derive(Debug, Default)]
pub(crate) struct Sections {
    /// In the order in which they are written.
    pub(crate) written: Vec<(String, Vec<Value>)>,
    /// As they were read, by name.
    pub(crate) read: BTreeMap<String, Vec<Value>>,
}

impl Sections {
    pub(crate) fn put(&mut self, section: &str, values: Vec<Value>) {
        self.written.push((section.to_owned(), values));
    }

    pub(crate) fn take(&mut self, section: &str) -> Read<Vec<Value>> {
        self.read.remove(section).ok_or(EntryError::Value("snapshot"))
    }
}

/// A struct whose fields are the keys of an object. A field that is not named does not compile.
macro_rules! kept_fields {
    ($type:ty { $($field:ident),+ $(,)? }) => {
        impl $crate::snapshot::Kept for $type {
            fn to_value(&self) -> portcullis_statement::json::Value {
                let Self { $($field),+ } = self;
                portcullis_statement::json::object([
                    $((stringify!($field), $crate::snapshot::Kept::to_value($field))),+
                ])
            }

            fn from_value(
                value: &portcullis_statement::json::Value,
            ) -> Result<Self, $crate::entry::EntryError> {
                let mut fields = portcullis_statement::json::Fields::new(value)?;
                let kept = Self {
                    $($field: $crate::snapshot::Kept::from_value(
                        fields.value(stringify!($field))?,
                    )?),+
                };
                fields.finish()?;
                Ok(kept)
            }
        }
    };
}
pub(crate) use kept_fields;

/// A struct whose fields are sections of their own. A field that is not named does not compile.
macro_rules! kept_parts {
    ($type:ty { $($field:ident),+ $(,)? }) => {
        impl $crate::snapshot::Part for $type {
            fn keep_part(&self, section: &str, sections: &mut $crate::snapshot::Sections) {
                let Self { $($field),+ } = self;
                $($crate::snapshot::Part::keep_part(
                    $field,
                    &format!("{section}.{}", stringify!($field)),
                    sections,
                );)+
            }

            fn restore_part(
                section: &str,
                sections: &mut $crate::snapshot::Sections,
            ) -> Result<Self, $crate::entry::EntryError> {
                Ok(Self {
                    $($field: $crate::snapshot::Part::restore_part(
                        &format!("{section}.{}", stringify!($field)),
                        sections,
                    )?),+
                })
            }
        }
    };
}
pub(crate) use kept_parts;
