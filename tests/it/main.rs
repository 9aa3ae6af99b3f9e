//! One binary of integration tests: first the laws of the house, then the product as a whole.

mod coverage;
mod daemon_tree;
mod dependencies;
mod import_law;
mod source;
mod tidy;
