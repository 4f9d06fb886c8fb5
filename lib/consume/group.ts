import { Cluster } from "../kafka/cluster.ts";
import { checkClassic } from "../kafka/group_protocol.ts";
import { atMost } from "../waiting.ts";
import { type Generation, Membership } from "../kafka/kafkajs/group.ts";
import { partitionName, type TopicPartition } from "../kafka/partitions.ts";
import { findCoordinator } from "../protocol/messages/find_coordinator.ts";
import { listOffsets } from "../protocol/messages/list_offsets.ts";
import { offsetCommit } from "../protocol/messages/offset_commit.ts";
import { offsetFetch } from "../protocol/messages/offset_fetch.ts";
import { Commits } from "./commits.ts";
import { grown, readPartitions } from "./alone.ts";
import { planAddedSpans, planSpans } from "./plan_spans.ts";
import { newReading, type Reading, type Run } from "./reading.ts";
import { Span } from "./span.ts";
import { describeTopics, type Topic } from "./topics.ts";
import { unlessAborted } from "../waiting.ts";

/**
 * How long rows that were fetched may take to be written when the group takes the partitions back:
 * the reader of stdout may be slow, or blocked. Together with the time a dead member is waited
 * for it stays below 15 s. Milliseconds.
 */
const DRAIN = 4000;
/** How long the commit after that may take. */
const COMMIT = 1500;
/** How long the end by a signal waits for the last commit before the member leaves anyway. */
const LAST_COMMIT = 500;

/** Runs `act` before a signal ends the process, which waits for it; it has its own deadlines. */
export type BeforeExit = (act: () => Promise<void>) => void;

/**
 * Reads as a member of the group: the partitions it is given, until it is given others. At each
 * change, and at the end, what the output has accepted is committed. A partition is read to the end
 * it had when this member first saw it; the run is over when all that the member has are read to
 * there.
 *
 * At least once: rows that the group did not let this member commit, because it seemed dead, are
 * read again by the next member that has their partitions.
 */
export async function readAsMember(run: Run, beforeExit: BeforeExit): Promise<Span[]> {
  const { cluster: { config } } = run;
  // A broker answers what comes over one connection in its order, and a fetch it answers when there
  // are records: offsets go over connections of their own.
  const control = new Cluster(config, [
    ...[listOffsets, findCoordinator, offsetFetch, offsetCommit],
  ]);
  try {
    const topics = await describeTopics(run.cluster, run.options.topics);
    await checkClassic(control, run.options.group);
    return await readGenerations(new GroupReader(run, control), topics, beforeExit);
  } finally {
    control.close();
  }
}

async function readGenerations(
  reader: GroupReader,
  topics: readonly Topic[],
  beforeExit: BeforeExit,
): Promise<Span[]> {
  const { cluster: { config }, options: { group, metadataMaxAge }, output } = reader.run;
  const join = () => Membership.join(config, group, reader.topics, metadataMaxAge);
  let membership = await join();
  beforeExit(async () => {
    // In this order: a member that has left cannot commit.
    await atMost(LAST_COMMIT, reader.stop());
    await membership.leave();
  });
  try {
    while (true) {
      const more = await readUntilMore(reader, topics, membership);
      if (more === null) break;
      // A member that subscribes to more topics joins again.
      topics = more;
      reader.topics = topics.map(({ topic }) => topic);
      await membership.close();
      membership = await join();
    }
    await output.close();
    return joined(reader.spans);
  } finally {
    await membership.close();
  }
}

/** Reads until the run is over, and returns null, or until a pattern matches more topics. */
async function readUntilMore(
  reader: GroupReader,
  topics: readonly Topic[],
  membership: Membership,
): Promise<readonly Topic[] | null> {
  const watching = new AbortController();
  let more: readonly Topic[] | null = null;
  if (reader.run.options.topicPattern !== undefined) {
    grown(reader.run, topics, watching.signal).then((found) => {
      more = found;
      return found === null ? undefined : membership.handBack();
    }).catch(() => {});
  }
  try {
    while (true) {
      const generation = await membership.next();
      if (generation === null) return more;
      if (await reader.read(generation)) return null;
    }
  } finally {
    watching.abort();
  }
}

