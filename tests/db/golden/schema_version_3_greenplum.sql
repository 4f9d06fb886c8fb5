-- Schema kafka for Greenplum 6 and 7: load Kafka topics into tables exactly once.
--
--   psql -d DATABASE -f sql/kafka/greenplum.sql       or: gpdb-kafka sql schema | psql -d DATABASE
--
-- It takes a superuser, as tables with EXECUTE do. It can be run again, to upgrade. After that, and
-- for new sources: gpdb-kafka sql source.

BEGIN;

-- Primary keys need heap tables, whatever the database's default is. The forks of Greenplum do not
-- all say "Greenplum" in version(), so settings and catalogs tell.
DO $heap$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_catalog.pg_settings WHERE name = 'gp_default_storage_options') THEN
    SET LOCAL gp_default_storage_options = 'appendonly=false';
  ELSIF EXISTS (SELECT 1 FROM pg_catalog.pg_settings WHERE name = 'default_table_access_method') THEN
    SET LOCAL default_table_access_method = 'heap';
  END IF;
END
$heap$;

-- The tables of schema kafka. One text for Greenplum 6 and 7 and PostgreSQL 13 to 18, so no more
-- than PostgreSQL 9.4 has. No DISTRIBUTED here: greenplum.sql adds it after this.

-- Nothing that somebody else put into the search path takes part in what follows.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE SCHEMA IF NOT EXISTS kafka;

-- The functions below run with the rights of the role that installs them. So nothing in the schema
-- may belong to, or be changed by, a role that has fewer: its tables would have triggers and
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
  newest constant integer := 3;
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
    -- Greenplum, and two shell commands on PostgreSQL, so a role that may write here may run
    -- programs.
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
    -- As regclass and text, so that a dump has names and a restored database works.
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

  IF has < 3 THEN
    -- How the reader's rows become the target's: see shape.sql. Null for a source that inserts the
    -- reader's columns as they come. The names are of a table that the reader fills, of views over
    -- it, and of the table with the last row of each key.
    ALTER TABLE kafka.source ADD COLUMN stage text;
    ALTER TABLE kafka.source ADD COLUMN stage_columns text[];
    ALTER TABLE kafka.source ADD COLUMN fields_view text;
    ALTER TABLE kafka.source ADD COLUMN shape_view text;
    ALTER TABLE kafka.source ADD COLUMN unfit_view text;
    ALTER TABLE kafka.source ADD COLUMN latest text;
    ALTER TABLE kafka.source ADD COLUMN merge_key text[];
    ALTER TABLE kafka.source ADD COLUMN kept_columns text[];
    ALTER TABLE kafka.source ADD COLUMN reject_limit text;

    ALTER TABLE kafka.load_history ADD COLUMN inserted bigint;
    ALTER TABLE kafka.load_history ADD COLUMN updated bigint NOT NULL DEFAULT 0;
    ALTER TABLE kafka.load_history ADD COLUMN deleted bigint NOT NULL DEFAULT 0;
    ALTER TABLE kafka.load_history ADD COLUMN filtered bigint NOT NULL DEFAULT 0;
    ALTER TABLE kafka.load_history ADD COLUMN rows_read bigint;
    UPDATE kafka.load_history h SET inserted = h.rows, rows_read = h.rows + h.rejected;
    ALTER TABLE kafka.load_history ALTER COLUMN inserted SET NOT NULL;
    ALTER TABLE kafka.load_history ALTER COLUMN rows_read SET NOT NULL;

    -- Rows that the reject limit left out, on PostgreSQL. On Greenplum the reader's error log has
    -- them. Values of records, so it is read through kafka.rejected.
    CREATE TABLE kafka.rejected_row (
      source text,
      load_no bigint,
      topic text,
      partition_no integer,
      "offset" bigint,
      column_name text NOT NULL,
      reason text NOT NULL,
      rejected timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (source, load_no, topic, partition_no, "offset")
    );

    IF has = 2 THEN
      DROP FUNCTION kafka.load(text, bigint, text);
      DROP FUNCTION kafka._begin(text, bigint, text);
      DROP FUNCTION kafka._finish(text, bigint, bigint, text);
    END IF;

    INSERT INTO kafka.schema_version (version) VALUES (3);
  END IF;

  -- Of the host's random numbers: not every database has a random() that cannot be guessed.
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
COMMENT ON COLUMN kafka.load_history.inserted IS 'of rows, those with a key that the target did not have';
COMMENT ON COLUMN kafka.load_history.updated IS 'of rows, those that took the place of a row with their key';
COMMENT ON COLUMN kafka.load_history.deleted IS 'rows of the target that a delete or a tombstone removed';
COMMENT ON COLUMN kafka.load_history.filtered IS 'rows that --where left out';
COMMENT ON COLUMN kafka.load_history.rows_read IS 'rows that the reader returned, rejected ones too';
COMMENT ON TABLE kafka.rejected_row IS 'Rows left out by the reject limit; see kafka.rejected';
COMMENT ON COLUMN kafka.load_history.rejected IS 'rows left out by the reject limit';
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
-- nothing. A SECURITY DEFINER function cannot see the role that calls it. But the default of its
-- last argument is evaluated with that role's rights, and a view reads its tables with its owner's:
-- so every role gets its own name signed, and no other role's.
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
  RETURN has_table_privilege(role, s.target_table, privilege)
    AND (s.latest IS NULL OR has_table_privilege(role, s.target_table, 'DELETE'));
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

-- Each segment has all of these small tables, so that every write goes to all segments. One that
-- went to one segment would fail if its function has a SET clause, as those below have, and the
-- client uses the extended protocol: the clause makes all segments part of the transaction, and the
-- ones without a write then know nothing of it ("Distributed transaction … not found").
DO $replicated$
DECLARE
  name text;
  is_replicated boolean;
BEGIN
  IF EXISTS (SELECT 1 FROM pg_class c
    WHERE c.relname = 'gp_distribution_policy' AND c.relnamespace = 11) THEN
    FOREACH name IN ARRAY ARRAY['kafka.source', 'kafka.load_history', 'kafka.load_plan',
      'kafka.made_table', 'kafka.signing_key', 'kafka.rejected_row'] LOOP
      EXECUTE 'SELECT count(*) > 0 FROM gp_distribution_policy d
        WHERE d.localoid = $1::regclass AND d.policytype = $2' INTO is_replicated
      USING name, 'r'::"char";
      IF NOT is_replicated THEN
        EXECUTE 'ALTER TABLE ' || name || ' SET DISTRIBUTED REPLICATED';
      END IF;
    END LOOP;
  END IF;
END
$replicated$;

-- How many bytes of ranges one statement has room for. Segments see the first 1023 bytes of a
-- statement's text, so the comment stands at its front, and must end before that.
CREATE OR REPLACE FUNCTION kafka._room(topic text) RETURNS integer
LANGUAGE sql IMMUTABLE AS 'SELECT 900 - pg_catalog.length($1)';

-- Locks a source until the transaction ends. Not by its row: while the global deadlock detector is
-- off, as it is by default, SELECT … FOR UPDATE locks the whole table, and with it the loads of all
-- other sources. So any role that can connect can hold this lock, and keep a source waiting.
CREATE OR REPLACE FUNCTION kafka._lock(source text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  lock_class constant integer := 1262503489;
BEGIN
  IF NOT pg_try_advisory_xact_lock(lock_class, hashtext(source)) THEN
    RAISE NOTICE 'source "%" is in use by another session: waiting for it', source;
    PERFORM pg_advisory_xact_lock(lock_class, hashtext(source));
  END IF;
END
$$;

-- What a load runs, it runs with its caller's own rights.
CREATE OR REPLACE FUNCTION kafka._lock_target(s kafka.source) RETURNS void
LANGUAGE sql IMMUTABLE AS '';

-- Whether a record of the source may be several rows.
CREATE OR REPLACE FUNCTION kafka._holds_rows(s kafka.source) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM pg_exttable e
    WHERE e.reloid = s.reader::regclass AND e.command ~ ' --value[ =][''"]?rows');
