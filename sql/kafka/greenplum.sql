-- Schema kafka for Greenplum 6 and 7 and their forks: load Kafka topics into tables exactly once.
--
--   psql -d DATABASE -f sql/kafka/greenplum.sql       or: gpdb-kafka sql schema | psql -d DATABASE
--
-- It takes a superuser, as tables with EXECUTE do. It can be run again, to upgrade. After that, and
-- for new sources: gpdb-kafka sql source.

BEGIN;

-- Primary keys need heap tables, whatever the database's default is. The forks of Greenplum do not
-- say "Greenplum" in version(), so settings and catalogs tell.
DO $heap$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_catalog.pg_settings WHERE name = 'gp_default_storage_options') THEN
    SET LOCAL gp_default_storage_options = 'appendonly=false';
  ELSIF EXISTS (SELECT 1 FROM pg_catalog.pg_settings WHERE name = 'default_table_access_method') THEN
    SET LOCAL default_table_access_method = 'heap';
  END IF;
END
$heap$;

\ir tables.sql
\ir comments.sql
\ir rights.sql

-- Whether this is a Greenplum, or a fork of it: Apache Cloudberry, Greengage, WarehousePG. Its catalog
-- says so, not its name. (11 is pg_catalog, where no other role can put a table.)
CREATE OR REPLACE FUNCTION kafka._is_greenplum() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT count(*) = 2 FROM pg_class c
  WHERE c.relnamespace = 11 AND c.relname IN ('gp_segment_configuration', 'gp_distribution_policy')
$$;

-- What the catalog has of a web table; no row if it is another kind. `pg_exttable` is a table in
-- Greenplum 6, a view over a function of that name in 7 and Cloudberry.
CREATE OR REPLACE FUNCTION kafka._web_table(relation regclass)
RETURNS TABLE (place text, command text, reject_limit integer)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY EXECUTE 'SELECT e.execlocation[1]::text, e.command::text, e.rejectlimit::integer FROM '
    || CASE WHEN EXISTS (SELECT 1 FROM pg_class c WHERE c.relname = 'pg_exttable' AND pg_table_is_visible(c.oid))
      THEN 'pg_exttable' ELSE 'pg_exttable()' END
    || ' e WHERE e.reloid = $1' USING relation;
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
  IF kafka._is_greenplum() THEN
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

CREATE OR REPLACE FUNCTION kafka._own_way() RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT 'segments'::text $$;

-- What a client hands over of a partition: what the planner's web table has.
DROP TYPE IF EXISTS kafka._plan_row CASCADE; -- kafka._client_plan returns such rows
CREATE TYPE kafka._plan_row AS (topic text, partition_no integer, earliest bigint, end_offset bigint,
  at_offset bigint, cluster_id text, topic_id text, leader_epoch integer, epoch_end bigint);

-- How many bytes of ranges one statement has room for. Segments see the first 1023 bytes of a
-- statement's text, so the comment stands at its front, and must end before that.
CREATE OR REPLACE FUNCTION kafka._room(topic text) RETURNS integer
LANGUAGE sql IMMUTABLE AS 'SELECT 900 - pg_catalog.length($1)';

