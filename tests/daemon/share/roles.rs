//! What each role can do, and that it can do nothing else.

use super::{Host, can_run, client};
use crate::support::postgres::Postgres;

const GIVE: &str = "SELECT pop_before_smtp.give('x', '{192.0.2.1}', '{999999}', '{0}', '{a}', '{m}', '{l}', '{1}')";
const DECIDE: &str = "SELECT pop_before_smtp.decide('deny', '192.0.2.0/24')";
const WITHDRAW: &str = "SELECT pop_before_smtp.withdraw('x')";
const READ: &str = "SELECT count(*) FROM pop_before_smtp.news(0, 10, 0)";

#[test]
fn no_role_can_do_what_another_may() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    let may = [
        ("giver", GIVE, true),
        ("giver", WITHDRAW, true),
        ("giver", READ, false),
        ("giver", DECIDE, false),
        ("taker", READ, true),
        ("taker", GIVE, false),
        ("taker", WITHDRAW, false),
        ("taker", DECIDE, false),
        ("operator", DECIDE, true),
        ("operator", READ, true),
        ("operator", GIVE, false),
        ("stranger", GIVE, false),
        ("stranger", READ, false),
        ("stranger", DECIDE, false),
    ];
    for (role, sql, allowed) in may {
        let got = postgres.sql_as(role, sql);
        assert_eq!(got.is_ok(), allowed, "{role}: {sql}: {got:?}");
    }
    // Nobody but the owner writes a table, or makes numbers.
    for role in ["giver", "taker", "operator", "stranger"] {
        for sql in [
            "INSERT INTO pop_before_smtp.grants VALUES ('192.0.2.9', 'owner', 'x', '', 'm', 'l', 1, now(), now() + '1 h', 1)",
            "UPDATE pop_before_smtp.grants SET expires = now() + '1 day'",
            "DELETE FROM pop_before_smtp.grants",
            "TRUNCATE pop_before_smtp.grants",
            "UPDATE pop_before_smtp.site SET longest = '1 year'",
            "SELECT FROM pop_before_smtp.site FOR UPDATE",
            "DELETE FROM pop_before_smtp.decisions",
            "INSERT INTO pop_before_smtp.decisions VALUES ('192.0.2.0/24', 'allow', 'x', now(), 1)",
            "SELECT nextval('pop_before_smtp.change')",
            "SELECT setval('pop_before_smtp.change', 1)",
            "SELECT pop_before_smtp.next_change()",
            "CREATE TABLE pop_before_smtp.mine (x int)",
            "CREATE FUNCTION pop_before_smtp.now() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "DROP FUNCTION pop_before_smtp.tidy(integer)",
            "SET SESSION AUTHORIZATION owner",
            "SET ROLE owner",
        ] {
            assert!(postgres.sql_as(role, sql).is_err(), "{role}: {sql}");
        }
    }
}

/// Who gives is who has logged in, and no grant is longer than the site's longest, however it is asked for.
#[test]
fn a_giver_gives_in_its_own_name_and_no_more_than_a_grace() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    for lasts in ["999999", "1e300", "Infinity", "NaN", "-5", "0"] {
        let give = |address: &str| GIVE.replace("999999", lasts).replace("192.0.2.1", address);
        // One that cannot be is refused as a whole.
        let _ = postgres.sql_as("giver", &give("192.0.2.1"));
        let _ = postgres.sql_as("giver", &give("2001:db8::1"));
    }
    let sql = "SELECT count(*), max(giver), max(expires - now()) <= '30 minutes' FROM pop_before_smtp.grants";
    assert_eq!(postgres.sql(sql), "2|giver|t");
    // It counts from when the server has told the time, and not from a time to come.
    let earlier = postgres.sql("SELECT now() - interval '5 min'");
    for (told, lasts) in [
        (earlier.as_str(), format!("count(*) = 1 AND max(expires) = '{earlier}'::timestamptz + interval '10 min'")),
        ("2222-01-01", "count(*) = 1 AND max(expires) <= now() + interval '10 min'".to_owned()),
        ("infinity", "count(*) = 1 AND max(expires) <= now() + interval '10 min'".to_owned()),
        ("-infinity", "count(*) = 0".to_owned()),
    ] {
        let give = GIVE.replace("999999", "600").replace("'{1}'", &format!("'{{1}}', '{told}'"));
        postgres.sql("TRUNCATE pop_before_smtp.grants");
        postgres.sql_as("giver", &give).unwrap();
        assert_eq!(postgres.sql(&format!("SELECT {lasts} FROM pop_before_smtp.grants")), "t", "{told}");
    }
    // A network is an address of it, and a name too long for the table is none.
    postgres.sql_as("giver", &GIVE.replace("192.0.2.1", "198.51.100.7/24")).unwrap();
    assert_eq!(postgres.sql("SELECT count(*) FROM pop_before_smtp.grants WHERE masklen(address) < 32"), "0");
    assert!(postgres.sql_as("giver", &GIVE.replace("{a}", &format!("{{{}}}", "a".repeat(99)))).is_err());
    // Others' grants are none of its business.
    postgres.sql_as("giver", WITHDRAW).unwrap();
    postgres.sql_as("host1", &GIVE.replace("192.0.2.1", "192.0.2.3")).unwrap();
    postgres.sql_as("giver", WITHDRAW).unwrap();
    assert_eq!(postgres.sql("SELECT host(address) FROM pop_before_smtp.grants WHERE expires > now()"), "192.0.2.3");
}

