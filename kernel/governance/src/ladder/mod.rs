//! The ladder from phase 0 to 7: what has to have happened before the next step, and what did.
//!
//! What happened is read from the house's own journal, never from a folder that somebody could have
//! copied, and judged by the renderers that write the packs. What the runbook asks for is compiled
//! in; a policy file may ask for more. A thing that nothing measures yet is not available, and is
//! not met.

mod career;
mod criteria;
mod demands;
mod report;
mod session;

pub use career::{Career, CareerFault};
pub use criteria::{Bound, CRITERIA, Criterion};
pub use demands::Demands;
pub use report::{Found, Line, Report};
pub use session::SessionFacts;

#[cfg(test)]
mod tests;
