package main

import (
	"bufio"
	"fmt"
	"os"
	"sync"

	"github.com/IBM/sarama"
)

// consume hands each message of the topic's partitions to a function, in the order they come in.
func consume(brokers []string, topic string, each func(*sarama.ConsumerMessage)) error {
	config := sarama.NewConfig()
	config.Version = sarama.V2_1_0_0
	client, err := sarama.NewClient(brokers, config)
	if err != nil {
		return err
	}
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return err
	}
	partitions, err := client.Partitions(topic)
	if err != nil {
		return err
	}
	messages := make(chan *sarama.ConsumerMessage, 4096)
	var readers sync.WaitGroup
	for _, partition := range partitions {
		end, err := client.GetOffset(topic, partition, sarama.OffsetNewest)
		if err != nil {
			return err
		}
		if end == 0 {
			continue
		}
		reader, err := consumer.ConsumePartition(topic, partition, sarama.OffsetOldest)
		if err != nil {
			return err
		}
		readers.Add(1)
		go func() {
			defer readers.Done()
			for message := range reader.Messages() {
				messages <- message
				if message.Offset+1 >= end {
					return
				}
			}
		}()
	}
	go func() { readers.Wait(); close(messages) }()
	for message := range messages {
		each(message)
	}
	return nil
}

func consumeSarama(brokers []string, topic, _ string) error {
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	err := consume(brokers, topic, func(message *sarama.ConsumerMessage) {
		out.Write(message.Value)
		out.WriteByte('\n')
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

// consumeOriginal writes as the program of 2016 did: a system call for each row.
func consumeOriginal(brokers []string, topic, _ string) error {
	return consume(brokers, topic, func(message *sarama.ConsumerMessage) {
		fmt.Println(string(message.Value))
	})
}

func produceSarama(brokers []string, topic, codec string) error {
	codecs := map[string]sarama.CompressionCodec{
		"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
		"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
	}
	config := sarama.NewConfig()
	config.Version = sarama.V2_1_0_0
	config.Producer.Compression = codecs[codec]
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Return.Successes = false
	producer, err := sarama.NewAsyncProducer(brokers, config)
	if err != nil {
		return err
	}
	failures := make(chan error, 1)
	go func() {
		var failed error
		for err := range producer.Errors() {
			failed = err
		}
		failures <- failed
	}()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<20)
	for lines.Scan() {
		value := append([]byte(nil), lines.Bytes()...)
		producer.Input() <- &sarama.ProducerMessage{Topic: topic, Value: sarama.ByteEncoder(value)}
	}
	producer.AsyncClose()
	if err := <-failures; err != nil {
		return err
	}
	return lines.Err()
}
