//! `docs/reason-codes.md`, made from the table of codes. A test compares it with the file.

use crate::code::{Act, DenyCode};

/// The whole document.
#[must_use]
pub fn reason_codes_markdown() -> String {
    let mut out = String::from(HEAD);
    for code in DenyCode::all() {
        let cell = |act| if code.denies(act) { "denied" } else { "spared" };
        let cancel = if code == DenyCode::MaxMsgRate {
            "a repetition"
        } else if code == DenyCode::OrderTypeNotAllowed {
            "not one's own"
        } else {
            "spared"
        };
        let row = format!(
            "| {} | `{}` | {} | {} | {} | {} | {cancel} | spared | {} |\n",
            code.number(),
            code.code(),
            code.meaning(),
            code.cure(),
            cell(Act::Increase),
            cell(Act::Reduce),
            cell(Act::Flatten),
        );
        out.push_str(&row);
    }
    out
}

const HEAD: &str = "\
# Reason codes of the gate

Made from the table in `kernel/gate/src/code.rs`; a test compares. Codes and numbers are append-only.
`portcullis explain CODE` prints one row.

An order **increases** unless it provably **reduces**: with everything that works on its side, it
cannot reach through zero. A reduction that a person asks for by the closing rights, or that is a
slice of a signed plan, **flattens**. A cancel of any order that we issued is legal in every state;
only the same cancel again within a second is held back (`a repetition`), and a plugin takes back no
order but its own. Cancel-all is never denied.

| number | code | meaning | what would make it pass | increase | reduce | cancel | cancel-all \
| flatten |
|---|---|---|---|---|---|---|---|---|
";
