//! Recordings that are cut, reordered or damaged: each is refused whole, with file, line and
//! reason, and leaves nothing behind.

use crate::replay::{Scratch, replay, synthetic, write_recording};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

/// Lines of the good recording that each test spoils.
const LINES: usize = 300;

fn good() -> Option<Vec<String>> {
    Some(synthetic()?.lines()[..LINES].to_vec())
}

/// Number of a line, from 0, of a stream, with at least 100 lines before it.
fn line_of(lines: &[String], stream: &str) -> usize {
    let found = lines.iter().skip(100).position(|line| line.contains(stream));
    100 + found.expect("a line of each stream")
}

/// Replays a folder and compares the one error that comes of it; nothing is kept.
#[track_caller]
fn check_folder(make: impl FnOnce(&Path), code: &str, words: &[&str]) {
    let scratch = Scratch::new();
    let (folder, out) = (scratch.path("recording"), scratch.path("out"));
    make(&folder);
    let before = scratch.names();
    let run = replay(&[&folder, &"--out", &out]);
    assert_eq!((run.code, &*run.stdout), (5, ""), "{}", run.stderr);
    let lines: Vec<&str> = run.stderr.lines().collect();
    let [error, next] = lines[..] else { panic!("not two lines:\n{}", run.stderr) };
    assert!(error.starts_with(&format!("error[{code}] ")), "{error}");
    assert!(next.starts_with("next: ") && next.len() > 20, "{next}");
    for word in words {
        assert!(error.contains(word), "{word} is not in {error}");
    }
    assert_eq!(scratch.names(), before, "something was left behind");
    // In memory it is the same.
    assert_eq!(replay(&[&folder]).stderr, run.stderr);
}

/// Spoils the good lines and expects the refusal to name the line.
#[track_caller]
fn check(spoil: impl FnOnce(&mut Vec<String>) -> usize, code: &str, words: &[&str]) {
    let Some(mut lines) = good() else { return };
    let at = spoil(&mut lines);
    let place = format!("a.jsonl line {at}: ");
    let words: Vec<&str> = words.iter().copied().chain([place.as_str()]).collect();
    check_folder(|folder| write_recording(folder, &lines), code, &words);
}

/// Replaces text in one line of a stream.
#[track_caller]
fn check_changed(stream: &str, from: &str, to: &str, code: &str) {
    let change = |lines: &mut Vec<String>| {
        let at = line_of(lines, stream);
        let (before, after) = lines[at].split_once(from).expect("the text is in the line");
        lines[at] = format!("{before}{to}{after}");
        at + 1
    };
    check(change, code, &[]);
}

#[test]
fn a_line_that_ends_in_the_middle_is_a_cut_file() {
    check(
        |lines| {
            let last = lines.pop().unwrap();
            lines.push(last[..last.len() / 2].to_owned());
            LINES
        },
        "RECORDING_CUT",
        &["the file was cut"],
    );
    // Somewhere else it is no line of a recording.
    check(
        |lines| {
            lines[150].truncate(60);
            lines[150].push('\n');
            151
        },
        "RECORDING_MALFORMED",
        &["at column "],
    );
}

#[test]
fn lines_that_change_places_are_noticed() {
    check(
        |lines| {
            let at = line_of(lines, "@bookTicker");
            lines.swap(at, at + 1);
            lines.swap(at, at + 2);
            let ns = |line: &String| line.split(',').next().unwrap().to_owned();
            let first_back = (at..LINES).find(|at| ns(&lines[*at]) > ns(&lines[at + 1])).unwrap();
            first_back + 2
        },
        "RECORDING_REORDERED",
        &["received before the line above it"],
    );
    // With receive times that fit, the update ids still tell.
    let swapped_messages = |stream: &'static str| {
        move |lines: &mut Vec<String>| {
            let first = line_of(lines, stream);
            let next = lines.iter().skip(first + 1).position(|line| line.contains(stream));
            let second = first + 1 + next.unwrap();
            let (times, messages): (Vec<String>, Vec<String>) = [first, second]
                .map(|at| {
                    let (time, message) = lines[at].split_once(",\"msg\":").unwrap();
                    (time.to_owned(), message.to_owned())
                })
                .into_iter()
                .unzip();
            lines[first] = format!("{},\"msg\":{}", times[0], messages[1]);
            lines[second] = format!("{},\"msg\":{}", times[1], messages[0]);
            first + 1
        }
    };
    check(swapped_messages("@depth"), "RECORDING_GAP", &["stream 0 goes on at"]);
    check(swapped_messages("@trade"), "RECORDING_GAP", &["stream 2 goes on at"]);
}

