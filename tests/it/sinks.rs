//! The escapers of foreign text against the readers that they are for: a browser, and Python's
//! reader of separated values.

use portcullis_evidence::text::{Untrusted, escape_terminal};
use portcullis_statement::json::{Fields, Value, parse};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[path = "../../kernel/evidence/src/text/corpus.rs"]
mod corpus;
use corpus::HOSTILE;

/// A folder of its own for one test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(format!("/tmp/pc-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A program of the machine, or `None` with a line that says so.
fn tool(name: &str) -> Option<&str> {
    let found = Command::new(name).arg("--version").stdin(Stdio::null()).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(name);
    }
    eprintln!("SKIPPED: {name} is not installed: sudo apt-get install {name}");
    None
}

/// Elements of a page for each text of the corpus.
const ELEMENTS_EACH: usize = 7;
/// Elements beside: html, head, meta, body, and the script that looks at the page.
const ELEMENTS_BESIDE: usize = 5;

/// What the page finds out about itself: texts as numbers, so that nothing of them is read twice.
const LOOK: &str = r#"
const codes = text => Array.from(text, letter => letter.codePointAt(0));
const of = (id, read) => codes(read(document.getElementById(id)));
const xml = (id) => {
  const text = JSON.parse(document.getElementById(id).textContent);
  const page = new DOMParser().parseFromString(text, "image/svg+xml");
  return codes(page.querySelector("parsererror") ? "PARSER ERROR" : page.documentElement.textContent);
};
const found = [];
for (let n = 0; n < COUNT; n += 1) {
  found.push([
    of("h" + n, it => it.textContent), of("a" + n, it => it.getAttribute("title")),
    of("a" + n, it => it.getAttribute("data-x")), of("s" + n, it => it.textContent),
    codes(values[n]), of("j" + n, it => JSON.parse(it.textContent)), xml("x" + n),
  ]);
}
const result = {
  broken: typeof window.broken !== "undefined", elements: document.querySelectorAll("*").length,
  found, handlers: document.querySelectorAll("[onfocus],[onload],[onerror],[onmouseover]").length,
};
document.documentElement.setAttribute("data-result", JSON.stringify(result));
"#;

fn page() -> String {
    let mut page = "<!doctype html><html><head><meta charset=\"utf-8\"></head><body>".to_owned();
    for (number, text) in HOSTILE.iter().enumerate() {
        let text = Untrusted::new(*text);
        let (html, attribute, svg) = (text.html(), text.html_attribute(), text.svg());
        let json = text.script_json();
        let whole = format!("<svg xmlns=\"http://www.w3.org/2000/svg\"><text>{svg}</text></svg>");
        // XML in JSON in a script: only what would end the script is spelt otherwise.
        let whole = Value::from(whole).canonical_text().replace('<', "\\u003c");
        page += &format!(
            "<p id=\"h{number}\">{html}</p>\
             <p id=\"a{number}\" title=\"{attribute}\" data-x=x{attribute}>-</p>\
             <svg><text id=\"s{number}\">{svg}</text></svg>\
             <script>(window.values = window.values || []).push({json});</script>\
             <script type=\"application/json\" id=\"j{number}\">{json}</script>\
             <script type=\"application/json\" id=\"x{number}\">{whole}</script>"
        );
    }
    let look = LOOK.replace("COUNT", &HOSTILE.len().to_string());
    page + &format!("<script>{look}</script></body></html>")
}

fn text_of(codes: &Value) -> String {
    let Value::List(codes) = codes else { panic!("{codes:?}") };
    let letter = |code: &Value| match code {
        Value::Int(code) => char::from_u32(u32::try_from(*code).unwrap()).unwrap(),
        other => panic!("{other:?}"),
    };
    codes.iter().map(letter).collect()
}

/// C12: in each place of a page a browser finds the text that was meant, no element more than we
/// wrote, no handler, and nothing that ran.
#[test]
fn c12_no_foreign_text_becomes_markup_or_script_in_a_browser() {
    let Some(browser) = tool("chromium") else { return };
    let folder = Folder::new("page");
    let file = folder.0.join("page.html");
    fs::write(&file, page()).unwrap();
    let profile = folder.0.join("profile");
    let mut command = Command::new(browser);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]);
    command.arg(format!("--user-data-dir={}", profile.display()));
    command
        .args(["--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("file://{}", file.display()));
    let output = command.stdin(Stdio::null()).output().unwrap();
    let dom = String::from_utf8(output.stdout).unwrap();
    let result = dom.split_once("data-result=\"").and_then(|(_, rest)| rest.split_once('"'));
    let (result, _) = result.unwrap_or_else(|| panic!("no result in {} bytes", dom.len()));
    let result = parse(result.replace("&quot;", "\"").as_bytes()).unwrap();
    let mut result = Fields::new(&result).unwrap();
    assert!(!result.bool("broken").unwrap(), "a foreign script ran");
    assert_eq!(result.uint("handlers").unwrap(), 0);
    let elements = usize::try_from(result.uint("elements").unwrap()).unwrap();
    assert_eq!(elements, HOSTILE.len() * ELEMENTS_EACH + ELEMENTS_BESIDE);
    let found = result.list("found").unwrap();
    assert_eq!(found.len(), HOSTILE.len());
    for (text, found) in HOSTILE.iter().zip(found) {
        let Value::List(found) = found else { panic!("{found:?}") };
        let shown = escape_terminal(text);
        let marked = format!("x{shown}");
        let expect = [&shown, &shown, &marked, &shown, &shown, &shown, &shown];
        let found: Vec<String> = found.iter().map(text_of).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expect, "{text:?}");
    }
}

const READ_CELLS: &str = "import csv, json, sys\n\
    rows = list(csv.reader(open(sys.argv[1], newline=''), delimiter=sys.argv[2], strict=True))\n\
    print(json.dumps(rows, ensure_ascii=False, separators=(',', ':')))";

fn cells(file: &Path, delimiter: &str) -> Vec<Vec<String>> {
    let mut command = Command::new("python3");
    command.env("PYTHONIOENCODING", "utf-8").env("PYTHONUTF8", "1");
    let output = command.args(["-c", READ_CELLS]).arg(file).arg(delimiter).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    let row = |value: &Value| match value {
        Value::List(cells) => cells.iter().map(text).collect(),
        other => panic!("{other:?}"),
    };
    match parse(output.stdout.trim_ascii_end()).unwrap() {
        Value::List(rows) => rows.iter().map(row).collect(),
        other => panic!("{other:?}"),
    }
}

/// C15: one row stays one row of three cells, each holds what was meant, and none is a formula.
#[test]
fn c15_cells_are_read_as_they_were_meant_and_none_is_a_formula() {
    if tool("python3").is_none() {
        return;
    }
    let folder = Folder::new("cells");
    for delimiter in [",", "\t"] {
        let file = folder.0.join("cells");
        let row =
            |text: &&str| format!("1{delimiter}{}{delimiter}2\n", Untrusted::new(*text).csv_cell());
        fs::write(&file, HOSTILE.iter().map(row).collect::<String>()).unwrap();
        let rows = cells(&file, delimiter);
        assert_eq!(rows.len(), HOSTILE.len());
        for (text, row) in HOSTILE.iter().zip(rows) {
            let [one, cell, two] = &row[..] else { panic!("{text:?} gives {row:?}") };
            assert_eq!((one.as_str(), two.as_str()), ("1", "2"), "{text:?}");
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell:?}");
            let shown = escape_terminal(text);
            assert!(*cell == shown || *cell == format!("'{shown}"), "{cell:?} of {text:?}");
        }
    }
}
