//! An epoch from outside: its journal is followed into a log, signed, and judged.

#[cfg(test)]
mod epoch;
#[cfg(test)]
mod follow;
