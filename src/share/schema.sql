-- The grants of many hosts, in PostgreSQL 13 or newer. `pop-before-smtp share init` runs this as the owner of the database.
-- Who gives and who reads has no right to the tables but to read them; whoever writes does so by the functions below.
--
-- Every commit that changes anything holds the one row of `site` from its number on, so commits become visible in the
-- order of their numbers: a reader that has seen N has seen all below N. No right but that to call them locks that row.

DO $$
DECLARE role text;
BEGIN
  FOREACH role IN ARRAY ARRAY['pop_before_smtp_giver', 'pop_before_smtp_taker', 'pop_before_smtp_operator'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', role);
    END IF;
  END LOOP;
END $$;

CREATE SCHEMA IF NOT EXISTS pop_before_smtp;
SET LOCAL search_path = pop_before_smtp, pg_temp;

CREATE TABLE IF NOT EXISTS site (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  -- What these tables are, and the oldest program that still understands them.
  version integer NOT NULL,
  understood_from integer NOT NULL,
  -- Longest grant that a giver can give.
  longest interval NOT NULL,
  -- Grows when somebody else than these functions has written: then readers compare everything.
  generation bigint NOT NULL DEFAULT 0
);
-- First, as the functions do: whoever gives meanwhile waits, and nobody for each other.
SELECT FROM site FOR UPDATE;

CREATE SEQUENCE IF NOT EXISTS change;

CREATE TABLE IF NOT EXISTS grants (
  address inet NOT NULL CHECK (address = host(address)::inet),
  giver name NOT NULL,
  host text NOT NULL CHECK (length(host) BETWEEN 1 AND 64),
  -- Of each user a row, so that readers can count those behind an address.
  login bytea NOT NULL CHECK (length(login) <= 43),
  matcher text NOT NULL CHECK (length(matcher) <= 64),
  log text NOT NULL CHECK (length(log) <= 256),
  place bigint,
  since timestamptz NOT NULL,
  expires timestamptz NOT NULL,
  change bigint NOT NULL,
  PRIMARY KEY (address, giver, host, login)
);
CREATE INDEX IF NOT EXISTS grants_by_change ON grants (change);
CREATE INDEX IF NOT EXISTS grants_by_end ON grants (expires);

CREATE TABLE IF NOT EXISTS decisions (
  network cidr NOT NULL,
  -- A network that was denied and is no longer stays as `allow`.
  kind text NOT NULL CHECK (kind IN ('deny', 'allow', 'revoke')),
  by name NOT NULL,
  since timestamptz NOT NULL,
  change bigint NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS decisions_key ON decisions (network, (kind = 'revoke'));
CREATE INDEX IF NOT EXISTS decisions_by_change ON decisions (change);

-- The number of this commit, whose end wakes the readers. Until then nobody else gets one.
CREATE OR REPLACE FUNCTION next_change() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM pop_before_smtp.site FOR UPDATE;
  PERFORM pg_notify('pop_before_smtp', '');
  RETURN nextval('pop_before_smtp.change');
END $$;

-- As it was without `as_of`: two of one name could not be told apart below.
DROP FUNCTION IF EXISTS give(text, inet[], float8[], float8[], bytea[], text[], text[], bigint[]);

-- Each address gets what its grant still lasts, in seconds; `lasted` is how long ago its login was. Both count from
-- `as_of`, which the client was told by this server, so that a message that was held up makes nothing longer. The giver
-- is who is logged in here, whatever the client says.
CREATE OR REPLACE FUNCTION give(at_host text, addresses inet[], lasts float8[], lasted float8[], logins bytea[],
    matchers text[], logs text[], places bigint[], as_of timestamptz DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pop_before_smtp, pg_temp SET pop_before_smtp.by_function = 'yes' AS $$
DECLARE
  number bigint := next_change();
  most float8 := (SELECT extract(epoch FROM site.longest) FROM site);
  told timestamptz := least(as_of, statement_timestamp());
  week CONSTANT float8 := 7 * 24 * 3600;
BEGIN
  INSERT INTO grants AS known
  SELECT DISTINCT ON (g.address, g.login) host(g.address)::inet, session_user, left(at_host, 64), g.login,
    left(g.matcher, 64), left(g.log, 256), g.place,
    told - make_interval(secs => greatest(least(g.lasted, week), 0)),
    told + make_interval(secs => least(g.lasts, most)), number
  FROM unnest(addresses, lasts, lasted, logins, matchers, logs, places)
    AS g(address, lasts, lasted, login, matcher, log, place)
  WHERE g.lasts > 0 AND told + make_interval(secs => least(g.lasts, most)) > statement_timestamp()
  ORDER BY g.address, g.login, g.lasts DESC
  ON CONFLICT (address, giver, host, login) DO UPDATE SET matcher = excluded.matcher, log = excluded.log,
    place = excluded.place, since = excluded.since, expires = excluded.expires, change = excluded.change
  WHERE excluded.expires > known.expires + interval '1 second';
  RETURN number;
END $$;

-- Ends some of what this giver has given on this host; how many that were.
CREATE OR REPLACE FUNCTION withdraw(at_host text) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pop_before_smtp, pg_temp SET pop_before_smtp.by_function = 'yes' AS $$
DECLARE
  number bigint := next_change();
  ended integer;
BEGIN
  UPDATE grants SET expires = statement_timestamp(), change = number
  WHERE ctid = ANY (ARRAY(SELECT ctid FROM grants
    WHERE giver = session_user AND host = at_host AND expires > statement_timestamp() LIMIT 5000));
  GET DIAGNOSTICS ended = ROW_COUNT;
  RETURN ended;
END $$;

-- Removes some rows that ended a while ago. Locks nobody out, and leaves alone what others lock.
CREATE OR REPLACE FUNCTION tidy(most integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pop_before_smtp, pg_temp SET pop_before_smtp.by_function = 'yes' AS $$
DECLARE
  removed integer;
BEGIN
  DELETE FROM grants WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM grants WHERE expires < statement_timestamp() - interval '10 minutes'
    ORDER BY expires LIMIT least(most, 10000) FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS removed = ROW_COUNT;
  DELETE FROM decisions WHERE kind = 'revoke' AND since < statement_timestamp() - interval '8 days';
  RETURN removed;
END $$;

-- What an operator decides for all hosts: what is `deny`, `allow` or `revoke`.
CREATE OR REPLACE FUNCTION decide(what text, whom cidr) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pop_before_smtp, pg_temp SET pop_before_smtp.by_function = 'yes' AS $$
DECLARE
  number bigint := next_change();
  -- What was given under a denial ends with it: who is there has to log in again.
  ends boolean := what <> 'allow' OR EXISTS (SELECT FROM decisions WHERE network = whom AND kind = 'deny');
BEGIN
  INSERT INTO decisions AS d VALUES (whom, what, session_user, statement_timestamp(), number)
  ON CONFLICT (network, (kind = 'revoke')) DO UPDATE
  SET kind = excluded.kind, by = excluded.by, since = excluded.since, change = excluded.change;
  IF ends THEN
    UPDATE grants SET expires = statement_timestamp(), change = number
    WHERE address <<= whom AND expires > statement_timestamp();
  END IF;
  RETURN number;
END $$;

-- The grant of each address whose rows have changed behind a number: its longest row, and those who have logged in from
-- it. Without a row that lasts, `lasts` is 0 or less, or null.
--
-- `OFFSET 0`: the rows of an address are found by the address, whatever the planner believes. Before the tables have been
-- analysed it would go through all that end later, for each address.
CREATE OR REPLACE FUNCTION news(after bigint, most integer, users integer)
RETURNS TABLE (change bigint, address inet, lasts float8, lasted float8, giver text, host text, login bytea,
  matcher text, log text, place bigint, logins bytea[], ages float8[])
LANGUAGE sql STABLE AS $$
  SELECT c.change, c.address, extract(epoch FROM g.expires - statement_timestamp())::float8,
    extract(epoch FROM statement_timestamp() - g.since)::float8, g.giver::text, g.host, g.login, g.matcher, g.log,
    g.place, u.logins, u.ages
  FROM (
    SELECT max(f.change) AS change, f.address FROM (
      SELECT g.change, g.address FROM pop_before_smtp.grants g WHERE g.change > after
      ORDER BY g.change FETCH FIRST most ROWS WITH TIES) f
    GROUP BY f.address) c
  CROSS JOIN LATERAL (
    SELECT * FROM (SELECT * FROM pop_before_smtp.grants r WHERE r.address = c.address OFFSET 0) g
    ORDER BY g.expires DESC LIMIT 1) g
  LEFT JOIN LATERAL (
    SELECT array_agg(s.login) AS logins, array_agg(extract(epoch FROM statement_timestamp() - s.since)::float8) AS ages
    FROM (SELECT n.login, max(n.since) AS since
      FROM (SELECT * FROM pop_before_smtp.grants r WHERE r.address = c.address OFFSET 0) n
      WHERE users > 0 AND n.expires > statement_timestamp()
      GROUP BY n.login ORDER BY max(n.since) DESC LIMIT users) s) u ON true
  ORDER BY c.change
$$;

-- The same of all addresses in their order, behind one; also of some whose grants have ended.
CREATE OR REPLACE FUNCTION everything(after inet, most integer, users integer)
RETURNS TABLE (change bigint, address inet, lasts float8, lasted float8, giver text, host text, login bytea,
  matcher text, log text, place bigint, logins bytea[], ages float8[])
LANGUAGE sql STABLE AS $$
  SELECT g.change, g.address, extract(epoch FROM g.expires - statement_timestamp())::float8,
    extract(epoch FROM statement_timestamp() - g.since)::float8, g.giver::text, g.host, g.login, g.matcher, g.log,
    g.place, u.logins, u.ages
  FROM (
    SELECT DISTINCT ON (p.address) p.* FROM (
      -- Not `after IS NULL OR`, which would read all from the beginning each time.
      SELECT * FROM pop_before_smtp.grants g WHERE g.address > coalesce(after, '0.0.0.0/0')
      ORDER BY g.address FETCH FIRST most ROWS WITH TIES) p
    ORDER BY p.address, p.expires DESC) g
  LEFT JOIN LATERAL (
    SELECT array_agg(s.login) AS logins, array_agg(extract(epoch FROM statement_timestamp() - s.since)::float8) AS ages
    FROM (SELECT n.login, max(n.since) AS since
      FROM (SELECT * FROM pop_before_smtp.grants r WHERE r.address = g.address OFFSET 0) n
      WHERE users > 0 AND n.expires > statement_timestamp()
      GROUP BY n.login ORDER BY max(n.since) DESC LIMIT users) s) u ON true
  ORDER BY g.address
$$;

-- What was decided behind a number; how long ago in seconds.
CREATE OR REPLACE FUNCTION decided(after bigint)
RETURNS TABLE (change bigint, kind text, network text, lasted float8) LANGUAGE sql STABLE AS $$
  SELECT d.change, d.kind, d.network::text, extract(epoch FROM statement_timestamp() - d.since)::float8
  FROM pop_before_smtp.decisions d WHERE d.change > after ORDER BY d.change
$$;

-- Whoever writes the tables by other means makes the readers compare everything.
CREATE OR REPLACE FUNCTION meddled() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pop_before_smtp, pg_temp AS $$
BEGIN
  IF current_setting('pop_before_smtp.by_function', true) IS DISTINCT FROM 'yes' THEN
    UPDATE site SET generation = generation + 1;
    PERFORM pg_notify('pop_before_smtp', '');
  END IF;
  RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS meddled ON grants;
CREATE TRIGGER meddled AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON grants EXECUTE FUNCTION meddled();
DROP TRIGGER IF EXISTS meddled ON decisions;
CREATE TRIGGER meddled AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON decisions EXECUTE FUNCTION meddled();

REVOKE ALL ON ALL TABLES IN SCHEMA pop_before_smtp FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA pop_before_smtp FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA pop_before_smtp FROM PUBLIC;
GRANT USAGE ON SCHEMA pop_before_smtp TO pop_before_smtp_giver, pop_before_smtp_taker, pop_before_smtp_operator;
GRANT SELECT ON site, decisions TO pop_before_smtp_giver, pop_before_smtp_taker, pop_before_smtp_operator;
GRANT EXECUTE ON FUNCTION decided TO pop_before_smtp_giver, pop_before_smtp_taker, pop_before_smtp_operator;
GRANT EXECUTE ON FUNCTION give, withdraw, tidy TO pop_before_smtp_giver;
GRANT SELECT ON grants, change TO pop_before_smtp_taker, pop_before_smtp_operator;
GRANT SELECT ON change TO pop_before_smtp_giver;
GRANT EXECUTE ON FUNCTION news, everything TO pop_before_smtp_taker, pop_before_smtp_operator;
GRANT EXECUTE ON FUNCTION decide TO pop_before_smtp_operator;

INSERT INTO site (version, understood_from, longest) VALUES (1, 1, interval '30 minutes')
ON CONFLICT (one) DO UPDATE SET version = excluded.version,
  understood_from = excluded.understood_from, longest = excluded.longest;
