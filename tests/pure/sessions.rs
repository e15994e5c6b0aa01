//! Logins whose address is on another line: whatever order the lines come in, whatever is lost, and however many connect,
//! an address is granted only to the client that connected last under that id.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use pop_before_smtp::matcher::{Action, Matchers};
use pop_before_smtp::time::Timestamp;
use proptest::prelude::*;

#[derive(Debug, Clone, Copy)]
enum Step {
    Connect,
    Fail,
    Login,
    End,
}

/// Of imap4d each process serves one session, and logs in once.
static PROCESS: AtomicU32 = AtomicU32::new(1000);

/// How a server says each step; `@` is the address, `S` the session (id or pid), `P` a new process.
struct Server {
    name: &'static str,
    connect: &'static str,
    fail: &'static str,
    login: &'static str,
    end: &'static str,
    /// Whether a connection ends with its first failure.
    ends_on_failure: bool,
}

const SERVERS: &[Server] = &[
    Server {
        name: "popa3d",
        connect: "popa3d[S]: Session from @",
        fail: "popa3d[S]: Authentication failed for alice",
        login: "popa3d[S]: Authentication passed for alice",
        end: "popa3d[S]: 0 (0) deleted, 0 (0) left",
        ends_on_failure: true,
    },
    Server {
        name: "vm-pop3d",
        connect: "vm-pop3d[S]: Connect from @",
        fail: "vm-pop3d[S]: Non-existent user: mallory ()",
        login: "vm-pop3d[S]: User 'alice' of 'example.org' logged in",
        end: "vm-pop3d[S]: Session ended for user: alice",
        ends_on_failure: false,
    },
    Server {
        name: "solid-pop3d",
        connect: "spop3d[S]: connect from pc.example.net (@)",
        fail: "spop3d[S]: authentication failed for user alice",
        login: "spop3d[S]: user alice authenticated",
        end: "spop3d[S]: session ended for user alice",
        ends_on_failure: false,
    },
    Server {
        name: "mailutils",
        connect: "imap4d[815]: 2AMGbS @",
        fail: "imap4d[P]: 2AMGbS login failed: alice",
        login: "imap4d[P]: 2AMGbS user `alice' logged in (source: system)",
        end: "imap4d[P]: 2AMGbS session terminating for user: alice",
        ends_on_failure: false,
    },
];

fn steps() -> impl Strategy<Value = Vec<(Step, u8, u8)>> {
    let step = prop_oneof![Just(Step::Connect), Just(Step::Fail), Just(Step::Login), Just(Step::End)];
    prop::collection::vec((step, 0..6_u8, any::<u8>()), 1..80)
}

fn line(text: &str, session: u8, client: IpAddr) -> String {
    let message = text.replace('@', &client.to_string());
    let message = message.replace("[S]", &format!("[{}]", 100 + u16::from(session)));
    let message = message.replace("[P]", &format!("[{}]", PROCESS.fetch_add(1, Ordering::Relaxed)));
    let message = message.replace("2AMGbS", &format!("2AMGb{session}"));
    format!("Nov 22 16:00:00 mail {message}")
}

fn client(number: u8) -> IpAddr {
    IpAddr::from([198, 51, 100, number])
}

fn matchers(server: &Server) -> Matchers {
    Matchers::select(&[server.name]).expect("built in")
}

fn event(matchers: &mut Matchers, seconds: u64, line: &str) -> Option<(Action, IpAddr)> {
    let event = matchers.event(Timestamp::from_boot(Duration::from_secs(seconds)), line.as_bytes())?;
    Some((event.action, event.client))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_address_belongs_to_the_client_that_connected_last(steps in steps()) {
        for server in SERVERS {
            let mut matchers = matchers(server);
            let mut waiting: HashMap<u8, IpAddr> = HashMap::new();
            let mut open: HashMap<u8, IpAddr> = HashMap::new();
            for (step, session, number) in &steps {
                let client = client(*number);
                let (text, expected) = match step {
                    Step::Connect => {
                        waiting.insert(*session, client);
                        open.remove(session);
                        (server.connect, None)
                    }
                    Step::Fail => {
                        if server.ends_on_failure {
                            waiting.remove(session);
                        }
                        let ended = open.get(session).copied().filter(|_| server.ends_on_failure);
                        if server.ends_on_failure {
                            open.remove(session);
                        }
                        (server.fail, ended.map(|client| (Action::Logout, client)))
                    }
                    Step::Login => {
                        let client = waiting.remove(session);
                        if let Some(client) = client {
                            open.insert(*session, client);
                        }
                        (server.login, client.map(|client| (Action::Login, client)))
                    }
                    Step::End => {
                        waiting.remove(session);
                        (server.end, open.remove(session).map(|client| (Action::Logout, client)))
                    }
                };
                let line = line(text, *session, client);
                prop_assert_eq!(event(&mut matchers, 0, &line), expected, "{}: {}", server.name, line);
            }
        }
    }
}

#[test]
fn a_flood_of_connections_moves_no_address_under_another_login() {
    for server in SERVERS {
        let mut matchers = matchers(server);
        let login = || line(server.login, 1, client(1));
        event(&mut matchers, 0, &line(server.connect, 1, client(1)));
        for number in 0..40_000_u32 {
            let text = server.connect.replace("[S]", &format!("[{}]", 1000 + number));
            let text = text.replace("2AMGbS", &format!("2AMGx{number}"));
            event(&mut matchers, 0, &line(&text, 0, client(66)));
        }
        assert_eq!(event(&mut matchers, 0, &login()), None, "{}: forgotten, and nobody else's", server.name);
        event(&mut matchers, 0, &line(server.connect, 1, client(2)));
        assert_eq!(event(&mut matchers, 0, &login()), Some((Action::Login, client(2))), "{}", server.name);
    }
}

#[test]
fn a_connection_is_forgotten_by_age() {
    for server in SERVERS {
        let mut matchers = matchers(server);
        event(&mut matchers, 0, &line(server.connect, 1, client(1)));
        assert_eq!(event(&mut matchers, 601, &line(server.login, 1, client(1))), None, "{}", server.name);
    }
}

#[test]
fn hosts_are_kept_apart() {
    for server in SERVERS {
        let mut matchers = matchers(server);
        event(&mut matchers, 0, &line(server.connect, 1, client(1)).replace(" mail ", " other "));
        assert_eq!(event(&mut matchers, 0, &line(server.login, 1, client(1))), None, "{}", server.name);
    }
}
