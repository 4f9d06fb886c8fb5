import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;

/** Prints, as JSON, where the Java client puts keys: key in hex, then the partition of 1, 3, 8 and 1000. */
public class Placement {
  public static void main(String[] args) {
    List<byte[]> keys = new ArrayList<>();
    for (String key : new String[] {
        "", "a", "ab", "abc", "abcd", "abcde", "HV100100", "10000092", "10000094",
        "schlüssel", "ключ", "鍵", "\u0000", "a-long-key-of-more-than-sixteen-bytes-0123456789" }) {
      keys.add(key.getBytes(StandardCharsets.UTF_8));
    }
    Random random = new Random(42);
    for (int size = 1; size <= 33; size++) {
      byte[] key = new byte[size];
      random.nextBytes(key);
      keys.add(key);
    }
    StringBuilder json = new StringBuilder("[\n");
    for (int i = 0; i < keys.size(); i++) {
      byte[] key = keys.get(i);
      json.append("  [\"").append(HexFormat.of().formatHex(key)).append('"');
      for (int partitions : new int[] { 1, 3, 8, 1000 }) {
        json.append(", ").append(BuiltInPartitioner.partitionForKey(key, partitions));
      }
      json.append(i + 1 < keys.size() ? "],\n" : "]\n");
    }
    System.out.print(json.append("]\n"));
  }
}
