//! Counts what relays by a grant, in a followed log that holds the lines of Postfix, too.

use std::net::IpAddr;

use crate::grants::Grants;
use crate::line::syslog;
use crate::report::postfix::{self, Names};
use crate::report::queue::{By, Granted, Origin, Queue, Relayed};
use crate::time::{Now, unix_seconds};

/// The messages of one log that are on their way.
#[derive(Debug)]
pub(super) struct Relays {
    queue: Queue,
    names: Names,
}

impl Relays {
    /// Nothing yet. These are further names under which Postfix logs.
    pub(super) fn new(names: &[String]) -> Self {
        Self { queue: Queue::new(), names: Names::new(names) }
    }

    /// Takes in lines that come now, after their logins have counted.
    pub(super) fn take(&mut self, lines: &[u8], now: &Now, grants: &mut Grants) {
        for line in lines.split(|byte| *byte == b'\n').filter(|line| line.len() <= syslog::LONGEST_LINE) {
            let Some((header, message)) = syslog::parse(line) else { continue };
            let Some(program) = self.names.program(header.program) else { continue };
            let read = postfix::read(program, message);
            let origin = |client: IpAddr, sasl: Option<&[u8]>| match sasl {
                Some(_) => Origin::Sasl(0),
                None if grants.networks().refuse(client).is_some() => Origin::Network,
                None if grants.ring().get(client).is_some() => Origin::Granted(Granted { client, by: By::Login(0) }),
                None => Origin::Other(client),
            };
            let host = header.host.unwrap_or_default();
            let relayed = self.queue.take(host, unix_seconds(now.wall), &read, origin);
            if let Some(Relayed { origin: Origin::Granted(granted), is_first: true, .. }) = relayed {
                grants.relayed(now, granted.client);
            }
        }
    }
}
