//! A scan of a block must find exactly what a look at every line finds, whatever the block holds and wherever it ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use pop_before_smtp::line::syslog;
use pop_before_smtp::matcher::custom::{self, Definition};
use pop_before_smtp::matcher::{AnyMatcher, BUILTIN, Event, Found, Key, Matchers, Untaken};
use pop_before_smtp::time::Timestamp;
use proptest::prelude::*;

/// A matcher whose connections hold a text that other programs log.
static CUSTOM: LazyLock<AnyMatcher> = LazyLock::new(|| {
    let definition = Definition {
        name: "own",
        programs: &["postfix/smtpd".to_owned()],
        login: "^Login of user=(?P<user>[a-z]+)$",
        connect: Some("^connect from (?P<ip>[0-9.]+)$"),
        logout: None,
        key: Some(Key::Pid),
    };
    custom::build(&definition).unwrap_or_else(|(_, flaw)| panic!("{flaw:?}"))
});

/// Lines of all servers.
static LINES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let logs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs");
    let mut files: Vec<PathBuf> = list(&logs).iter().filter(|entry| entry.is_dir()).flat_map(|dir| list(dir)).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "log"));
    files.sort();
    let texts = files.iter().map(|file| fs::read(file).expect("a sample"));
    texts.flat_map(|text| text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>()).collect()
});

fn list(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

/// What an event says, without the session's id, which differs from one `Matchers` to the next.
fn told(line: usize, event: &Event<'_>) -> String {
    let Event { action, client, user, matcher, header, .. } = event;
    format!("{line} {action} {client} {user:?} {matcher} {header:?}")
}

fn line_by_line(mut matchers: Matchers, text: &[u8]) -> Vec<String> {
    let mut at = 0;
    let mut events = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let whole = line.strip_suffix(b"\n").unwrap_or(line);
        events.extend(
            matchers
                .event_before(Timestamp::default(), whole, text.get(at + line.len()..).unwrap_or_default())
                .map(|event| told(at, &event)),
        );
        at += line.len();
    }
    events
}

/// Scans the text in blocks of whole lines of at least `size` bytes.
fn scanned(mut matchers: Matchers, text: &[u8], size: usize) -> Vec<String> {
    let mut events = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let least = (at + size).min(text.len());
        let end =
            text[least..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |newline| least + newline + 1);
        let block = &text[at..end];
        let stamp = matchers.sort_part(Timestamp::default(), block, 0..block.len(), |line, found| match found {
            Found::Event(event) => events.push(told(at + line, event)),
            // What is handed on of a line is what it holds.
            Found::Untaken(Untaken { line, header, message }) => {
                assert_eq!(syslog::parse(line), Some((header, message)));
            }
        });
        let last = block.strip_suffix(b"\n").unwrap_or(block).rsplit(|byte| *byte == b'\n').next();
        // Of a piece the first stamp is taken.
        let last = last.filter(|line| syslog::piece(line).is_none());
        let time = |line| syslog::parse(line).map(|(header, _)| header.time);
        let expected = |line| time(line).or_else(|| Some(syslog::repeat(line)?.time));
        assert!(last.is_none_or(|line| stamp == expected(line)), "{block:?}");
        at = end;
    }
    events
}

/// Where newlines may be raw, what stands behind a line in its block may show that a newline has cut it (`CutFailure`).
fn choices(escaped: bool) -> Vec<Matchers> {
    let one = |name| Matchers::select(&[name]).expect("a matcher");
    let all = [Matchers::all(), Matchers::all_and(std::slice::from_ref(&CUSTOM))];
    let mut choices: Vec<_> = all.into_iter().chain(BUILTIN.iter().map(|matcher| one(matcher.name))).collect();
    choices.iter_mut().for_each(|matchers| matchers.take_newlines_for_escaped(escaped));
    choices
}

const WHOLE: usize = usize::MAX / 2;

#[test]
fn all_samples_are_found_by_every_choice_of_matchers() {
    let text = LINES.join(&b"\n"[..]);
    for (escaped, sizes) in [(true, &[0, 1000, 64 * 1024, WHOLE][..]), (false, &[WHOLE])] {
        for matchers in choices(escaped) {
            let expected = line_by_line(matchers.clone(), &text);
            assert!(!expected.is_empty());
            for size in sizes {
                assert_eq!(scanned(matchers.clone(), &text, *size), expected, "blocks of {size}");
            }
        }
    }
}

