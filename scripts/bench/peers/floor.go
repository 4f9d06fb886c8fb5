package main

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// batches asks for the topic's record batches as they lie in the log, and hands them on unread.
func batches(client *kgo.Client, topic string, each func(partition int32, bytes []byte)) error {
	left, err := ends(client, topic)
	if err != nil {
		return err
	}
	next := map[int32]int64{}
	for len(left) > 0 {
		request := kmsg.NewPtrFetchRequest()
		request.MaxWaitMillis, request.MinBytes, request.MaxBytes = 500, 1, 50<<20
		asked := kmsg.NewFetchRequestTopic()
		asked.Topic = topic
		for partition := range left {
			one := kmsg.NewFetchRequestTopicPartition()
			one.Partition, one.FetchOffset, one.PartitionMaxBytes = partition, next[partition], 4<<20
			asked.Partitions = append(asked.Partitions, one)
		}
		request.Topics = append(request.Topics, asked)
		// One broker leads all partitions here.
		response, err := request.RequestWith(context.Background(), client.Broker(int(leader)))
		if err != nil {
			return err
		}
		if err := kerr.ErrorForCode(response.ErrorCode); err != nil {
			return err
		}
		for _, found := range response.Topics {
			for _, p := range found.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return err
				}
				next[p.Partition] += walk(p.RecordBatches, func(bytes []byte) { each(p.Partition, bytes) })
				if next[p.Partition] >= left[p.Partition] {
					delete(left, p.Partition)
				}
			}
		}
	}
	return nil
}

// walk hands each whole batch on and returns how many offsets they take.
func walk(bytes []byte, each func([]byte)) (offsets int64) {
	for len(bytes) > 61 {
		size := 12 + int(uint32(bytes[8])<<24|uint32(bytes[9])<<16|uint32(bytes[10])<<8|uint32(bytes[11]))
		if size > len(bytes) {
			break
		}
		last := int64(bytes[23])<<24 | int64(bytes[24])<<16 | int64(bytes[25])<<8 | int64(bytes[26])
		each(bytes[:size])
		offsets += last + 1
		bytes = bytes[size:]
	}
	return offsets
}

var leader int32

func connect(brokers []string, topic string) (*kgo.Client, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.MaxVersions(kversion.V2_8_0()))
	if err != nil {
		return nil, err
	}
	request := kmsg.NewPtrMetadataRequest()
	asked := kmsg.NewMetadataRequestTopic()
	asked.Topic = &topic
	request.Topics = append(request.Topics, asked)
	response, err := request.RequestWith(context.Background(), client)
	if err != nil {
		return nil, err
	}
	for _, p := range response.Topics[0].Partitions {
		leader = p.Leader
	}
	return client, nil
}

// floorFetch reads all batches and throws them away.
func floorFetch(brokers []string, topic, _ string) error {
	client, err := connect(brokers, topic)
	if err != nil {
		return err
	}
	total := 0
	err = batches(client, topic, func(_ int32, bytes []byte) { total += len(bytes) })
	if total == 0 && err == nil {
		err = fmt.Errorf("topic %q is empty", topic)
	}
	return err
}

// floorProduce sends another topic's batches as they are, one request a batch, 5 under way.
func floorProduce(brokers []string, topic, from string) error {
	client, err := connect(brokers, from)
	if err != nil {
		return err
	}
	made := map[int32][][]byte{}
	if err := batches(client, from, func(partition int32, bytes []byte) {
		batch := append([]byte(nil), bytes...)
		// A producer's batches start at offset 0, and it knows no leader epoch; neither is in the checksum.
		copy(batch, make([]byte, 8))
		copy(batch[12:], []byte{0xff, 0xff, 0xff, 0xff})
		made[partition] = append(made[partition], batch)
	}); err != nil {
		return err
	}
	if _, err := connect(brokers, topic); err != nil {
		return err
	}
	failures := make(chan error, len(made))
	for partition, all := range made {
		go func() { failures <- send(client, topic, partition, all) }()
	}
	for range made {
		if err := <-failures; err != nil {
			return err
		}
	}
	return nil
}

func send(client *kgo.Client, topic string, partition int32, all [][]byte) error {
	for _, bytes := range all {
		request := kmsg.NewPtrProduceRequest()
		request.Acks, request.TimeoutMillis = -1, 30000
		to := kmsg.NewProduceRequestTopic()
		to.Topic = topic
		one := kmsg.NewProduceRequestTopicPartition()
		one.Partition, one.Records = partition, bytes
		to.Partitions = append(to.Partitions, one)
		request.Topics = append(request.Topics, to)
		response, err := request.RequestWith(context.Background(), client.Broker(int(leader)))
		if err != nil {
			return err
		}
		if err := kerr.ErrorForCode(response.Topics[0].Partitions[0].ErrorCode); err != nil {
			return err
		}
	}
	return nil
}