/// A search path and functions of its own do not change what the functions do.
#[test]
fn a_giver_cannot_put_its_own_functions_in_the_way() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    postgres.sql("CREATE SCHEMA evil AUTHORIZATION giver");
    let evil = "CREATE FUNCTION evil.host(inet) RETURNS text LANGUAGE plpgsql AS $$ BEGIN \
                UPDATE pop_before_smtp.site SET longest = '1 year'; RETURN '192.0.2.66'; END $$;
                CREATE FUNCTION pg_temp.host(inet) RETURNS text LANGUAGE sql AS $$ SELECT '192.0.2.66' $$;
                SET search_path = evil, pg_temp, pg_catalog;";
    postgres.sql_as("giver", &format!("{evil} {GIVE}")).unwrap();
    assert_eq!(
        postgres.sql("SELECT host(address), (SELECT longest FROM pop_before_smtp.site) FROM pop_before_smtp.grants"),
        "192.0.2.1|00:30:00"
    );
}

/// What a hostile giver writes moves no cursor, spoils no file, and takes no memory without bound.
#[test]
fn a_hostile_giver_grants_what_it_may_and_nothing_more() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    let mut taker = Host::taker(&postgres, "mx1");
    let give = |number: u32, host: &str, matcher: &str, log: &str| {
        let sql = format!(
            "SELECT pop_before_smtp.give(E'{host}', '{{{}}}', '{{600}}', '{{0}}', '{{\"\\\\x1b5b324a0a\"}}', \
             ARRAY[E'{matcher}'], ARRAY[E'{log}'], '{{1}}')",
            client(number)
        );
        postgres.sql_as("giver", &sql).unwrap();
    };
    give(1, "a\\nb\\x1b[2J", "m m\\n", "l\\n192.0.2.9 99999999999 x - - y");
    // What is never granted is not, whoever says it.
    let never = "SELECT pop_before_smtp.give('x', '{127.0.0.1,::1,0.0.0.0,224.0.0.1,::ffff:127.0.0.1}', '{600,600,600,600,600}', \
                 '{0,0,0,0,0}', '{a,a,a,a,a}', '{m,m,m,m,m}', '{l,l,l,l,l}', '{1,1,1,1,1}')";
    postgres.sql_as("giver", never).unwrap();
    give(2, "x", "dovecot", "l");
    taker.wait_until_grants_is(true, client(2));
    assert_eq!(taker.count(), 2);
    let told = taker.ask(&["explain", &client(1).to_string()]);
    assert!(!told.contains('\u{1b}') && told.contains(r"\u{1b}[2J"), "{told}");
    assert!(!taker.daemon.stderr().contains('\u{1b}'), "{}", taker.daemon.stderr());
    assert_eq!(taker.daemon.terminate(), Some(0));
    taker.restart();
    taker.wait_until_grants_is(true, client(2));
    assert!(!taker.daemon.stderr().contains("cannot restore"), "{}", taker.daemon.stderr());
}
