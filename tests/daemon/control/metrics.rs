//! Metrics, read by a parser as strict as Prometheus's own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use super::site::{daemon, told};
use crate::support::cases::{self, Site, ip};
use crate::support::process::program;
use crate::support::{SOON, wait_for};

/// Name with labels, and value.
type Samples = BTreeMap<String, f64>;

/// Reads text format 0.0.4: help and type before the samples of a name, all of them together, none twice.
fn parse(text: &str) -> Samples {
    assert!(text.ends_with('\n'), "{text:?}");
    let (mut samples, mut seen, mut current) = (Samples::new(), BTreeSet::new(), String::new());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a help text");
            assert!(!help.is_empty() && seen.insert(name.to_owned()), "{name} twice");
            let kind = lines.next().and_then(|line| line.strip_prefix("# TYPE ")).expect("a type behind the help");
            let (same, kind) = kind.split_once(' ').unwrap();
            assert!(same == name && ["gauge", "counter"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
            name.clone_into(&mut current);
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = series.split_once('{').map_or((series, ""), |(name, labels)| (name, labels));
        assert_eq!(name, current, "{line}");
        assert!(name.starts_with("pop_before_smtp_") && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        check_labels(labels);
        assert!(samples.insert(series.to_owned(), value.parse().unwrap()).is_none(), "{series} twice");
    }
    samples
}

fn check_labels(mut labels: &str) {
    while !labels.is_empty() {
        let (name, rest) = labels.split_once("=\"").expect("a value in quotes");
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        let mut escaped = false;
        let end = rest.find(|char| {
            let is_end = char == '"' && !escaped;
            escaped = char == '\\' && !escaped;
            is_end
        });
        let rest = &rest[end.expect("the end of the value") + 1..];
        labels = rest.strip_prefix(',').unwrap_or_else(|| rest.strip_prefix('}').expect("the end of the labels"));
    }
}

#[test]
fn the_status_is_written_for_prometheus() {
    let Some(mut site) = Site::new(&cases::LMDB) else { return };
    site.log = site.join("a \"strange\\ log");
    fs::write(&site.log, "a line\n").unwrap();
    let file = site.join("metrics.prom");
    let mut daemon = daemon(&site, &["--metrics-file", &file.display().to_string()]);
    wait_for("the first file", SOON, || file.exists());
    let read = || fs::read_to_string(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(parse(&read())["pop_before_smtp_grants"], 0.0);
    let inode = fs::metadata(&file).unwrap().ino();

    site.log_in_and_wait(ip("198.51.100.1"));
    let text = told(&site, &["status", "--prometheus"]);
    let samples = parse(&text);
    assert_eq!(samples["pop_before_smtp_running"], 1.0);
    assert_eq!(samples["pop_before_smtp_grants"], 1.0);
    assert_eq!(samples["pop_before_smtp_publishes_total"], 2.0);
    let offset = samples.keys().find(|name| name.starts_with("pop_before_smtp_log_offset_bytes{")).unwrap();
    assert!(offset.contains(r#"a \"strange\\ log""#), "{offset}");
    if program("promtool").is_some() {
        let mut check = std::process::Command::new("promtool");
        let mut child = check.args(["check", "metrics"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    // Written again after a while, in one piece.
    wait_for("the next file", SOON, || parse(&read())["pop_before_smtp_grants"] == 1.0);
    assert_ne!(fs::metadata(&file).unwrap().ino(), inode);
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    assert_eq!(parse(&read())["pop_before_smtp_running"], 0.0);
}

#[test]
fn a_file_that_cannot_be_written_is_told_once() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let file = site.join("nosuch/metrics.prom");
    let mut daemon = daemon(&site, &["--metrics-file", &file.display().to_string()]);
    daemon.wait_logged("cannot write metrics to ");
    fs::create_dir(site.join("nosuch")).unwrap();
    wait_for("the file, once there is a place for it", SOON, || file.exists());
    assert_eq!(daemon.stderr().matches("cannot write metrics").count(), 1, "{}", daemon.stderr());
    assert_eq!(daemon.terminate(), Some(0));
}
