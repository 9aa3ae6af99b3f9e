//! `portcullis explain`: what a code of the gate means.

use portcullis_gate::{Act, DenyCode, Spares};
use portcullis_statement::json::{Value, object};

use crate::{CliError, Exit, out};

/// Says what a code of the gate means.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis explain MAX_POSITION\n  \
    portcullis explain")]
pub(crate) struct Args {
    /// The code; without it, all are listed.
    pub(crate) code: Option<String>,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let codes = match &args.code {
        Some(text) => vec![find(text)?],
        None => DenyCode::all().collect(),
    };
    if args.json {
        let codes = codes.into_iter().map(document).collect();
        return out::json("explain", object([("codes", Value::List(codes))]));
    }
    match (&args.code, codes.as_slice()) {
        (Some(_), [code]) => out::result(&render(*code)),
        (_, all) => {
            let line = |code: &DenyCode| format!("{:<24} {}\n", code.code(), code.meaning());
            out::result(&all.iter().map(line).collect::<String>())
        }
    }
}

fn find(text: &str) -> Result<DenyCode, CliError> {
    DenyCode::from_code(&text.to_ascii_uppercase()).ok_or_else(|| {
        let (cause, next) = ("no code of the gate", "portcullis explain lists them");
        CliError::new(Exit::NotFound, "CODE_UNKNOWN", text, cause, next)
    })
}

fn reduction(code: DenyCode) -> &'static str {
    match code.spares() {
        Spares::Nothing => "denied as well",
        Spares::Flatten => "denied, but for what people sign or close by hand",
        Spares::Reductions => "not denied: what provably makes a position smaller passes",
    }
}

fn render(code: DenyCode) -> String {
    let mut text = out::field(code.code(), code.meaning());
    text += &out::field("number", &format!("{}, as plugins see it", code.number()));
    text += &out::field("what helps", code.cure());
    text += &out::field("new exposure", "denied");
    text += &out::field("reductions", reduction(code));
    text + &out::field("cancels", "never denied")
}

fn document(code: DenyCode) -> Value {
    object([
        ("code", code.code().into()),
        ("denies_reduction", code.denies(Act::Reduce).into()),
        ("cure", code.cure().into()),
        ("meaning", code.meaning().into()),
        ("number", i64::from(code.number()).into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained_and_others_are_not_found() {
        for code in DenyCode::all() {
            assert_eq!(find(&code.code().to_ascii_lowercase()), Ok(code));
            assert!(render(code).contains(code.meaning()));
        }
        assert_eq!(find("NO_SUCH").unwrap_err().exit, Exit::NotFound);
        assert!(render(DenyCode::MaxPosition).contains("not denied"));
        assert!(render(DenyCode::KillActive).contains("denied, but for"));
        assert!(render(DenyCode::DuplicateIntent).contains("denied as well"));
    }
}
