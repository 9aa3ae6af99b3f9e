//! What is linked into the kernel daemon, as cargo resolves it: the process that holds the venue's
//! key contains no compiler, no guest, no server and no renderer, not even through a dependency.

use portcullis_tests::project;
use std::process::Command;

/// Each with the process that has it instead.
const NEVER: [(&str, &str); 20] = [
    ("wasmtime", "portcullis-sandbox"),
    ("cranelift", "portcullis-compile"),
    ("pulley", "portcullis-sandbox"),
    ("wasmparser", "portcullis-sandbox"),
    ("wasmi", "portcullis-sandbox"),
    ("libloading", "nobody: nothing is loaded at run time"),
    ("axum", "portcullis console"),
    ("tiny_http", "portcullis scribe"),
    ("warp", "portcullis console"),
    ("arrow", "portcullis scribe"),
    ("parquet", "portcullis scribe"),
    ("object_store", "portcullis scribe"),
    ("async-nats", "portcullis scribe"),
    ("lettre", "portcullis scribe"),
    ("rusqlite", "portcullis scribe"),
    ("libsqlite3-sys", "portcullis scribe"),
    ("openssl-sys", "nobody: rustls with ring"),
    ("native-tls", "nobody: rustls with ring"),
    ("aws-lc-", "nobody: rustls with ring"),
    ("prometheus", "portcullis scribe"),
];

fn tree(edges: &str) -> String {
    let output = Command::new("cargo")
        .args(["tree", "--offline", "--package", "portcullis-daemon", "--prefix", "none"])
        .args(["--edges", edges])
        .current_dir(project())
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree: {said}");
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

fn forbidden(tree: &str) -> Vec<String> {
    tree.lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter_map(|package| {
            let (_, owner) = NEVER.iter().find(|(name, _)| {
                package == *name
                    || name.ends_with('-') && package.starts_with(name)
                    || package.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'))
            })?;
            Some(format!("{package} (belongs to {owner})"))
        })
        .collect()
}

#[test]
fn the_daemon_links_no_guest_no_server_and_no_renderer() {
    let tree = tree("normal,build");
    assert!(tree.starts_with("portcullis-daemon v"), "{tree}");
    assert_eq!(forbidden(&tree), Vec::<String>::new());
}

#[test]
fn the_daemon_enables_no_server_feature() {
    let tree = tree("normal,features");
    for line in tree.lines() {
        let served = ["hyper", "hyper-util", "h2"]
            .iter()
            .any(|name| line.starts_with(&format!("{name} feature \"server")));
        assert!(!served, "{line}");
        assert!(!line.starts_with("portcullis-") || !line.contains("feature \"testkit"), "{line}");
    }
}

#[test]
fn a_planted_line_is_found() {
    let check =
        |line: &str, expect: bool| assert_eq!(!forbidden(line).is_empty(), expect, "{line}");
    check("wasmtime v48.0.8", true);
    check("cranelift-codegen v0.135.0", true);
    check("arrow-array v60.0.0", true);
    check("aws-lc-sys v0.30.0", true);
    check("arrowhead v1.0.0", false);
    check("ring v0.17.14", false);
}
