-- Fields whose values a record does not have, although the row that it is of has them: change events
-- of Debezium leave out what an UPDATE did not change and the log of their database did not have.
-- The field kafka$absent of a record lists them. Such a value is taken from the newest record of the
-- same key before it in the load that has it, else from the target's row of that key.
--
-- In the list, an empty name says that the row was not there before: what it lacks, no older row has.
-- '--where' and '--delete-when' are conditions that are not known.

-- The fields that an expression uses, as the parser finds them; null without an expression.
CREATE OR REPLACE FUNCTION kafka._fields_of(source text, expression text) RETURNS text[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  probe constant text := kafka._part(source, 'probe');
  names text[];
BEGIN
  IF expression IS NULL THEN RETURN NULL; END IF;
  -- With the search path of the caller, as the expression itself.
  EXECUTE 'CREATE VIEW ' || probe || ' AS SELECT (' || expression || E'\n) AS x FROM '
    || kafka._part(source, 'fields');
  SELECT pg_catalog.array_agg(DISTINCT a.attname::text) INTO names
  FROM pg_catalog.pg_rewrite r
  JOIN pg_catalog.pg_depend d ON d.objid = r.oid AND d.classid = 'pg_catalog.pg_rewrite'::regclass
  JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
  WHERE r.ev_class = probe::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
    AND d.refobjid = kafka._part(source, 'fields')::regclass AND d.refobjsubid > 0;
  EXECUTE 'DROP VIEW ' || probe;
  RETURN coalesce(names, '{}');
END
$$;

-- Items of a list: the column if one of these fields is absent. What is made of several fields is not
-- what it was, if another one of them has changed.
CREATE OR REPLACE FUNCTION kafka._absent_column(name text, names text[]) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN names = '{}' THEN '' ELSE
    format(', CASE WHEN "kafka$absent" OPERATOR(pg_catalog.&&) %L::text[] THEN %L END', names, name)
    || CASE WHEN array_length(names, 1) > 1 THEN
      format(', CASE WHEN "kafka$absent" OPERATOR(pg_catalog.&&) %L::text[] THEN '''' END', names)
    ELSE '' END
  END
$$;

-- When a condition is not known; null if it always is.
CREATE OR REPLACE FUNCTION kafka._absent_condition(source text, condition text) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  names constant text[] := kafka._fields_of(source, condition);
BEGIN
  RETURN CASE WHEN names <> '{}' THEN
    pg_catalog.format('("kafka$absent" OPERATOR(pg_catalog.&&) %L::text[]) IS TRUE', names) END;
END
$$;

-- Whether rows of the source may have absent fields.
CREATE OR REPLACE FUNCTION kafka._has_absent(s kafka.source) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM pg_attribute a
    WHERE a.attrelid = s.shape_view::regclass AND a.attname = 'kafka$absent');
END
$$;

-- Gives the last rows of a load the values that they lack. Nobody else writes to the target by now.
CREATE OR REPLACE FUNCTION kafka._fill_absent(s kafka.source) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  same constant text := kafka._same_key(s);
  keys constant text := kafka._list(s.merge_key);
  topic constant text := kafka._topic_of_row(s);
  names text[];
  name text;
  newest text;
  wrong record;
BEGIN
  EXECUTE 'SELECT array_agg(DISTINCT x.name) FROM (SELECT unnest("kafka$absent") AS name FROM ' || s.latest
    || ') x WHERE x.name <> ''''' INTO names;
  IF names IS NULL THEN RETURN; END IF;
  FOREACH name IN ARRAY names LOOP
    -- Also of records that --where leaves out: the row has had the values that they have.
    CONTINUE WHEN name <> ALL (s.columns); -- a condition
    newest := format('(SELECT DISTINCT ON (%s) %s, CASE WHEN NOT "kafka$delete" THEN %I END AS "kafka$value",'
      || ' "kafka$delete" OR coalesce(%L = ANY ("kafka$absent"), false) AS "kafka$ends" FROM %s'
      || ' WHERE "kafka$delete" OR "kafka$absent" IS NULL OR %L <> ALL ("kafka$absent")'
      || ' OR '''' = ANY ("kafka$absent") ORDER BY %s, "kafka$order" DESC NULLS LAST, %s DESC,'
      || ' "kafka$partition" DESC, "kafka$offset" DESC)', keys, keys, name, name, s.shape_view, name, keys, topic);
    EXECUTE format('UPDATE %s l SET %I = CASE WHEN t."kafka$ends" THEN l.%I ELSE t."kafka$value" END,'
      || ' "kafka$absent" = CASE WHEN t."kafka$ends" THEN array_append(l."kafka$absent", '''')'
      || ' ELSE array_remove(l."kafka$absent", %L) END FROM %s t WHERE %L = ANY (l."kafka$absent") AND %s',
      s.latest, name, name, name, newest, name, same);
    EXECUTE format('UPDATE %s l SET %I = t.%I, "kafka$absent" = array_remove(l."kafka$absent", %L) FROM %s t'
      || ' WHERE %L = ANY (l."kafka$absent") AND '''' <> ALL (l."kafka$absent") AND %s',
      s.latest, name, name, name, s.target_table, name, same);
  END LOOP;
  EXECUTE 'SELECT t."kafka$of" AS t, t."kafka$partition" AS p, t."kafka$offset" AS o, t."kafka$name" AS name'
    || ' FROM (SELECT l.*, unnest("kafka$absent") AS "kafka$name" FROM ' || s.latest || ' l) l'
    || ' JOIN (SELECT v.*, ' || topic || ' AS "kafka$of", unnest("kafka$absent") AS "kafka$name" FROM ' || s.shape_view
    || ' v WHERE "kafka$keep" AND NOT "kafka$delete") t ON ' || same || ' AND t."kafka$name" = l."kafka$name"'
    || ' WHERE l."kafka$name" <> '''' ORDER BY 1, 2, 3, 4 LIMIT 1' INTO wrong;
  IF wrong.name IS NULL THEN RETURN; END IF;
  RAISE EXCEPTION 'cannot load source "%": topic "%" partition % offset %: % lacks a value that Debezium did not have (__debezium_unavailable_value), and %',
    s.name, wrong.t, wrong.p, wrong.o,
    CASE WHEN wrong.name LIKE '--%' THEN wrong.name ELSE 'column "' || wrong.name || '"' END,
    CASE WHEN wrong.name LIKE '--%' THEN 'so it is not known whether it is true'
      ELSE 'neither the table nor an earlier record of its key has it' END
    USING ERRCODE = 'data_exception',
      HINT = 'Give the table that Debezium reads REPLICA IDENTITY FULL and let Debezium take a new snapshot of it; then go past these records: '
        || kafka._seek_call(s, kafka._position(s, wrong.t, wrong.p, wrong.o + 1));
END
$$;

-- Refuses a record without a key that is not a change of a row, by what it is.
CREATE OR REPLACE FUNCTION kafka._check_event(s kafka.source, topic text, partition_no integer, "offset" bigint) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  op text;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_attribute a
    WHERE a.attrelid = s.fields_view::regclass AND a.attname = 'kafka$op') THEN
    RETURN;
  END IF;
  EXECUTE 'SELECT "kafka$op" FROM ' || s.fields_view || ' WHERE "kafka$partition" = $1 AND "kafka$offset" = $2 AND '
    || kafka._topic_of_row(s) || ' = $3' INTO op USING partition_no, "offset", topic;
  IF op = 't' THEN
    RAISE EXCEPTION 'cannot load source "%": topic "%" partition % offset %: the table that Debezium reads was truncated (op t)',
      s.name, topic, partition_no, "offset"
      USING ERRCODE = 'data_exception',
        HINT = format('Empty %s, then go past the event: %s', s.target_table,
          kafka._seek_call(s, kafka._position(s, topic, partition_no, "offset" + 1)));
  ELSIF op IS NULL THEN
    RAISE EXCEPTION 'cannot load source "%": topic "%" partition % offset %: it is not a change event of Debezium: it has no op',
      s.name, topic, partition_no, "offset"
      USING ERRCODE = 'data_exception',
        HINT = 'Heartbeats and transactions have topics of their own; events that the connector has unwrapped are loaded without --envelope.';
  END IF;
END
$$;
