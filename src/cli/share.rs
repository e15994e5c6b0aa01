//! The options of the hosts that share their grants. In the configuration file they are the table `[share]`, too.

use super::options::OPTION;
use super::row::Preset::Found;
use super::row::{Kind, OptionRow};

const SHARE: OptionRow = OptionRow { group: "Many hosts", ..OPTION };

pub(super) const URL: OptionRow = OptionRow {
    key: "share-url",
    value_name: "URL",
    for_commands: true,
    help: "PostgreSQL that stands between the hosts that share their grants",
    more: "As for psql, with the password in ~/.pgpass ([many-hosts.md](many-hosts.md))",
    example: r#""postgresql://pop-host@db1,db2/relay?sslmode=verify-full&target_session_attrs=read-write""#,
    ..SHARE
};

pub(super) const GIVE: OptionRow = OptionRow {
    key: "share-give",
    kind: Kind::Flag,
    help: "The grants that this host's logs bring count on the other hosts, too",
    ..SHARE
};

pub(super) const TAKE: OptionRow =
    OptionRow { key: "share-take", kind: Kind::Flag, help: "The other hosts' grants count here, too", ..SHARE };

pub(super) const NAME: OptionRow = OptionRow {
    key: "share-name",
    value_name: "NAME",
    default: Found("the host's name"),
    help: "Who this host is to the others",
    example: r#""imap3""#,
    ..SHARE
};

pub(super) const WITHDRAW: OptionRow = OptionRow {
    key: "share-withdraw",
    kind: Kind::Flag,
    help: "A clean stop ends what this host has given",
    more: "Without it the others keep it: the clients are still logged in",
    ..SHARE
};
