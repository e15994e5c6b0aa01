//! Every backend against the memory model: many small updates, and one of a hundred thousand clients.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nix::unistd::geteuid;
use pop_before_smtp_backends::memory::Memory;
use pop_before_smtp_backends::{Backend as _, Client, Update};

use super::as_table;
use super::ring::{Random, Ring, all_addresses, later};
use super::site::User::{Myself, Postfix};
use super::site::{Site, User, cases, skip};

#[test]
fn random_updates_agree_with_the_model_and_with_postfix() {
    let reader = as_postfix();
    for case in cases() {
        let site = Site::new(&case);
        let (mut model, mut ring) = (Memory::new(), Ring::default());
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let mut backend = (case.driver.open)(&site.options).unwrap();
        for round in 0..25 {
            if round % 7 == 6 {
                drop(backend);
                backend = (case.driver.open)(&site.options).unwrap();
                assert_eq!(as_table(backend.list().unwrap()), model.table(), "{} after a restart", case.name());
            }
            let (added, extended, removed) = ring.turn(&mut random);
            let clients = ring.all();
            let update = Update { added: &added, extended: &extended, removed: &removed, clients: &clients };
            backend.publish(&update).unwrap();
            model.publish(&update).unwrap();
            assert_eq!(as_table(backend.list().unwrap()), model.table(), "{} round {round}", case.name());
            let found = site.lookup_all(&case, &all_addresses(), reader);
            assert_eq!(found, model.table(), "{} round {round}", case.name());
        }
        assert!(model.table().len() > 10);
        let mut reader = (case.driver.open_read_only)(&site.options).unwrap();
        assert_eq!(as_table(reader.list().unwrap()), model.table());
    }
}

/// The user whom Postfix's readers run as.
fn as_postfix() -> User {
    if geteuid().is_root() {
        return Postfix;
    }
    skip("reading as user postfix: not run as root");
    Myself
}

#[test]
fn a_hundred_thousand_clients_are_all_there_and_come_back() {
    let address = |number: u32| match number % 2 {
        0 => IpAddr::from(Ipv4Addr::from(0x0A00_0000 + number)),
        _ => IpAddr::from(Ipv6Addr::from((0x2001_0db8 << 96) | u128::from(number) << 40)),
    };
    let reader = as_postfix();
    for case in cases() {
        let site = Site::new(&case);
        let mut model = Memory::new();
        let mut clients: Vec<Client> =
            (0..100_000).map(|number| Client { address: address(number), expires: later(number.into()) }).collect();
        let mut backend = (case.driver.open)(&site.options).unwrap();
        let update = Update { added: &clients, extended: &[], removed: &[], clients: &clients };
        backend.publish(&update).unwrap();
        model.publish(&update).unwrap();
        // One comes, one goes.
        let gone = [clients.swap_remove(70_000).address];
        clients.push(Client { address: address(100_000), expires: later(1) });
        let update = Update { added: &clients[99_999..], extended: &[], removed: &gone, clients: &clients };
        backend.publish(&update).unwrap();
        model.publish(&update).unwrap();
        let asked: Vec<IpAddr> = (0..=100_000).map(address).collect();
        // No more at a time than fit into a pipe: nobody reads the answers while the questions are written.
        let found: BTreeMap<_, _> = asked.chunks(1000).flat_map(|keys| site.lookup_all(&case, keys, reader)).collect();
        assert!(found == model.table(), "{}: {} found", case.name(), found.len());
        drop(backend);
        let mut backend = (case.driver.open)(&site.options).unwrap();
        assert!(as_table(backend.list().unwrap()) == model.table(), "{}", case.name());
    }
}
