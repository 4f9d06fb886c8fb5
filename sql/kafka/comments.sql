-- What the tables of schema kafka hold, for those who look at them.

COMMENT ON TABLE kafka.source IS 'What kafka.load loads, from which topic into which table';
COMMENT ON COLUMN kafka.source.topic IS 'its only topic; null: see topics and topic_pattern';
COMMENT ON COLUMN kafka.source.topics IS 'its topics, by their names';
COMMENT ON COLUMN kafka.source.topic_pattern IS 'a regular expression: its topics are all that it matches';
COMMENT ON COLUMN kafka.source.target_owner IS 'the owner of the target when the source was added';
COMMENT ON COLUMN kafka.source.via IS 'who reads the topic: segments, program, or client (gpdb-kafka load)';
COMMENT ON TABLE kafka.load_plan IS 'What loads were about to do; kafka.prune removes old rows';
COMMENT ON TABLE kafka.made_table IS 'Tables that kafka.drop_source drops with their source';
COMMENT ON TABLE kafka.load_history IS 'Loads and seeks; the newest row of a source has its position';
COMMENT ON COLUMN kafka.load_history.reason IS
  'end: loaded up to the end at its start; max_records: there is more; seek: moved by kafka.seek';
COMMENT ON COLUMN kafka.load_history.rows IS 'rows inserted';
COMMENT ON COLUMN kafka.load_history.inserted IS 'of rows, those with a key that the target did not have';
COMMENT ON COLUMN kafka.load_history.updated IS 'of rows, those that took the place of a row with their key';
COMMENT ON COLUMN kafka.load_history.deleted IS 'rows of the target that a delete or a tombstone removed';
COMMENT ON COLUMN kafka.load_history.filtered IS 'rows that --where left out';
COMMENT ON COLUMN kafka.load_history.rows_read IS 'rows that the reader returned, rejected ones too';
COMMENT ON TABLE kafka.rejected_row IS 'Rows left out by the reject limit; see kafka.rejected';
COMMENT ON COLUMN kafka.load_history.rejected IS 'rows left out by the reject limit';
COMMENT ON COLUMN kafka.load_history.records IS
  'offsets passed; more than rows if there are tombstones, transactions, compaction or skipped records';
COMMENT ON COLUMN kafka.load_history.lag IS 'offsets left to load after this load';
COMMENT ON COLUMN kafka.load_history.lost IS 'offsets that were deleted or skipped before they were read (on_lost)';
COMMENT ON COLUMN kafka.load_history.ranges IS
  'PARTITION:FROM-TO, TO exclusive; of several topics TOPIC/PARTITION:FROM-TO, one without a topic is of the topic before it';
COMMENT ON COLUMN kafka.load_history.topics IS
  'the topics that the offsets are of; one that the source does not load any more stays';
COMMENT ON COLUMN kafka.load_history.topic_starts IS
  'of each topic, the place of its partition 0 in next_offsets and leader_epochs';
COMMENT ON COLUMN kafka.load_history.topic_records IS 'records of each topic';
COMMENT ON COLUMN kafka.load_history.topic_lags IS
  'lag of each topic; null for one that the source does not load any more';
COMMENT ON COLUMN kafka.load_history.next_offsets IS
  'the next offset of partition 0, 1, … of each topic: kafka.load_offset has them as rows';
COMMENT ON COLUMN kafka.load_history.cluster_id IS 'the cluster that the offsets belong to';
COMMENT ON COLUMN kafka.load_history.topic_ids IS
  'what identifies each topic; null if the brokers have no topic ids (before Kafka 2.8)';
COMMENT ON COLUMN kafka.load_history.leader_epochs IS
  'the leader epochs when the offsets were planned, in the order of next_offsets';
