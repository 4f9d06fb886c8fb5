-- Schema kafka for PostgreSQL 13 to 18: load Kafka topics into tables exactly once.
--
--   psql -d DATABASE -f sql/kafka/postgres.sql        or: gpdb-kafka sql schema --for postgres
--
-- Run it as a superuser, or as a member of pg_execute_server_program: kafka.load runs the
-- consumer by COPY … FROM PROGRAM with the rights of whoever runs this, and so do the triggers and
-- defaults of the tables loaded: add only sources whose target's owner you trust. It can be run
-- again, to upgrade. Then: gpdb-kafka sql source --for postgres.

BEGIN;

\ir tables.sql

-- What a planner prints, until the same statement takes it out again. Others never see it.
CREATE UNLOGGED TABLE IF NOT EXISTS kafka._plan_row (
  topic text NOT NULL,
  partition_no integer NOT NULL,
  earliest bigint NOT NULL,
  end_offset bigint NOT NULL,
  at_offset bigint
);

-- How many bytes of ranges one command line takes: Linux allows 128 KiB.
CREATE OR REPLACE FUNCTION kafka._room(topic text) RETURNS integer
LANGUAGE sql IMMUTABLE AS 'SELECT 100000';

CREATE OR REPLACE FUNCTION kafka._check_reader(s kafka.source) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
  -- One process reads all partitions: there is no ON clause to get wrong. But the shell runs each
  -- line by itself, and only the last one would be told which offsets to read.
  IF s.reader ~ E'[\r\n]' OR s.planner ~ E'[\r\n]' THEN
    RAISE EXCEPTION 'cannot use source "%": a command of its reader or planner has more than one line — write it in one line',
      s.name
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$$;

-- What a program's end means, where PostgreSQL only knows its exit status.
CREATE OR REPLACE FUNCTION kafka._why(detail text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT detail || coalesce(': ' || CASE substring(detail FROM 'exit code ([0-9]+)')
    WHEN '64' THEN 'its flags are wrong'
    WHEN '65' THEN 'a record that is no row, or an offset that no longer exists'
    WHEN '69' THEN 'broker or topic unavailable'
    WHEN '70' THEN 'a bug'
    WHEN '75' THEN 'the end was not reached: try again'
    WHEN '77' THEN 'not authorised'
    WHEN '126' THEN 'it can''t be executed'
    WHEN '127' THEN 'it was not found'
  END, '')
$$;

-- Dialect 1: asks Kafka for a topic's partitions. at_offset is of the first record from at_time on.
CREATE OR REPLACE FUNCTION kafka._plan(s kafka.source, commit_offsets text, at_time bigint)
RETURNS TABLE (topic text, partition_no integer, earliest bigint, end_offset bigint,
  at_offset bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  detail text;
BEGIN
  EXECUTE format('COPY kafka._plan_row FROM PROGRAM %L (FORMAT csv)', s.planner
    || coalesce(' --commit-offsets ' || commit_offsets, '') || coalesce(' --at ' || at_time, ''));
  RETURN QUERY DELETE FROM kafka._plan_row RETURNING *;
EXCEPTION WHEN external_routine_exception THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RAISE EXCEPTION 'the planner of source "%" failed: %', s.name, kafka._why(detail)
    USING ERRCODE = 'external_routine_exception', HINT = 'The server''s log has the line that says why.';
END
$$;

-- Dialect 2: inserts the rows of these ranges into the source's target.
CREATE OR REPLACE FUNCTION kafka._copy(source text, ranges text, OUT rows bigint, OUT rejected bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  detail text;
BEGIN
  s := kafka._open(source, 'INSERT');
  -- The one thing of a caller that reaches the shell.
  IF ranges IS NULL OR ranges !~ '^[0-9]+:[0-9]+-[0-9]+(,[0-9]+:[0-9]+-[0-9]+)*$' THEN
    RAISE EXCEPTION '"%" are no ranges', ranges USING ERRCODE = 'invalid_parameter_value';
  END IF;
  EXECUTE format('COPY %s (%s) FROM PROGRAM %L (FORMAT csv, DELIMITER '','', NULL '''', ENCODING ''UTF8'')',
    s.target::regclass,
    (SELECT string_agg(quote_ident(c.name), ', ' ORDER BY c.no)
      FROM unnest(s.columns) WITH ORDINALITY c (name, no)),
    s.reader || ' --ranges ' || ranges);
  GET DIAGNOSTICS rows = ROW_COUNT;
  rejected := 0;
EXCEPTION WHEN external_routine_exception THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RAISE EXCEPTION 'the reader of source "%" failed: %', s.name, kafka._why(detail)
    USING ERRCODE = 'external_routine_exception', HINT = 'The server''s log has the line that says why.';
END
$$;

\ir load.sql
\ir manage.sql
\ir views.sql

COMMIT;
