import io.debezium.embedded.Connect;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.RecordChangeEvent;
import io.debezium.engine.format.ChangeEventFormat;
import java.io.FileInputStream;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.Converter;

/**
 * Writes the change events of Debezium's engine to Kafka, with the bytes and topics that Kafka
 * Connect would give them. The argument is a file of Debezium's properties, bootstrap.servers, and
 * Connect's key.converter and value.converter with theirs. On standard output: topic, tab and
 * Debezium's text of each record that Kafka has. Ends with standard input.
 */
public class DebeziumToKafka {
  public static void main(String[] args) throws Exception {
    Properties settings = new Properties();
    try (FileInputStream file = new FileInputStream(args[0])) {
      settings.load(file);
    }
    Object brokers = settings.remove("bootstrap.servers");
    Converter keys = converter(settings, "key.converter");
    Converter values = converter(settings, "value.converter");
    ByteArraySerializer bytes = new ByteArraySerializer();
    KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
        Map.of("bootstrap.servers", brokers, "acks", "all", "linger.ms", "0"), bytes, bytes);

    DebeziumEngine<RecordChangeEvent<SourceRecord>> engine = DebeziumEngine
        .create(ChangeEventFormat.of(Connect.class))
        .using(settings)
        .using((success, message, error) -> {
          if (!success) {
            System.err.println("cannot go on: " + message);
            System.exit(1);
          }
        })
        .notifying((events, committer) -> {
          for (RecordChangeEvent<SourceRecord> event : events) {
            SourceRecord record = event.record();
            producer.send(new ProducerRecord<>(record.topic(),
                keys.fromConnectData(record.topic(), record.keySchema(), record.key()),
                values.fromConnectData(record.topic(), record.valueSchema(), record.value())));
          }
          producer.flush();
          for (RecordChangeEvent<SourceRecord> event : events) {
            Object value = event.record().value();
            String text = value instanceof Struct ? value.toString() : "null";
            System.out.println(event.record().topic() + "\t" + text.replace('\n', ' '));
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

  /** A converter by the name that `what` has, with the properties whose names begin with it. */
  static Converter converter(Properties settings, String what) throws Exception {
    Class<?> type = Class.forName((String) settings.remove(what));
    Converter converter = (Converter) type.getDeclaredConstructor().newInstance();
    String prefix = what + ".";
    Map<String, Object> own = settings.stringPropertyNames().stream()
        .filter(name -> name.startsWith(prefix))
        .collect(Collectors.toMap(name -> name.substring(prefix.length()), settings::get));
    own.keySet().forEach(name -> settings.remove(prefix + name));
    converter.configure(own, what.equals("key.converter"));
    return converter;
  }
}
