-- What shaped sources need on PostgreSQL.

-- The reader's columns as texts: so a value that does not fit its type stops no COPY, and it is
-- known which record has it.
CREATE OR REPLACE FUNCTION kafka._stage_type(type text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT 'text'::text $$;

-- A table of one load. Not logged: it is empty between loads.
CREATE OR REPLACE FUNCTION kafka._scratch_table(name text, columns text, target regclass) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('CREATE UNLOGGED TABLE %s (%s)', name, columns)
$$;

-- Whether the server can tell if a text fits a type (16 and later).
CREATE OR REPLACE FUNCTION kafka._can_reject() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT 1 FROM pg_proc p WHERE p.proname = 'pg_input_error_info' AND p.pronamespace = 11)
$$;

-- A source's row, for roles that may load it.
CREATE OR REPLACE FUNCTION kafka._source(source text, caller text DEFAULT kafka._me())
RETURNS kafka.source
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN kafka._open(source, 'INSERT', caller);
END
$$;

-- Keeps other writers away from the target until the transaction ends; its readers go on. Only now,
-- so that they do not wait for Kafka. What the target runs by itself is looked at again: nobody can
-- change it from here on.
CREATE OR REPLACE FUNCTION kafka._lock_merge(s kafka.source) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE 'LOCK TABLE ' || s.target_table || ' IN SHARE ROW EXCLUSIVE MODE';
  PERFORM kafka._check_target(s);
  PERFORM kafka._check_kind(s.target_table, true);
  IF s.via <> 'client' THEN PERFORM kafka._check_reader(s); END IF;
  IF row_security_active(s.target_table) THEN
    RAISE EXCEPTION 'cannot merge into %: row security may hide rows of it from role "%", which loads', s.target_table, current_user
      USING ERRCODE = 'insufficient_privilege', HINT = format('ALTER ROLE %I BYPASSRLS;', current_user);
  END IF;
END
$$;

-- Writes down rows that a load of this transaction leaves out. With the rights of the schema's owner:
-- a role that loads by a client looks for these rows with its own.
CREATE OR REPLACE FUNCTION kafka._keep_rejected(
  source text, load_no bigint, topics text[], partitions integer[], offsets bigint[], columns text[],
  reasons text[], caller text DEFAULT kafka._me())
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s kafka.source%ROWTYPE;
BEGIN
  s := kafka._open(source, 'INSERT', caller);
  -- Of other sources kafka.load says it, which runs with the rights of the schema's owner.
  IF s.via <> 'client' AND NOT kafka._role_may(kafka._role_of(caller), s, 'OWNER')
    OR NOT EXISTS (SELECT 1 FROM kafka.load_plan x WHERE x.source = s.name AND x.load_no = _keep_rejected.load_no
    AND x.backend = pg_backend_pid() AND x.transaction_start = transaction_timestamp()) THEN
    RAISE EXCEPTION 'cannot keep rejected rows of source "%": this transaction began no such load', s.name
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  INSERT INTO kafka.rejected_row (source, load_no, topic, partition_no, "offset", column_name, reason)
  SELECT s.name, _keep_rejected.load_no, r.t, r.p, r.o, r.name, r.reason
  FROM unnest(topics, partitions, offsets, columns, reasons) r (t, p, o, name, reason)
  WHERE kafka._is_named(s, r.t);
END
$$;

-- Takes rows with a value that does not fit its column out of the stage, and writes down which. As
-- on Greenplum: the load fails if there are as many as the limit says, or, of more than 300 rows,
-- that share of them.
CREATE OR REPLACE FUNCTION kafka._reject(s kafka.source, load_no bigint, staged bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  rejected bigint := 0;
  number constant integer := substring(s.reject_limit FROM '^[0-9]+');
  batch record;
  first text;
BEGIN
  IF s.unfit_view IS NULL THEN RETURN 0; END IF;
  FOR batch IN EXECUTE 'SELECT array_agg(x.t ORDER BY x.no) AS topics, array_agg(x.p ORDER BY x.no) AS partitions, array_agg(x.o ORDER BY x.no) AS offsets,'
    || ' array_agg(x.name ORDER BY x.no) AS names, array_agg(x.reason ORDER BY x.no) AS reasons'
    || ' FROM (SELECT u.topic AS t, u."kafka$partition" AS p, u."kafka$offset" AS o, u.name,'
    || '   (SELECT coalesce(e.message || coalesce(''; '' || e.detail, ''''), ''does not fit'')'
    || '     FROM pg_input_error_info(u.value, u.type) e) AS reason,'
    || '   row_number() OVER (ORDER BY u.topic, u."kafka$partition", u."kafka$offset") AS no'
    || '   FROM (SELECT DISTINCT ON (1, "kafka$partition", "kafka$offset") ' || kafka._topic_of_row(s) || ' AS topic, * FROM '
    || s.unfit_view || ' ORDER BY 1, "kafka$partition", "kafka$offset", no) u) x'
    || ' GROUP BY x.no / 100000 ORDER BY min(x.no)' LOOP
    PERFORM kafka._keep_rejected(s.name, load_no, batch.topics, batch.partitions, batch.offsets, batch.names, batch.reasons);
    EXECUTE 'DELETE FROM ' || s.stage || ' t USING unnest($1, $2, $3) r (t, p, o)'
      || ' WHERE r.p = t."kafka$partition" AND r.o = t."kafka$offset"'
      || CASE WHEN s.topic IS NULL THEN ' AND r.t = t."kafka$topic"' ELSE '' END
    USING batch.topics, batch.partitions, batch.offsets;
    rejected := rejected + array_length(batch.offsets, 1);
    first := coalesce(first, format('topic "%s" partition %s offset %s, column "%s": %s', batch.topics[1],
      batch.partitions[1], batch.offsets[1], batch.names[1], batch.reasons[1]));
  END LOOP;
  IF rejected > 0 AND (s.reject_limit LIKE '%PERCENT' AND staged > 300 AND rejected * 100 >= number * staged
    OR s.reject_limit NOT LIKE '%PERCENT' AND rejected >= number) THEN
    RAISE EXCEPTION 'cannot load source "%": % of % rows do not fit, and its reject limit is %; the first one: %',
      s.name, rejected, staged, lower(s.reject_limit), first
      USING ERRCODE = 'data_exception';
  END IF;
  RETURN rejected;
END
$$;
