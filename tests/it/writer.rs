//! Opens the journal below a folder, goes on where it ends, and writes entries until it is killed.
//! Each acknowledged number of entries goes to the standard output, once it is durable.
//!
//! `portcullis-writer EPOCHS ACKNOWLEDGED SEED` exits with 3 if fewer are there than were
//! acknowledged before.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use portcullis_evidence::{FileDisk, Journal, Reader};
use portcullis_tests::numbered_entry;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, epochs, acknowledged, seed] = &arguments[..] else { return ExitCode::from(2) };
    let [acknowledged, seed] = [acknowledged, seed].map(|text| text.parse::<u64>().unwrap());
    let disk = FileDisk::open(Path::new(epochs)).unwrap();
    let mut journal = match disk.last_epoch().unwrap() {
        None => Journal::create(disk, "portcullis/writer/writer/1").unwrap(),
        Some(epoch) => {
            let mut reader = Reader::open(disk.journal(epoch)).unwrap();
            while reader.next().unwrap().is_some() {}
            Journal::open(disk, epoch, &reader.into_end()).unwrap()
        }
    };
    let mut number = journal.head().size;
    if number < acknowledged {
        return ExitCode::from(3);
    }
    let mut out = std::io::stdout().lock();
    loop {
        for _ in 0..=seed.wrapping_add(number) % 7 {
            journal.append(&numbered_entry(number));
            number += 1;
        }
        let durable = journal.commit().unwrap();
        // Nobody listens any more: as good as killed.
        if writeln!(out, "{}", durable.0).and_then(|()| out.flush()).is_err() {
            return ExitCode::SUCCESS;
        }
    }
}
