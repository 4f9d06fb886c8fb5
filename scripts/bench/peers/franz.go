package main

import (
	"bufio"
	"context"
	"fmt"
	"os"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ends has the offset that each partition of the topic ends at, if it holds records.
func ends(client *kgo.Client, topic string) (map[int32]int64, error) {
	admin := kadm.NewClient(client)
	listed, err := admin.ListEndOffsets(context.Background(), topic)
	if err != nil {
		return nil, err
	}
	found := map[int32]int64{}
	listed.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			found[o.Partition] = o.Offset
		}
	})
	return found, nil
}

func consumeFranz(brokers []string, topic, _ string) error {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers...),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	if err != nil {
		return err
	}
	left, err := ends(client, topic)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	for len(left) > 0 {
		fetches := client.PollFetches(context.Background())
		if errs := fetches.Errors(); len(errs) > 0 {
			return errs[0].Err
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			for _, record := range p.Records {
				out.Write(record.Value)
				out.WriteByte('\n')
				if record.Offset+1 >= left[p.Partition] {
					delete(left, p.Partition)
				}
			}
		})
	}
	return out.Flush()
}

func produceFranz(brokers []string, topic, codec string) error {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers...),
		kgo.DefaultProduceTopic(topic),
		kgo.ProducerBatchCompression(codecs[codec]),
		kgo.MaxBufferedRecords(1<<20),
	)
	if err != nil {
		return err
	}
	var failed error
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<20)
	for lines.Scan() {
		value := append([]byte(nil), lines.Bytes()...)
		client.Produce(context.Background(), &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				failed = err
			}
		})
	}
	if err := client.Flush(context.Background()); err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("cannot produce: %w", failed)
	}
	return lines.Err()
}
