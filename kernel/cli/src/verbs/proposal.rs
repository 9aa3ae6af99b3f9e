//! `portcullis proposal`: what waits for a person's signed word.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use portcullis_control::{ProposalView, Reply, Request};
use portcullis_domain::WallNs;
use portcullis_statement::json::{Value, count, object, parse_canonical};
use portcullis_statement::{Digest, ShownProposal};

use crate::client::{self, SOON};
use crate::home::Home;
use crate::out::{field, indented};
use crate::review::{moment, release};
use crate::{CliError, out};

/// Proposals. Each becomes an order by one signed release, or ends by its time.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ProposalVerb {
    /// Lists what waits, the oldest first.
    List(ListArgs),
}

/// Lists what waits, the oldest first.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  portcullis proposal list --home demo-home")]
pub(crate) struct ListArgs {
    /// The home of the running daemon.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// One proposal as the daemon states it, read and held against its own digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// What a release has to name.
    pub(crate) shown: ShownProposal,
    /// Best bid and offer now; `None` without a quote.
    pub(crate) market: Option<(String, String)>,
    /// From when on it cannot be released.
    pub(crate) expires: WallNs,
}

/// Everything that waits, with the journal in which it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Origin of that journal.
    pub(crate) origin: String,
    /// The oldest first.
    pub(crate) waiting: Vec<Waiting>,
    /// How many newer ones the daemon left out.
    pub(crate) left_out: u64,
}

/// Asks the daemon behind a socket.
pub(crate) fn ask(socket: &Path) -> Result<Listed, CliError> {
    let Reply::Proposals { origin, proposals, left_out } =
        client::ask(socket, &Request::Proposals, SOON)?
    else {
        return Err(client::unexpected(socket));
    };
    let waiting: Option<Vec<Waiting>> = proposals.into_iter().map(read).collect();
    let waiting = waiting.ok_or_else(|| client::unexpected(socket))?;
    Ok(Listed { origin, waiting, left_out })
}

/// `None` for what is no proposal, or is not what its digest says.
fn read(view: ProposalView) -> Option<Waiting> {
    let shown = ShownProposal::from_value(&parse_canonical(view.shown.as_bytes()).ok()?).ok()?;
    let same = Digest::from_hex(&view.digest) == Some(shown.digest());
    let expires = WallNs(view.expires.parse().ok()?);
    same.then_some(Waiting { shown, market: view.bid.zip(view.ask), expires })
}

/// Runs `proposal list`.
pub(crate) fn list(args: &ListArgs) -> Result<(), CliError> {
    let listed = ask(&Home::open(&args.home)?.control_socket())?;
    if args.json {
        return out::json("proposal.list", document(&listed));
    }
    out::result(&render(&listed))?;
    if let Some(first) = listed.waiting.first() {
        let (id, home) = (first.shown.proposal, crate::files::shown(&args.home));
        out::narrate(&format!(
            "next: portcullis request release {id} --home {home} --out release.request"
        ));
    }
    Ok(())
}

fn render(listed: &Listed) -> String {
    let mut text = field("proposals", &listed.waiting.len().to_string());
    for Waiting { shown, market, expires } in &listed.waiting {
        let market = market
            .as_ref()
            .map_or_else(|| "no market".to_owned(), |(bid, ask)| format!("market {bid} / {ask}"));
        let (id, order) = (shown.proposal, release::order(shown));
        let until = moment(*expires);
        text += &indented(&format!("{id} {}: {order}; {market}; until {until}", shown.asked_by));
    }
    if listed.left_out > 0 {
        text += &field("not shown", &format!("{} newer proposals", listed.left_out));
    }
    text
}

