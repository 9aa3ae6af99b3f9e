//! What is about to be signed, in plain words, made from the very bytes that are signed.
//!
//! It needs no daemon, no home and no network. Whoever signs reads values here; the digests stand
//! beside them for machines.

mod flatten;
pub(crate) mod limits;
pub(crate) mod release;
mod session;

use portcullis_domain::WallNs;
use portcullis_statement::{
    Digest, EndpointSet, Genesis, Header, Host, Kind, PluginRelease, Refusal, Seal, Statement,
    Target, Unkill,
};

use crate::out::{field, indented};
use crate::request_file::RequestFile;

/// The review of a request file.
pub(crate) fn render(file: &RequestFile) -> Result<String, Refusal> {
    let mut text = heading(file);
    text += &match file.kind() {
        Kind::Genesis => genesis(&Genesis::from_value(&file.envelope.body)?),
        Kind::EndpointSet
        | Kind::PluginRelease
        | Kind::SessionApproval
        | Kind::LimitsChange
        | Kind::Unkill
        | Kind::FlattenPlan
        | Kind::Release
        | Kind::Seal => match file.envelope.statement()? {
            Statement::EndpointSet(body) => endpoint_set(&body),
            Statement::PluginRelease(body) => plugin_release(&body),
            Statement::SessionApproval(body) => session::render(&body),
            Statement::LimitsChange(body) => limits::change(&body),
            Statement::Unkill(body) => unkill(&body),
            Statement::FlattenPlan(body) => flatten::render(&body),
            Statement::Release(body) => release::render(&body),
            Statement::Seal(body) => seal(&body),
        },
    };
    Ok(text + &signers(file))
}

/// A moment to the second, in UTC.
pub(crate) fn moment(at: WallNs) -> String {
    let text: String = at.rfc3339().chars().take(19).collect();
    format!("{}Z", text.replacen('T', " ", 1))
}

const fn question(kind: Kind) -> &'static str {
    match kind {
        Kind::Genesis => "the first roster of an installation",
        Kind::EndpointSet => "where sessions may connect to",
        Kind::PluginRelease => "this plugin may run, up to the phase named",
        Kind::SessionApproval => "this one session may trade as written here",
        Kind::LimitsChange => "these limits change as written here",
        Kind::Unkill => "the kill or stop named here is over",
        Kind::FlattenPlan => "these positions may be closed, in these slices and no other way",
        Kind::Release => "this one order may leave, if the market still stands there",
        Kind::Seal => "the evidence of this session is complete and judged as written",
    }
}

fn heading(file: &RequestFile) -> String {
    let Header { kind, nonce, policy_seq, not_before, expires, signers: _, genesis } =
        &file.envelope.header;
    let mut text = format!("{}: {}\n\n", kind.name().to_uppercase(), question(*kind));
    text += &field("statement", &Digest::of(&file.signed.bytes).hex());
    text += &field("namespace", kind.namespace());
    if let Some(genesis) = genesis {
        text += &field("genesis", &genesis.hex());
    }
    text += &field("valid", &format!("{} to {}", moment(*not_before), moment(*expires)));
    text += &field("nonce", nonce);
    text += &field("policy", &policy_seq.to_string());
    text + "\n"
}

fn signers(file: &RequestFile) -> String {
    let standing = file.standing();
    let mut text = "\nsigners\n".to_owned();
    for (signer, signed) in file.envelope.header.signers.iter().zip(&standing.signed) {
        let state = if *signed { "signed" } else { "has not signed" };
        let (person, role) = (&signer.person, signer.role.name());
        text += &indented(&format!("{person} as {role}, key {}: {state}", signer.key));
    }
    if standing.foreign > 0 {
        let count = standing.foreign;
        text += &indented(&format!(
            "{count} signature(s) that do not count: not over these bytes, or of nobody listed"
        ));
    }
    text
}

