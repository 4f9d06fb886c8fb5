-- How a load of a shaped source goes on after its stage is full: leaves out what does not fit or is
-- filtered, and inserts the rest, or merges it: the last row of each key takes the place of the
-- target's, or deletes it. A few statements for all rows; nothing here is a row at a time.

-- Whether a condition holds, the two tables of it being l (latest) and t (the target): the keys are
-- equal. With the operators of the types' own, whatever the search path is.
CREATE OR REPLACE FUNCTION kafka._same_key(s kafka.source) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  condition text := '';
  c record;
BEGIN
  FOR c IN SELECT a.attname, coalesce((
      SELECT format('OPERATOR(%I.%s)', n.nspname, p.oprname) FROM pg_opclass k
      JOIN pg_am m ON m.oid = k.opcmethod AND m.amname = 'btree'
      JOIN pg_amop f ON f.amopfamily = k.opcfamily AND f.amoplefttype = k.opcintype
        AND f.amoprighttype = k.opcintype AND f.amopstrategy = 3
      JOIN pg_operator p ON p.oid = f.amopopr JOIN pg_namespace n ON n.oid = p.oprnamespace
      WHERE k.opcdefault AND k.opcintype = CASE b.typtype WHEN 'd' THEN b.typbasetype ELSE b.oid END
      LIMIT 1), 'OPERATOR(pg_catalog.=)') AS equals
    FROM pg_attribute a JOIN pg_type b ON b.oid = a.atttypid
    WHERE a.attrelid = s.target_table AND a.attname = ANY (s.merge_key) LOOP
    condition := condition || CASE condition WHEN '' THEN '' ELSE ' AND ' END
      || format('t.%I %s l.%I', c.attname, c.equals, c.attname);
  END LOOP;
  RETURN condition;
END
$$;

