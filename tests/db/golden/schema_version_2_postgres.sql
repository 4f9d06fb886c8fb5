-- Schema kafka for PostgreSQL 13 to 18: load Kafka topics into tables exactly once.
--
--   psql -d DATABASE -f sql/kafka/postgres.sql        or: gpdb-kafka sql schema --for postgres
--
-- Run it as a role of its own that is not a superuser, but a member of pg_execute_server_program.
-- As a superuser, once:
--
--   CREATE ROLE kafka_owner NOSUPERUSER;
--   GRANT pg_execute_server_program TO kafka_owner;
--   GRANT CREATE ON DATABASE warehouse TO kafka_owner;           -- for the schema
--   CREATE EXTENSION file_fdw;                                   -- for the peek tables
--   GRANT USAGE ON FOREIGN DATA WRAPPER file_fdw TO kafka_owner;
--   GRANT CREATE ON SCHEMA public TO kafka_owner;                -- the schema of the peek tables
--   GRANT INSERT ON crimes TO kafka_owner;                       -- each table that is loaded
--
-- Then SET ROLE kafka_owner before this, and before what gpdb-kafka sql source prints. Why:
-- kafka.load runs the consumer by COPY … FROM PROGRAM with the rights of the schema's owner, and so
-- run the triggers, defaults and constraints of the tables loaded. With a superuser as the owner,
-- the owner of a loaded table can become one. Add only sources whose table's owner you trust with
-- kafka_owner's rights; a load refuses a table that was made again, or has another owner than when
-- its source was added.
--
-- It can be run again, to upgrade. Then: gpdb-kafka sql source --for postgres.

BEGIN;

-- The tables of schema kafka. One text for Greenplum 6 and 7 and PostgreSQL 13 to 18, so no more
-- than PostgreSQL 9.4 has. No DISTRIBUTED here: greenplum.sql adds it after this.

-- Nothing that somebody else put into the search path takes part in what follows.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE SCHEMA IF NOT EXISTS kafka;

-- The functions below run with the rights of the role that installs them. So nothing in the schema may
-- belong to, or be changed by, anybody who has fewer: a table of theirs would have triggers and
-- defaults of theirs, a function would be called in place of ours.
DO $owners$
DECLARE
  found_object record;
  is_superuser constant boolean := (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user);
BEGIN
  SELECT x.what, r.rolname AS owner INTO found_object
  FROM (
    SELECT 0 AS rank, 'schema kafka' AS what, n.nspowner AS owner
    FROM pg_namespace n WHERE n.nspname = 'kafka'
    UNION ALL
    SELECT 1, 'kafka.' || quote_ident(c.relname), c.relowner
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'kafka'
    UNION ALL
    SELECT 1, 'function kafka.' || quote_ident(p.proname), p.proowner
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'kafka'
    UNION ALL
    SELECT 1, 'type kafka.' || quote_ident(t.typname), t.typowner
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = 'kafka'
  ) x JOIN pg_roles r ON r.oid = x.owner
  WHERE r.rolname <> current_user AND NOT (r.rolsuper AND (is_superuser OR x.rank = 1))
  ORDER BY x.rank LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'cannot install schema kafka: % belongs to role "%", not to "%"',
      found_object.what, found_object.owner, current_user
      USING ERRCODE = 'insufficient_privilege',
        HINT = 'Install it as the role that owns the schema (SET ROLE); drop objects that other roles created in it.';
  END IF;
  SELECT coalesce(r.rolname, 'public') AS name INTO found_object
  FROM (SELECT (aclexplode(n.nspacl)).*, n.nspowner FROM pg_namespace n WHERE n.nspname = 'kafka') a
  LEFT JOIN pg_roles r ON r.oid = a.grantee
  WHERE a.privilege_type = 'CREATE' AND a.grantee <> a.nspowner LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'cannot install schema kafka: role "%" may create objects in it', found_object.name
      USING ERRCODE = 'insufficient_privilege',
        HINT = 'REVOKE CREATE ON SCHEMA kafka FROM that role.';
  END IF;
END
$owners$;

CREATE TABLE IF NOT EXISTS kafka.schema_version (
  version integer PRIMARY KEY,
  installed timestamptz NOT NULL DEFAULT now()
);

-- Each step of an upgrade is one IF; a new database takes them all.
DO $upgrade$
DECLARE
  newest constant integer := 2;
  has integer := (SELECT coalesce(max(v.version), 0) FROM kafka.schema_version v);
  s record;
  found_table record;
BEGIN
  IF has > newest THEN
    RAISE EXCEPTION 'cannot install schema kafka: it is at version %, which is newer than this version (%)', has, newest
      USING HINT = 'Use the newer gpdb-kafka that installed it.';
  END IF;

  IF has < 1 THEN
    -- What is loaded from where. `reader` and `planner` are the names of two web tables on
    -- Greenplum, and two shell commands on PostgreSQL, so who may write here may run programs.
    CREATE TABLE kafka.source (
      name text PRIMARY KEY CHECK (octet_length(name) BETWEEN 1 AND 200),
      topic text NOT NULL CHECK (topic ~ '^[a-zA-Z0-9._-]{1,249}$'),
      target text NOT NULL,
      columns text[] NOT NULL CHECK (array_length(columns, 1) > 0),
      reader text NOT NULL,
      planner text NOT NULL,
      brokers text,
      config_file text,
      group_name text NOT NULL,
      fallback text NOT NULL CHECK (fallback IN ('earliest', 'latest', 'fail')),
      on_lost text NOT NULL CHECK (on_lost IN ('fail', 'earliest', 'latest')),
      max_records bigint CHECK (max_records > 0),
      paused boolean NOT NULL DEFAULT false,
      created timestamptz NOT NULL DEFAULT now()
    );

    -- One row for each load that loaded something, and each seek. The newest row of a source says
    -- where its next load starts: next_offsets[partition + 1]. Rows are only added, because on
    -- Greenplum an UPDATE locks the whole table, and with it the loads of all other sources. The
    -- primary key is the last guard of "exactly once": of two loads from the same offsets, one
    -- fails.
    CREATE TABLE kafka.load_history (
      source text,
      load_no bigint,
      reason text NOT NULL CHECK (reason IN ('end', 'max_records', 'seek')),
      started timestamptz NOT NULL,
      seconds double precision NOT NULL,
      rows bigint NOT NULL,
      rejected bigint NOT NULL,
      records bigint NOT NULL,
      lag bigint NOT NULL,
      ranges text NOT NULL,
      next_offsets bigint[] NOT NULL,
      loaded_by text NOT NULL,
      backend integer NOT NULL DEFAULT pg_backend_pid(),
      transaction_start timestamptz NOT NULL DEFAULT transaction_timestamp(),
      PRIMARY KEY (source, load_no)
    );

    INSERT INTO kafka.schema_version (version) VALUES (1);
  END IF;

  IF has < 2 THEN
    -- Which table a source was added for, and whose it was: a name alone can be given to another.
    -- As regclass and text, so that a dump has names and a restored database goes on.
    ALTER TABLE kafka.source ADD COLUMN target_table regclass;
    ALTER TABLE kafka.source ADD COLUMN target_owner text;
    FOR s IN SELECT x.name, x.target FROM kafka.source x LOOP
      SELECT c.oid, r.rolname AS owner INTO found_table
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_roles r ON r.oid = c.relowner
      WHERE format('%I.%I', n.nspname, c.relname) = s.target;
      UPDATE kafka.source x SET target_table = found_table.oid, target_owner = found_table.owner
      WHERE x.name = s.name;
    END LOOP;

    -- Which log the offsets are of: an offset alone names no record.
    ALTER TABLE kafka.load_history ADD COLUMN lost bigint NOT NULL DEFAULT 0;
    ALTER TABLE kafka.load_history ADD COLUMN cluster_id text;
    ALTER TABLE kafka.load_history ADD COLUMN topic_id text;
    ALTER TABLE kafka.load_history ADD COLUMN leader_epochs integer[];

    -- What a load is about to do, written before it reads: its last step takes all but the
    -- number of rows from here, so a caller cannot claim anything else. Only added, too.
    CREATE TABLE kafka.load_plan (
      source text NOT NULL,
      load_no bigint NOT NULL,
      planned timestamptz NOT NULL,
      definition text NOT NULL,
      reason text NOT NULL,
      started timestamptz NOT NULL,
      records bigint NOT NULL,
      lag bigint NOT NULL,
      lost bigint NOT NULL,
      ranges text NOT NULL,
      next_offsets bigint[] NOT NULL,
      cluster_id text,
      topic_id text,
      leader_epochs integer[],
      backend integer NOT NULL DEFAULT pg_backend_pid(),
      transaction_start timestamptz NOT NULL DEFAULT transaction_timestamp()
    );

    -- The web tables and foreign tables that `gpdb-kafka sql source` made, and from what.
    CREATE TABLE kafka.made_table (
      name text PRIMARY KEY,
      source text NOT NULL,
      digest text NOT NULL
    );

    -- Signs the names of callers: see kafka._me.
    CREATE TABLE kafka.signing_key (secret text PRIMARY KEY);

    -- Functions of version 1 that have another signature or result now.
    IF has = 1 THEN
      DROP FUNCTION kafka.load(text, bigint);
      DROP FUNCTION kafka._begin(text, bigint);
      DROP FUNCTION kafka._copy(text, text);
      DROP FUNCTION kafka._finish(text, bigint, text, timestamptz, bigint, bigint, bigint,
        bigint, text, bigint[]);
      DROP FUNCTION kafka._plan(kafka.source, text, bigint);
      DROP FUNCTION kafka._plan_checked(kafka.source, kafka.load_history, bigint);
      DROP FUNCTION kafka._mirror(kafka.source, kafka.load_history);
      DROP FUNCTION kafka._open(text, text);
      DROP FUNCTION kafka.drop_source(text);
      DROP FUNCTION kafka.seek(text, text);
      DROP FUNCTION kafka.pause(text);
      DROP FUNCTION kafka.resume(text);
      DROP FUNCTION IF EXISTS kafka._source(text); -- Greenplum's
      ALTER FUNCTION kafka.lag_of(text) RENAME TO _lag_of_1; -- the view kafka.lag still has it
    END IF;

    INSERT INTO kafka.schema_version (version) VALUES (2);
  END IF;

  -- Of the host's chance: not every database has a random() that nobody can guess.
  IF NOT EXISTS (SELECT 1 FROM kafka.signing_key) THEN
    COPY kafka.signing_key FROM PROGRAM 'od -vAn -N32 -tx1 /dev/urandom | tr -d '' \n''';
  END IF;
