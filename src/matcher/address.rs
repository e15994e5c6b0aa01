//! Reads an address as a log has it. Pure.

use std::net::{IpAddr, Ipv4Addr};

/// The address that is the whole text; IPv4-mapped IPv6 reduced to IPv4. Nothing but an address: no port, prefix or
/// zone, and no octet with a leading zero, which some programs take for octal.
pub(super) fn parse(text: &[u8]) -> Option<IpAddr> {
    // As servers with one socket for both log IPv4.
    let address = match dotted(text.strip_prefix(b"::ffff:").unwrap_or(text)) {
        Some(address) => IpAddr::V4(address),
        None => std::str::from_utf8(text).ok()?.parse().ok()?,
    };
    Some(address.to_canonical())
}

/// What nearly every login has, in less time than the standard library takes.
fn dotted(text: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0u8; 4];
    let (last, front) = octets.split_last_mut()?;
    let mut rest = text;
    for octet in front {
        let (value, length) = number(rest)?;
        *octet = value;
        rest = rest[length..].strip_prefix(b".")?;
    }
    let (value, length) = number(rest)?;
    *last = value;
    (length == rest.len()).then(|| octets.into())
}

/// A number below 256 without leading zeros, and its digits.
fn number(text: &[u8]) -> Option<(u8, usize)> {
    let digit = |at: usize| text.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10);
    let first = digit(0)?;
    let Some(second) = digit(1) else { return Some((first, 1)) };
    if first == 0 {
        return None;
    }
    let two = first * 10 + second;
    let Some(third) = digit(2) else { return Some((two, 2)) };
    Some((two.checked_mul(10)?.checked_add(third)?, 3))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn standard(text: &str) -> Option<IpAddr> {
        text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
    }

    #[test]
    fn every_number_is_read_as_by_the_standard_library() {
        for number in (0..2000).map(|n| n.to_string()).chain((0..300).map(|n| format!("0{n}"))) {
            for text in [format!("{number}.2.3.4"), format!("1.2.{number}.4"), format!("1.2.3.{number}")] {
                assert_eq!(parse(text.as_bytes()), standard(&text), "{text}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_as_by_the_standard_library(
            text in "[0-9a-f:.]{0,20}|([0-9]{0,4}[.]){2,4}[0-9]{0,4}|::ffff:[0-9.]{7,15}"
        ) {
            prop_assert_eq!(parse(text.as_bytes()), standard(&text));
        }
    }
}
