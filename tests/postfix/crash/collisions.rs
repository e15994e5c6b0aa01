//! Asks Postfix and postmap, and tells the one failure that SQLite makes unavoidable from all others.
//!
//! Who opens an SQLite table while nobody has it open must read its log, and holds a lock for as long. Another new process
//! that looks something up within that time finds the table locked; Postfix does not wait, and ends the smtpd.

use crate::support::cases::Site;
use crate::support::postfix::{Lookup, Postfix};
use crate::support::smtp::Session;
use crate::support::{SOON, eventually};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};

/// What Postfix says of it.
const COLLISION: &str = "SQL prepare failed: database is locked";
/// What master says of the smtpd that ended by it.
const CONSEQUENCES: [&str; 2] = ["exit status 1", "bad command startup -- throttling"];

pub(crate) struct Prober<'a> {
    site: &'a Site,
    postfix: Postfix,
    /// So many collisions are put up with.
    most: u32,
    /// Sessions that broke off.
    broken: AtomicU32,
    /// Lookups of postmap that failed.
    failed: AtomicU32,
}

impl<'a> Prober<'a> {
    pub(crate) fn new(site: &'a Site, most: u32) -> Self {
        Self { site, postfix: site.postfix(), most, broken: AtomicU32::new(0), failed: AtomicU32::new(0) }
    }

    pub(crate) fn site(&self) -> &'a Site {
        self.site
    }

    /// Whether `client` may relay. A session that a collision broke off is made again.
    #[track_caller]
    pub(crate) fn may_relay(&self, client: IpAddr) -> bool {
        loop {
            match Session::open(self.postfix.port(), client).and_then(|mut session| session.rcpt()) {
                Ok(250) => return true,
                Ok(554) => return false,
                Err(_) if self.broken_by_collision() => {}
                other => panic!("RCPT from {client}: {other:?}; {}", self.postfix.log()),
            }
        }
    }

    /// What the table says of `client`. Not asked by root: the last one to close the table would remove its -wal.
    pub(crate) fn lookup(&self, client: IpAddr) -> Lookup {
        loop {
            match self.site.lookup_unprivileged(client) {
                Lookup::Failed(why) if self.may_collide() && why.contains(COLLISION) => {
                    self.failed.fetch_add(1, Ordering::Relaxed);
                    self.assert_few();
                }
                answer => return answer,
            }
        }
    }

    /// Fails if Postfix complained of anything but collisions.
    #[track_caller]
    pub(crate) fn assert_no_other_complaint(&self) {
        let broken = self.broken.load(Ordering::Relaxed);
        let by_collision = |line: &str| is_collision(line) || CONSEQUENCES.iter().any(|&end| line.contains(end));
        let mut complaints = self.postfix.complaints();
        complaints.retain(|line| broken == 0 || !by_collision(line));
        assert_eq!(complaints, [""; 0], "{}: what Postfix noticed", self.site.case.name);
        let failed = self.failed.load(Ordering::Relaxed);
        println!("{}: {broken} sessions and {failed} lookups of postmap found the table locked", self.site.case.name);
    }

    fn assert_few(&self) {
        let collisions = self.broken.load(Ordering::Relaxed) + self.failed.load(Ordering::Relaxed);
        assert!(collisions <= self.most, "{collisions} collisions; {}", self.postfix.log());
    }

    /// Whether Postfix tells of as many collisions as there were broken sessions with this one.
    fn broken_by_collision(&self) -> bool {
        let broken = self.broken.fetch_add(1, Ordering::Relaxed) + 1;
        self.assert_few();
        let told = || self.postfix.complaints().iter().filter(|line| is_collision(line)).count();
        self.may_collide() && eventually(SOON, || told() >= broken as usize)
    }

    fn may_collide(&self) -> bool {
        self.site.case.table == "sqlite"
    }
}

fn is_collision(line: &str) -> bool {
    line.contains("smtpd[") && line.contains(COLLISION)
}
