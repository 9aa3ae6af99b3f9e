//! A JSON object built field by field, with number text kept as given.

use crate::kraken::request::quoted;

/// An object under construction. Fields appear in the order in which they are added.
#[derive(Clone, Debug, Default)]
pub struct Object(String);

impl Object {
    /// No fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A field whose value is JSON already: a number's text, a list, an object.
    #[must_use]
    pub fn raw(mut self, key: &str, json: &str) -> Self {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(&quoted(key));
        self.0.push(':');
        self.0.push_str(json);
        self
    }

    /// A text field.
    #[must_use]
    pub fn text(self, key: &str, text: &str) -> Self {
        let json = quoted(text);
        self.raw(key, &json)
    }

    /// A count.
    #[must_use]
    pub fn count(self, key: &str, count: u64) -> Self {
        self.raw(key, &count.to_string())
    }

    /// A truth value.
    #[must_use]
    pub fn flag(self, key: &str, flag: bool) -> Self {
        self.raw(key, if flag { "true" } else { "false" })
    }

    /// A text field, if there is a text.
    #[must_use]
    pub fn optional_text(self, key: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(key, text),
            None => self,
        }
    }

    /// A count, if there is one.
    #[must_use]
    pub fn optional_count(self, key: &str, count: Option<u64>) -> Self {
        match count {
            Some(count) => self.count(key, count),
            None => self,
        }
    }

    /// The JSON text.
    #[must_use]
    pub fn done(mut self) -> String {
        self.0.push_str(if self.0.is_empty() { "{}" } else { "}" });
        self.0
    }
}

/// JSON texts as a JSON list.
pub(crate) fn list(items: &[String]) -> String {
    format!("[{}]", items.join(","))
}
