//! How the daemon is, as metrics for Prometheus: text format 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>). Writes the file of `--metrics-file`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use pop_before_smtp_backends::replace::{Manner, replace};

use crate::control::wire::{FollowedLog, Share, Status};
use crate::output::error::io_cause;
use crate::output::escape;
use crate::time::Timestamp;

/// How often the file is written.
const INTERVAL: Duration = Duration::from_secs(15);

/// What the counters of a log mean; others have a help text made of their names.
const COUNTERS: [(&str, &str); 9] = [
    ("lines", "Lines read."),
    ("bytes", "Bytes read."),
    ("unmatched", "Lines that look like logins and that no matcher took."),
    ("granted", "Logins that gave an address a new grant."),
    ("extended", "Logins that extended a grant."),
    ("logouts", "Logouts found."),
    ("dropped", "Lines dropped for their length."),
    ("logins", "Logins found, by matcher."),
    ("refused", "Logins that were refused, by reason."),
];

const LAST_LINE: &str = "Time of the last line read, as its stamp says.";
const LAST_LOGIN: &str = "Time of the last login that a matcher took, as the stamp of its line says.";

/// All metrics, of a daemon that runs or has just stopped.
pub(crate) fn text(status: &Status, running: bool) -> String {
    let mut page = Page::default();
    page.gauge(
        "running",
        "Whether the daemon runs; 0 after a clean stop, which empties the table.",
        &[],
        u64::from(running),
    );
    let labels = [("version", status.version.as_str()), ("backend", &status.backend), ("map", &status.map)];
    page.gauge("build_info", "Version, backend and map of the daemon; always 1.", &labels, 1);
    page.gauge("uptime_seconds", "Time since the daemon began to serve.", &[], status.uptime);
    page.gauge("grants", "Addresses that may relay.", &[], status.grants);
    page.gauge("capacity", "Addresses that may relay at most.", &[], status.capacity);
    page.gauge("grace_seconds", "How long a login lets its address relay.", &[], status.grace);
    page.gauge("denied_networks", "Networks that are denied by hand.", &[], status.denied);
    page.gauge(
        "published",
        "Whether the table holds what it should; 0 while it cannot be written.",
        &[],
        u64::from(status.published),
    );
    page.counter("publishes_total", "Publishes that succeeded.", &[], status.publishes);
    page.counter("publish_failures_total", "Publishes that failed.", &[], status.failed_publishes);
    if let Some(relays) = status.relays {
        page.counter("relays_total", "Messages that were relayed by grants.", &[], relays);
    }
    if let Some(last) = status.last_publish {
        page.gauge("last_publish_timestamp_seconds", "When a publish last succeeded.", &[], last);
    }
    if let Some(last) = status.last_error_at {
        page.gauge("last_publish_failure_timestamp_seconds", "When a publish last failed.", &[], last);
    }
    if let Some(share) = &status.share {
        self::share(&mut page, share);
    }
    let control = &status.control;
    for (result, count) in [
        ("answered", control.requests),
        ("bad", control.bad),
        ("refused", control.refused),
        ("dropped", control.dropped),
    ] {
        page.counter("control_requests_total", "Requests at the control socket.", &[("result", result)], count);
    }
    sources(&mut page, &status.sources);
    page.text
}

fn share(page: &mut Page, share: &Share) {
    let works = u64::from(share.error.is_none());
    page.gauge("share_connected", "Whether the database between the hosts can be used.", &[], works);
    page.gauge("share_since_timestamp_seconds", "Since when it can be used, or cannot.", &[], share.since);
    page.gauge("share_waiting", "Grants that wait to be given to the other hosts.", &[], share.waiting);
    page.counter("share_lost_total", "Grants that had no room to wait.", &[], share.lost);
    if let Some(behind) = share.behind {
        page.gauge("share_behind_seconds", "Time since the others' grants were all known here.", &[], behind);
    }
    for counter in &share.counters {
        let label = counter.label.iter().map(|(label, value)| (label.as_str(), value.as_str()));
        let (name, labels) = (name_of(&counter.name), label.collect::<Vec<_>>());
        page.counter(&format!("share_{name}_total"), "Grants of other hosts.", &labels, counter.value);
    }
}

