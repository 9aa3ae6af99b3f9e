//! What reaches the daemon, and what is refused before it.

use portcullis_control::{Answer, PackView, Refused};
use portcullis_statement::{Digest, Target};

use super::*;
use crate::testing::{People, Scratch, signed};
use crate::testing::{daemon, frame};
use crate::{draft, files};

/// A home with nothing but a genesis, and a fully signed unkill request.
fn scene(scratch: &Scratch) -> (PathBuf, PathBuf, RequestFile) {
    let people = People::new();
    let home = scratch.path().join("h");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join("genesis.json"), &people.genesis.bytes).unwrap();
    let bytes = draft::unkill(&people.desk(), Target::kill(1, Digest::of(b"k")), "mended").unwrap();
    let mut file = RequestFile::new(bytes).unwrap();
    file.signed = signed(file.signed.bytes.clone());
    let path = scratch.path().join("unkill.request");
    files::write_new(&path, &file.to_bytes()).unwrap();
    (home, path, file)
}

#[test]
fn a_complete_request_is_handed_over_byte_for_byte() {
    let scratch = Scratch::new("ask");
    let (home, path, file) = scene(&scratch);
    let yes = Answer::last(Reply::Done { text: "unkill accepted".to_owned() });
    let server = daemon(home.join("control.sock"), vec![frame(&yes)]);
    submit(&SubmitArgs { file: path, home, pack: None }).unwrap();
    assert_eq!(server.join().unwrap(), Request::Statement(signed_bytes(&file.signed)));
}

#[test]
fn an_incomplete_or_misplaced_request_goes_nowhere() {
    let scratch = Scratch::new("ask");
    let (home, path, mut file) = scene(&scratch);
    let code = |path: &Path, pack: Option<PathBuf>| {
        let args = SubmitArgs { file: path.to_owned(), home: home.clone(), pack };
        submit(&args).unwrap_err().code
    };
    assert_eq!(code(&path, None), "DAEMON_UNREACHABLE");
    assert_eq!(code(&path, Some(home.clone())), "NOT_A_SEAL");
    let opened = open(&OpenArgs { file: path.clone(), home: home.clone(), witnesses: vec![] });
    assert_eq!(opened.unwrap_err().code, "WRONG_DOOR");
    file.signed.signatures.push("nothing".to_owned());
    files::replace(&path, &file.to_bytes()).unwrap();
    assert_eq!(code(&path, None), "SIGNATURE_UNLISTED");
    file.signed.signatures.clear();
    files::replace(&path, &file.to_bytes()).unwrap();
    assert_eq!(code(&path, None), "SIGNATURE_MISSING");
    files::replace(&path, b"{}").unwrap();
    assert_eq!(code(&path, None), "STATEMENT_MALFORMED");
    let genesis = RequestFile::new(People::new().genesis.bytes).unwrap();
    files::replace(&path, &genesis.to_bytes()).unwrap();
    assert_eq!(code(&path, None), "WRONG_DOOR");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(code(&path, None), "FILE_NOT_FOUND");
}

#[test]
fn close_stop_and_pack_ask_for_what_they_say() {
    let scratch = Scratch::new("ask");
    let (home, ..) = scene(&scratch);
    let socket = home.join("control.sock");
    let yes = frame(&Answer::last(Reply::Done { text: "done".to_owned() }));
    let server = daemon(socket.clone(), vec![yes.clone()]);
    close(&CloseArgs { home: home.clone(), reason: "evening".to_owned() }).unwrap();
    let reason = "evening".to_owned();
    assert_eq!(server.join().unwrap(), Request::Close { reason });
    std::fs::remove_file(&socket).unwrap();
    let server = daemon(socket.clone(), vec![yes]);
    stop(&StopArgs { home: home.clone() }).unwrap();
    assert_eq!(server.join().unwrap(), Request::Stop);

    std::fs::remove_file(&socket).unwrap();
    let text = |text: &str| text.to_owned();
    let view = PackView {
        session: text("s1"),
        path: text("reports/x"),
        manifest: Digest::of(b"m").hex(),
        head: Digest::of(b"h").hex(),
        size: 9,
        origin: text("o"),
    };
    let server = daemon(socket.clone(), vec![frame(&Answer::last(Reply::Pack(view)))]);
    let asking = Asking { home: home.clone(), person: None };
    let args = PackArgs { session: text("s1"), lessons: vec![], asking, json: true };
    pack(&args).unwrap();
    let session = name("session", "s1").unwrap();
    assert_eq!(server.join().unwrap(), Request::Pack { session });

    std::fs::remove_file(&socket).unwrap();
    let no = Refused { code: text("SESSION_UNKNOWN"), cause: text("no such session") };
    let server = daemon(socket, vec![frame(&Answer::refused(no))]);
    assert_eq!(pack(&args).unwrap_err().exit, Exit::NotFound);
    server.join().unwrap();
    let named = PackArgs { session: text("../s1"), ..args.clone() };
    assert_eq!(pack(&named).unwrap_err().exit, Exit::Usage);
    let blank = PackArgs { lessons: vec![text(" ")], ..args };
    assert_eq!(pack(&blank).unwrap_err().code, "CONTROL_MALFORMED");
}
