-- kafka.load and its steps; those of sources that gpdb-kafka reads itself are in client.sql. What
-- differs between the two databases is in kafka._own_way, kafka._lock, kafka._lock_target, kafka._check_reader, kafka._holds_rows, kafka._plan, kafka._copy, kafka._logged and kafka._room.
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
        WHEN found_source.latest IS NULL THEN privilege
        WHEN found_source.via = 'client' THEN 'SELECT, ' || privilege || ' and DELETE'
        ELSE privilege || ' and DELETE' END,
      found_source.target
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF privilege = 'INSERT' THEN PERFORM kafka._check_target(found_source); END IF;
  RETURN found_source;
END
$$;

-- The same, locked until the transaction ends. `use`: a load (one at a time), the end of a load or of a
-- share of one (`finish`: these one after the other), a change (while neither is under way).
CREATE OR REPLACE FUNCTION kafka._open(source text, privilege text, caller text, use text DEFAULT NULL)
RETURNS kafka.source
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM kafka._find(source, privilege, caller);
  PERFORM kafka._lock(source, coalesce(use, CASE privilege WHEN 'INSERT' THEN 'load' ELSE 'change' END));
  -- Again: it may have been changed or dropped meanwhile.
  IF NOT EXISTS (SELECT 1 FROM kafka.source s WHERE s.name = _open.source) THEN
    RAISE EXCEPTION 'source "%" was dropped while this session waited for it', _open.source
      USING ERRCODE = 'undefined_object';
  END IF;
  RETURN kafka._find(source, privilege, caller);
END
$$;

CREATE OR REPLACE FUNCTION kafka._check_paused(s kafka.source) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF s.paused THEN
    RAISE EXCEPTION 'source "%" is paused', s.name
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Resume it with kafka.resume.';
  END IF;
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

-- The first steps of a load: locks the source, asks Kafka where its topics start and end, writes
-- down what is to be loaded, and returns it: `chunks` of ranges, each small enough for one
-- statement. With a `share` (see kafka._next) it locks nothing: whoever has made the shares does, and
-- kafka._finish compares where the source stands then.
CREATE OR REPLACE FUNCTION kafka._begin(
  source text, max_records bigint, caller text DEFAULT kafka._me(), share text[] DEFAULT NULL,
  OUT load_no bigint, OUT chunks text[], OUT records bigint, OUT lag bigint, OUT lost bigint,
  OUT reason text, OUT moved boolean, OUT is_staged boolean, OUT topics json)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  started constant timestamptz := clock_timestamp();
  s kafka.source%ROWTYPE;
  last kafka.load_history%ROWTYPE;
  next kafka.load_plan%ROWTYPE;
BEGIN
  IF share IS NULL THEN
    s := kafka._open(source, 'INSERT', caller);
  ELSE
    s := kafka._find(source, 'INSERT', caller);
    IF s.stage IS NOT NULL THEN
      RAISE EXCEPTION 'cannot load source "%" by shares: it maps or merges its rows', s.name
        USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
  END IF;
  IF kafka._handed_over(s) IS NULL THEN PERFORM kafka._not_of_client(s); END IF;
  PERFORM kafka._lock_target(s);
  PERFORM kafka._check_paused(s);
  IF _begin.max_records < 1 THEN
    RAISE EXCEPTION 'max_records is %: it must be 1 or more', _begin.max_records
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  last := kafka._last(s.name);
  next := kafka._next(s, last, least(_begin.max_records, s.max_records), true, share);
  chunks := kafka._chunks(next.ranges, kafka._room(coalesce(s.topic, '')));
  records := next.records;
  lag := next.lag;
  lost := next.lost;
  reason := next.reason;
  is_staged := s.stage IS NOT NULL;
  topics := kafka._topics_json(next.topics, next.topic_records, next.topic_lags);
  moved := next.next_offsets IS DISTINCT FROM last.next_offsets OR next.topics <> last.topics
    OR next.topic_starts <> last.topic_starts;
  load_no := coalesce(last.load_no, 0) + moved::integer;
  -- Whatever somebody else has put there.
  IF is_staged AND records > 0 THEN PERFORM kafka._clear(s.stage); END IF;
  IF moved THEN
    -- Made here: what Greenplum makes of it on its segments may be another text.
    next.definition := s::text;
    next.planned := clock_timestamp();
    INSERT INTO kafka.load_plan (source, load_no, planned, definition, reason, started, records,
      lag, lost, ranges, starts, next_offsets, cluster_id, leader_epochs, topics, topic_ids, topic_starts,
      topic_records, topic_lags)
    VALUES (s.name, load_no, next.planned, next.definition, reason, started, records,
      lag, lost, next.ranges, next.starts, next.next_offsets, next.cluster_id, next.leader_epochs, next.topics,
      next.topic_ids, next.topic_starts, next.topic_records, next.topic_lags);
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
  next := kafka._next(s, kafka._last(s.name), s.max_records, false, NULL);
  records := next.records;
  lost := next.lost;
  reason := next.reason;
  RETURN NEXT;
