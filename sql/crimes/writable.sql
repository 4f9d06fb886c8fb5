-- The way back: rows of the Chicago crimes table into a Kafka topic, from all segments at once.
-- For Greenplum 6 and 7. Run it with psql as a superuser (EXECUTE needs one), after greenplum.sql.
--
--   psql -d DATABASE -f sql/crimes/writable.sql
--
-- Before: copy the executable kafka_producer into the home folder of the database's user (gpadmin)
-- on every segment host, create the topic, and set the brokers in the EXECUTE line below.
--
-- Write what a query finds:
--
--   SET extra_float_digits = 3;      -- or Greenplum 6 writes floats with 15 digits, not all 17
--   INSERT INTO crimes_to_kafka SELECT * FROM crimes WHERE crime_year = 2014;
--
-- Each segment pipes its rows into its own kafka_producer, which the brokers' logs and quotas know
-- by its client id, gpdb-kafka-segment-N. The statement succeeds when every segment's producer has
-- ended well, so when all in-sync replicas have every row.
--
-- What is promised: every row at least once. The rows go out while the statement runs, and Kafka
-- does not know of the database's transaction. If the statement fails (another segment's error, a
-- cancel), or its transaction is rolled back later, the rows sent until then stay in the topic: an
-- aborted statement just closes the command's stdin, as the end of the data does. Running it again
-- sends them again. One producer writes none of its rows twice, though it retries: it is idempotent.
-- So readers of the topic should identify rows by a key; here the key is the id (--key-column 1), and
-- all records of one id are in one partition, in the order written by one statement.

-- --split csv, because a quoted value may hold a newline.
-- --quiet, because stderr is for what went wrong; its first line reaches the user who runs the SQL.
DROP EXTERNAL TABLE IF EXISTS crimes_to_kafka;
CREATE WRITABLE EXTERNAL WEB TABLE crimes_to_kafka (LIKE crimes)
EXECUTE '$HOME/kafka_producer --brokers localhost:9092 --topic crimes --split csv --key-column 1 --codec lz4 --quiet --log-file "$HOME/kafka_producer_$GP_SEGMENT_ID.log"'
FORMAT 'CSV' (DELIMITER ',' NULL '')
ENCODING 'UTF8'
DISTRIBUTED BY (id);
