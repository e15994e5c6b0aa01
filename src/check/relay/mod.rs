//! Who may relay: whether the restrictions ask our table, in time, and refuse everybody else. Pure.

mod absent;
mod cure;

use std::path::Path;

use super::finding::Finding;
use super::naming::{Naming, Ours};
use super::restrictions::{End, Item, LISTS, RELAY_LISTS, Rules, Who, is_refusal, items, words};
use super::settings::{Service, Settings, WhereSet};
use crate::ring::networks::Reach;

/// Everything about the restriction lists. With `skips_mynetworks`, the table leaves out what `mynetworks` permits. Of files
/// `is_absent` says that they are not there.
pub(crate) fn judge(
    settings: &Settings,
    ours: &Ours,
    skips_mynetworks: bool,
    is_absent: &dyn Fn(&Path) -> bool,
) -> Vec<Finding> {
    let is_ours = |table: &str| ours.naming(table, settings) != Naming::Foreign;
    let judge = Judge { settings, ours, is_ours: &is_ours };
    let groups = groups(settings);
    let mut findings: Vec<_> = groups.iter().flat_map(|group| judge.strangers(group)).collect();
    let asked: Vec<_> = groups.iter().filter(|group| judge.place_in(group, &RELAY_LISTS).is_some()).collect();
    findings.extend(asked.iter().flat_map(|group| judge.granted(group)));
    if skips_mynetworks {
        findings.extend(asked.iter().filter_map(|group| judge.left_out(group)));
    }
    if asked.is_empty() {
        findings.push(judge.not_asked(&groups, is_absent(&ours.file())));
    } else {
        let others = groups.iter().filter(|group| judge.place_in(group, &RELAY_LISTS).is_none());
        findings.extend(others.map(|group| {
            Finding::ok(format!(
                "{} does not ask the table: it has restrictions of its own in master.cf",
                group.names()
            ))
        }));
    }
    let unmapped = wrong_lookup(settings, &groups, &judge);
    findings.extend(unmapped);
    findings.extend(absent::judge(settings, &groups, &judge, is_absent));
    findings
}

/// Services with the same restrictions.
struct Group<'a> {
    services: Vec<&'a str>,
    lists: Vec<List<'a>>,
    mine: Mine<'a>,
}

/// Who is in `mynetworks`.
#[derive(PartialEq)]
struct Mine<'a> {
    place: WhereSet<'a>,
    reach: Reach,
    /// Whether main.cf's are among them.
    holds_main: bool,
    /// Tables among them whose reach is not known.
    uncounted: &'a [String],
}

struct List<'a> {
    place: WhereSet<'a>,
    items: Vec<Item>,
}

impl Mine<'_> {
    /// They are nearly everybody.
    fn open(&self, who: &str) -> Finding {
        let much = if self.reach == Reach::Whole { "the whole internet" } else { "a quarter of the internet" };
        Finding::error(
            format!("open relay: {} holds {much}, and {who} has permit_mynetworks", self.place.name()),
            format!("{}, and add your own networks to it", self.place.set(&["127.0.0.0/8", "[::1]/128"])),
        )
    }

    /// What they may hold besides, where `before` a refusal they are permitted.
    fn unknown(&self, who: &str, before: &[Item]) -> Option<Finding> {
        let asked = before.iter().any(|item| item.name == "permit_mynetworks");
        (asked && !self.uncounted.is_empty()).then(|| {
            let (tables, place) = (self.uncounted.join(", "), self.place.name());
            Finding::warning(
                format!("that {who} refuses strangers does not count {tables} in {place}, which is not read here"),
                "see that none but your own networks are in it, or write these into mynetworks itself",
            )
        })
    }
}

/// The list that only decides who may relay.
const RELAY: &str = "smtpd_relay_restrictions";

impl Group<'_> {
    fn names(&self) -> String {
        if self.services.is_empty() { "Postfix".to_owned() } else { self.services.join(", ") }
    }

    fn list(&self, parameter: &str) -> Option<&List<'_>> {
        self.lists.iter().find(|list| list.place.parameter == parameter)
    }
}

fn groups(settings: &Settings) -> Vec<Group<'_>> {
    if settings.services.is_empty() {
        return vec![Group { services: Vec::new(), lists: lists(settings, None), mine: mine(settings, None) }];
    }
    let mut groups: Vec<Group<'_>> = Vec::new();
    for service in &settings.services {
        let (lists, mine) = (lists(settings, Some(service)), mine(settings, Some(service)));
        let same = |group: &&mut Group<'_>| {
            let mut lists = group.lists.iter().zip(&lists);
            group.mine == mine && lists.all(|(one, other)| one.place == other.place && one.items == other.items)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.services.push(&service.smtpd.name),
            None => groups.push(Group { services: vec![&service.smtpd.name], lists, mine }),
        }
    }
    groups
}

