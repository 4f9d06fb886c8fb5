-- Schema kafka for PostgreSQL 13 to 18: load Kafka topics into tables exactly once.
--
--   psql -d DATABASE -f sql/kafka/postgres.sql        or: gpdb-kafka sql schema --for postgres
--
-- Run it as a superuser, or as a member of pg_execute_server_program: kafka.load runs the
-- consumer by COPY … FROM PROGRAM with the rights of whoever runs this, and so do the triggers and
-- defaults of the tables loaded: add only sources whose target's owner you trust. It can be run
-- again, to upgrade. Then: gpdb-kafka sql source --for postgres.

BEGIN;

-- The tables of schema kafka. One text for Greenplum 6 and 7 and PostgreSQL 13 to 18, so no more
-- than PostgreSQL 9.4 knows. No DISTRIBUTED here: greenplum.sql says it behind this.

CREATE SCHEMA IF NOT EXISTS kafka;

CREATE TABLE IF NOT EXISTS kafka.schema_version (
  version integer PRIMARY KEY,
  installed timestamptz NOT NULL DEFAULT now()
);

-- Each step of an upgrade is one IF; a new database takes them all.
DO $upgrade$
DECLARE
  newest constant integer := 1;
  has integer := (SELECT coalesce(max(v.version), 0) FROM kafka.schema_version v);
BEGIN
  IF has > newest THEN
    RAISE EXCEPTION 'schema kafka is at version %, which is newer than this text (%)', has, newest
      USING HINT = 'Install with the newer gpdb-kafka that it came from.';
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
END
$upgrade$;

COMMENT ON TABLE kafka.source IS 'What kafka.load loads, from which topic into which table';
COMMENT ON TABLE kafka.load_history IS 'Loads and seeks; the newest row of a source is where it stands';
COMMENT ON COLUMN kafka.load_history.reason IS
  'end: everything there was at its start; max_records: there is more; seek: moved by hand';
COMMENT ON COLUMN kafka.load_history.rows IS 'rows inserted';
COMMENT ON COLUMN kafka.load_history.rejected IS 'rows that the web table''s reject limit left out';
COMMENT ON COLUMN kafka.load_history.records IS
  'offsets passed; more than rows where there are tombstones, transactions or compaction';
COMMENT ON COLUMN kafka.load_history.lag IS 'offsets left to load when it ended';
COMMENT ON COLUMN kafka.load_history.ranges IS 'PARTITION:FROM-TO, TO exclusive';
COMMENT ON COLUMN kafka.load_history.next_offsets IS 'the next offset of partition 0, 1, …';

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
  NULL; -- One process reads all partitions: there is no ON clause to get wrong.
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

-- kafka.load and its steps. What differs between the two databases is behind kafka._check_reader,
-- kafka._plan, kafka._copy and kafka._room.
--
-- kafka.load itself runs with the rights of its caller, and so does the INSERT on Greenplum; the
-- steps that read and write the tables of this schema run with those of its owner. Everybody may
-- call them: whoever may INSERT into a source's target may load it.

-- Who calls, also inside of SECURITY DEFINER: the role of SET ROLE, else the session's.
CREATE OR REPLACE FUNCTION kafka._caller() RETURNS name
LANGUAGE sql STABLE AS $$
  SELECT CASE pg_catalog.current_setting('role')
    WHEN 'none' THEN session_user
    ELSE pg_catalog.current_setting('role')::pg_catalog.name
  END
$$;

-- The source's row, locked until the transaction ends; the caller needs `privilege` on the target.
CREATE OR REPLACE FUNCTION kafka._open(source text, privilege text) RETURNS kafka.source
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  lock_class constant integer := 1262503489;
  found_source kafka.source%ROWTYPE;
  allowed boolean;
