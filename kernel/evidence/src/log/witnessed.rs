//! Who else has seen a journal, by what the journal itself keeps of it: the cosigned checkpoints
//! that came back, each verified again here.

use std::collections::BTreeMap;

use portcullis_core::entry::{Class, EntryError, decode};
use portcullis_core::{Input, Standing};
use portcullis_domain::{Name, WallNs};
use portcullis_statement::Witnesses;

use crate::note::{Checkpoint, Note};

/// The last word of one witness about one epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What it signed.
    pub checkpoint: Checkpoint,
    /// When, by its own clock.
    pub at: WallNs,
    /// The note, with everybody's lines.
    pub note: Note,
}

/// Who has seen which epoch, and how far.
#[derive(Clone, Debug)]
pub struct Witnessed<'a> {
    witnesses: &'a Witnesses,
    /// By origin of the epoch, then by witness.
    seen: BTreeMap<String, BTreeMap<Name, Seen>>,
}

impl<'a> Witnessed<'a> {
    /// Nobody yet, of the witnesses of this roster.
    #[must_use]
    pub const fn new(witnesses: &'a Witnesses) -> Self {
        Self { witnesses, seen: BTreeMap::new() }
    }

    /// Takes one entry of the journal. All but the checkpoints that came back are passed over, and
    /// so is what no witness of the roster has signed: the kernel refused it then too.
    ///
    /// # Errors
    /// Bytes that are no entry.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), EntryError> {
        let entry = decode(bytes)?;
        if entry.class != Class::Input || entry.kind != "cosigned" {
            return Ok(());
        }
        let Input::Cosigned { note, standing: Standing::Ours(_), .. } = Input::decode(&entry)?
        else {
            return Ok(());
        };
        if let Ok(note) = Note::parse(note.as_bytes()) {
            self.take_note(&note);
        }
        Ok(())
    }

    /// Takes a note that came from elsewhere. What no witness of the roster has signed is nothing.
    pub fn take_note(&mut self, note: &Note) {
        let Ok(checkpoint) = Checkpoint::parse(note.text()) else { return };
        for (witness, at) in self.witnesses.signed(note) {
            let epoch = self.seen.entry(checkpoint.origin.clone()).or_default();
            let known = epoch.get(&witness.name).map(|seen| (seen.checkpoint.size, seen.at));
            if known.is_none_or(|known| known < (checkpoint.size, at)) {
                let seen = Seen { checkpoint: checkpoint.clone(), at, note: note.clone() };
                epoch.insert(witness.name.clone(), seen);
            }
        }
    }

    /// Who has seen that epoch, and how far.
    #[must_use]
    pub fn of(&self, origin: &str) -> Option<&BTreeMap<Name, Seen>> {
        self.seen.get(origin)
    }

    /// The largest checkpoint of that epoch that a quorum has cosigned or gone beyond: everything
    /// before it stands although the house's own disk may be gone. `None` where there is none.
    #[must_use]
    pub fn agreed(&self, origin: &str) -> Option<&Seen> {
        let mut seen: Vec<_> = self.of(origin)?.values().collect();
        seen.sort_by_key(|seen| std::cmp::Reverse(seen.checkpoint.size));
        seen.get(self.witnesses.quorum().checked_sub(1)?).copied()
    }

    /// What a pack says of it, one line each: the policy, then every witness of the roster.
    #[must_use]
    pub fn lines(&self, origin: &str) -> Vec<String> {
        let of = self.of(origin);
        let line = |witness: &portcullis_statement::Witness| {
            let seen = of.and_then(|of| of.get(&witness.name));
            let said = seen.map_or_else(
                || "cosigned nothing".to_owned(),
                |seen| {
                    let size = seen.checkpoint.size;
                    format!("cosigned {size} entries at {}", seen.at.rfc3339())
                },
            );
            let (name, domain) = (&witness.name, witness.domain.name());
            format!("{name} ({domain}, run by {}): {said}", witness.operator)
        };
        let list = self.witnesses.list().iter().map(line);
        [self.witnesses.words()].into_iter().chain(list).collect()
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::entry::{Entry, Place};
    use portcullis_statement::note::{KeyKind, NoteSigner};
    use portcullis_statement::{Digest, FailureDomain, Witness};

    use super::*;

    const ORIGIN: &str = "portcullis/h/a/1";

    fn signer(name: &str) -> NoteSigner {
        NoteSigner::from_seed(name, KeyKind::Cosignature, Digest::of(name.as_bytes()).0).unwrap()
    }

    fn witnesses(names: &[&str], quorum: usize) -> Witnesses {
        let witness = |name: &&str| Witness {
            name: Name::new(name).unwrap(),
            key: signer(name).verifier().clone(),
            domain: FailureDomain::OtherHost,
            operator: Name::new("eve").unwrap(),
        };
        Witnesses::new(names.iter().map(witness).collect(), quorum).unwrap()
    }

    fn entry(size: u64, by: &[&str], standing: Standing) -> Vec<u8> {
        let root = Digest::of(&size.to_be_bytes());
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root };
        let line = |name: &&str| signer(name).cosign(&checkpoint, 1_800_000_000).unwrap();
        let lines =
            by.iter().fold(String::new(), |text, name| text + &line(name).to_string() + "\n");
        let note = format!("{}\n{lines}", checkpoint.text());
        let content = Input::Cosigned { request: 1, note, standing }.content(false).unwrap();
        Entry::new(Class::Input, &Place::default(), content).bytes
    }

    #[test]
    fn a_journal_says_who_has_seen_it_and_how_far() {
        let of = witnesses(&["w1", "w2", "w3"], 2);
        let mut seen = Witnessed::new(&of);
        assert_eq!((seen.of(ORIGIN), seen.agreed(ORIGIN)), (None, None));
        let ours = Standing::Ours(WallNs(1));
        for (size, by, standing) in [
            (9, &["w1"][..], ours),
            (5, &["w2", "stranger"], ours),
            (4, &["w1", "w2"], ours),
            (99, &["w2"], Standing::Ahead),
            (98, &["stranger"], ours),
        ] {
            seen.take(&entry(size, by, standing)).unwrap();
        }
        assert!(seen.take(b"no entry").is_err());
        assert_eq!(seen.agreed(ORIGIN).unwrap().checkpoint.size, 5);
        assert_eq!(
            seen.lines(ORIGIN)[1..],
            [
                "w1 (other-host, run by eve): cosigned 9 entries at 2027-01-15T08:00:00.000000000Z",
                "w2 (other-host, run by eve): cosigned 5 entries at 2027-01-15T08:00:00.000000000Z",
                "w3 (other-host, run by eve): cosigned nothing",
            ]
        );
        assert_eq!(
            seen.lines("portcullis/h/a/2")[1],
            "w1 (other-host, run by eve): cosigned nothing"
        );
        let both = witnesses(&["w1", "w2"], 2);
        let mut alone = Witnessed::new(&both);
        alone.take(&entry(9, &["w1"], ours)).unwrap();
        assert_eq!(alone.agreed(ORIGIN), None);
    }

    #[test]
    fn what_nobody_else_has_seen_is_called_self_attested() {
        let nobody = Witnesses::default();
        let mut seen = Witnessed::new(&nobody);
        seen.take(&entry(9, &["w1"], Standing::Ours(WallNs(1)))).unwrap();
        assert_eq!(seen.lines(ORIGIN), ["self-attested"]);
        assert_eq!(seen.agreed(ORIGIN), None);
    }
}
