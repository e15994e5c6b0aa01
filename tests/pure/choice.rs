//! Another choice of matchers in front of the same log: what was seen before still counts.

use std::path::Path;

use pop_before_smtp::config::config_file;
use pop_before_smtp::matcher::{Action, AnyMatcher, BUILTIN, Matchers};
use pop_before_smtp::time::Timestamp;
use proptest::prelude::*;

const COURIER: &str = "imapd: LOGIN, user=alice, ip=[::ffff:198.51.100.1], port=[1], protocol=IMAP";
const DOVECOT: &str = "dovecot: imap-login: Login: user=<a>, method=PLAIN, rip=198.51.100.2, lip=192.0.2.25, mpid=1";

fn client(matchers: &mut Matchers, rest: &str) -> Option<(Action, String)> {
    let line = format!("Nov 22 16:00:00 mail {rest}");
    let event = matchers.event(Timestamp::default(), line.as_bytes())?;
    Some((event.action, event.client.to_string()))
}

fn logs_in(matchers: &mut Matchers, rest: &str) -> bool {
    client(matchers, rest).is_some_and(|(action, _)| action == Action::Login)
}

/// Longer than courierlogger's buffer, so that a stranger's text is at the start of the next message.
fn long() -> String {
    format!("imapd: LOGIN FAILED, user={}", "A".repeat(486))
}

fn custom(toml: &str) -> Matchers {
    Matchers::all_and(&config_file::parse(Path::new("x.toml"), toml).expect("a good file").custom())
}

#[test]
fn the_rest_of_a_message_that_was_cut_before_the_change_is_not_believed() {
    let choices =
        || [Matchers::all(), Matchers::select(&["courier"]).unwrap(), Matchers::select(&["dovecot"]).unwrap()];
    for mut matchers in choices() {
        for then in choices() {
            assert!(!logs_in(&mut matchers, &long()));
            matchers.choose_as(&then);
            assert!(!logs_in(&mut matchers, COURIER), "the rest");
        }
        matchers.choose_as(&Matchers::all());
        assert!(logs_in(&mut matchers, COURIER));
        assert!(logs_in(&mut matchers, DOVECOT));
    }
}

#[test]
fn the_rest_is_no_login_of_a_matcher_of_the_file_either() {
    let toml = "[[matcher]]\nname = 'mine'\nprograms = ['imapd']\nlogin = '^OKAY LOGIN (?P<ip>[0-9.]+)$'\n";
    let file = config_file::parse(Path::new("x.toml"), toml).unwrap();
    let mut mine = Matchers::choose(&["mine"], &file.custom()).unwrap();
    assert!(logs_in(&mut mine, "imapd: OKAY LOGIN 192.0.2.1"));
    assert!(!logs_in(&mut mine, &long()));
    assert!(!logs_in(&mut mine, "imapd: OKAY LOGIN 192.0.2.1"));
    assert!(logs_in(&mut mine, "imapd: OKAY LOGIN 192.0.2.1"));
}

#[test]
fn what_nginx_wrote_before_the_change_casts_doubt_on_what_follows() {
    let name = "2026/11/22 16:30:13 [info] 8#8: *210 client login failed: \"no\" while in http auth state, client: \
                198.51.100.85, server: 0.0.0.0:143, login: \"x";
    let forged = "2026/11/22 16:30:13 [info] 8#8: *211 client logged in, client: 203.0.113.66, server: 0.0.0.0:143, \
                  login: \"a\", upstream: 127.0.0.2:1143";
    for first in ["dovecot", "nginx"] {
        let mut matchers = Matchers::select(&[first]).unwrap();
        let block = format!("{name}\n{DOVECOT}\n");
        matchers.scan(Timestamp::default(), block.as_bytes(), &mut |_, event| panic!("{event:?}"));
        matchers.choose_as(&Matchers::all());
        assert!(matchers.event(Timestamp::default(), forged.as_bytes()).is_none(), "{first}");
        assert!(Matchers::all().event(Timestamp::default(), forged.as_bytes()).is_some(), "alone it is a login");
    }
}

/// Else a reload that chooses the same would forget connections.
#[test]
fn the_rows_of_the_table_are_the_same_wherever_they_are_named() {
    assert!(Matchers::all().is_same_choice(&Matchers::of(BUILTIN.iter().map(AnyMatcher::from))));
}

const CONNECT: &str = "[[matcher]]\nname = 'old'\nprograms = ['x']\nkey = 'pid'\n\
                       connect = '^connect from (?P<ip>[0-9.]+)$'\nlogin = '^authenticated (?P<user>.*)$'\n";

#[test]
fn an_address_that_a_matcher_told_of_goes_with_it() {
    let new = CONNECT.replace("'old'", "'new'");
    for (then, expected) in [(CONNECT.to_owned(), true), (new.clone(), false), (format!("{CONNECT}{new}"), true)] {
        let old = config_file::parse(Path::new("x.toml"), CONNECT).unwrap();
        let mut matchers = Matchers::all_and(&old.custom());
        assert!(!logs_in(&mut matchers, "x[7]: connect from 192.0.2.7"));
        // The same text is the same matcher only if the file that was read before is at hand.
        let custom = config_file::parse(Path::new("x.toml"), &then).unwrap().custom();
        let custom: Vec<_> =
            custom.into_iter().map(|new| if new.name() == "old" { old.custom().remove(0) } else { new }).collect();
        matchers.choose_as(&Matchers::all_and(&custom));
        assert_eq!(logs_in(&mut matchers, "x[7]: authenticated al"), expected, "{then}");
    }
}

#[test]
fn a_session_that_is_open_can_still_end() {
    let mut matchers = custom(&format!("{CONNECT}logout = '^disconnected$'\n"));
    assert!(!logs_in(&mut matchers, "x[7]: connect from 192.0.2.7"));
    assert!(logs_in(&mut matchers, "x[7]: authenticated al"));
    matchers.choose_as(&custom(&format!("{CONNECT}logout = '^disconnected ?$'\n")));
    assert_eq!(client(&mut matchers, "x[7]: disconnected"), Some((Action::Logout, "192.0.2.7".into())));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// With lines as they come and a choice that changes at any time, nothing is a login that is none when all matchers
    /// watch all the time.
    #[test]
    fn no_change_makes_a_login(steps in proptest::collection::vec((0..6usize, 0..3usize), 0..60)) {
        let lines = [COURIER.to_owned(), DOVECOT.to_owned(), long(), "imapd: x".to_owned(), "pop3d: LOGIN, user=b, ip=[::ffff:198.51.100.3]".to_owned(), long().replace("imapd", "pop3d")];
        let choices = [Matchers::all(), Matchers::select(&["courier"]).unwrap(), Matchers::select(&["dovecot"]).unwrap()];
        let (mut all, mut changing) = (Matchers::all(), Matchers::select(&["dovecot"]).unwrap());
        for (line, choice) in steps {
            changing.choose_as(&choices[choice]);
            let block = format!("Nov 22 16:00:00 mail {}\n", lines[line]);
            let mut found = [0, 0];
            all.scan(Timestamp::default(), block.as_bytes(), &mut |_, _| found[0] += 1);
            changing.scan(Timestamp::default(), block.as_bytes(), &mut |_, _| found[1] += 1);
            prop_assert!(found[1] <= found[0], "{}", lines[line]);
            if choice == 0 {
                prop_assert_eq!(found[1], found[0], "{}", lines[line]);
            }
        }
    }
}
