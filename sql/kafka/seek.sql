-- Where a source goes.

-- What a position of kafka.seek means: the topics that are moved ({*}: all), and either a place
-- (earliest, latest), or a time, or offsets of partitions.
CREATE OR REPLACE FUNCTION kafka._goal(
  s kafka.source, wanted text, OUT topics text[], OUT place text, OUT at_time bigint,
  OUT of_topics text[], OUT partitions integer[], OUT offsets bigint[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  topic text := substring(wanted FROM '^([a-zA-Z0-9._-]+):(?:earliest$|latest$|@)');
  part constant text := CASE WHEN topic IS NULL THEN wanted ELSE substr(wanted, length(topic) + 2) END;
  item text;
  fields text[];
BEGIN
  topics := ARRAY[coalesce(topic, '*')];
  IF part LIKE '@%' THEN
    at_time := (extract(epoch FROM substr(part, 2)::timestamptz) * 1000)::bigint;
  ELSIF part IN ('earliest', 'latest') THEN
    place := part;
  ELSIF part ~ '^([a-zA-Z0-9._-]+:)?[0-9]{1,9}:[0-9]{1,18}(,([a-zA-Z0-9._-]+:)?[0-9]{1,9}:[0-9]{1,18})*$' THEN
    topic := s.topic;
    topics := '{}';
    FOREACH item IN ARRAY string_to_array(part, ',') LOOP
      fields := string_to_array(item, ':');
      IF array_length(fields, 1) = 3 THEN
        topic := fields[1];
        fields := fields[2:3];
      ELSIF topic IS NULL THEN
        RAISE EXCEPTION '"%": source "%" has several topics', wanted, s.name
          USING ERRCODE = 'invalid_parameter_value', HINT = 'Use TOPIC:PARTITION:OFFSET,….';
      END IF;
      IF topic <> ALL (topics) THEN topics := topics || topic; END IF;
      of_topics := of_topics || topic;
      partitions := partitions || fields[1]::integer;
      offsets := offsets || fields[2]::bigint;
    END LOOP;
  ELSE
    RAISE EXCEPTION '"%" is not one of earliest, latest, @TIME, PARTITION:OFFSET,…%', wanted,
      CASE WHEN s.topic IS NULL THEN ', or one of these after TOPIC:' ELSE '' END
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$$;

-- Moves a source: the next load starts there. `position` is earliest, latest, @TIME (the first
-- record at or after it), or PARTITION:OFFSET,… (the other partitions stay). For one of several
-- topics TOPIC:earliest, TOPIC:latest, TOPIC:@TIME or TOPIC:PARTITION:OFFSET,…: other topics stay.
--
-- It is also the way to accept a log that is not the one loaded so far, or was truncated: the other
-- partitions then go to their first offset, or to where the two logs part. A topic of a pattern that
-- was deleted is forgotten. For the target's owner.
CREATE OR REPLACE FUNCTION kafka.seek(
  source text, "position" text, caller text DEFAULT kafka._me())
RETURNS TABLE (partition_no integer, next_offset bigint, topic text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  started constant timestamptz := clock_timestamp();
  last kafka.load_history%ROWTYPE;
  plan kafka.load_plan%ROWTYPE;
  goal record;
  wanted record;
  forgotten text[] := '{}';
  topic_no integer := 0;
  used integer := 0;
  given bigint;
  p record;
BEGIN
  s := kafka._open(source, 'OWNER', caller);
  PERFORM kafka._check_reader(s);
  SELECT g.* INTO goal FROM kafka._goal(s, seek."position") g;
  last := kafka._last(s.name);
  plan.lag := 0;
  plan.topics := '{}';
  plan.topic_ids := '{}';
  plan.topic_starts := '{}';
  plan.topic_records := '{}';
  plan.topic_lags := '{}';
  plan.next_offsets := '{}';
  plan.leader_epochs := '{}';
  FOR p IN SELECT * FROM kafka._plan_checked(s, last, goal.at_time, true, goal.topics) LOOP
    CONTINUE WHEN NOT (p.topic = ANY (goal.topics) OR '*' = ANY (goal.topics));
    topic := p.topic;
    partition_no := p.partition_no;
    next_offset := NULL;
    IF partition_no IS NULL THEN
      RAISE NOTICE 'source "%" forgets topic "%", which does not exist any more', s.name, topic;
      forgotten := forgotten || topic;
      RETURN NEXT;
      CONTINUE;
    END IF;
    IF topic IS DISTINCT FROM plan.topics[topic_no] THEN
      topic_no := topic_no + 1;
      plan.topics := plan.topics || topic;
      plan.topic_ids := array_append(plan.topic_ids, p.topic_id);
      plan.topic_starts := plan.topic_starts || coalesce(array_length(plan.next_offsets, 1), 0) + 1;
      plan.topic_records := plan.topic_records || 0::bigint;
      plan.topic_lags := plan.topic_lags || 0::bigint;
    END IF;
    given := NULL;
    FOR i IN 1 .. coalesce(array_length(goal.of_topics, 1), 0) LOOP
      IF goal.of_topics[i] = topic AND goal.partitions[i] = partition_no THEN
        given := goal.offsets[i];
        used := used + 1;
      END IF;
    END LOOP;
    next_offset := CASE
      WHEN goal.place = 'earliest' THEN p.earliest
      WHEN goal.place = 'latest' THEN p.end_offset
      WHEN goal.at_time IS NOT NULL THEN coalesce(p.at_offset, p.end_offset)
      ELSE coalesce(given, p.stands, p.earliest)
    END;
    IF given NOT BETWEEN p.earliest AND p.end_offset THEN
      RAISE EXCEPTION 'topic "%" partition % has the offsets % to %, not %', topic,
        p.partition_no, p.earliest, p.end_offset, given
        USING ERRCODE = 'invalid_parameter_value';
    END IF;
    plan.next_offsets := plan.next_offsets || next_offset;
    plan.leader_epochs := array_append(plan.leader_epochs, p.leader_epoch);
    plan.cluster_id := p.cluster_id;
    plan.topic_lags[topic_no] := plan.topic_lags[topic_no] + greatest(p.end_offset - next_offset, 0);
    plan.lag := plan.lag + greatest(p.end_offset - next_offset, 0);
    RETURN NEXT;
  END LOOP;
  FOR wanted IN SELECT t AS topic FROM unnest(goal.topics) t
    WHERE t <> '*' AND t <> ALL (plan.topics || forgotten) LIMIT 1 LOOP
    RAISE EXCEPTION 'source "%" does not load topic "%"', s.name, wanted.topic
      USING ERRCODE = 'invalid_parameter_value', HINT = 'kafka.load_offset has its topics.';
  END LOOP;
  FOR i IN 1 .. coalesce(array_length(goal.of_topics, 1), 0) LOOP
    EXIT WHEN used >= array_length(goal.of_topics, 1);
    FOR wanted IN SELECT k AS place FROM generate_subscripts(plan.topics, 1) k
      WHERE plan.topics[k] = goal.of_topics[i] AND goal.partitions[i] >=
        coalesce(plan.topic_starts[k + 1], array_length(plan.next_offsets, 1) + 1) - plan.topic_starts[k] LOOP
      RAISE EXCEPTION 'topic "%" has no partition %', goal.of_topics[i], goal.partitions[i]
        USING ERRCODE = 'invalid_parameter_value';
    END LOOP;
  END LOOP;
  IF plan.cluster_id <> last.cluster_id THEN
    IF NOT '*' = ANY (goal.topics) AND s.topic IS NULL THEN
      RAISE EXCEPTION 'cannot seek in some topics of source "%": they belong to cluster % now, and all others stand in %',
        s.name, plan.cluster_id, last.cluster_id
        USING ERRCODE = 'object_not_in_prerequisite_state',
          HINT = format('%s accepts the present logs of all of them.', kafka._seek_call(s, 'earliest'));
    END IF;
    forgotten := last.topics;
  END IF;
  plan := kafka._carried(plan, last, forgotten, true);
  FOR i IN 1 .. coalesce(array_length(plan.topics, 1), 0) LOOP
    IF NOT kafka._is_named(s, plan.topics[i]) THEN plan.topic_lags[i] := NULL; END IF;
  END LOOP;
  INSERT INTO kafka.load_history (source, load_no, reason, started, seconds, rows, rejected,
    inserted, rows_read, records, lag, ranges, next_offsets, cluster_id, leader_epochs, topics,
    topic_ids, topic_starts, topic_records, topic_lags, loaded_by)
  VALUES (s.name, coalesce(last.load_no, 0) + 1, 'seek', started,
    extract(epoch FROM clock_timestamp() - started), 0, 0, 0, 0, 0, plan.lag, '', plan.next_offsets,
    coalesce(plan.cluster_id, last.cluster_id), plan.leader_epochs, plan.topics, plan.topic_ids,
    plan.topic_starts, plan.topic_records, plan.topic_lags, kafka._caller());
END
$$;
