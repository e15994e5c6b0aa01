//! Through PgBouncer in its session mode.

use std::fs;
use std::process::Child;

use super::{Host, can_run, client};
use crate::support::postgres::{PASSWORD, Postgres};
use crate::support::{Need, free_port, require};

/// Ends with the test.
struct Pooler(Child);

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn hosts_reach_the_database_through_a_pooler() {
    if !can_run() || !require(&[Need::Program("pgbouncer")]) {
        return;
    }
    let postgres = Postgres::start();
    let (settings, users, port) = (postgres.file("pgbouncer.ini"), postgres.file("users"), free_port());
    fs::write(&users, format!("\"host1\" \"{PASSWORD}\"\n\"host2\" \"{PASSWORD}\"\n")).expect("its users");
    let text = format!(
        "[databases]\npostgres = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
         unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\npool_mode = session\n",
        postgres.port,
        users.display()
    );
    fs::write(&settings, text).expect("its settings");
    let _pooler = Pooler(postgres.command("pgbouncer").arg("-q").arg(&settings).spawn().expect("pgbouncer"));
    let url = |role| postgres.url(role).replace(&format!(":{}/", postgres.port), &format!(":{port}/"));
    let giver = Host::start(&url("host1"), "imap1", &["--share-give"]);
    let taker = Host::start(&url("host2"), "mx1", &["--share-take"]);
    taker.wait_connected();
    giver.log_in(client(1));
    taker.wait_until_grants_is(true, client(1));
}
