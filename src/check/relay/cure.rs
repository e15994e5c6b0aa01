//! The lines to write into main.cf or master.cf, made of those that stand there. Pure.

use super::{Judge, List, RELAY, shown};
use crate::check::restrictions::{Item, is_refusal, words};

impl Judge<'_> {
    /// The words of a list, as written if these are among them.
    pub(super) fn value<'s>(&'s self, list: &List<'_>, needed: &[&str]) -> Vec<&'s str> {
        match list.place.service {
            None => words(self.settings.editable(list.place.parameter, needed)),
            Some(name) => {
                let service = self.settings.services.iter().find(|service| service.smtpd.name == name);
                words(self.settings.of(service, list.place.parameter))
            }
        }
    }

    /// The line that puts the table before the first refusal, and permit_auth_destination before everything.
    pub(super) fn inserted(&self, list: &List<'_>, table: &str) -> String {
        let refusal = list.items.iter().find(|item| is_refusal(&item.name) && !item.warns);
        // A class stands for what is in it.
        let anchor =
            refusal.map(|item| if item.parameter == list.place.parameter { &item.name } else { &item.parameter });
        let mut new = self.value(list, &anchor.map_or(Vec::new(), |anchor| vec![anchor.as_str()]));
        let at = match anchor {
            None => new.len(),
            Some(anchor) => match new.iter().position(|word| word.eq_ignore_ascii_case(anchor)) {
                Some(at) => at,
                None => return format!("write check_client_access {table} before {anchor} in {}", list.place.name()),
            },
        };
        new.splice(at..at, ["check_client_access", table]);
        if anchor.is_none() {
            new.push("reject_unauth_destination");
        }
        // In other lists it would let mail to local users past what stands there against junk.
        if list.place.parameter == RELAY && !new.contains(&"permit_auth_destination") {
            new.insert(0, "permit_auth_destination");
        }
        list.place.set(&new)
    }

    /// The line that puts the table before what ends the list too early.
    pub(super) fn moved(&self, list: &List<'_>, table: &str, end: &Item, ours: &Item) -> String {
        let mut new = self.value(list, &[table]);
        let own = |item: &Item| item.parameter == list.place.parameter;
        let place = new.iter().position(|word| word.eq_ignore_ascii_case(&end.name));
        match (place, new.iter().position(|word| *word == table)) {
            (Some(before), Some(at)) if own(end) && own(ours) && at > 0 => {
                new.drain(at - 1..=at);
                new.splice(before..before, ["check_client_access", table]);
                list.place.set(&new)
            }
            _ => format!("write check_client_access {table} before {} in {}", shown(end), list.place.name()),
        }
    }

    /// The line without an item.
    pub(super) fn without(&self, list: &List<'_>, item: &Item) -> String {
        let mut new = self.value(list, &[&item.name]);
        match new.iter().position(|word| word.eq_ignore_ascii_case(&item.name)) {
            Some(at) if item.parameter == list.place.parameter && item.argument.is_none() => {
                new.remove(at);
                if !new.iter().any(|word| is_refusal(&word.to_ascii_lowercase())) {
                    new.push("reject_unauth_destination");
                }
                list.place.set(&new)
            }
            _ => format!("take {} out of {}", shown(item), item.parameter),
        }
    }
}
