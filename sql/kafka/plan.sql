-- What Kafka answers of a source's topics, and whether they are the logs that the source has loaded.

-- Which of a history row's topics this is; null if it is not one of them.
CREATE OR REPLACE FUNCTION kafka._topic_no(last kafka.load_history, topic text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  FOR i IN 1 .. coalesce(array_length(last.topics, 1), 0) LOOP
    IF last.topics[i] = topic THEN RETURN i; END IF;
  END LOOP;
  RETURN NULL;
END
$$;

-- The place after the last partition of a history row's topic.
CREATE OR REPLACE FUNCTION kafka._topic_end(last kafka.load_history, topic_no integer) RETURNS integer
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce($1.topic_starts[$2 + 1], array_length($1.next_offsets, 1) + 1)
$$;

-- Whether a source loads a topic, as far as names say.
CREATE OR REPLACE FUNCTION kafka._is_named(s kafka.source, topic text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT $1.topic_pattern IS NOT NULL OR coalesce($2 = $1.topic, $2 = ANY ($1.topics))
$$;

-- A log's identity in 32 digits, as the planner makes it.
CREATE OR REPLACE FUNCTION kafka._log_hash(last kafka.load_history, topic_no integer) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT md5(coalesce($1.cluster_id, '') || '/' || coalesce($1.topic_ids[$2], ''))
$$;

-- The partitions of the source's topics in order, all of them. It also commits to Kafka's group
-- where the source stands, if `mirror`: what the database holds for good, and so not what this very
-- transaction has loaded. `stands` is where the source stands in this log; null for a partition that
-- it has never loaded.
--
-- Refuses a log that is not the one loaded so far, or that has lost records since: another cluster,
-- a topic recreated or deleted, a partition truncated by an unclean leader election. Offsets of one
-- log mean nothing in another. `accepts` is for kafka.seek: the topics that it moves, {*} for all.
-- Then `stands` is null in another log, and in a truncated one where the two differ; a topic of a
-- pattern that does not exist any more is a row without a partition. What is wrong with other topics
-- does not matter then.
CREATE OR REPLACE FUNCTION kafka._plan_checked(
  s kafka.source, last kafka.load_history, at_time bigint, mirror boolean, accepts text[])
RETURNS TABLE (topic text, partition_no integer, earliest bigint, end_offset bigint,
  at_offset bigint, stands bigint, cluster_id text, topic_id text, leader_epoch integer)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  told constant text[] := kafka._told(s, last);
  is_several constant boolean := s.topic IS NULL;
  to_mirror constant boolean := mirror
    AND (last.backend = pg_backend_pid() AND last.transaction_start = transaction_timestamp()) IS NOT TRUE;
  log_hash constant text := CASE WHEN NOT is_several
    THEN kafka._log_hash(last, kafka._topic_no(last, s.topic)) END;
  offsets constant bigint[] := last.next_offsets;
  epochs constant integer[] := last.leader_epochs;
  seen text[] := '{}';
  gone text[] := '{}';
  epoch_ends bigint[] := '{}';
  epoch_end bigint;
  same_topic boolean;
  accepted boolean;
  wrong text;
  p record;
  topic_no integer;
  first integer;
  loaded integer;
  expected integer;
BEGIN
  FOR i IN 2 .. coalesce(array_length(told, 1), 0) LOOP
    FOR p IN SELECT x.* FROM kafka._plan(s, told[i], log_hash, to_mirror, NULL) x
      WHERE x.epoch_end IS NOT NULL OR x.partition_no = -1 LOOP
      IF p.partition_no = -1 THEN
        gone := gone || p.topic;
      ELSE
        epoch_ends[last.topic_starts[kafka._topic_no(last, p.topic)] + p.partition_no] := p.epoch_end;
      END IF;
    END LOOP;
  END LOOP;
  FOR p IN SELECT x.* FROM kafka._plan(s, told[1], log_hash, to_mirror, at_time) x
    ORDER BY x.topic COLLATE "C", x.partition_no LOOP
    IF p.partition_no = -1 AND is_several THEN
      gone := gone || p.topic;
      CONTINUE;
    END IF;
    IF p.topic IS DISTINCT FROM topic THEN
      PERFORM kafka._check_count(s, topic, expected, loaded, same_topic, accepted);
      topic := p.topic;
      seen := seen || topic;
      topic_no := kafka._topic_no(last, topic);
      first := last.topic_starts[topic_no];
      loaded := coalesce(kafka._topic_end(last, topic_no) - first, 0);
      same_topic := true;
      accepted := accepts IS NULL OR topic = ANY (accepts) OR '*' = ANY (accepts);
      expected := 0;
    END IF;
    IF NOT kafka._is_named(s, topic) OR p.partition_no <> expected
      OR NOT p.earliest BETWEEN 0 AND p.end_offset THEN
      RAISE EXCEPTION 'the planner of source "%" answered for topic "%" partition % (% to %), not for % partition %',
        s.name, p.topic, p.partition_no, p.earliest, p.end_offset,
        CASE WHEN kafka._is_named(s, topic) THEN format('topic "%s"', topic) ELSE kafka._topics_text(s) END, expected
        USING ERRCODE = 'data_exception';
    END IF;
    partition_no := p.partition_no;
    earliest := p.earliest;
    end_offset := p.end_offset;
    at_offset := p.at_offset;
    cluster_id := p.cluster_id;
    topic_id := p.topic_id;
    leader_epoch := p.leader_epoch;
    stands := CASE WHEN partition_no < loaded THEN offsets[first + partition_no] END;
    epoch_end := coalesce(p.epoch_end, epoch_ends[first + partition_no]);
    wrong := NULL;
    IF cluster_id <> last.cluster_id THEN
      wrong := format('topic "%s" now belongs to cluster %s, but source "%s" has loaded it from cluster %s',
        topic, cluster_id, s.name, last.cluster_id);
    ELSIF topic_id <> last.topic_ids[topic_no] THEN
      wrong := format('topic "%s" was deleted and created again: its id is %s, but source "%s" has loaded %s',
        topic, topic_id, s.name, last.topic_ids[topic_no]);
    END IF;
    IF wrong IS NOT NULL THEN
      same_topic := false;
      stands := NULL;
    ELSIF epoch_end < stands THEN
      wrong := format('topic "%s" partition %s was truncated: what it has of leader epoch %s ends at offset %s, but source "%s" stands at %s in it',
        topic, partition_no, epochs[first + partition_no], epoch_end, s.name, stands);
      same_topic := epoch_end > 0;
      stands := greatest(epoch_end, earliest);
    ELSIF stands > end_offset THEN
      wrong := format('topic "%s" partition %s has the offsets %s to %s, but source "%s" stands at %s: the partition was truncated, or the topic was deleted and created again',
        topic, partition_no, earliest, end_offset, s.name, stands);
      stands := NULL;
    END IF;
    IF wrong IS NOT NULL AND accepts IS NULL THEN
      RAISE EXCEPTION '%', wrong USING ERRCODE = 'data_exception',
        HINT = format('%s accepts the present log, and starts at its first record.',
          kafka._seek_call(s, CASE WHEN is_several AND cluster_id IS NOT DISTINCT FROM last.cluster_id
            THEN topic || ':' ELSE '' END || 'earliest'));
    END IF;
    expected := expected + 1;
    RETURN NEXT;
  END LOOP;
  PERFORM kafka._check_count(s, topic, expected, loaded, same_topic, accepted);
  IF NOT is_several AND expected IS NULL THEN
    PERFORM kafka._check_count(s, s.topic, 0,
      coalesce(kafka._topic_end(last, kafka._topic_no(last, s.topic))
        - last.topic_starts[kafka._topic_no(last, s.topic)], 0), true, true);
  END IF;
  FOR topic IN SELECT DISTINCT g COLLATE "C" FROM unnest(gone) g ORDER BY 1 LOOP
    CONTINUE WHEN NOT (accepts IS NULL OR topic = ANY (accepts) OR '*' = ANY (accepts));
    IF accepts IS NULL OR s.topic_pattern IS NULL THEN
      RAISE EXCEPTION 'topic "%" of source "%" does not exist%', topic, s.name,
        CASE WHEN kafka._topic_no(last, topic) IS NULL THEN '' ELSE ' any more' END
        USING ERRCODE = 'data_exception', HINT = CASE
          WHEN s.topic_pattern IS NULL THEN
            'Create the topic, or leave it out of --topics and run the SQL of gpdb-kafka sql source again.'
          ELSE format('%s forgets it: what was not loaded of it is lost.',
            kafka._seek_call(s, topic || ':earliest'))
        END;
    END IF;
    partition_no := NULL;
    RETURN NEXT;
  END LOOP;
  IF s.topic_pattern IS NOT NULL AND seen = '{}' AND gone = '{}' THEN
    RAISE EXCEPTION 'no topic matches the pattern "%" of source "%"', s.topic_pattern, s.name
      USING ERRCODE = 'data_exception',
        HINT = 'Create a topic, or correct --topic-pattern and run the SQL of gpdb-kafka sql source again.';
  END IF;
  FOREACH topic IN ARRAY coalesce(s.topics, '{}') LOOP
    IF topic <> ALL (seen || gone) THEN
      RAISE EXCEPTION 'the planner of source "%" did not answer for topic "%"', s.name, topic
        USING ERRCODE = 'data_exception', HINT = 'Run the SQL of gpdb-kafka sql source again.';
    END IF;
  END LOOP;
END
$$;

-- Refuses a topic that has fewer partitions than were loaded.
CREATE OR REPLACE FUNCTION kafka._check_count(
  s kafka.source, topic text, partitions integer, loaded integer, same_topic boolean, accepted boolean)
RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF accepted AND (partitions = 0 OR partitions < loaded AND same_topic) THEN
    RAISE EXCEPTION 'topic "%" has % partitions, but source "%" has loaded %',
      topic, partitions, s.name, loaded
      USING ERRCODE = 'data_exception', DETAIL = 'The topic was deleted and created again.',
        HINT = 'Drop the source with kafka.drop_source, then add it again.';
  END IF;
END
$$;

-- A source's topics in a message.
CREATE OR REPLACE FUNCTION kafka._topics_text(s kafka.source) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce('topic "' || $1.topic || '"', 'one of topics "' || array_to_string($1.topics, '", "') || '"',
    'a topic that matches "' || $1.topic_pattern || '"')
$$;

-- The source's position, for the planner: `PARTITION:OFFSET[:EPOCH],…`, of several topics
-- `TOPIC=LOG/PARTITION:OFFSET[:EPOCH],…`, as many texts as it takes.
CREATE OR REPLACE FUNCTION kafka._told(s kafka.source, last kafka.load_history) RETURNS text[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  room constant integer := kafka._room(coalesce(s.topic, ''));
  offsets constant bigint[] := last.next_offsets;
  epochs constant integer[] := last.leader_epochs;
  texts text[] := '{}';
  line text := '';
  head text := '';
  item text;
  first integer;
BEGIN
  FOR topic_no IN 1 .. coalesce(array_length(last.topics, 1), 0) LOOP
    CONTINUE WHEN NOT kafka._is_named(s, last.topics[topic_no]);
    first := last.topic_starts[topic_no];
    IF s.topic IS NULL THEN
      head := last.topics[topic_no] || '=' || kafka._log_hash(last, topic_no) || '/';
    END IF;
    FOR place IN first .. kafka._topic_end(last, topic_no) - 1 LOOP
      item := (place - first) || ':' || offsets[place] || coalesce(':' || epochs[place], '');
      IF place = first THEN item := head || item; END IF;
      IF line <> '' AND length(line) + length(item) >= room THEN
        texts := texts || line;
        line := '';
        IF place > first THEN item := head || item; END IF;
      END IF;
      line := line || CASE line WHEN '' THEN '' ELSE ',' END || item;
    END LOOP;
  END LOOP;
  RETURN CASE line WHEN '' THEN texts ELSE texts || line END;
END
$$;

-- A plan with the topics of the last one that are not in it, as they stood there, but for those of
-- `without`. Their lag is kept if the source goes on to load them.
CREATE OR REPLACE FUNCTION kafka._carried(
  plan kafka.load_plan, last kafka.load_history, without text[], loads boolean)
RETURNS kafka.load_plan
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  planned constant text[] := plan.topics;
BEGIN
  FOR i IN 1 .. coalesce(array_length(last.topics, 1), 0) LOOP
    CONTINUE WHEN last.topics[i] = ANY (planned || without);
    plan.topics := plan.topics || last.topics[i];
    plan.topic_ids := array_append(plan.topic_ids, last.topic_ids[i]);
    plan.topic_starts := plan.topic_starts || coalesce(array_length(plan.next_offsets, 1), 0) + 1;
    plan.topic_records := array_append(plan.topic_records, CASE WHEN loads THEN 0::bigint END);
    plan.topic_lags := array_append(plan.topic_lags, CASE WHEN loads THEN last.topic_lags[i] END);
    plan.lag := plan.lag + CASE WHEN loads THEN coalesce(last.topic_lags[i], 0) ELSE 0 END;
    plan.next_offsets := plan.next_offsets
      || last.next_offsets[last.topic_starts[i] : kafka._topic_end(last, i) - 1];
    plan.starts := plan.starts || last.next_offsets[last.topic_starts[i] : kafka._topic_end(last, i) - 1];
    plan.leader_epochs := plan.leader_epochs || coalesce(
      last.leader_epochs[last.topic_starts[i] : kafka._topic_end(last, i) - 1],
      array_fill(NULL::integer, ARRAY[kafka._topic_end(last, i) - last.topic_starts[i]]));
  END LOOP;
  RETURN plan;
END
$$;

-- The call or the command that moves a source, for hints.
CREATE OR REPLACE FUNCTION kafka._seek_call(s kafka.source, "position" text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE $1.via WHEN 'client' THEN format('gpdb-kafka seek %s %s', $1.name, $2)
    ELSE format('SELECT kafka.seek(%L, %L)', $1.name, $2) END
$$;

-- An offset as a position of it.
CREATE OR REPLACE FUNCTION kafka._position(s kafka.source, topic text, partition_no integer, "offset" bigint)
RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN $1.topic IS NULL THEN $2 || ':' ELSE '' END || $3 || ':' || $4
$$;
