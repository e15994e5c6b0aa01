//! The forms of a header: one table for the parser's reader, the manual and the tests. Pure.

use super::stamps::may_be_of_runner;
use crate::line::stamp::is_of_svlogd;

/// One part of a header, or all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Traditional stamp.
    Traditional,
    /// Stamp of RFC 3339.
    Rfc3339,
    /// Fraction behind the traditional stamp.
    Fraction,
    /// Year behind the day.
    YearBehindDay,
    /// Year in front.
    YearFirst,
    /// Weekday in front, year at the end.
    YearLast,
    /// Weekday and zone.
    Weekday,
    /// Seconds since 1970.
    Unix,
    /// Priority in front.
    Priority,
    /// RFC 5424.
    Rfc5424,
    /// Host and tag.
    Host,
    /// Host as syslog-ng chains it.
    Chain,
    /// Facility and level in angles.
    Angles,
    /// Facility and level as a word.
    Word,
    /// Facility and level as AIX writes them.
    Aix,
    /// Message id of Solaris.
    MessageId,
    /// Two hosts.
    SecondHost,
    /// Tag without host.
    WithoutHost,
    /// Program in brackets.
    Brackets,
    /// Dovecot's own file.
    Dovecot,
    /// Dovecot 1.x's own file.
    ProgramFirst,
    /// nginx's own file.
    Nginx,
    /// Qpopper's trace file.
    Qpopper,
    /// Apple's mail server.
    Apple,
    /// Stalwart.
    Stalwart,
    /// socklog.
    Socklog,
    /// TAI64N.
    Tai64n,
    /// svlogd.
    Svlogd,
    /// s6-log.
    S6,
    /// A stamp of the runtime.
    Runtime,
    /// `docker compose logs` and `docker service logs`.
    Compose,
    /// Kubernetes.
    Kubernetes,
    /// Pod and container in front.
    Pod,
}

/// What is known of a form.
#[derive(Debug)]
pub struct Row {
    /// The form.
    pub form: Form,
    /// What it is called.
    pub name: &'static str,
    /// A line that has it.
    pub example: &'static str,
    /// Who writes it.
    pub writers: &'static str,
    /// Where it is known from.
    pub source: &'static str,
}

/// The message of the examples.
macro_rules! dovecot {
    ($header:literal) => {
        concat!($header, "imap-login: Login: user=<kevin>, method=PLAIN, rip=198.51.100.1, lip=192.0.2.10, mpid=8")
    };
}

const fn row(
    form: Form,
    name: &'static str,
    example: &'static str,
    writers: &'static str,
    source: &'static str,
) -> Row {
    Row { form, name, example, writers, source }
}