END
$$;

-- Rejects a reader that would not read exactly the given offsets, on all segments, and a planner
-- that does not say which log it has seen.
CREATE OR REPLACE FUNCTION kafka._check_reader(s kafka.source) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found_table record;
BEGIN
  SELECT e.execlocation[1] AS place, e.command AS command INTO found_table
  FROM pg_exttable e WHERE e.reloid = s.reader::regclass;
  IF NOT FOUND OR found_table.command IS NULL THEN
    RAISE EXCEPTION 'the reader % of source "%" is not a web table with EXECUTE', s.reader, s.name
      USING ERRCODE = 'wrong_object_type';
  END IF;
  IF found_table.place IS DISTINCT FROM 'ALL_SEGMENTS' THEN
    RAISE EXCEPTION 'the reader % of source "%" must be ON ALL, not %: no segment would read some of the partitions',
      s.reader, s.name, found_table.place
      USING ERRCODE = 'wrong_object_type';
  END IF;
  IF position(' --ranges-from-query' IN found_table.command) = 0 THEN
    RAISE EXCEPTION 'the command of the reader % of source "%" lacks --ranges-from-query',
      s.reader, s.name
      USING ERRCODE = 'wrong_object_type';
  END IF;
  -- Whatever wrote it: the shell runs each line by itself, the first one without the flags of a
  -- later one, and so it reads, and commits, other offsets than it should.
  IF EXISTS (SELECT 1 FROM pg_exttable e
    WHERE e.reloid IN (s.reader::regclass, s.planner::regclass) AND e.command ~ E'[\r\n]') THEN
    RAISE EXCEPTION 'cannot use source "%": a command of its reader or planner has more than one line — write it in one line',
      s.name
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM pg_attribute a
    WHERE a.attrelid = s.planner::regclass AND a.attname = 'epoch_end') THEN
    RAISE EXCEPTION 'cannot use source "%": its planner was made by an older gpdb-kafka, and does not identify the log that it reads',
      s.name
      USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Run the SQL of gpdb-kafka sql source again.';
  END IF;
END
$$;

-- Dialect 1: asks Kafka for a topic's partitions. at_offset is of the first record from at_time on;
-- epoch_end is the end of the leader epoch asked for, if the partition has another one now.
CREATE OR REPLACE FUNCTION kafka._plan(
  s kafka.source, told text, log_hash text, mirror boolean, at_time bigint)
