-- Schema kafka for PostgreSQL 13 to 18: load Kafka topics into tables exactly once.
--
--   psql -d DATABASE -f sql/kafka/postgres.sql        or: gpdb-kafka sql schema --for postgres
--
-- For sources that gpdb-kafka reads itself (--via client) run it as any role that may CREATE in the
-- database: nothing in it needs more. One schema for these and the others, so that a source can be
-- changed from one to the other and goes on where it stands.
--
-- For sources that the server reads by a program, run it as a role of its own that is not a superuser,
-- but a member of pg_execute_server_program. As a superuser, once:
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

\ir tables.sql
\ir comments.sql
\ir rights.sql

-- What a planner prints, until the same statement takes it out again. Others never see it.
DROP TABLE IF EXISTS kafka._plan_row CASCADE; -- kafka._client_plan returns such rows
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

CREATE OR REPLACE FUNCTION kafka._own_way() RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT 'program'::text $$;

-- How many bytes of ranges one command line takes: Linux allows 128 KiB.
CREATE OR REPLACE FUNCTION kafka._room(topic text) RETURNS integer
LANGUAGE sql IMMUTABLE AS 'SELECT 100000';

-- Locks a source until the transaction ends: its row, which no other role has the right to lock. `use`:
-- see kafka._open. All but its changes let the shares of a load end; these wait for each other at the
-- primary key of the history.
CREATE OR REPLACE FUNCTION kafka._lock(source text, use text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  statement constant text := 'SELECT 1 FROM kafka.source s WHERE s.name = $1 FOR '
    || CASE use WHEN 'load' THEN 'NO KEY UPDATE' WHEN 'finish' THEN 'KEY SHARE' ELSE 'UPDATE' END;
  locked integer;
BEGIN
  EXECUTE statement || ' SKIP LOCKED' INTO locked USING source;
  IF locked IS NOT NULL OR NOT EXISTS (SELECT 1 FROM kafka.source s WHERE s.name = _lock.source) THEN
    RETURN;
  END IF;
  RAISE NOTICE 'source "%" is in use by another session: waiting for it', source;
  EXECUTE statement USING source;
END
$$;

-- Nobody can give the target another trigger, default or constraint between a load's look at them
-- and its COPY: not who has the right to make triggers on it, either.
CREATE OR REPLACE FUNCTION kafka._lock_target(s kafka.source) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- LOCK TABLE takes no foreign tables. Whether INSERT is granted, kafka._check_reader says.
  -- A merge takes its stronger lock later: two that had both taken this one would wait for each other.
  -- What a client inserts, and what that runs, has its caller's own rights.
  IF s.via <> 'client' AND s.latest IS NULL AND EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = s.target_table AND c.relkind <> 'f'
    AND has_table_privilege(c.oid, 'INSERT')) THEN
    EXECUTE 'LOCK TABLE ' || s.target_table || ' IN ROW EXCLUSIVE MODE';
  END IF;
END
$$;

-- Whether a record of the source may be several rows.
CREATE OR REPLACE FUNCTION kafka._holds_rows(s kafka.source) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT $1.reader ~ ' --value[ =][''"]?rows'
$$;

-- One process reads all partitions, so there is no ON clause to get wrong. But what the target runs
-- by itself (triggers, defaults, constraints, indexes, partitions, domains) runs with the rights of
-- this schema's owner: it must be its owner's, or a role's that has these rights already.
CREATE OR REPLACE FUNCTION kafka._check_reader(s kafka.source) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  loader constant oid := (SELECT n.nspowner FROM pg_namespace n WHERE n.nspname = 'kafka');
  found_object record;
BEGIN
  IF s.via = 'client' THEN RETURN; END IF; -- nothing of it runs here
  -- The shell runs each line by itself, and only the last one has the offsets to read.
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
  ELSIF s.latest IS NOT NULL AND NOT (has_table_privilege(loader, s.target_table, 'DELETE')
    AND has_table_privilege(loader, s.target_table, 'SELECT')) THEN
    RAISE EXCEPTION 'cannot load source "%": role "%", which owns schema kafka, may not DELETE from % and SELECT from it, as a merge does',
      s.name, pg_get_userbyid(loader), s.target_table
      USING ERRCODE = 'insufficient_privilege',
        HINT = format('GRANT SELECT, INSERT, DELETE ON %s TO %I;', s.target_table, pg_get_userbyid(loader));
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
    UNION ALL -- the expressions of --select, --where and --delete-when
    SELECT 'pg_rewrite'::regclass, r.oid FROM pg_rewrite r
    WHERE r.ev_class IN (s.fields_view::regclass, s.shape_view::regclass)
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
  -- Since PostgreSQL 18 what is deferred runs with the rights of this schema's owner, too, but at
  -- the end of the transaction: names that it does not qualify are then looked up where the caller
  -- says.
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
  IF s.via = 'client' THEN
    RETURN QUERY SELECT * FROM kafka._client_plan(s);
    RETURN;
  END IF;
  EXECUTE format('COPY kafka._plan_row FROM PROGRAM %L (FORMAT csv)', s.planner
    || CASE WHEN told IS NULL THEN '' ELSE coalesce(' --of-log ' || log_hash, '')
      || CASE WHEN mirror THEN ' --mirror' ELSE '' END || ' --stand ' || told END
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
  PERFORM kafka._not_of_client(s);
  EXECUTE format('COPY %s (%s) FROM PROGRAM %L (FORMAT csv, DELIMITER '','', NULL '''', ENCODING ''UTF8'')',
    coalesce(s.stage, s.target_table::text), kafka._list(coalesce(s.stage_columns, s.columns)), s.reader || ' --ranges ' || ranges);
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN rows;
EXCEPTION
  WHEN bad_copy_file_format THEN -- a row with more or fewer fields
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, context = PG_EXCEPTION_CONTEXT;
    IF s.stage IS NULL OR context !~ '^[^:]*: "[0-9]+,[0-9]+,' THEN RAISE; END IF;
    -- The line begins with them.
    RAISE EXCEPTION 'cannot load source "%": topic "%" partition % offset %: %', s.name,
      coalesce(s.topic, substring(context FROM '^[^:]*: "[0-9]+,[0-9]+,([^,"]+)')),
      substring(context FROM '^[^:]*: "([0-9]+),'), substring(context FROM '^[^:]*: "[0-9]+,([0-9]+),'), message
      USING ERRCODE = 'bad_copy_file_format', DETAIL = split_part(context, E'\n', 1);
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

-- The rows of the reject limit are not in a log of the reader's: see kafka._reject.
CREATE OR REPLACE FUNCTION kafka._logged(source text, caller text) RETURNS bigint
LANGUAGE sql IMMUTABLE AS 'SELECT 0::bigint';

CREATE OR REPLACE FUNCTION kafka._table_kind() RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT 'FOREIGN'::text $$;

\ir postgres_staged.sql
\ir plan.sql
\ir shape.sql
\ir shape_checks.sql
\ir change_events.sql
\ir load_staged.sql
\ir next.sql
\ir client.sql
\ir load.sql
\ir manage.sql
\ir seek.sql
\ir views.sql

-- COPY … FROM PROGRAM needs the owner's rights anyway; this way no other role can call a step of
-- it.
ALTER FUNCTION kafka.load(text, bigint, text) SECURITY DEFINER;

\ir grants.sql

COMMIT;
