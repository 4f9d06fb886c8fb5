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

-- A source's row, for those who may load it.
CREATE OR REPLACE FUNCTION kafka._source(source text, caller text DEFAULT kafka._me())
RETURNS kafka.source
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
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
  PERFORM kafka._check_reader(s);
  IF row_security_active(s.target_table) THEN
    RAISE EXCEPTION 'cannot merge into %: row security may hide rows of it from role "%", which loads', s.target_table, current_user
      USING ERRCODE = 'insufficient_privilege', HINT = format('ALTER ROLE %I BYPASSRLS;', current_user);
  END IF;
END
$$;

-- Takes rows with a value that does not fit its column out of the stage, and writes down which. As
-- on Greenplum: the load fails if there are as many as the limit says, or, of more than 300 rows,
-- that share of them.
CREATE OR REPLACE FUNCTION kafka._reject(s kafka.source, load_no bigint, staged bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  rejected bigint;
  number constant integer := substring(s.reject_limit FROM '^[0-9]+');
  first record;
BEGIN
  IF s.unfit_view IS NULL THEN RETURN 0; END IF;
  EXECUTE 'INSERT INTO kafka.rejected_row (source, load_no, topic, partition_no, "offset", column_name, reason)'
    || ' SELECT $1, $2, u.topic, u."kafka$partition", u."kafka$offset", u.name,'
    || ' (SELECT coalesce(e.message || coalesce(''; '' || e.detail, ''''), ''does not fit'')'
    || '   FROM pg_input_error_info(u.value, u.type) e)'
    || ' FROM (SELECT DISTINCT ON (1, "kafka$partition", "kafka$offset") ' || kafka._topic_of_row(s) || ' AS topic, * FROM '
    || s.unfit_view || ' ORDER BY 1, "kafka$partition", "kafka$offset", no) u' USING s.name, load_no;
  GET DIAGNOSTICS rejected = ROW_COUNT;
  IF rejected = 0 THEN RETURN 0; END IF;
  IF s.reject_limit LIKE '%PERCENT' AND staged > 300 AND rejected * 100 >= number * staged
    OR s.reject_limit NOT LIKE '%PERCENT' AND rejected >= number THEN
    SELECT r.* INTO first FROM kafka.rejected_row r WHERE r.source = s.name AND r.load_no = _reject.load_no
    ORDER BY r.topic COLLATE "C", r.partition_no, r."offset" LIMIT 1;
    RAISE EXCEPTION 'cannot load source "%": % of % rows do not fit, and its reject limit is %; the first one: topic "%" partition % offset %, column "%": %',
      s.name, rejected, staged, lower(s.reject_limit), first.topic, first.partition_no, first."offset",
      first.column_name, first.reason
      USING ERRCODE = 'data_exception';
  END IF;
  EXECUTE 'DELETE FROM ' || s.stage || ' t USING kafka.rejected_row r WHERE r.source = $1 AND r.load_no = $2'
    || CASE WHEN s.topic IS NULL THEN ' AND r.topic = t."kafka$topic"' ELSE '' END
    || ' AND r.partition_no = t."kafka$partition" AND r."offset" = t."kafka$offset"' USING s.name, load_no;
  RETURN rejected;
END
$$;