END
$$;

-- A plan as the history's row after `last`. Usually it was planned so. After another share of the same
-- load has ended, `last` says where its partitions stand, and the plan where those stand that it has
-- moved. Rejected if they were moved by others meanwhile: what the plan has read would be there twice, or
-- something between would be left out.
CREATE OR REPLACE FUNCTION kafka._after(plan kafka.load_plan, last kafka.load_history)
RETURNS kafka.load_plan
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  next constant bigint := coalesce(last.load_no, 0) + 1;
  is_same boolean := (last.topics, last.topic_ids, last.topic_starts, last.cluster_id, array_length(last.next_offsets, 1))
    IS NOT DISTINCT FROM (plan.topics, plan.topic_ids, plan.topic_starts, plan.cluster_id, array_length(plan.starts, 1));
BEGIN
  IF plan.load_no = next THEN RETURN plan; END IF;
  FOR i IN 1 .. array_length(plan.starts, 1) LOOP
    EXIT WHEN NOT is_same;
    IF plan.next_offsets[i] = plan.starts[i] THEN
      plan.next_offsets[i] := last.next_offsets[i];
      plan.leader_epochs[i] := last.leader_epochs[i];
    ELSE
      -- An offset of a log that was cut and has grown again has another epoch.
      is_same := last.next_offsets[i] IS NOT DISTINCT FROM plan.starts[i]
        AND last.leader_epochs[i] IS NOT DISTINCT FROM plan.leader_epochs[i];
    END IF;
  END LOOP;
  IF NOT is_same THEN
    RAISE EXCEPTION 'cannot finish a load of source "%": another session has loaded or moved it meanwhile', plan.source
      USING ERRCODE = 'serialization_failure', HINT = 'Load it again.';
  END IF;
  FOR i IN 1 .. array_length(plan.topics, 1) LOOP
    -- Null for a topic that the source does not load any more.
    plan.topic_lags[i] := CASE WHEN last.topic_lags[i] IS NOT NULL
      THEN greatest(last.topic_lags[i] - plan.topic_records[i], 0) END;
  END LOOP;
  plan.lag := greatest(last.lag - plan.records, 0);
  plan.load_no := next;
  RETURN plan;
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
  h kafka.load_plan%ROWTYPE;
  is_possible boolean;
BEGIN
  s := kafka._open(source, 'INSERT', caller, 'finish');
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
  LOOP
    h := kafka._after(p, kafka._last(s.name));
    BEGIN
      INSERT INTO kafka.load_history (source, load_no, reason, started, seconds, rows, rejected,
        inserted, updated, deleted, filtered, rows_read,
        records, lag, lost, ranges, next_offsets, cluster_id, leader_epochs, topics, topic_ids,
        topic_starts, topic_records, topic_lags, loaded_by)
      VALUES (s.name, h.load_no, h.reason, h.started,
        extract(epoch FROM clock_timestamp() - h.started), rows, rejected,
        rows - updated, updated, deleted, filtered, rows_read,
        h.records, h.lag, h.lost, h.ranges, h.next_offsets, h.cluster_id, h.leader_epochs, h.topics,
        h.topic_ids, h.topic_starts, h.topic_records, h.topic_lags, kafka._caller());
      RETURN;
    EXCEPTION WHEN unique_violation THEN
      NULL; -- Another share has ended while this one waited to write its row.
    END;
  END LOOP;
END
$$;

-- Loads what is new in a source's topics, at most max_records of each partition: rows and offsets
-- in the caller's transaction. `reason` is `end`, or `max_records` if there is more to load; `lost`
-- is how many offsets on_lost skipped. `rows` were inserted: `updated` of them took the place of a row
-- with their key, `inserted` are the others. `topics` has the records and the lag of each topic.
CREATE OR REPLACE FUNCTION kafka.load(
  source text, max_records bigint DEFAULT NULL, caller text DEFAULT kafka._me())
RETURNS TABLE (rows bigint, rejected bigint, records bigint, lag bigint, reason text,
  seconds double precision, load_no bigint, lost bigint, inserted bigint, updated bigint,
  deleted bigint, filtered bigint, rows_read bigint, topics json)
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
  topics := step.topics;
  seconds := extract(epoch FROM clock_timestamp() - started);
  RETURN NEXT;
END
$$;
