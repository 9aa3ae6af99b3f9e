//! portcullis: the command line.

fn main() {}
