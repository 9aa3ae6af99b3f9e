//! A Markdown part, line by line.

/// Markdown in the making.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
}

impl Page {
    /// Adds one line of our own words.
    pub(super) fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    /// Adds a blank that somebody has to fill in before the pack can be sealed.
    pub(super) fn blank(&mut self, kind: &str, what: &str) {
        self.line(format!("<<{kind}: {what}>>"));
    }

    /// Adds lines that hold quotations. None of them may begin with a fence, so each begins with
    /// words of our own.
    pub(super) fn fenced(&mut self, lines: impl IntoIterator<Item = String>) {
        self.line("```text");
        for line in lines {
            self.line(line);
        }
        self.line("```");
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.text.into_bytes()
    }
}
