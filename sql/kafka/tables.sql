-- The tables of schema kafka. One text for Greenplum 6 and 7 and PostgreSQL 13 to 18, so no more
-- than PostgreSQL 9.4 has. No DISTRIBUTED here: greenplum.sql adds it after this.

-- Nothing that somebody else put into the search path takes part in what follows.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE SCHEMA IF NOT EXISTS kafka;

-- The functions below run with the rights of the role that installs them. So nothing in the schema
-- may belong to, or be changed by, a role that has fewer: its tables would have triggers and
-- defaults of theirs, a function would be called in place of ours.
DO $owners$
DECLARE
  found_object record;
  is_superuser constant boolean := (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user);
BEGIN
  SELECT x.what, r.rolname AS owner INTO found_object
  FROM (
    SELECT 0 AS rank, 'schema kafka' AS what, n.nspowner AS owner
    FROM pg_namespace n WHERE n.nspname = 'kafka'
    UNION ALL
    SELECT 1, 'kafka.' || quote_ident(c.relname), c.relowner
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'kafka'
    UNION ALL
    SELECT 1, 'function kafka.' || quote_ident(p.proname), p.proowner
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'kafka'
    UNION ALL
    SELECT 1, 'type kafka.' || quote_ident(t.typname), t.typowner
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = 'kafka'
  ) x JOIN pg_roles r ON r.oid = x.owner
  WHERE r.rolname <> current_user AND NOT (r.rolsuper AND (is_superuser OR x.rank = 1))
  ORDER BY x.rank LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'cannot install schema kafka: % belongs to role "%", not to "%"',
      found_object.what, found_object.owner, current_user
      USING ERRCODE = 'insufficient_privilege',
        HINT = 'Install it as the role that owns the schema (SET ROLE); drop objects that other roles created in it.';
  END IF;
  SELECT coalesce(r.rolname, 'public') AS name INTO found_object
  FROM (SELECT (aclexplode(n.nspacl)).*, n.nspowner FROM pg_namespace n WHERE n.nspname = 'kafka') a
  LEFT JOIN pg_roles r ON r.oid = a.grantee
  WHERE a.privilege_type = 'CREATE' AND a.grantee <> a.nspowner LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'cannot install schema kafka: role "%" may create objects in it', found_object.name
      USING ERRCODE = 'insufficient_privilege',
        HINT = 'REVOKE CREATE ON SCHEMA kafka FROM that role.';
  END IF;
END
$owners$;

CREATE TABLE IF NOT EXISTS kafka.schema_version (
  version integer PRIMARY KEY,
  installed timestamptz NOT NULL DEFAULT now()
);

-- Each step of an upgrade is one IF; a new database takes them all.
DO $upgrade$
DECLARE
  newest constant integer := 6;
  has integer := (SELECT coalesce(max(v.version), 0) FROM kafka.schema_version v);
  s record;
  found_table record;
  random text;