fn lists<'a>(settings: &'a Settings, service: Option<&'a Service>) -> Vec<List<'a>> {
    let mut classes = settings.classes.clone();
    let own = service.iter().flat_map(|service| &service.overrides);
    classes.extend(own.filter(|(name, _)| settings.classes.contains_key(*name)).map(|(n, v)| (n.clone(), v.clone())));
    let list = |parameter: &'static str| {
        let place = place(service, parameter);
        List { place, items: items(parameter, settings.of(service, parameter), &classes) }
    };
    LISTS.into_iter().map(list).collect()
}

/// Where a service has a parameter from.
fn place<'a>(service: Option<&'a Service>, parameter: &'static str) -> WhereSet<'a> {
    let overriding = service.filter(|service| service.overrides.contains_key(parameter));
    WhereSet { parameter, service: overriding.map(|service| service.smtpd.name.as_str()) }
}

fn mine<'a>(settings: &'a Settings, service: Option<&'a Service>) -> Mine<'a> {
    let here = settings.mynetworks(service);
    let holds_main = here.holds(&settings.mynetworks);
    Mine { place: place(service, "mynetworks"), reach: here.reach(), holds_main, uncounted: here.uncounted() }
}

struct Judge<'a> {
    settings: &'a Settings,
    ours: &'a Ours,
    is_ours: &'a dyn Fn(&str) -> bool,
}

impl<'a> Judge<'a> {
    /// How a list of a group ends.
    fn end(&self, group: &Group<'a>, list: &List<'a>, who: Who) -> End {
        let everyone_is_mine = group.mine.reach > Reach::Some;
        let mine_are_permitted = group.mine.holds_main;
        Rules { is_ours: self.is_ours, everyone_is_mine, mine_are_permitted }.walk(&list.items, who)
    }

