//! `deny.toml`, held where cargo-deny is not installed: bans and sources against `Cargo.lock`,
//! licences against what cargo resolves.

use portcullis_tests::project;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

/// Each locked package and the names of what it depends on.
fn locked() -> BTreeMap<String, Vec<String>> {
    let lock = read("Cargo.lock");
    let mut packages: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in lock["package"].as_array().expect("a list of packages") {
        let name = package["name"].as_str().expect("a name").to_owned();
        let needs = package.get("dependencies").and_then(toml::Value::as_array);
        let needs = needs.into_iter().flatten().filter_map(toml::Value::as_str);
        let names = needs.map(|it| it.split(' ').next().unwrap_or(it).to_owned());
        packages.entry(name).or_default().extend(names);
    }
    packages
}

fn read(name: &str) -> toml::Table {
    let text = fs::read_to_string(project().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    text.parse().unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Each ban: the crate and who may depend on it directly all the same.
fn bans() -> Vec<(String, Vec<String>)> {
    let deny = read("deny.toml");
    let list = deny["bans"]["deny"].as_array().expect("a list of bans");
    list.iter()
        .map(|ban| {
            let wrappers = ban.get("wrappers").and_then(toml::Value::as_array);
            let wrappers = wrappers.into_iter().flatten().filter_map(toml::Value::as_str);
            let name = ban["crate"].as_str().expect("a crate's name").to_owned();
            (name, wrappers.map(str::to_owned).collect())
        })
        .collect()
}

#[test]
fn what_is_banned_is_depended_on_by_its_wrappers_alone() {
    let locked = locked();
    let mut faults = Vec::new();
    for (name, wrappers) in bans() {
        if wrappers.is_empty() && locked.contains_key(&name) {
            faults.push(format!("{name} is banned and locked"));
        }
        for (user, needs) in &locked {
            if needs.contains(&name) && !wrappers.contains(user) {
                faults.push(format!("{user} depends on {name}, which is kept to {wrappers:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn every_package_comes_from_the_public_registry() {
    let lock = read("Cargo.lock");
    for package in lock["package"].as_array().expect("a list of packages") {
        let source = package.get("source").and_then(toml::Value::as_str);
        let registry = source == Some("registry+https://github.com/rust-lang/crates.io-index");
        let ours = source.is_none();
        assert!(ours || registry, "{package:?}");
    }
}

#[test]
fn every_exception_has_a_reason() {
    let deny = read("deny.toml");
    let lists = [("advisories", "ignore"), ("bans", "skip"), ("bans", "deny")];
    for (table, key) in lists {
        let list = deny.get(table).and_then(|it| it.get(key)).and_then(toml::Value::as_array);
        for each in list.into_iter().flatten() {
            assert!(each.get("reason").is_some(), "{table}.{key}: {each:?} has no reason");
        }
    }
}

#[test]
fn every_licence_is_one_that_we_allow() {
    let deny = read("deny.toml");
    let allowed = deny["licenses"]["allow"].as_array().expect("a list of licences");
    let allowed: Vec<&str> = allowed.iter().filter_map(toml::Value::as_str).collect();
    let output = Command::new("cargo")
        .args(["tree", "--offline", "--workspace", "--edges", "normal,build"])
        .args(["--prefix", "none", "--no-dedupe", "--format", "{p}\t{l}"])
        .current_dir(project())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let rows: BTreeMap<&str, &str> = text.lines().filter_map(|it| it.split_once('\t')).collect();
    assert!(rows.len() > 10, "cargo tree listed only {} packages", rows.len());
    for (package, licence) in rows {
        assert!(allows(&allowed, licence), "{package}: {licence:?} is not allowed by deny.toml");
    }
}

/// Whether an SPDX expression can be met with licences of the list. An old slash means `OR`.
fn allows(list: &[&str], expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words: Vec<&str> = spaced.split_whitespace().rev().collect();
    let met = any_of(list, &mut words);
    met && words.is_empty()
}

fn any_of(list: &[&str], words: &mut Vec<&str>) -> bool {
    let mut met = all_of(list, words);
    while words.pop_if(|it| *it == "OR").is_some() {
        met |= all_of(list, words);
    }
    met
}

fn all_of(list: &[&str], words: &mut Vec<&str>) -> bool {
    let mut met = one(list, words);
    while words.pop_if(|it| *it == "AND").is_some() {
        met &= one(list, words);
    }
    met
}

fn one(list: &[&str], words: &mut Vec<&str>) -> bool {
    match words.pop() {
        Some("(") => any_of(list, words) & (words.pop() == Some(")")),
        Some(name) if words.pop_if(|it| *it == "WITH").is_some() => {
            let name = format!("{name} WITH {}", words.pop().unwrap_or_default());
            list.contains(&name.as_str())
        }
        Some(name) => list.contains(&name),
        None => false,
    }
}

#[test]
fn a_licence_expression_is_read() {
    let list = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"];
    let check = |text: &str, expect: bool| assert_eq!(allows(&list, text), expect, "{text}");
    check("MIT", true);
    check("MIT/Apache-2.0", true);
    check("GPL-3.0 OR MIT", true);
    check("GPL-3.0 AND MIT", false);
    check("(GPL-3.0 OR MIT) AND ISC", true);
    check("ISC AND (GPL-3.0 OR GPL-2.0)", false);
    check("Apache-2.0 WITH LLVM-exception", true);
    check("Apache-2.0", false);
    check("", false);
}
