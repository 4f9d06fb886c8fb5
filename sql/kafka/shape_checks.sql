-- The steps of kafka.shape_source that use the catalog alone: before its views, and after.

-- Drops what kafka.shape_source has made of a source.
CREATE OR REPLACE FUNCTION kafka._drop_shape(source text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  part text;
BEGIN
  -- In this order: each one is made of those after it. (to_regclass takes no text before 9.6.)
  FOREACH part IN ARRAY ARRAY['unfit', 'shape', 'fields', 'latest', 'stage'] LOOP
    IF EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'kafka' AND format('kafka.%I', c.relname) = kafka._part(source, part)) THEN
      EXECUTE 'DROP ' || CASE WHEN part IN ('latest', 'stage') THEN 'TABLE ' ELSE 'VIEW ' END
        || kafka._part(source, part);
    END IF;
  END LOOP;
END
$$;

-- Refuses a table that rows cannot be loaded into, or not merged into, by its name.
CREATE OR REPLACE FUNCTION kafka._check_kind(target regclass, merges boolean) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kind text := (SELECT c.relkind FROM pg_class c WHERE c.oid = target);
  f record;
BEGIN
  IF kind IN ('v', 'm', 'S', 'c', 'i', 't') OR kind = 'f' AND merges THEN
    RAISE EXCEPTION 'cannot % %: it is a %', CASE WHEN merges THEN 'merge into' ELSE 'load into' END, target,
      CASE kind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
        ELSE 'relation without rows to insert' END
      USING ERRCODE = 'wrong_object_type', HINT = 'Name a table.';
  ELSIF NOT merges THEN
    RETURN;
  END IF;
  -- A merge deletes the row of a key before it inserts the new one.
  SELECT c.conname, c.conrelid::regclass AS child INTO f FROM pg_constraint c
  WHERE c.contype = 'f' AND c.confrelid = target
    AND NOT (c.confdeltype = 'a' AND c.condeferrable AND c.condeferred) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'cannot merge into %: foreign key % of % refers to it, and a merge deletes the row of a key before it inserts the new one',
      target, quote_ident(f.conname), f.child
      USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Make the foreign key ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED, or drop it.';
  END IF;
END
$$;

-- Checks what shape_source was given, as far as names say, and makes the stage. Returns the target.
CREATE OR REPLACE FUNCTION kafka._shape_begin(
  source text, stage_columns text[], stage_types text[], fields text[], select_columns text[],
  merge_key text[], merge_order text, reject_limit text)
RETURNS regclass
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  wrong text;
  hint text;
  columns text := '';
