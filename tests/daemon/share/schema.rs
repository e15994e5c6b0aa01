//! The tables: versions, and the numbers by which changes are read.

use super::{can_run, client, hosts};
use crate::support::command::pop_before_smtp;
use crate::support::postgres::Postgres;
use crate::support::{SOON, wait_for};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

#[test]
fn init_can_be_repeated_and_leaves_a_newer_one_alone() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    let init = |more: &[&str]| {
        let url = postgres.url("owner");
        pop_before_smtp(&[&["share", "init", "--share-url", &url], more].concat())
    };
    postgres.sql_as("giver", GIVE).unwrap();
    assert_eq!(init(&["--longest", "1h"]).code, Some(0));
    assert_eq!(
        postgres.sql("SELECT count(*), (SELECT longest FROM pop_before_smtp.site) FROM pop_before_smtp.grants"),
        "1|01:00:00",
        "what is there stays"
    );
    postgres.sql("UPDATE pop_before_smtp.site SET version = 2, understood_from = 2");
    let refused = init(&[]);
    assert_eq!(refused.code, Some(78), "{refused:?}");
    assert!(refused.stderr.contains("of version 2, and this program knows 1"), "{refused:?}");
    let list = pop_before_smtp(&["list", "--all", "--share-url", &postgres.url("taker")]);
    assert!(list.code == Some(69) && list.stderr.contains("of version 2"), "{list:?}");
    // A newer one that this program can still use, as long as hosts are brought up to date one by one.
    postgres.sql("UPDATE pop_before_smtp.site SET understood_from = 1");
    assert_eq!(pop_before_smtp(&["list", "--all", "--share-url", &postgres.url("taker")]).code, Some(0));
    let refused = pop_before_smtp(&["share", "init", "--share-url", &postgres.url("giver")]);
    assert_ne!(refused.code, Some(0), "not the owner");
    assert_eq!(postgres.sql("SELECT version FROM pop_before_smtp.site"), "2");
}

/// A newer version's tables have more in them. Hosts of this one go on with them, also those that are connected.
#[test]
fn hosts_use_the_tables_of_the_next_version() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    let (_, giver, mut taker) = hosts(&postgres);
    let printed = pop_before_smtp(&["share", "init", "--print"]).stdout;
    let mut newer = printed.replace("CREATE OR REPLACE FUNCTION news", "DROP FUNCTION news;\nCREATE FUNCTION news");
    for (ours, theirs) in [
        ("ages float8[])\nLANGUAGE", "ages float8[], more text)\nLANGUAGE"),
        ("u.logins, u.ages\n", "u.logins, u.ages, g.more\n"),
        ("CREATE INDEX", "ALTER TABLE grants ADD COLUMN more text;\nCREATE INDEX"),
        ("VALUES (1, 1,", "VALUES (2, 1,"),
    ] {
        assert!(newer.contains(ours), "{ours}");
        newer = newer.replacen(ours, theirs, 1);
    }
    postgres.sql(&newer);
    assert_eq!(postgres.sql("SELECT version, understood_from FROM pop_before_smtp.site"), "2|1");
    giver.log_in(client(2));
    taker.wait_until_grants_is(true, client(2));
    assert_eq!(taker.daemon.terminate(), Some(0));
    taker.restart();
    taker.wait_connected();
    giver.log_in(client(3));
    taker.wait_until_grants_is(true, client(3));
}

/// `give` had no `as_of`. A host that calls it so is still served.
#[test]
fn init_takes_over_tables_whose_give_has_fewer_arguments() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    let eight = "text, inet[], float8[], float8[], bytea[], text[], text[], bigint[]";
    postgres.sql(&format!(
        "ALTER FUNCTION pop_before_smtp.give RENAME TO later; \
         CREATE FUNCTION pop_before_smtp.give({eight}) RETURNS bigint LANGUAGE sql AS 'SELECT 1'; \
         DROP FUNCTION pop_before_smtp.later"
    ));
    let done = pop_before_smtp(&["share", "init", "--share-url", &postgres.url("owner")]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(postgres.sql(GIVE).parse::<i64>().is_ok());
}

/// The tables are set up again while givers write them: each waits for the other, and none in vain.
#[test]
fn init_and_givers_do_not_hold_each_other_up() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    let mut giver = Session::open(&postgres, "owner");
    // A giver in the middle of its work.
    giver.ask("BEGIN; SELECT pop_before_smtp.next_change();").parse::<i64>().expect("a number");
    std::thread::scope(|scope| {
        let init = scope.spawn(|| pop_before_smtp(&["share", "init", "--share-url", &postgres.url("owner")]));
        wait_for("init to wait for it", SOON, || {
            let waiting = "wait_event_type = 'Lock' AND application_name LIKE 'pop-before-smtp%'";
            postgres.sql(&format!("SELECT count(*) FROM pg_stat_activity WHERE {waiting}")) == "1"
        });
        giver.say(&format!("{GIVE};"));
        giver.say("COMMIT;");
        let given = giver.ask("SELECT 'none';");
        assert!(given.parse::<i64>().is_ok(), "{given}: {}", postgres.log());
        let done = init.join().unwrap();
        assert_eq!(done.code, Some(0), "{done:?}");
    });
}