BEGIN
  IF has > newest THEN
    RAISE EXCEPTION 'cannot install schema kafka: it is at version %, which is newer than this version (%)', has, newest
      USING HINT = 'Use the newer gpdb-kafka that installed it.';
  END IF;

  IF has < 1 THEN
    -- What is loaded from where. `reader` and `planner` are the names of two web tables on
    -- Greenplum, and two shell commands on PostgreSQL, so a role that may write here may run
    -- programs.
    CREATE TABLE kafka.source (
      name text PRIMARY KEY CHECK (octet_length(name) BETWEEN 1 AND 200),
      topic text NOT NULL CHECK (topic ~ '^[a-zA-Z0-9._-]{1,249}$'),
      target text NOT NULL,
      columns text[] NOT NULL CHECK (array_length(columns, 1) > 0),
      reader text NOT NULL,
      planner text NOT NULL,
      brokers text,
      config_file text,
      group_name text NOT NULL,
      fallback text NOT NULL CHECK (fallback IN ('earliest', 'latest', 'fail')),
      on_lost text NOT NULL CHECK (on_lost IN ('fail', 'earliest', 'latest')),
      max_records bigint CHECK (max_records > 0),
      paused boolean NOT NULL DEFAULT false,
      created timestamptz NOT NULL DEFAULT now()
    );

    -- One row for each load that loaded something, and each seek. The newest row of a source says
    -- where its next load starts: next_offsets[partition + 1]. Rows are only added, because on
    -- Greenplum an UPDATE locks the whole table, and with it the loads of all other sources. The
    -- primary key puts loads that end at the same time in order (kafka._after).
    CREATE TABLE kafka.load_history (
      source text,
      load_no bigint,
      reason text NOT NULL CHECK (reason IN ('end', 'max_records', 'seek')),
      started timestamptz NOT NULL,
      seconds double precision NOT NULL,
      rows bigint NOT NULL,
      rejected bigint NOT NULL,
      records bigint NOT NULL,
      lag bigint NOT NULL,
      ranges text NOT NULL,
      next_offsets bigint[] NOT NULL,
      loaded_by text NOT NULL,
      backend integer NOT NULL DEFAULT pg_backend_pid(),
      transaction_start timestamptz NOT NULL DEFAULT transaction_timestamp(),
      PRIMARY KEY (source, load_no)
    );

    INSERT INTO kafka.schema_version (version) VALUES (1);
  END IF;

  IF has < 2 THEN
    -- Which table a source was added for, and whose it was: a name alone can be given to another.
    -- As regclass and text, so that a dump has names and a restored database works.
    ALTER TABLE kafka.source ADD COLUMN target_table regclass;
    ALTER TABLE kafka.source ADD COLUMN target_owner text;
    FOR s IN SELECT x.name, x.target FROM kafka.source x LOOP
      SELECT c.oid, r.rolname AS owner INTO found_table
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_roles r ON r.oid = c.relowner
      WHERE format('%I.%I', n.nspname, c.relname) = s.target;
      UPDATE kafka.source x SET target_table = found_table.oid, target_owner = found_table.owner
      WHERE x.name = s.name;
    END LOOP;

    -- Which log the offsets are of: an offset alone names no record.
    ALTER TABLE kafka.load_history ADD COLUMN lost bigint NOT NULL DEFAULT 0;
    ALTER TABLE kafka.load_history ADD COLUMN cluster_id text;
    ALTER TABLE kafka.load_history ADD COLUMN topic_id text;
    ALTER TABLE kafka.load_history ADD COLUMN leader_epochs integer[];

    -- What a load is about to do, written before it reads: its last step takes all but the
    -- number of rows from here, so a caller cannot claim anything else. Only added, too.
    CREATE TABLE kafka.load_plan (
      source text NOT NULL,
      load_no bigint NOT NULL,
      planned timestamptz NOT NULL,
      definition text NOT NULL,
      reason text NOT NULL,
      started timestamptz NOT NULL,
      records bigint NOT NULL,
      lag bigint NOT NULL,
      lost bigint NOT NULL,
      ranges text NOT NULL,
      next_offsets bigint[] NOT NULL,
      cluster_id text,
      topic_id text,
      leader_epochs integer[],
      backend integer NOT NULL DEFAULT pg_backend_pid(),
      transaction_start timestamptz NOT NULL DEFAULT transaction_timestamp()
    );

    -- The web tables and foreign tables that `gpdb-kafka sql source` made, and from what.
    CREATE TABLE kafka.made_table (
      name text PRIMARY KEY,
      source text NOT NULL,
      digest text NOT NULL
    );

    -- Signs the names of callers: see kafka._me.
    CREATE TABLE kafka.signing_key (secret text PRIMARY KEY);

    -- Functions of version 1 that have another signature or result now.
    IF has = 1 THEN
      DROP FUNCTION kafka.load(text, bigint);
      DROP FUNCTION kafka._begin(text, bigint);
      DROP FUNCTION kafka._copy(text, text);
      DROP FUNCTION kafka._finish(text, bigint, text, timestamptz, bigint, bigint, bigint,
        bigint, text, bigint[]);
      DROP FUNCTION kafka._plan(kafka.source, text, bigint);
      DROP FUNCTION kafka._plan_checked(kafka.source, kafka.load_history, bigint);
      DROP FUNCTION kafka._mirror(kafka.source, kafka.load_history);
      DROP FUNCTION kafka._open(text, text);
      DROP FUNCTION kafka.drop_source(text);
      DROP FUNCTION kafka.seek(text, text);
      DROP FUNCTION kafka.pause(text);
      DROP FUNCTION kafka.resume(text);
      DROP FUNCTION IF EXISTS kafka._source(text); -- Greenplum's
      ALTER FUNCTION kafka.lag_of(text) RENAME TO _lag_of_1; -- the view kafka.lag still has it
    END IF;

    INSERT INTO kafka.schema_version (version) VALUES (2);
  END IF;

  IF has < 3 THEN
    -- How the reader's rows become the target's: see shape.sql. Null for a source that inserts the
    -- reader's columns as they come. The names are of a table that the reader fills, of views over
    -- it, and of the table with the last row of each key.
    ALTER TABLE kafka.source ADD COLUMN stage text;
    ALTER TABLE kafka.source ADD COLUMN stage_columns text[];
    ALTER TABLE kafka.source ADD COLUMN fields_view text;
    ALTER TABLE kafka.source ADD COLUMN shape_view text;
    ALTER TABLE kafka.source ADD COLUMN unfit_view text;
    ALTER TABLE kafka.source ADD COLUMN latest text;
    ALTER TABLE kafka.source ADD COLUMN merge_key text[];
    ALTER TABLE kafka.source ADD COLUMN kept_columns text[];
    ALTER TABLE kafka.source ADD COLUMN reject_limit text;

    ALTER TABLE kafka.load_history ADD COLUMN inserted bigint;
    ALTER TABLE kafka.load_history ADD COLUMN updated bigint NOT NULL DEFAULT 0;
    ALTER TABLE kafka.load_history ADD COLUMN deleted bigint NOT NULL DEFAULT 0;
    ALTER TABLE kafka.load_history ADD COLUMN filtered bigint NOT NULL DEFAULT 0;
    ALTER TABLE kafka.load_history ADD COLUMN rows_read bigint;
    UPDATE kafka.load_history h SET inserted = h.rows, rows_read = h.rows + h.rejected;
    ALTER TABLE kafka.load_history ALTER COLUMN inserted SET NOT NULL;
    ALTER TABLE kafka.load_history ALTER COLUMN rows_read SET NOT NULL;

    -- Rows that the reject limit left out, on PostgreSQL. On Greenplum the reader's error log has
    -- them. Values of records, so it is read through kafka.rejected.
    CREATE TABLE kafka.rejected_row (
      source text,
      load_no bigint,
      topic text,
      partition_no integer,
      "offset" bigint,
      column_name text NOT NULL,
      reason text NOT NULL,
      rejected timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (source, load_no, topic, partition_no, "offset")
    );

    IF has = 2 THEN
      DROP FUNCTION kafka.load(text, bigint, text);
      DROP FUNCTION kafka._begin(text, bigint, text);
      DROP FUNCTION kafka._finish(text, bigint, bigint, text);
    END IF;

    INSERT INTO kafka.schema_version (version) VALUES (3);
  END IF;

  IF has < 4 THEN
    -- Who reads the topic: Greenplum's segments, a program that PostgreSQL runs, or gpdb-kafka itself,
    -- which then needs no right to run programs. What is null here is the database's own way: see
    -- kafka._own_way.
    ALTER TABLE kafka.source ADD COLUMN via text CHECK (via IN ('segments', 'program', 'client'));
    IF has > 0 THEN
      DROP FUNCTION kafka.add_source(text, text, regclass, text, text, text, text[], text, text,
        text, text, bigint);
    END IF;

    INSERT INTO kafka.schema_version (version) VALUES (4);
  END IF;

  IF has < 5 THEN
    -- Several topics of a source: those named, or all that a pattern matches; `topic` is null then.
    ALTER TABLE kafka.source ALTER COLUMN topic DROP NOT NULL;
    ALTER TABLE kafka.source ADD COLUMN topics text[];
    ALTER TABLE kafka.source ADD COLUMN topic_pattern text;
    ALTER TABLE kafka.source ADD CHECK ((topic IS NOT NULL)::integer + (topics IS NOT NULL)::integer
      + (topic_pattern IS NOT NULL)::integer = 1);

    -- Offsets and leader epochs are of all partitions of the first topic, then of the second one:
    -- those of topics[i] begin at place topic_starts[i].
    ALTER TABLE kafka.load_history ADD COLUMN topics text[];
    ALTER TABLE kafka.load_history ADD COLUMN topic_ids text[];
    ALTER TABLE kafka.load_history ADD COLUMN topic_starts integer[];
    ALTER TABLE kafka.load_history ADD COLUMN topic_records bigint[];
    ALTER TABLE kafka.load_history ADD COLUMN topic_lags bigint[];
    UPDATE kafka.load_history h SET topics = ARRAY[x.topic], topic_ids = ARRAY[h.topic_id],
      topic_starts = ARRAY[1], topic_records = ARRAY[h.records], topic_lags = ARRAY[h.lag]
    FROM kafka.source x WHERE x.name = h.source;
    ALTER TABLE kafka.load_history DROP COLUMN topic_id;
    ALTER TABLE kafka.load_plan ADD COLUMN topics text[];
    ALTER TABLE kafka.load_plan ADD COLUMN topic_ids text[];
    ALTER TABLE kafka.load_plan ADD COLUMN topic_starts integer[];
    ALTER TABLE kafka.load_plan ADD COLUMN topic_records bigint[];
    ALTER TABLE kafka.load_plan ADD COLUMN topic_lags bigint[];
    ALTER TABLE kafka.load_plan DROP COLUMN topic_id;

    -- They have other arguments or results now.
    FOR s IN SELECT p.oid::regprocedure AS function
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname = 'kafka' AND p.proname IN ('load', '_begin', '_plan_checked', '_told', 'seek', '_stand', '_client_begin',
        'add_source') LOOP
      EXECUTE 'DROP FUNCTION ' || s.function;
    END LOOP;

    INSERT INTO kafka.schema_version (version) VALUES (5);
  END IF;

  IF has < 6 THEN
    -- Where the source stood in each partition when a load was planned: several that read a share of the
    -- partitions each may end in any order.
    ALTER TABLE kafka.load_plan ADD COLUMN starts bigint[];

    -- They have other arguments or results now.
    FOR s IN SELECT p.oid::regprocedure AS function
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname = 'kafka' AND p.proname IN ('_lock', '_open', '_begin', '_next', '_stand', '_client_begin',
        '_client_finish') LOOP
      EXECUTE 'DROP FUNCTION ' || s.function;
    END LOOP;

    INSERT INTO kafka.schema_version (version) VALUES (6);
  END IF;

  -- Not every random() is one that cannot be guessed. That of UUIDs is, and needs no right; where the
  -- server has none (before PostgreSQL 13), there are pgcrypto's and the host's random numbers.
  IF NOT EXISTS (SELECT 1 FROM kafka.signing_key) THEN
    SELECT format('%I.%I', n.nspname, p.proname) || CASE p.proname WHEN 'gen_random_uuid' THEN '()' ELSE '(32)' END
    INTO random
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_roles r ON r.oid = p.proowner AND r.rolsuper -- nobody else's function of that name
    WHERE p.proname = 'gen_random_uuid' AND p.pronargs = 0
      OR p.proname = 'gen_random_bytes' AND p.proargtypes[0] = 'integer'::regtype AND p.pronargs = 1
    ORDER BY p.proname = 'gen_random_uuid' DESC LIMIT 1;
    IF FOUND THEN
      EXECUTE 'INSERT INTO kafka.signing_key (secret) SELECT md5(' || random || '::text) || md5(' || random || '::text)';
    ELSIF (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
      COPY kafka.signing_key FROM PROGRAM 'od -vAn -N32 -tx1 /dev/urandom | tr -d '' \n''';
    ELSE
      RAISE EXCEPTION 'cannot install schema kafka: this server has no random numbers for role "%"', current_user
        USING ERRCODE = 'feature_not_supported', HINT = 'CREATE EXTENSION pgcrypto;';
    END IF;
  END IF;
END
$upgrade$;
