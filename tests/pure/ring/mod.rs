//! The ring: who gives way when it is full, and what that costs.

mod model;

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroUsize;
use std::time::Duration;

use pop_before_smtp::ring::login_record::LoginRecord;
use pop_before_smtp::ring::{Change, Grant, Reason, Ring};
use pop_before_smtp::time::Timestamp;

/// A hash without a secret: which users share a count by chance is the same in each run. Here none of them do.
#[derive(Debug)]
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}

thread_local! {
    /// How often something was hashed.
    static HASHED: Cell<u64> = const { Cell::new(0) };
}

#[derive(Debug, Default)]
struct Counting;

impl BuildHasher for Counting {
    type Hasher = Fnv;

    fn build_hasher(&self) -> Fnv {
        HASHED.set(HASHED.get() + 1);
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

fn non_zero(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

/// The last thirty are in three IPv6 networks.
fn address(number: u8) -> IpAddr {
    match u16::from(number) {
        number @ 60.. => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, number % 3, 0, 0, 0, number)),
        _ => IpAddr::V4(Ipv4Addr::new(192, 0, 2, number)),
    }
}

/// The first has no name.
fn user(number: u8) -> String {
    if number == 0 { String::new() } else { format!("user{number}") }
}

fn record(user: &str) -> LoginRecord<'_> {
    LoginRecord { source: "log", offset: None, matcher: "dovecot", user: user.as_bytes() }
}

/// A full ring of 250 with 100 honest clients in it, and what is left of them once somebody has logged in from 1,000 addresses.
fn honest_left(most: Option<u8>, address: impl Fn(u32) -> IpAddr, user: impl Fn(u32) -> String) -> usize {
    let mut ring = Ring::<Counting>::hashed(Duration::from_secs(1800), non_zero(250), most);
    let mut login = |second: u32, address: IpAddr, user: &str| {
        ring.login(Timestamp::from_boot(Duration::from_secs(second.into())), address, &mut Vec::new());
        ring.note_login(address, Some(record(user)));
        ring.len()
    };
    let honest = |number: u32| IpAddr::from(Ipv4Addr::from_bits(0xc633_6400 + number));
    (0..100).for_each(|number| assert!(login(0, honest(number), &format!("honest{number}")) <= 250));
    (0..1000).for_each(|number| assert!(login(1, address(number), &user(number)) <= 250));
    // Somebody new comes, too, and is no crowd.
    login(2, honest(100), "honest100");
    (0..=100).filter(|number| ring.get(honest(*number)).is_some()).count()
}

#[test]
fn who_has_many_addresses_throws_nobody_else_out() {
    let of_network = |number: u32| IpAddr::from(Ipv6Addr::from_bits((0x2001_0db8 << 96) + u128::from(number)));
    let of_networks = |number: u32| IpAddr::from(Ipv6Addr::from_bits((0x2001_0db8 << 96) + (u128::from(number) << 80)));
    let one = |_| "mallory".to_owned();
    let several = |number| format!("mallory{number}");
    assert_eq!(honest_left(None, of_network, one), 1, "else the test shows nothing");
    assert_eq!(honest_left(Some(50), of_network, one), 101);
    assert_eq!(honest_left(Some(50), of_network, several), 101, "several accounts in one network");
    assert_eq!(honest_left(Some(50), of_networks, one), 101, "one account in many networks");
    let v4 = |number: u32| IpAddr::from(Ipv4Addr::from_bits(0x0a00_0000 + number));
    assert_eq!(honest_left(Some(50), v4, one), 101);
}

#[test]
fn of_logins_that_are_read_at_once_the_last_ones_stay() {
    let mut ring = Ring::<Counting>::hashed(Duration::from_secs(1800), non_zero(250), Some(50));
    let mut login = |number: u32| {
        let address = IpAddr::from(Ipv4Addr::from_bits(number));
        ring.login(Timestamp::from_boot(Duration::from_secs(1)), address, &mut Vec::new());
        ring.note_login(address, Some(record("al")));
        ring.get(Ipv4Addr::from_bits(0).into()).is_some()
    };
    assert!((1..=1000).all(|number| login(if number % 20 == 1 { 0 } else { number })));
}

#[test]
fn a_crowd_is_known_however_the_ring_has_grown() {
    let mut ring = Ring::<Counting>::hashed(Duration::from_secs(100_000), non_zero(5000), Some(50));
    let mut login = |second: u32, user: &str| {
        let address = Ipv4Addr::from_bits(second).into();
        let mut changes = Vec::new();
        ring.login(Timestamp::from_boot(Duration::from_secs(second.into())), address, &mut changes);
        ring.note_login(address, Some(record(user)));
        changes.into_iter().find_map(|change| match change {
            Change::Removed(IpAddr::V4(address), Reason::Evicted) => Some(address.to_bits()),
            _ => None,
        })
    };
    let user = |second: u32| if second.is_multiple_of(80) { "al".to_owned() } else { format!("user{second}") };
    assert!((0..5000).all(|second| login(second, &user(second)).is_none()));
    let evicted: Vec<_> = (5001..5020).filter_map(|second| login(second, &user(second))).collect();
    // al had 63 of them. Once he has 50, or a few less if he shares his count with others, the oldest of all goes.
    assert!(evicted[..13].iter().all(|second| second.is_multiple_of(80)), "{evicted:?}");
    assert!(evicted.contains(&1), "{evicted:?}");
}

