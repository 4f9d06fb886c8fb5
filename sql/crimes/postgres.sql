-- The Chicago crimes table, and foreign tables that read new rows for it from Kafka.
-- For PostgreSQL 10 and later, with file_fdw from its contrib modules. Plain SQL: any client can
-- run it, as a superuser or a member of pg_execute_server_program who may create extensions.
--
--   psql -d DATABASE -f sql/crimes/postgres.sql
--
-- Before: put the executable kafka_consumer into the home folder of the user that the server runs
-- as. Another command, other brokers or another number of slots are settings of the session:
--
--   psql -d DATABASE \
--     -c "SET gpdb_kafka.command = '/opt/bin/kafka_consumer --brokers k1:9092 --topic crimes'" \
--     -c "SET gpdb_kafka.slots = 8" -f sql/crimes/postgres.sql
--
-- Load what is new, as often as you like:
--
--   SET datestyle = 'ISO, MDY';      -- the dates are written 04/30/2014 11:00:00 PM
--   INSERT INTO crimes SELECT * FROM crimes_kafka;
--
-- The view crimes_kafka is all slots, one after the other. Each slot reads its own share of the
-- topic's partitions (partition modulo number of slots), from the offset stored in Kafka for the
-- consumer group to the topic's end as it is at the slot's start. So several sessions can load in
-- parallel, each from its own table: crimes_kafka_0, crimes_kafka_1, …
-- No rows and no error means that there was nothing new.
--
-- What is promised: every record is read at least once, up to the end of the command. The command
-- ends before the transaction does, and stores its offsets in Kafka once its last row is written.
-- If the statement fails after that (a constraint, a cancel, a ROLLBACK), the rows are gone from
-- the database, yet the group has moved past them: `gpdb-kafka offsets reset` moves it back. For
-- exactly once, where rows and offsets are kept or lost together, load with
-- `SELECT kafka.load('crimes')` instead (`gpdb-kafka sql schema`).
--
-- Any SELECT from crimes_kafka moves the offsets, even one with a LIMIT, and a join may run the
-- command more than once. To look without moving them, add --commit no to the command.

CREATE EXTENSION IF NOT EXISTS file_fdw;

CREATE SERVER IF NOT EXISTS gpdb_kafka FOREIGN DATA WRAPPER file_fdw;

CREATE TABLE IF NOT EXISTS crimes
(
  id                  integer,
  case_number         varchar(20),
  crime_date          timestamp,
  block               varchar(50),
  iucr                varchar(10),
  primary_type        varchar(50),
  description         varchar(75),
  location_desc       varchar(75),
  arrest              boolean,
  domestic            boolean,
  beat                varchar(7),
  district            varchar(7),
  ward                smallint,
  community_area      varchar(10),
  fbi_code            varchar(5),
  x_coord             float,
  y_coord             float,
  crime_year          smallint,
  record_update_date  timestamp,
  latitude            float,
  longitude           float,
  location            varchar(60)
);

DO $crimes$
DECLARE
  command text := coalesce(
    nullif(current_setting('gpdb_kafka.command', true), ''),
    '$HOME/kafka_consumer --brokers localhost:9092 --topic crimes --group GPDB_Consumer_Group'
      || ' --log-file "$HOME/kafka_consumer_$GP_SEGMENT_ID.log"');
  slots int := coalesce(nullif(current_setting('gpdb_kafka.slots', true), ''), '4');
  columns text;
  selects text[] := '{}';
  slot_table text;
  old record;
BEGIN
  DROP VIEW IF EXISTS crimes_kafka;
  -- All old ones, as there may have been more slots before.
  FOR old IN
    SELECT c.oid::regclass AS name
    FROM pg_class c
    WHERE c.relkind = 'f' AND c.relnamespace = current_schema()::regnamespace
      AND c.relname ~ '^crimes_kafka_[0-9]+$'
  LOOP
    EXECUTE format('DROP FOREIGN TABLE %s', old.name);
  END LOOP;

  -- CREATE FOREIGN TABLE does not know LIKE before PostgreSQL 18.
  SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
  INTO columns
  FROM pg_attribute
  WHERE attrelid = 'crimes'::regclass AND attnum > 0 AND NOT attisdropped;

  FOR slot IN 0 .. slots - 1 LOOP
    slot_table := format('crimes_kafka_%s', slot);
    -- The command finds its share as it does on a Greenplum segment: by these two variables.
    EXECUTE format(
      'CREATE FOREIGN TABLE %I (%s) SERVER gpdb_kafka OPTIONS '
        || '(program %L, format ''csv'', delimiter '','', null '''', encoding ''UTF8'')',
      slot_table,
      columns,
      format('export GP_SEGMENT_ID=%s GP_SEGMENT_COUNT=%s; %s', slot, slots, command));
    selects := selects || format('SELECT * FROM %I', slot_table);
  END LOOP;
  EXECUTE 'CREATE VIEW crimes_kafka AS ' || array_to_string(selects, ' UNION ALL ');
END
$crimes$;
