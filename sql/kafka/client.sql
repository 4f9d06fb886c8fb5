-- Sources that gpdb-kafka reads itself (--via client): it asks Kafka where the topic ends, hands that
-- over, streams the rows by COPY … FROM STDIN, and writes the offsets down in the same transaction, by
-- the same steps as kafka.load:
--
--   kafka._stand → kafka._client_begin → COPY → kafka._apply (if there is a stage) → kafka._client_finish
--
-- Several sessions may load a share of the partitions each, of a source without a stage: one calls
-- kafka._stand and ends last, which keeps other loads and changes away; the others go from
-- kafka._client_begin to their commit in any order, with a row in the history each.
--
-- No program runs on the database's hosts, so nobody needs the right to run one. COPY and kafka._apply
-- run with the rights of the role that loads, as an INSERT of its own would.

-- Who reads a source's topic that says nothing of it; of sources that are older than the column.
UPDATE kafka.source SET via = kafka._own_way() WHERE via IS NULL;

-- Ends what the database cannot do, as it does not read the topic itself.
CREATE OR REPLACE FUNCTION kafka._not_of_client(s kafka.source) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF s.via = 'client' THEN
    RAISE EXCEPTION 'cannot load source "%" with kafka.load: gpdb-kafka reads it, not the database (--via client)', s.name
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('Run gpdb-kafka load %s.', s.name);
  END IF;
END
$$;

-- The plan that this transaction has handed over for a source, as JSON; null without one. In a setting
-- of the transaction: so it is gone after it, and leaves no rows behind.
CREATE OR REPLACE FUNCTION kafka._handed_over(s kafka.source) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  plan text;
BEGIN
  BEGIN
    plan := current_setting('kafka.plan');
  EXCEPTION WHEN undefined_object THEN
    NULL; -- it was never set in this session
  END;
  IF coalesce(plan, '') = '' OR (plan::json->>'source') IS DISTINCT FROM s.name THEN RETURN NULL; END IF;
  RETURN plan::json->'rows';
END
$$;

-- The rows of that plan: what a planner would have printed.
CREATE OR REPLACE FUNCTION kafka._client_plan(s kafka.source) RETURNS SETOF kafka._plan_row
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  plan constant json := kafka._handed_over(s);
BEGIN
  IF plan IS NULL THEN
    RAISE EXCEPTION 'the database cannot ask Kafka about source "%": gpdb-kafka reads it (--via client) — use gpdb-kafka lag --source %, or gpdb-kafka seek % POSITION',
      s.name, s.name, s.name
      USING ERRCODE = 'object_not_in_prerequisite_state';
  ELSIF EXISTS (SELECT 1 FROM json_populate_recordset(NULL::kafka._plan_row, plan) p
    WHERE p.topic IS NULL OR p.partition_no IS NULL OR p.earliest IS NULL OR p.end_offset IS NULL) THEN
    RAISE EXCEPTION 'cannot use the plan of source "%" that was handed over: a row lacks its topic, partition, start or end', s.name
      USING ERRCODE = 'data_exception';
  END IF;
  RETURN QUERY SELECT p.* FROM json_populate_recordset(NULL::kafka._plan_row, plan) p;
END
$$;

-- The source's row, locked until the transaction ends; only of a source that a client reads.
CREATE OR REPLACE FUNCTION kafka._open_client(source text, privilege text, caller text) RETURNS kafka.source
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
BEGIN
  s := kafka._open(source, privilege, caller);
  PERFORM kafka._check_client(s);
  RETURN s;
END
$$;

CREATE OR REPLACE FUNCTION kafka._check_client(s kafka.source) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF s.via <> 'client' THEN
    RAISE EXCEPTION 'the database reads source "%" itself: call kafka.load', s.name
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
END
$$;