-- Empties a table of one load. TRUNCATE of a large one; of a small one DELETE, as each TRUNCATE
-- changes the catalog.
CREATE OR REPLACE FUNCTION kafka._clear(part text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF pg_relation_size(part::regclass) > 1048576 THEN
    EXECUTE 'TRUNCATE ' || part;
  ELSE
    EXECUTE 'DELETE FROM ' || part;
  END IF;
END
$$;

-- Names as one list for SQL.
CREATE OR REPLACE FUNCTION kafka._list(names text[], prefix text DEFAULT '') RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  list text := '';
BEGIN
  FOR i IN 1 .. coalesce(array_length(names, 1), 0) LOOP
    list := list || CASE i WHEN 1 THEN '' ELSE ', ' END || prefix || quote_ident(names[i]);
  END LOOP;
  RETURN list;
END
$$;

-- The topic of a staged row, as an expression.
CREATE OR REPLACE FUNCTION kafka._topic_of_row(s kafka.source) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN 'kafka$topic' = ANY ($1.stage_columns) THEN '"kafka$topic" COLLATE "C"'
    ELSE quote_literal($1.topic) || '::text' END
$$;

-- The statement that evaluates the staged rows: into the target, or into the table of the last row of
-- each key. `place` is a condition more; with one, each row counts, also if it is not its key's last.
CREATE OR REPLACE FUNCTION kafka._evaluation(s kafka.source, place text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  columns constant text := kafka._list(s.columns);
  keys constant text := kafka._list(s.merge_key);
  others text := '';
  has_absent boolean;
BEGIN
  IF s.latest IS NULL THEN
    RETURN 'INSERT INTO ' || s.target_table || ' (' || columns || ') SELECT ' || columns || ' FROM '
      || s.shape_view || ' WHERE "kafka$keep"' || coalesce(' AND ' || place, '');
  END IF;
  -- Of a delete only the key matters: nothing else of it is computed.
  FOR i IN 1 .. array_length(s.columns, 1) LOOP
    others := others || CASE WHEN s.columns[i] = ANY (s.merge_key) THEN quote_ident(s.columns[i])
      ELSE format('CASE WHEN NOT "kafka$delete" THEN %I END', s.columns[i]) END || ', ';
  END LOOP;
  has_absent := kafka._has_absent(s);
  RETURN 'INSERT INTO ' || s.latest || ' (' || columns || CASE WHEN has_absent THEN ', "kafka$absent"' ELSE '' END
    || ', "kafka$delete") SELECT ' || CASE WHEN place IS NULL THEN 'DISTINCT ON (' || keys || ') ' ELSE '' END
    || others || CASE WHEN has_absent THEN 'CASE WHEN NOT "kafka$delete" THEN "kafka$absent" END, ' ELSE '' END
    || '"kafka$delete" FROM ' || s.shape_view || ' WHERE "kafka$keep"'
    || coalesce(' AND ' || place, ' ORDER BY ' || keys
      || ', "kafka$order" DESC NULLS LAST, '
      -- Offsets of two topics say nothing of each other: this order is no more than one.
      || CASE WHEN s.topic IS NULL THEN kafka._topic_of_row(s) || ' DESC, ' ELSE '' END
      || '"kafka$partition" DESC, "kafka$offset" DESC');
END
$$;

-- Ends a load with the record that made it fail: the first, by topic, partition and offset, whose row
-- alone fails. Found by halves, each evaluated in a subtransaction that is rolled back.
CREATE OR REPLACE FUNCTION kafka._blame(s kafka.source, state text, message text, detail text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  low bigint := 0;
  high bigint;
  middle bigint;
  fails boolean;
  first record;
  last record;
  topic constant text := kafka._topic_of_row(s);
  sorted constant text := ' ORDER BY 1, 2, 3 LIMIT 1';
  row_of constant text := 'SELECT ' || topic || ' AS t, "kafka$partition" AS p, "kafka$offset" AS o FROM '
    || s.stage || sorted;
  spot constant text := '(' || topic || ', "kafka$partition", "kafka$offset")';
  place text;
  found_message text := message;
  name text;
BEGIN
  EXECUTE 'SELECT count(*) FROM ' || s.stage INTO high;
  EXECUTE row_of INTO first;
  WHILE high - low > 1 LOOP
    middle := (low + high) / 2;
    EXECUTE row_of || ' OFFSET ' || middle INTO last;
    fails := false;
    BEGIN
      EXECUTE kafka._evaluation(s, format(
        '%1$s >= (%2$L, %3$s, %4$s) AND %1$s < (%5$L, %6$s, %7$s)',
        spot, first.t, first.p, first.o, last.t, last.p, last.o));
      RAISE EXCEPTION USING ERRCODE = 'KF001';
    EXCEPTION
      WHEN SQLSTATE 'KF001' THEN NULL;
      WHEN OTHERS THEN fails := true;
    END;
    IF fails THEN
      high := middle;
    ELSE
      low := middle;
      first := last;
    END IF;
  END LOOP;
  place := format('%s = (%L, %s, %s)', spot, first.t, first.p, first.o);
  BEGIN
    EXECUTE kafka._evaluation(s, place);
    fails := false;
    RAISE EXCEPTION USING ERRCODE = 'KF001';
  EXCEPTION
    WHEN SQLSTATE 'KF001' THEN NULL;
    WHEN OTHERS THEN
      fails := true;
      found_message := SQLERRM;
  END;
  IF NOT fails THEN -- No row fails alone.
    RAISE EXCEPTION 'cannot load source "%": %', s.name, message
      USING ERRCODE = state, DETAIL = coalesce(detail, '');
  END IF;
  -- Which column: of the fields, then of the target.
  <<columns>>
  FOR view_no IN 1 .. 2 LOOP
    FOR name IN SELECT a.attname FROM pg_attribute a
      WHERE a.attrelid = (CASE view_no WHEN 1 THEN s.fields_view ELSE s.shape_view END)::regclass
        AND a.attnum > 0 AND a.attname NOT LIKE 'kafka$%' ORDER BY a.attnum LOOP
      BEGIN
        EXECUTE format('SELECT %I FROM %s WHERE %s', name,
          CASE view_no WHEN 1 THEN s.fields_view ELSE s.shape_view END, place);
      EXCEPTION WHEN OTHERS THEN
        found_message := format('%s "%s": %s', CASE view_no WHEN 1 THEN 'field' ELSE 'column' END, name, SQLERRM);
        EXIT columns;
      END;
    END LOOP;
  END LOOP;
  RAISE EXCEPTION 'cannot load source "%": topic "%" partition % offset %: %', s.name, first.t, first.p,
    first.o, found_message
    USING ERRCODE = state, HINT = 'Correct the field''s type, --select or --where, then run the SQL of gpdb-kafka sql source again.';
END
$$;

-- Inserts or merges what is staged: `staged` rows. `rows` were inserted, `updated` of them in place
-- of rows with their keys.
CREATE OR REPLACE FUNCTION kafka._apply(
  source text, load_no bigint, staged bigint, caller text DEFAULT kafka._me(),
  OUT rows bigint, OUT updated bigint, OUT deleted bigint, OUT filtered bigint, OUT rejected bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  state text;
  message text;
  detail text;
  wrong record;
BEGIN
  s := kafka._source(source, caller);
  rejected := kafka._reject(s, load_no, staged);
  updated := 0;
  deleted := 0;
  IF s.latest IS NOT NULL THEN PERFORM kafka._clear(s.latest); END IF;
  BEGIN
    EXECUTE kafka._evaluation(s, NULL);
    GET DIAGNOSTICS rows = ROW_COUNT;
  EXCEPTION
    WHEN data_exception OR check_violation OR raise_exception THEN
      GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
      PERFORM kafka._blame(s, state, message, detail);
    WHEN not_null_violation THEN
      GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
      IF s.latest IS NULL THEN PERFORM kafka._blame(s, state, message, detail); END IF;
      EXECUTE 'SELECT ' || kafka._topic_of_row(s) || ' AS t, "kafka$partition" AS p, "kafka$offset" AS o, "kafka$delete" AS d FROM '
        || s.shape_view || ' WHERE "kafka$keep" AND NOT (' || kafka._list(s.merge_key) || ') IS NOT NULL ORDER BY 1, 2, 3 LIMIT 1'
      INTO wrong;
      IF wrong.p IS NULL THEN RAISE; END IF;
      PERFORM kafka._check_event(s, wrong.t, wrong.p, wrong.o);
      RAISE EXCEPTION 'cannot load source "%": topic "%" partition % offset %: the merge key (%) is null%', s.name,
        wrong.t, wrong.p, wrong.o, array_to_string(s.merge_key, ', '),
        CASE WHEN wrong.d THEN ' in a delete' ELSE '' END
        USING ERRCODE = 'not_null_violation', HINT = 'Use --where to leave such rows out, or another --merge.';
  END;
  EXECUTE 'SELECT count(*) FROM ' || s.shape_view || ' WHERE NOT "kafka$keep"' INTO filtered;
  IF s.latest IS NOT NULL THEN
    -- Nobody else writes to the target until this load ends: a key that both have would be there twice.
    PERFORM kafka._lock_merge(s);
    IF kafka._has_absent(s) THEN PERFORM kafka._fill_absent(s); END IF;
    SELECT m.* INTO rows, updated, deleted FROM kafka._merge(s) m;
    PERFORM kafka._clear(s.latest);
  END IF;
  PERFORM kafka._clear(s.stage);
END
$$;

-- Merges the last row of each key into the target.
CREATE OR REPLACE FUNCTION kafka._merge(
  s kafka.source, OUT rows bigint, OUT updated bigint, OUT deleted bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  same constant text := kafka._same_key(s);
  wholes text[] := s.columns || s.kept_columns;
  has_kept constant boolean := coalesce(array_length(s.kept_columns, 1), 0) > 0;
  deletes boolean;
  more bigint;
BEGIN
  -- What was added since would be lost with the row that is replaced.
  IF EXISTS (SELECT 1 FROM kafka._target_columns(s.target_table) t WHERE t.name <> ALL (wholes)) THEN
    RAISE EXCEPTION 'cannot load source "%": the columns of table % have changed since it was made',
      s.name, s.target_table
      USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Run the SQL of gpdb-kafka sql source again.';
  END IF;
  EXECUTE 'SELECT count(*) > 0 FROM (SELECT 1 FROM ' || s.latest || ' WHERE "kafka$delete" LIMIT 1) x'
  INTO deletes;
  IF deletes THEN
    EXECUTE 'DELETE FROM ' || s.target_table || ' t USING ' || s.latest || ' l WHERE l."kafka$delete" AND ' || same;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    EXECUTE 'DELETE FROM ' || s.latest || ' WHERE "kafka$delete"';
  ELSE
    deleted := 0;
  END IF;
  rows := 0;
  IF has_kept THEN
    -- Columns that the source does not load stay as they are.
    EXECUTE 'INSERT INTO ' || s.latest || ' (' || kafka._list(wholes)
      || ', "kafka$delete", "kafka$old") SELECT DISTINCT ON (' || kafka._list(s.merge_key, 'l.') || ') '
      || kafka._list(s.columns, 'l.') || ', ' || kafka._list(s.kept_columns, 't.')
      || ', false, true FROM ' || s.latest || ' l JOIN ' || s.target_table || ' t ON ' || same;
  END IF;
  EXECUTE 'DELETE FROM ' || s.target_table || ' t USING ' || s.latest || ' l WHERE ' || same;
  GET DIAGNOSTICS updated = ROW_COUNT;
  IF has_kept THEN
    EXECUTE 'INSERT INTO ' || s.target_table || ' (' || kafka._list(wholes) || ') '
      || CASE WHEN EXISTS (SELECT 1 FROM kafka._target_columns(s.target_table) t WHERE t.is_always)
        THEN 'OVERRIDING SYSTEM VALUE ' ELSE '' END
      || 'SELECT ' || kafka._list(wholes) || ' FROM ' || s.latest || ' WHERE "kafka$old"';
    GET DIAGNOSTICS rows = ROW_COUNT;
    -- What is left are keys that the target did not have.
    EXECUTE 'DELETE FROM ' || s.latest || ' t USING ' || s.latest
      || ' l WHERE t."kafka$old" IS NULL AND l."kafka$old" AND ' || same;
  END IF;
  EXECUTE 'INSERT INTO ' || s.target_table || ' (' || kafka._list(s.columns) || ') SELECT '
    || kafka._list(s.columns) || ' FROM ' || s.latest
    || CASE WHEN has_kept THEN ' WHERE "kafka$old" IS NULL' ELSE '' END;
  GET DIAGNOSTICS more = ROW_COUNT;
  rows := rows + more;
  -- A table with two rows of one key has one of it after the merge.
  updated := least(updated, rows);
END
$$;
