//! Sessions of several servers, hosts and processes in any order: a login has the address that connected last under the same
//! host, program and id, once, within ten minutes, and nobody else's.

#![no_main]

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;
use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use pop_before_smtp::matcher::{Action, Matchers};
use pop_before_smtp::time::Timestamp;

static ALL: LazyLock<Matchers> = LazyLock::new(Matchers::all);

/// How long a connection may take to log in.
const LONGEST_WAIT: u64 = 10 * 60;

/// What a server says; `A` is the address, `S` its session id.
struct Server {
    program: &'static str,
    connect: &'static str,
    login: &'static str,
    /// Of an authenticated session.
    end: &'static str,
    failure: &'static str,
    /// Whether the failure ends the connection.
    hangs_up: bool,
    noise: &'static str,
}

const SERVERS: &[Server] = &[
    Server {
        program: "popa3d",
        connect: "Session from A",
        login: "Authentication passed for alice",
        end: "0 (0) deleted, 1 (5) left",
        failure: "Authentication failed for UNKNOWN USER",
        hangs_up: true,
        noise: "pam_unix(popa3d:auth): authentication failure; logname= uid=0 euid=0 tty= ruser= rhost=  user=alice",
    },
    Server {
        program: "spop3d",
        connect: "connect from A",
        login: "user alice authenticated",
        end: "session ended for user alice",
        failure: "authentication failed for user alice",
        hangs_up: false,
        noise: "authentication failed: no such user: connect from 203.0.113.66",
    },
    Server {
        program: "vm-pop3d",
        connect: "Connect from A",
        login: "User 'alice' of 'example.org' logged in",
        end: "Session ended for user: alice",
        failure: "Non-existent user: alice (example.org)",
        hangs_up: false,
        noise: "Non-existent user: Connect from 203.0.113.66 (h)",
    },
    Server {
        program: "pop3d",
        connect: "S A",
        login: "S POP3 login: user `alice', source system",
        end: "S session ended for user: alice",
        failure: "S user `alice' nonexistent",
        hangs_up: false,
        noise: "user `alice' logged in with mailbox `/var/mail/alice' (0 messages)",
    },
];

#[derive(Debug, Arbitrary)]
struct Step {
    server: u8,
    host: bool,
    id: u8,
    pid: u8,
    saying: Saying,
}

#[derive(Debug, Arbitrary)]
enum Saying {
    Connect(u8),
    Login,
    End,
    Failure,
    Noise,
    /// Nothing, for so many seconds.
    Wait(u16),
}

#[derive(Default)]
struct Model {
    waiting: HashMap<Id, (IpAddr, u64)>,
    open: HashMap<Id, IpAddr>,
}

/// Host, program, and what the server tells sessions apart by.
type Id = (bool, &'static str, u8);

impl Model {
    /// What the line must give.
    fn expect(&mut self, now: u64, id: Id, server: &Server, saying: &Saying) -> Option<(Action, IpAddr)> {
        match saying {
            Saying::Connect(client) => {
                self.open.remove(&id);
                self.waiting.insert(id, (address(*client), now));
                None
            }
            Saying::Login => {
                let (client, since) = self.waiting.remove(&id)?;
                if now - since > LONGEST_WAIT {
                    return None;
                }
                self.open.insert(id, client);
                Some((Action::Login, client))
            }
            Saying::Failure if !server.hangs_up => None,
            Saying::End | Saying::Failure => {
                self.waiting.remove(&id);
                self.open.remove(&id).map(|client| (Action::Logout, client))
            }
            Saying::Noise | Saying::Wait(_) => None,
        }
    }
}

fn address(client: u8) -> IpAddr {
    Ipv4Addr::new(198, 51, 100, client % 8).into()
}

fn line(step: &Step, server: &Server) -> Option<Vec<u8>> {
    let format = match &step.saying {
        Saying::Connect(_) => server.connect,
        Saying::Login => server.login,
        Saying::End => server.end,
        Saying::Failure => server.failure,
        Saying::Noise => server.noise,
        Saying::Wait(_) => return None,
    };
    let client = if let Saying::Connect(client) = step.saying { address(client).to_string() } else { String::new() };
    let by_session = server.connect.starts_with('S') && server.connect.len() == 3;
    let message = match format.strip_prefix("S ") {
        Some(rest) if by_session => format!("2AMGa{} {}", step.id % 4, rest.replace('A', &client)),
        _ => match format.strip_suffix('A') {
            Some(start) => format!("{start}{client}"),
            None => format.to_owned(),
        },
    };
    // The id of the process tells sessions apart, or has nothing to do with it.
    let pid = if by_session { step.pid } else { step.id % 4 };
    let host = if step.host { "mail" } else { "backup" };
    Some(format!("Nov 22 16:00:00 {host} {}[{pid}]: {message}", server.program).into_bytes())
}

fuzz_target!(|steps: Vec<Step>| {
    let mut matchers = ALL.clone();
    let mut model = Model::default();
    let mut now = 0;
    for step in &steps {
        let server = &SERVERS[usize::from(step.server) % SERVERS.len()];
        if let Saying::Wait(seconds) = step.saying {
            now += u64::from(seconds % 700);
            continue;
        }
        let Some(line) = line(step, server) else { continue };
        let event = matchers.event(Timestamp::from_boot(Duration::from_secs(now)), &line);
        let expected = model.expect(now, (step.host, server.program, step.id % 4), server, &step.saying);
        assert_eq!(event.map(|e| (e.action, e.client)), expected, "{}", line.escape_ascii());
    }
});