-- What the program that reads a source must know before it asks Kafka: how it is read, where it stands
-- (see kafka._told), of one topic which log that is, and the time that a position names, in milliseconds;
-- for shares whether there can be any, and the number of the last load. `purpose`: load and seek lock
-- the source; check and lag do not.
CREATE OR REPLACE FUNCTION kafka._stand(
  source text, purpose text, "position" text DEFAULT NULL, caller text DEFAULT kafka._me(),
  OUT topic text, OUT topics json, OUT topic_pattern text, OUT group_name text, OUT reader text,
  OUT stands text[], OUT log_hash text, OUT at_time bigint, OUT is_staged boolean, OUT load_no bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  last kafka.load_history%ROWTYPE;
BEGIN
  IF purpose = 'load' THEN
    s := kafka._open_client(source, 'INSERT', caller);
    PERFORM kafka._check_paused(s);
  ELSIF purpose = 'seek' THEN
    s := kafka._open(source, 'OWNER', caller);
  ELSIF purpose = 'lag' THEN
    SELECT x.* INTO s FROM kafka.source x WHERE x.name = source
      AND (kafka._may(x, 'INSERT', caller) OR kafka._may(x, 'OWNER', caller));
    IF NOT FOUND THEN PERFORM kafka._find(source, 'INSERT', caller); END IF;
  ELSE
    s := kafka._find(source, 'INSERT', caller);
  END IF;
  last := kafka._last(s.name);
  topic := s.topic;
  topics := array_to_json(s.topics);
  topic_pattern := s.topic_pattern;
  group_name := s.group_name;
  reader := s.reader;
  is_staged := s.stage IS NOT NULL;
  load_no := coalesce(last.load_no, 0);
  stands := kafka._told(s, last);
  IF s.topic IS NOT NULL THEN
    log_hash := kafka._log_hash(last, kafka._topic_no(last, s.topic));
  END IF;
  IF "position" IS NOT NULL THEN
    SELECT g.at_time INTO at_time FROM kafka._goal(s, "position") g;
  END IF;
END
$$;

-- Lets a role write to the tables of a source's loads, if it may not yet: the role that loads.
CREATE OR REPLACE FUNCTION kafka._lend(s kafka.source, role name) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  part text;
BEGIN
  FOREACH part IN ARRAY ARRAY[s.stage, s.latest] LOOP
    IF part IS NOT NULL AND NOT (has_table_privilege(role, part, 'SELECT') AND has_table_privilege(role, part, 'INSERT')
      AND has_table_privilege(role, part, 'DELETE') AND has_table_privilege(role, part, 'TRUNCATE')) THEN
      EXECUTE format('GRANT SELECT, INSERT, DELETE, TRUNCATE ON %s TO %I', part, role);
    END IF;
  END LOOP;
  FOREACH part IN ARRAY ARRAY[s.fields_view, s.shape_view, s.unfit_view] LOOP
    IF part IS NOT NULL AND NOT has_table_privilege(role, part, 'SELECT') THEN
      EXECUTE format('GRANT SELECT ON %s TO %I', part, role);
    END IF;
  END LOOP;
END
$$;

-- kafka._begin for a client, with the plan that it has made. `place` and `columns` are what it is to
-- COPY the rows of `ranges` into. With a `share` another session has locked the source, and found it after
-- load `stood`: what Kafka was asked was asked from there.
CREATE OR REPLACE FUNCTION kafka._client_begin(
  source text, max_records bigint, plan text, caller text DEFAULT kafka._me(),
  share text[] DEFAULT NULL, stood bigint DEFAULT NULL,
  OUT load_no bigint, OUT ranges text, OUT records bigint, OUT lag bigint, OUT lost bigint,
  OUT reason text, OUT moved boolean, OUT is_staged boolean, OUT place text, OUT columns text,
  OUT topics json)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  step record;
BEGIN
  IF share IS NULL THEN
    s := kafka._open_client(source, 'INSERT', caller);
  ELSE
    s := kafka._find(source, 'INSERT', caller);
    PERFORM kafka._check_client(s);
    IF coalesce((kafka._last(s.name)).load_no, 0) IS DISTINCT FROM stood THEN
      RAISE EXCEPTION 'cannot load a share of source "%": another session has loaded or moved it meanwhile', s.name
        USING ERRCODE = 'serialization_failure', HINT = 'Load it again.';
    END IF;
  END IF;
  IF s.stage IS NOT NULL THEN
    -- Other roles that load may write to it, too: not during this load.
    EXECUTE 'LOCK TABLE ' || s.stage || ' IN SHARE ROW EXCLUSIVE MODE';
    PERFORM kafka._lend(s, kafka._role_of(caller));
  END IF;
  PERFORM set_config('kafka.plan', plan, true);
  SELECT b.* INTO step FROM kafka._begin(source, max_records, caller, share) b;
  PERFORM set_config('kafka.plan', '', true);
  load_no := step.load_no;
  ranges := array_to_string(step.chunks, ',');
  records := step.records;
  lag := step.lag;
  lost := step.lost;
  reason := step.reason;
  moved := step.moved;
  is_staged := step.is_staged;
  topics := step.topics;
  place := coalesce(s.stage, s.target_table::text);
  columns := kafka._list(coalesce(s.stage_columns, s.columns));
END
$$;

-- kafka._finish for a client. Returns the number that the load has got in the history.
CREATE OR REPLACE FUNCTION kafka._client_finish(
  source text, rows bigint, rejected bigint, updated bigint, deleted bigint, filtered bigint,
  rows_read bigint, caller text DEFAULT kafka._me())
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM kafka._check_client(kafka._find(source, 'INSERT', caller));
  PERFORM kafka._finish(source, rows, rejected, updated, deleted, filtered, rows_read, caller);
  RETURN (kafka._last(source)).load_no;
END
$$;
