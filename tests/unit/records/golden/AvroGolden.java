import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Conversions;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;

/**
 * Prints, a JSON line each, what Apache Avro's Java library 1.12.0 encodes: a schema, paths, and
 * values with their fields as PostgreSQL's text. With its blocking encoder arrays and maps are
 * blocks that say how long they are. A field is null, a text, or {"json": …} for what is compared as JSON.
 */
public class AvroGolden {
  static String quoted(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') out.append('\\').append(c);
      else if (c < 32) out.append(String.format("\\u%04x", (int) c));
      else out.append(c);
    }
    return out.append('"').toString();
  }

  static String text(Object field) {
    return field == null ? "null" : quoted(field.toString());
  }

  static String json(String text) {
    return "{\"json\": " + text + "}";
  }

  /** One value: its bytes, and its fields as JSON. */
  static String value(Schema schema, Object datum, boolean blocking, String... fields)
      throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    EncoderFactory factory = new EncoderFactory().configureBlockSize(64);
    BinaryEncoder encoder =
        blocking ? factory.blockingBinaryEncoder(out, null) : factory.binaryEncoder(out, null);
    new GenericDatumWriter<Object>(schema).write(datum, encoder);
    encoder.flush();
    return "{\"bytes\": \"" + HexFormat.of().formatHex(out.toByteArray()) + "\", \"fields\": ["
        + String.join(", ", fields) + "]}";
  }

  static void print(String name, Schema schema, String paths, List<String> values) {
    System.out.println("{\"name\": " + quoted(name) + ", \"schema\": " + schema + ", \"paths\": "
        + paths + ", \"values\": [" + String.join(", ", values) + "]}");
  }

  static Schema parse(String text) {
    return new Schema.Parser().parse(text.replace('\'', '"'));
  }

  static GenericData.Record record(Schema schema, Object... values) {
    GenericData.Record record = new GenericData.Record(schema);
    for (int i = 0; i < values.length; i++) record.put(i, values[i]);
    return record;
  }

  static ByteBuffer duration(int months, int days, int millis) {
    ByteBuffer bytes = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(months).putInt(days).putInt(millis);
    return bytes;
  }

  static void logicalTypes() throws IOException {
    Schema schema = parse("{'type':'record','name':'L','namespace':'n.s','fields':["
        + "{'name':'nanos','type':{'type':'long','logicalType':'timestamp-nanos'}},"
        + "{'name':'local','type':{'type':'long','logicalType':'local-timestamp-nanos'}},"
        + "{'name':'id','type':{'type':'fixed','size':16,'name':'U','logicalType':'uuid'}},"
        + "{'name':'took','type':{'type':'fixed','size':12,'name':'D','logicalType':'duration'}},"
        + "{'name':'big','type':{'type':'bytes','logicalType':'decimal','precision':120,'scale':60}},"
        + "{'name':'none','type':{'type':'int','logicalType':'unknown'}},"
        + "{'name':'any','type':{'type':'bytes','logicalType':'big-decimal'}}]}");
    HexFormat hex = HexFormat.of();
    byte[] uuid = hex.parseHex("00112233445566778899aabbccddeeff");
    BigInteger big = new BigInteger("-" + "1234567890".repeat(12));
    List<String> values = new ArrayList<>();
    Object[][] rows = {
      {0L, "1970-01-01T00:00:00.000000000", duration(0, 0, 0), "00:00:00"},
      {-1L, "1969-12-31T23:59:59.999999999", duration(1, 1, 1), "1 mon 1 day 00:00:00.001"},
      {1704067199123456789L, "2023-12-31T23:59:59.123456789", duration(14, 3, 7200000),
        "1 year 2 mons 3 days 02:00:00"},
      {Long.MAX_VALUE, "2262-04-11T23:47:16.854775807", duration(0, 400, 0), "400 days"},
      {Long.MIN_VALUE, "1677-09-21T00:12:43.145224192", duration(0, 0, -1), "1193:02:47.295"},
    };
    String[] anys = {"0.00", "-123456789012345678901234567890.123456", "5E+3", "1E-20", "-7"};
    for (Object[] row : rows) {
      BigDecimal any = new BigDecimal(anys[values.size()]);
      ByteBuffer anyBytes = new Conversions.BigDecimalConversion()
          .toBytes(any, null, LogicalTypes.bigDecimal());
      Object datum = record(schema, row[0], row[0],
          new GenericData.Fixed(schema.getField("id").schema(), uuid),
          new GenericData.Fixed(schema.getField("took").schema(), ((ByteBuffer) row[2]).array()),
          ByteBuffer.wrap(big.toByteArray()), 7, anyBytes);
      values.add(value(schema, datum, false, text(row[1] + "Z"), text(row[1]),
          text("00112233-4455-6677-8899-aabbccddeeff"), text(row[3]),
          text(new BigDecimal(big, 60).toPlainString()), text("7"),
          text(any.scale() < 0 ? any.unscaledValue() + "e" + -any.scale() : any.toPlainString())));
    }
    print("logical types that fastavro does not have", schema,
        "[[\"nanos\"],[\"local\"],[\"id\"],[\"took\"],[\"big\"],[\"none\"],[\"any\"]]", values);
  }

  static void blocks() throws IOException {
    Schema schema = parse("{'type':'record','name':'B','fields':["
        + "{'name':'items','type':{'type':'array','items':{'type':'record','name':'I','fields':["
        + "{'name':'n','type':'int'},{'name':'s','type':'string'}]}}},"
        + "{'name':'attributes','type':{'type':'map','values':'string'}},"
        + "{'name':'plain','type':{'type':'array','items':'long'}},"
        + "{'name':'after','type':'string'}]}");
    Schema item = schema.getField("items").schema().getElementType();
    List<String> values = new ArrayList<>();
    for (int size : new int[] {0, 1, 2, 10, 60, 200}) {
      List<Object> items = new ArrayList<>();
      List<Long> plain = new ArrayList<>();
      Map<String, String> attributes = new LinkedHashMap<>();
      StringBuilder itemsJson = new StringBuilder();
      StringBuilder plainJson = new StringBuilder();
      StringBuilder attributesJson = new StringBuilder();
      for (int i = 0; i < size; i++) {
        String comma = i > 0 ? "," : "";
        items.add(record(item, i - 5, "text " + i));
        itemsJson.append(comma).append("{\"n\":" + (i - 5) + ",\"s\":\"text " + i + "\"}");
        attributes.put("key " + i, "value \"" + i + "\"");
        attributesJson.append(comma).append("\"key " + i + "\":" + quoted("value \"" + i + "\""));
        plain.add(1L << (i % 63));
        plainJson.append(comma).append(1L << (i % 63) & 0x1fffffffffffffL);
        if ((i % 63) > 52) plain.set(i, 0L);
      }
      Object datum = record(schema, items, attributes, plain, "end");
      for (boolean blocking : new boolean[] {false, true}) {
        values.add(value(schema, datum, blocking,
            text(size > 7 ? "text 7" : null), text(size > 55 ? "value \"55\"" : null),
            text(size > 40 ? 1L << 40 : null), text("end"),
            json("[" + itemsJson + "]"), json("{" + attributesJson + "}"),
            json("[" + plainJson + "]")));
      }
    }
    print("arrays and maps in blocks with and without sizes", schema,
        "[[\"items\",7,\"s\"],[\"attributes\",\"key 55\"],[\"plain\",40],[\"after\"],[\"items\"],"
            + "[\"attributes\"],[\"plain\"]]",
        values);
    // The same with nothing of the blocks wanted.
    List<String> skipped = new ArrayList<>();
    for (String value : values) {
      skipped.add(value.replaceAll("\"fields\": .*", "\"fields\": [\"end\"]}"));
    }
    print("arrays and maps that are skipped", schema, "[[\"after\"]]", skipped);
  }

  static void recursion() throws IOException {
    Schema schema = parse("{'type':'record','name':'Node','namespace':'deep','fields':["
        + "{'name':'value','type':'long'},{'name':'next','type':['null','Node']}]}");
    List<String> values = new ArrayList<>();
    for (int depth : new int[] {1, 3, 200}) {
      Object node = null;
      String json = "null";
      for (int i = depth; i > 0; i--) {
        node = record(schema, (long) i, node);
        json = "{\"value\":" + i + ",\"next\":" + json + "}";
      }
      values.add(value(schema, node, false, text(depth > 2 ? 3 : null),
          depth == 1 ? "null" : json(json.substring(json.indexOf("next") + 6, json.length() - 1))));
    }
    print("a list by recursion", schema, "[[\"next\",\"next\",\"value\"],[\"next\"]]", values);
  }

  static void unions() throws IOException {
    Schema schema = parse("{'type':'record','name':'M','fields':["
        + "{'name':'u','type':['string','null','int',{'type':'enum','name':'E','symbols':['A','B']},"
        + "{'type':'record','name':'P','fields':[{'name':'x','type':'int'}]},"
        + "{'type':'record','name':'Q','fields':[{'name':'x','type':'string'},{'name':'y','type':'int'}]},"
        + "{'type':'array','items':'double'}]},"
        + "{'name':'after','type':'boolean'}]}");
    Schema union = schema.getField("u").schema();
    List<String> values = new ArrayList<>();
    String none = "null", yes = text("true");
    values.add(value(schema, record(schema, "s", true), false, json("\"s\""), none, none, yes));
    values.add(value(schema, record(schema, null, true), false, none, none, none, yes));
    values.add(value(schema, record(schema, -7, true), false, json("-7"), none, none, yes));
    values.add(value(schema,
        record(schema, new GenericData.EnumSymbol(union.getTypes().get(3), "B"), true), false,
        json("\"B\""), none, none, yes));
    values.add(value(schema, record(schema, record(union.getTypes().get(4), 5), true), false,
        json("{\"x\":5}"), text("5"), none, yes));
    values.add(value(schema, record(schema, record(union.getTypes().get(5), "t", 6), true), false,
        json("{\"x\":\"t\",\"y\":6}"), text("t"), text("6"), yes));
    values.add(value(schema, record(schema, List.of(0.5, -0.0, Double.NaN, Double.POSITIVE_INFINITY),
        true), false, json("[0.5,-0,\"NaN\",\"Infinity\"]"), none, none, yes));
    print("unions of many types", schema,
        "[[\"u\"],[\"u\",\"x\"],[\"u\",\"y\"],[\"after\"]]", values);
  }

  public static void main(String[] args) throws IOException {
    logicalTypes();
    blocks();
    recursion();
    unions();
  }
}
