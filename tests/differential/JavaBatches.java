import java.io.*;
import java.nio.ByteBuffer;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.*;

/**
 * Record batches by Kafka's own classes. Requests come on stdin, answers go to stdout, all of it
 * big-endian. "W", codec, level (int; 0: the default), count (int), then key and value of each
 * record: a batch, as size and bytes. "R", size, bytes: the count of the records of all batches and
 * the key and value of each. Keys, values and batches have their size (int) before them, -1 is null.
 */
public class JavaBatches {
  public static void main(String[] args) throws IOException {
    var in = new DataInputStream(new BufferedInputStream(System.in, 1 << 16));
    var out = new DataOutputStream(new BufferedOutputStream(System.out, 1 << 16));
    for (int request; (request = in.read()) != -1; out.flush()) {
      if (request == 'W') write(in, out);
      else read(bytes(in), out);
    }
  }

  static void write(DataInputStream in, DataOutputStream out) throws IOException {
    Compression compression = compression(in.readByte(), in.readInt());
    var records = new SimpleRecord[in.readInt()];
    for (int i = 0; i < records.length; i++) records[i] = new SimpleRecord(1000 + i, bytes(in), bytes(in));
    ByteBuffer buffer = MemoryRecords.withRecords(compression, records).buffer();
    byte[] batch = new byte[buffer.remaining()];
    buffer.get(batch);
    put(out, batch);
  }

  static Compression compression(byte codec, int level) {
    CompressionType type = CompressionType.forId(codec);
    if (level == 0) return Compression.of(type).build();
    switch (type) {
      case GZIP: return Compression.gzip().level(level).build();
      case LZ4: return Compression.lz4().level(level).build();
      case ZSTD: return Compression.zstd().level(level).build();
      default: throw new IllegalArgumentException(type + " has no levels");
    }
  }

  static void read(byte[] batches, DataOutputStream out) throws IOException {
    var parts = new ByteArrayOutputStream();
    var found = new DataOutputStream(parts);
    int count = 0;
    for (MutableRecordBatch batch : MemoryRecords.readableRecords(ByteBuffer.wrap(batches)).batches()) {
      batch.ensureValid();
      for (org.apache.kafka.common.record.Record record : batch) {
        record.ensureValid();
        put(found, bytes(record.key()));
        put(found, bytes(record.value()));
        count++;
      }
    }
    out.writeInt(count);
    parts.writeTo(out);
  }

  static byte[] bytes(ByteBuffer buffer) {
    if (buffer == null) return null;
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }

  static byte[] bytes(DataInputStream in) throws IOException {
    int size = in.readInt();
    return size < 0 ? null : in.readNBytes(size);
  }

  static void put(DataOutputStream out, byte[] bytes) throws IOException {
    out.writeInt(bytes == null ? -1 : bytes.length);
    if (bytes != null) out.write(bytes);
  }
}
