//! `portcullis scribe render`, the real program on a real session, read by other people's tools.

use crate::house::House;
use crate::processes::await_until;
use crate::replay::{self, Scratch, text};
use portcullis_control::StatusView;
use portcullis_statement::json::{self, Fields, Value};
use portcullis_tests::python::{NO_PYTHON, python};
use portcullis_tests::{component, program, project};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn scribe(arguments: &[&str]) -> Output {
    let mut command = Command::new(program("portcullis").unwrap());
    command.current_dir(project()).arg("scribe").args(arguments).output().unwrap()
}

/// A session of the seeded recording, kept below `scratch`, with what the replay said of it.
fn session(scratch: &Scratch) -> Option<Value> {
    let (strategy, out) = (component("ema-cross")?, scratch.path("kept"));
    let run =
        replay::replay(&[&"--synthetic", &"--component", &strategy, &"--json", &"--out", &out]);
    Some(run.document())
}

/// Every Python block of a document, one after the other.
fn cells(document: &Path) -> String {
    let text = fs::read_to_string(document).unwrap();
    let blocks = text.split("```python\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.collect::<Vec<_>>().join("\n")
}

/// The notebook's cells, run as they stand; what they compute is what the kernel counted itself.
#[test]
fn c15_the_notebook_computes_what_the_kernel_counted() {
    let scratch = Scratch::new();
    let Some(document) = session(&scratch) else { return };
    let (kept, rendered) = (scratch.path("kept"), scratch.path("rendered"));
    let paths = [&kept, &rendered].map(|path| path.to_str().unwrap().to_owned());
    let output = scribe(&["render", &paths[0], "--out", &paths[1]]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // The page was made of the same session, and says what it is.
    let page = fs::read_to_string(rendered.join("report.html")).unwrap();
    let root = text(&document, "session_root");
    assert!(page.contains(&root) && page.contains("<strong>SIMULATED</strong>"));
    let Some(mut python) = python(project()) else {
        return eprintln!("{NO_PYTHON}");
    };
    let cells = cells(&project().join("docs/notebooks/session.md"));
    let report = "print(fees, root, len(fills), latency.height, len(against), sep='\\n')";
    let script = format!("folder = {:?}\n{cells}\n{report}\n", paths[1]);
    let output = python.args(["-c", &script]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let last: Vec<&str> = said.lines().rev().take(5).collect();
    let [against, latencies, fills, found_root, fees] = last[..] else { panic!("{said}") };
    assert_eq!(found_root, root);
    assert_eq!(against, fills, "a fill without a quote before it");
    let mut closed = Fields::new(&document).unwrap().fields("summary").unwrap();
    let mut summary = closed.fields("summary").unwrap();
    let positions = summary.list("positions").unwrap();
    let counted = text(&positions[0], "fees");
    assert_eq!(fees.trim_end_matches('0'), counted.trim_end_matches('0'));
    let verdicts = summary.object("verdicts").unwrap();
    assert_eq!(Value::Int(latencies.parse().unwrap()), verdicts["APPROVED"]);
}

/// The same evidence gives the same bytes, and each rendering is listed with its digest.
#[test]
fn renderings_repeat_and_are_bound_to_their_session() {
    let scratch = Scratch::new();
    let Some(document) = session(&scratch) else { return };
    let kept = scratch.path("kept").to_str().unwrap().to_owned();
    let folders = ["one", "other"].map(|name| scratch.path(name));
    for folder in &folders {
        let output = scribe(&["render", &kept, "--out", folder.to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    for name in ["executions.parquet", "market.parquet", "report.html", "manifest.json"] {
        let [one, other] = folders.each_ref().map(|folder| fs::read(folder.join(name)).unwrap());
        assert!(one == other, "{name} differs");
    }
    let manifest = fs::read(folders[0].join("manifest.json")).unwrap();
    let manifest = json::parse_canonical(&manifest).unwrap();
    assert_eq!(text(&manifest, "session_root"), text(&document, "session_root"));
    let files = Fields::new(&manifest).unwrap().object("files").unwrap();
    assert_eq!(files.len(), 3);
    for (name, entry) in files {
        let bytes = fs::read(folders[0].join(name)).unwrap();
        assert_eq!(text(entry, "sha256"), portcullis_evidence::Digest::of(&bytes).hex());
    }
}

#[test]
fn what_is_no_evidence_is_refused_by_code() {
    let scratch = Scratch::new();
    let empty = scratch.path("empty");
    fs::create_dir(&empty).unwrap();
    let empty = empty.to_str().unwrap();
    let check = |arguments: &[&str], exit: i32, code: &str| {
        let output = scribe(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(exit), "{said}");
        assert!(said.starts_with(&format!("error[{code}]")), "{said}");
    };
    check(&["render", empty], 4, "SCRIBE_SOURCE");
    fs::create_dir(scratch.path("empty/epochs")).unwrap();
    check(&["render", empty], 4, "SESSION_NOT_FOUND");
    let Some(_document) = session(&scratch) else { return };
    let kept = scratch.path("kept").to_str().unwrap().to_owned();
    check(&["render", &kept], 2, "OUT_MISSING");
    check(&["render", &kept, "--session", "another"], 4, "SESSION_NOT_FOUND");
    let chunks = scratch.path("kept/chunks");
    let one = fs::read_dir(chunks).unwrap().next().unwrap().unwrap().path();
    let out = scratch.path("out").to_str().unwrap().to_owned();
    fs::write(&one, b"not a chunk").unwrap();
    check(&["render", &kept, "--out", &out], 5, "CHUNK_COMPRESSION");
    fs::remove_file(&one).unwrap();
    check(&["render", &kept, "--out", &out], 4, "FILE_NOT_FOUND");
}

/// Where a phase bounds it, a real house lets nothing new out until its scribe has copied, hears
/// of it as the scribe's claim, and shows it as that.
#[test]
fn p5_k3_a_house_hears_from_its_scribe_what_has_no_copy() {
    let mut house = House::empty("");
    let policy = house.path("home/policies/safety.toml");
    let text = fs::read_to_string(&policy).unwrap();
    let bounded = "more = {}\nunreplicated_bytes_max = { 2 = 1000000 }\n";
    assert!(text.contains("more = {}\n"), "{text}");
    fs::write(&policy, text.replacen("more = {}\n", bounded, 1)).unwrap();
    house.start_exchange();
    house.start_daemon();
    house.connect(house.ports.1);
    house.release_actor("2");
    let (home, copies) = (house.text("home"), house.text("copies"));
    let approval = house.approval("2", "s-1", "rest");
    house.must(&["open", &approval, "--home", &home]);
    let behind = |view: &StatusView| {
        view.reasons.iter().any(|reason| reason.starts_with("REPLICATION_BEHIND"))
    };
    let view = house.await_status("the bound", behind);
    assert_eq!((view.copies, view.guards["scribe"].as_str()), (None, "missing"));
    // A reader may meet the daemon in the middle of a write.
    await_until("a copy", || {
        let said = scribe(&["copy", &home, "--to", &copies]);
        said.status.success().then_some(())
    });
    let view = house.await_status("the claim", |view| view.guards["scribe"] == "alive");
    assert!(!behind(&view), "{view:?}");
    assert!(view.copies.unwrap().ends_with("(the scribe's claim)"));
    assert_eq!(house.count("copied"), 1);
    house.must(&["close", "--home", &home, "--reason", "done"]);
    house.stop();
}
