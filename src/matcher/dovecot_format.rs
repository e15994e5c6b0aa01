//! Makes a matcher of Dovecot's `login_log_format_elements`, as a site has set it. Pure.
//!
//! The variables are those of src/login-common/client-common.c, 2.2 to 2.4. An element whose variables are all empty is left
//! out by the server, but for that of the user; `login_log_format` is taken to be as shipped (`%$: %s`).

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::any::Form;
use super::builtin::dovecot::{CIPHER, DOVECOT, TLS_STARTS, VERB};
use super::custom::CustomMatcher;
use super::lint::Flaw;
use super::pattern::{self, Pattern, Piece, Role, SitePiece};
use super::{AnyMatcher, Key, Kind};

/// Name of the matcher that is made.
pub const NAME: &str = "dovecot-format";

/// Who says what stands in a variable's place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Server,
    /// The address of the client.
    Rip,
    User,
    /// The process that took over a client who is logged in.
    Process,
    Method,
    Client,
}

/// One element: what stands in it, and whether it may be missing.
struct Element {
    pieces: Vec<Piece>,
    from: Vec<From>,
}

impl Element {
    fn has(&self, from: From) -> bool {
        self.from.contains(&from)
    }

    fn is_stranger(&self) -> bool {
        self.has(From::User) || self.has(From::Client)
    }
}

/// Makes the matcher for these elements, separated by spaces: `user=<%u> method=%m rip=%r`.
///
/// # Errors
/// Why the address could not be told from a stranger's text, or what is not known, and what to write.
pub fn build(elements: &str) -> Result<AnyMatcher, Flaw> {
    // Read again while it is in use, the same elements make the same matcher.
    static LAST: Mutex<(String, Weak<CustomMatcher>)> = Mutex::new((String::new(), Weak::new()));
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let known = last.1.upgrade().filter(|_| last.0 == elements);
    let matcher = match known {
        Some(matcher) => matcher,
        None => Arc::new(matcher(elements)?),
    };
    *last = (elements.to_owned(), Arc::downgrade(&matcher));
    Ok(AnyMatcher::Custom(matcher))
}

fn matcher(elements: &str) -> Result<CustomMatcher, Flaw> {
    let elements = elements.split(' ').filter(|text| !text.is_empty()).map(element).collect::<Result<Vec<_>, _>>()?;
    let login = login(elements)?;
    pattern::lint(&login, Role::Login { joined: false }).map_err(|rule| {
        Flaw::new(rule, "enclose each variable, with text in front of it and behind it: user=<%u> method=%m rip=%r")
    })?;
    let logouts = DOVECOT.logouts.iter().map(|pattern| (Kind::Logout, Form::Pieces(pattern)));
    Ok(CustomMatcher {
        name: NAME.to_owned(),
        programs: DOVECOT.programs.iter().map(|name| (*name).to_owned()).collect(),
        key: Key::Session,
        forms: [(Kind::Login, Form::SitePieces(login.into()))].into_iter().chain(logouts).collect(),
    })
}

fn login(elements: Vec<Element>) -> Result<Vec<Piece>, Flaw> {
    let at = |from| elements.iter().position(|element| element.has(from));
    let count = |from| elements.iter().flat_map(|element| &element.from).filter(|own| **own == from).count();
    if count(From::Rip) != 1 || count(From::User) != 1 {
        let reason = "the address of the client and the name of the user must be in it, each once";
        return Err(Flaw::new(reason, "write rip=%r and user=<%u> (2.4: rip=%{remote_ip} user=<%{user}>)"));
    }
    let (Some(rip), Some(user)) = (at(From::Rip), at(From::User)) else { unreachable!("both were counted") };
    if rip == user {
        return Err(Flaw::new("the name and the address are in one element", "put a space between them"));
    }
    let free = |part: &[Element]| !part.iter().any(Element::is_stranger);
    if elements[rip].is_stranger() || !(free(&elements[..rip]) || free(&elements[rip + 1..])) {
        let reason = "a client could imitate the address: on both sides of it stands text that he may choose (user names, \
                      local_name)";
        return Err(Flaw::new(reason, "put rip=%r behind all of them, or in front of all of them"));
    }
    let has_method = count(From::Method) > 0;
    let mut pieces = vec![VERB];
    for (nth, mut element) in elements.into_iter().enumerate() {
        let needed = nth == rip || nth == user || element.has(From::Process);
        if nth == user && !has_method {
            refuse_anonymous(&mut element.pieces);
        }
        // Up to the name all is read from the left, so that each part brings along what is behind it.
        let separated = match nth.cmp(&user) {
            std::cmp::Ordering::Less => [element.pieces, vec![Piece::Lit(", ")]].concat(),
            std::cmp::Ordering::Equal => element.pieces,
            std::cmp::Ordering::Greater => behind(element.pieces),
        };
        if needed {
            pieces.extend(separated);
        } else {
            pieces.push(SitePiece::Optional(separated).into());
        }
    }
    Ok(pieces)
}