BEGIN
  SELECT s.* INTO found_source FROM kafka.source s WHERE s.name = _open.source;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no source "%"', _open.source
      USING ERRCODE = 'undefined_object',
        HINT = 'See kafka.status; gpdb-kafka sql source makes one.';
  END IF;
  IF _open.privilege = 'OWNER' THEN
    SELECT pg_has_role(kafka._caller(), c.relowner, 'USAGE') INTO allowed
    FROM pg_class c WHERE c.oid = found_source.target::regclass;
  ELSE
    allowed := has_table_privilege(kafka._caller(), found_source.target::regclass, privilege);
  END IF;
  IF NOT allowed THEN
    RAISE EXCEPTION 'permission denied for source "%": it takes % on %', _open.source,
      CASE privilege WHEN 'OWNER' THEN 'ownership' ELSE privilege END, found_source.target
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  -- Released by the end of the transaction, after its rows and offsets can be seen.
  IF NOT pg_try_advisory_xact_lock(lock_class, hashtext(_open.source)) THEN
    RAISE NOTICE 'source "%" is in use by another session: waiting for it', _open.source;
    PERFORM pg_advisory_xact_lock(lock_class, hashtext(_open.source));
  END IF;
  -- Again: it may have been paused or changed meanwhile.
  SELECT s.* INTO found_source FROM kafka.source s WHERE s.name = _open.source;
  RETURN found_source;
END
$$;

