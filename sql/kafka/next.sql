-- What the next load of a source is to read.

-- What the next load reads, at most `most` records of each partition; `ranges` are all of it. The
-- same for kafka.load and for kafka.check_source. `mirror`: Kafka's group gets the offset where the
-- source stands. `share`: TOPIC:PARTITION of those that are read, the others stay; null: all.
CREATE OR REPLACE FUNCTION kafka._next(
  s kafka.source, last kafka.load_history, most bigint, mirror boolean, share text[])
RETURNS kafka.load_plan
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  plan kafka.load_plan%ROWTYPE;
  known constant integer := coalesce(array_length(last.next_offsets, 1), 0);
  ranges text[] := '{}';
  starts bigint[] := '{}';
  offsets bigint[] := '{}';
  epochs integer[] := '{}';
  topics text[] := '{}';
  records bigint[] := '{}';
  lags bigint[] := '{}';
  head text := '';
  topic_no integer := 0;
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
  plan.topic_ids := '{}';
  plan.topic_starts := '{}';
  FOR p IN SELECT * FROM kafka._plan_checked(s, last, NULL, mirror, NULL) LOOP
    IF p.topic IS DISTINCT FROM topics[topic_no] THEN
      topic_no := topic_no + 1;
      topics := topics || p.topic;
      records := records || 0::bigint;
      lags := lags || 0::bigint;
      plan.topic_ids := array_append(plan.topic_ids, p.topic_id);
      plan.topic_starts := plan.topic_starts || coalesce(array_length(offsets, 1), 0) + 1;
      IF s.topic IS NULL THEN head := p.topic || '/'; END IF;
    END IF;
    IF p.stands IS NOT NULL THEN
      at := p.stands;
    ELSIF known > 0 OR s.fallback = 'earliest' THEN
      at := p.earliest; -- a partition or topic that has joined, whatever the fallback: all of it is new
    ELSIF s.fallback = 'latest' THEN
      at := p.end_offset;
    ELSE
      RAISE EXCEPTION 'source "%" was never loaded, and its fallback is "fail"', s.name
        USING ERRCODE = 'object_not_in_prerequisite_state',
          HINT = format('%s, or another position, says where to start.', kafka._seek_call(s, 'earliest'));
    END IF;
    starts := starts || at;
    epochs := array_append(epochs, p.leader_epoch);
    plan.cluster_id := p.cluster_id;
    IF p.topic || ':' || p.partition_no <> ALL (share) THEN
      offsets := offsets || at;
      -- What its own share will skip is not waited for.
      resumed := CASE WHEN at < p.earliest AND s.on_lost = 'latest' THEN p.end_offset ELSE greatest(at, p.earliest) END;
      lags[topic_no] := lags[topic_no] + p.end_offset - resumed;
      plan.lag := plan.lag + p.end_offset - resumed;
      CONTINUE;
    END IF;
    IF at < p.earliest THEN
      IF s.on_lost = 'fail' THEN
        RAISE EXCEPTION 'topic "%" partition % has the offsets % to %, but source "%" stands at %',
          p.topic, p.partition_no, p.earliest, p.end_offset, s.name, at
          USING ERRCODE = 'data_exception',
            DETAIL = 'Records were deleted before they were loaded.',
            HINT = format('%s moves the source past the deleted records, which are lost.',
              kafka._seek_call(s, 'earliest'));
      END IF;
      resumed := CASE s.on_lost WHEN 'earliest' THEN p.earliest ELSE p.end_offset END;
      RAISE WARNING 'source "%", topic "%" partition %: offsets % to % are skipped (on_lost is %)',
        s.name, p.topic, p.partition_no, at, resumed, s.on_lost;
      plan.lost := plan.lost + resumed - at;
      at := resumed;
    END IF;
    upto := least(p.end_offset, at + most);
    IF upto < p.end_offset THEN plan.reason := 'max_records'; END IF;
    offsets := offsets || upto;
    records[topic_no] := records[topic_no] + upto - at;
    lags[topic_no] := lags[topic_no] + p.end_offset - upto;
    plan.records := plan.records + upto - at;
    plan.lag := plan.lag + p.end_offset - upto;
    IF upto > at THEN
      ranges := ranges || (head || p.partition_no || ':' || at || '-' || upto);
      head := '';
    END IF;
  END LOOP;
  plan.ranges := array_to_string(ranges, ',');
  plan.topics := topics;
  plan.topic_records := records;
  plan.topic_lags := lags;
  plan.starts := starts;
  plan.next_offsets := offsets;
  plan.leader_epochs := epochs;
  -- A topic that the source does not load any more goes on from here if it does so again.
  RETURN kafka._carried(plan, last, NULL, false);
END
$$;

-- Ranges as pieces of which each is small enough for one statement.
CREATE OR REPLACE FUNCTION kafka._chunks(ranges text, room integer) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  chunks text[] := '{}';
  chunk text := '';
  topic text := '';
  range text;
BEGIN
  FOREACH range IN ARRAY string_to_array(ranges, ',') LOOP
    IF position('/' IN range) > 0 THEN
      topic := split_part(range, '/', 1) || '/';
    ELSIF length(chunk) + length(range) >= room THEN
      range := topic || range;
    END IF;
    IF chunk <> '' AND length(chunk) + length(range) >= room THEN
      chunks := chunks || chunk;
      chunk := '';
    END IF;
    chunk := chunk || CASE chunk WHEN '' THEN '' ELSE ',' END || range;
  END LOOP;
  RETURN CASE chunk WHEN '' THEN chunks ELSE chunks || chunk END;
END
$$;

-- What a load says of each of its topics.
CREATE OR REPLACE FUNCTION kafka._topics_json(topics text[], records bigint[], lags bigint[])
RETURNS json
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  list text := '';
BEGIN
  FOR i IN 1 .. coalesce(array_length(topics, 1), 0) LOOP
    CONTINUE WHEN lags[i] IS NULL; -- not loaded any more
    list := list || CASE list WHEN '' THEN '' ELSE ', ' END
      || format('{"topic": "%s", "records": %s, "lag": %s}', topics[i], records[i], lags[i]);
  END LOOP;
  RETURN ('[' || list || ']')::json;
END
$$;
