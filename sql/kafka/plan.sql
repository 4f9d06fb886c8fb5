-- What Kafka answers of a source's topic, and whether it is the log that the source has loaded.

-- The topic's partitions in order, all of them. It also commits to Kafka's group where the source
-- stands, if `mirror`: what the database holds for good, and so not what this very transaction has
-- loaded. `stands` is where the source stands in this log; null for a partition that it has never
-- loaded.
--
-- Refuses a log that is not the one loaded so far, or that has lost records since: another cluster,
-- a topic recreated, a partition truncated by an unclean leader election. Offsets of one log mean
-- nothing in another. `accept_log` is for kafka.seek: then `stands` is null in another log, and in
-- a truncated one where the two differ.
CREATE OR REPLACE FUNCTION kafka._plan_checked(
  s kafka.source, last kafka.load_history, at_time bigint, mirror boolean, accept_log boolean)
RETURNS TABLE (partition_no integer, earliest bigint, end_offset bigint, at_offset bigint,
  stands bigint, cluster_id text, topic_id text, leader_epoch integer)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  told constant text[] := kafka._told(s, last);
  to_mirror constant boolean := mirror
    AND (last.backend = pg_backend_pid() AND last.transaction_start = transaction_timestamp()) IS NOT TRUE;
  log_hash constant text := md5(coalesce(last.cluster_id, '') || '/' || coalesce(last.topic_id, ''));
  loaded constant integer := coalesce(array_length(last.next_offsets, 1), 0);
  hint constant text := format(
    'SELECT kafka.seek(%L, ''earliest'') accepts the present log, and starts at its first record.',
    s.name);
  epoch_ends bigint[] := '{}';
  epoch_end bigint;
  same_topic boolean := true;
  wrong text;
  p record;
  expected integer := 0;
BEGIN
  FOR i IN 2 .. coalesce(array_length(told, 1), 0) LOOP
    FOR p IN SELECT x.* FROM kafka._plan(s, told[i], log_hash, to_mirror, NULL) x
      WHERE x.epoch_end IS NOT NULL LOOP
      epoch_ends[p.partition_no + 1] := p.epoch_end;
    END LOOP;
  END LOOP;
  FOR p IN SELECT x.* FROM kafka._plan(s, told[1], log_hash, to_mirror, at_time) x
    ORDER BY x.partition_no LOOP
    IF p.topic <> s.topic OR p.partition_no <> expected
      OR NOT p.earliest BETWEEN 0 AND p.end_offset THEN
      RAISE EXCEPTION 'the planner of source "%" answered for topic "%" partition % (% to %), not for topic "%" partition %',
        s.name, p.topic, p.partition_no, p.earliest, p.end_offset, s.topic, expected
        USING ERRCODE = 'data_exception';
    END IF;
    partition_no := p.partition_no;
    earliest := p.earliest;
    end_offset := p.end_offset;
    at_offset := p.at_offset;
    cluster_id := p.cluster_id;
    topic_id := p.topic_id;
    leader_epoch := p.leader_epoch;
    stands := last.next_offsets[partition_no + 1];
    epoch_end := coalesce(p.epoch_end, epoch_ends[partition_no + 1]);
    wrong := NULL;
    IF cluster_id <> last.cluster_id THEN
      wrong := format('topic "%s" now belongs to cluster %s, but source "%s" has loaded it from cluster %s',
        s.topic, cluster_id, s.name, last.cluster_id);
    ELSIF topic_id <> last.topic_id THEN
      wrong := format('topic "%s" was deleted and created again: its id is %s, but source "%s" has loaded %s',
        s.topic, topic_id, s.name, last.topic_id);
    END IF;
    IF wrong IS NOT NULL THEN
      same_topic := false;
      stands := NULL;
    ELSIF epoch_end < stands THEN
      wrong := format('topic "%s" partition %s was truncated: what it has of leader epoch %s ends at offset %s, but source "%s" stands at %s in it',
        s.topic, partition_no, last.leader_epochs[partition_no + 1], epoch_end, s.name, stands);
      same_topic := epoch_end > 0;
      stands := greatest(epoch_end, earliest);
    ELSIF stands > end_offset THEN
      wrong := format('topic "%s" partition %s has the offsets %s to %s, but source "%s" stands at %s: the partition was truncated, or the topic was deleted and created again',
        s.topic, partition_no, earliest, end_offset, s.name, stands);
      stands := NULL;
    END IF;
    IF wrong IS NOT NULL AND NOT accept_log THEN
      RAISE EXCEPTION '%', wrong USING ERRCODE = 'data_exception', HINT = hint;
    END IF;
    expected := expected + 1;
    RETURN NEXT;
  END LOOP;
  IF expected = 0 OR expected < loaded AND same_topic THEN
    RAISE EXCEPTION 'topic "%" has % partitions, but source "%" has loaded %',
      s.topic, expected, s.name, loaded
      USING ERRCODE = 'data_exception', DETAIL = 'The topic was deleted and created again.',
        HINT = 'Drop the source with kafka.drop_source, then add it again.';
  END IF;
END
$$;

-- The source's position, for the planner: `PARTITION:OFFSET[:EPOCH],…`, as many texts
-- as it takes.
CREATE OR REPLACE FUNCTION kafka._told(s kafka.source, last kafka.load_history) RETURNS text[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  texts text[] := '{}';
  line text := '';
  item text;
BEGIN
  FOR i IN 1 .. coalesce(array_length(last.next_offsets, 1), 0) LOOP
    item := (i - 1) || ':' || last.next_offsets[i] || coalesce(':' || last.leader_epochs[i], '');
    IF line <> '' AND length(line) + length(item) >= kafka._room(s.topic) THEN
      texts := texts || line;
      line := '';
    END IF;
    line := line || CASE line WHEN '' THEN '' ELSE ',' END || item;
  END LOOP;
  RETURN CASE line WHEN '' THEN texts ELSE texts || line END;
END
$$;