    /// The first list among `parameters` that asks our table about the client, and where.
    fn place_in<'g>(&self, group: &'g Group<'a>, parameters: &[&str]) -> Option<(&'g List<'a>, usize)> {
        let asks = |item: &Item| item.argument.as_deref().is_some_and(self.is_ours);
        let lists = group.lists.iter().filter(|list| parameters.contains(&list.place.parameter));
        lists
            .filter_map(|list| {
                let at = list.items.iter().position(|item| item.name == "check_client_access" && asks(item))?;
                Some((list, at))
            })
            .next()
    }

    /// Whether somebody refuses strangers.
    fn strangers(&self, group: &Group<'a>) -> Vec<Finding> {
        let ends: Vec<_> = group.lists.iter().map(|list| self.end(group, list, Who::Stranger)).collect();
        let refused = group.lists.iter().zip(&ends).find_map(|(list, end)| match end {
            End::Rejects(at) => Some((list, *at)),
            _ => None,
        });
        let who = group.names();
        if let Some((list, at)) = refused {
            let (name, place) = (&list.items[at].name, list.place.name());
            let refused = Finding::ok(format!("{who} refuses strangers by {name} in {place}"));
            return [refused].into_iter().chain(group.mine.unknown(&who, &list.items[..at])).collect();
        }
        let permitted = group.lists.iter().zip(&ends).find_map(|(list, end)| match end {
            End::Permits(at) if RELAY_LISTS.contains(&list.place.parameter) => Some((list, &list.items[*at])),
            _ => None,
        });
        vec![match permitted {
            Some((_, item)) if item.name == "permit_mynetworks" => group.mine.open(&who),
            Some((list, item)) => Finding::error(
                format!("open relay: {who} permits everybody by {} in {}", shown(item), list.place.name()),
                self.without(list, item),
            ),
            None => {
                let list = group.list("smtpd_relay_restrictions").map_or(&group.lists[0], |list| list);
                let new: Vec<_> = self.value(list, &[]).into_iter().chain(["reject_unauth_destination"]).collect();
                Finding::error(
                    format!(
                        "open relay: nothing in smtpd_relay_restrictions nor in smtpd_recipient_restrictions of {who} \
                         refuses strangers (smtpd will not even start)"
                    ),
                    list.place.set(&new),
                )
            }
        }]
    }

    /// Whether those whom the table holds may relay, and what happens when it cannot be read.
    fn granted(&self, group: &Group<'a>) -> Vec<Finding> {
        let who = group.names();
        let Some((list, at)) = self.place_in(group, &RELAY_LISTS) else { return Vec::new() };
        let table = list.items[at].argument.clone().unwrap_or_default();
        if let End::Rejects(end) | End::Permits(end) = self.end(group, list, Who::Granted)
            && end < at
        {
            let before = shown(&list.items[end]);
            let text = format!("{who} never asks {table}: {before} stands before it in {}", list.place.name());
            return vec![Finding::error(text, self.moved(list, &table, &list.items[end], &list.items[at]))];
        }
        let mut findings = Vec::new();
        for other in group.lists.iter().filter(|other| other.place.parameter != list.place.parameter) {
            if let End::Rejects(end) = self.end(group, other, Who::Granted) {
                let (name, place) = (shown(&other.items[end]), other.place.name());
                let text = format!("{who} refuses those whom {table} permits: {name} in {place} comes without it");
                findings.push(Finding::error(text, self.inserted(other, &table)));
            }
        }
        if findings.is_empty() {
            findings.push(Finding::ok(format!("{who} asks {table} in {}", list.place.name())));
        }
        let shielded = list.items[..at].iter().any(|item| item.name == "permit_auth_destination");
        findings.push(match shielded {
            true => Finding::ok(format!("permit_auth_destination stands before it in {}", list.place.name())),
            false => Finding::warning(
                format!(
                    "if the table cannot be read, {who} defers mail to your own domains, too: permit_auth_destination \
                     does not stand before {table} in {}",
                    list.place.name()
                ),
                if list.place.parameter == RELAY {
                    list.place.set(&[&["permit_auth_destination"], &self.value(list, &[])[..]].concat())
                } else {
                    format!("ask {table} in {RELAY} instead, behind permit_auth_destination")
                },
            ),
        });
        findings
    }

    /// Whom `--skip-mynetworks` leaves out must be let through by `permit_mynetworks`.
    fn left_out(&self, group: &Group<'a>) -> Option<Finding> {
        let refusing = group.lists.iter().find_map(|list| match self.end(group, list, Who::Mine) {
            End::Rejects(at) => Some((list, at)),
            _ => None,
        });
        let (list, at) = refusing?;
        let (who, name, place) = (group.names(), shown(&list.items[at]), list.place.name());
        if !group.mine.holds_main {
            let own = group.mine.place.name();
            return Some(Finding::error(
                format!(
                    "--skip-mynetworks keeps clients in mynetworks out of the table, and {who} refuses them by {name} in \
                     {place}: {own} does not hold them all"
                ),
                format!("leave --skip-mynetworks out, or add to {own} what main.cf's mynetworks holds"),
            ));
        }
        let refusal = list.items[at].name.as_str();
        let mut new = self.value(list, &[refusal]);
        let before = new.iter().position(|word| is_refusal(&word.to_ascii_lowercase())).unwrap_or(0);
        new.insert(before, "permit_mynetworks");
        Some(Finding::error(
            format!(
                "--skip-mynetworks keeps clients in mynetworks out of the table, and {who} refuses them by {name} in {place}"
            ),
            format!("{}, or leave --skip-mynetworks out", list.place.set(&new)),
        ))
    }

    /// No service asks the table where it could help.
    fn not_asked(&self, groups: &[Group<'a>], is_absent: bool) -> Finding {
        let table = self.ours.name_for(self.needs_proxy());
        let Some(list) = groups.iter().flat_map(|group| group.list("smtpd_relay_restrictions")).next() else {
            return Finding::error(format!("no restriction asks {table}"), "see pop-before-smtp postfix-config");
        };
        let elsewhere = groups.iter().find_map(|group| self.place_in(group, &LISTS));
        let text = match elsewhere {
            Some((other, _)) => format!(
                "no restriction that lets clients relay asks {table}: a permission in {} does not let them",
                other.place.name()
            ),
            None => format!("no restriction asks {table}, so logins permit nothing"),
        };
        let cure = self.inserted(list, &table);
        match is_absent {
            true => Finding::error(text, format!("start the daemon, which makes the table, and not before: {cure}")),
            false => Finding::error(text, cure),
        }
    }

    fn needs_proxy(&self) -> bool {
        self.ours.kind == "sqlite" && self.settings.services.iter().any(|service| service.smtpd.chrooted)
    }
}

fn shown(item: &Item) -> String {
    item.argument.as_ref().map_or(item.name.clone(), |argument| format!("{} {argument}", item.name))
}

/// Our table, asked about something else than the client.
fn wrong_lookup(settings: &Settings, groups: &[Group<'_>], judge: &Judge<'_>) -> Vec<Finding> {
    let lists = groups.iter().flat_map(|group| &group.lists);
    let mut findings: Vec<Finding> = Vec::new();
    for (list, item) in lists.flat_map(|list| list.items.iter().map(move |item| (list, item))) {
        let Some(table) = item.argument.as_deref().filter(|table| (judge.is_ours)(table)) else { continue };
        if item.name == "check_client_access" {
            continue;
        }
        let text =
            format!("{} in {} asks {table}, which knows nothing but clients' addresses", item.name, item.parameter);
        let place = WhereSet { parameter: &item.parameter, service: list.place.service };
        let value = words(settings.editable(&item.parameter, &[table]));
        let new: Vec<_> = match value.iter().position(|word| *word == table) {
            Some(at) if at > 0 && value[at - 1].eq_ignore_ascii_case(&item.name) => {
                [&value[..at - 1], &["check_client_access"], &value[at..]].concat()
            }
            Some(at) => [&value[..at], &["check_client_access"], &value[at..]].concat(),
            None => continue,
        };
        let finding = Finding::error(text, place.set(&new));
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    findings
}

#[cfg(test)]
mod tests;
