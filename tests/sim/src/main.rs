//! Replays one seed: `portcullis-sim SEED [STEPS [CRASH_AT]]`.

use std::process::ExitCode;

use portcullis_sim::{Plan, run};

fn main() -> ExitCode {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|it| it.parse().ok()).collect();
    let Some(seed) = numbers.first() else {
        eprintln!("usage: portcullis-sim SEED [STEPS [CRASH_AT]]");
        return ExitCode::from(2);
    };
    let steps = numbers.get(1).and_then(|steps| u32::try_from(*steps).ok());
    let plan = Plan {
        steps: steps.unwrap_or(Plan::USUAL.steps),
        crash_at: numbers.get(2).copied().unwrap_or(0),
        ..Plan::USUAL
    };
    match run(*seed, plan) {
        Ok(report) => {
            println!("{report:#?}");
            ExitCode::SUCCESS
        }
        Err(violation) => {
            for entry in &violation.story {
                println!("{entry}");
            }
            eprintln!("{violation}");
            ExitCode::FAILURE
        }
    }
}
