//! The house in one process under a seed: real core, real journal, real gate, real release, on a
//! simulated disk, at a simulated venue, under a scheduler that draws what happens next.
//!
//! [`run`] plays one seed and checks the invariants after every step. `docs` of each invariant
//! stand in `laws.rs`. A seed that fails is replayed by one command, which its violation prints.

mod acts;
mod approvals;
mod bug;
mod disk;
mod draw;
mod fault;
mod hands;
mod house;
mod laws;
mod line;
mod office;
#[path = "../../../kernel/gate/tests/it/people.rs"]
mod people;
mod plugins;
mod replay;
mod seed;
#[path = "../../../kernel/gate/src/exposure/seeded.rs"]
#[expect(dead_code, reason = "shared with the tests of gate and paper, which use all of it")]
mod seeded;
mod stops;
mod venue;
#[path = "../../../kernel/core/tests/it/wide_safety.rs"]
mod wide_safety;
mod world;

pub use bug::Bug;
pub use fault::{Counts, Fault};
pub use seed::{Plan, Report, Violation, kept_seeds, run};
