-- The Chicago crimes table, and a web table that reads new rows for it from Kafka.
-- For Greenplum 6 and 7. Run it with psql as a superuser: EXECUTE needs one.
--
--   psql -d DATABASE -f sql/crimes/greenplum.sql
--
-- Before: copy the executable kafka_consumer into the home folder of the database's user (gpadmin)
-- on every segment host, and set the brokers in the EXECUTE line below.
--
-- Load what is new, as often as you like:
--
--   SET datestyle = 'ISO, MDY';      -- the dates are written 04/30/2014 11:00:00 PM
--   INSERT INTO crimes SELECT * FROM crimes_kafka;
--
-- Each segment reads its own share of the topic's partitions (partition modulo number of segments),
-- from the offset stored in Kafka for the consumer group to the topic's end as it is at the start.
-- No rows and no error means that there was nothing new.
--
-- What is promised: every record is read at least once, up to the end of the command. The command
-- ends before the transaction does, and stores its offsets in Kafka once its last row is written.
-- If the statement fails after that (a reject limit, a constraint, another segment's error, a
-- cancel, a ROLLBACK), the rows are gone from the database, yet the group has moved past them:
-- `gpdb-kafka offsets reset` moves it back. For exactly once, where rows and offsets are kept or
-- lost together, load with `SELECT kafka.load('crimes')` instead (`gpdb-kafka sql schema`).
--
-- Any SELECT from crimes_kafka moves the offsets, even one with a LIMIT. To look without moving
-- them, add --commit no to the command.
--
-- Rows that do not fit the columns are kept apart; see them, and why, with
--
--   SELECT * FROM gp_read_error_log('crimes_kafka');
--
-- and more than one in a hundred on one segment fails the statement.

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
)
DISTRIBUTED BY (id);

-- ON ALL, because every segment reads its own partitions; any other clause leaves some unread.
-- NEWLINE 'LF', or one CR LF at the end of the first row changes how all later rows are cut.
-- ENCODING, or the table takes the encoding of the session that creates it.
-- --log-file instead of 2>>, so that an error's first line still reaches the user who runs the SQL.
DROP EXTERNAL TABLE IF EXISTS crimes_kafka;
CREATE READABLE EXTERNAL WEB TABLE crimes_kafka (LIKE crimes)
EXECUTE '$HOME/kafka_consumer --brokers localhost:9092 --topic crimes --group GPDB_Consumer_Group --log-file "$HOME/kafka_consumer_$GP_SEGMENT_ID.log"'
ON ALL
FORMAT 'CSV' (DELIMITER ',' NULL '' NEWLINE 'LF')
ENCODING 'UTF8'
LOG ERRORS SEGMENT REJECT LIMIT 1 PERCENT;