/// A line of a log: of a server, or noise, or one that its logger has cut and the rest of it.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let sample = any::<prop::sample::Index>().prop_map(|index| index.get(&LINES).clone());
    let rest = b"LOGIN, user=alice, ip=[::ffff:203.0.113.66], port=[1]";
    let rest = Just([b"Nov 22 16:00:00 mail imapd: ".as_slice(), rest].concat());
    let program =
        prop::sample::select(vec!["imapd", "pop3d-ssl", "pop3d[7]", "courierimapd", "dovecot", "postfix/smtpd"]);
    let cut = (program, prop_oneof![Just(499usize..507), Just(890..910), Just(8150..8210)]).prop_flat_map(
        |(program, length)| {
            let program = program.to_owned();
            length
                .prop_map(move |length| format!("Nov 22 16:00:00 mail {program}: {}", "A".repeat(length)).into_bytes())
        },
    );
    prop_oneof![
        8 => sample.clone(),
        2 => rest,
        2 => cut,
        1 => Just(b"Nov 22 16:00:00 mail postfix/smtpd[7]: connect from 192.0.2.9".to_vec()),
        1 => Just(b"Nov 22 16:00:00 mail postfix/smtpd[7]: Login of user=alice".to_vec()),
        1 => Just(b"Nov 22 16:00:00 nginx: *1 client \"".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..80),
        2 => (sample.clone(), 0..60usize, prop::sample::select(b" :[]()<.#/09aN".to_vec())).prop_map(|(mut line, at, byte)| {
            if let Some(old) = line.get_mut(at) {
                *old = byte;
            }
            line
        }),
        1 => (sample, any::<prop::sample::Index>()).prop_map(|(line, cut)| {
            let length = if line.is_empty() { 0 } else { cut.index(line.len()) };
            line[..length].to_vec()
        }),
    ]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let ends = prop_oneof![9 => Just(&b"\n"[..]), 1 => Just(&b"\r\n"[..])];
    let lines = prop::collection::vec((line(), ends), 0..60);
    (lines, any::<bool>()).prop_map(|(lines, finished)| {
        let mut text = lines.into_iter().flat_map(|(line, end)| [line, end.to_vec()].concat()).collect::<Vec<u8>>();
        if !finished && text.ends_with(b"\n") {
            text.pop();
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_scan_finds_what_a_look_at_every_line_finds(
        text in text(),
        size in 0usize..5000,
        one in any::<prop::sample::Index>(),
    ) {
        for (escaped, size) in [(true, size), (false, WHOLE)] {
            let choices = choices(escaped);
            for matchers in [&choices[0], one.get(&choices)] {
                prop_assert_eq!(scanned(matchers.clone(), &text, size), line_by_line(matchers.clone(), &text));
            }
        }
    }

    /// But for nginx's own file and behind a long line: what goes before is always read there.
    #[test]
    fn from_the_middle_on_nothing_is_found_that_the_whole_log_does_not_tell(
        text in text(),
        skipped in any::<prop::sample::Index>(),
        size in 0usize..5000,
    ) {
        let is_nginx = |line: &[u8]| syslog::parse(line).is_some_and(|(header, _)| header.program == b"nginx");
        let is_left = |line: &&[u8]| !is_nginx(line) && line.len() < 7900;
        let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').filter(is_left).collect();
        let before: usize = lines[..skipped.index(lines.len() + 1)].iter().map(|line| line.len()).sum();
        let text = lines.concat();
        let mut matchers = Matchers::all();
        matchers.take_newlines_for_escaped(true);
        let whole = line_by_line(matchers.clone(), &text);
        matchers.begin_in_the_middle();
        let rest = scanned(matchers.clone(), &text[before..], size);
        prop_assert_eq!(&rest, &line_by_line(matchers, &text[before..]));
        for event in rest {
            let (line, what) = event.split_once(' ').expect("a line and what it tells");
            let line: usize = line.parse().expect("a number");
            let event = format!("{} {what}", before + line);
            prop_assert!(whole.contains(&event), "{} is only told from byte {} on", event, before);
        }
    }
}