fn genesis(body: &Genesis) -> String {
    let mut text = field("account", body.account.as_str());
    text += &field("host", body.host.as_str());
    text += &field("goes as far as", body.roster.ladder().name());
    text += &field("mark", body.roster.mark().map_or("none", portcullis_statement::Mark::name));
    for person in body.roster.people() {
        let roles: Vec<_> = person.roles.iter().map(|role| role.name()).collect();
        let (roles, key) = (roles.join(", "), person.key.fingerprint());
        let token = if person.key.is_hardware() { ", hardware key" } else { "" };
        text += &field("person", &format!("{} ({roles}) {key}{token}", person.name));
    }
    text
}

fn endpoint_set(body: &EndpointSet) -> String {
    let host = |host: &Option<Host>| {
        host.as_ref().map_or_else(|| "none".to_owned(), |h| format!("{}:{}", h.host, h.port))
    };
    let mut text = field("kind", body.kind.name());
    text += &field("venue", body.venue.name());
    text += &field("market data", &host(&body.public));
    text += &field("account", &host(&body.private));
    for file in &body.files {
        text += &field("file", &format!("{} sha256 {}", file.name, file.sha256));
    }
    text
}

fn plugin_release(body: &PluginRelease) -> String {
    let list = |list: &[String]| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
    let phase = body.phase_max;
    let mut text = field("plugin", &format!("{}, release {}", body.plugin, body.release_seq));
    text += &field("author", body.author.as_str());
    text += &field("component", &format!("sha256 {}", body.component));
    text += &field("may run up to", &format!("phase {} ({})", phase.number(), phase.name()));
    text += &field("imports", &list(&body.imports));
    text += &field("exports", &list(&body.exports));
    text += &field("memory", &format!("at most {} bytes", body.memory_bytes_max));
    text + &field("world", &body.world)
}

fn unkill(body: &Unkill) -> String {
    target(&body.target) + &field("reason", &body.reason)
}

/// What a statement lifts or follows, by number and entry.
fn target(target: &Target) -> String {
    let text = field(target.latch.name(), &format!("number {}", target.seq));
    text + &field("entry", &format!("sha256 {}", target.entry))
}

fn seal(body: &Seal) -> String {
    let mut text = field("session", body.session.as_str());
    text += &field("judged", body.classification.name());
    text += &field("manifest", &format!("sha256 {}", body.manifest));
    let journal = &body.journal;
    text += &field("journal", &format!("{}, {} entries", journal.origin, journal.size));
    text += &field("checkpoint key", &journal.key);
    text + &field("head", &journal.head.hex())
}

#[cfg(test)]
mod tests {
    use portcullis_statement::Venue;

    use super::*;
    use crate::draft;
    use crate::testing::{People, key, signed};

    #[test]
    fn a_review_shows_values_and_who_has_signed() {
        let people = People::new();
        let bytes = draft::endpoint_set(&people.desk(), Venue::Binance, (9001, 9002)).unwrap();
        let mut file = RequestFile::new(bytes.clone()).unwrap();
        let text = render(&file).unwrap();
        for part in ["ENDPOINT-SET", "simulated", "binance", "127.0.0.1:9002", "gus as governance"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(text.contains(&Digest::of(&bytes).hex()));
        assert_eq!(text.matches("has not signed").count(), 2);
        file.signed = signed(bytes.clone());
        file.signed.signatures.push(key("eve").sign("portcullis-endpoint-set", &bytes));
        let text = render(&file).unwrap();
        assert_eq!((text.matches("signed\n").count(), text.contains("1 signature(s)")), (2, true));
    }

    #[test]
    fn every_kind_has_its_words() {
        let people = People::new();
        let file = RequestFile::new(people.genesis.bytes.clone()).unwrap();
        let text = render(&file).unwrap();
        assert!(text.contains("mark             demo") && text.contains("petra (approver)"));
        let kill = Target::kill(7, Digest::of(b"k"));
        let bytes = draft::unkill(&people.desk(), kill, "feed [mended]").unwrap();
        let text = render(&RequestFile::new(bytes).unwrap()).unwrap();
        assert!(text.contains("number 7") && text.contains("feed [mended]"));
        assert!(text.contains("2027-01-15 08:00:00Z to 2027-01-15 09:00:00Z"));
    }
}
