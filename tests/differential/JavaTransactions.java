import java.io.*;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;

/**
 * Producers and a consumer of Kafka's own client. The arguments are brokers and topic. Each line of
 * stdin is a step, and gets a line:
 *
 * begin P · commit P · abort P    of producer P's transaction
 * crash P       another producer with P's id takes its place, which aborts what it had open
 * send P N TEXT a record of partition N, in P's transaction; P is "-" for one outside of all
 * ends          where each partition ends for read_committed: "E0 E1 …"
 * read N FROM   the records of partition N from an offset to its end: "OFFSET=TEXT OFFSET=TEXT …"
 */
public class JavaTransactions {
  static final Duration WAIT = Duration.ofMillis(200);
  static String brokers;
  static String topic;
  static final Map<String, KafkaProducer<byte[], String>> producers = new HashMap<>();
  static KafkaConsumer<byte[], String> consumer;

  public static void main(String[] args) throws Exception {
    brokers = args[0];
    topic = args[1];
    consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", brokers, "isolation.level", "read_committed",
        "enable.auto.commit", "false", "fetch.min.bytes", "1", "fetch.max.wait.ms", "20",
        "key.deserializer", ByteArrayDeserializer.class, "value.deserializer", StringDeserializer.class));
    var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    var out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
    for (String line; (line = in.readLine()) != null; out.flush()) out.println(step(line.split(" ", 4)));
    for (var producer : producers.values()) producer.close(Duration.ZERO);
    consumer.close();
  }

  static String step(String[] words) throws Exception {
    switch (words[0]) {
      case "begin": producer(words[1]).beginTransaction(); break;
      case "commit": producer(words[1]).commitTransaction(); break;
      case "abort": producer(words[1]).abortTransaction(); break;
      case "crash": {
        var old = producer(words[1]);
        producers.remove(words[1]);
        producer(words[1]);
        old.close(Duration.ZERO);
        break;
      }
      case "send": {
        var record = new ProducerRecord<byte[], String>(topic, Integer.parseInt(words[2]), null, words[3]);
        producer(words[1]).send(record).get();
        break;
      }
      case "ends": return ends();
      case "read": return read(Integer.parseInt(words[1]), Long.parseLong(words[2]));
      default: throw new IllegalArgumentException(words[0]);
    }
    return "done";
  }

  static KafkaProducer<byte[], String> producer(String name) {
    return producers.computeIfAbsent(name, (id) -> {
      var settings = new HashMap<String, Object>(Map.of("bootstrap.servers", brokers, "linger.ms", "0",
          "key.serializer", ByteArraySerializer.class, "value.serializer", StringSerializer.class));
      if (!id.equals("-")) settings.put("transactional.id", topic + "-" + id);
      var made = new KafkaProducer<byte[], String>(settings);
      if (!id.equals("-")) made.initTransactions();
      return made;
    });
  }

  static String ends() {
    var partitions = new ArrayList<TopicPartition>();
    for (var info : consumer.partitionsFor(topic)) partitions.add(new TopicPartition(topic, info.partition()));
    partitions.sort(Comparator.comparing(TopicPartition::partition));
    var found = consumer.endOffsets(partitions);
    var texts = new ArrayList<String>();
    for (var partition : partitions) texts.add(found.get(partition).toString());
    return String.join(" ", texts);
  }

  static String read(int number, long from) {
    var partition = new TopicPartition(topic, number);
    consumer.assign(List.of(partition));
    consumer.seek(partition, from);
    long end = consumer.endOffsets(List.of(partition)).get(partition);
    var found = new ArrayList<String>();
    while (consumer.position(partition) < end) {
      for (var record : consumer.poll(WAIT)) {
        if (record.offset() < end) found.add(record.offset() + "=" + record.value());
      }
    }
    return String.join(" ", found);
  }
}