class GroupReader {
  /** Those that the member subscribes to. */
  topics: readonly string[];
  /** What was given to this member, in the order it was. */
  spans: Span[] = [];
  readonly run: Run;
  readonly #control: Cluster;
  /** The partitions' ends as first seen. */
  readonly #ends = new Map<string, number>();
  /** A reader that has lost its partitions, and cannot end before the output accepts its rows. */
  #straggler: Promise<void> = Promise.resolve();
  /** What was read last, as a member of which generation. */
  #last: { generation: number; spans: readonly Span[] } = { generation: -1, spans: [] };
  #commits: Commits | null = null;

  constructor(run: Run, control: Cluster) {
    this.run = run;
    this.topics = run.options.topics;
    this.#control = control;
  }

  /** Reads what a generation is given. Returns whether the run is over. */
  async read(generation: Generation): Promise<boolean> {
    const { signal, member } = generation;
    try {
      // Nothing could be written before its rows; and what it holds would grow with each change.
      await unlessAborted(this.#straggler, signal);
      const spans = await unlessAborted(this.#plan(generation), signal);
      if (!spans) return false;
      this.spans = [...joined(this.spans), ...spans];
      this.#last = { generation: member.generation, spans };
      const commits = this.#commits = new Commits(this.#control, this.run.options, spans, member);
      // Else the partition's next reader would start at an end that has moved on.
      await unlessAborted(commits.commitStarts(), signal, COMMIT);
      // Time in which the group changed, and no member could read, does not make a run idle.
      const reading = newReading(this.run, async () => {
        if (!signal.aborted) await commits.commitIfDue();
      }, signal);
      const reader = readPartitions(reading, spans);
      const done = await unlessAborted(reader.then(() => true), signal, DRAIN) ?? false;
      if (!done) {
        this.#debug("stdout accepts no rows: the group continues without the rest of them");
        this.#straggler = reader;
        reader.catch(() => {}); // Met when the next generation is read.
      }
      const committed = await unlessAborted(commits.commit(), signal, COMMIT) ?? false;
      if (!committed) this.#debug("rows written since the last commit will be read again");
      return done && committed && isOver(reading, spans);
    } finally {
      this.#commits = null;
      generation.release();
    }
  }

  /** Commits a last time. Not if the run has an end that it did not reach. */
  async stop(): Promise<void> {
    if (this.run.options.until !== "end") await this.#commits?.commit();
  }

  /** Where to read the generation's partitions from, and to. */
  async #plan({ partitions, member }: Generation): Promise<Span[]> {
    // A partition kept from one generation to the next had no other reader: what was written of it
    // after the last commit is not read again.
    const passed = member.generation - this.#last.generation;
    const kept = passed === 0 || passed === 1 ? this.#last.spans : [];
    const [topics] = await Promise.all([
      describeTopics(this.#control, this.topics),
      // Others may have joined since.
      checkClassic(this.#control, this.run.options.group),
    ]);
    // All of a topic that joined since this run began is new.
    const isFirst = ({ topic }: TopicPartition) => this.run.options.topics.includes(topic);
    const added = partitions.filter((item) => !isFirst(item));
    const spans = [
      ...await planSpans(this.#control, this.run, topics, partitions.filter(isFirst), kept),
      ...await planAddedSpans(this.#control, this.run, topics, added, kept),
    ];
    return spans.map((span) => {
      const name = partitionName(span);
      const end = this.#ends.get(name) ?? span.end;
      this.#ends.set(name, end);
      return new Span(span, span.from, Math.max(span.from, end), span.notes);
    });
  }

  #debug(line: string): void {
    const { cluster: { config }, options: { group } } = this.run;
    config.debug(`group "${group}": ${line}`);
  }
}

/** Whether a member that has read these spans has done what it was started for. */
function isOver({ options, context, idle }: Reading, spans: readonly Span[]): boolean {
  if (context.full) return true;
  return options.until === "end" ? spans.every((span) => span.done >= span.end) : idle;
}

/** The spans, those of a partition that follow on one another as one. */
function joined(spans: readonly Span[]): Span[] {
  const found: Span[] = [];
  for (const span of spans) {
    const name = partitionName(span);
    const at = found.findIndex((s) => partitionName(s) === name && s.written === span.from);
    if (at === -1) found.push(span);
    else {
      found[at] = new Span(span, found[at].from, span.end);
      found[at].written = span.written;
    }
  }
  return found;
}