fn document(listed: &Listed) -> Value {
    let proposal = |waiting: &Waiting| {
        let side = |pick: fn(&(String, String)) -> &String| {
            waiting.market.as_ref().map_or(Value::Null, |market| pick(market).as_str().into())
        };
        object([
            ("ask", side(|market| &market.1)),
            ("bid", side(|market| &market.0)),
            ("digest", waiting.shown.digest().hex().into()),
            ("expires", waiting.expires.rfc3339().into()),
            ("shown", waiting.shown.to_value()),
        ])
    };
    object([
        ("left_out", count(listed.left_out)),
        ("origin", listed.origin.as_str().into()),
        ("proposals", Value::List(listed.waiting.iter().map(proposal).collect())),
    ])
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use portcullis_control::Answer;
    use portcullis_statement::{Kind, Statement};

    use super::*;
    use crate::args::Cli;
    use crate::request_file::RequestFile;
    use crate::testing::{LATER, People, Scratch, word};
    use crate::testing::{daemon, frame};

    /// The daemon's answer with the one proposal that `word` releases.
    fn answer(change: impl FnOnce(&mut ProposalView)) -> Answer {
        let word = word();
        let mut view = ProposalView {
            shown: word.shown.to_value().canonical_text(),
            digest: word.digest.hex(),
            bid: Some(word.bid),
            ask: Some(word.ask),
            expires: LATER.0.to_string(),
        };
        change(&mut view);
        Answer::last(Reply::Proposals { origin: word.origin, proposals: vec![view], left_out: 2 })
    }

    #[test]
    fn a_list_shows_what_a_release_would_name() {
        let Answer { result: Ok(Reply::Proposals { origin, proposals, left_out }), .. } =
            answer(|_| ())
        else {
            panic!()
        };
        let waiting: Option<Vec<Waiting>> = proposals.into_iter().map(read).collect();
        let listed = Listed { origin, waiting: waiting.unwrap(), left_out };
        let text = render(&listed);
        let line = "  pc0000000700000003 plugin ema-cross: buy 0.1 BTC-USDT at limit 61837.60, \
                    gtc; market 61837.50 / 61837.70; until 2027-01-15 09:00:00Z\n";
        assert!(text.contains(line) && text.contains("2 newer proposals"), "{text}");
        let document = document(&listed).canonical_text();
        assert!(document.contains(&word().digest.hex()), "{document}");
    }

    /// Runs a line against a daemon in which that one proposal waits: the code of the error.
    fn run(line: &str, people: &People, scratch: &Scratch) -> Option<String> {
        std::fs::write(scratch.path().join("genesis.json"), &people.genesis.bytes).unwrap();
        let socket = scratch.path().join("control.sock");
        let server = daemon(socket.clone(), vec![frame(&answer(|_| ()))]);
        let home = scratch.path().display();
        let line = format!("portcullis {line} --home {home}");
        let ended = crate::run(Cli::try_parse_from(line.split(' ')).unwrap().verb);
        assert_eq!(server.join().unwrap(), Request::Proposals);
        std::fs::remove_file(socket).unwrap();
        ended.err().map(|error| error.code)
    }

    /// What is drafted is what waits, in the market of now, for as long as it waits and no longer.
    #[test]
    fn a_release_is_drafted_from_what_waits() {
        let (scratch, people) = (Scratch::new("release"), People::with_token());
        let out = scratch.path().join("release.request");
        let draft = |id: &str, people: &People| {
            run(&format!("request release {id} --out {}", out.display()), people, &scratch)
        };
        assert_eq!(run("proposal list --json", &people, &scratch), None);
        let unknown = draft("pc0000000700000004", &people);
        assert_eq!(unknown.as_deref(), Some("PROPOSALS_LEFT_OUT"));
        // A key in a file is not asked to sign what would be refused.
        let soft = draft("pc0000000700000003", &People::new());
        assert_eq!((soft.as_deref(), out.exists()), (Some("SIGNER_MISSING"), false));
        assert_eq!(draft("pc0000000700000003", &people), None);
        let file = RequestFile::read(&out).unwrap();
        let header = &file.envelope.header;
        assert_eq!((header.kind, header.expires), (Kind::Release, LATER));
        assert_eq!(header.signers.iter().map(|s| s.person.as_str()).collect::<Vec<_>>(), ["olga"]);
        let Ok(Statement::Release(body)) = file.envelope.statement() else { panic!() };
        assert_eq!(*body, word());
        let text = crate::review::render(&file).unwrap();
        assert!(text.starts_with("RELEASE: this one order may leave"), "{text}");
        assert!(text.contains("buy 0.1 BTC-USDT at limit 61837.60, gtc"), "{text}");
    }

    /// A18: a daemon that shows one thing and states the digest of another is not believed.
    #[test]
    fn a18_what_is_shown_is_what_its_digest_says() {
        let check = |change: fn(&mut ProposalView)| {
            let Ok(Reply::Proposals { mut proposals, .. }) = answer(change).result else {
                panic!()
            };
            assert_eq!(read(proposals.remove(0)), None);
        };
        check(|view| view.shown = view.shown.replace("0.1", "0.2"));
        check(|view| view.digest = "0".repeat(64));
        check(|view| view.shown = "{}".to_owned());
        check(|view| view.expires = "soon".to_owned());
    }
}
