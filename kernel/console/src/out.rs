//! Results go to stdout and nothing else does; narration goes to stderr.

use std::io::{self, Write as _};

use portcullis_evidence::text::escape_terminal;
use portcullis_statement::json::Value;

use crate::{CliError, Exit};

/// Prints lines of a result. Text from outside has been escaped by whoever made the lines.
pub fn result(text: &str) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| if text.ends_with('\n') { Ok(()) } else { stdout.write_all(b"\n") })
        .and_then(|()| stdout.flush());
    match written {
        // The reader has seen enough, as in `portcullis status | head -1`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => {
            let (cause, next) = (error.to_string(), "run the command again with its output kept");
            Err(CliError::new(Exit::Internal, "OUTPUT_LOST", "stdout", &cause, next))
        }
        Ok(()) => Ok(()),
    }
}

/// Prints one JSON document, marked with the verb's schema.
pub fn json(schema: &str, value: Value) -> Result<(), CliError> {
    result(&json_text(schema, value))
}

fn json_text(schema: &str, value: Value) -> String {
    let mut value = value;
    if let Value::Object(entries) = &mut value {
        entries.insert("schema".to_owned(), format!("portcullis.{schema}/1").into());
    }
    value.canonical_text()
}

/// Tells what is going on. Nobody has to be there to hear it.
pub fn narrate(text: &str) {
    let mut stderr = io::stderr().lock();
    for line in text.lines() {
        if writeln!(stderr, "{}", escape_terminal(line)).is_err() {
            return;
        }
    }
}

/// One line below a heading, escaped.
#[must_use]
pub fn indented(text: &str) -> String {
    format!("  {}\n", escape_terminal(text))
}

/// One aligned line of a result, with the value escaped.
#[must_use]
pub fn field(name: &str, value: &str) -> String {
    format!("{name:<16} {}\n", escape_terminal(value))
}

#[cfg(test)]
mod tests {
    use portcullis_statement::json::object;

    use super::*;

    #[test]
    fn a_document_names_its_schema() {
        let text = json_text("status", object([("a", "\u{1b}".into())]));
        assert_eq!(text, r#"{"a":"\u001b","schema":"portcullis.status/1"}"#);
    }

    #[test]
    fn a_field_stays_on_its_line() {
        assert_eq!(field("name", "a\nb"), "name             a\\u{a}b\n");
    }
}
