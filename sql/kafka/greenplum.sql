-- Schema kafka for Greenplum 6 and 7: load Kafka topics into tables exactly once.
--
--   psql -d DATABASE -f sql/kafka/greenplum.sql       or: gpdb-kafka sql schema | psql -d DATABASE
--
-- It can be run again, to upgrade. Then: gpdb-kafka sql source.

BEGIN;

-- Primary keys need heap tables, whatever the database's default is; Greenplum 7 has no such
-- setting, and heap tables unless default_table_access_method says otherwise.
DO $heap$
BEGIN
  IF version() LIKE '%Greenplum Database 6.%' THEN
    SET LOCAL gp_default_storage_options = 'appendonly=false';
  ELSIF version() LIKE '%Greenplum%' THEN
    SET LOCAL default_table_access_method = 'heap';
  END IF;
END
$heap$;

\ir tables.sql

-- Each segment has all of these small tables, so that every write goes to all segments. One that
-- went to one segment would fail where its function has a SET clause, as those below have, and the
-- client uses the extended protocol: the clause makes all segments part of the transaction, and the
-- ones without a write then know nothing of it ("Distributed transaction … not found").
DO $replicated$
DECLARE
  name text;
BEGIN
  IF version() LIKE '%Greenplum%' THEN
    FOREACH name IN ARRAY ARRAY['kafka.source', 'kafka.load_history'] LOOP
      IF NOT EXISTS (SELECT 1 FROM gp_distribution_policy d
        WHERE d.localoid = name::regclass AND d.policytype = 'r') THEN
        EXECUTE 'ALTER TABLE ' || name || ' SET DISTRIBUTED REPLICATED';
      END IF;
    END LOOP;
  END IF;
END
$replicated$;

-- How many bytes of ranges one statement takes. Segments are told the first 1023 bytes of a
-- statement's text, so the comment stands at its front, and must end before that.
CREATE OR REPLACE FUNCTION kafka._room(topic text) RETURNS integer
LANGUAGE sql IMMUTABLE AS 'SELECT 900 - pg_catalog.length($1)';

-- Refuses a reader that would not read exactly what it is told, on all segments.
CREATE OR REPLACE FUNCTION kafka._check_reader(s kafka.source) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found_table record;
BEGIN
  SELECT e.execlocation[1] AS place, e.command AS command INTO found_table
  FROM pg_exttable e WHERE e.reloid = s.reader::regclass;
  IF NOT FOUND OR found_table.command IS NULL THEN
    RAISE EXCEPTION 'the reader % of source "%" is no web table with EXECUTE', s.reader, s.name
      USING ERRCODE = 'wrong_object_type';
  END IF;
  IF found_table.place IS DISTINCT FROM 'ALL_SEGMENTS' THEN
    RAISE EXCEPTION 'the reader % of source "%" is not ON ALL but %: some partitions would be read by no segment',
      s.reader, s.name, found_table.place
      USING ERRCODE = 'wrong_object_type';
  END IF;
  IF position(' --ranges-from-query' IN found_table.command) = 0 THEN
    RAISE EXCEPTION 'the command of the reader % of source "%" lacks --ranges-from-query',
      s.reader, s.name
      USING ERRCODE = 'wrong_object_type';
  END IF;
  -- Whoever wrote it: the shell runs each line by itself, the first one without the flags of a
  -- later one, and so it reads, and commits, what it was not told to.
  IF EXISTS (SELECT 1 FROM pg_exttable e
    WHERE e.reloid IN (s.reader::regclass, s.planner::regclass) AND e.command ~ E'[\r\n]') THEN
    RAISE EXCEPTION 'cannot use source "%": a command of its reader or planner has more than one line — write it in one line',
      s.name
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$$;

-- Dialect 1: asks Kafka for a topic's partitions. at_offset is of the first record from at_time on.
CREATE OR REPLACE FUNCTION kafka._plan(s kafka.source, commit_offsets text, at_time bigint)
RETURNS TABLE (topic text, partition_no integer, earliest bigint, end_offset bigint,
  at_offset bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY EXECUTE '/* kafka-plan topic=' || s.topic
    || coalesce(' at=' || at_time, '') || coalesce(' commit=' || commit_offsets, '')
    || ' */ SELECT topic, partition_no, earliest, end_offset, at_offset FROM '
    || s.planner::regclass;
END
$$;

-- Dialect 2: inserts the rows of these ranges into the source's target, with the caller's rights.
CREATE OR REPLACE FUNCTION kafka._copy(source text, ranges text, OUT rows bigint, OUT rejected bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  columns text;
BEGIN
  s := kafka._source(source);
  IF ranges IS NULL OR ranges !~ '^[0-9]+:[0-9]+-[0-9]+(,[0-9]+:[0-9]+-[0-9]+)*$' THEN
    RAISE EXCEPTION '"%" are no ranges', ranges USING ERRCODE = 'invalid_parameter_value';
  END IF;
  FOR i IN 1 .. array_length(s.columns, 1) LOOP
    columns := coalesce(columns || ', ', '') || quote_ident(s.columns[i]);
  END LOOP;
  SELECT count(*) INTO rejected FROM gp_read_error_log(s.reader);
  -- The comment first: the rest may be cut off on its way to the segments.
  EXECUTE '/* kafka-ranges topic=' || s.topic || ' ' || ranges || ' */ INSERT INTO '
    || s.target::regclass || ' (' || columns || ') SELECT ' || columns || ' FROM '
    || s.reader::regclass;
  GET DIAGNOSTICS rows = ROW_COUNT;
  SELECT count(*) - rejected INTO rejected FROM gp_read_error_log(s.reader);
END
$$;

-- A source's row, for those who may load it.
CREATE OR REPLACE FUNCTION kafka._source(source text) RETURNS kafka.source
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN kafka._open(source, 'INSERT');
END
$$;

\ir load.sql
\ir manage.sql
\ir views.sql

COMMIT;
