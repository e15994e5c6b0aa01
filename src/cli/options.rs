//! The table of options. An option is a row here and its use: `--help`, the manual, the reference, the example of a
//! configuration file, `--dump-config` and the checks of the file are made of the row. One table, so it is as long as there are
//! options.

use super::row::Preset::{Found, Value};
use super::row::{Kind, OptionRow, Preset, Scope, Values};
use super::share;

/// What most rows say.
pub(super) const OPTION: OptionRow = OptionRow {
    key: "",
    short: None,
    kind: Kind::Text,
    values: Values::One,
    value_name: "",
    default: Preset::Nothing,
    scope: Scope::Restart,
    for_commands: false,
    conflicts: &[],
    group: "",
    help: "",
    more: "",
    example: "",
};

/// About one run.
const RUN: OptionRow = OptionRow { kind: Kind::Flag, scope: Scope::Run, ..OPTION };
const PROCESS: OptionRow = OptionRow { group: "The process", ..OPTION };
const TABLE: OptionRow = OptionRow { group: "The table", for_commands: true, ..OPTION };
const LOG: OptionRow = OptionRow { group: "The log", for_commands: true, ..OPTION };
const GRANTS: OptionRow = OptionRow { group: "Who may relay, and for how long", scope: Scope::Reload, ..OPTION };

