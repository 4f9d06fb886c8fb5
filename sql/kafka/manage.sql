-- What a DBA does with sources, and sees of them.

-- Adds a source, or changes one and leaves it where it stands; waits for a load of it to end. It
-- loads `topic`, or several: `topics`, or all that `topic_pattern` matches; then `topic` is null.
-- Without columns it takes all of the target's, in their order. For the owner of this schema only.
CREATE OR REPLACE FUNCTION kafka.add_source(
  name text, topic text, target regclass, reader text, planner text,
  group_name text, columns text[] DEFAULT NULL, brokers text DEFAULT NULL,
  config_file text DEFAULT NULL, fallback text DEFAULT 'earliest', on_lost text DEFAULT 'fail',
  max_records bigint DEFAULT NULL, via text DEFAULT NULL, topics text[] DEFAULT NULL,
  topic_pattern text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  loaded text[];
  missing text;
BEGIN
  PERFORM kafka._check_isolation();
  PERFORM kafka._lock(add_source.name, 'change');
  loaded := (kafka._last(add_source.name)).topics; -- not before: a load may just have ended
  s.name := add_source.name;
  s.topic := coalesce(add_source.topic, CASE WHEN array_length(add_source.topics, 1) = 1 THEN add_source.topics[1] END);
  s.topics := CASE WHEN s.topic IS NULL THEN add_source.topics END;
  s.topic_pattern := add_source.topic_pattern;
  SELECT t INTO missing FROM unnest(s.topics) t WHERE t !~ '^[a-zA-Z0-9._-]{1,249}$' LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '"%" cannot be the name of a topic', missing USING ERRCODE = 'invalid_parameter_value';
  END IF;
  s.target := kafka._whole_name(add_source.target);
  s.target_table := add_source.target;
  SELECT r.rolname INTO s.target_owner
  FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE c.oid = add_source.target;
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
  s.via := coalesce(add_source.via, kafka._own_way());
  IF s.via NOT IN (kafka._own_way(), 'client') THEN
    RAISE EXCEPTION 'cannot add source "%": via is "%" — use % or client', s.name, s.via, kafka._own_way()
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- What it was read by before.
  IF s.via = 'client' THEN PERFORM kafka._drop_made(s.name); END IF;
  PERFORM kafka._check_kind(s.target_table, false);
  PERFORM kafka._check_reader(s);
  IF s.topic_pattern IS NULL AND NOT loaded && coalesce(s.topics, ARRAY[s.topic]) THEN
    RAISE EXCEPTION 'cannot change the topic of source "%": its offsets belong to another topic', s.name
      USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'kafka.drop_source removes the source and its offsets; then add it again.';
  END IF;
  -- Until kafka.shape_source says more, the reader's columns are the target's.
  PERFORM kafka._drop_shape(s.name);
  UPDATE kafka.source x SET topic = s.topic, topics = s.topics, topic_pattern = s.topic_pattern, target = s.target, columns = s.columns,
    stage = NULL, stage_columns = NULL, fields_view = NULL, shape_view = NULL, unfit_view = NULL,
    latest = NULL, merge_key = NULL, kept_columns = NULL, reject_limit = NULL, reader = s.reader, planner = s.planner, brokers = s.brokers, config_file = s.config_file,
    group_name = s.group_name, fallback = s.fallback, on_lost = s.on_lost,
    max_records = s.max_records, target_table = s.target_table, target_owner = s.target_owner,
    via = s.via
  WHERE x.name = s.name;
  IF NOT FOUND THEN
    INSERT INTO kafka.source (name, topic, target, columns, reader, planner, brokers, config_file,
      group_name, fallback, on_lost, max_records, target_table, target_owner, via, topics, topic_pattern)
    VALUES (s.name, s.topic, s.target, s.columns, s.reader, s.planner, s.brokers, s.config_file,
      s.group_name, s.fallback, s.on_lost, s.max_records, s.target_table, s.target_owner, s.via,
      s.topics, s.topic_pattern);
  END IF;
END
$$;

-- Makes a table of a source (its reader, planner or peek) if there is none, or it would be another
-- one; its grants stay. `definition` is the whole CREATE. Called by the SQL of gpdb-kafka sql
-- source, with the search path of the role that runs it; for the owner of this schema only.
CREATE OR REPLACE FUNCTION kafka.make_table(
  source text, name text, target regclass, definition text)
RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  -- (LIKE target) is another definition once the target has other columns.
  wanted constant text := pg_catalog.md5(definition || (
    SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname) || ' '
      || pg_catalog.format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = make_table.target AND a.attnum > 0 AND NOT a.attisdropped));
  whole_name text;
  readers text[] := '{}';
  reader text;
