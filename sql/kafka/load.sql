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
