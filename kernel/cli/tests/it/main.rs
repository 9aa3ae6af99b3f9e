//! The command line as processes.

#[cfg(test)]
mod witness;