BEGIN
  BEGIN
    whole_name := kafka._whole_name(name::regclass);
    IF EXISTS (SELECT 1 FROM kafka.made_table m WHERE m.name = whole_name
      AND m.source = make_table.source AND m.digest = wanted) THEN
      RETURN;
    END IF;
    -- On Greenplum 6 ARRAY() of no rows is null.
    readers := coalesce(ARRAY(SELECT pg_catalog.quote_ident(r.rolname)
      FROM (SELECT (pg_catalog.aclexplode(c.relacl)).*, c.relowner
        FROM pg_catalog.pg_class c WHERE c.oid = make_table.name::regclass) a
      JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
      JOIN pg_catalog.pg_roles o ON o.oid = a.relowner
      WHERE a.privilege_type = 'SELECT' AND a.grantee <> a.relowner
        -- Not what somebody else has granted on a table of that name.
        AND (o.rolsuper OR o.rolname = current_user)), '{}');
    EXECUTE 'DROP ' || kafka._table_kind() || ' TABLE ' || whole_name;
  EXCEPTION WHEN undefined_table OR invalid_schema_name THEN
    NULL; -- There is none yet.
  END;
  EXECUTE definition;
  whole_name := kafka._whole_name(name::regclass);
  FOREACH reader IN ARRAY readers LOOP
    EXECUTE 'GRANT SELECT ON ' || whole_name || ' TO ' || reader;
  END LOOP;
  DELETE FROM kafka.made_table m WHERE m.name = whole_name;
  INSERT INTO kafka.made_table (name, source, digest) VALUES (whole_name, source, wanted);
END
$$;

-- A table's name with its schema, whatever the search path is.
CREATE OR REPLACE FUNCTION kafka._whole_name(of_table regclass) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('%I.%I', n.nspname, c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = of_table
$$;

-- Drops the tables that gpdb-kafka sql source made for a source.
CREATE OR REPLACE FUNCTION kafka._drop_made(source text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  made text;
BEGIN
  FOR made IN SELECT m.name FROM kafka.made_table m WHERE m.source = _drop_made.source ORDER BY 1 LOOP
    BEGIN
      EXECUTE 'DROP ' || kafka._table_kind() || ' TABLE IF EXISTS ' || made;
    EXCEPTION WHEN insufficient_privilege OR wrong_object_type OR dependent_objects_still_exist
      OR invalid_schema_name THEN
      RAISE WARNING 'cannot drop table %: %', made, SQLERRM;
    END;
  END LOOP;
  DELETE FROM kafka.made_table m WHERE m.source = _drop_made.source;
END
$$;

-- Forgets a source, its history and where it stands, and drops the tables that gpdb-kafka sql
-- source made for it. The target stays. For the target's owner.
CREATE OR REPLACE FUNCTION kafka.drop_source(name text, caller text DEFAULT kafka._me()) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
BEGIN
  s := kafka._open(name, 'OWNER', caller);
  PERFORM kafka._drop_made(s.name);
  PERFORM kafka._drop_shape(s.name);
  DELETE FROM kafka.rejected_row r WHERE r.source = s.name;
  DELETE FROM kafka.load_plan p WHERE p.source = s.name;
  DELETE FROM kafka.load_history h WHERE h.source = s.name;
  DELETE FROM kafka.source x WHERE x.name = s.name;
END
$$;

-- Pauses a source: its loads are refused until kafka.resume. For the target's owner.
CREATE OR REPLACE FUNCTION kafka.pause(source text, caller text DEFAULT kafka._me()) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
BEGIN
  s := kafka._open(source, 'OWNER', caller);
  UPDATE kafka.source x SET paused = true WHERE x.name = s.name;
END
$$;

CREATE OR REPLACE FUNCTION kafka.resume(source text, caller text DEFAULT kafka._me()) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
BEGIN
  s := kafka._open(source, 'OWNER', caller);
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
  PERFORM kafka._check_isolation();
  DELETE FROM kafka.load_plan p WHERE p.started < now() - older_than;
  DELETE FROM kafka.rejected_row r WHERE r.rejected < now() - older_than;
  DELETE FROM kafka.load_history h
  USING (SELECT x.source, max(x.load_no) AS load_no FROM kafka.load_history x GROUP BY x.source) n
  WHERE h.source = n.source AND h.load_no < n.load_no AND h.started < now() - older_than;
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN removed;
END
$$;