#[test]
fn counts_follow_removals_and_new_users() {
    let mut ring = Ring::<Counting>::hashed(Duration::from_secs(10), non_zero(3), Some(1));
    let at = |second| Timestamp::from_boot(Duration::from_secs(second));
    let mut changes = Vec::new();
    let mut login = |second, number: u32, user: &str| {
        let address = IpAddr::from(Ipv4Addr::from_bits(number));
        changes.clear();
        ring.login(at(second), address, &mut changes);
        ring.note_login(address, Some(record(user)));
        changes.iter().find_map(|change| match change {
            Change::Removed(IpAddr::V4(address), Reason::Evicted) => Some(address.to_bits()),
            _ => None,
        })
    };
    assert_eq!((login(0, 1, "al"), login(1, 2, "bo"), login(2, 3, "bo")), (None, None, None));
    assert_eq!(login(3, 4, "ch"), Some(2), "of bo, who has two");
    assert_eq!(login(4, 5, "ch"), Some(1), "nobody has too many: the oldest");
    // ch has 4 and 5 now; 4 is somebody else's from here on.
    assert_eq!(login(5, 4, "di"), None);
    assert_eq!(login(6, 6, "ed"), Some(3));
    assert_eq!(login(40, 7, "ed"), None, "the others have expired");
}

/// The first slot has a mark, from which places are looked for.
#[test]
fn no_place_is_looked_for_from_a_grant_that_has_changed_and_gone() {
    let mut ring = Ring::<Counting>::hashed(Duration::from_secs(100), non_zero(64), None);
    let at = |second| Timestamp::from_boot(Duration::from_secs(second));
    let mut changes = Vec::new();
    ring.login(at(0), address(0), &mut changes);
    ring.login(at(10), address(0), &mut changes);
    ring.revoke(address(0), &mut changes);
    let other = Grant { address: address(1), expires: at(50) };
    ring.give(at(10), other, &mut changes);
    assert_eq!(ring.iter().take(9).collect::<Vec<_>>(), [other]);
}

/// What is hashed, at most, for a login to a full ring in which the newest are one user's, who logs in from new networks.
fn hashed_for_a_login(capacity: u32) -> u64 {
    let mut ring = Ring::<Counting>::hashed(Duration::from_secs(1800), non_zero(capacity as usize), Some(50));
    let mut login = |second: u32, address: IpAddr, user: &str| {
        let before = HASHED.get();
        ring.login(Timestamp::from_boot(Duration::from_secs(second.into())), address, &mut Vec::new());
        ring.note_login(address, Some(record(user)));
        HASHED.get() - before
    };
    for number in 0..capacity {
        login(0, Ipv4Addr::from_bits(0x0a00_0000 + number).into(), &format!("honest{number}"));
    }
    let network = |number: u32| IpAddr::from(Ipv6Addr::from_bits((0x2001_0db8 << 96) + (u128::from(number) << 64)));
    let hashed = (1..400).map(|number| login(number, network(number), "mallory")).max().unwrap_or(0);
    assert!((1..400).filter(|number| ring.get(network(*number)).is_some()).count() <= 51);
    hashed
}

#[test]
fn nobody_is_counted_in_a_ring_with_much_room() {
    let mut ring = Ring::<Counting>::hashed(Duration::from_secs(1800), non_zero(1000), Some(50));
    let mut hashed = |number: u32| {
        let address = Ipv4Addr::from_bits(number).into();
        ring.login(Timestamp::default(), address, &mut Vec::new());
        let before = HASHED.get();
        ring.note_login(address, Some(record("al")));
        HASHED.get() - before
    };
    assert!((0..750).all(|number| hashed(number) == 1), "the address");
    assert!((750..1000).all(|number| hashed(number) == 2), "and the user");
}

#[test]
fn an_eviction_costs_the_same_in_a_ring_of_any_size() {
    // A walk would hash each address that it comes by, or its user.
    let hashed = hashed_for_a_login(1_000);
    assert!(hashed <= 24, "{hashed}");
    assert_eq!(hashed_for_a_login(20_000), hashed);
}

#[test]
fn who_once_had_very_many_addresses_is_no_crowd_for_ever() {
    let mut ring = Ring::<Counting>::hashed(Duration::from_secs(10), non_zero(1000), Some(50));
    let mut changes = Vec::new();
    let mut login = |second, number: u32, user: &str| {
        let address = IpAddr::from(Ipv4Addr::from_bits(number));
        changes.clear();
        ring.login(Timestamp::from_boot(Duration::from_secs(second)), address, &mut changes);
        ring.note_login(address, Some(record(user)));
        changes[0]
    };
    (0..600).for_each(|number| assert!(matches!(login(0, number, "al"), Change::Added(_))));
    assert!(matches!(login(20, 1000, "bo"), Change::Removed(_, Reason::Expired)));
    login(21, 1001, "al");
    (2..1000).for_each(|number| assert!(matches!(login(22, 1000 + number, &user(number as u8)), Change::Added(_))));
    let oldest = Change::Removed(Ipv4Addr::from_bits(1000).into(), Reason::Evicted);
    assert_eq!(login(23, 3000, "ch"), oldest, "and not that of al");
}
