//! `docs/runbook-coverage.md` and `docs/threat-coverage.md` are claims; this holds them to be true.
//!
//! Each id stands in its page exactly once. A row that says `done` names the place in the code and
//! the tests that show it, and both exist: a claim without a test is a failure here.

use portcullis_tests::{project, shared};
use std::collections::BTreeSet;
use std::fs;

/// The demands of the phase runbook, as families: prefix and how many.
const RUNBOOK: &[(&str, usize)] = &[
    ("X", 14),
    ("P0-", 4),
    ("P0-R", 8),
    ("P1-", 8),
    ("P1-R", 9),
    ("P2-", 9),
    ("P2-R", 8),
    ("P3-", 8),
    ("P4-", 3),
    ("P4-IN-", 7),
    ("P4-D", 6),
    ("P4-S", 6),
    ("P5-IN-", 7),
    ("P5-D", 6),
    ("P5-F", 5),
    ("P5-E", 8),
    ("P5-OUT-", 6),
    ("P5-K", 5),
    ("P6-IN-", 6),
    ("P6-D", 6),
    ("P6-F", 4),
    ("P6-E", 4),
    ("P6-OUT-", 5),
    ("P6-K", 3),
    ("P7-IN-", 6),
    ("P7-D", 6),
    ("P7-F", 4),
    ("P7-E", 5),
    ("P7-K", 4),
    ("BG-", 4),
    ("DG-", 6),
    ("RN-", 3),
];

/// The demands of the phase runbook that are not numbered.
const RUNBOOK_LETTERED: [&str; 6] = ["P4-WA", "P4-WB", "P4-WC", "P4-WD", "P4-WE", "P7-RG"];

/// The threats of severity C and H: money can leave, or evidence can be forged.
const THREATS: &[(&str, &[usize])] = &[
    (
        "A",
        &[
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 27,
            28,
        ],
    ),
    ("B", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12]),
    ("C", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 16, 17]),
    ("D", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13]),
    ("E", &[1, 2, 4, 6, 7, 8, 9, 10]),
];

fn runbook_ids() -> BTreeSet<String> {
    let numbered = RUNBOOK
        .iter()
        .flat_map(|(prefix, count)| (1..=*count).map(move |number| format!("{prefix}{number}")));
    numbered.chain(RUNBOOK_LETTERED.map(str::to_owned)).collect()
}

fn threat_ids() -> BTreeSet<String> {
    let each = |(part, numbers): &(&str, &[usize])| -> Vec<String> {
        numbers.iter().map(|number| format!("{part}{number}")).collect()
    };
    THREATS.iter().flat_map(each).collect()
}

/// One row: the columns of both pages are id, what, state, where, test.
#[derive(Debug)]
struct Claim {
    id: String,
    what: String,
    state: String,
    places: Vec<String>,
    tests: Vec<String>,
}

/// The rows of a page's tables, in order.
fn claims(page: &str) -> Vec<Claim> {
    let rows = page.lines().filter_map(cells).filter(|cells| is_id(&cells[0]));
    rows.map(|cells| match <[String; 5]>::try_from(cells) {
        Ok([id, what, state, places, tests]) => {
            Claim { id, what, state, places: quoted(&places), tests: quoted(&tests) }
        }
        Err(cells) => panic!("{}: {} columns instead of 5", cells[0], cells.len()),
    })
    .collect()
}

/// The cells of a table row. A bar inside a cell is written `\|`.
fn cells(line: &str) -> Option<Vec<String>> {
    let row = line.trim().replace("\\|", "\u{1}");
    let row = row.strip_prefix('|')?.strip_suffix('|')?;
    Some(row.split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect())
}

