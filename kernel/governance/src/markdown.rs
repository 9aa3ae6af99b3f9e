//! The limits as tables for people, from the same rows that everything else goes through.

use portcullis_domain::policy::{
    ActivityLimits, InstrumentLimits, LimitTable, Rules, StandingLimits,
};

/// The tables of `policies/README.md`, in Markdown. A test holds the two equal.
#[must_use]
pub fn limits_markdown() -> String {
    let scopes = "`[account]`, `[venue]`, `[host]`";
    let mut text = String::new();
    table::<Rules>(&mut text, "`[rules]`, beside `currency` and `trading_day`");
    table::<ActivityLimits>(&mut text, &format!("{scopes} and each `[strategies.NAME]`"));
    table::<StandingLimits>(&mut text, &format!("{scopes}, across sessions"));
    table::<InstrumentLimits>(&mut text, "`[instruments.SYMBOL]`");
    text
}

fn table<T: LimitTable>(text: &mut String, title: &str) {
    text.push_str("### ");
    text.push_str(title);
    text.push_str(
        "\n\n| key | what | unit | stricter is | zero | code |\n|---|---|---|---|---|---|\n",
    );
    for row in T::ROWS {
        let zero = if row.zero { "allowed" } else { "refused" };
        let key = format!("`{}`", row.name);
        let code = format!("`{}`", row.denies);
        for cell in [&key, row.meaning.trim(), row.unit.name(), row.stricter.name(), zero, &code] {
            text.push_str("| ");
            text.push_str(cell);
            text.push(' ');
        }
        text.push_str("|\n");
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_of_the_readme_are_those_of_the_code() {
        let readme = include_str!("../../../policies/README.md");
        let begin = "<!-- from here on generated: portcullis_governance::limits_markdown -->\n\n";
        let (_, rest) = readme.split_once(begin).unwrap();
        let (tables, _) = rest.split_once("<!-- up to here -->").unwrap();
        let expect = limits_markdown();
        assert!(tables == expect, "the README should say:\n{expect}");
    }
}
