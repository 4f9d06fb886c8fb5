import { partitionName } from "../kafka/partitions.ts";
import { assign, isOurs } from "./assign.ts";
import { Commits } from "./commits.ts";
import { readSpans } from "./fetch.ts";
import { planAddedSpans, planSpans } from "./plan_spans.ts";
import { newReading, type Reading, type Run } from "./reading.ts";
import type { Span } from "./span.ts";
import { describeAgain, describeTopics, haveGrown, partitionsOf, type Topic } from "./topics.ts";
import { pause, unlessAborted } from "../waiting.ts";

/** Reads partitions that no other process reads, and commits when the stream is closed. */
export async function readAlone(run: Run): Promise<Span[]> {
  const { cluster, options, output, context } = run;
  let topics = await describeTopics(cluster, options.topics);
  const spans = await planSpans(cluster, run, topics, assign(options, partitionsOf(topics)));
  const commits = new Commits(cluster, options, spans);
  await commits.commitStarts();
  while (true) {
    const round = new AbortController();
    const growing = grown(run, topics, round.signal);
    growing.then((more) => more && round.abort(), () => {});
    const signal = options.until === "end" ? undefined : round.signal;
    const reading = newReading(run, () => commits.commitIfDue(), signal);
    try {
      await readPartitions(reading, spans);
    } finally {
      round.abort();
    }
    const more = await growing;
    if (!more || reading.idle || context.full) break;
    topics = more;
    const known = new Set(spans.map(partitionName));
    const added = partitionsOf(topics).filter((item) =>
      isOurs(options.assignment, item.partition) && !known.has(partitionName(item))
    );
    for (const span of spans) span.jump(span.done);
    spans.push(...await planAddedSpans(cluster, run, topics, added, spans));
  }
  await output.close();
  await commits.commit();
  return spans;
}

/** Reads the spans; without any, waits for as long as the run is to wait. */
export async function readPartitions(reading: Reading, spans: readonly Span[]): Promise<void> {
  const { options: { until }, signal } = reading;
  if (spans.length > 0) return await readSpans(reading, spans.filter((span) => !span.isFetched));
  if (signal === undefined || until === "end") return;
  await pause(until === "forever" ? Infinity : until.idle, signal);
  reading.idle = !signal.aborted;
}

/**
 * Waits until the topics have more partitions, or there are more topics; null if the signal is
 * aborted before.
 */
export async function grown(
  { cluster, options }: Run,
  topics: readonly Topic[],
  signal: AbortSignal,
): Promise<Topic[] | null> {
  if (options.until === "end" || options.partitions !== null) return null;
  while (true) {
    await pause(options.metadataMaxAge, signal);
    if (signal.aborted) return null;
    const asked = describeAgain(cluster, options.topicPattern, topics).catch((error) => {
      cluster.config.debug(`cannot look for new partitions this time: ${error.message}`);
      return null;
    });
    const found = await unlessAborted(asked, signal);
    if (found && !signal.aborted && haveGrown(topics, found)) return found;
  }
}
