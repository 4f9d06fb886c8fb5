-- How the reader's rows become the target's, if a source does more than insert them: which fields
-- there are, what is computed of them, what is left out, and which row of a key is the last one.
--
--   reader → stage (a table, text on PostgreSQL) → fields (a view: names and types)
--          → shape (a view: the target's columns, and what a load does with the row) → load_staged.sql
--
-- Expressions become part of a view when the source is made. So they are parsed then, with the
-- search path of the role that makes it, and a load runs no text: kafka._check_reader sees in the
-- catalog which functions they call. A table in place of a temporary one for each load: those would
-- leave rows in pg_attribute, on Greenplum on every segment.

-- The name of a part of a source, in schema kafka.
CREATE OR REPLACE FUNCTION kafka._part(source text, suffix text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('kafka.%I',
    CASE WHEN octet_length(source || '_' || suffix) <= 63 THEN source ELSE md5(source) END
      || '_' || suffix)
$$;

-- Columns that an INSERT may name, in their order. What is computed by the table is not one of them.
CREATE OR REPLACE FUNCTION kafka._target_columns(target regclass)
RETURNS TABLE (name text, type text, type_oid oid, type_modifier integer, is_always boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  modern constant boolean := (SELECT count(*) = 2 FROM pg_attribute a
    WHERE a.attrelid = 'pg_attribute'::regclass AND a.attname IN ('attgenerated', 'attidentity'));
BEGIN
  RETURN QUERY EXECUTE '
    SELECT a.attname::text, CASE t.typtype WHEN ''d'' THEN format_type(t.typbasetype, t.typtypmod)
        ELSE format_type(a.atttypid, a.atttypmod) END
      || CASE WHEN a.attcollation IN (0, t.typcollation) THEN '''' ELSE (
        SELECT format('' COLLATE %I.%I'', n.nspname, c.collname) FROM pg_collation c
        JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = a.attcollation) END,
      a.atttypid, a.atttypmod, ' || CASE WHEN modern THEN 'a.attidentity = ''a''' ELSE 'false' END || '
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped'
    || CASE WHEN modern THEN ' AND a.attgenerated = ''''' ELSE '' END || '
    ORDER BY a.attnum' USING target;
END
$$;

-- A type to cast a text to, so that it is read as COPY reads it: a cast to varchar(3) would cut the
-- text. The column that it is loaded into checks the length.
CREATE OR REPLACE FUNCTION kafka._cast_type(type text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE
    WHEN type ~* '^ *(character varying|varchar|bit varying|varbit) *\([^()]*\) *$' THEN substring(type FROM '^[^(]*')
    WHEN type ~* '^ *(character|char|bpchar) *(\([^()]*\))? *$' THEN 'bpchar'
    WHEN type ~* '^ *bit *(\([^()]*\))? *$' THEN 'bit varying'
    ELSE type
  END
$$;

-- Shapes a source that kafka.add_source has just added. `stage_columns` are the reader's, with
-- kafka$partition and kafka$offset first, of several topics also kafka$topic; `fields` are made of them: an expression (`origins`) and
-- a type each. A column of the target is the expression for it, else the field of its name.
-- For the owner of this schema only; with the search path of the role that calls it.
CREATE OR REPLACE FUNCTION kafka.shape_source(
  source text, stage_columns text[], stage_types text[],
  fields text[], origins text[], types text[],
  select_columns text[] DEFAULT '{}', expressions text[] DEFAULT '{}', filter text DEFAULT NULL,
  merge_key text[] DEFAULT NULL, merge_order text DEFAULT NULL, delete_when text DEFAULT NULL,
  reject_limit text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  fields_view constant text := kafka._part(source, 'fields');
  is_delete text := 'false';
  columns text := '';
  target regclass;
  computed integer;
  c record;
  -- Fields may be absent: see change_events.sql. Which columns are then, and which conditions are unknown.
  has_absent constant boolean := 'kafka$absent' = ANY (fields);
  absent text := '';
  unknown text;
BEGIN
  target := kafka._shape_begin(source, stage_columns, stage_types, fields, select_columns, merge_key,
    merge_order, reject_limit);
  FOR i IN 1 .. pg_catalog.array_length(fields, 1) LOOP
    columns := columns || ', (' || origins[i] || ')::' || kafka._cast_type(types[i]) || ' AS '
      || pg_catalog.quote_ident(fields[i]);
  END LOOP;
  EXECUTE 'CREATE VIEW ' || fields_view || ' AS SELECT "kafka$partition", "kafka$offset"'
    || CASE WHEN 'kafka$topic' = ANY (stage_columns) THEN ', "kafka$topic"' ELSE '' END
    || CASE WHEN 'kafka$tombstone' = ANY (stage_columns) THEN ', "kafka$tombstone"' ELSE '' END
    || columns || ' FROM ' || kafka._part(source, 'stage');

  -- Each one by itself first, so that the error has its flag and its place.
  FOR i IN 1 .. coalesce(pg_catalog.array_length(expressions, 1), 0) LOOP
    EXECUTE 'SELECT /* --select ' || pg_catalog.translate(select_columns[i], '*/', '') || ' */ ('
      || expressions[i] || E'\n) FROM ' || fields_view || ' LIMIT 0';
  END LOOP;
  IF filter IS NOT NULL THEN
    EXECUTE 'SELECT /* --where */ (' || filter || E'\n) IS TRUE FROM ' || fields_view || ' LIMIT 0';
  END IF;
  IF delete_when IS NOT NULL THEN
    EXECUTE 'SELECT /* --delete-when */ (' || delete_when || E'\n) IS TRUE FROM ' || fields_view || ' LIMIT 0';
    is_delete := '((' || delete_when || E'\n) IS TRUE)';
  END IF;

  IF 'kafka$tombstone' = ANY (stage_columns) THEN
    is_delete := 'CASE WHEN "kafka$tombstone" THEN true ELSE ' || is_delete || ' END';
  END IF;
  columns := '';
  FOR c IN SELECT t.name FROM kafka._target_columns(target) t
    WHERE t.name = ANY (fields || select_columns) LOOP
    computed := NULL;
    FOR i IN 1 .. coalesce(pg_catalog.array_length(select_columns, 1), 0) LOOP
      IF select_columns[i] = c.name THEN computed := i; END IF;
    END LOOP;
    columns := columns || ', ' || coalesce('(' || expressions[computed] || E'\n)', pg_catalog.quote_ident(c.name))
      || ' AS ' || pg_catalog.quote_ident(c.name);
    IF has_absent THEN
      absent := absent || kafka._absent_column(c.name,
        coalesce(kafka._fields_of(source, expressions[computed]), ARRAY[c.name]));
    END IF;
  END LOOP;
  IF has_absent THEN
    unknown := kafka._absent_condition(source, delete_when);
    IF unknown IS NOT NULL THEN
      is_delete := 'CASE WHEN ' || unknown || ' THEN false ELSE ' || is_delete || ' END';
      absent := absent || ', CASE WHEN ' || unknown || ' THEN ''--delete-when'' END';
    END IF;
    unknown := kafka._absent_condition(source, filter);
    IF unknown IS NOT NULL THEN
      filter := 'CASE WHEN ' || unknown || ' THEN true ELSE (' || filter || E'\n) END';
      absent := absent || ', CASE WHEN ' || unknown || ' THEN ''--where'' END';
    END IF;
    columns := columns || ', CASE WHEN "kafka$absent" IS NOT NULL THEN pg_catalog.array_remove(ARRAY['
      || 'CASE WHEN '''' OPERATOR(pg_catalog.=) ANY ("kafka$absent") THEN '''' END' || absent || ']::text[], NULL) END'
      || ' AS "kafka$absent"';
  END IF;
  -- A delete is never filtered: it would leave the row of its key where it is.
  EXECUTE 'CREATE VIEW ' || kafka._part(source, 'shape') || ' AS SELECT "kafka$partition", "kafka$offset", '
    || CASE WHEN 'kafka$topic' = ANY (stage_columns) THEN '"kafka$topic", ' ELSE '' END
    || CASE
      WHEN filter IS NULL THEN 'true'
      WHEN is_delete = 'false' THEN '((' || filter || E'\n) IS TRUE)'
      ELSE 'CASE WHEN ' || is_delete || ' THEN true ELSE ((' || filter || E'\n) IS TRUE) END'
    END || ' AS "kafka$keep", ' || is_delete || ' AS "kafka$delete", '
    || coalesce(pg_catalog.quote_ident(merge_order), '0') || ' AS "kafka$order"'
    || columns || ' FROM ' || fields_view;
  PERFORM kafka._shape_end(source, stage_columns, fields, origins, types, merge_key, reject_limit);
END
$$;
