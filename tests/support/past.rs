//! Lines that were written some time ago, and what a table says of when their grants end.

use super::cases::{Site, ip, login_line};
use super::postfix::Lookup;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

/// The daemon's default, in seconds.
pub(crate) const GRACE: u64 = 30 * 60;

/// The present in Unix seconds.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs()
}

/// Unix seconds as a clock that many hours ahead of UTC shows them.
pub(crate) fn stamp(seconds: u64, format: &str, ahead: f64) -> String {
    let offset = jiff::tz::Offset::from_seconds((ahead * 3600.0) as i32).expect("an offset");
    let time = jiff::Timestamp::from_second(seconds as i64).expect("a time");
    time.to_zoned(offset.to_time_zone()).strftime(format).to_string()
}

pub(crate) const RFC_3339: &str = "%Y-%m-%dT%H:%M:%S%:z";

/// What syslog daemons write by default.
pub(crate) const TRADITIONAL: &str = "%b %e %H:%M:%S";

/// The line of a login at that time.
pub(crate) fn login_at(seconds: u64, client: IpAddr) -> String {
    login_stamped(&stamp(seconds, RFC_3339, 0.0), client)
}

/// The line of a login with that time stamp.
pub(crate) fn login_stamped(stamp: &str, client: IpAddr) -> String {
    let line = login_line(client);
    let (_, rest) = line.split_once(' ').expect("a time stamp");
    format!("{stamp} {rest}\n")
}

/// The addresses of a test.
pub(crate) fn client(last: u32) -> IpAddr {
    ip(&format!("198.51.100.{}", last))
}

/// When the grant of a client ends, as the table says, in Unix seconds.
#[track_caller]
pub(crate) fn expiry(site: &Site, client: IpAddr) -> Option<u64> {
    match site.lookup(client) {
        Lookup::Found(value) => Some(value.parse().expect("Unix seconds")),
        Lookup::NotFound => None,
        Lookup::Failed(why) => panic!("{client}: {why}"),
    }
}

/// Whether a grant ends a grace after `login`. Tables round up to whole seconds, and two clocks are read one behind the
/// other.
pub(crate) fn is_of(expiry: Option<u64>, login: u64) -> bool {
    expiry.is_some_and(|expiry| (login + GRACE..=login + GRACE + 1).contains(&expiry))
}

/// Waits for the next but one second.
pub(crate) fn let_the_clock_go_on() {
    let end = SystemTime::now() + Duration::from_millis(2100);
    super::wait_for("the clock", super::SOON, || SystemTime::now() >= end);
}
