//! The epoch and the latch, one thread and two. `tests/loom` tries every order of events; here the
//! real atomics of this machine run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use portcullis_path::Authority;

#[test]
fn an_order_of_an_earlier_epoch_is_not_admitted() {
    let authority = Authority::new();
    assert!(authority.admit(0).is_some());
    assert_eq!(authority.raise(), 1);
    assert!(authority.admit(0).is_none());
    assert!(authority.admit(1).is_some());
    assert!(authority.admit(2).is_none());
    authority.close_gate();
    assert!(authority.admit(2).is_none());
    authority.lift();
    assert!(authority.admit(2).is_some());
}

/// A2: the acknowledgement of a kill happens after the last write, whoever wins the race.
#[test]
fn a2_a_closed_gate_is_reported_only_after_the_write_that_was_under_way() {
    for _ in 0..200 {
        let authority = Arc::new(Authority::new());
        let written = Arc::new(AtomicU64::new(0));
        let writer = {
            let (authority, written) = (Arc::clone(&authority), Arc::clone(&written));
            std::thread::spawn(move || {
                while let Some(held) = authority.admit(0) {
                    std::thread::yield_now();
                    written.fetch_add(1, Ordering::SeqCst);
                    drop(held);
                }
            })
        };
        authority.close_gate();
        let at_ack = written.load(Ordering::SeqCst);
        writer.join().unwrap();
        assert_eq!(written.load(Ordering::SeqCst), at_ack);
    }
}