RETURNS TABLE (topic text, partition_no integer, earliest bigint, end_offset bigint,
  at_offset bigint, cluster_id text, topic_id text, leader_epoch integer, epoch_end bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY EXECUTE '/* kafka-plan topic=' || s.topic
    || coalesce(' at=' || at_time, '')
    || coalesce(' log=' || log_hash || CASE WHEN mirror THEN ' mirror=yes' ELSE '' END
      || ' stand=' || told, '')
    || ' */ SELECT topic, partition_no, earliest, end_offset, at_offset, cluster_id, topic_id,'
    || ' leader_epoch, epoch_end FROM ' || s.planner::regclass;
END
$$;

-- Dialect 2: inserts the rows of these ranges into the source's target, with the caller's rights.
CREATE OR REPLACE FUNCTION kafka._copy(
  source text, ranges text, caller text DEFAULT kafka._me())
RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  columns text;
  rows bigint;
BEGIN
  s := kafka._source(source, caller);
  IF ranges IS NULL OR ranges !~ '^[0-9]+:[0-9]+-[0-9]+(,[0-9]+:[0-9]+-[0-9]+)*$' THEN
    RAISE EXCEPTION '"%" is not a list of ranges', ranges USING ERRCODE = 'invalid_parameter_value';
  END IF;
  columns := kafka._list(coalesce(s.stage_columns, s.columns));
  -- The comment first: the rest may be cut off on its way to the segments.
  EXECUTE '/* kafka-ranges topic=' || s.topic || ' ' || ranges || ' */ INSERT INTO '
    || coalesce(s.stage, s.target_table::text) || ' (' || columns || ') SELECT ' || columns || ' FROM '
    || s.reader::regclass;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN rows;
END
$$;

-- How many rows the log of the reject limit has, of all loads: a load counts them before and after
-- its own. (Their time is of their segment's clock, so it cannot tell whose they are.)
CREATE OR REPLACE FUNCTION kafka._logged(
  source text, caller text DEFAULT kafka._me())
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  logged bigint := 0;
BEGIN
  s := kafka._open(source, 'INSERT', caller);
  IF EXISTS (SELECT 1 FROM pg_exttable e
    WHERE e.reloid = s.reader::regclass AND e.rejectlimit IS NOT NULL) THEN
    SELECT count(*) INTO logged FROM gp_read_error_log(s.reader);
  END IF;
  RETURN logged;
END
$$;

-- A source's row, for roles that may load it.
CREATE OR REPLACE FUNCTION kafka._source(source text, caller text DEFAULT kafka._me())
RETURNS kafka.source
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN kafka._open(source, 'INSERT', caller);
END
$$;

CREATE OR REPLACE FUNCTION kafka._table_kind() RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT 'EXTERNAL'::text $$;

-- The stage has the reader's types: what does not fit is the reject limit's business.
CREATE OR REPLACE FUNCTION kafka._stage_type(type text) RETURNS text
LANGUAGE sql IMMUTABLE AS 'SELECT $1';

CREATE OR REPLACE FUNCTION kafka._can_reject() RETURNS boolean
LANGUAGE sql IMMUTABLE AS 'SELECT false';

CREATE OR REPLACE FUNCTION kafka._reject(s kafka.source, load_no bigint, staged bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS 'SELECT 0::bigint';

-- A table of one load. What is to be joined with the target is distributed as that is, so that the
-- join moves no rows.
CREATE OR REPLACE FUNCTION kafka._scratch_table(name text, columns text, target regclass) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  place text := 'DISTRIBUTED RANDOMLY';
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_class c
    WHERE c.relname = 'gp_distribution_policy' AND c.relnamespace = 11) THEN
    RETURN format('CREATE TABLE %s (%s)', name, columns);
  END IF;
  IF target IS NOT NULL THEN
    EXECUTE 'SELECT pg_get_table_distributedby($1)' INTO place USING target::oid;
  END IF;
  RETURN format('CREATE TABLE %s (%s) %s', name, columns, place);
END
$$;

-- Keeps other writers away from the target until the transaction ends; its readers go on. A DELETE
-- locks the whole table anyhow, while the global deadlock detector is off.
CREATE OR REPLACE FUNCTION kafka._lock_merge(s kafka.source) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE 'LOCK TABLE ' || s.target_table || ' IN SHARE ROW EXCLUSIVE MODE';
END
$$;

-- The tables of a source's loads, for the roles that may read its reader. For the owner of this
-- schema only.
CREATE OR REPLACE FUNCTION kafka.share_source(source text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  role record;
BEGIN
  SELECT x.* INTO s FROM kafka.source x WHERE x.name = share_source.source;
  FOR role IN SELECT r.rolname AS name
    FROM (SELECT (aclexplode(c.relacl)).*, c.relowner FROM pg_class c WHERE c.oid = s.reader::regclass) a
    JOIN pg_roles r ON r.oid = a.grantee
    WHERE a.privilege_type = 'SELECT' AND a.grantee <> a.relowner LOOP
    EXECUTE format('GRANT SELECT, INSERT, DELETE, TRUNCATE ON %s TO %I',
      s.stage || coalesce(', ' || s.latest, ''), role.name);
    EXECUTE format('GRANT SELECT ON %s, %s TO %I', s.fields_view, s.shape_view, role.name);
  END LOOP;
END
$$;

-- What Kafka answers of a source's topic, and whether it is the log that the source has loaded.

-- The topic's partitions in order, all of them. It also commits to Kafka's group where the source
-- stands, if `mirror`: what the database holds for good, and so not what this very transaction has
-- loaded. `stands` is where the source stands in this log; null for a partition that it has never
-- loaded.
--
-- Refuses a log that is not the one loaded so far, or that has lost records since: another cluster,
-- a topic recreated, a partition truncated by an unclean leader election. Offsets of one log mean
-- nothing in another. `accept_log` is for kafka.seek: then `stands` is null in another log, and in
-- a truncated one where the two differ.
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
-- How the reader's rows become the target's, if a source does more than insert them: which fields
-- there are, what is computed of them, what is left out, and which row of a key is the last one.
--
--   reader → stage (a table, text on PostgreSQL) → fields (a view: names and types)
--          → shape (a view: the target's columns, and what a load does with the row) → load_staged.sql
--
-- Expressions become part of a view when the source is made. So they are parsed then, with the
-- search path of the role that makes it, and a load runs no text: kafka._check_reader sees in the
-- catalog which functions they call. A table in place of a temporary one for each load: those would
-- leave rows in pg_attribute, on Greenplum on every segment.

-- The name of a part of a source, in schema kafka.
CREATE OR REPLACE FUNCTION kafka._part(source text, suffix text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('kafka.%I',
    CASE WHEN octet_length(source || '_' || suffix) <= 63 THEN source ELSE md5(source) END
      || '_' || suffix)
$$;

-- Columns that an INSERT may name, in their order. What is computed by the table is not one of them.
CREATE OR REPLACE FUNCTION kafka._target_columns(target regclass)
RETURNS TABLE (name text, type text, type_oid oid, type_modifier integer, is_always boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  modern constant boolean := (SELECT count(*) = 2 FROM pg_attribute a
    WHERE a.attrelid = 'pg_attribute'::regclass AND a.attname IN ('attgenerated', 'attidentity'));
BEGIN
  RETURN QUERY EXECUTE '
    SELECT a.attname::text, CASE t.typtype WHEN ''d'' THEN format_type(t.typbasetype, t.typtypmod)
        ELSE format_type(a.atttypid, a.atttypmod) END
      || CASE WHEN a.attcollation IN (0, t.typcollation) THEN '''' ELSE (
        SELECT format('' COLLATE %I.%I'', n.nspname, c.collname) FROM pg_collation c
        JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = a.attcollation) END,
      a.atttypid, a.atttypmod, ' || CASE WHEN modern THEN 'a.attidentity = ''a''' ELSE 'false' END || '
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped'
    || CASE WHEN modern THEN ' AND a.attgenerated = ''''' ELSE '' END || '
    ORDER BY a.attnum' USING target;
END
$$;

-- A type to cast a text to, so that it is read as COPY reads it: a cast to varchar(3) would cut the
-- text. The column that it is loaded into checks the length.
CREATE OR REPLACE FUNCTION kafka._cast_type(type text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE
    WHEN type ~* '^ *(character varying|varchar|bit varying|varbit) *\([^()]*\) *$' THEN substring(type FROM '^[^(]*')
    WHEN type ~* '^ *(character|char|bpchar) *(\([^()]*\))? *$' THEN 'bpchar'
    WHEN type ~* '^ *bit *(\([^()]*\))? *$' THEN 'bit varying'
    ELSE type
  END
$$;

-- Shapes a source that kafka.add_source has just added. `stage_columns` are the reader's, with
-- kafka$partition and kafka$offset first; `fields` are made of them: an expression (`origins`) and
-- a type each. A column of the target is the expression for it, else the field of its name.
-- For the owner of this schema only; with the search path of the role that calls it.
CREATE OR REPLACE FUNCTION kafka.shape_source(
  source text, stage_columns text[], stage_types text[],
  fields text[], origins text[], types text[],
  select_columns text[] DEFAULT '{}', expressions text[] DEFAULT '{}', filter text DEFAULT NULL,
  merge_key text[] DEFAULT NULL, merge_order text DEFAULT NULL, delete_when text DEFAULT NULL,
  reject_limit text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  fields_view constant text := kafka._part(source, 'fields');
  is_delete text := 'false';
  columns text := '';
  target regclass;
  computed integer;
  c record;
BEGIN
  target := kafka._shape_begin(source, stage_columns, stage_types, fields, select_columns, merge_key,
    merge_order, reject_limit);
  FOR i IN 1 .. pg_catalog.array_length(fields, 1) LOOP
    columns := columns || ', (' || origins[i] || ')::' || kafka._cast_type(types[i]) || ' AS '
      || pg_catalog.quote_ident(fields[i]);
  END LOOP;
  EXECUTE 'CREATE VIEW ' || fields_view || ' AS SELECT "kafka$partition", "kafka$offset"'
    || CASE WHEN 'kafka$tombstone' = ANY (stage_columns) THEN ', "kafka$tombstone"' ELSE '' END
    || columns || ' FROM ' || kafka._part(source, 'stage');

  -- Each one by itself first, so that the error has its flag and its place.
  FOR i IN 1 .. coalesce(pg_catalog.array_length(expressions, 1), 0) LOOP
    EXECUTE 'SELECT /* --select ' || pg_catalog.translate(select_columns[i], '*/', '') || ' */ ('
      || expressions[i] || E'\n) FROM ' || fields_view || ' LIMIT 0';
  END LOOP;
  IF filter IS NOT NULL THEN
    EXECUTE 'SELECT /* --where */ (' || filter || E'\n) IS TRUE FROM ' || fields_view || ' LIMIT 0';
  END IF;
  IF delete_when IS NOT NULL THEN
    EXECUTE 'SELECT /* --delete-when */ (' || delete_when || E'\n) IS TRUE FROM ' || fields_view || ' LIMIT 0';
    is_delete := '((' || delete_when || E'\n) IS TRUE)';
  END IF;

  IF 'kafka$tombstone' = ANY (stage_columns) THEN
    is_delete := 'CASE WHEN "kafka$tombstone" THEN true ELSE ' || is_delete || ' END';
  END IF;
  columns := '';
  FOR c IN SELECT t.name FROM kafka._target_columns(target) t
    WHERE t.name = ANY (fields || select_columns) LOOP
    computed := NULL;
    FOR i IN 1 .. coalesce(pg_catalog.array_length(select_columns, 1), 0) LOOP
      IF select_columns[i] = c.name THEN computed := i; END IF;
    END LOOP;
    columns := columns || ', ' || coalesce('(' || expressions[computed] || E'\n)', pg_catalog.quote_ident(c.name))
      || ' AS ' || pg_catalog.quote_ident(c.name);
  END LOOP;
  -- A delete is never filtered: it would leave the row of its key where it is.
  EXECUTE 'CREATE VIEW ' || kafka._part(source, 'shape') || ' AS SELECT "kafka$partition", "kafka$offset", '
    || CASE
      WHEN filter IS NULL THEN 'true'
      WHEN is_delete = 'false' THEN '((' || filter || E'\n) IS TRUE)'
      ELSE 'CASE WHEN ' || is_delete || ' THEN true ELSE ((' || filter || E'\n) IS TRUE) END'
    END || ' AS "kafka$keep", ' || is_delete || ' AS "kafka$delete", '
    || coalesce(pg_catalog.quote_ident(merge_order), '0') || ' AS "kafka$order"'
    || columns || ' FROM ' || fields_view;
  PERFORM kafka._shape_end(source, stage_columns, fields, origins, types, merge_key, reject_limit);
END
$$;
-- The steps of kafka.shape_source that use the catalog alone: before its views, and after.

-- Drops what kafka.shape_source has made of a source.
CREATE OR REPLACE FUNCTION kafka._drop_shape(source text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  part text;
BEGIN
  -- In this order: each one is made of those after it. (to_regclass takes no text before 9.6.)
  FOREACH part IN ARRAY ARRAY['unfit', 'shape', 'fields', 'latest', 'stage'] LOOP
    IF EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'kafka' AND format('kafka.%I', c.relname) = kafka._part(source, part)) THEN
      EXECUTE 'DROP ' || CASE WHEN part IN ('latest', 'stage') THEN 'TABLE ' ELSE 'VIEW ' END
        || kafka._part(source, part);
    END IF;
  END LOOP;
END
$$;

-- Refuses a table that rows cannot be loaded into, or not merged into, by its name.
CREATE OR REPLACE FUNCTION kafka._check_kind(target regclass, merges boolean) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kind text := (SELECT c.relkind FROM pg_class c WHERE c.oid = target);
  f record;
BEGIN
  IF kind IN ('v', 'm', 'S', 'c', 'i', 't') OR kind = 'f' AND merges THEN
    RAISE EXCEPTION 'cannot % %: it is a %', CASE WHEN merges THEN 'merge into' ELSE 'load into' END, target,
      CASE kind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
        ELSE 'relation without rows to insert' END
      USING ERRCODE = 'wrong_object_type', HINT = 'Name a table.';
  ELSIF NOT merges THEN
    RETURN;
  END IF;
  -- A merge deletes the row of a key before it inserts the new one.
  SELECT c.conname, c.conrelid::regclass AS child INTO f FROM pg_constraint c
  WHERE c.contype = 'f' AND c.confrelid = target
    AND NOT (c.confdeltype = 'a' AND c.condeferrable AND c.condeferred) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'cannot merge into %: foreign key % of % refers to it, and a merge deletes the row of a key before it inserts the new one',
      target, quote_ident(f.conname), f.child
      USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Make the foreign key ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED, or drop it.';
  END IF;
END
$$;

-- Checks what shape_source was given, as far as names say, and makes the stage. Returns the target.
CREATE OR REPLACE FUNCTION kafka._shape_begin(
  source text, stage_columns text[], stage_types text[], fields text[], select_columns text[],
  merge_key text[], merge_order text, reject_limit text)
RETURNS regclass
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  wrong text;
  hint text;
  columns text := '';
BEGIN
  PERFORM kafka._lock(source);
  SELECT x.* INTO s FROM kafka.source x WHERE x.name = _shape_begin.source;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'source "%" does not exist', source USING ERRCODE = 'undefined_object';
  END IF;
  PERFORM kafka._check_kind(s.target_table, merge_key IS NOT NULL);
  SELECT format('field "%s" is given twice', f) INTO wrong
  FROM unnest(fields) f GROUP BY f HAVING count(*) > 1 LIMIT 1;
  IF wrong IS NULL THEN
    SELECT format('column "%s" of --select is given twice', f) INTO wrong
    FROM unnest(select_columns) f GROUP BY f HAVING count(*) > 1 LIMIT 1;
  END IF;
  IF wrong IS NULL THEN
    SELECT format('field "%s": names that begin with kafka$ are taken', f) INTO wrong
    FROM unnest(fields) f WHERE f LIKE 'kafka$%' AND f <> 'kafka$op' LIMIT 1;
  END IF;
  IF wrong IS NULL THEN
    SELECT format('table %s has no column "%s", which --select names', s.target_table, f) INTO wrong
    FROM unnest(select_columns) f
    WHERE NOT EXISTS (SELECT 1 FROM kafka._target_columns(s.target_table) t WHERE t.name = f) LIMIT 1;
  END IF;
  IF wrong IS NULL AND NOT EXISTS (SELECT 1 FROM kafka._target_columns(s.target_table) t
    WHERE t.name = ANY (fields || select_columns)) THEN
    wrong := format('no field has the name of a column of %s', s.target_table);
    hint := format('Its columns are %s.', (SELECT string_agg(quote_ident(t.name), ', ')
      FROM kafka._target_columns(s.target_table) t));
  END IF;
  IF wrong IS NULL THEN
    SELECT format('--merge: "%s" is not one of the fields, and no --select computes it', f) INTO wrong
    FROM unnest(merge_key) f WHERE f <> ALL (fields || select_columns) LIMIT 1;
  END IF;
  IF wrong IS NULL THEN
    SELECT format('--merge: table %s has no column "%s"', s.target_table, f) INTO wrong
    FROM unnest(merge_key) f
    WHERE NOT EXISTS (SELECT 1 FROM kafka._target_columns(s.target_table) t WHERE t.name = f) LIMIT 1;
  END IF;
  IF wrong IS NULL AND merge_order <> ALL (fields) THEN
    wrong := format('--merge-order: "%s" is not one of the fields', merge_order);
  END IF;
  -- Rows are told apart by partition and offset.
  IF wrong IS NULL AND (merge_key IS NOT NULL OR reject_limit IS NOT NULL) AND kafka._holds_rows(s) THEN
    wrong := CASE WHEN merge_key IS NULL THEN '--reject-limit' ELSE '--merge' END
      || ': its records may be several rows (--value rows), of which none is the last';
  END IF;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'cannot shape source "%": %', source, wrong
      USING ERRCODE = 'invalid_parameter_value',
        HINT = coalesce(hint, format('The fields are %s.', array_to_string(fields, ', ')));
  END IF;
  IF reject_limit IS NOT NULL AND NOT kafka._can_reject() THEN
    RAISE EXCEPTION 'cannot shape source "%": --reject-limit requires PostgreSQL 16 or later', source
      USING ERRCODE = 'feature_not_supported',
        HINT = 'Without it, the first value that does not fit its column fails the load and is named.';
  END IF;
  PERFORM kafka._drop_shape(source);
  FOR i IN 1 .. array_length(stage_columns, 1) LOOP
    columns := columns || CASE i WHEN 1 THEN '' ELSE ', ' END || quote_ident(stage_columns[i]) || ' '
      || CASE
        WHEN stage_columns[i] = 'kafka$partition' THEN 'integer'
        WHEN stage_columns[i] = 'kafka$offset' THEN 'bigint'
        WHEN stage_columns[i] = 'kafka$tombstone' THEN 'boolean'
        ELSE kafka._stage_type(stage_types[i])
      END;
  END LOOP;
  EXECUTE kafka._scratch_table(kafka._part(source, 'stage'), columns, NULL);
  RETURN s.target_table;
END
$$;

-- Refuses what the views cannot be part of a load with, makes the other tables, and writes down the
-- source's new way.
CREATE OR REPLACE FUNCTION kafka._shape_end(
  source text, stage_columns text[], fields text[], origins text[], types text[], merge_key text[],
  reject_limit text)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  shape constant regclass := kafka._part(source, 'shape')::regclass;
  fields_view constant regclass := kafka._part(source, 'fields')::regclass;
  owner constant name := (SELECT pg_get_userbyid(n.nspowner) FROM pg_namespace n WHERE n.nspname = 'kafka');
  loaded text[];
  kept text[];
  columns text := '';
  wrong text;
  c record;
BEGIN
  SELECT x.* INTO s FROM kafka.source x WHERE x.name = _shape_end.source;
  loaded := ARRAY(SELECT a.attname::text FROM pg_attribute a
    WHERE a.attrelid = shape AND a.attnum > 5 AND NOT a.attisdropped ORDER BY a.attnum);
  kept := coalesce(ARRAY(SELECT t.name FROM kafka._target_columns(s.target_table) t
    WHERE t.name <> ALL (loaded)), '{}');
  -- What the parser made of the expressions says it, whatever their text.
  SELECT CASE
    WHEN r.tree LIKE '%{SUBLINK%' THEN 'a subquery: it may use the fields of its row only'
    WHEN r.tree LIKE '%{WINDOWFUNC%' THEN 'a window function: it may use the fields of its row only'
    WHEN r.tree LIKE '%retset true%' THEN 'a function that returns several rows: a record is one row'
  END INTO wrong
  FROM (SELECT w.ev_action::text AS tree FROM pg_rewrite w WHERE w.ev_class IN (shape, fields_view)) r
  ORDER BY 1 NULLS LAST LIMIT 1;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'cannot shape source "%": an expression has %', source, wrong
      USING ERRCODE = 'feature_not_supported', HINT = 'A function can do more.';
  END IF;
  IF loaded <> ARRAY(SELECT t.name FROM kafka._target_columns(s.target_table) t WHERE t.name = ANY (loaded)) THEN
    RAISE EXCEPTION 'cannot shape source "%": an expression is a list, not one value', source
      USING ERRCODE = 'syntax_error';
  END IF;
  -- Two keys that differ here must differ there.
  FOR c IN SELECT t.name, t.type, t.type_oid, t.type_modifier, a.atttypid, a.atttypmod
    FROM kafka._target_columns(s.target_table) t
    JOIN pg_attribute a ON a.attrelid = shape AND a.attname = t.name
    WHERE t.name = ANY (merge_key) LOOP
    IF coalesce((SELECT nullif(b.typbasetype, 0) FROM pg_type b WHERE b.oid = c.type_oid), c.type_oid)
      <> coalesce((SELECT nullif(b.typbasetype, 0) FROM pg_type b WHERE b.oid = c.atttypid), c.atttypid)
      OR c.type_modifier NOT IN (-1, c.atttypmod)
        AND NOT format_type(c.atttypid, NULL) IN ('character varying', 'character', 'bpchar') THEN
      RAISE EXCEPTION 'cannot shape source "%": merge key "%" is %, but column "%" of % is %', source, c.name,
        format_type(c.atttypid, c.atttypmod), c.name, s.target_table, c.type
        USING ERRCODE = 'datatype_mismatch',
          HINT = format('Use --select %L, or give the field that type.', format('%s = (…)::%s', c.name, c.type));
    END IF;
  END LOOP;
  -- Servers without such collations do not have their column.
  FOR c IN SELECT a.attname FROM pg_attribute a JOIN pg_collation l ON l.oid = a.attcollation
    WHERE a.attrelid = s.target_table::regclass AND a.attname = ANY (merge_key)
      AND row_to_json(l)->>'collisdeterministic' = 'false' LOOP
    RAISE EXCEPTION 'cannot shape source "%": merge key "%" has a collation in which texts that differ are equal',
      source, c.attname USING ERRCODE = 'feature_not_supported', HINT = 'Give the column another collation.';
  END LOOP;
  IF merge_key IS NOT NULL THEN
    FOR c IN SELECT t.* FROM kafka._target_columns(s.target_table) t LOOP
      columns := columns || quote_ident(c.name) || ' ' || c.type
        || CASE WHEN c.name = ANY (merge_key) THEN ' NOT NULL' ELSE '' END || ', ';
    END LOOP;
    EXECUTE kafka._scratch_table(kafka._part(source, 'latest'),
      columns || '"kafka$delete" boolean NOT NULL, "kafka$old" boolean', s.target_table);
  END IF;
  IF reject_limit IS NOT NULL THEN
    columns := NULL;
    FOR i IN 1 .. array_length(fields, 1) LOOP
      -- The view has texts without their length.
      SELECT CASE WHEN kafka._cast_type(types[i]) <> types[i] THEN types[i]
        ELSE format_type(a.atttypid, a.atttypmod) END AS type INTO c FROM pg_attribute a
      WHERE a.attrelid = fields_view AND a.attname = fields[i];
      columns := coalesce(columns || ', ', '') || format('(%s, %L, %s, %L)', i, fields[i], origins[i], c.type);
    END LOOP;
    EXECUTE 'CREATE VIEW ' || kafka._part(source, 'unfit') || ' AS SELECT s."kafka$partition", s."kafka$offset",'
      || ' f.no, f.name, f.value, f.type FROM ' || kafka._part(source, 'stage') || ' s'
      || ' CROSS JOIN LATERAL (VALUES ' || columns || ') f (no, name, value, type)'
      || ' WHERE f.value IS NOT NULL AND NOT pg_input_is_valid(f.value, f.type)';
  END IF;
  IF owner <> current_user THEN
    FOR c IN SELECT k.relname, k.relkind FROM pg_class k
      JOIN pg_namespace n ON n.oid = k.relnamespace AND n.nspname = 'kafka'
      WHERE format('kafka.%I', k.relname) IN (SELECT kafka._part(source, p)
        FROM unnest(ARRAY['stage', 'fields', 'shape', 'unfit', 'latest']) p) LOOP
      EXECUTE format('ALTER %s kafka.%I OWNER TO %I',
        CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.relname, owner);
    END LOOP;
  END IF;
  UPDATE kafka.source x SET columns = loaded, stage = kafka._part(source, 'stage'),
    stage_columns = _shape_end.stage_columns, fields_view = kafka._part(source, 'fields'),
    shape_view = kafka._part(source, 'shape'), merge_key = _shape_end.merge_key,
    unfit_view = CASE WHEN _shape_end.reject_limit IS NOT NULL THEN kafka._part(source, 'unfit') END,
    latest = CASE WHEN _shape_end.merge_key IS NOT NULL THEN kafka._part(source, 'latest') END,
    kept_columns = CASE WHEN _shape_end.merge_key IS NOT NULL THEN kept END,
    reject_limit = _shape_end.reject_limit
  WHERE x.name = s.name;
  SELECT x.* INTO s FROM kafka.source x WHERE x.name = _shape_end.source;
  PERFORM kafka._check_reader(s);
END
$$;
-- How a load of a shaped source goes on after its stage is full: leaves out what does not fit or is
-- filtered, and inserts the rest, or merges it: the last row of each key takes the place of the
-- target's, or deletes it. A few statements for all rows; nothing here is a row at a time.

-- Whether a condition holds, the two tables of it being l (latest) and t (the target): the keys are
-- equal. With the operators of the types' own, whatever the search path is.
CREATE OR REPLACE FUNCTION kafka._same_key(s kafka.source) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  condition text := '';
  c record;
BEGIN
  FOR c IN SELECT a.attname, coalesce((
      SELECT format('OPERATOR(%I.%s)', n.nspname, p.oprname) FROM pg_opclass k
      JOIN pg_am m ON m.oid = k.opcmethod AND m.amname = 'btree'
      JOIN pg_amop f ON f.amopfamily = k.opcfamily AND f.amoplefttype = k.opcintype
        AND f.amoprighttype = k.opcintype AND f.amopstrategy = 3
      JOIN pg_operator p ON p.oid = f.amopopr JOIN pg_namespace n ON n.oid = p.oprnamespace
      WHERE k.opcdefault AND k.opcintype = CASE b.typtype WHEN 'd' THEN b.typbasetype ELSE b.oid END
      LIMIT 1), 'OPERATOR(pg_catalog.=)') AS equals
    FROM pg_attribute a JOIN pg_type b ON b.oid = a.atttypid
    WHERE a.attrelid = s.target_table AND a.attname = ANY (s.merge_key) LOOP
    condition := condition || CASE condition WHEN '' THEN '' ELSE ' AND ' END
      || format('t.%I %s l.%I', c.attname, c.equals, c.attname);
  END LOOP;
  RETURN condition;
END
$$;

-- Empties a table of one load. TRUNCATE of a large one; of a small one DELETE, as each TRUNCATE
-- changes the catalog.
CREATE OR REPLACE FUNCTION kafka._clear(part text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF pg_relation_size(part::regclass) > 1048576 THEN
    EXECUTE 'TRUNCATE ' || part;
  ELSE
    EXECUTE 'DELETE FROM ' || part;
  END IF;
END
$$;

-- Names as one list for SQL.
CREATE OR REPLACE FUNCTION kafka._list(names text[], prefix text DEFAULT '') RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  list text := '';
BEGIN
  FOR i IN 1 .. coalesce(array_length(names, 1), 0) LOOP
    list := list || CASE i WHEN 1 THEN '' ELSE ', ' END || prefix || quote_ident(names[i]);
  END LOOP;
  RETURN list;
END
$$;

-- The statement that evaluates the staged rows: into the target, or into the table of the last row of
-- each key. `place` is a condition more; with one, each row counts, also if it is not its key's last.
CREATE OR REPLACE FUNCTION kafka._evaluation(s kafka.source, place text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  columns constant text := kafka._list(s.columns);
  keys constant text := kafka._list(s.merge_key);
  others text := '';
BEGIN
  IF s.latest IS NULL THEN
    RETURN 'INSERT INTO ' || s.target_table || ' (' || columns || ') SELECT ' || columns || ' FROM '
      || s.shape_view || ' WHERE "kafka$keep"' || coalesce(' AND ' || place, '');
  END IF;
  -- Of a delete only the key matters: nothing else of it is computed.
  FOR i IN 1 .. array_length(s.columns, 1) LOOP
    others := others || CASE WHEN s.columns[i] = ANY (s.merge_key) THEN quote_ident(s.columns[i])
      ELSE format('CASE WHEN NOT "kafka$delete" THEN %I END', s.columns[i]) END || ', ';
  END LOOP;
  RETURN 'INSERT INTO ' || s.latest || ' (' || columns || ', "kafka$delete") SELECT '
    || CASE WHEN place IS NULL THEN 'DISTINCT ON (' || keys || ') ' ELSE '' END || others || '"kafka$delete" FROM '
    || s.shape_view || ' WHERE "kafka$keep"'
    || coalesce(' AND ' || place, ' ORDER BY ' || keys
      || ', "kafka$order" DESC NULLS LAST, "kafka$partition" DESC, "kafka$offset" DESC');
END
$$;

-- Ends a load with the record that made it fail: the first, by partition and offset, whose row alone
-- fails. Found by halves, each evaluated in a subtransaction that is rolled back.
CREATE OR REPLACE FUNCTION kafka._blame(s kafka.source, state text, message text, detail text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  low bigint := 0;
  high bigint;
  middle bigint;
  fails boolean;
  first record;
  last record;
  place text;
  found_message text := message;
  name text;
BEGIN
  EXECUTE 'SELECT count(*) FROM ' || s.stage INTO high;
  EXECUTE 'SELECT "kafka$partition" AS p, "kafka$offset" AS o FROM ' || s.stage || ' ORDER BY 1, 2 LIMIT 1' INTO first;
  WHILE high - low > 1 LOOP
    middle := (low + high) / 2;
    EXECUTE 'SELECT "kafka$partition" AS p, "kafka$offset" AS o FROM ' || s.stage || ' ORDER BY 1, 2 LIMIT 1 OFFSET '
      || middle INTO last;
    fails := false;
    BEGIN
      EXECUTE kafka._evaluation(s, format(
        '("kafka$partition", "kafka$offset") >= (%s, %s) AND ("kafka$partition", "kafka$offset") < (%s, %s)',
        first.p, first.o, last.p, last.o));
      RAISE EXCEPTION USING ERRCODE = 'KF001';
    EXCEPTION
      WHEN SQLSTATE 'KF001' THEN NULL;
      WHEN OTHERS THEN fails := true;
    END;
    IF fails THEN
      high := middle;
    ELSE
      low := middle;
      first := last;
    END IF;
  END LOOP;
  place := format('("kafka$partition", "kafka$offset") = (%s, %s)', first.p, first.o);
  BEGIN
    EXECUTE kafka._evaluation(s, place);
    fails := false;
    RAISE EXCEPTION USING ERRCODE = 'KF001';
  EXCEPTION
    WHEN SQLSTATE 'KF001' THEN NULL;
    WHEN OTHERS THEN
      fails := true;
      found_message := SQLERRM;
  END;
  IF NOT fails THEN -- No row fails alone.
    RAISE EXCEPTION 'cannot load source "%": %', s.name, message
      USING ERRCODE = state, DETAIL = coalesce(detail, '');
  END IF;
  -- Which column: of the fields, then of the target.
  <<columns>>
  FOR view_no IN 1 .. 2 LOOP
    FOR name IN SELECT a.attname FROM pg_attribute a
      WHERE a.attrelid = (CASE view_no WHEN 1 THEN s.fields_view ELSE s.shape_view END)::regclass
        AND a.attnum > 0 AND a.attname NOT LIKE 'kafka$%' ORDER BY a.attnum LOOP
      BEGIN
        EXECUTE format('SELECT %I FROM %s WHERE %s', name,
          CASE view_no WHEN 1 THEN s.fields_view ELSE s.shape_view END, place);
      EXCEPTION WHEN OTHERS THEN
        found_message := format('%s "%s": %s', CASE view_no WHEN 1 THEN 'field' ELSE 'column' END, name, SQLERRM);
        EXIT columns;
      END;
    END LOOP;
  END LOOP;
  RAISE EXCEPTION 'cannot load source "%": topic "%" partition % offset %: %', s.name, s.topic, first.p,
    first.o, found_message
    USING ERRCODE = state, HINT = 'Correct the field''s type, --select or --where, then run the SQL of gpdb-kafka sql source again.';
END
$$;

-- Inserts or merges what is staged: `staged` rows. `rows` were inserted, `updated` of them in place
-- of rows with their keys.
CREATE OR REPLACE FUNCTION kafka._apply(
  source text, load_no bigint, staged bigint, caller text DEFAULT kafka._me(),
  OUT rows bigint, OUT updated bigint, OUT deleted bigint, OUT filtered bigint, OUT rejected bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  state text;
  message text;
  detail text;
  wrong record;
BEGIN
  s := kafka._source(source, caller);
  rejected := kafka._reject(s, load_no, staged);
  updated := 0;
  deleted := 0;
  IF s.latest IS NOT NULL THEN PERFORM kafka._clear(s.latest); END IF;
  BEGIN
    EXECUTE kafka._evaluation(s, NULL);
    GET DIAGNOSTICS rows = ROW_COUNT;
  EXCEPTION
    WHEN data_exception OR check_violation OR raise_exception THEN
      GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
      PERFORM kafka._blame(s, state, message, detail);
    WHEN not_null_violation THEN
      GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
      IF s.latest IS NULL THEN PERFORM kafka._blame(s, state, message, detail); END IF;
      EXECUTE 'SELECT "kafka$partition" AS p, "kafka$offset" AS o, "kafka$delete" AS d FROM ' || s.shape_view
        || ' WHERE "kafka$keep" AND NOT (' || kafka._list(s.merge_key) || ') IS NOT NULL ORDER BY 1, 2 LIMIT 1' INTO wrong;
      IF wrong.p IS NULL THEN RAISE; END IF;
      RAISE EXCEPTION 'cannot load source "%": topic "%" partition % offset %: the merge key (%) is null%', s.name,
        s.topic, wrong.p, wrong.o, array_to_string(s.merge_key, ', '),
        CASE WHEN wrong.d THEN ' in a delete' ELSE '' END
        USING ERRCODE = 'not_null_violation', HINT = 'Use --where to leave such rows out, or another --merge.';
  END;
  EXECUTE 'SELECT count(*) FROM ' || s.shape_view || ' WHERE NOT "kafka$keep"' INTO filtered;
  IF s.latest IS NOT NULL THEN
    -- Nobody else writes to the target until this load ends: a key that both have would be there twice.
    PERFORM kafka._lock_merge(s);
    SELECT m.* INTO rows, updated, deleted FROM kafka._merge(s) m;
    PERFORM kafka._clear(s.latest);
  END IF;
  PERFORM kafka._clear(s.stage);
END
$$;

-- Merges the last row of each key into the target.
CREATE OR REPLACE FUNCTION kafka._merge(
  s kafka.source, OUT rows bigint, OUT updated bigint, OUT deleted bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  same constant text := kafka._same_key(s);
  wholes text[] := s.columns || s.kept_columns;
  has_kept constant boolean := coalesce(array_length(s.kept_columns, 1), 0) > 0;
  deletes boolean;
  more bigint;
BEGIN
  -- What was added since would be lost with the row that is replaced.
  IF EXISTS (SELECT 1 FROM kafka._target_columns(s.target_table) t WHERE t.name <> ALL (wholes)) THEN
    RAISE EXCEPTION 'cannot load source "%": the columns of table % have changed since it was made',
      s.name, s.target_table
      USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Run the SQL of gpdb-kafka sql source again.';
  END IF;
  EXECUTE 'SELECT count(*) > 0 FROM (SELECT 1 FROM ' || s.latest || ' WHERE "kafka$delete" LIMIT 1) x'
  INTO deletes;
  IF deletes THEN
    EXECUTE 'DELETE FROM ' || s.target_table || ' t USING ' || s.latest || ' l WHERE l."kafka$delete" AND ' || same;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    EXECUTE 'DELETE FROM ' || s.latest || ' WHERE "kafka$delete"';
  ELSE
    deleted := 0;
  END IF;
  rows := 0;
  IF has_kept THEN
    -- Columns that the source does not load stay as they are.
    EXECUTE 'INSERT INTO ' || s.latest || ' (' || kafka._list(wholes)
      || ', "kafka$delete", "kafka$old") SELECT DISTINCT ON (' || kafka._list(s.merge_key, 'l.') || ') '
      || kafka._list(s.columns, 'l.') || ', ' || kafka._list(s.kept_columns, 't.')
      || ', false, true FROM ' || s.latest || ' l JOIN ' || s.target_table || ' t ON ' || same;
  END IF;
  EXECUTE 'DELETE FROM ' || s.target_table || ' t USING ' || s.latest || ' l WHERE ' || same;
  GET DIAGNOSTICS updated = ROW_COUNT;
  IF has_kept THEN
    EXECUTE 'INSERT INTO ' || s.target_table || ' (' || kafka._list(wholes) || ') '
      || CASE WHEN EXISTS (SELECT 1 FROM kafka._target_columns(s.target_table) t WHERE t.is_always)
        THEN 'OVERRIDING SYSTEM VALUE ' ELSE '' END
      || 'SELECT ' || kafka._list(wholes) || ' FROM ' || s.latest || ' WHERE "kafka$old"';
    GET DIAGNOSTICS rows = ROW_COUNT;
    -- What is left are keys that the target did not have.
    EXECUTE 'DELETE FROM ' || s.latest || ' t USING ' || s.latest
      || ' l WHERE t."kafka$old" IS NULL AND l."kafka$old" AND ' || same;
  END IF;
  EXECUTE 'INSERT INTO ' || s.target_table || ' (' || kafka._list(s.columns) || ') SELECT '
    || kafka._list(s.columns) || ' FROM ' || s.latest
    || CASE WHEN has_kept THEN ' WHERE "kafka$old" IS NULL' ELSE '' END;
  GET DIAGNOSTICS more = ROW_COUNT;
  rows := rows + more;
  -- A table with two rows of one key has one of it after the merge.
  updated := least(updated, rows);
END
$$;
-- kafka.load and its steps. What differs between the two databases is in kafka._lock,
-- kafka._lock_target, kafka._check_reader, kafka._holds_rows, kafka._plan, kafka._copy, kafka._logged and kafka._room.
--
-- On PostgreSQL kafka.load runs with the rights of this schema's owner, and no other role may call
-- a step of it. On Greenplum it runs with the rights of its caller, and so does the INSERT; the
-- steps that read and write the tables of this schema run with those of its owner. Nothing is open
-- to PUBLIC: kafka.allow lets a role call what a load takes, and the right to INSERT into a
-- source's target is what lets it load that source. `caller` is not for callers: see kafka._me.

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
      CASE WHEN privilege = 'OWNER' THEN 'ownership'
        WHEN found_source.latest IS NULL THEN privilege ELSE privilege || ' and DELETE' END,
      found_source.target
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
-- same for kafka.load and for kafka.check_source. `mirror`: Kafka's group gets the offset where the
-- source stands.
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
  OUT reason text, OUT moved boolean, OUT is_staged boolean)
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
  is_staged := s.stage IS NOT NULL;
  moved := next.next_offsets IS DISTINCT FROM last.next_offsets;
  load_no := coalesce(last.load_no, 0) + moved::integer;
  -- Whatever somebody else has put there.
  IF is_staged AND records > 0 THEN PERFORM kafka._clear(s.stage); END IF;
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
-- nothing is locked and nothing is committed to the group. A paused source is planned, too.
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
-- how many rows there were: `rows` inserted, `updated` of them in place of others, and so on.
CREATE OR REPLACE FUNCTION kafka._finish(
  source text, rows bigint, rejected bigint, updated bigint DEFAULT 0, deleted bigint DEFAULT 0,
  filtered bigint DEFAULT 0, rows_read bigint DEFAULT NULL, caller text DEFAULT kafka._me())
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  p kafka.load_plan%ROWTYPE;
  is_possible boolean;
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
  END IF;
  rows_read := coalesce(rows_read, rows + rejected);
  is_possible := rows >= 0 AND rejected >= 0 AND filtered >= 0 AND deleted >= 0
    AND updated BETWEEN 0 AND rows AND rows + rejected + filtered <= rows_read
    AND (rows_read <= p.records OR kafka._holds_rows(s));
  IF is_possible IS NOT TRUE THEN
    RAISE EXCEPTION 'source "%" returned % rows for % records', s.name, rows_read, p.records
      USING ERRCODE = 'data_exception',
        DETAIL = 'A value holds more than one row, or the reader read more than was planned.';
  END IF;
  INSERT INTO kafka.load_history (source, load_no, reason, started, seconds, rows, rejected,
    inserted, updated, deleted, filtered, rows_read,
    records, lag, lost, ranges, next_offsets, cluster_id, topic_id, leader_epochs, loaded_by)
  VALUES (s.name, p.load_no, p.reason, p.started,
    extract(epoch FROM clock_timestamp() - p.started), rows, rejected,
    rows - updated, updated, deleted, filtered, rows_read,
    p.records, p.lag, p.lost, p.ranges, p.next_offsets, p.cluster_id, p.topic_id, p.leader_epochs,
    kafka._caller());
END
$$;

-- Loads what is new in a source's topic, at most max_records of each partition: rows and offsets
-- in the caller's transaction. `reason` is `end`, or `max_records` if there is more to load; `lost`
-- is how many offsets on_lost skipped. `rows` were inserted: `updated` of them took the place of a row
-- with their key, `inserted` are the others.
CREATE OR REPLACE FUNCTION kafka.load(
  source text, max_records bigint DEFAULT NULL, caller text DEFAULT kafka._me())
RETURNS TABLE (rows bigint, rejected bigint, records bigint, lag bigint, reason text,
  seconds double precision, load_no bigint, lost bigint, inserted bigint, updated bigint,
  deleted bigint, filtered bigint, rows_read bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  started constant timestamptz := clock_timestamp();
  step record;
  applied record;
  chunk text;
  logged bigint;
BEGIN
  SELECT b.* INTO step FROM kafka._begin(source, max_records, caller) b;
  rows := 0;
  rejected := 0;
  updated := 0;
  deleted := 0;
  filtered := 0;
  IF step.records > 0 THEN logged := kafka._logged(source, caller); END IF;
  FOREACH chunk IN ARRAY step.chunks LOOP
    rows := rows + kafka._copy(source, chunk, caller);
  END LOOP;
  -- Not less than none: somebody may truncate the log meanwhile.
  IF step.records > 0 THEN rejected := greatest(0, kafka._logged(source, caller) - logged); END IF;
  rows_read := rows + rejected;
  IF rows > 0 AND step.is_staged THEN
    SELECT a.* INTO applied FROM kafka._apply(source, step.load_no, rows, caller) a;
    rows := applied.rows;
    updated := applied.updated;
    deleted := applied.deleted;
    filtered := applied.filtered;
    rejected := rejected + applied.rejected;
  END IF;
  IF step.moved THEN
    PERFORM kafka._finish(source, rows, rejected, updated, deleted, filtered, rows_read, caller);
  END IF;
  inserted := rows - updated;
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

-- Adds a source, or changes one and leaves it where it stands; waits for a load of it to end.
-- Without columns it takes all of the target's, in their order. For the owner of this schema only.
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
  PERFORM kafka._check_kind(s.target_table, false);
  PERFORM kafka._check_reader(s);
  IF EXISTS (SELECT 1 FROM kafka.source x JOIN kafka.load_history h ON h.source = x.name
    WHERE x.name = s.name AND x.topic <> s.topic) THEN
    RAISE EXCEPTION 'cannot change the topic of source "%": its offsets belong to another topic', s.name
      USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'kafka.drop_source removes the source and its offsets; then add it again.';
  END IF;
  -- Until kafka.shape_source says more, the reader's columns are the target's.
  PERFORM kafka._drop_shape(s.name);
  UPDATE kafka.source x SET topic = s.topic, target = s.target, columns = s.columns,
    stage = NULL, stage_columns = NULL, fields_view = NULL, shape_view = NULL, unfit_view = NULL,
    latest = NULL, merge_key = NULL, kept_columns = NULL, reject_limit = NULL, reader = s.reader, planner = s.planner, brokers = s.brokers, config_file = s.config_file,
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
-- one; its grants stay. `definition` is the whole CREATE. Called by the SQL of gpdb-kafka sql
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

-- Forgets a source, its history and where it stands, and drops the tables that gpdb-kafka sql
-- source made for it. The target stays. For the target's owner.
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
  PERFORM kafka._drop_shape(s.name);
  DELETE FROM kafka.made_table m WHERE m.source = s.name;
  DELETE FROM kafka.rejected_row r WHERE r.source = s.name;
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
    inserted, rows_read, records, lag, ranges, next_offsets, cluster_id, topic_id, leader_epochs, loaded_by)
  VALUES (s.name, coalesce(last.load_no, 0) + 1, 'seek', started,
    extract(epoch FROM clock_timestamp() - started), 0, 0, 0, 0, 0, lag, '', next_offsets,
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
  DELETE FROM kafka.rejected_row r WHERE r.rejected < now() - older_than;
  DELETE FROM kafka.load_history h
  USING (SELECT x.source, max(x.load_no) AS load_no FROM kafka.load_history x GROUP BY x.source) n
  WHERE h.source = n.source AND h.load_no < n.load_no AND h.started < now() - older_than;
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN removed;
END
$$;
-- Where the sources stand.

-- The next offset of each partition, as the database holds it. Asks no broker.
CREATE OR REPLACE VIEW kafka.load_offset AS
SELECT h.source, generate_subscripts(h.next_offsets, 1) - 1 AS partition_no,
  unnest(h.next_offsets) AS next_offset, h.started AS moved
FROM kafka.load_history h
JOIN (SELECT x.source, max(x.load_no) AS load_no FROM kafka.load_history x GROUP BY x.source) n
  ON n.source = h.source AND n.load_no = h.load_no;

-- A row for each source: its last load, and what it left. Asks no broker.
CREATE OR REPLACE VIEW kafka.status AS
SELECT s.name AS source, s.topic, s.target, s.group_name, s.paused,
  h.load_no, h.started AS last_started, h.seconds AS last_seconds, h.rows AS last_rows,
  h.rejected AS last_rejected, h.reason AS last_reason, h.lag AS lag_then,
  array_length(h.next_offsets, 1) AS partitions, n.loads, n.rows_loaded, n.rows_rejected,
  h.lost AS last_lost, n.offsets_lost, n.offsets_without_row, s.brokers,
  h.inserted AS last_inserted, h.updated AS last_updated, h.deleted AS last_deleted,
  h.filtered AS last_filtered, n.rows_inserted, n.rows_updated, n.rows_deleted, n.rows_filtered
FROM kafka.source s
LEFT JOIN (
  SELECT x.source, max(x.load_no) AS load_no, count(*) AS loads, sum(x.rows) AS rows_loaded,
    sum(x.rejected) AS rows_rejected, sum(x.lost) AS offsets_lost,
    sum(greatest(x.records - x.rows_read, 0)) AS offsets_without_row, sum(x.inserted) AS rows_inserted,
    sum(x.updated) AS rows_updated, sum(x.deleted) AS rows_deleted, sum(x.filtered) AS rows_filtered
  FROM kafka.load_history x GROUP BY x.source
) n ON n.source = s.name
LEFT JOIN kafka.load_history h ON h.source = n.source AND h.load_no = n.load_no;

-- How far a source (all that the caller may load or manages, without a name) is behind its topic
-- now: the offsets that the next load reads, so none that were deleted. Asks Kafka; if that fails,
-- or the topic is not the one loaded so far, the source's one row says why.
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

-- Rows that the reject limit left out, of the sources that the caller may load or manages: it shows
-- values of records.
CREATE OR REPLACE FUNCTION kafka.rejected_of(
  only_source text DEFAULT NULL, caller text DEFAULT kafka._me())
RETURNS SETOF kafka.rejected_row
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
BEGIN
  FOR s IN SELECT x.* FROM kafka.source x WHERE x.name = only_source OR only_source IS NULL LOOP
    IF kafka._may(s, 'INSERT', caller) OR kafka._may(s, 'OWNER', caller) THEN
      RETURN QUERY SELECT r.* FROM kafka.rejected_row r WHERE r.source = s.name;
    END IF;
  END LOOP;
END
$$;

CREATE OR REPLACE VIEW kafka.rejected AS SELECT * FROM kafka.rejected_of();

-- Of version 1, until the view asks the new one.
DROP FUNCTION IF EXISTS kafka._lag_of_1(text);

-- INSERT … SELECT FROM and CREATE TABLE AS would run them on a segment, which may not read tables.
DO $initplan$
DECLARE
  name text;
BEGIN
  IF EXISTS (SELECT 1 FROM pg_class c
    WHERE c.relname = 'gp_distribution_policy' AND c.relnamespace = 11) THEN
    FOREACH name IN ARRAY ARRAY['load(text, bigint, text)', 'lag_of(text, text)',
      'rejected_of(text, text)', 'seek(text, text, text)', 'check_source(text, text)'] LOOP
      EXECUTE 'ALTER FUNCTION kafka.' || name || ' EXECUTE ON INITPLAN';
    END LOOP;
  END IF;
END
$initplan$;

-- Who may do what: no role anything, unless kafka.allow grants it.

-- Lets a role call what a load takes, and look. What it may load is what it may INSERT into; what
-- it may seek, pause and drop is what it owns. For the owner of this schema only.
CREATE OR REPLACE FUNCTION kafka.allow(role name) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  f regprocedure;
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA kafka TO %I', role);
  EXECUTE format('GRANT SELECT ON kafka.status, kafka.lag, kafka.load_offset, kafka.load_history, '
    'kafka.rejected, kafka._signed TO %I', role);
  -- If kafka.load runs with its caller's rights, the caller needs its steps, too.
  FOR f IN
    SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'kafka' AND (
      p.proname IN ('load', 'lag_of', 'rejected_of', 'check_source', 'seek', 'pause', 'resume', 'drop_source', '_me')
      OR p.proname IN ('_begin', '_source', '_copy', '_logged', '_finish',
        '_apply', '_merge', '_same_key', '_evaluation', '_blame', '_clear', '_list', '_reject',
        '_lock_merge', '_target_columns') AND NOT (
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