#[test]
fn a_missing_line_is_a_gap_and_a_doubled_one_too() {
    let next_of = |lines: &[String], stream: &str, from: usize| {
        from + lines.iter().skip(from).position(|line| line.contains(stream)).unwrap() + 1
    };
    for stream in ["@depth", "@trade"] {
        check(
            |lines| {
                let at = line_of(lines, stream);
                lines.remove(at);
                next_of(lines, stream, at)
            },
            "RECORDING_GAP",
            &["cut or reordered"],
        );
        check(
            |lines| {
                let at = line_of(lines, stream);
                lines.insert(at, lines[at].clone());
                at + 2
            },
            "RECORDING_GAP",
            &["cut or reordered"],
        );
    }
}

#[test]
fn what_a_line_says_is_exact_known_and_about_this_instrument() {
    check_changed("@trade", "\"s\":\"BTCUSDT\"", "\"s\":\"ETHUSDT\"", "SYMBOL_MISMATCH");
    check_changed("@bookTicker", "btcusdt@", "ethusdt@", "SYMBOL_MISMATCH");
    check_changed("@trade", "\"p\":\"", "\"p\":\"-", "NUMBER_INVALID");
    check_changed("@trade", "000000\",\"q\"", "100000\",\"q\"", "NUMBER_INVALID");
    check_changed("@bookTicker", "1.50000000", "1.500000001", "NUMBER_INVALID");
    check_changed("@depth", "\"U\":", "\"V\":", "FIELD_INVALID");
    check_changed("@trade", "@trade", "@aggTrade", "STREAM_UNKNOWN");
    check_changed("@trade", "{\"recv_ns\"", "{\"seen\":1,\"recv_ns\"", "RECORDING_MALFORMED");
    check_changed("@trade", "{\"recv_ns\"", "{\"recv_ns\":1,\"recv_ns\"", "RECORDING_MALFORMED");
    check_changed("@trade", "{\"recv_ns\":", "{\"recv_ns\":1.5e", "RECORDING_MALFORMED");
    check_changed("@trade", "{\"recv_ns\":", "{\"recv_ns\":-", "RECORDING_MALFORMED");
    check_changed("@trade", "}\n", "}x\n", "RECORDING_MALFORMED");
    check_changed("@trade", "{\"recv_ns\"", "\n{\"recv_ns\"", "RECORDING_MALFORMED");
}

#[test]
fn text_that_is_not_utf_8_is_refused() {
    let Some(lines) = good() else { return };
    let make = |folder: &Path| {
        let mut bytes = lines.concat().into_bytes();
        let place = lines[..150].concat().len() + lines[150].len() - 10;
        bytes[place] = 0xff;
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("a.jsonl"), bytes).unwrap();
    };
    check_folder(make, "RECORDING_MALFORMED", &["a.jsonl line 151: "]);
}

/// Times in another unit, before the first line, or further on than one session may last.
#[test]
fn receive_times_that_cannot_be_are_refused() {
    let at = |ns: &'static str| {
        move |lines: &mut Vec<String>| {
            let (_, message) = lines[LINES - 1].split_once(",\"msg\"").unwrap();
            lines[LINES - 1] = format!("{{\"recv_ns\":{ns},\"msg\"{message}");
            LINES
        }
    };
    check(at("1723161600000"), "RECORDING_MALFORMED", &["nanoseconds"]);
    check(at("9223372036854775807"), "RECORDING_MALFORMED", &["nanoseconds"]);
    check(at("9223372036854775808"), "RECORDING_MALFORMED", &[]);
    check(at("1723161600000000000"), "RECORDING_REORDERED", &[]);
    check(at("1723766401000000000"), "RECORDING_TOO_LONG", &["168 h"]);
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn write_compressed(folder: &Path, bytes: &[u8]) {
    fs::create_dir(folder).unwrap();
    fs::write(folder.join("a.jsonl.gz"), bytes).unwrap();
}

