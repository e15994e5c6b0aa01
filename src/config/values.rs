//! What the value of an option means, and which it cannot be. Pure but for the working directory.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;

use crate::cli::{OptionRow, option};
use crate::config::options::Options;
use crate::grants::CountRelays;
use crate::output::error::{Error, Exit};
use crate::ring;
use crate::ring::users_per_address;

/// A value that cannot be: told by its option, or by its place in the configuration file.
pub(crate) fn wrong(options: &Options, option: &str, value: &str, cause: &str) -> Error {
    match options.in_file(option) {
        Some(said) => {
            let (key, place) = (&said.written, said.place_of(value));
            Error::new(Exit::Config, format!("use {place}"), format!("{key} {value}: {cause}"))
        }
        None => Error::new(Exit::Usage, format!("use {option} {value}"), cause),
    }
}

/// A path that stays right after the daemon has changed to `/`.
///
/// # Errors
/// Exit code 64: it cannot be one.
pub fn absolute(options: &Options, option: &str, path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(options.directory.join(path))
        .map_err(|_| wrong(options, option, &path.display().to_string(), "not a path that can be used from here"))
}

/// The path of an option, if it has one.
pub(super) fn path(options: &Options, row: &OptionRow) -> Result<Option<PathBuf>, Error> {
    options.path(row).map(|path| absolute(options, &format!("--{}", row.key), path)).transpose()
}

pub(super) fn networks(options: &Options) -> Result<Vec<IpNet>, Error> {
    let words = options.words(option!("skip-networks"));
    let refuse = |text: &str| {
        wrong(options, "--skip-networks", text, "not a network").cure("write it like 192.0.2.0/24 or 2001:db8::/32")
    };
    let named = words.iter().filter(|text| !text.is_empty());
    named.map(|text| network(text).ok_or_else(|| refuse(text))).collect()
}

fn network(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()
}

pub(super) fn hold(options: &Options) -> Result<Option<Duration>, Error> {
    let longest = duration(options, option!("max-session"), Duration::from_secs(1), ring::LONGEST)?;
    Ok(options.flag(option!("hold-while-connected")).then_some(longest))
}

pub(super) fn entries(options: &Options) -> Result<NonZeroUsize, Error> {
    let text = options.text(option!("entries"));
    text.parse()
        .ok()
        .filter(|entries: &NonZeroUsize| entries.get() <= 100_000_000)
        .ok_or_else(|| wrong(options, "--entries", text, "not a number from 1 to 100000000"))
}

pub(super) fn most_users(options: &Options) -> Result<Option<NonZeroUsize>, Error> {
    let text = options.text(option!("max-users-per-address"));
    match text.parse() {
        Ok(number) if number <= users_per_address::MOST => Ok(NonZeroUsize::new(number)),
        _ => {
            let cause = format!("not a number from 0 to {}", users_per_address::MOST);
            Err(wrong(options, "--max-users-per-address", text, &cause))
        }
    }
}

pub(super) fn most_addresses(options: &Options) -> Result<Option<u8>, Error> {
    let text = options.text(option!("max-addresses-per-user"));
    match text.parse() {
        Ok(number) if number <= ring::MOST_PER_USER => Ok(Some(number).filter(|number| *number > 0)),
        _ => {
            let cause = format!("not a number from 0 to {}", ring::MOST_PER_USER);
            Err(wrong(options, "--max-addresses-per-user", text, &cause))
        }
    }
}

pub(super) fn relays(options: &Options) -> Result<Option<CountRelays>, Error> {
    let text = options.text(option!("relay-warning"));
    let most: u32 = text.parse().map_err(|_| wrong(options, "--relay-warning", text, "not a number"))?;
    match options.flag(option!("count-relays")) {
        true => Ok(Some(CountRelays { most, names: options.words(option!("syslog-name")) })),
        false if most > 0 => {
            Err(wrong(options, "--relay-warning", text, "relays are not counted").cure("add --count-relays"))
        }
        false => Ok(None),
    }
}

/// How long a grant is to be that an option of a command tells.
///
/// # Errors
/// Exit code 64: it is no time, or longer than any grant may be.
pub fn length(options: &Options, option: &str, text: &str) -> Result<Duration, Error> {
    time(options, option, text, Duration::from_secs(1), ring::LONGEST)
}

pub(super) fn duration(options: &Options, row: &OptionRow, least: Duration, most: Duration) -> Result<Duration, Error> {
    time(options, &format!("--{}", row.key), options.text(row), least, most)
}

/// Seconds, or a number with a unit.
fn time(options: &Options, option: &str, text: &str, least: Duration, most: Duration) -> Result<Duration, Error> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => Some(Duration::from_millis(1)),
        "" | "s" => Some(Duration::from_secs(1)),
        "m" => Some(Duration::from_secs(60)),
        "h" => Some(Duration::from_secs(3600)),
        "d" => Some(Duration::from_secs(24 * 3600)),
        _ => None,
    };
    let time = number.parse::<u32>().ok().zip(unit).and_then(|(number, unit)| unit.checked_mul(number));
    match time {
        Some(time) if (least..=most).contains(&time) => Ok(time),
        Some(_) => Err(wrong(options, option, text, "out of range").cure(format!(
            "at least {} s, at most {} s",
            least.as_secs(),
            most.as_secs()
        ))),
        None => {
            Err(wrong(options, option, text, "not a time")
                .cure("write seconds, or a number with ms, s, m, h or d: 30m"))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_have_units_and_bounds() {
        let options = crate::config::effective::read([]).unwrap().unwrap().options;
        let read = |text| time(&options, "--grace", text, Duration::from_secs(1), ring::LONGEST).ok();
        assert_eq!(read("1800"), Some(Duration::from_secs(1800)));
        assert_eq!(read("30m"), Some(Duration::from_secs(1800)));
        assert_eq!(read("2h"), Some(Duration::from_secs(7200)));
        assert_eq!(read("1500ms"), Some(Duration::from_millis(1500)));
        for text in ["", "m", "-1", "1.5h", "30 m", "30M", "0", "8d", "99999999999", "1m30s"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn networks_may_be_single_addresses() {
        let read = |text: &str| network(text).map(|network| network.to_string());
        assert_eq!(read("192.0.2.1").as_deref(), Some("192.0.2.1/32"));
        assert_eq!(read("2001:db8::/32").as_deref(), Some("2001:db8::/32"));
        for text in ["192.0.2", "192.0.2.0/33", "mail.example.net"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
