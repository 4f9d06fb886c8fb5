import { join } from "node:path";

/**
 * Kafka 4 logs with Log4j 2 and Kafka 3 with Log4j 1, each with a file format of its own. A node
 * logs to standard output, which is its log file; a tool to standard error, away from its rows.
 */
const outputs = {
  node: { level: "INFO", stream: "SYSTEM_OUT", oldStream: "System.out" },
  tool: { level: "WARN", stream: "SYSTEM_ERR", oldStream: "System.err" },
};

export async function writeLoggingFiles(folder: string): Promise<void> {
  for (const [name, { level, stream, oldStream }] of Object.entries(outputs)) {
    const pattern = "[%d] %p %m (%c)%n";
    await Deno.writeTextFile(
      join(folder, `${name}-log4j2.properties`),
      `appender.console.type=Console
appender.console.name=console
appender.console.target=${stream}
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=${pattern}
rootLogger.level=${level}
rootLogger.appenderRef.console.ref=console
`,
    );
    await Deno.writeTextFile(
      join(folder, `${name}-log4j.properties`),
      `log4j.rootLogger=${level}, console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=${oldStream}
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=${pattern}
`,
    );
  }
}

export function loggingFlags(folder: string, name: "node" | "tool"): string[] {
  return [
    `-Dlog4j2.configurationFile=${join(folder, `${name}-log4j2.properties`)}`,
    `-Dlog4j.configuration=file:${join(folder, `${name}-log4j.properties`)}`,
  ];
}