/// All forms, in the order in which they are told.
#[rustfmt::skip]
pub static TABLE: &[Row] = &[
    row(Form::Traditional, "traditional stamp", dovecot!("Nov 27 12:50:00 mail dovecot[7]: "), "syslog daemons; `journalctl -o short`", "RFC 3164; rsyslog, runtime/rsconf.c: RSYSLOG_TraditionalFileFormat"),
    row(Form::Rfc3339, "RFC 3339 stamp", dovecot!("2026-11-27T12:50:00.123456+01:00 mail dovecot[7]: "), "rsyslog (Debian 12 and later), syslog-ng (`ts-format(iso)`), OpenBSD `syslogd -Z`, `journalctl -o short-iso` and `short-iso-precise`", "rsyslog, runtime/rsconf.c: RSYSLOG_FileFormat; systemd, src/shared/logs-show.c: output_timestamp_realtime"),
    row(Form::Fraction, "traditional stamp with a fraction", dovecot!("Nov 27 12:50:00.123456 mail dovecot[7]: "), "`journalctl -o short-precise`, syslog-ng (`frac-digits`), BusyBox with precise stamps, templates of rsyslog", "systemd, src/shared/logs-show.c; BusyBox, sysklogd/syslogd.c: timestamp_and_log"),
    row(Form::YearBehindDay, "traditional stamp with the year behind the day", dovecot!("Nov 27 2026 12:50:00 mail dovecot: "), "templates of rsyslog; network devices", "rsyslog, runtime/datetime.c: ParseTIMESTAMP3164"),
    row(Form::YearFirst, "traditional stamp with the year in front", dovecot!("2026 Nov 27 12:50:00 mail dovecot: "), "syslog-ng (`ts-format(full)`), templates of rsyslog", "syslog-ng, lib/timeutils/format.c: append_format_wall_clock_time"),
    row(Form::YearLast, "stamp of ctime(3)", dovecot!("Fri Nov 27 12:50:00 2026 mail.info dovecot[7]: "), "`logread` of OpenWrt", "ubox, log/logread.c: log_notify"),
    row(Form::Weekday, "stamp with weekday and zone", dovecot!("Fri 2026-11-27 12:50:00 CET mail dovecot[7]: "), "`journalctl -o short-full` and `with-unit` (`dovecot.service` stands for `dovecot`)", "systemd, src/shared/logs-show.c; src/basic/time-util.c: format_timestamp_style"),
    row(Form::Unix, "seconds since 1970", dovecot!("1795782600.123456 mail dovecot[7]: "), "`journalctl -o short-unix`", "systemd, src/shared/logs-show.c"),
    row(Form::Priority, "priority", dovecot!("<22>Nov 27 12:50:00 mail dovecot: "), "syslog(3), relays", "RFC 3164"),
    row(Form::Rfc5424, "RFC 5424", dovecot!("<22>1 2026-11-27T12:50:00.123456+01:00 mail dovecot 7 - [meta@1 x=\"a\\]b\"] "), "FreeBSD `syslogd -O syslog`, sysklogd 2, rsyslog (`RSYSLOG_SyslogProtocol23Format`), with the priority or without; without the version NetBSD `syslogd -o syslog`", "RFC 5424; FreeBSD, usr.sbin/syslogd/syslogd.c: fprintlog_rfc5424; rsyslog, runtime/rsconf.c"),
    row(Form::Host, "host and tag", dovecot!("Nov 27 12:50:00 mail dovecot[7]: "), "syslog daemons", "RFC 3164"),
    row(Form::Chain, "chained host", dovecot!("Nov 27 12:50:00 s_local@mail dovecot: "), "syslog-ng (`chain-hostnames`): `source@host`, `host/relay`; `#anon-source0@host`", "syslog-ng, lib/logsource.c: log_source_mangle_hostname"),
    row(Form::Angles, "facility and level in angle brackets", dovecot!("Nov 27 12:50:00 <mail.info> mail dovecot[7]: "), "`syslogd -v` and `-vv` of FreeBSD and, in front of the stamp, of NetBSD; `<2.6>` as well", "FreeBSD, usr.sbin/syslogd/syslogd.c: fprintlog_rfc3164; NetBSD, usr.sbin/syslogd/syslogd.c: format_buffer"),
    row(Form::Word, "facility and level as a word", dovecot!("Nov 27 12:50:00 mail mail.info dovecot: "), "BusyBox; without the host OpenWrt", "BusyBox, sysklogd/syslogd.c: timestamp_and_log"),
    row(Form::Aix, "facility and level with a colon", dovecot!("Nov 27 12:50:00 mail mail:info dovecot[7]: "), "syslogd of AIX; `auth|security:info` as well", "OSSEC, src/analysisd/cleanevent.c: OS_CleanMSG"),
    row(Form::MessageId, "message id", dovecot!("Nov 27 12:50:00 mail dovecot[7]: [ID 702911 mail.info] "), "Solaris and illumos; a host without a name is an address in brackets there", "illumos, usr/src/lib/libc/port/gen/syslog.c; usr/src/cmd/syslogd/syslogd.c: cvthname"),
    row(Form::SecondHost, "host and host of nginx", "Nov 27 12:50:00 mail mail nginx: 2026/11/27 12:50:00 [info] 7#7: *1 client logged in, client: 198.51.100.1, server: 0.0.0.0:143, login: \"kevin\", upstream: 127.0.0.2:1143", "nginx through syslog, which names its host itself, or leaves it empty", "nginx, src/core/ngx_syslog.c: ngx_syslog_add_header"),
    row(Form::WithoutHost, "tag without host", "Nov 27 12:50:00 imapd: LOGIN, user=kevin, ip=[::ffff:198.51.100.1], protocol=IMAP", "BusyBox `syslogd -S`; `journalctl --no-hostname`", "BusyBox, sysklogd/syslogd.c: timestamp_and_log"),
    row(Form::Brackets, "program in brackets", "Nov 27 12:50:00 [imapd] LOGIN, user=kevin, ip=[::ffff:198.51.100.1], protocol=IMAP", "metalog; older Courier", "metalog, src/metalog.c: build_log_line; tests/logs/courier-old"),
    row(Form::Dovecot, "Dovecot's own file", dovecot!("Nov 27 12:50:00 "), "Dovecot 2.x (`log_path`, `info_log_path`)", "Dovecot, src/lib/failures.c"),
    row(Form::ProgramFirst, "own file of Dovecot 1.x", "dovecot: 2008-10-02 23:34:07 Info: pop3-login: Login: user=<kevin>, method=PLAIN, rip=198.51.100.1, lip=192.0.2.10", "Dovecot 1.x", "tests/logs/dovecot-1"),
    row(Form::Nginx, "nginx's own file", "2026/11/27 12:50:00 [info] 7#7: *1 client logged in, client: 198.51.100.1, server: 0.0.0.0:143, login: \"kevin\", upstream: 127.0.0.2:1143", "nginx (`error_log`)", "nginx, src/core/ngx_log.c: ngx_log_error_core"),
    row(Form::Qpopper, "Qpopper's trace file", "Nov 27 12:50:00.123 2026 [7] (v4.0.9) POP login by user \"kevin\" at (198.51.100.1) 198.51.100.1", "Qpopper (`-t`)", "tests/logs/qpopper-trace"),
    row(Form::Apple, "file of Apple's mail server", "Nov 27 2026 12:50:00 IMAP User \"kevin\" log on successful from 198.51.100.1", "Apple's mail server", "tests/logs/apple-mail"),
    row(Form::Stalwart, "Stalwart's own file", "2026-11-22T16:03:39Z INFO Authentication successful (auth.success) listenerId = \"imap\", remoteIp = 198.51.100.1", "Stalwart", "Stalwart, crates/trc/src/serializers/text.rs"),
    row(Form::Socklog, "facility and level in front", dovecot!("mail.info: Nov 27 12:50:00 dovecot: "), "socklog", "socklog, src/socklog.c: print_syslog_names"),
    row(Form::Tai64n, "TAI64N stamp", dovecot!("@4000000069285d1a2b3c4d5e "), "multilog (`t`), s6-log (`t`), svlogd (`-t`), tai64n; in front of any other form", "daemontools-encore, timestamp.c; s6, src/daemontools-extras/s6-log.c; runit, src/fmt_ptime.c: fmt_taia"),
    row(Form::Svlogd, "stamp of svlogd", dovecot!("2026-11-27_12:50:00.12345 Nov 27 13:50:00 "), "svlogd (`-tt`; with `-ttt` a `T` in place of the `_`), always UTC; in front of any other form", "runit, src/fmt_ptime.c: fmt_ptime, fmt_ptime_iso8601; BusyBox, runit/svlogd.c"),
    row(Form::S6, "ISO stamp of s6-log", dovecot!("2026-11-27 12:50:00.123456789  Nov 27 12:50:00 "), "s6-log (`T`); with one space tai64nlocal; in front of any other form", "s6, src/daemontools-extras/s6-log.c; daemontools-encore, tai64nlocal.c"),
    row(Form::Runtime, "stamp of a container's runtime", dovecot!("2026-11-27T12:50:00.123456789Z Nov 27 12:50:00 "), "`docker logs -t`; in front of any other form", "moby, api/server/httputils/write_log_stream.go"),
    row(Form::Compose, "name of a container", dovecot!("dovecot-1  | Nov 27 12:50:00 "), "`docker compose logs`, also with `-t` or with colours; `docker service logs` (`mail_dovecot.1.x4f@node1    | `), also with `-t`, which puts the stamp in front; in front of any other form", "compose, cmd/formatter/logs.go: setPrefix, colors.go; docker/cli, cli/command/service/logs.go: Write"),
    row(Form::Kubernetes, "stamp and stream of a container", dovecot!("2026-11-27T12:50:00.123456789Z stdout F Nov 27 12:50:00 "), "containerd, CRI-O (`/var/log/pods`, `/var/log/containers`), podman (`k8s-file`); in front of any other form, and nothing in front of it", "containerd, internal/cri/io/logger.go; conmon, src/ctr_logging.c; parts (`P`) are joined"),
    row(Form::Pod, "pod and container", dovecot!("[pod/mail-0/dovecot] Nov 27 12:50:00 "), "`kubectl logs --prefix`, also with `--timestamps`; in front of any other form", "Kubernetes, staging/src/k8s.io/kubectl/pkg/cmd/logs/logs.go: addPrefixIfNeeded"),
];