-- The first steps of a load: locks the source, asks Kafka where the topic starts and ends, and
-- says what is to be loaded: `chunks` of ranges, each small enough for one statement.
CREATE OR REPLACE FUNCTION kafka._begin(
  source text, max_records bigint,
  OUT load_no bigint, OUT chunks text[], OUT records bigint, OUT lag bigint, OUT reason text,
  OUT next_offsets bigint[], OUT moved boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  last kafka.load_history%ROWTYPE;
  known integer;
  p record;
  at bigint;
  upto bigint;
  most bigint;
  range text;
  chunk text := '';
BEGIN
  s := kafka._open(source, 'INSERT');
  IF s.paused THEN
    RAISE EXCEPTION 'source "%" is paused', s.name
      USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'kafka.resume lets it go on.';
  END IF;
  IF _begin.max_records < 1 THEN
    RAISE EXCEPTION 'max_records is %: it must be 1 or more', _begin.max_records
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM kafka._check_reader(s);
  SELECT h.* INTO last FROM kafka.load_history h WHERE h.source = s.name
  ORDER BY h.load_no DESC LIMIT 1;
  load_no := coalesce(last.load_no, 0);
  known := coalesce(array_length(last.next_offsets, 1), 0);
  most := least(_begin.max_records, s.max_records);
  chunks := '{}';
  records := 0;
  lag := 0;
  reason := 'end';
  next_offsets := '{}';
  FOR p IN SELECT * FROM kafka._plan_checked(s, last, NULL) LOOP
    IF p.partition_no < known THEN
      at := last.next_offsets[p.partition_no + 1];
    ELSIF known > 0 OR s.fallback = 'earliest' THEN
      at := p.earliest; -- a partition that has joined, whatever the fallback: all of it is new
    ELSIF s.fallback = 'latest' THEN
      at := p.end_offset;
    ELSE
      RAISE EXCEPTION 'source "%" was never loaded, and its fallback is "fail"', s.name
        USING ERRCODE = 'object_not_in_prerequisite_state',
          HINT = 'kafka.seek says where to start.';
    END IF;
    IF at < p.earliest OR at > p.end_offset THEN
      IF s.on_lost = 'fail' THEN
        RAISE EXCEPTION 'topic "%" partition % has the offsets % to %, but source "%" stands at %',
          s.topic, p.partition_no, p.earliest, p.end_offset, s.name, at
          USING ERRCODE = 'data_exception',
            DETAIL = 'Records were deleted before they were loaded, or the topic was made anew.',
            HINT = 'kafka.seek moves the source, at the price of what is gone.';
      END IF;
      at := CASE s.on_lost WHEN 'earliest' THEN p.earliest ELSE p.end_offset END;
    END IF;
    upto := least(p.end_offset, at + most);
    IF upto < p.end_offset THEN reason := 'max_records'; END IF;
    next_offsets := next_offsets || upto;
    records := records + upto - at;
    lag := lag + p.end_offset - upto;
    CONTINUE WHEN upto = at;
    range := p.partition_no || ':' || at || '-' || upto;
    IF chunk <> '' AND length(chunk) + length(range) >= kafka._room(s.topic) THEN
      chunks := chunks || chunk;
      chunk := '';
    END IF;
    chunk := chunk || CASE chunk WHEN '' THEN '' ELSE ',' END || range;
  END LOOP;
  IF chunk <> '' THEN chunks := chunks || chunk; END IF;
  moved := next_offsets IS DISTINCT FROM last.next_offsets;
END
$$;

-- The topic's partitions in order, all of them. Tells Kafka's group on the way where the source
-- stands: what the database holds for good, and so not what this very transaction has loaded.
CREATE OR REPLACE FUNCTION kafka._plan_checked(
  s kafka.source, last kafka.load_history, at_time bigint)
RETURNS TABLE (partition_no integer, earliest bigint, end_offset bigint, at_offset bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  mirrored text[] := kafka._mirror(s, last);
  p record;
  expected integer := 0;
BEGIN
  FOR i IN 2 .. coalesce(array_length(mirrored, 1), 0) LOOP
    PERFORM count(*) FROM kafka._plan(s, mirrored[i], NULL);
  END LOOP;
  FOR p IN SELECT x.* FROM kafka._plan(s, mirrored[1], at_time) x ORDER BY x.partition_no LOOP
    IF p.topic <> s.topic OR p.partition_no <> expected
      OR NOT p.earliest BETWEEN 0 AND p.end_offset THEN
      RAISE EXCEPTION 'the planner of source "%" answers topic "%" partition % (% to %), not topic "%" partition %',
        s.name, p.topic, p.partition_no, p.earliest, p.end_offset, s.topic, expected
        USING ERRCODE = 'data_exception';
    END IF;
    partition_no := p.partition_no;
    earliest := p.earliest;
    end_offset := p.end_offset;
    at_offset := p.at_offset;
    expected := expected + 1;
    RETURN NEXT;
  END LOOP;
  IF expected < coalesce(array_length(last.next_offsets, 1), 1) THEN
    RAISE EXCEPTION 'topic "%" has % partitions, but source "%" has loaded %',
      s.topic, expected, s.name, coalesce(array_length(last.next_offsets, 1), 0)
      USING ERRCODE = 'data_exception', DETAIL = 'The topic was made anew.',
        HINT = 'kafka.drop_source, then add the source again.';
  END IF;
END
$$;

-- What to commit to the source's group: `PARTITION:OFFSET,…`, as many texts as it takes.
CREATE OR REPLACE FUNCTION kafka._mirror(s kafka.source, last kafka.load_history) RETURNS text[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  texts text[] := '{}';
  line text := '';
  item text;
BEGIN
  IF last.backend = pg_backend_pid() AND last.transaction_start = transaction_timestamp() THEN
    RETURN texts;
  END IF;
  FOR i IN 1 .. coalesce(array_length(last.next_offsets, 1), 0) LOOP
    item := (i - 1) || ':' || last.next_offsets[i];
    IF line <> '' AND length(line) + length(item) >= kafka._room(s.topic) THEN
      texts := texts || line;
      line := '';
    END IF;
    line := line || CASE line WHEN '' THEN '' ELSE ',' END || item;
  END LOOP;
  RETURN CASE line WHEN '' THEN texts ELSE texts || line END;
END
$$;

-- The last step: what was loaded, and where the next load starts.
CREATE OR REPLACE FUNCTION kafka._finish(
  source text, load_no bigint, reason text, started timestamptz, rows bigint, rejected bigint,
  records bigint, lag bigint, ranges text, next_offsets bigint[])
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
BEGIN
  s := kafka._open(source, 'INSERT');
  IF rows + rejected > records THEN
    RAISE EXCEPTION 'source "%" gave % rows for % records', s.name, rows + rejected, records
      USING ERRCODE = 'data_exception',
        DETAIL = 'A value holds more than one row, or the reader reads more than it was told.';
  END IF;
  INSERT INTO kafka.load_history (source, load_no, reason, started, seconds, rows, rejected,
    records, lag, ranges, next_offsets, loaded_by)
  VALUES (s.name, load_no, reason, started,
    extract(epoch FROM clock_timestamp() - started), rows, rejected,
    records, lag, ranges, next_offsets, kafka._caller());
END
$$;

-- Loads what is new in a source's topic, at most max_records of each partition: rows and offsets
-- in the caller's transaction. `reason` is `end`, or `max_records` where there is more to load.
CREATE OR REPLACE FUNCTION kafka.load(source text, max_records bigint DEFAULT NULL)
RETURNS TABLE (rows bigint, rejected bigint, records bigint, lag bigint, reason text,
  seconds double precision, load_no bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  started constant timestamptz := clock_timestamp();
  step record;
  done record;
  chunk text;
BEGIN
  rows := 0;
  rejected := 0;
  SELECT b.* INTO step FROM kafka._begin(source, max_records) b;
  FOREACH chunk IN ARRAY step.chunks LOOP
    SELECT c.rows, c.rejected INTO done FROM kafka._copy(source, chunk) c;
    rows := rows + done.rows;
    rejected := rejected + done.rejected;
  END LOOP;
  records := step.records;
  lag := step.lag;
  reason := step.reason;
  load_no := step.load_no;
  IF step.moved THEN
    load_no := load_no + 1;
    PERFORM kafka._finish(source, load_no, reason, started, rows, rejected, records, lag,
      array_to_string(step.chunks, ','), step.next_offsets);
  END IF;
  seconds := extract(epoch FROM clock_timestamp() - started);
  RETURN NEXT;
END
$$;
-- What a DBA does with sources, and sees of them.

-- Adds a source, or changes one and leaves it where it stands. Without columns it takes all of the
-- target's, in their order. For the owner of this schema only.
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
  s.name := add_source.name;
  s.topic := add_source.topic;
  SELECT format('%I.%I', n.nspname, c.relname) INTO s.target
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = add_source.target;
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
    RAISE EXCEPTION 'source "%" stands in another topic', s.name
      USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'kafka.drop_source forgets where it stands.';
  END IF;
  UPDATE kafka.source x SET topic = s.topic, target = s.target, columns = s.columns,
    reader = s.reader, planner = s.planner, brokers = s.brokers, config_file = s.config_file,
    group_name = s.group_name, fallback = s.fallback, on_lost = s.on_lost,
    max_records = s.max_records
  WHERE x.name = s.name;
  IF NOT FOUND THEN
    INSERT INTO kafka.source (name, topic, target, columns, reader, planner, brokers, config_file,
      group_name, fallback, on_lost, max_records)
    VALUES (s.name, s.topic, s.target, s.columns, s.reader, s.planner, s.brokers, s.config_file,
      s.group_name, s.fallback, s.on_lost, s.max_records);
  END IF;
END
$$;

-- Forgets a source, its history and where it stands. The tables stay.
CREATE OR REPLACE FUNCTION kafka.drop_source(name text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
BEGIN
  s := kafka._open(name, 'OWNER');
  DELETE FROM kafka.load_history h WHERE h.source = s.name;
  DELETE FROM kafka.source x WHERE x.name = s.name;
END
$$;

-- Moves a source: the next load starts there. `position` is earliest, latest, @TIME (the first
-- record as late), or PARTITION:OFFSET,… (the other partitions stay). For the target's owner.
CREATE OR REPLACE FUNCTION kafka.seek(source text, "position" text)
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
  lag bigint := 0;
BEGIN
  s := kafka._open(source, 'OWNER');
  IF wanted LIKE '@%' THEN
    at_time := (extract(epoch FROM substr(wanted, 2)::timestamptz) * 1000)::bigint;
  ELSIF wanted ~ '^[0-9]{1,9}:[0-9]{1,18}(,[0-9]{1,9}:[0-9]{1,18})*$' THEN
    FOREACH item IN ARRAY string_to_array(wanted, ',') LOOP
      given[split_part(item, ':', 1)::integer + 1] := split_part(item, ':', 2);
    END LOOP;
  ELSIF wanted IS NULL OR wanted NOT IN ('earliest', 'latest') THEN
    RAISE EXCEPTION '"%" is none of earliest, latest, @TIME, PARTITION:OFFSET,…', wanted
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT h.* INTO last FROM kafka.load_history h WHERE h.source = s.name
  ORDER BY h.load_no DESC LIMIT 1;
  FOR p IN SELECT * FROM kafka._plan_checked(s, last, at_time) LOOP
    partition_no := p.partition_no;
    next_offset := CASE
      WHEN wanted = 'earliest' THEN p.earliest
      WHEN wanted = 'latest' THEN p.end_offset
      WHEN at_time IS NOT NULL THEN coalesce(p.at_offset, p.end_offset)
      ELSE coalesce(given[p.partition_no + 1], last.next_offsets[p.partition_no + 1], p.earliest)
    END;
    IF given[p.partition_no + 1] NOT BETWEEN p.earliest AND p.end_offset THEN
      RAISE EXCEPTION 'topic "%" partition % has the offsets % to %, not %', s.topic,
        p.partition_no, p.earliest, p.end_offset, given[p.partition_no + 1]
        USING ERRCODE = 'invalid_parameter_value';
    END IF;
    next_offsets := next_offsets || next_offset;
    lag := lag + greatest(p.end_offset - next_offset, 0);
    RETURN NEXT;
  END LOOP;
  IF array_upper(given, 1) > array_length(next_offsets, 1) THEN
    RAISE EXCEPTION 'topic "%" has no partition %', s.topic, array_upper(given, 1) - 1
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO kafka.load_history (source, load_no, reason, started, seconds, rows, rejected,
    records, lag, ranges, next_offsets, loaded_by)
  VALUES (s.name, coalesce(last.load_no, 0) + 1, 'seek', started,
    extract(epoch FROM clock_timestamp() - started), 0, 0, 0, lag, '', next_offsets,
    kafka._caller());
END
$$;

-- Pauses a source: its loads are refused until kafka.resume. For the target's owner.
CREATE OR REPLACE FUNCTION kafka.pause(source text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
BEGIN
  s := kafka._open(source, 'OWNER');
  UPDATE kafka.source x SET paused = true WHERE x.name = s.name;
END
$$;

CREATE OR REPLACE FUNCTION kafka.resume(source text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
BEGIN
  s := kafka._open(source, 'OWNER');
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
  array_length(h.next_offsets, 1) AS partitions, n.loads, n.rows_loaded, n.rows_rejected
FROM kafka.source s
LEFT JOIN (
  SELECT x.source, max(x.load_no) AS load_no, count(*) AS loads, sum(x.rows) AS rows_loaded,
    sum(x.rejected) AS rows_rejected
  FROM kafka.load_history x GROUP BY x.source
) n ON n.source = s.name
LEFT JOIN kafka.load_history h ON h.source = n.source AND h.load_no = n.load_no;

-- How far a source (all of them without a name) is behind its topic now. Asks Kafka; where that
-- fails, the source's one row says why.
CREATE OR REPLACE FUNCTION kafka.lag_of(only_source text DEFAULT NULL)
RETURNS TABLE (source text, topic text, partition_no integer, earliest bigint, end_offset bigint,
  next_offset bigint, lag bigint, error text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  last kafka.load_history%ROWTYPE;
  p record;
  -- All names first: no cursor is open while a planner fails.
  names constant text[] := ARRAY(SELECT x.name FROM kafka.source x
    WHERE x.name = only_source OR only_source IS NULL ORDER BY x.name);
BEGIN
  FOREACH source IN ARRAY names LOOP
    SELECT x.* INTO s FROM kafka.source x WHERE x.name = source;
    topic := s.topic;
    SELECT h.* INTO last FROM kafka.load_history h WHERE h.source = s.name
    ORDER BY h.load_no DESC LIMIT 1;
    BEGIN
      FOR p IN SELECT x.* FROM kafka._plan(s, NULL, NULL) x ORDER BY x.partition_no LOOP
        partition_no := p.partition_no;
        earliest := p.earliest;
        end_offset := p.end_offset;
        next_offset := last.next_offsets[p.partition_no + 1];
        lag := p.end_offset - coalesce(next_offset, p.earliest);
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

COMMIT;
