//! Version 1 as it was once written, and what becomes of it under random damage.

use super::*;

/// Two segments, the first without its zeros: made by [`two_small_segments`], kept for ever.
const GOLDEN: [&[u8]; 2] = [
    include_bytes!("../../../tests/golden/v1/000001.journal"),
    include_bytes!("../../../tests/golden/v1/000002.journal"),
];
const ROOT: &str = "5dd9c5ac72fdcfbe8ed0e045db820d40241c58323b4a95a4084e84e300bfffef";

fn golden() -> Vec<Vec<u8>> {
    GOLDEN.map(<[u8]>::to_vec).to_vec()
}

/// What [`small`] makes, and one group more in a segment of its own.
fn two_small_segments() -> Vec<Vec<u8>> {
    let first = small();
    let End { origin, head, groups, .. } = read_one(&first).unwrap().end;
    let header = SegmentHeader {
        origin,
        segment: 2,
        first_group: groups,
        first_seq: head.size,
        root_before: head.root,
    };
    let mut journal = memory();
    for group in [&["{\"a\":1}"][..], &["{}", "{\"b\":[]}", ""], &["{\"c\":2}", "{\"d\":3}"]] {
        for entry in group {
            journal.append(entry.as_bytes());
        }
        journal.commit().unwrap();
    }
    journal.append(b"{\"e\":\"in the second\"}");
    journal.append(&vec![b'x'; 33_000]);
    journal.commit().unwrap();
    let more = &bytes(&journal)[first.len()..];
    vec![first, [&header.encode()[..], more].concat()]
}

#[test]
fn version_one_is_read_for_ever() {
    let recovered = read(golden().as_slice()).unwrap();
    let End { origin, head, groups, segment, .. } = &recovered.end;
    assert_eq!((origin.as_str(), head.size, *groups, *segment), (ORIGIN, 8, 4, 2));
    assert_eq!(head.root.hex(), ROOT);
    let texts: Vec<_> =
        recovered.entries.iter().take(7).map(|e| std::str::from_utf8(e).unwrap()).collect();
    let expect = ["{\"a\":1}", "{}", "{\"b\":[]}", "", "{\"c\":2}", "{\"d\":3}"];
    assert_eq!(texts, [&expect[..], &["{\"e\":\"in the second\"}"]].concat());
    assert_eq!(recovered.entries[7], vec![b'x'; 33_000]);
}

#[test]
fn version_one_is_still_written() {
    assert_eq!(two_small_segments(), golden());
}

/// Any damage at all: never a panic, and never other entries than were written.
#[test]
fn no_mutation_is_believed() {
    let original = golden();
    let entries = read(original.as_slice()).unwrap().entries;
    let mut random = Generator::new(0x9e37);
    let (mut refused, mut shortened) = (0, 0);
    for round in 0..6_000 {
        let mut segments = original.clone();
        for _ in 0..=random.below(3) {
            mutate(&mut segments, &mut random);
        }
        match read(segments.as_slice()) {
            Err(_) => refused += 1,
            Ok(read) if segments != original => {
                // Only the end can be missing: torn, and counted, or cut at a group's end.
                assert!(entries.starts_with(&read.entries), "round {round}");
                let kept = usize::try_from(read.end.kept_bytes).unwrap();
                let last = usize::try_from(read.end.segment).unwrap() - 1;
                for (found, then) in segments.iter().zip(&original).take(last) {
                    let zeros = found.strip_prefix(then.as_slice()).unwrap();
                    assert!(zeros.iter().all(|byte| *byte == 0), "round {round}");
                }
                assert_eq!(segments[last][..kept], original[last][..kept], "round {round}");
                let behind = segments[last][kept..].iter().any(|byte| *byte != 0);
                assert_eq!(read.end.torn_bytes > 0, behind, "round {round}");
                shortened += 1;
            }
            Ok(read) => assert_eq!(read.entries, entries),
        }
    }
    assert!(refused > 4_000 && shortened > 50, "{refused} refused, {shortened} shortened");
}

fn mutate(segments: &mut Vec<Vec<u8>>, random: &mut Generator) {
    let which = random.below(segments.len());
    let bytes = &mut segments[which];
    let at = random.below(bytes.len());
    match random.below(9) {
        0 => bytes.truncate(at),
        1 => bytes[at] ^= 1 << random.below(8),
        2 => bytes.insert(at, u8::try_from(random.below(256)).unwrap()),
        3 => drop(bytes.remove(at)),
        4 => {
            let end = bytes.len().min((at / 512 + 1) * 512);
            bytes[at / 512 * 512..end].fill(0);
        }
        5 => {
            let copied = bytes[at..].to_vec();
            bytes.extend_from_slice(&copied);
        }
        6 => bytes.resize(bytes.len() + random.below(2_000), 0),
        7 => segments.swap(which, 0),
        _ => drop(segments.remove(which)),
    }
    if segments.is_empty() || segments.iter().any(Vec::is_empty) {
        *segments = vec![b"nothing".to_vec()];
    }
}