END
$upgrade$;

COMMENT ON TABLE kafka.source IS 'What kafka.load loads, from which topic into which table';
COMMENT ON COLUMN kafka.source.target_owner IS 'the owner of the target when the source was added';
COMMENT ON TABLE kafka.load_plan IS 'What loads were about to do; kafka.prune removes old rows';
COMMENT ON TABLE kafka.made_table IS 'Tables that kafka.drop_source drops with their source';
COMMENT ON TABLE kafka.load_history IS 'Loads and seeks; the newest row of a source has its position';
COMMENT ON COLUMN kafka.load_history.reason IS
  'end: loaded up to the end at its start; max_records: there is more; seek: moved by kafka.seek';
COMMENT ON COLUMN kafka.load_history.rows IS 'rows inserted';
COMMENT ON COLUMN kafka.load_history.rejected IS 'rows left out by the reject limit of the web table';
COMMENT ON COLUMN kafka.load_history.records IS
  'offsets passed; more than rows if there are tombstones, transactions, compaction or skipped records';
COMMENT ON COLUMN kafka.load_history.lag IS 'offsets left to load after this load';
COMMENT ON COLUMN kafka.load_history.lost IS 'offsets that were deleted or skipped before they were read (on_lost)';
COMMENT ON COLUMN kafka.load_history.ranges IS 'PARTITION:FROM-TO, TO exclusive';
COMMENT ON COLUMN kafka.load_history.next_offsets IS 'the next offset of partition 0, 1, …';
COMMENT ON COLUMN kafka.load_history.cluster_id IS 'the cluster that the offsets belong to';
COMMENT ON COLUMN kafka.load_history.topic_id IS
  'the topic that the offsets belong to; null if the brokers have no topic ids (before Kafka 2.8)';
COMMENT ON COLUMN kafka.load_history.leader_epochs IS
  'the leader epoch of partition 0, 1, … when the offsets were planned';
-- Who calls, and what a source's target lets them do.

-- Who calls, also inside of SECURITY DEFINER: the role of SET ROLE, else the session's.
CREATE OR REPLACE FUNCTION kafka._caller() RETURNS name
LANGUAGE sql STABLE AS $$
  SELECT CASE pg_catalog.current_setting('role')
    WHEN 'none' THEN session_user
    ELSE pg_catalog.current_setting('role')::pg_catalog.name
  END
$$;

-- Who really calls: also where code of another role runs inside of a session (a SECURITY DEFINER
-- function, a view that is refreshed, an index that is analyzed), of which kafka._caller knows
-- nothing. A SECURITY DEFINER function cannot see the role that calls it. But the default of its last
-- argument is evaluated with that role's rights, and a view reads its tables with its owner's: so
-- everybody gets their own name signed, and nobody another's.
CREATE OR REPLACE VIEW kafka._signed AS
SELECT current_user::text || ' ' || md5(k.secret || current_user::text || k.secret) AS name
FROM kafka.signing_key k;

CREATE OR REPLACE FUNCTION kafka._me() RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT x.name FROM kafka._signed x);
END
$$;

-- The role in what kafka._me has given.
CREATE OR REPLACE FUNCTION kafka._role_of(signed text) RETURNS name
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  role constant text := left(signed, -33);
BEGIN
  IF NOT EXISTS (SELECT 1 FROM kafka.signing_key k) THEN
    RAISE EXCEPTION 'cannot tell who calls: table kafka.signing_key is empty'
      USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Run the SQL of gpdb-kafka sql schema again.';
  ELSIF NOT EXISTS (SELECT 1 FROM kafka.signing_key k
    WHERE signed = role || ' ' || md5(k.secret || role || k.secret)) THEN
    RAISE EXCEPTION 'the last argument of a function of schema kafka is not for callers: leave it out'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN role;
END
$$;

-- The longer snapshots of other levels do not see what another session has loaded (or pruned)
-- while this one waited for it, and would load it again.
CREATE OR REPLACE FUNCTION kafka._check_isolation() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION 'cannot work on sources in a % transaction: it does not see what others have loaded meanwhile',
      upper(current_setting('transaction_isolation'))
      USING ERRCODE = 'invalid_transaction_state',
        HINT = 'Use BEGIN ISOLATION LEVEL READ COMMITTED, or SET default_transaction_isolation.';
  END IF;
END
$$;