/// All options, in the order of `--help`.
pub const OPTIONS: &[OptionRow] = &[
    OptionRow {
        key: "debug",
        short: Some('d'),
        help: "Tell what would be done; write no table",
        more: "([below](#debug-mode))",
        ..RUN
    },
    OptionRow {
        key: "background",
        short: Some('b'),
        conflicts: &["debug", "once"],
        help: "Become a daemon",
        more: "It logs to syslog",
        ..RUN
    },
    OptionRow {
        key: "pid-file",
        kind: Kind::Path,
        value_name: "FILE",
        help: "Write the daemon's process id to FILE",
        more: "It is removed at a clean stop; with `--user`, emptied",
        example: r#""/run/pop-before-smtp.pid""#,
        ..PROCESS
    },
    OptionRow {
        key: "user",
        value_name: "NAME",
        for_commands: true,
        help: "Once what needs root is done, become this user; only root can",
        more: "By name or number, with all the groups it has ([running.md](running.md#without-root)). Not under systemd, \
               where the unit says that",
        example: r#""pop-before-smtp""#,
        ..PROCESS
    },
    OptionRow {
        key: "config",
        kind: Kind::Path,
        value_name: "FILE",
        for_commands: true,
        help: "TOML file with settings, and with matchers of your own; the command line wins",
        more: "([settings](#configuration-file), [matchers](extending.md#a-matcher-in-the-configuration-file))",
        ..RUN
    },
    OptionRow {
        key: "dump-config",
        help: "Print all settings, and where each was said, as a file for --config",
        ..RUN
    },
    OptionRow {
        key: "backend",
        value_name: "NAME",
        default: Value("postmap"),
        help: "How the table is written",
        more: "`postmap`, `lmdb` or `sqlite` ([backends.md](backends.md))",
        example: r#""lmdb""#,
        ..TABLE
    },
    OptionRow {
        key: "map",
        kind: Kind::Path,
        value_name: "FILE",
        default: Value("/etc/postfix/pop-before-smtp"),
        help: "Table path without suffix",
        ..TABLE
    },
    OptionRow {
        key: "map-type",
        value_name: "TYPE",
        default: Found("postconf -h default_database_type"),
        help: "Lookup table type handed to postmap",
        example: r#""hash""#,
        ..TABLE
    },
    OptionRow {
        key: "postfix-bin",
        kind: Kind::Path,
        value_name: "DIR",
        default: Found("postconf -h command_directory"),
        help: "Where postmap and postconf are",
        more: "No others are run ([postfix.md](postfix.md#which-postfix-is-asked))",
        example: r#""/opt/postfix/sbin""#,
        ..TABLE
    },
    OptionRow {
        key: "value",
        value_name: "TEXT",
        help: "Store TEXT in the table instead of the time of expiry",
        example: r#""OK""#,
        ..TABLE
    },
    OptionRow {
        key: "lmdb-update",
        kind: Kind::Choice(&[
            ("rename", "Write a new file and rename it; each smtpd restarts at its next client"),
            ("in-place", "Change the file under a lock; no smtpd restarts"),
        ]),
        value_name: "HOW",
        default: Value("rename"),
        help: "How backend lmdb changes its table",
        more: "([backends.md](backends.md#lmdb-in-place))",
        example: r#""in-place""#,
        ..TABLE
    },
    OptionRow {
        key: "sync",
        kind: Kind::Choice(&[("always", "At each publish"), ("never", "When the system likes; for a table on tmpfs")]),
        value_name: "WHEN",
        default: Value("always"),
        help: "When backend lmdb forces its table to the disk",
        more: "([backends.md](backends.md#when-the-power-fails))",
        example: r#""never""#,
        ..TABLE
    },
    OptionRow {
        key: "publish-interval",
        kind: Kind::Time,
        value_name: "TIME",
        default: Found("0 for sqlite and lmdb in-place, else 1s"),
        scope: Scope::Reload,
        for_commands: false,
        help: "Least time between two publishes; the first change goes at once",
        more: "At most 60 s. A grant that has ended may stay in the table for as long. With sqlite no more than a quarter of \
               the grace counts",
        example: r#""1s""#,
        ..TABLE
    },
    OptionRow {
        key: "log",
        kind: Kind::Path,
        values: Values::Several,
        value_name: "FILE",
        default: Found("/var/log/maillog, else /var/log/mail.log"),
        help: "Log file, several times for several, wildcards allowed; `-` is standard input; tail:FILE, follow:FILE and \
               journal:UNIT,... say for one log where its lines come from",
        more: "If there is none of them, the journal ([logs.md](logs.md#where-log-lines-come-from))",
        example: r#"["/var/log/mail.log", "follow:/var/log/dovecot.log"]"#,
        ..LOG
    },
    OptionRow {
        key: "source",
        kind: Kind::Choice(&[
            ("auto", "The log file by tail; the journal if there is no log file and --log names none"),
            ("tail", "Through a child process, tail -F"),
            ("follow", "In the daemon's own process"),
            ("journal", "Systemd's journal, through a child process, journalctl"),
            ("stdin", "Standard input, as --log -"),
        ]),
        value_name: "HOW",
        default: Value("auto"),
        help: "Where log lines come from",
        more: "([logs.md](logs.md#where-log-lines-come-from))",
        example: r#""journal""#,
        ..LOG
    },
    OptionRow {
        key: "journal-unit",
        values: Values::Commas,
        value_name: "NAME,...",
        help: "Of the journal, take entries of these units: dovecot.service",
        more: "`dovecot` will do. With the journal this, `journal-uid` or `journal-exe` must be given",
        example: r#"["dovecot", "cyrus-imapd"]"#,
        ..LOG
    },
    OptionRow {
        key: "journal-uid",
        kind: Kind::Number,
        values: Values::Commas,
        value_name: "N,...",
        help: "Of the journal, take entries of these users, by number",
        example: "[0, 5000]",
        ..LOG
    },
    OptionRow {
        key: "journal-exe",
        kind: Kind::Path,
        values: Values::Commas,
        value_name: "PATH,...",
        help: "Of the journal, take entries of these programs, by path",
        more: "The path is that of the executable, in full",
        example: r#"["/usr/lib/dovecot/pop3-login", "/usr/lib/dovecot/imap-login"]"#,
        ..LOG
    },
    OptionRow {
        key: "journal-directory",
        kind: Kind::Path,
        value_name: "DIR",
        default: Found("that of this system's journal"),
        help: "Directory of the journal's files",
        more: "For the journal of a container, say",
        example: r#""/var/log/journal""#,
        ..LOG
    },
    OptionRow {
        key: "matcher",
        values: Values::Commas,
        value_name: "NAME,...",
        default: Found("those that this host has or its log shows"),
        scope: Scope::Reload,
        help: "Which servers write the log; all is every one",
        more: "`pop-before-smtp matchers` prints their names ([table](servers.md#matchers), \
               [choice](servers.md#which-servers-are-listened-to))",
        example: r#"["dovecot", "cyrus"]"#,
        ..LOG
    },
    OptionRow {
        key: "services",
        kind: Kind::Choice(&[
            ("imap", "IMAP"),
            ("pop3", "POP3"),
            ("submission", "submission of Dovecot"),
            ("managesieve", "ManageSieve of Dovecot"),
        ]),
        values: Values::Commas,
        value_name: "NAME,...",
        default: Found("imap and pop3"),
        scope: Scope::Restart,
        help: "Which services' logins count; those of imap and pop3 always do",
        more: "([servers.md](servers.md#submission-and-managesieve))",
        example: r#"["imap", "pop3"]"#,
        ..LOG
    },
    OptionRow {
        key: "dovecot-login-format",
        value_name: "ELEMENTS",
        scope: Scope::Restart,
        help: "Dovecot's login_log_format_elements, if they were changed",
        more: "A format in which a client could imitate the address is refused ([servers.md](servers.md#other-elements))",
        example: r#""user=<%u> method=%m rip=%r mpid=%e %c""#,
        ..LOG
    },
    OptionRow {
        key: "line-prefix",
        value_name: "TEXT",
        scope: Scope::Restart,
        help: "What the site's own logger puts in front of each line; # is a digit, * a name",
        more: "A line without it grants nothing; one that could reach into a message is refused \
               ([logs.md](logs.md#header-forms))",
        example: "\"mail01 *: \"",
        ..LOG
    },
    OptionRow {
        key: "escaped-newlines",
        kind: Kind::Flag,
        scope: Scope::Reload,
        default: Found("true for a log that rsyslogd is seen to write so"),
        help: "Whether the syslog daemon escapes newlines in messages, as rsyslog does: then logins close behind a failed one \
               count, too",
        more: "It concerns nginx, UW, mailutils, vpopmail, Perdition, imapproxy and Cyrus. syslog-ng escapes none unless told to: \
               there a stranger may have written such lines ([how it is found out](logs.md#newlines-in-messages), \
               [why](threat-model.md))",
        example: "true",
        ..LOG
    },
    OptionRow {
        key: "grace",
        kind: Kind::Time,
        value_name: "TIME",
        default: Value("30m"),
        help: "How long a login lets its address relay: seconds, or with a unit s, m, h, d",
        more: "From 1 s to 7 d",
        ..GRANTS
    },
    OptionRow {
        key: "hold-while-connected",
        kind: Kind::Flag,
        help: "Keep an address while one of its sessions is open, and a full grace after that, where the server's log tells",
        more: "On the command line `=false` says no where the configuration file says yes",
        ..GRANTS
    },
    OptionRow {
        key: "max-session",
        kind: Kind::Time,
        value_name: "TIME",
        default: Value("12h"),
        help: "How long a session counts as open at most",
        ..GRANTS
    },
    OptionRow {
        key: "entries",
        kind: Kind::Number,
        value_name: "N",
        default: Value("250"),
        help: "How many addresses there may be at once",
        more: "The oldest give way",
        ..GRANTS
    },
    OptionRow {
        key: "max-addresses-per-user",
        kind: Kind::Number,
        value_name: "N",
        default: Value("50"),
        help: "In a full ring, addresses of a user or of an IPv6 /64 network with more than N give way before others; 0: the \
               oldest of all gives way",
        more: "At most 254. An old address of the one that has most goes first; nobody is refused while there is room",
        ..GRANTS
    },
    OptionRow { key: "reprocess", help: "Treat each line already in the log as happening now", ..RUN },
    OptionRow {
        key: "once",
        help: "Stop at the end of the log",
        more: "Everything is published, and the table left as it is",
        ..RUN
    },
    OptionRow {
        key: "skip-networks",
        values: Values::Commas,
        value_name: "CIDR,...",
        for_commands: true,
        help: "Never publish these networks; loopback, unspecified, multicast and broadcast addresses never are",
        example: r#"["10.0.0.0/8", "2001:db8::/32"]"#,
        ..GRANTS
    },
    OptionRow {
        key: "skip-mynetworks",
        kind: Kind::Flag,
        for_commands: true,
        help: "Never publish what Postfix's mynetworks permits already; asked of postconf at start",
        more: "([postfix.md](postfix.md#clients-that-may-relay-anyway))",
        ..GRANTS
    },
    OptionRow {
        key: "max-users-per-address",
        kind: Kind::Number,
        value_name: "N",
        default: Value("0"),
        help: "Grant an address nothing while more users than this log in from it within one grace; 0 does not count them",
        more: "At most 1000 ([running.md](running.md#shared-addresses))",
        ..GRANTS
    },
    OptionRow {
        key: "syslog-name",
        scope: Scope::Restart,
        values: Values::Commas,
        value_name: "NAME,...",
        for_commands: true,
        help: "What Postfix's syslog_name is, where it is neither postfix nor postfix-...; for report and --count-relays",
        more: "`report` asks `postconf` if nothing is said",
        example: r#"["mx", "submission"]"#,
        ..GRANTS
    },
    OptionRow { key: "count-relays", kind: Kind::Flag, help: "Count relays by grants in Postfix's lines", ..GRANTS },
    OptionRow {
        key: "relay-warning",
        kind: Kind::Number,
        value_name: "N",
        default: Value("0"),
        help: "Warn when an address relays more than N messages in an hour by its grant; 0: never",
        more: "With `count-relays` ([leaving.md](leaving.md#while-the-daemon-runs)). No grant changes by it",
        ..GRANTS
    },
    OptionRow {
        key: "control",
        value_name: "SOCKET",
        default: Found("/run/pop-before-smtp/control if there is that directory, else the map with .control behind it"),
        for_commands: true,
        help: "Where the daemon listens for commands; empty: nowhere",
        more: "([running.md](running.md#the-control-socket))",
        example: r#""/run/pop-before-smtp/control""#,
        ..PROCESS
    },
    OptionRow {
        key: "metrics-file",
        kind: Kind::Path,
        value_name: "FILE",
        help: "Write metrics for Prometheus to FILE now and then",
        more: "It is written every 15 s ([metrics](running.md#metrics))",
        example: r#""/var/lib/prometheus/node-exporter/pop-before-smtp.prom""#,
        ..PROCESS
    },
    share::URL,
    share::GIVE,
    share::TAKE,
    share::NAME,
    share::WITHDRAW,
];