/// Without a method only the name tells an anonymous session.
fn refuse_anonymous(pieces: &mut Vec<Piece>) {
    let Some(at) = pieces.iter().position(|piece| matches!(piece, Piece::UserWithout(_))) else { return };
    let end = match pieces.get(at + 1) {
        Some(piece) => piece.literal().unwrap_or_default(),
        None => ", ",
    };
    let not = SitePiece::Not(format!("anonymous{end}"));
    pieces.insert(at, not.into());
}

/// The element behind a comma. What is said of TLS begins with the space.
fn behind(pieces: Vec<Piece>) -> Vec<Piece> {
    match pieces[..] {
        [Piece::OneOf(choices)] if std::ptr::eq(choices, SECURED) => {
            vec![Piece::Lit(","), Piece::OneOf(SECURED_BEHIND)]
        }
        _ => [vec![Piece::Lit(", ")], pieces].concat(),
    }
}

const SECURED: &[Pattern] = &[&[Piece::Lit("TLS")], &[Piece::Lit("secured")]];

const SECURED_BEHIND: &[Pattern] = &[
    &[Piece::Lit(" TLS")],
    &[Piece::Lit(" secured")],
    &[Piece::Phrase(TLS_STARTS)],
    &[Piece::Lit(" TLS: read(size="), Piece::Phrase(&[""])],
];

/// A rest of `ID sent: ` (up to 2.3, `imap_id_log`) has a colon in front of the elements.
const USER: Piece = Piece::UserWithout(&[": "]);

fn element(text: &str) -> Result<Element, Flaw> {
    let mut element = Element { pieces: Vec::new(), from: Vec::new() };
    let mut rest = text;
    while let Some((before, variable)) = rest.split_once('%') {
        let (name, behind) = name(variable)
            .ok_or_else(|| Flaw::new(format!("{text:?} is no element"), "write it as in login_log_format_elements"))?;
        if !before.is_empty() {
            element.pieces.push(SitePiece::Lit(before.to_owned()).into());
        }
        let (from, piece) = meaning(name, before).ok_or_else(|| {
            let reason = format!("%{{{name}}} is not known here, and the client might choose it");
            Flaw::new(reason, "take it out, or describe the whole message in a [[matcher]]")
        })?;
        element.from.push(from);
        element.pieces.push(piece);
        rest = behind;
    }
    if element.from.is_empty() {
        let reason = format!("{text:?} has no variable, so that Dovecot may leave it out");
        return Err(Flaw::new(reason, "put it in front of a variable, without a space"));
    }
    if !rest.is_empty() {
        element.pieces.push(SitePiece::Lit(rest.to_owned()).into());
    }
    Ok(element)
}

/// `u` or `{user}`, and what is behind it.
fn name(text: &str) -> Option<(&str, &str)> {
    match text.strip_prefix('{') {
        Some(inner) => inner.split_once('}'),
        None => text.is_char_boundary(1).then(|| text.split_at_checked(1))?,
    }
}