/// All samples of a name must stand together, so name by name.
fn sources(page: &mut Page, sources: &[FollowedLog]) {
    for source in sources {
        if let Some(offset) = source.offset {
            page.gauge("log_offset_bytes", "How far a log has been read.", &[("source", &source.name)], offset);
        }
    }
    for source in sources {
        let labels = [("source", source.name.as_str())];
        source.last_line.iter().for_each(|&at| page.gauge("log_last_line_timestamp_seconds", LAST_LINE, &labels, at));
    }
    for source in sources {
        let labels = [("source", source.name.as_str())];
        source
            .last_login
            .iter()
            .for_each(|&at| page.gauge("log_last_login_timestamp_seconds", LAST_LOGIN, &labels, at));
    }
    let counters = || sources.iter().flat_map(|source| source.counters.iter().map(move |counter| (source, counter)));
    let names: std::collections::BTreeSet<_> = counters().map(|(_, counter)| counter.name.as_str()).collect();
    for name in names {
        let known = COUNTERS.iter().find(|(known, _)| *known == name).map(|(_, help)| (*help).to_owned());
        let help = known.unwrap_or_else(|| format!("{} in a log.", capitalized(&name_of(name).replace('_', " "))));
        for (source, counter) in counters().filter(|(_, counter)| counter.name == name) {
            let label = counter.label.iter().map(|(label, value)| (label.as_str(), value.as_str()));
            let labels: Vec<_> = [("source", source.name.as_str())].into_iter().chain(label).collect();
            page.counter(&format!("log_{}_total", name_of(name)), &help, &labels, counter.value);
        }
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[derive(Default)]
struct Page {
    text: String,
    /// The metric whose help was written last.
    last: String,
}

impl Page {
    fn gauge(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: u64) {
        self.sample(name, "gauge", help, labels, value);
    }

    fn counter(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: u64) {
        self.sample(name, "counter", help, labels, value);
    }

    fn sample(&mut self, name: &str, kind: &str, help: &str, labels: &[(&str, &str)], value: u64) {
        // Writing to a String cannot fail.
        if self.last != name {
            name.clone_into(&mut self.last);
            let _ = write!(self.text, "# HELP pop_before_smtp_{name} {help}\n# TYPE pop_before_smtp_{name} {kind}\n");
        }
        let labels: Vec<_> =
            labels.iter().map(|(label, value)| format!("{}=\"{}\"", name_of(label), escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text, "pop_before_smtp_{name}{labels} {value}");
    }
}

/// The value of a label.
fn escaped(value: &str) -> String {
    let char = |char: char| match char {
        '\n' => r"\n".to_owned(),
        '\\' | '"' => format!("\\{char}"),
        // The format knows no escape for these; a terminal that it is printed on must not get them.
        _ if escape::is_obeyed(char) => format!(r"\\u{{{:x}}}", u32::from(char)),
        _ => char.to_string(),
    };
    value.chars().map(char).collect()
}

/// A name as the format allows it.
fn name_of(text: &str) -> String {
    text.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' }).collect()
}

/// The file of `--metrics-file`.
#[derive(Debug)]
pub(crate) struct MetricsFile {
    path: PathBuf,
    due: Timestamp,
    failed: bool,
}

impl MetricsFile {
    /// To be written at once.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, due: Timestamp::default(), failed: false }
    }

    /// When it is to be written.
    pub(crate) fn deadline(&self) -> Timestamp {
        self.due
    }

    /// Writes it, so that a reader sees all or nothing. A failure is told once, until it works again.
    pub(crate) fn write(&mut self, now: Timestamp, status: &Status, running: bool) {
        self.due = now + INTERVAL;
        let manner = Manner { mode: 0o644, owner: None, sync: false };
        match replace(&self.path, manner, |file| file.write_all(text(status, running).as_bytes())) {
            Ok(()) => self.failed = false,
            Err(error) if !self.failed => {
                self.failed = true;
                log::warn!("cannot write metrics to {}: {}; trying again", self.path.display(), io_cause(&error));
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::control::wire::Counter;

    #[test]
    fn nothing_that_a_daemon_says_leaves_its_place_in_the_format() {
        let text = "a\u{1b}[2J\n\"b\\".to_owned();
        let counters = vec![Counter { name: text.clone(), label: Some((text.clone(), text.clone())), value: 1 }];
        let log = FollowedLog { name: text, offset: None, last_line: None, last_login: None, counters };
        let mut page = Page::default();
        sources(&mut page, &[log]);
        let value = r#"a\\u{1b}[2J\n\"b\\"#;
        let sample = format!("log_a__2J__b__total{{source=\"{value}\",a__2J__b_=\"{value}\"}} 1\n");
        assert!(page.text.ends_with(&sample), "{:?}", page.text);
        assert!(!page.text.contains('\u{1b}') && page.text.lines().count() == 3, "{:?}", page.text);
    }
}