impl Form {
    pub(super) fn of_stamp(time: &[u8]) -> Self {
        match (time.first(), time.get(4), time.get(10)) {
            (Some(b'@'), ..) => Self::Tai64n,
            (Some(b'0'..=b'9'), Some(b'-'), Some(b'_')) => Self::Svlogd,
            (Some(b'0'..=b'9'), Some(b'-'), _) => Self::Rfc3339,
            (Some(b'0'..=b'9'), Some(b' '), _) => Self::YearFirst,
            (Some(b'0'..=b'9'), ..) => Self::Unix,
            (_, Some(b'A'..=b'Z'), _) => Self::YearLast,
            (_, Some(b'0'..=b'9'), _) if time.get(8) == Some(&b'-') => Self::Weekday,
            _ if time.get(9) != Some(&b':') => Self::YearBehindDay,
            _ if time.len() > 15 => Self::Fraction,
            _ => Self::Traditional,
        }
    }

    /// Of a stamp in front of a line with a stamp of its own.
    pub(super) fn of_runner(time: &[u8]) -> Self {
        match Self::of_stamp(time) {
            Self::Rfc3339 if is_of_svlogd(time) => Self::Svlogd,
            Self::Rfc3339 if time.len() == 29 && time.get(10) == Some(&b' ') => Self::S6,
            Self::Rfc3339 if may_be_of_runner(time) => Self::Runtime,
            form => form,
        }
    }
}

