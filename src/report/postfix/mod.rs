//! Reads what Postfix logs of a message: who handed it in, who sent it, where it went. Pure; borrows from the line.
//!
//! Formats: `smtpd/smtpd.c` (`client=`, `milter-reject:`, `proxy-reject:`), `smtpd/smtpd_check.c` (`reject:`),
//! `postscreen/postscreen_smtpd.c` (`reject:`), `cleanup/cleanup_message.c` (`message-id=`), `*qmgr/qmgr_active.c` and
//! `qmgr_message.c` (`from=`, `removed`), `global/log_adhoc.c` (`to=`), `pickup/pickup.c` (`uid=`); of Postfix 3.7 to 3.12.

mod names;

use std::net::IpAddr;

pub(crate) use self::names::Names;
use crate::line::bytes::Class;

/// A line of Postfix that tells of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'l> {
    /// Which Postfix, if there are several on the host: each has a queue of its own.
    pub(crate) instance: &'l [u8],
    /// The queue id; empty before there is one.
    pub(crate) queue: &'l [u8],
    pub(crate) said: Said<'l>,
}

/// What it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said<'l> {
    /// A client connected to smtpd, or took its leave.
    Connection,
    /// A client hands in a message.
    Client {
        client: IpAddr,
        sasl: Option<&'l [u8]>,
        /// What a filter tells that hands it in again: the queue id it had, and the client it came from.
        original: Option<&'l [u8]>,
        behind: Option<IpAddr>,
    },
    /// A client hands in a message, which goes through a filter before it is queued.
    Passed {
        client: IpAddr,
        sasl: Option<&'l [u8]>,
    },
    /// A client must not relay; the sender it named, if it had come so far.
    Refused {
        client: IpAddr,
        sender: &'l [u8],
    },
    /// Something else was refused: by a blocklist, a filter, for an unknown recipient.
    RefusedOtherwise,
    /// A user of the host hands in a message.
    Local,
    MessageId(&'l [u8]),
    /// The envelope sender; empty for a bounce.
    Sender(&'l [u8]),
    /// A recipient has been served.
    Sent(To),
    /// The message is no longer in the queue.
    Removed,
    /// Of no interest.
    Other,
}

/// Where a recipient's copy went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    /// To another host, by SMTP.
    AnotherHost,
    /// Into a mailbox, a program, or a filter that hands it in again.
    ThisHost,
}

/// Letters of queue ids: hexadecimal digits of short ones, and all but vowels of long ones.
static QUEUE_ID: Class = Class::letters_digits_and(&[]).with(b"aeiouIOU", false);
static HOST: Class = Class::letters_digits_and(b"-_.");
static ADDRESS: Class = Class::letters_digits_and(b":.");
static DIGITS: Class = Class::new(b'0', b'9', &[]);
static DECIMALS: Class = Class::new(b'0', b'9', &[]).with(b"./", true);
/// Levels of TLS: `dane:encrypt/!requiretls?`.
static TLS: Class = Class::letters_digits_and(b"-:/!?");
/// What names a next host: `mx.example.net[192.0.2.1]:25`, `mail[private/lmtp]`, `none`.
static RELAY: Class = Class::letters_digits_and(b"-_.:/[]");

/// Reads a message of a daemon of Postfix.
pub(crate) fn read<'l>((instance, daemon): (&'l [u8], &[u8]), message: &'l [u8]) -> Line<'l> {
    let (queue, text) = queue_id(message).unwrap_or((b"", message));
    let said = match daemon {
        b"smtpd" if text.len() < message.len() => transaction(queue, text),
        b"smtpd" => connection(text),
        b"postscreen" => text.starts_with(b"reject: ").then_some(Said::RefusedOtherwise),
        _ if queue.is_empty() => None,
        b"cleanup" => text.strip_prefix(b"message-id=").map(Said::MessageId),
        b"qmgr" | b"nqmgr" | b"oqmgr" => qmgr(text),
        b"pickup" => text.starts_with(b"uid=").then_some(Said::Local),
        b"smtp" => sent(text, true),
        b"lmtp" | b"local" | b"virtual" | b"pipe" | b"discard" => sent(text, false),
        _ => None,
    };
    Line { instance, queue, said: said.unwrap_or(Said::Other) }
}

