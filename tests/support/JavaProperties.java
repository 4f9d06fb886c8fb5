import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;

/**
 * What java.util.Properties makes of files. Each line of stdin is a request and gets one line:
 * "bytes BASE64" and "utf8 BASE64" read a file, and get "KEY=VALUE ..." or "error";
 * "store KEY=VALUE ..." writes one, and gets "BASE64". Keys and values are in Base64, too, of UTF-16.
 */
public class JavaProperties {
  public static void main(String[] args) throws IOException {
    var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    var out = new PrintWriter(new OutputStreamWriter(System.out, StandardCharsets.US_ASCII));
    for (String line; (line = in.readLine()) != null;) {
      int space = line.indexOf(' ');
      String rest = line.substring(space + 1);
      out.println(line.startsWith("store") ? store(rest) : load(line.substring(0, space), rest));
    }
    out.flush();
  }

  static String load(String how, String file) throws IOException {
    var bytes = new ByteArrayInputStream(Base64.getDecoder().decode(file));
    var properties = new Properties();
    try {
      if (how.equals("bytes")) properties.load(bytes);
      else properties.load(new InputStreamReader(bytes, StandardCharsets.UTF_8));
    } catch (IllegalArgumentException e) {
      return "error";
    }
    var pairs = new ArrayList<String>();
    for (String name : new TreeSet<>(properties.stringPropertyNames())) {
      pairs.add(encode(name) + ":" + encode(properties.getProperty(name)));
    }
    return String.join(" ", pairs);
  }

  static String store(String pairs) throws IOException {
    var properties = new Properties();
    for (String pair : pairs.split(" ")) {
      String[] parts = pair.split(":", -1);
      properties.setProperty(decode(parts[0]), decode(parts[1]));
    }
    var file = new ByteArrayOutputStream();
    properties.store(file, "a comment");
    return Base64.getEncoder().encodeToString(file.toByteArray());
  }

  static String encode(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_16BE));
  }

  static String decode(String text) {
    return new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_16BE);
  }
}
