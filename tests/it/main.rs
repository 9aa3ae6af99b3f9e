//! One binary of integration tests: first the laws of the house, then the product as a whole.

mod bad_recording;
mod coverage;
mod daemon_account;
mod daemon_by_hand;
mod daemon_kill;
mod daemon_log;
mod daemon_session;
mod daemon_start;
mod daemon_tree;
mod daemon_witness;
mod dependencies;
mod hostile;
mod house;
mod import_law;
mod paper_path;
mod processes;
mod replay;
mod source;
mod stranger;
mod tidy;
mod trusted_lines;
mod venue_side;