/// `4B2D51A3C: text` or `4ZbQrL3xYkz9Tq: text`; `NOQUEUE: text` has an empty one.
fn queue_id(message: &[u8]) -> Option<(&[u8], &[u8])> {
    if let Some(text) = message.strip_prefix(b"NOQUEUE: ") {
        return Some((b"", text));
    }
    let (id, rest) = message.split_at(QUEUE_ID.run(message));
    Some((id, rest.strip_prefix(b": ")?)).filter(|_| (5..=30).contains(&id.len()))
}

fn connection(text: &[u8]) -> Option<Said<'_>> {
    (text.starts_with(b"connect from ") || text.starts_with(b"disconnect from ")).then_some(Said::Connection)
}

/// What smtpd says of a message, behind its queue id or `NOQUEUE`.
fn transaction<'l>(queue: &[u8], text: &'l [u8]) -> Option<Said<'l>> {
    if let Some(rest) = text.strip_prefix(b"client=") {
        return handed_in(queue, rest);
    }
    if let Some(rest) = text.strip_prefix(b"reject: ") {
        return Some(refused(rest).unwrap_or(Said::RefusedOtherwise));
    }
    let by_filter = text.starts_with(b"milter-reject: ") || text.starts_with(b"proxy-reject: ");
    by_filter.then_some(Said::RefusedOtherwise)
}

/// `name[address], sasl_method=PLAIN, sasl_username=user, orig_queue_id=4B2D51A3C, orig_client=name[address]`.
fn handed_in<'l>(queue: &[u8], text: &'l [u8]) -> Option<Said<'l>> {
    let (client, rest) = client(text)?;
    // Words of the server from here to the user name, which goes up to the end.
    let sasl = match rest.strip_prefix(b", sasl_method=") {
        Some(rest) => {
            let rest = &rest[find(rest, b", sasl_username=")? + 16..];
            let rest = until_last(until_last(rest, b", orig_client="), b", orig_queue_id=");
            Some(until_last(rest, b", sasl_sender="))
        }
        None => None,
    };
    if queue.is_empty() {
        return Some(Said::Passed { client, sasl });
    }
    let (original, rest) = match rest.strip_prefix(b", orig_queue_id=") {
        Some(id) => (Some(&id[..QUEUE_ID.run(id)]), &id[QUEUE_ID.run(id)..]),
        None => (None, rest),
    };
    let behind = rest.strip_prefix(b", orig_client=").and_then(self::client).map(|(address, _)| address);
    Some(Said::Client { client, sasl, original, behind })
}

fn until_last<'l>(text: &'l [u8], mark: &[u8]) -> &'l [u8] {
    memchr::memmem::rfind(text, mark).map_or(text, |at| &text[..at])
}

/// `name[address]` and, if Postfix logs ports, `:port`. Names hold no bracket.
fn client(text: &[u8]) -> Option<(IpAddr, &[u8])> {
    let rest = text[HOST.run(text)..].strip_prefix(b"[")?;
    let (address, rest) = rest.split_at(ADDRESS.run(rest));
    let rest = rest.strip_prefix(b"]")?;
    let port = rest.strip_prefix(b":").filter(|port| port.first().is_some_and(u8::is_ascii_digit));
    let rest = port.map_or(rest, |port| &port[DIGITS.run(port)..]);
    let address: IpAddr = std::str::from_utf8(address).ok()?.parse().ok()?;
    Some((address.to_canonical(), rest))
}