BEGIN
  PERFORM kafka._lock(source, 'change');
  SELECT x.* INTO s FROM kafka.source x WHERE x.name = _shape_begin.source;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'source "%" does not exist', source USING ERRCODE = 'undefined_object';
  END IF;
  PERFORM kafka._check_kind(s.target_table, merge_key IS NOT NULL);
  SELECT format('field "%s" is given twice', f) INTO wrong
  FROM unnest(fields) f GROUP BY f HAVING count(*) > 1 LIMIT 1;
  IF wrong IS NULL THEN
    SELECT format('column "%s" of --select is given twice', f) INTO wrong
    FROM unnest(select_columns) f GROUP BY f HAVING count(*) > 1 LIMIT 1;
  END IF;
  IF wrong IS NULL THEN
    SELECT format('field "%s": names that begin with kafka$ are taken', f) INTO wrong
    FROM unnest(fields) f WHERE f LIKE 'kafka$%' AND f NOT IN ('kafka$op', 'kafka$absent') LIMIT 1;
  END IF;
  IF wrong IS NULL THEN
    SELECT format('table %s has no column "%s", which --select names', s.target_table, f) INTO wrong
    FROM unnest(select_columns) f
    WHERE NOT EXISTS (SELECT 1 FROM kafka._target_columns(s.target_table) t WHERE t.name = f) LIMIT 1;
  END IF;
  IF wrong IS NULL AND NOT EXISTS (SELECT 1 FROM kafka._target_columns(s.target_table) t
    WHERE t.name = ANY (fields || select_columns)) THEN
    wrong := format('no field has the name of a column of %s', s.target_table);
    hint := format('Its columns are %s.', (SELECT string_agg(quote_ident(t.name), ', ')
      FROM kafka._target_columns(s.target_table) t));
  END IF;
  IF wrong IS NULL THEN
    SELECT format('--merge: "%s" is not one of the fields, and no --select computes it', f) INTO wrong
    FROM unnest(merge_key) f WHERE f <> ALL (fields || select_columns) LIMIT 1;
  END IF;
  IF wrong IS NULL THEN
    SELECT format('--merge: table %s has no column "%s"', s.target_table, f) INTO wrong
    FROM unnest(merge_key) f
    WHERE NOT EXISTS (SELECT 1 FROM kafka._target_columns(s.target_table) t WHERE t.name = f) LIMIT 1;
  END IF;
  IF wrong IS NULL AND merge_order <> ALL (fields) THEN
    wrong := format('--merge-order: "%s" is not one of the fields', merge_order);
  END IF;
  -- Rows are told apart by topic, partition and offset.
  IF wrong IS NULL AND s.topic IS NULL AND NOT 'kafka$topic' = ANY (stage_columns) THEN
    wrong := 'it has several topics, and its reader does not print which one a record is of';
    hint := 'Run the SQL of gpdb-kafka sql source again.';
  END IF;
  IF wrong IS NULL AND (merge_key IS NOT NULL OR reject_limit IS NOT NULL) AND kafka._holds_rows(s) THEN
    wrong := CASE WHEN merge_key IS NULL THEN '--reject-limit' ELSE '--merge' END
      || ': its records may be several rows (--value rows), of which none is the last';
  END IF;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'cannot shape source "%": %', source, wrong
      USING ERRCODE = 'invalid_parameter_value',
        HINT = coalesce(hint, format('The fields are %s.', array_to_string(fields, ', ')));
  END IF;
  IF reject_limit IS NOT NULL AND NOT kafka._can_reject() THEN
    RAISE EXCEPTION 'cannot shape source "%": --reject-limit requires PostgreSQL 16 or later', source
      USING ERRCODE = 'feature_not_supported',
        HINT = 'Without it, the first value that does not fit its column fails the load and is named.';
  END IF;
  PERFORM kafka._drop_shape(source);
  FOR i IN 1 .. array_length(stage_columns, 1) LOOP
    columns := columns || CASE i WHEN 1 THEN '' ELSE ', ' END || quote_ident(stage_columns[i]) || ' '
      || CASE
        WHEN stage_columns[i] = 'kafka$partition' THEN 'integer'
        WHEN stage_columns[i] = 'kafka$offset' THEN 'bigint'
        WHEN stage_columns[i] = 'kafka$tombstone' THEN 'boolean'
        WHEN s.via = 'client' THEN 'text' -- a value that does not fit stops no COPY
        ELSE kafka._stage_type(stage_types[i])
      END;
  END LOOP;
  EXECUTE kafka._scratch_table(kafka._part(source, 'stage'), columns, NULL);
  RETURN s.target_table;
END
$$;

-- Refuses what the views cannot be part of a load with, makes the other tables, and writes down the
-- source's new way.
CREATE OR REPLACE FUNCTION kafka._shape_end(
  source text, stage_columns text[], fields text[], origins text[], types text[], merge_key text[],
  reject_limit text)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
  shape constant regclass := kafka._part(source, 'shape')::regclass;
  fields_view constant regclass := kafka._part(source, 'fields')::regclass;
  owner constant name := (SELECT pg_get_userbyid(n.nspowner) FROM pg_namespace n WHERE n.nspname = 'kafka');
  loaded text[];
  kept text[];
  columns text := '';
  wrong text;
  c record;
