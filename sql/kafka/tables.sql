-- The tables of schema kafka. One text for Greenplum 6 and 7 and PostgreSQL 13 to 18, so no more
-- than PostgreSQL 9.4 knows. No DISTRIBUTED here: greenplum.sql says it behind this.

CREATE SCHEMA IF NOT EXISTS kafka;

CREATE TABLE IF NOT EXISTS kafka.schema_version (
  version integer PRIMARY KEY,
  installed timestamptz NOT NULL DEFAULT now()
);

-- Each step of an upgrade is one IF; a new database takes them all.
DO $upgrade$
DECLARE
  newest constant integer := 1;
  has integer := (SELECT coalesce(max(v.version), 0) FROM kafka.schema_version v);
BEGIN
  IF has > newest THEN
    RAISE EXCEPTION 'schema kafka is at version %, which is newer than this text (%)', has, newest
      USING HINT = 'Install with the newer gpdb-kafka that it came from.';
  END IF;

  IF has < 1 THEN
    -- What is loaded from where. `reader` and `planner` are the names of two web tables on
    -- Greenplum, and two shell commands on PostgreSQL, so who may write here may run programs.
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
    -- primary key is the last guard of "exactly once": of two loads from the same offsets, one
    -- fails.
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
END
$upgrade$;

COMMENT ON TABLE kafka.source IS 'What kafka.load loads, from which topic into which table';
COMMENT ON TABLE kafka.load_history IS 'Loads and seeks; the newest row of a source is where it stands';
COMMENT ON COLUMN kafka.load_history.reason IS
  'end: everything there was at its start; max_records: there is more; seek: moved by hand';
COMMENT ON COLUMN kafka.load_history.rows IS 'rows inserted';
COMMENT ON COLUMN kafka.load_history.rejected IS 'rows that the web table''s reject limit left out';
COMMENT ON COLUMN kafka.load_history.records IS
  'offsets passed; more than rows where there are tombstones, transactions or compaction';
COMMENT ON COLUMN kafka.load_history.lag IS 'offsets left to load when it ended';
COMMENT ON COLUMN kafka.load_history.ranges IS 'PARTITION:FROM-TO, TO exclusive';
COMMENT ON COLUMN kafka.load_history.next_offsets IS 'the next offset of partition 0, 1, …';