-- Whether the caller, and the role whose code calls, may load a source ('INSERT'), or manage it.
CREATE OR REPLACE FUNCTION kafka._may(s kafka.source, privilege text, caller text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN kafka._role_may(kafka._role_of(caller), s, privilege)
    AND kafka._role_may(kafka._caller(), s, privilege);
END
$$;

-- 'OWNER': of the source's target, or of this schema, which is what remains if the target is gone.
CREATE OR REPLACE FUNCTION kafka._role_may(role name, s kafka.source, privilege text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  owner oid := (SELECT c.relowner FROM pg_class c WHERE c.oid = s.target_table);
BEGIN
  IF pg_has_role(role, (SELECT n.nspowner FROM pg_namespace n WHERE n.nspname = 'kafka'),
    'USAGE') THEN
    RETURN true;
  ELSIF owner IS NULL THEN
    RETURN false;
  ELSIF privilege = 'OWNER' THEN
    RETURN pg_has_role(role, owner, 'USAGE');
  END IF;
  RETURN has_table_privilege(role, s.target_table, privilege);
END
$$;

-- Refuses a target that is not the table the source was added for, or not that owner's any more:
-- its triggers, defaults and constraints are part of every load.
CREATE OR REPLACE FUNCTION kafka._check_target(s kafka.source) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  owner text := (SELECT r.rolname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
    WHERE c.oid = s.target_table);
BEGIN
  IF owner IS NULL THEN
    RAISE EXCEPTION 'cannot load source "%": its table % was dropped', s.name, s.target
      USING ERRCODE = 'undefined_table',
        HINT = 'If a new table has that name, run the SQL of gpdb-kafka sql source again for it.';
  ELSIF owner IS DISTINCT FROM s.target_owner THEN
    RAISE EXCEPTION 'cannot load source "%": table % belongs to role "%" now, not to "%"',
      s.name, s.target_table, owner, s.target_owner
      USING ERRCODE = 'insufficient_privilege',
        HINT = 'If you trust that role, run the SQL of gpdb-kafka sql source again.';
  END IF;
END
$$;

-- What a planner prints, until the same statement takes it out again. Others never see it.
DROP TABLE IF EXISTS kafka._plan_row;
CREATE UNLOGGED TABLE kafka._plan_row (
  topic text NOT NULL,
  partition_no integer NOT NULL,
  earliest bigint NOT NULL,
  end_offset bigint NOT NULL,
  at_offset bigint,
  cluster_id text,
  topic_id text,
  leader_epoch integer,
  epoch_end bigint
);

-- How many bytes of ranges one command line takes: Linux allows 128 KiB.
CREATE OR REPLACE FUNCTION kafka._room(topic text) RETURNS integer
LANGUAGE sql IMMUTABLE AS 'SELECT 100000';

-- Locks a source until the transaction ends: its row, which nobody else has the right to lock.
CREATE OR REPLACE FUNCTION kafka._lock(source text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM 1 FROM kafka.source s WHERE s.name = _lock.source FOR UPDATE SKIP LOCKED;
  IF FOUND OR NOT EXISTS (SELECT 1 FROM kafka.source s WHERE s.name = _lock.source) THEN
    RETURN;
  END IF;
  RAISE NOTICE 'source "%" is in use by another session: waiting for it', _lock.source;
  PERFORM 1 FROM kafka.source s WHERE s.name = _lock.source FOR UPDATE;
END
$$;

-- Nobody can give the target another trigger, default or constraint between a load's look at them
-- and its COPY: not who has the right to make triggers on it, either.
CREATE OR REPLACE FUNCTION kafka._lock_target(s kafka.source) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- LOCK TABLE takes no foreign tables. Whether INSERT is granted, kafka._check_reader says.
  IF EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = s.target_table AND c.relkind <> 'f'
    AND has_table_privilege(c.oid, 'INSERT')) THEN
    EXECUTE 'LOCK TABLE ' || s.target_table || ' IN ROW EXCLUSIVE MODE';
  END IF;
END
$$;

-- One process reads all partitions, so there is no ON clause to get wrong. But what the target runs
-- by itself (triggers, defaults, constraints, indexes, partitions, domains) runs with the rights of
-- this schema's owner: it must be its owner's, or somebody's who has these rights already.
CREATE OR REPLACE FUNCTION kafka._check_reader(s kafka.source) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  loader constant oid := (SELECT n.nspowner FROM pg_namespace n WHERE n.nspname = 'kafka');
  found_object record;
BEGIN
  -- The shell runs each line by itself, and only the last one is told which offsets to read.
  IF s.reader ~ E'[\r\n]' OR s.planner ~ E'[\r\n]' THEN
    RAISE EXCEPTION 'cannot use source "%": a command of its reader or planner has more than one line — write it in one line',
      s.name
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF position(' --log-identity' IN s.planner) = 0 THEN
    RAISE EXCEPTION 'cannot use source "%": its planner was made by an older gpdb-kafka, and does not identify the log that it reads',
      s.name
      USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Run the SQL of gpdb-kafka sql source again.';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = s.target_table) THEN
    RETURN; -- To seek it does not take a table.
  END IF;
  IF NOT has_table_privilege(loader, s.target_table, 'INSERT') THEN
    RAISE EXCEPTION 'cannot load source "%": role "%", which owns schema kafka, may not INSERT into %',
      s.name, pg_get_userbyid(loader), s.target_table
      USING ERRCODE = 'insufficient_privilege',
        HINT = format('GRANT INSERT ON %s TO %I;', s.target_table, pg_get_userbyid(loader));
  END IF;
  -- All that an expression, a type or a trigger of the target leads to. What functions call in turn
  -- is their owners' business, so these must be trusted; SECURITY DEFINER is no excuse, as a
  -- function's owner can take that away at any moment.
  WITH RECURSIVE part AS (
    SELECT s.target_table::oid AS oid
    UNION
    SELECT i.inhrelid FROM pg_inherits i JOIN part ON part.oid = i.inhparent
  ), code AS (
    SELECT 'pg_class'::regclass::oid AS class, part.oid AS oid FROM part
    UNION ALL
    SELECT 'pg_trigger'::regclass, t.oid FROM part JOIN pg_trigger t ON t.tgrelid = part.oid
    UNION ALL
    SELECT 'pg_attrdef'::regclass, d.oid FROM part JOIN pg_attrdef d ON d.adrelid = part.oid
    UNION ALL
    SELECT 'pg_class'::regclass, i.indexrelid FROM part JOIN pg_index i ON i.indrelid = part.oid
    UNION ALL
    SELECT 'pg_constraint'::regclass, c.oid FROM part JOIN pg_constraint c ON c.conrelid = part.oid
  ), reached AS (
    SELECT code.class, code.oid FROM code
    UNION
    SELECT next.class, next.oid FROM reached x CROSS JOIN LATERAL (
      SELECT d.refclassid, d.refobjid FROM pg_depend d
      WHERE d.classid = x.class AND d.objid = x.oid AND x.class <> 'pg_proc'::regclass
        AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass)
      UNION ALL
      SELECT 'pg_class'::regclass, t.typrelid FROM pg_type t
      WHERE t.oid = x.oid AND x.class = 'pg_type'::regclass AND t.typrelid <> 0
      UNION ALL
      SELECT 'pg_constraint'::regclass, c.oid FROM pg_constraint c
      WHERE c.contypid = x.oid AND x.class = 'pg_type'::regclass
    ) next (class, oid)
  )
  SELECT x.what, r.rolname AS owner INTO found_object
  FROM (
    SELECT 'partition ' || c.oid::regclass AS what, c.relowner AS owner
    FROM part JOIN pg_class c ON c.oid = part.oid WHERE part.oid <> s.target_table
    UNION ALL
    -- Other types have no code that their owner can change.
    SELECT CASE t.typtype WHEN 'd' THEN 'domain ' ELSE 'type ' END || t.oid::regtype, t.typowner
    FROM reached x JOIN pg_type t ON t.oid = x.oid AND x.class = 'pg_type'::regclass
    WHERE t.typtype IN ('c', 'd')
    UNION ALL
    SELECT 'function ' || f.oid::regprocedure, f.proowner
    FROM reached x JOIN pg_proc f ON f.oid = x.oid AND x.class = 'pg_proc'::regclass
  ) x JOIN pg_roles r ON r.oid = x.owner
  WHERE r.rolname <> s.target_owner AND r.oid <> loader AND NOT r.rolsuper LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'cannot load source "%": % belongs to role "%", and would run with the rights of "%"',
      s.name, found_object.what, found_object.owner, pg_get_userbyid(loader)
      USING ERRCODE = 'insufficient_privilege',
        HINT = format('Give it to the owner of the table, "%s", or to "%s".', s.target_owner,
          pg_get_userbyid(loader));
  END IF;
  -- Since PostgreSQL 18 what is deferred runs with the rights of this schema's owner, too, but at the
  -- end of the transaction: names that it does not qualify are then looked up where the caller says.
  SELECT f.oid::regprocedure AS name INTO found_object
  FROM (
    SELECT 'pg_trigger'::regclass AS class, t.oid FROM pg_trigger t
    WHERE t.tgdeferrable AND t.tgrelid IN (SELECT s.target_table UNION ALL
      SELECT i.relid FROM pg_partition_tree(s.target_table) i)
    UNION ALL
    SELECT 'pg_class'::regclass, c.conindid FROM pg_constraint c
    WHERE c.condeferrable AND c.conindid <> 0 AND c.conrelid IN (SELECT s.target_table UNION ALL
      SELECT i.relid FROM pg_partition_tree(s.target_table) i)
  ) x
  JOIN pg_depend d ON d.classid = x.class AND d.objid = x.oid AND d.refclassid = 'pg_proc'::regclass
  JOIN pg_proc f ON f.oid = d.refobjid
  WHERE current_setting('server_version_num')::integer >= 180000
    AND NOT EXISTS (SELECT 1 FROM unnest(f.proconfig) c WHERE c LIKE 'search_path=%') LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'cannot load source "%": function % of a deferrable trigger or constraint would run with the rights of "%" and the caller''s search_path',
      s.name, found_object.name, pg_get_userbyid(loader)
      USING ERRCODE = 'insufficient_privilege',
        HINT = format('ALTER FUNCTION %s SET search_path = …;', found_object.name);
  END IF;
END
$$;

-- What a program's end means, where PostgreSQL only knows its exit status.
CREATE OR REPLACE FUNCTION kafka._why(detail text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT detail || coalesce(': ' || CASE substring(detail FROM 'exit code ([0-9]+)')
    WHEN '64' THEN 'wrong flags'
    WHEN '65' THEN 'a record that is not a valid row, or an offset that no longer exists'
    WHEN '69' THEN 'broker or topic unavailable'
    WHEN '70' THEN 'a bug'
    WHEN '75' THEN 'the end was not reached; try again'
    WHEN '77' THEN 'not authenticated, or not authorized'
    WHEN '126' THEN 'the program cannot be executed'
    WHEN '127' THEN 'the program was not found'
  END, '')
$$;

-- Dialect 1: asks Kafka for a topic's partitions. at_offset is of the first record from at_time on;
-- epoch_end is the end of the leader epoch asked for, if the partition has another one now.
CREATE OR REPLACE FUNCTION kafka._plan(
  s kafka.source, told text, log_hash text, mirror boolean, at_time bigint)
RETURNS TABLE (topic text, partition_no integer, earliest bigint, end_offset bigint,
  at_offset bigint, cluster_id text, topic_id text, leader_epoch integer, epoch_end bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  detail text;
BEGIN
  EXECUTE format('COPY kafka._plan_row FROM PROGRAM %L (FORMAT csv)', s.planner
    || coalesce(' --of-log ' || log_hash || CASE WHEN mirror THEN ' --mirror' ELSE '' END
      || ' --stand ' || told, '')
    || coalesce(' --at ' || at_time, ''));
  RETURN QUERY DELETE FROM kafka._plan_row RETURNING *;
EXCEPTION WHEN external_routine_exception THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RAISE EXCEPTION 'the planner of source "%" failed: %', s.name, kafka._why(detail)
    USING ERRCODE = 'external_routine_exception', HINT = 'See the server log for the line that says why.';
END
$$;

-- Dialect 2: inserts the rows of these ranges into the source's target.
CREATE OR REPLACE FUNCTION kafka._copy(
  source text, ranges text, caller text DEFAULT kafka._me())
RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  rows bigint;
  message text;
  detail text;
  context text;
BEGIN
  s := kafka._open(source, 'INSERT', caller);
  EXECUTE format('COPY %s (%s) FROM PROGRAM %L (FORMAT csv, DELIMITER '','', NULL '''', ENCODING ''UTF8'')',
    s.target_table,
    (SELECT string_agg(quote_ident(c.name), ', ' ORDER BY c.no)
      FROM unnest(s.columns) WITH ORDINALITY c (name, no)),
    s.reader || ' --ranges ' || ranges);
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN rows;
EXCEPTION
  WHEN external_routine_exception THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RAISE EXCEPTION 'the reader of source "%" failed: %', s.name, kafka._why(detail)
      USING ERRCODE = 'external_routine_exception', HINT = 'See the server log for the line that says why.';
  WHEN undefined_table OR undefined_function OR undefined_object THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, context = PG_EXCEPTION_CONTEXT;
    RAISE EXCEPTION '%', message
      USING ERRCODE = SQLSTATE, DETAIL = split_part(context, E'\n', 1),
        HINT = 'Triggers and defaults run with search_path pg_catalog, pg_temp in kafka.load: qualify the names, or ALTER FUNCTION … SET search_path.';
END
$$;

-- There is no reject limit.
CREATE OR REPLACE FUNCTION kafka._logged(source text, caller text) RETURNS bigint
LANGUAGE sql IMMUTABLE AS 'SELECT 0::bigint';

CREATE OR REPLACE FUNCTION kafka._table_kind() RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT 'FOREIGN'::text $$;

-- What Kafka answers of a source's topic, and whether it is the log that the source has loaded.

-- The topic's partitions in order, all of them. On the way tells Kafka's group where the source
-- stands, if `mirror`: what the database holds for good, and so not what this very transaction has
-- loaded. `stands` is where the source stands in this log; null for a partition that it has never
-- loaded.
--
-- Refuses a log that is not the one loaded so far, or that has lost records since: another cluster,
-- a topic recreated, a partition truncated by an unclean leader election. Offsets of one log mean
-- nothing in another. `accept_log` is for kafka.seek: then `stands` is null in another log, and in a
-- truncated one where the two part.
CREATE OR REPLACE FUNCTION kafka._plan_checked(
  s kafka.source, last kafka.load_history, at_time bigint, mirror boolean, accept_log boolean)
RETURNS TABLE (partition_no integer, earliest bigint, end_offset bigint, at_offset bigint,
  stands bigint, cluster_id text, topic_id text, leader_epoch integer)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  told constant text[] := kafka._told(s, last);
  to_mirror constant boolean := mirror
    AND (last.backend = pg_backend_pid() AND last.transaction_start = transaction_timestamp()) IS NOT TRUE;
  log_hash constant text := md5(coalesce(last.cluster_id, '') || '/' || coalesce(last.topic_id, ''));
  loaded constant integer := coalesce(array_length(last.next_offsets, 1), 0);
  hint constant text := format(
    'SELECT kafka.seek(%L, ''earliest'') accepts the present log, and starts at its first record.',
    s.name);
  epoch_ends bigint[] := '{}';
  epoch_end bigint;
  same_topic boolean := true;
  wrong text;
  p record;
  expected integer := 0;
BEGIN
  FOR i IN 2 .. coalesce(array_length(told, 1), 0) LOOP
    FOR p IN SELECT x.* FROM kafka._plan(s, told[i], log_hash, to_mirror, NULL) x
      WHERE x.epoch_end IS NOT NULL LOOP
      epoch_ends[p.partition_no + 1] := p.epoch_end;
    END LOOP;
  END LOOP;
  FOR p IN SELECT x.* FROM kafka._plan(s, told[1], log_hash, to_mirror, at_time) x
    ORDER BY x.partition_no LOOP
    IF p.topic <> s.topic OR p.partition_no <> expected
      OR NOT p.earliest BETWEEN 0 AND p.end_offset THEN
      RAISE EXCEPTION 'the planner of source "%" answered for topic "%" partition % (% to %), not for topic "%" partition %',
        s.name, p.topic, p.partition_no, p.earliest, p.end_offset, s.topic, expected
        USING ERRCODE = 'data_exception';
    END IF;
    partition_no := p.partition_no;
    earliest := p.earliest;
    end_offset := p.end_offset;
    at_offset := p.at_offset;
    cluster_id := p.cluster_id;
    topic_id := p.topic_id;
    leader_epoch := p.leader_epoch;
    stands := last.next_offsets[partition_no + 1];
    epoch_end := coalesce(p.epoch_end, epoch_ends[partition_no + 1]);
    wrong := NULL;
    IF cluster_id <> last.cluster_id THEN
      wrong := format('topic "%s" now belongs to cluster %s, but source "%s" has loaded it from cluster %s',
        s.topic, cluster_id, s.name, last.cluster_id);
    ELSIF topic_id <> last.topic_id THEN
      wrong := format('topic "%s" was deleted and created again: its id is %s, but source "%s" has loaded %s',
        s.topic, topic_id, s.name, last.topic_id);
    END IF;
    IF wrong IS NOT NULL THEN
      same_topic := false;
      stands := NULL;
    ELSIF epoch_end < stands THEN
      wrong := format('topic "%s" partition %s was truncated: what it has of leader epoch %s ends at offset %s, but source "%s" stands at %s in it',
        s.topic, partition_no, last.leader_epochs[partition_no + 1], epoch_end, s.name, stands);
      same_topic := epoch_end > 0;
      stands := greatest(epoch_end, earliest);
    ELSIF stands > end_offset THEN
      wrong := format('topic "%s" partition %s has the offsets %s to %s, but source "%s" stands at %s: the partition was truncated, or the topic was deleted and created again',
        s.topic, partition_no, earliest, end_offset, s.name, stands);
      stands := NULL;
    END IF;
    IF wrong IS NOT NULL AND NOT accept_log THEN
      RAISE EXCEPTION '%', wrong USING ERRCODE = 'data_exception', HINT = hint;
    END IF;
    expected := expected + 1;
    RETURN NEXT;
  END LOOP;
  IF expected = 0 OR expected < loaded AND same_topic THEN
    RAISE EXCEPTION 'topic "%" has % partitions, but source "%" has loaded %',
      s.topic, expected, s.name, loaded
      USING ERRCODE = 'data_exception', DETAIL = 'The topic was deleted and created again.',
        HINT = 'Drop the source with kafka.drop_source, then add it again.';
  END IF;
END
$$;

-- The source's position, for the planner: `PARTITION:OFFSET[:EPOCH],…`, as many texts
-- as it takes.
CREATE OR REPLACE FUNCTION kafka._told(s kafka.source, last kafka.load_history) RETURNS text[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  texts text[] := '{}';
  line text := '';
  item text;
BEGIN
  FOR i IN 1 .. coalesce(array_length(last.next_offsets, 1), 0) LOOP
    item := (i - 1) || ':' || last.next_offsets[i] || coalesce(':' || last.leader_epochs[i], '');
    IF line <> '' AND length(line) + length(item) >= kafka._room(s.topic) THEN
      texts := texts || line;
      line := '';
    END IF;
    line := line || CASE line WHEN '' THEN '' ELSE ',' END || item;
  END LOOP;
  RETURN CASE line WHEN '' THEN texts ELSE texts || line END;
END
$$;
-- kafka.load and its steps. What differs between the two databases is in kafka._lock,
-- kafka._lock_target, kafka._check_reader, kafka._plan, kafka._copy, kafka._logged and kafka._room.
--
-- On PostgreSQL kafka.load runs with the rights of this schema's owner, and nobody else may call a
-- step of it. On Greenplum it runs with the rights of its caller, and so does the INSERT; the steps
-- that read and write the tables of this schema run with those of its owner. Nothing is open to
-- PUBLIC: kafka.allow lets a role call what a load takes, and the right to INSERT into a source's
-- target is what lets it load that source. `caller` is not for callers: see kafka._me.

-- The source's row; the caller needs `privilege` on the target.
CREATE OR REPLACE FUNCTION kafka._find(source text, privilege text, caller text) RETURNS kafka.source
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found_source kafka.source%ROWTYPE;
BEGIN
  PERFORM kafka._check_isolation();
  SELECT s.* INTO found_source FROM kafka.source s WHERE s.name = _find.source;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'source "%" does not exist', _find.source
      USING ERRCODE = 'undefined_object',
        HINT = 'See kafka.status; gpdb-kafka sql source creates one.';
  END IF;
  IF privilege = 'INSERT' AND NOT EXISTS (
    SELECT 1 FROM pg_class c WHERE c.oid = found_source.target_table) THEN
    PERFORM kafka._check_target(found_source);
  ELSIF NOT kafka._may(found_source, privilege, caller) THEN
    RAISE EXCEPTION 'permission denied for source "%": % on % is required', _find.source,
      CASE privilege WHEN 'OWNER' THEN 'ownership' ELSE privilege END, found_source.target
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF privilege = 'INSERT' THEN PERFORM kafka._check_target(found_source); END IF;
  RETURN found_source;
END
$$;

-- The same, locked until the transaction ends.
CREATE OR REPLACE FUNCTION kafka._open(source text, privilege text, caller text) RETURNS kafka.source
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM kafka._find(source, privilege, caller);
  PERFORM kafka._lock(source);
  -- Again: it may have been changed or dropped meanwhile.
  IF NOT EXISTS (SELECT 1 FROM kafka.source s WHERE s.name = _open.source) THEN
    RAISE EXCEPTION 'source "%" was dropped while this session waited for it', _open.source
      USING ERRCODE = 'undefined_object';
  END IF;
  RETURN kafka._find(source, privilege, caller);
END
$$;

-- The newest row of a source's history: where it stands. All null without one.
CREATE OR REPLACE FUNCTION kafka._last(source text) RETURNS kafka.load_history
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  last kafka.load_history%ROWTYPE;
BEGIN
  SELECT h.* INTO last FROM kafka.load_history h WHERE h.source = _last.source
  ORDER BY h.load_no DESC LIMIT 1;
  RETURN last;
END
$$;

-- What the next load reads, at most `most` records of each partition; `ranges` are all of it. The
-- same for kafka.load and for kafka.check_source. `mirror`: Kafka's group is told where the source
-- stands.
CREATE OR REPLACE FUNCTION kafka._next(
  s kafka.source, last kafka.load_history, most bigint, mirror boolean)
RETURNS kafka.load_plan
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  plan kafka.load_plan%ROWTYPE;
  known constant integer := coalesce(array_length(last.next_offsets, 1), 0);
  ranges text[] := '{}';
  p record;
  at bigint;
  resumed bigint;
  upto bigint;
BEGIN
  PERFORM kafka._check_reader(s);
  plan.source := s.name;
  plan.records := 0;
  plan.lag := 0;
  plan.lost := 0;
  plan.reason := 'end';
  plan.next_offsets := '{}';
  plan.leader_epochs := '{}';
  FOR p IN SELECT * FROM kafka._plan_checked(s, last, NULL, mirror, false) LOOP
    IF p.stands IS NOT NULL THEN
      at := p.stands;
    ELSIF known > 0 OR s.fallback = 'earliest' THEN
      at := p.earliest; -- a partition that has joined, whatever the fallback: all of it is new
    ELSIF s.fallback = 'latest' THEN
      at := p.end_offset;
    ELSE
      RAISE EXCEPTION 'source "%" was never loaded, and its fallback is "fail"', s.name
        USING ERRCODE = 'object_not_in_prerequisite_state',
          HINT = 'Use kafka.seek to say where to start.';
    END IF;
    IF at < p.earliest THEN
      IF s.on_lost = 'fail' THEN
        RAISE EXCEPTION 'topic "%" partition % has the offsets % to %, but source "%" stands at %',
          s.topic, p.partition_no, p.earliest, p.end_offset, s.name, at
          USING ERRCODE = 'data_exception',
            DETAIL = 'Records were deleted before they were loaded.',
            HINT = 'kafka.seek moves the source past the deleted records, which are lost.';
      END IF;
      resumed := CASE s.on_lost WHEN 'earliest' THEN p.earliest ELSE p.end_offset END;
      RAISE WARNING 'source "%", topic "%" partition %: offsets % to % are skipped (on_lost is %)',
        s.name, s.topic, p.partition_no, at, resumed, s.on_lost;
      plan.lost := plan.lost + resumed - at;
      at := resumed;
    END IF;
    upto := least(p.end_offset, at + most);
    IF upto < p.end_offset THEN plan.reason := 'max_records'; END IF;
    plan.next_offsets := plan.next_offsets || upto;
    plan.leader_epochs := array_append(plan.leader_epochs, p.leader_epoch);
    plan.cluster_id := p.cluster_id;
    plan.topic_id := p.topic_id;
    plan.records := plan.records + upto - at;
    plan.lag := plan.lag + p.end_offset - upto;
    IF upto > at THEN ranges := ranges || (p.partition_no || ':' || at || '-' || upto); END IF;
  END LOOP;
  plan.ranges := array_to_string(ranges, ',');
  RETURN plan;
END
$$;

-- Ranges as pieces of which each is small enough for one statement.
CREATE OR REPLACE FUNCTION kafka._chunks(ranges text, room integer) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  chunks text[] := '{}';
  chunk text := '';
  range text;
BEGIN
  FOREACH range IN ARRAY string_to_array(ranges, ',') LOOP
    IF chunk <> '' AND length(chunk) + length(range) >= room THEN
      chunks := chunks || chunk;
      chunk := '';
    END IF;
    chunk := chunk || CASE chunk WHEN '' THEN '' ELSE ',' END || range;
  END LOOP;
  RETURN CASE chunk WHEN '' THEN chunks ELSE chunks || chunk END;
END
$$;

-- The first steps of a load: locks the source, asks Kafka where the topic starts and ends, writes
-- down what is to be loaded, and returns it: `chunks` of ranges, each small enough for one
-- statement.
CREATE OR REPLACE FUNCTION kafka._begin(
  source text, max_records bigint, caller text DEFAULT kafka._me(),
  OUT load_no bigint, OUT chunks text[], OUT records bigint, OUT lag bigint, OUT lost bigint,
  OUT reason text, OUT moved boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  started constant timestamptz := clock_timestamp();
  s kafka.source%ROWTYPE;
  last kafka.load_history%ROWTYPE;
  next kafka.load_plan%ROWTYPE;
BEGIN
  s := kafka._open(source, 'INSERT', caller);
  PERFORM kafka._lock_target(s);
  IF s.paused THEN
    RAISE EXCEPTION 'source "%" is paused', s.name
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Resume it with kafka.resume.';
  END IF;
  IF _begin.max_records < 1 THEN
    RAISE EXCEPTION 'max_records is %: it must be 1 or more', _begin.max_records
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  last := kafka._last(s.name);
  next := kafka._next(s, last, least(_begin.max_records, s.max_records), true);
  chunks := kafka._chunks(next.ranges, kafka._room(s.topic));
  records := next.records;
  lag := next.lag;
  lost := next.lost;
  reason := next.reason;
  moved := next.next_offsets IS DISTINCT FROM last.next_offsets;
  load_no := coalesce(last.load_no, 0) + moved::integer;
  IF moved THEN
    -- Made here: what Greenplum makes of it on its segments may be another text.
    next.definition := s::text;
    next.planned := clock_timestamp();
    INSERT INTO kafka.load_plan (source, load_no, planned, definition, reason, started, records,
      lag, lost, ranges, next_offsets, cluster_id, topic_id, leader_epochs)
    VALUES (s.name, load_no, next.planned, next.definition, reason, started, records,
      lag, lost, next.ranges, next.next_offsets, next.cluster_id, next.topic_id,
      next.leader_epochs);
  END IF;
END
$$;

-- What a load would read now, or the error it would end with: by the same steps, but nothing stays,
-- nothing is locked and nobody is told. That the source is paused is not looked at.
CREATE OR REPLACE FUNCTION kafka.check_source(source text, caller text DEFAULT kafka._me())
RETURNS TABLE (records bigint, lost bigint, reason text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  next kafka.load_plan%ROWTYPE;
BEGIN
  s := kafka._find(source, 'INSERT', caller);
  next := kafka._next(s, kafka._last(s.name), s.max_records, false);
  records := next.records;
  lost := next.lost;
  reason := next.reason;
  RETURN NEXT;
END
$$;

-- The last step: what this transaction began is written down as done. Of the caller it takes only
-- how many rows there were.
CREATE OR REPLACE FUNCTION kafka._finish(
  source text, rows bigint, rejected bigint, caller text DEFAULT kafka._me())
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  p kafka.load_plan%ROWTYPE;
BEGIN
  s := kafka._open(source, 'INSERT', caller);
  SELECT x.* INTO p FROM kafka.load_plan x
  WHERE x.source = s.name AND x.backend = pg_backend_pid()
    AND x.transaction_start = transaction_timestamp()
  ORDER BY x.planned DESC LIMIT 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'cannot finish a load of source "%": this transaction began none', s.name
      USING ERRCODE = 'object_not_in_prerequisite_state';
  ELSIF p.definition <> s::text THEN
    RAISE EXCEPTION 'cannot finish the load of source "%": the source was changed meanwhile', s.name
      USING ERRCODE = 'serialization_failure', HINT = 'Load it again.';
  ELSIF NOT coalesce(rows >= 0 AND rejected >= 0 AND rows + rejected <= p.records, false) THEN
    RAISE EXCEPTION 'source "%" returned % rows for % records', s.name, rows + rejected, p.records
      USING ERRCODE = 'data_exception',
        DETAIL = 'A value holds more than one row, or the reader read more than was planned.';
  END IF;
  INSERT INTO kafka.load_history (source, load_no, reason, started, seconds, rows, rejected,
    records, lag, lost, ranges, next_offsets, cluster_id, topic_id, leader_epochs, loaded_by)
  VALUES (s.name, p.load_no, p.reason, p.started,
    extract(epoch FROM clock_timestamp() - p.started), rows, rejected,
    p.records, p.lag, p.lost, p.ranges, p.next_offsets, p.cluster_id, p.topic_id, p.leader_epochs,
    kafka._caller());
END
$$;

-- Loads what is new in a source's topic, at most max_records of each partition: rows and offsets
-- in the caller's transaction. `reason` is `end`, or `max_records` if there is more to load; `lost`
-- is how many offsets on_lost skipped.
CREATE OR REPLACE FUNCTION kafka.load(
  source text, max_records bigint DEFAULT NULL, caller text DEFAULT kafka._me())
RETURNS TABLE (rows bigint, rejected bigint, records bigint, lag bigint, reason text,
  seconds double precision, load_no bigint, lost bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  started constant timestamptz := clock_timestamp();
  step record;
  chunk text;
  logged bigint;
BEGIN
  SELECT b.* INTO step FROM kafka._begin(source, max_records, caller) b;
  rows := 0;
  rejected := 0;
  IF step.records > 0 THEN logged := kafka._logged(source, caller); END IF;
  FOREACH chunk IN ARRAY step.chunks LOOP
    rows := rows + kafka._copy(source, chunk, caller);
  END LOOP;
  -- Not less than none: somebody may truncate the log meanwhile.
  IF step.records > 0 THEN rejected := greatest(0, kafka._logged(source, caller) - logged); END IF;
  IF step.moved THEN PERFORM kafka._finish(source, rows, rejected, caller); END IF;
  records := step.records;
  lag := step.lag;
  reason := step.reason;
  load_no := step.load_no;
  lost := step.lost;
  seconds := extract(epoch FROM clock_timestamp() - started);
  RETURN NEXT;
END
$$;
-- What a DBA does with sources, and sees of them.

-- Adds a source, or changes one and leaves it where it stands; waits for a load of it to end. Without
-- columns it takes all of the target's, in their order. For the owner of this schema only.
CREATE OR REPLACE FUNCTION kafka.add_source(
  name text, topic text, target regclass, reader text, planner text,
  group_name text, columns text[] DEFAULT NULL, brokers text DEFAULT NULL,
  config_file text DEFAULT NULL, fallback text DEFAULT 'earliest', on_lost text DEFAULT 'fail',
  max_records bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  missing text;
BEGIN
  PERFORM kafka._check_isolation();
  PERFORM kafka._lock(add_source.name);
  s.name := add_source.name;
  s.topic := add_source.topic;
  s.target := kafka._whole_name(add_source.target);
  s.target_table := add_source.target;
  SELECT r.rolname INTO s.target_owner
  FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE c.oid = add_source.target;
  s.columns := coalesce(add_source.columns, ARRAY(
    SELECT a.attname::text FROM pg_attribute a
    WHERE a.attrelid = add_source.target AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum));
  SELECT c INTO missing FROM unnest(s.columns) c
  WHERE NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = add_source.target
    AND a.attnum > 0 AND NOT a.attisdropped AND a.attname = c) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'table % has no column "%"', s.target, missing
      USING ERRCODE = 'undefined_column';
  END IF;
  s.reader := add_source.reader;
  s.planner := add_source.planner;
  s.brokers := add_source.brokers;
  s.config_file := add_source.config_file;
  s.group_name := add_source.group_name;
  s.fallback := add_source.fallback;
  s.on_lost := add_source.on_lost;
  s.max_records := add_source.max_records;
  PERFORM kafka._check_reader(s);
  IF EXISTS (SELECT 1 FROM kafka.source x JOIN kafka.load_history h ON h.source = x.name
    WHERE x.name = s.name AND x.topic <> s.topic) THEN
    RAISE EXCEPTION 'cannot change the topic of source "%": its offsets belong to another topic', s.name
      USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'kafka.drop_source removes the source and its offsets; then add it again.';
  END IF;
  UPDATE kafka.source x SET topic = s.topic, target = s.target, columns = s.columns,
    reader = s.reader, planner = s.planner, brokers = s.brokers, config_file = s.config_file,
    group_name = s.group_name, fallback = s.fallback, on_lost = s.on_lost,
    max_records = s.max_records, target_table = s.target_table, target_owner = s.target_owner
  WHERE x.name = s.name;
  IF NOT FOUND THEN
    INSERT INTO kafka.source (name, topic, target, columns, reader, planner, brokers, config_file,
      group_name, fallback, on_lost, max_records, target_table, target_owner)
    VALUES (s.name, s.topic, s.target, s.columns, s.reader, s.planner, s.brokers, s.config_file,
      s.group_name, s.fallback, s.on_lost, s.max_records, s.target_table, s.target_owner);
  END IF;
END
$$;

-- Makes a table of a source (its reader, planner or peek) if there is none, or it would be another
-- one; who may read it stays. `definition` is the whole CREATE. Called by the SQL of gpdb-kafka sql
-- source, with the search path of the role that runs it; for the owner of this schema only.
CREATE OR REPLACE FUNCTION kafka.make_table(
  source text, name text, target regclass, definition text)
RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  -- (LIKE target) is another definition once the target has other columns.
  wanted constant text := pg_catalog.md5(definition || (
    SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname) || ' '
      || pg_catalog.format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = make_table.target AND a.attnum > 0 AND NOT a.attisdropped));
  whole_name text;
  readers text[] := '{}';
  reader text;
BEGIN
  BEGIN
    whole_name := kafka._whole_name(name::regclass);
    IF EXISTS (SELECT 1 FROM kafka.made_table m WHERE m.name = whole_name
      AND m.source = make_table.source AND m.digest = wanted) THEN
      RETURN;
    END IF;
    -- On Greenplum 6 ARRAY() of no rows is null.
    readers := coalesce(ARRAY(SELECT pg_catalog.quote_ident(r.rolname)
      FROM (SELECT (pg_catalog.aclexplode(c.relacl)).*, c.relowner
        FROM pg_catalog.pg_class c WHERE c.oid = make_table.name::regclass) a
      JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
      JOIN pg_catalog.pg_roles o ON o.oid = a.relowner
      WHERE a.privilege_type = 'SELECT' AND a.grantee <> a.relowner
        -- Not what somebody else has granted on a table of that name.
        AND (o.rolsuper OR o.rolname = current_user)), '{}');
    EXECUTE 'DROP ' || kafka._table_kind() || ' TABLE ' || whole_name;
  EXCEPTION WHEN undefined_table OR invalid_schema_name THEN
    NULL; -- There is none yet.
  END;
  EXECUTE definition;
  whole_name := kafka._whole_name(name::regclass);
  FOREACH reader IN ARRAY readers LOOP
    EXECUTE 'GRANT SELECT ON ' || whole_name || ' TO ' || reader;
  END LOOP;
  DELETE FROM kafka.made_table m WHERE m.name = whole_name;
  INSERT INTO kafka.made_table (name, source, digest) VALUES (whole_name, source, wanted);
END
$$;

-- A table's name with its schema, whatever the search path is.
CREATE OR REPLACE FUNCTION kafka._whole_name(of_table regclass) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('%I.%I', n.nspname, c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = of_table
$$;

-- Forgets a source, its history and where it stands, and drops the tables that gpdb-kafka sql source
-- made for it. The target stays. For the target's owner.
CREATE OR REPLACE FUNCTION kafka.drop_source(name text, caller text DEFAULT kafka._me()) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  made text;
BEGIN
  s := kafka._open(name, 'OWNER', caller);
  FOR made IN SELECT m.name FROM kafka.made_table m WHERE m.source = s.name ORDER BY 1 LOOP
    BEGIN
      EXECUTE 'DROP ' || kafka._table_kind() || ' TABLE IF EXISTS ' || made;
    EXCEPTION WHEN insufficient_privilege OR wrong_object_type OR dependent_objects_still_exist
      OR invalid_schema_name THEN
      RAISE WARNING 'cannot drop table %: %', made, SQLERRM;
    END;
  END LOOP;
  DELETE FROM kafka.made_table m WHERE m.source = s.name;
  DELETE FROM kafka.load_plan p WHERE p.source = s.name;
  DELETE FROM kafka.load_history h WHERE h.source = s.name;
  DELETE FROM kafka.source x WHERE x.name = s.name;
END
$$;

-- Moves a source: the next load starts there. `position` is earliest, latest, @TIME (the first
-- record at or after it), or PARTITION:OFFSET,… (the other partitions stay). It is also the way to
-- accept a log that is not the one loaded so far, or was truncated: the other partitions then go to
-- their first offset, or to where the two logs part. For the target's owner.
CREATE OR REPLACE FUNCTION kafka.seek(
  source text, "position" text, caller text DEFAULT kafka._me())
RETURNS TABLE (partition_no integer, next_offset bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  started constant timestamptz := clock_timestamp();
  wanted constant text := seek."position";
  last kafka.load_history%ROWTYPE;
  at_time bigint;
  given bigint[] := '{}';
  item text;
  p record;
  next_offsets bigint[] := '{}';
  leader_epochs integer[] := '{}';
  cluster_id text;
  topic_id text;
  lag bigint := 0;
BEGIN
  s := kafka._open(source, 'OWNER', caller);
  PERFORM kafka._check_reader(s);
  IF wanted LIKE '@%' THEN
    at_time := (extract(epoch FROM substr(wanted, 2)::timestamptz) * 1000)::bigint;
  ELSIF wanted ~ '^[0-9]{1,9}:[0-9]{1,18}(,[0-9]{1,9}:[0-9]{1,18})*$' THEN
    FOREACH item IN ARRAY string_to_array(wanted, ',') LOOP
      given[split_part(item, ':', 1)::integer + 1] := split_part(item, ':', 2);
    END LOOP;
  ELSIF wanted IS NULL OR wanted NOT IN ('earliest', 'latest') THEN
    RAISE EXCEPTION '"%" is not one of earliest, latest, @TIME, PARTITION:OFFSET,…', wanted
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  last := kafka._last(s.name);
  FOR p IN SELECT * FROM kafka._plan_checked(s, last, at_time, true, true) LOOP
    partition_no := p.partition_no;
    next_offset := CASE
      WHEN wanted = 'earliest' THEN p.earliest
      WHEN wanted = 'latest' THEN p.end_offset
      WHEN at_time IS NOT NULL THEN coalesce(p.at_offset, p.end_offset)
      ELSE coalesce(given[p.partition_no + 1], p.stands, p.earliest)
    END;
    IF given[p.partition_no + 1] NOT BETWEEN p.earliest AND p.end_offset THEN
      RAISE EXCEPTION 'topic "%" partition % has the offsets % to %, not %', s.topic,
        p.partition_no, p.earliest, p.end_offset, given[p.partition_no + 1]
        USING ERRCODE = 'invalid_parameter_value';
    END IF;
    next_offsets := next_offsets || next_offset;
    leader_epochs := array_append(leader_epochs, p.leader_epoch);
    cluster_id := p.cluster_id;
    topic_id := p.topic_id;
    lag := lag + greatest(p.end_offset - next_offset, 0);
    RETURN NEXT;
  END LOOP;
  IF array_upper(given, 1) > array_length(next_offsets, 1) THEN
    RAISE EXCEPTION 'topic "%" has no partition %', s.topic, array_upper(given, 1) - 1
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO kafka.load_history (source, load_no, reason, started, seconds, rows, rejected,
    records, lag, ranges, next_offsets, cluster_id, topic_id, leader_epochs, loaded_by)
  VALUES (s.name, coalesce(last.load_no, 0) + 1, 'seek', started,
    extract(epoch FROM clock_timestamp() - started), 0, 0, 0, lag, '', next_offsets,
    cluster_id, topic_id, leader_epochs, kafka._caller());
END
$$;

-- Pauses a source: its loads are refused until kafka.resume. For the target's owner.
CREATE OR REPLACE FUNCTION kafka.pause(source text, caller text DEFAULT kafka._me()) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
BEGIN
  s := kafka._open(source, 'OWNER', caller);
  UPDATE kafka.source x SET paused = true WHERE x.name = s.name;
END
$$;

CREATE OR REPLACE FUNCTION kafka.resume(source text, caller text DEFAULT kafka._me()) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
BEGIN
  s := kafka._open(source, 'OWNER', caller);
  UPDATE kafka.source x SET paused = false WHERE x.name = s.name;
END
$$;

-- Removes what is older from the history, but never where a source stands. For the owner of this
-- schema.
CREATE OR REPLACE FUNCTION kafka.prune(older_than interval) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  removed bigint;
BEGIN
  PERFORM kafka._check_isolation();
  DELETE FROM kafka.load_plan p WHERE p.started < now() - older_than;
  DELETE FROM kafka.load_history h
  USING (SELECT x.source, max(x.load_no) AS load_no FROM kafka.load_history x GROUP BY x.source) n
  WHERE h.source = n.source AND h.load_no < n.load_no AND h.started < now() - older_than;
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN removed;
END
$$;
-- Where the sources stand.

-- The next offset of each partition, as the database holds it. Asks nobody.
CREATE OR REPLACE VIEW kafka.load_offset AS
SELECT h.source, generate_subscripts(h.next_offsets, 1) - 1 AS partition_no,
  unnest(h.next_offsets) AS next_offset, h.started AS moved
FROM kafka.load_history h
JOIN (SELECT x.source, max(x.load_no) AS load_no FROM kafka.load_history x GROUP BY x.source) n
  ON n.source = h.source AND n.load_no = h.load_no;

-- A row for each source: its last load, and what it left. Asks nobody.
CREATE OR REPLACE VIEW kafka.status AS
SELECT s.name AS source, s.topic, s.target, s.group_name, s.paused,
  h.load_no, h.started AS last_started, h.seconds AS last_seconds, h.rows AS last_rows,
  h.rejected AS last_rejected, h.reason AS last_reason, h.lag AS lag_then,
  array_length(h.next_offsets, 1) AS partitions, n.loads, n.rows_loaded, n.rows_rejected,
  h.lost AS last_lost, n.offsets_lost, n.offsets_without_row, s.brokers
FROM kafka.source s
LEFT JOIN (
  SELECT x.source, max(x.load_no) AS load_no, count(*) AS loads, sum(x.rows) AS rows_loaded,
    sum(x.rejected) AS rows_rejected, sum(x.lost) AS offsets_lost,
    sum(x.records - x.rows - x.rejected) AS offsets_without_row
  FROM kafka.load_history x GROUP BY x.source
) n ON n.source = s.name
LEFT JOIN kafka.load_history h ON h.source = n.source AND h.load_no = n.load_no;

-- How far a source (all that the caller may load or manages, without a name) is behind its topic now:
-- the offsets that the next load reads, so none that were deleted. Asks Kafka; if that fails, or the
-- topic is not the one loaded so far, the source's one row says why.
CREATE OR REPLACE FUNCTION kafka.lag_of(
  only_source text DEFAULT NULL, caller text DEFAULT kafka._me())
RETURNS TABLE (source text, topic text, partition_no integer, earliest bigint, end_offset bigint,
  next_offset bigint, lag bigint, error text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  last kafka.load_history%ROWTYPE;
  p record;
  -- All names first: no cursor is open while a planner fails. On Greenplum 6 ARRAY() of no rows is
  -- null.
  names constant text[] := coalesce(ARRAY(SELECT x.name FROM kafka.source x
    WHERE x.name = only_source OR only_source IS NULL ORDER BY x.name), '{}');
BEGIN
  FOREACH source IN ARRAY names LOOP
    SELECT x.* INTO s FROM kafka.source x WHERE x.name = source;
    CONTINUE WHEN NOT FOUND;
    IF NOT (kafka._may(s, 'INSERT', caller) OR kafka._may(s, 'OWNER', caller)) THEN
      CONTINUE WHEN only_source IS NULL;
      RAISE EXCEPTION 'permission denied for source "%": INSERT on % is required', source, s.target
        USING ERRCODE = 'insufficient_privilege';
    END IF;
    topic := s.topic;
    last := kafka._last(s.name);
    BEGIN
      PERFORM kafka._check_reader(s);
      FOR p IN SELECT x.* FROM kafka._plan_checked(s, last, NULL, false, false) x LOOP
        partition_no := p.partition_no;
        earliest := p.earliest;
        end_offset := p.end_offset;
        next_offset := p.stands;
        lag := greatest(p.end_offset - greatest(p.stands, p.earliest), 0);
        error := NULL;
        RETURN NEXT;
      END LOOP;
    EXCEPTION WHEN OTHERS THEN
      partition_no := NULL;
      earliest := NULL;
      end_offset := NULL;
      next_offset := NULL;
      lag := NULL;
      error := SQLERRM;
      RETURN NEXT;
    END;
  END LOOP;
END
$$;

CREATE OR REPLACE VIEW kafka.lag AS SELECT * FROM kafka.lag_of();

-- Of version 1, until the view asks the new one.
DROP FUNCTION IF EXISTS kafka._lag_of_1(text);

-- COPY … FROM PROGRAM takes the owner's rights anyhow; like this nobody else can call a step of it.
ALTER FUNCTION kafka.load(text, bigint, text) SECURITY DEFINER;

-- Who may do what: nobody anything, unless kafka.allow says so.

-- Lets a role call what a load takes, and look. What it may load is what it may INSERT into; what it
-- may seek, pause and drop is what it owns. For the owner of this schema only.
CREATE OR REPLACE FUNCTION kafka.allow(role name) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  f regprocedure;
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA kafka TO %I', role);
  EXECUTE format('GRANT SELECT ON kafka.status, kafka.lag, kafka.load_offset, kafka.load_history, '
    'kafka._signed TO %I', role);
  -- If kafka.load runs with its caller's rights, the caller needs its steps, too.
  FOR f IN
    SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'kafka' AND (
      p.proname IN ('load', 'lag_of', 'check_source', 'seek', 'pause', 'resume', 'drop_source', '_me')
      OR p.proname IN ('_begin', '_source', '_copy', '_logged', '_finish') AND NOT (
        SELECT l.prosecdef FROM pg_proc l WHERE l.oid = 'kafka.load(text, bigint, text)'::regprocedure))
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', f, role);
  END LOOP;
END
$$;

REVOKE ALL ON SCHEMA kafka FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA kafka FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA kafka FROM PUBLIC;

-- Functions that were made again have lost their grants; those of version 1 were open to everybody.
DO $allow$
DECLARE
  role name;
BEGIN
  FOR role IN
    SELECT r.rolname
    FROM (SELECT (aclexplode(c.relacl)).*, c.relowner
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'kafka' AND c.relname = 'status') a
    JOIN pg_roles r ON r.oid = a.grantee
    WHERE a.privilege_type = 'SELECT' AND a.grantee <> a.relowner
  LOOP
    PERFORM kafka.allow(role);
  END LOOP;
END
$allow$;

COMMIT;
