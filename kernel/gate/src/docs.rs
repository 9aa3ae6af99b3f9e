//! `docs/reason-codes.md`, made from the enum. A test compares it with the file.

use crate::deny::DenyCode;

/// The whole document.
#[must_use]
pub fn reason_codes_markdown() -> String {
    let mut out = String::from(
        "# Reason codes of the gate\n\n\
         Made from the enum `DenyCode`; a test compares. Codes and numbers are append-only.\n\
         A cancel is never denied by any of them; cancel-all neither.\n\n\
         | number | code | meaning | new exposure | provable reduction |\n\
         |---|---|---|---|---|\n",
    );
    for code in DenyCode::all() {
        let reduction = if code.denies_reduction() { "denied" } else { "allowed" };
        let row = format!(
            "| {} | `{}` | {} | denied | {reduction} |\n",
            code.number(),
            code.code(),
            code.meaning()
        );
        out.push_str(&row);
    }
    out
}