#[test]
fn the_printed_sql_is_what_init_does() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::empty("");
    let printed = pop_before_smtp(&["share", "init", "--print", "--longest", "10m"]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    postgres.sql(&printed.stdout);
    assert_eq!(postgres.sql("SELECT version, longest FROM pop_before_smtp.site"), "1|00:10:00");
}

const GIVE: &str = "SELECT pop_before_smtp.give('x', '{198.18.0.1}', '{600}', '{0}', '{a}', '{m}', '{l}', '{1}')";

/// A psql whose transaction stays open.
struct Session {
    child: std::process::Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Session {
    fn open(postgres: &Postgres, role: &str) -> Self {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-A", "-t", &postgres.url(role)]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = psql.spawn().expect("psql");
        let answers = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, answers }
    }

    fn say(&mut self, sql: &str) {
        let input = self.child.stdin.as_mut().expect("its input");
        writeln!(input, "{sql}").expect("psql reads");
    }

    fn ask(&mut self, sql: &str) -> String {
        self.say(sql);
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        line.trim().to_owned()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two transactions cannot have their numbers at once, so a reader that has seen the second has seen the first, too.
#[test]
fn transactions_become_visible_in_the_order_of_their_numbers() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    let give = |number: u32| GIVE.replace("198.18.0.1", &client(number).to_string());
    let mut first = Session::open(&postgres, "giver");
    let mut second = Session::open(&postgres, "host1");
    first.say("BEGIN;");
    let early: i64 = first.ask(&format!("{};", give(1))).parse().expect("a number");
    second.say(&format!("{};", give(2)));
    wait_for("the second to wait for the first", SOON, || {
        postgres.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'host1'")
            == "1"
    });
    let seen = || postgres.sql("SELECT string_agg(change::text, ',') FROM pop_before_smtp.news(0, 10, 0)");
    assert_eq!(seen(), "", "neither is there yet");
    first.say("COMMIT;");
    let mut line = String::new();
    second.answers.read_line(&mut line).expect("the second number");
    let late: i64 = line.trim().parse().expect("a number");
    assert!(late > early);
    wait_for("both to be seen", SOON, || seen() == format!("{early},{late}"));

    // One that is given up leaves a gap that nobody waits for, and a long transaction of somebody else holds nothing up.
    let mut other = Session::open(&postgres, "owner");
    assert_eq!(other.ask("BEGIN; CREATE TABLE t (x int); INSERT INTO t VALUES (1); SELECT 1;"), "1");
    first.say("BEGIN;");
    let lost: i64 = first.ask(&format!("{};", give(3))).parse().expect("a number");
    first.say("ROLLBACK;");
    let next: i64 = second.ask(&format!("{};", give(4))).parse().expect("a number");
    assert_eq!(next, lost + 1);
    assert_eq!(seen(), format!("{early},{late},{next}"));
}

/// Rows that ended are removed in small steps, past those that others hold.
#[test]
fn rows_that_have_ended_are_removed_past_what_others_lock() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    postgres.sql(
        "INSERT INTO pop_before_smtp.grants SELECT '198.18.0.0'::inet + n, 'x', 'x', '', 'm', 'l', 1, now(), \
         now() - interval '1 h' * (n % 2), n FROM generate_series(1, 1000) n",
    );
    let mut other = Session::open(&postgres, "owner");
    let hold = "BEGIN; SELECT count(*) FROM (SELECT FROM pop_before_smtp.grants WHERE change = 1 FOR UPDATE) x;";
    assert_eq!(other.ask(hold), "1");
    let tidy = |most: u32| postgres.sql_as("giver", &format!("SELECT pop_before_smtp.tidy({most})")).unwrap();
    assert_eq!((tidy(100), tidy(1000), tidy(1000)), ("100".to_owned(), "399".to_owned(), "0".to_owned()));
    assert_eq!(postgres.sql("SELECT count(*) FROM pop_before_smtp.grants"), "501");
}

/// What a taker reads costs what has changed, not what there is, also by the plan of a statement that is asked again, and
/// on a new site, where the planner knows nothing of the tables yet. Sequential scans are off in the program's sessions.
#[test]
fn readers_read_ranges_of_an_index() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    postgres.sql(
        "INSERT INTO pop_before_smtp.grants SELECT '198.18.0.0'::inet + n, 'x', 'x', '', 'm', 'l', 1, now(), \
         now() + '1 h', n FROM generate_series(1, 50000) n",
    );
    let asked = |function: &str, kind: &str, from: &str| {
        let (prepare, explain) = (format!("PREPARE ask ({kind}, int, int)"), format!("EXECUTE ask ({from}, 4000, 3)"));
        ["force_custom_plan", "force_generic_plan"].map(|plan| {
            postgres.sql(&format!(
                "SET enable_seqscan = off; SET plan_cache_mode = {plan}; {prepare} AS SELECT * FROM pop_before_smtp.{function}($1, $2, $3); \
                 EXPLAIN {explain}"
            ))
        })
    };
    for _ in ["new", "analysed"] {
        let by_number = asked("news", "bigint", "49990").map(|plan| (plan, "Index Cond: (change > "));
        let by_address = asked("everything", "inet", "'198.18.9.1'").map(|plan| (plan, "Index Cond: (address > "));
        for (plan, range) in by_number.iter().chain(&by_address) {
            let detour = plan.contains("Seq Scan") || plan.contains("grants_by_end");
            assert!(plan.contains(range) && !detour, "{plan}");
        }
        postgres.sql("ANALYZE pop_before_smtp.grants");
    }
}
