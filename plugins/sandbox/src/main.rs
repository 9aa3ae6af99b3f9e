//! The process that runs one plugin and holds nothing worth stealing.

fn main() {}