-- Locks a source until the transaction ends; `use`: see kafka._open. Not by its row: while the global
-- deadlock detector is off, as it is by default, SELECT … FOR UPDATE locks the whole table, and with it
-- the loads of all other sources. So any role that can connect can hold this lock, and keep a source
-- waiting. One lock is for a load, a second one for the history's next row, which would meet another one
-- on each segment; a change takes both.
CREATE OR REPLACE FUNCTION kafka._lock(source text, use text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  lock_class constant integer := 1262503489;
BEGIN
  FOR part IN CASE use WHEN 'finish' THEN 1 ELSE 0 END .. CASE use WHEN 'load' THEN 0 ELSE 1 END LOOP
    IF NOT pg_try_advisory_xact_lock(lock_class + part, hashtext(source)) THEN
      RAISE NOTICE 'source "%" is in use by another session: waiting for it', source;
      PERFORM pg_advisory_xact_lock(lock_class + part, hashtext(source));
    END IF;
  END LOOP;
END
$$;

-- What a load runs, it runs with its caller's own rights.
CREATE OR REPLACE FUNCTION kafka._lock_target(s kafka.source) RETURNS void
LANGUAGE sql IMMUTABLE AS '';

-- Whether a record of the source may be several rows.
CREATE OR REPLACE FUNCTION kafka._holds_rows(s kafka.source) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF s.via = 'client' THEN RETURN s.reader ~ ' --value[ =][''"]?rows'; END IF;
  RETURN EXISTS (SELECT 1 FROM kafka._web_table(s.reader::regclass) w WHERE w.command ~ ' --value[ =][''"]?rows');
END
$$;

-- Rejects a reader that would not read exactly the given offsets, on all segments, and a planner
-- that does not say which log it has seen.
CREATE OR REPLACE FUNCTION kafka._check_reader(s kafka.source) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found_table record;
BEGIN
  IF s.via = 'client' THEN RETURN; END IF; -- nothing of it runs here
  SELECT w.place, w.command INTO found_table FROM kafka._web_table(s.reader::regclass) w;
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
  IF found_table.command ~ E'[\r\n]'
    OR EXISTS (SELECT 1 FROM kafka._web_table(s.planner::regclass) w WHERE w.command ~ E'[\r\n]') THEN
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
  IF s.via = 'client' THEN
    RETURN QUERY SELECT * FROM kafka._client_plan(s);
    RETURN;
  END IF;
  RETURN QUERY EXECUTE '/* kafka-plan' || coalesce(' topic=' || s.topic, '')
    || coalesce(' at=' || at_time, '')
    || CASE WHEN told IS NULL THEN '' ELSE coalesce(' log=' || log_hash, '')
      || CASE WHEN mirror THEN ' mirror=yes' ELSE '' END || ' stand=' || told END
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
  PERFORM kafka._not_of_client(s);
  IF ranges IS NULL OR ranges !~
    '^([a-zA-Z0-9._-]+/)?[0-9]+:[0-9]+-[0-9]+(,([a-zA-Z0-9._-]+/)?[0-9]+:[0-9]+-[0-9]+)*$' THEN
    RAISE EXCEPTION '"%" is not a list of ranges', ranges USING ERRCODE = 'invalid_parameter_value';
  END IF;
  columns := kafka._list(coalesce(s.stage_columns, s.columns));
  -- The comment first: the rest may be cut off on its way to the segments.
  EXECUTE '/* kafka-ranges ' || coalesce('topic=' || s.topic || ' ', '') || ranges || ' */ INSERT INTO '
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
  IF EXISTS (SELECT 1 FROM kafka._web_table(s.reader::regclass) w WHERE w.reject_limit IS NOT NULL) THEN
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
  IF NOT kafka._is_greenplum() THEN
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
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON %s TO %I',
      s.stage || coalesce(', ' || s.latest, ''), role.name);
    EXECUTE format('GRANT SELECT ON %s, %s TO %I', s.fields_view, s.shape_view, role.name);
  END LOOP;
END
$$;

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

-- INSERT … SELECT FROM and CREATE TABLE AS would run them on a segment, which may not read tables.
DO $initplan$
DECLARE
  name text;
BEGIN
  IF kafka._is_greenplum() THEN
    FOREACH name IN ARRAY ARRAY['load(text, bigint, text)', 'lag_of(text, text)',
      'rejected_of(text, text)', 'seek(text, text, text)', 'check_source(text, text)'] LOOP
      EXECUTE 'ALTER FUNCTION kafka.' || name || ' EXECUTE ON INITPLAN';
    END LOOP;
  END IF;
END
$initplan$;

\ir grants.sql

COMMIT;
