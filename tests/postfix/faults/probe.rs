//! Readers as Postfix has them, asking all the time: one that opens the table for each question, and an smtpd with a
//! session that stays open.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::cases::Site;
use crate::support::postfix::Postfix;
use crate::support::smtp::Session;
use crate::support::{SOON, wait_for};

/// What a reader found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum View {
    /// Whom the table held before.
    Old,
    /// The newest client, too.
    New,
    /// A table without a client who is in it.
    Missing,
    /// No table.
    Error,
}

impl View {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
            Self::Missing => "not found",
            Self::Error => "error",
        }
    }
}

/// What a reader saw since the last time that one asked, with the first complaint.
#[derive(Default)]
pub(crate) struct Seen {
    looks: u32,
    pub(crate) views: BTreeSet<View>,
    pub(crate) complaint: Option<String>,
}

impl Seen {
    fn note(&mut self, view: View, complaint: Option<String>) {
        self.looks += 1;
        self.views.insert(view);
        if self.complaint.is_none() {
            self.complaint = complaint;
        }
    }
}

/// Who is asked for.
pub(crate) struct Clients {
    /// In the table all the time.
    pub(crate) old: IpAddr,
    /// The last to log in as the fault begins.
    pub(crate) new: IpAddr,
    /// Never logs in.
    pub(crate) stranger: IpAddr,
}

/// One question by a reader that opens the table for it.
pub(crate) fn look(site: &Site, clients: &Clients) -> (View, Option<String>) {
    match site.find_unprivileged(&[clients.old, clients.new, clients.stranger]) {
        Err(complaint) => (View::Error, Some(complaint)),
        Ok(found) => {
            assert!(!found.contains(&clients.stranger), "a stranger is in the table");
            let has = |client| found.contains(client);
            let view = match (has(&clients.old), has(&clients.new)) {
                (false, _) => View::Missing,
                (true, false) => View::Old,
                (true, true) => View::New,
            };
            (view, None)
        }
    }
}

/// Asks in two threads until it is told to stop.
pub(crate) struct Probes<'s> {
    pub(crate) site: &'s Site,
    pub(crate) postfix: &'s Postfix,
    pub(crate) clients: &'s Clients,
    pub(crate) fresh: Mutex<Seen>,
    pub(crate) staying: Mutex<Seen>,
    pub(crate) over: AtomicBool,
}

impl<'s> Probes<'s> {
    pub(crate) fn new(site: &'s Site, postfix: &'s Postfix, clients: &'s Clients) -> Self {
        let seen = || Mutex::new(Seen::default());
        Self { site, postfix, clients, fresh: seen(), staying: seen(), over: AtomicBool::new(false) }
    }

    /// What was seen since the last call.
    pub(crate) fn take(&self) -> (Seen, Seen) {
        [&self.fresh, &self.staying].map(|seen| std::mem::take(&mut *seen.lock().unwrap())).into()
    }

    /// Waits until each reader has looked at what is there now, and no earlier.
    pub(crate) fn wait_for_a_look(&self) {
        for seen in [&self.fresh, &self.staying] {
            let before = seen.lock().unwrap().looks;
            // The first of them may have been under way.
            wait_for("two looks at the table", SOON, || seen.lock().unwrap().looks >= before + 2);
        }
    }

    pub(crate) fn look_all_the_time(&self) {
        while !self.over.load(Ordering::Relaxed) {
            let (view, complaint) = look(self.site, self.clients);
            self.fresh.lock().unwrap().note(view, complaint);
            // Leaves the processors to the others.
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks in a session that is open as long as smtpd lives, then in the next.
    pub(crate) fn stay(&self) {
        while !self.over.load(Ordering::Relaxed) {
            if let Err(error) = self.one_session() {
                self.staying.lock().unwrap().note(View::Error, Some(error.to_string()));
                thread::sleep(Duration::from_millis(50));
            }
        }
    }

    fn one_session(&self) -> std::io::Result<()> {
        let mut session = Session::open(self.postfix.port(), self.clients.old)?;
        while !self.over.load(Ordering::Relaxed) {
            let old = session.rcpt()?;
            session.change_client(self.clients.new)?;
            let new = session.rcpt()?;
            session.change_client(self.clients.old)?;
            let (view, complaint) = match (old, new) {
                (250, 250) => (View::New, None),
                (250, 554) => (View::Old, None),
                (554, 250 | 554) => (View::Missing, None),
                _ => (View::Error, Some(format!("{old} {new}"))),
            };
            self.staying.lock().unwrap().note(view, complaint);
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}