#[test]
fn a_compressed_file_is_whole_or_refused() {
    let Some(lines) = good() else { return };
    let whole = compressed(lines.concat().as_bytes());
    let check = |bytes: &[u8]| {
        check_folder(
            |folder| write_compressed(folder, bytes),
            "RECORDING_DAMAGED",
            &["a.jsonl.gz line "],
        );
    };
    check(&whole[..whole.len() / 2]);
    check(&whole[..whole.len() - 1]);
    check(&[]);
    check(&[&whole[..], b"something else"].concat());
    check(lines.concat().as_bytes());
    let mut flipped = whole.clone();
    let checksum = flipped.len() - 8;
    flipped[checksum] ^= 1;
    check(&flipped);
}

/// Files may be compressed in several members; none of them is passed over.
#[test]
fn every_member_of_a_compressed_file_is_read() {
    let Some(lines) = good() else { return };
    let scratch = Scratch::new();
    let folder = scratch.path("recording");
    let members =
        [lines[..100].concat(), lines[100..].concat()].map(|it| compressed(it.as_bytes()));
    write_compressed(&folder, &members.concat());
    let run = replay(&[&folder]);
    assert_eq!((run.code, &*run.stderr), (0, ""));
    assert!(run.stdout.contains(&format!("frames       {LINES} read")), "{}", run.stdout);
}

/// The second file goes on where the first ends, or the recording is refused.
#[test]
fn files_are_one_recording_in_the_order_of_their_names() {
    let Some(lines) = good() else { return };
    let make = |first: &str, second: &str| {
        let (first, second) = (first.to_owned(), second.to_owned());
        let lines = lines.clone();
        move |folder: &Path| {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join(first), lines[..200].concat()).unwrap();
            fs::write(folder.join(second), lines[200..].concat()).unwrap();
            fs::write(folder.join("notes.txt"), "not part of it").unwrap();
        }
    };
    check_folder(make("b.jsonl", "a.jsonl"), "RECORDING_REORDERED", &["b.jsonl line 1: "]);
    check_folder(
        |folder| {
            make("a.jsonl", "b.jsonl")(folder);
            fs::write(folder.join("a.jsonl"), "").unwrap();
            fs::rename(folder.join("b.jsonl"), folder.join("c.jsonl")).unwrap();
            fs::write(folder.join("b.jsonl"), lines[..150].concat()).unwrap();
        },
        "RECORDING_GAP",
        &["c.jsonl line "],
    );
    let scratch = Scratch::new();
    let folder = scratch.path("recording");
    make("a.jsonl", "b.jsonl")(&folder);
    let run = replay(&[&folder]);
    assert_eq!((run.code, &*run.stderr), (0, ""));
}

#[test]
fn a_folder_that_is_no_recording_is_refused() {
    check_folder(|folder| fs::create_dir(folder).unwrap(), "RECORDING_EMPTY", &["no *.jsonl"]);
    check_folder(
        |folder| {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("a.jsonl"), "").unwrap();
        },
        "RECORDING_EMPTY",
        &["no frame"],
    );
    let unreadable = "RECORDING_UNREADABLE";
    check_folder(|_| {}, unreadable, &["No such file"]);
    check_folder(|folder| fs::write(folder, "a file").unwrap(), unreadable, &["Not a directory"]);
    let inside = |make: &dyn Fn(&Path)| {
        let folder = |folder: &Path| {
            fs::create_dir(folder).unwrap();
            make(&folder.join("a.jsonl"));
        };
        check_folder(folder, unreadable, &["a.jsonl", "not a regular file"]);
    };
    inside(&|path| fs::create_dir(path).unwrap());
    inside(&|path| std::os::unix::fs::symlink("/dev/zero", path).unwrap());
    // Reading a pipe would wait for its writer for ever.
    inside(&|path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success()));
    let not_text = |folder: &Path| {
        use std::os::unix::ffi::OsStrExt as _;
        fs::create_dir(folder).unwrap();
        fs::write(folder.join(std::ffi::OsStr::from_bytes(b"\xff.jsonl")), "").unwrap();
    };
    check_folder(not_text, unreadable, &["not UTF-8"]);
}