BEGIN
  SELECT x.* INTO s FROM kafka.source x WHERE x.name = _shape_end.source;
  loaded := ARRAY(SELECT a.attname::text FROM pg_attribute a
    WHERE a.attrelid = shape AND a.attnum > 0 AND a.attname NOT LIKE 'kafka$%' ORDER BY a.attnum);
  kept := coalesce(ARRAY(SELECT t.name FROM kafka._target_columns(s.target_table) t
    WHERE t.name <> ALL (loaded)), '{}');
  -- What the parser made of the expressions says it, whatever their text.
  SELECT CASE
    WHEN r.tree LIKE '%{SUBLINK%' THEN 'a subquery: it may use the fields of its row only'
    WHEN r.tree LIKE '%{WINDOWFUNC%' THEN 'a window function: it may use the fields of its row only'
    WHEN r.tree LIKE '%retset true%' THEN 'a function that returns several rows: a record is one row'
  END INTO wrong
  FROM (SELECT w.ev_action::text AS tree FROM pg_rewrite w WHERE w.ev_class IN (shape, fields_view)) r
  ORDER BY 1 NULLS LAST LIMIT 1;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'cannot shape source "%": an expression has %', source, wrong
      USING ERRCODE = 'feature_not_supported', HINT = 'A function can do more.';
  END IF;
  IF loaded <> ARRAY(SELECT t.name FROM kafka._target_columns(s.target_table) t WHERE t.name = ANY (loaded)) THEN
    RAISE EXCEPTION 'cannot shape source "%": an expression is a list, not one value', source
      USING ERRCODE = 'syntax_error';
  END IF;
  -- Two keys that differ here must differ there.
  FOR c IN SELECT t.name, t.type, t.type_oid, t.type_modifier, a.atttypid, a.atttypmod
    FROM kafka._target_columns(s.target_table) t
    JOIN pg_attribute a ON a.attrelid = shape AND a.attname = t.name
    WHERE t.name = ANY (merge_key) LOOP
    IF coalesce((SELECT nullif(b.typbasetype, 0) FROM pg_type b WHERE b.oid = c.type_oid), c.type_oid)
      <> coalesce((SELECT nullif(b.typbasetype, 0) FROM pg_type b WHERE b.oid = c.atttypid), c.atttypid)
      OR c.type_modifier NOT IN (-1, c.atttypmod)
        AND NOT format_type(c.atttypid, NULL) IN ('character varying', 'character', 'bpchar') THEN
      RAISE EXCEPTION 'cannot shape source "%": merge key "%" is %, but column "%" of % is %', source, c.name,
        format_type(c.atttypid, c.atttypmod), c.name, s.target_table, c.type
        USING ERRCODE = 'datatype_mismatch',
          HINT = format('Use --select %L, or give the field that type.', format('%s = (…)::%s', c.name, c.type));
    END IF;
  END LOOP;
  -- Servers without such collations do not have their column.
  FOR c IN SELECT a.attname FROM pg_attribute a JOIN pg_collation l ON l.oid = a.attcollation
    WHERE a.attrelid = s.target_table::regclass AND a.attname = ANY (merge_key)
      AND row_to_json(l)->>'collisdeterministic' = 'false' LOOP
    RAISE EXCEPTION 'cannot shape source "%": merge key "%" has a collation in which texts that differ are equal',
      source, c.attname USING ERRCODE = 'feature_not_supported', HINT = 'Give the column another collation.';
  END LOOP;
  IF merge_key IS NOT NULL THEN
    FOR c IN SELECT t.* FROM kafka._target_columns(s.target_table) t LOOP
      columns := columns || quote_ident(c.name) || ' ' || c.type
        || CASE WHEN c.name = ANY (merge_key) THEN ' NOT NULL' ELSE '' END || ', ';
    END LOOP;
    EXECUTE kafka._scratch_table(kafka._part(source, 'latest'),
      columns || '"kafka$delete" boolean NOT NULL, "kafka$old" boolean, "kafka$absent" text[]', s.target_table);
  END IF;
  IF reject_limit IS NOT NULL THEN
    columns := NULL;
    FOR i IN 1 .. array_length(fields, 1) LOOP
      -- The view has texts without their length.
      SELECT CASE WHEN kafka._cast_type(types[i]) <> types[i] THEN types[i]
        ELSE format_type(a.atttypid, a.atttypmod) END AS type INTO c FROM pg_attribute a
      WHERE a.attrelid = fields_view AND a.attname = fields[i];
      columns := coalesce(columns || ', ', '') || format('(%s, %L, %s, %L)', i, fields[i], origins[i], c.type);
    END LOOP;
    EXECUTE 'CREATE VIEW ' || kafka._part(source, 'unfit') || ' AS SELECT s."kafka$partition", s."kafka$offset",'
      || CASE WHEN 'kafka$topic' = ANY (stage_columns) THEN ' s."kafka$topic",' ELSE '' END
      || ' f.no, f.name, f.value, f.type FROM ' || kafka._part(source, 'stage') || ' s'
      || ' CROSS JOIN LATERAL (VALUES ' || columns || ') f (no, name, value, type)'
      || ' WHERE f.value IS NOT NULL AND NOT pg_input_is_valid(f.value, f.type)';
  END IF;
  IF owner <> current_user THEN
    FOR c IN SELECT k.relname, k.relkind FROM pg_class k
      JOIN pg_namespace n ON n.oid = k.relnamespace AND n.nspname = 'kafka'
      WHERE format('kafka.%I', k.relname) IN (SELECT kafka._part(source, p)
        FROM unnest(ARRAY['stage', 'fields', 'shape', 'unfit', 'latest']) p) LOOP
      EXECUTE format('ALTER %s kafka.%I OWNER TO %I',
        CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.relname, owner);
    END LOOP;
  END IF;
  UPDATE kafka.source x SET columns = loaded, stage = kafka._part(source, 'stage'),
    stage_columns = _shape_end.stage_columns, fields_view = kafka._part(source, 'fields'),
    shape_view = kafka._part(source, 'shape'), merge_key = _shape_end.merge_key,
    unfit_view = CASE WHEN _shape_end.reject_limit IS NOT NULL THEN kafka._part(source, 'unfit') END,
    latest = CASE WHEN _shape_end.merge_key IS NOT NULL THEN kafka._part(source, 'latest') END,
    kept_columns = CASE WHEN _shape_end.merge_key IS NOT NULL THEN kept END,
    reject_limit = _shape_end.reject_limit
  WHERE x.name = s.name;
  SELECT x.* INTO s FROM kafka.source x WHERE x.name = _shape_end.source;
  PERFORM kafka._check_reader(s);
END
$$;
