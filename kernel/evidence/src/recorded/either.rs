//! One of two things, so that a proof of record about whichever it is stays a proof.

use super::Recorded;

/// One of two things that wait in one line.
#[derive(Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The one.
    Left(A),
    /// The other.
    Right(B),
}

impl<A, B> Recorded<Either<A, B>> {
    /// What was recorded, as a proof of its own kind.
    pub fn either(self) -> Either<Recorded<A>, Recorded<B>> {
        let Self { item, seq, origin } = self;
        match item {
            Either::Left(item) => Either::Left(Recorded { item, seq, origin }),
            Either::Right(item) => Either::Right(Recorded { item, seq, origin }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemoryDisk;
    use crate::journal::Journal;

    #[test]
    fn each_of_a_mixed_list_is_proved_as_what_it_is() {
        let mut journal = Journal::create(MemoryDisk::new(), "test").unwrap();
        let mixed = vec![Either::Left("order"), Either::Right(7)];
        let pending = journal.append_with(b"batch", mixed);
        journal.commit().unwrap();
        let mark = journal.mark();
        let seen = pending.each().into_iter().map(|one| {
            let recorded = one.into_recorded(&mark).unwrap();
            let seq = recorded.seq();
            match recorded.either() {
                Either::Left(order) => (*order.item(), order.seq() == seq, order.origin()),
                Either::Right(number) => {
                    assert_eq!(*number.item(), 7);
                    ("number", number.seq() == seq, number.origin())
                }
            }
        });
        let expect = ["order", "number"].map(|name| (name, true, mark.origin()));
        assert_eq!(seen.collect::<Vec<_>>(), expect);
    }
}