/// The forms that make a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Forms(u64);

impl Forms {
    pub(super) fn of(form: Form) -> Self {
        Self(1 << form as u32)
    }

    pub(super) fn and(self, form: Form) -> Self {
        Self(self.0 | 1 << form as u32)
    }

    /// Whether this one is among them.
    pub fn has(self, form: Form) -> bool {
        self.0 & 1 << form as u32 != 0
    }

    /// Their names, in the order of the table.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        TABLE.iter().filter(move |row| self.has(row.form)).map(|row| row.name)
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::super::{forms_of, parse};
    use super::*;

    #[test]
    fn every_example_has_its_form() {
        for row in TABLE {
            let forms = forms_of(row.example.as_bytes()).expect(row.example);
            assert!(forms.has(row.form), "{}: {:?}", row.example, forms.names().collect::<Vec<_>>());
            assert!(parse(row.example.as_bytes()).is_some());
            assert!(!row.name.is_empty() && !row.writers.is_empty() && !row.source.is_empty());
        }
    }

    #[test]
    fn every_form_has_a_row() {
        for (nth, row) in TABLE.iter().enumerate() {
            assert_eq!(TABLE.iter().position(|other| other.form == row.form), Some(nth), "{}", row.name);
        }
        assert_eq!(TABLE.len(), Form::Pod as usize + 1);
    }
}
