-- Where the sources stand.

-- The next offset of each partition, as the database holds it; also of topics that the source does
-- not load any more. Asks no broker.
CREATE OR REPLACE VIEW kafka.load_offset AS
SELECT p.source, p.place - p.first AS partition_no, p.next_offsets[p.place] AS next_offset, p.moved,
  p.topic
FROM (
  SELECT t.source, t.moved, t.next_offsets, t.topics[t.topic_no] AS topic,
    t.topic_starts[t.topic_no] AS first,
    generate_series(t.topic_starts[t.topic_no],
      coalesce(t.topic_starts[t.topic_no + 1] - 1, array_length(t.next_offsets, 1))) AS place
  FROM (
    SELECT h.source, h.started AS moved, h.next_offsets, h.topics, h.topic_starts,
      generate_subscripts(h.topics, 1) AS topic_no
    FROM kafka.load_history h
    JOIN (SELECT x.source, max(x.load_no) AS load_no FROM kafka.load_history x GROUP BY x.source) n
      ON n.source = h.source AND n.load_no = h.load_no
  ) t
) p;

-- A row for each source: its last load, and what it left. Asks no broker.
CREATE OR REPLACE VIEW kafka.status AS
SELECT s.name AS source,
  coalesce(s.topic, array_to_string(s.topics, ','), '/' || s.topic_pattern || '/') AS topic, s.target, s.group_name, s.paused,
  h.load_no, h.started AS last_started, h.seconds AS last_seconds, h.rows AS last_rows,
  h.rejected AS last_rejected, h.reason AS last_reason, h.lag AS lag_then,
  array_length(h.next_offsets, 1) AS partitions, n.loads, n.rows_loaded, n.rows_rejected,
  h.lost AS last_lost, n.offsets_lost, n.offsets_without_row, s.brokers,
  h.inserted AS last_inserted, h.updated AS last_updated, h.deleted AS last_deleted,
  h.filtered AS last_filtered, n.rows_inserted, n.rows_updated, n.rows_deleted, n.rows_filtered,
  s.via, s.topics, s.topic_pattern
FROM kafka.source s
LEFT JOIN (
  SELECT x.source, max(x.load_no) AS load_no, count(*) AS loads, sum(x.rows) AS rows_loaded,
    sum(x.rejected) AS rows_rejected, sum(x.lost) AS offsets_lost,
    sum(greatest(x.records - x.rows_read, 0)) AS offsets_without_row, sum(x.inserted) AS rows_inserted,
    sum(x.updated) AS rows_updated, sum(x.deleted) AS rows_deleted, sum(x.filtered) AS rows_filtered
  FROM kafka.load_history x GROUP BY x.source
) n ON n.source = s.name
LEFT JOIN kafka.load_history h ON h.source = n.source AND h.load_no = n.load_no;

-- How far a source (all that the caller may load or manages, without a name) is behind its topics
-- now: the offsets that the next load reads, so none that were deleted. Asks Kafka; if that fails,
-- or a topic is not the one loaded so far, the source's one row says why.
CREATE OR REPLACE FUNCTION kafka.lag_of(
  only_source text DEFAULT NULL, caller text DEFAULT kafka._me())
RETURNS TABLE (source text, topic text, partition_no integer, earliest bigint, end_offset bigint,
  next_offset bigint, lag bigint, error text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  last kafka.load_history%ROWTYPE;
  p record;
  -- All names first: no cursor is open while a planner fails. On Greenplum 6 ARRAY() of no rows is
  -- null.
  names constant text[] := coalesce(ARRAY(SELECT x.name FROM kafka.source x
    WHERE x.name = only_source OR only_source IS NULL ORDER BY x.name), '{}');
BEGIN
  FOREACH source IN ARRAY names LOOP
    SELECT x.* INTO s FROM kafka.source x WHERE x.name = source;
    CONTINUE WHEN NOT FOUND;
    IF NOT (kafka._may(s, 'INSERT', caller) OR kafka._may(s, 'OWNER', caller)) THEN
      CONTINUE WHEN only_source IS NULL;
      RAISE EXCEPTION 'permission denied for source "%": INSERT on % is required', source, s.target
        USING ERRCODE = 'insufficient_privilege';
    END IF;
    topic := coalesce(s.topic, array_to_string(s.topics, ','), '/' || s.topic_pattern || '/');
    last := kafka._last(s.name);
    BEGIN
      PERFORM kafka._check_reader(s);
      FOR p IN SELECT x.* FROM kafka._plan_checked(s, last, NULL, false, NULL) x LOOP
        topic := p.topic;
        partition_no := p.partition_no;
        earliest := p.earliest;
        end_offset := p.end_offset;
        next_offset := p.stands;
        lag := greatest(p.end_offset - greatest(p.stands, p.earliest), 0);
        error := NULL;
        RETURN NEXT;
      END LOOP;
    EXCEPTION WHEN OTHERS THEN
      topic := coalesce(s.topic, array_to_string(s.topics, ','), '/' || s.topic_pattern || '/');
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

-- Rows that the reject limit left out, of the sources that the caller may load or manages: it shows
-- values of records.
CREATE OR REPLACE FUNCTION kafka.rejected_of(
  only_source text DEFAULT NULL, caller text DEFAULT kafka._me())
RETURNS SETOF kafka.rejected_row
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
BEGIN
  FOR s IN SELECT x.* FROM kafka.source x WHERE x.name = only_source OR only_source IS NULL LOOP
    IF kafka._may(s, 'INSERT', caller) OR kafka._may(s, 'OWNER', caller) THEN
      RETURN QUERY SELECT r.* FROM kafka.rejected_row r WHERE r.source = s.name;
    END IF;
  END LOOP;
END
$$;

CREATE OR REPLACE VIEW kafka.rejected AS SELECT * FROM kafka.rejected_of();

-- Of version 1, until the view asks the new one.
DROP FUNCTION IF EXISTS kafka._lag_of_1(text);
