//! portcullisd: wiring of the kernel: threads, clocks, sockets, supervision.

fn main() {}
