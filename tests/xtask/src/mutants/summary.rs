//! What became of the mutants.

use std::fs;
use std::path::Path;

/// Each mutant by what became of it, in the tool's words.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    /// A test failed.
    pub(crate) caught: Vec<String>,
    /// All tests passed.
    pub(crate) missed: Vec<String>,
    /// Did not compile, so it says nothing.
    pub(crate) unviable: Vec<String>,
    /// The tests did not end. On a busy machine that may mean nothing either: to be looked at.
    pub(crate) timeouts: Vec<String>,
}

impl Summary {
    /// Reads the tool's lists. A list that is not there is an empty one.
    pub(crate) fn read(folder: &Path) -> Self {
        let list = |name: &str| {
            let text = fs::read_to_string(folder.join(name)).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        };
        Self {
            caught: list("caught.txt"),
            missed: list("missed.txt"),
            unviable: list("unviable.txt"),
            timeouts: list("timeout.txt"),
        }
    }

    fn counts(&self) -> String {
        format!(
            "{} caught, {} missed, {} unviable, {} timeouts",
            self.caught.len(),
            self.missed.len(),
            self.unviable.len(),
            self.timeouts.len()
        )
    }

    /// For the screen: what somebody has to look at by name, and the counts alone at the end.
    pub(crate) fn text(&self) -> String {
        let missed = self.missed.iter().map(|name| format!("MISSED   {name}"));
        let timeouts = self.timeouts.iter().map(|name| format!("TIMEOUT  {name}"));
        let mut lines: Vec<String> = missed.chain(timeouts).collect();
        lines.push(self.counts());
        lines.join("\n")
    }

    /// For the record: everything by name.
    pub(crate) fn page(&self) -> String {
        let lists = [
            ("Missed", &self.missed),
            ("Timeouts", &self.timeouts),
            ("Unviable", &self.unviable),
            ("Caught", &self.caught),
        ];
        let list = |(title, names): (&str, &Vec<String>)| {
            let names = names.iter().map(|name| format!("- `{name}`\n"));
            format!("\n## {title}\n\n{}", names.collect::<String>())
        };
        format!("{}\n{}", self.counts(), lists.map(list).concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_to_look_sees_the_names_and_the_record_holds_all() {
        let names = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        let summary = Summary {
            caught: names("a b"),
            missed: names("c"),
            unviable: names(""),
            timeouts: names("d"),
        };
        let counts = "2 caught, 1 missed, 0 unviable, 1 timeouts";
        assert_eq!(summary.text(), format!("MISSED   c\nTIMEOUT  d\n{counts}"));
        let page = summary.page();
        assert!(page.starts_with(counts) && page.contains("## Caught\n\n- `a`\n- `b`\n"), "{page}");
    }
}