/// What stands between backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// `X3`, `P5-IN-2`, `P4-WA`, `P7-RG`, `BG-1`, `A13`.
fn is_id(word: &str) -> bool {
    if RUNBOOK_LETTERED.contains(&word) {
        return true;
    }
    let family = word.trim_end_matches(|it: char| it.is_ascii_digit());
    let numbered = family.len() < word.len();
    let threat = ["A", "B", "C", "D", "E"].contains(&family);
    let phase = family.strip_prefix('P').and_then(|rest| rest.split_once('-'));
    let phase = phase.is_some_and(|(number, rest)| {
        matches!(number, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7")
            && rest.chars().all(|it| it.is_ascii_uppercase() || it == '-')
    });
    numbered && (threat || phase || ["X", "BG-", "DG-", "RN-"].contains(&family))
}

/// What is wrong with a page, one line per fault.
fn faults(page: &str, ids: &BTreeSet<String>) -> Vec<String> {
    let claims = claims(page);
    let mut faults = Vec::new();
    for id in ids {
        let count = claims.iter().filter(|claim| claim.id == *id).count();
        if count != 1 {
            faults.push(format!("{id} stands {count} times"));
        }
    }
    for claim in &claims {
        if !ids.contains(&claim.id) {
            faults.push(format!("{} is no id of this page", claim.id));
        }
        faults.extend(claim_faults(claim).into_iter().map(|it| format!("{}: {it}", claim.id)));
    }
    faults
}

fn claim_faults(claim: &Claim) -> Vec<String> {
    let mut faults = Vec::new();
    if claim.what.len() < 12 {
        faults.push("says nothing".to_owned());
    }
    let named = !claim.places.is_empty() && !claim.tests.is_empty();
    match claim.state.as_str() {
        "done" if !named => faults.push("done, but names no place or no test".to_owned()),
        "done" | "todo" => {}
        other => faults.push(format!("state `{other}` is neither done nor todo")),
    }
    for place in &claim.places {
        if !project().join(place).exists() {
            faults.push(format!("`{place}` does not exist"));
        }
    }
    faults.extend(claim.tests.iter().filter_map(|test| test_fault(test)));
    faults
}

/// Why `path/of/file.rs::name` is no test.
fn test_fault(test: &str) -> Option<String> {
    let Some((file, name)) = test.split_once("::") else {
        return Some(format!("`{test}` is not of the form file.rs::name_of_test"));
    };
    let name = name.rsplit("::").next().unwrap_or(name);
    let Ok(source) = fs::read_to_string(project().join(file)) else {
        return Some(format!("`{file}` cannot be read"));
    };
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let found = lines.iter().position(|line| line.starts_with(&format!("fn {name}(")));
    let Some(at) = found else { return Some(format!("`{file}` has no `fn {name}`")) };
    let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
    let marked = attributes.into_iter().any(|line| *line == "#[test]");
    (!marked).then(|| format!("`{name}` in `{file}` is not marked as a test"))
}

fn check(page: &str, ids: &BTreeSet<String>) {
    let text = fs::read_to_string(project().join(page)).unwrap_or_else(|e| panic!("{page}: {e}"));
    let faults = faults(&text, ids);
    assert!(faults.is_empty(), "{page}:\n{}\n", faults.join("\n"));
    let done = claims(&text).iter().filter(|claim| claim.state == "done").count();
    println!("{page}: {done} of {} done", ids.len());
}

#[test]
fn each_demand_of_the_runbook_stands_once_and_is_true() {
    check("docs/runbook-coverage.md", &runbook_ids());
}

#[test]
fn each_grave_threat_stands_once_and_is_true() {
    check("docs/threat-coverage.md", &threat_ids());
}

#[test]
fn the_ids_are_those_of_the_runbook() {
    let Some(path) = shared("reference/runbook.md") else { return };
    let text = fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once("\n## 1. ").expect("section 1");
    let (section, _) = rest.split_once("\n## 2. ").expect("section 2");
    let words = section.split(|it: char| !it.is_ascii_alphanumeric() && it != '-');
    let ids: BTreeSet<String> = words.filter(|it| is_id(it)).map(str::to_owned).collect();
    // The scheme of another document, A0 to A5, is named there too.
    let ids = ids.into_iter().filter(|id| id.contains('-') || id.starts_with('X')).collect();
    assert_eq!(runbook_ids(), ids);
}

#[test]
fn the_ids_are_those_of_the_grave_threats() {
    let Some(path) = shared("reference/threats.md") else { return };
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().filter_map(cells);
    let grave = rows.filter(|it| it.len() == 4 && ["C", "H"].contains(&it[2].as_str()));
    let ids: BTreeSet<String> = grave.map(|cells| cells[0].clone()).collect();
    assert_eq!(threat_ids(), ids);
}

#[test]
fn a_false_claim_is_found() {
    let ids: BTreeSet<String> = ["X1".to_owned()].into();
    let check = |rows: &str, expect: &[&str]| assert_eq!(faults(rows, &ids), expect, "{rows}");
    let real = "`tests/it/coverage.rs::a_false_claim_is_found`";
    let what = "blocked by default";
    check(&format!("| X1 | {what} | todo | | |"), &[]);
    check(&format!("| X1 | {what} | done | `tests/it` | {real} |"), &[]);
    check(
        &format!("| X1 | {what} | done | `tests/it` | |"),
        &["X1: done, but names no place or no test"],
    );
    check("", &["X1 stands 0 times"]);
    let twice = format!("| X1 | {what} | todo | | |\n").repeat(2);
    check(&twice, &["X1 stands 2 times"]);
    check(
        &format!("| X1 | {what} | done | `tests/absent` | `tests/it/coverage.rs::check` |"),
        &[
            "X1: `tests/absent` does not exist",
            "X1: `check` in `tests/it/coverage.rs` is not marked as a test",
        ],
    );
    check(
        &format!("| X1 | {what} | partly | | |"),
        &["X1: state `partly` is neither done nor todo"],
    );
    check(
        &format!("| X1 | {what} | todo | | |\n| X9 | {what} | todo | | |"),
        &["X9 is no id of this page"],
    );
}