/// `RCPT from name[address]: 554 5.7.1 <recipient>: Relay access denied; from=<sender> to=<recipient> proto=ESMTP helo=<name>`.
///
/// The recipient is a stranger's text. One that imitates the reason makes a refusal of another kind count as one.
fn refused(text: &[u8]) -> Option<Said<'_>> {
    let stages: [&[u8]; 5] = [b"RCPT from ", b"CONNECT from ", b"MAIL from ", b"EHLO from ", b"HELO from "];
    let text = stages.iter().find_map(|stage| text.strip_prefix(*stage))?;
    let (client, rest) = client(text)?;
    let code = rest.strip_prefix(b": ")?;
    let digits = DIGITS.run(code);
    let reply = code[digits..].strip_prefix(b" ")?;
    let reply = reply.strip_prefix(b"5.7.1 <").or_else(|| reply.strip_prefix(b"4.7.1 <")).filter(|_| digits == 3)?;
    let reasons: [&[u8]; 3] =
        [b">: Relay access denied;", b">: Recipient address rejected: Access denied;", b">: Client host rejected: "];
    let (nth, at) = reasons.iter().enumerate().find_map(|(nth, reason)| Some((nth, find(reply, reason)?)))?;
    let rest = &reply[at + reasons[nth].len()..];
    // A table may give a reason in words of its own.
    if nth == 2 && rest.starts_with(b"cannot find your ") {
        return None;
    }
    let sender = find(rest, b"from=<").map_or(&b""[..], |at| &rest[at + 6..]);
    let end = find(sender, b"> to=<").or_else(|| find(sender, b"> proto=")).unwrap_or(0);
    Some(Said::Refused { client, sender: &sender[..end] })
}

/// `from=<sender>, size=1, nrcpt=1 (queue active)` or `removed`.
fn qmgr(text: &[u8]) -> Option<Said<'_>> {
    if text == b"removed" {
        return Some(Said::Removed);
    }
    let rest = text.strip_prefix(b"from=<")?.strip_suffix(b" (queue active)")?;
    let rest = rest[..rest.len() - back(&DIGITS, rest)].strip_suffix(b", nrcpt=")?;
    let rest = rest[..rest.len() - back(&DIGITS, rest)].strip_suffix(b">, size=")?;
    Some(Said::Sender(rest))
}

/// Where a mark stands whose first byte is rare. To make ready for a faster search takes longer than these texts are.
fn find(text: &[u8], mark: &[u8]) -> Option<usize> {
    memchr::memchr_iter(mark[0], text).find(|at| text[*at..].starts_with(mark))
}

/// How many bytes at the end belong to the class.
fn back(class: &Class, text: &[u8]) -> usize {
    text.iter().rev().take_while(|byte| class.has(**byte)).count()
}

/// `to=<recipient>, orig_to=<recipient>, relay=host[address]:25, delay=1, delays=1/1/1/1, tls=may, dsn=2.0.0, status=sent (reply)`.
///
/// Recipient and reply are strangers' texts, and either may imitate what stands between. Then the message left the host:
/// nobody is to hide a relay.
fn sent(text: &[u8], is_smtp: bool) -> Option<Said<'_>> {
    let mut rest = text.strip_prefix(b"to=<")?;
    let mut found = None;
    while let Some(at) = find(rest, b">, relay=") {
        rest = &rest[at + 9..];
        if let Some((relay, is_sent)) = middle(rest) {
            if found.is_some() {
                return is_smtp.then_some(Said::Sent(To::AnotherHost));
            }
            found = Some((relay, is_sent));
        }
    }
    let (relay, is_sent) = found?;
    // A content filter of this host hands the message in again.
    let leaves = is_smtp && client(relay).is_none_or(|(address, _)| !address.is_loopback());
    Some(if is_sent { Said::Sent(if leaves { To::AnotherHost } else { To::ThisHost }) } else { Said::Other })
}

/// What stands between recipient and reply: the next host, and whether the recipient has been served.
fn middle(text: &[u8]) -> Option<(&[u8], bool)> {
    let (relay, rest) = text.split_at(RELAY.run(text));
    let keys: [(&[u8], &Class); 5] = [
        (b", conn_use=", &DECIMALS),
        (b", delay=", &DECIMALS),
        (b", delays=", &DECIMALS),
        (b", tls=", &TLS),
        (b", dsn=", &DECIMALS),
    ];
    let rest = keys.iter().fold(rest, |rest, (key, class)| match rest.strip_prefix(*key) {
        Some(value) => &value[class.run(value)..],
        None => rest,
    });
    let status = rest.strip_prefix(b", status=")?;
    let word = status.iter().position(|byte| !byte.is_ascii_lowercase())?;
    status[word..].starts_with(b" (").then_some((relay, &status[..word] == b"sent"))
}

#[cfg(test)]
mod tests;
