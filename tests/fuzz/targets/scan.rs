//! Any lines, handed over in blocks of any size: a scan finds what a look at every line finds. The last three bytes choose the
//! matchers, whether the log begins in the middle, and the size of the blocks.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pop_before_smtp::matcher::{BUILTIN, Event, Matchers};
use pop_before_smtp::time::Timestamp;

static CHOICES: LazyLock<Vec<Matchers>> = LazyLock::new(|| {
    let alone = BUILTIN.iter().map(|m| Matchers::select(&[m.name]).unwrap());
    [Matchers::all()].into_iter().chain(alone).collect()
});

fuzz_target!(|input: &[u8]| {
    let Some((log, [choice, high, low])) = input.split_last_chunk() else { return };
    // Mostly all of them.
    let matchers = if *choice < 128 { &CHOICES[0] } else { &CHOICES[usize::from(*choice) % CHOICES.len()] };
    let mut matchers = matchers.clone();
    if *choice % 2 == 1 {
        matchers.begin_in_the_middle();
    }
    let least = usize::from(u16::from_be_bytes([*high, *low])) % 6000;
    assert_eq!(scanned(matchers.clone(), log, least), line_by_line(matchers.clone(), log));
});

fn line_by_line(mut matchers: Matchers, log: &[u8]) -> Vec<(usize, String)> {
    let mut at = 0;
    let mut events = Vec::new();
    for line in log.split_inclusive(|b| *b == b'\n') {
        let whole = line.strip_suffix(b"\n").unwrap_or(line);
        events.extend(matchers.event(Timestamp::default(), whole).map(|event| (at, shown(&event))));
        at += line.len();
    }
    events
}

/// All of an event but the session, whose number differs from one set of matchers to the next.
fn shown(event: &Event<'_>) -> String {
    format!("{:?}", Event { session: None, ..event.clone() })
}

/// In blocks of whole lines, of `least` bytes or more.
fn scanned(mut matchers: Matchers, log: &[u8], least: usize) -> Vec<(usize, String)> {
    let mut events = Vec::new();
    let mut at = 0;
    while at < log.len() {
        let from = (at + least).min(log.len());
        let newline = log[from..].iter().position(|b| *b == b'\n');
        let end = newline.map_or(log.len(), |newline| from + newline + 1);
        matchers.scan(Timestamp::default(), &log[at..end], &mut |line, event| events.push((at + line, shown(event))));
        at = end;
    }
    events
}
