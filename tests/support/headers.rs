//! Writes a message under each header form.

/// A line of syslog, `Nov 22 16:00:00 mail program[4711]: message`, under another header.
type Wrap = fn(program: &[u8], message: &[u8]) -> Vec<u8>;

/// What a runtime or runner puts in front of any line, later than any stamp in the samples.
pub(crate) const PREFIXES: &[&str] = &[
    "@400000006b0d9da500000000 ",
    "2026-11-30_16:00:00.12345 ",
    "2026-11-30 16:00:00.123456789  ",
    "2026-11-30T16:00:00.123456789Z ",
    "dovecot-1  | ",
    "dovecot-1  | 2026-11-30T16:00:00.123456789Z ",
    "2026-11-30T16:00:00.123456789Z stdout F ",
    "\x1b[36mdovecot-1  | \x1b[0m",
    "2026-11-30T16:00:00.123456789Z mail_dovecot.1.x4f8b2k9q1zt@node1    | ",
    "[pod/mail-0/dovecot] ",
    "[pod/mail-0/dovecot] 2026-11-30T16:00:00.123456789Z ",
    "2026-11-30T16:00:00.12345 ",
    "2026-11-30T16:00:00.123456789+01:00 stderr F @400000006b0d9da500000000 ",
];

/// The headers that syslog daemons and their like write.
pub(crate) const WRAPS: &[Wrap] = &[
    |program, message| [b"Nov 22 16:00:00 mail ".as_slice(), program, b"[4711]: ", message].concat(),
    |program, message| [b"2026-11-22T16:00:00.123456+01:00 mail ".as_slice(), program, b"[4711]: ", message].concat(),
    |program, message| {
        [b"<22>1 2026-11-22T16:00:00.123456+01:00 mail ".as_slice(), program, b" 4711 - - ", message].concat()
    },
    |program, message| {
        let data = b" 4711 - [a@1 x=\"\\\"\\]\\\\\"] \xef\xbb\xbf".as_slice();
        [b"1 2026-11-22T16:00:00.123456+01:00 mail ".as_slice(), program, data, message].concat()
    },
    |program, message| [b"Nov 22 16:00:00 <mail.info> mail ".as_slice(), program, b"[4711]: ", message].concat(),
    |program, message| [b"Nov 22 16:00:00 <2.6> mail ".as_slice(), program, b"[4711]: ", message].concat(),
    |program, message| [b"<mail.info>Nov 22 16:00:00 mail ".as_slice(), program, b"[4711]: ", message].concat(),
    |program, message| [b"<2.6>Nov 22 16:00:00 mail ".as_slice(), program, b"[4711]: ", message].concat(),
    |program, message| [b"Nov 22 16:00:00 mail mail.info ".as_slice(), program, b"[4711]: ", message].concat(),
    |program, message| [b"Nov 22 16:00:00 mail.info ".as_slice(), program, b"[4711]: ", message].concat(),
    |program, message| [b"Fri Nov 22 16:00:00 2026 mail.info ".as_slice(), program, b"[4711]: ", message].concat(),
    |program, message| {
        [b"Nov 22 16:00:00 mail ".as_slice(), program, b"[4711]: [ID 702911 mail.info] ", message].concat()
    },
    |program, message| [b"Nov 22 16:00:00 s_src@mail/relay ".as_slice(), program, b"[4711]: ", message].concat(),
    |program, message| [b"2026 Nov 22 16:00:00 mail ".as_slice(), program, b"[4711]: ", message].concat(),
    |program, message| [b"Nov 22 2026 16:00:00 mail ".as_slice(), program, b"[4711]: ", message].concat(),
    |program, message| [b"Nov 22 16:00:00.123456 mail ".as_slice(), program, b"[4711]: ", message].concat(),
    |program, message| [b"1795363200.123456 mail ".as_slice(), program, b"[4711]: ", message].concat(),
    |program, message| [b"Fri 2026-11-22 16:00:00 CET mail ".as_slice(), program, b"[4711]: ", message].concat(),
    |program, message| [b"Nov 22 16:00:00 mail mail:info ".as_slice(), program, b"[4711]: ", message].concat(),
    |program, message| [b"Nov 22 16:00:00 mail auth|security:info ".as_slice(), program, b"[4711]: ", message].concat(),
    |program, message| [b"Nov 22 16:00:00 [192.0.2.9.2.2] ".as_slice(), program, b"[4711]: ", message].concat(),
    |program, message| [b"Nov 22 16:00:00 (none) mail.info ".as_slice(), program, b"[4711]:  ", message].concat(),
    |program, message| {
        [b"<22>1 2026-11-22T16:00:00Z [2001:db8::1] ".as_slice(), program, b" 4711 - - ", message].concat()
    },
    |program, message| [b"2026-11-22T16:00:00.5Z mail ".as_slice(), program, b" 4711 - - ", message].concat(),
    |program, message| [b"mail.info: Nov 22 16:00:00 ".as_slice(), program, b"[4711]: ", message].concat(),
];

/// Under each header, and behind each prefix.
pub(crate) fn all(program: &[u8], message: &[u8]) -> Vec<Vec<u8>> {
    let bare: Vec<_> = WRAPS.iter().map(|wrap| wrap(program, message)).collect();
    let behind = |prefix: &&str| [prefix.as_bytes(), &WRAPS[0](program, message)].concat();
    let prefixed: Vec<_> = PREFIXES.iter().map(behind).collect();
    [bare, prefixed].concat()
}
