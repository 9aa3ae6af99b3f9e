use super::*;

const EXPORT: &str = r#"{"data":[{"functions":[
    {"filenames":["/p/src/a.rs","/p/other/b.rs"],"regions":[
        [1,1,3,2,4,0,0,0],[2,5,2,9,0,0,0,0],[2,5,2,9,0,0,0,3],[7,1,7,9,0,1,0,0]]},
    {"filenames":["/p/src/a.rs"],"regions":[[2,5,2,9,1,0,0,0],[3,1,3,2,0,0,0,0]]}
]}]}"#;

#[test]
fn a_region_counts_once_and_was_run_if_any_program_ran_it() {
    let report = Report::read(EXPORT, Path::new("/p/src/")).unwrap();
    assert_eq!(report.count(), 3);
    let missing: Vec<String> = report.missing().map(Region::place).collect();
    assert_eq!(missing, ["a.rs:3:1-3:2"]);
    assert_eq!(report.summary(), "    2 of     3  a.rs\n    2 of     3  in all");
}

#[test]
fn what_is_no_measurement_is_refused() {
    let check = |export: &str, cause: &str| {
        let refused = Report::read(export, Path::new("/p/src/")).unwrap_err();
        assert!(refused.contains(cause), "{refused}");
    };
    check("", "EOF");
    check(r#"{"data":[]}"#, "no functions");
    check(r#"{"data":[{"functions":[]}]}"#, "was compiled");
    check(r#"{"data":[{"functions":[{"filenames":[],"regions":[[1]]}]}]}"#, "another form");
}

#[test]
fn cargo_names_the_programs() {
    let said = r#"not json
{"reason":"compiler-artifact","profile":{"test":true},"executable":"/t/it-1"}
{"reason":"compiler-artifact","profile":{"test":false},"executable":"/t/build"}
{"reason":"compiler-artifact","profile":{"test":true},"executable":null}"#;
    assert_eq!(programs(said), [PathBuf::from("/t/it-1")]);
}
