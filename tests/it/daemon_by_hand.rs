//! What a person does by hand in a house of real processes.

use crate::house::House;
use portcullis_control::StatusView;

fn position(view: &StatusView) -> &str {
    view.positions.first().map_or("0", |position| &position.qty)
}

fn is_flat(view: &StatusView) -> bool {
    position(view).trim_matches(['0', '.']).is_empty()
}

/// A person's orders pass the gate that a plugin's pass, and each is on record as an
/// intervention, the denied ones with their code.
#[test]
fn a_person_submits_takes_back_and_closes_through_the_gate() {
    let mut house = House::ready();
    let view = house.perform("hold", |view| !is_flat(view));
    let price = view.positions[0].avg_px.clone().unwrap();
    let home = house.text("home");
    let by_hand = |words: &[&str]| {
        let said = house.call(&[words, &["--home", &home, "--as", "olga"]].concat());
        (said.code, format!("{}{}", said.stdout, said.stderr))
    };
    let (code, said) = by_hand(&["order", "submit", "BTC-USD", "buy", "0.001", "--limit", "1"]);
    assert!(code == 3 && said.contains("PRICE_BOUND"), "{code} {said}");
    let (code, said) = by_hand(&["order", "submit", "BTC-USD", "sell", "9", "--reduce-only"]);
    assert!(code == 3 && said.contains("REDUCE_ONLY"), "{code} {said}");
    let (code, said) = by_hand(&["order", "submit", "BTC-USD", "buy", "0.001", "--limit", &price]);
    assert_eq!(code, 0, "{said}");
    let (code, said) = by_hand(&["order", "cancel", "--all"]);
    assert_eq!(code, 0, "{said}");
    house.await_status("nothing rests", |view| view.orders.is_empty());
    let (code, said) = by_hand(&["position", "close", "BTC-USD"]);
    assert_eq!(code, 0, "{said}");
    house.await_status("flat", is_flat);
    let reasons: Vec<String> = house
        .journal()
        .into_iter()
        .filter(|entry| entry.kind == "intervened")
        .map(|entry| entry.reason)
        .collect();
    assert_eq!(
        reasons,
        ["PRICE_BOUND", "REDUCE_ONLY", "PERSON_ASKED", "PERSON_ASKED", "PERSON_ASKED"]
    );
    let listed = house.must(&["order", "list", "--home", &home]).stdout;
    assert!(!listed.contains("pc"), "{listed}");
    house.must(&["recon", "list", "--home", &home]);
    house.must(&["close", "--home", &home, "--reason", "done by hand"]);
    house.stop();
}
