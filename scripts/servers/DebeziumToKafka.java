import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.Header;
import io.debezium.engine.format.JsonByteArray;
import io.debezium.engine.format.KeyValueHeaderChangeEventFormat;
import java.io.FileInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Executors;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Writes the change events of Debezium's engine to Kafka, with the bytes and topics that Kafka
 * Connect would give them. The argument is a file of Debezium's properties, and bootstrap.servers.
 * On standard output: `topic <tab> value` of each record that Kafka has. Ends with standard input.
 */
public class DebeziumToKafka {
  public static void main(String[] args) throws Exception {
    Properties settings = new Properties();
    try (FileInputStream file = new FileInputStream(args[0])) {
      settings.load(file);
    }
    Object brokers = settings.remove("bootstrap.servers");
    ByteArraySerializer bytes = new ByteArraySerializer();
    KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
        Map.of("bootstrap.servers", brokers, "acks", "all", "linger.ms", "0"), bytes, bytes);

    DebeziumEngine<ChangeEvent<byte[], byte[]>> engine = DebeziumEngine
        .create(KeyValueHeaderChangeEventFormat.of(
            JsonByteArray.class, JsonByteArray.class, JsonByteArray.class))
        .using(settings)
        .using((success, message, error) -> {
          if (!success) {
            System.err.println("cannot go on: " + message);
            System.exit(1);
          }
        })
        .notifying((events, committer) -> {
          for (ChangeEvent<byte[], byte[]> event : events) {
            ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(event.destination(), event.key(), event.value());
            for (Header<byte[]> header : event.<byte[]>headers()) {
              record.headers().add(header.getKey(), header.getValue());
            }
            producer.send(record);
          }
          producer.flush();
          for (ChangeEvent<byte[], byte[]> event : events) {
            byte[] value = event.value();
            System.out.println(event.destination() + "\t"
                + (value == null ? "null" : new String(value, StandardCharsets.UTF_8)));
            committer.markProcessed(event);
          }
          committer.markBatchFinished();
        })
        .build();
    var executor = Executors.newSingleThreadExecutor();
    executor.execute(engine);
    while (System.in.read() != -1) {
      // What comes is of no interest: its end is.
    }
    engine.close();
    producer.close();
    executor.shutdown();
  }
}