fn meaning(name: &str, before: &str) -> Option<(From, Piece)> {
    Some(match name {
        "r" | "rip" | "remote_ip" => (From::Rip, Piece::Client),
        "u" | "user" | "n" | "username" => (From::User, USER),
        "m" | "mech" | "mechanism" => (From::Method, Piece::Method),
        "e" | "mail_pid" => (From::Process, Piece::Number),
        "l" | "lip" | "local_ip" | "real_rip" | "real_lip" | "real_remote_ip" | "real_local_ip" => {
            (From::Server, Piece::Address)
        }
        "a" | "b" | "p" | "lport" | "rport" | "pid" | "local_port" | "remote_port" | "real_lport" | "real_rport"
        | "real_local_port" | "real_remote_port" => (From::Server, Piece::Number),
        "session" if before.ends_with('<') => (From::Server, Piece::Session),
        "session" => (From::Server, Piece::BareSession),
        "s" | "service" | "protocol" | "listener" | "ssl_ja3_hash" => (From::Server, Piece::Host),
        "ssl_ja3" => (From::Server, Piece::Numbers),
        "c" | "secured" => (From::Server, Piece::OneOf(SECURED)),
        "k" | "ssl_security" => (From::Server, Piece::OneOf(&[CIPHER, &[Piece::Lit("(proxied)")]])),
        "local_name" => (From::Client, Piece::Host),
        "d" | "domain" | "orig_user" | "orig_username" | "orig_domain" | "original_user" | "auth_user"
        | "auth_username" | "auth_domain" => (From::Client, Piece::Plain),
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::Matchers;
    use super::*;
    use crate::time::Timestamp;

    fn client(format: &str, message: &[u8]) -> Option<(String, Vec<u8>)> {
        let mut matchers = Matchers::of([build(format).expect("a safe format")].into_iter());
        let line = [b"Nov 22 10:00:00 mail dovecot: imap-login: Login: ".as_slice(), message].concat();
        let event = matchers.event(Timestamp::default(), &line)?;
        Some((event.client.to_string(), event.user?.to_vec()))
    }

    #[test]
    fn a_format_reads_its_own_lines() {
        let a = Some(("198.51.100.1".to_owned(), b"kevin".to_vec()));
        for (format, message) in [
            (
                "user=<%u> method=%m rip=%r lip=%l mpid=%e %c session=<%{session}>",
                "user=<kevin>, method=PLAIN, rip=198.51.100.1, lip=192.0.2.3, mpid=7, TLS: Disconnected, session=<a/b>",
            ),
            ("user=<%{user}> from=[%{remote_ip}] %{secured}", "user=<kevin>, from=[198.51.100.1]"),
            (
                "user=<%u> rip=%r %c",
                "user=<kevin>, rip=198.51.100.1, TLS: read(size=584) failed: Connection reset by peer",
            ),
            (
                "%r user=<%u> %k",
                "198.51.100.1, user=<kevin>, TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
            ),
            ("sid=%{session} %c rip=%r name=%u", "sid=RjEyd, TLS, rip=198.51.100.1, name=kevin"),
            (
                "local_name=%{local_name} user=<%u> rip=%r",
                "local_name=mail.example.net, user=<kevin>, rip=198.51.100.1",
            ),
            ("user=<%u> orig=<%{orig_user}> %m rip=%r", "user=<kevin>, orig=<k@example.net>, PLAIN, rip=198.51.100.1"),
        ] {
            assert_eq!(client(format, message.as_bytes()), a, "{format}");
            let other = message.replace("198.51.100.1", "198.51.100.1/32");
            assert_eq!(client(format, other.as_bytes()), None, "{other}");
        }
        assert_eq!(client("user=<%u> rip=%r", b"user=<anonymous>, rip=198.51.100.1"), None);
        assert_eq!(client("user=<%u> rip=%r mpid=%e", b"user=<kevin>, rip=198.51.100.1"), None);
    }

    #[test]
    fn a_format_in_which_the_address_could_be_imitated_is_refused() {
        for (format, reason) in [
            ("user=<%u> rip=%r local_name=%{local_name}", "imitate"),
            ("local_name=<%{local_name}> rip=%r user=<%u>", "imitate"),
            ("user=<%u> rip=%r orig=<%{orig_user}>", "imitate"),
            ("user=<%u> rip=%r,%{local_name}", "imitate"),
            ("user=%u method=%m rip=%r", "behind the user name"),
            ("user=<%u> method=%m", "each once"),
            ("rip=%r method=%m", "each once"),
            ("user=<%u> rip=%r real=%r", "each once"),
            ("user=<%u>,rip=%r", "one element"),
            ("user=<%u> rip=%r %{passdb:x}", "not known"),
            ("user=<%Lu> rip=%r", "not known"),
            ("user=<%u> rip=%r%b", "two pieces"),
            ("user=<%u> rip=%r fixed", "no variable"),
            ("user=<%u> rip=%r x%", "no element"),
            ("user=<%u> rip=%r x%{session", "no element"),
            ("", "each once"),
        ] {
            let flaw = build(format).expect_err(format).to_string();
            assert!(flaw.contains(reason), "{format}: {flaw}");
        }
    }

    /// Hostile names in every format that is taken, whatever the order.
    const FORMATS: &[&str] = &[
        "user=<%u> rip=%r %c",
        "user=<%u> session=<%{session}> method=%m rip=%r lip=%l mpid=%e %c",
        "rip=%r user=<%u> session=<%{session}> %c",
        "session=<%{session}> rip=%r lip=%l user=<%u>",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_name_never_changes_the_address(
            parts in prop::collection::vec(prop::sample::select(vec![
                ">", "<", ", ", "rip=203.0.113.66", "user=<x", "session=<y", "secured", "TLS", "mpid=1", "lip=192.0.2.9",
                "method=PLAIN", "a", " [203.0.113.66]", "TLS: x", "=", "Login: ", "\u{fc}",
            ]), 1..12),
            nth in 0..FORMATS.len(),
        ) {
            let user = parts.concat();
            let format = FORMATS[nth];
            let message = format
                .replace(' ', ", ")
                .replace("%u", &user)
                .replace("%r", "198.51.100.1")
                .replace("%l", "192.0.2.3")
                .replace("%m", "PLAIN")
                .replace("%e", "7")
                .replace("%c", "secured")
                .replace("%{session}", "abc");
            let found = client(format, message.as_bytes()).map(|(client, _)| client);
            let expected = (!user.contains(": ")).then(|| "198.51.100.1".to_owned());
            prop_assert_eq!(found, expected, "{}", &message);
            // Without the format it counts for the client, or not at all.
            let line = format!("Nov 22 10:00:00 mail dovecot: imap-login: Login: {message}");
            let event = Matchers::all().event(Timestamp::default(), line.as_bytes()).map(|event| event.client.to_string());
            prop_assert!(event.is_none_or(|client| client == "198.51.100.1"), "{}", &message);
        }
    }
}
