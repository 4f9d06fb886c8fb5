import type { Cluster, Consumer } from "kafkajs";
import { Failure } from "../../failure.ts";
import { isSendable } from "../../protocol/writer.ts";
import type { GroupMember } from "../../protocol/messages/offset_commit.ts";
import type { ClientConfig } from "../config.ts";
import { atMost, within } from "../../waiting.ts";
import { partitionNames, type TopicPartition } from "../partitions.ts";
import { assigner } from "./assigner.ts";
import { kafkajs } from "./client.ts";
import { asFailure } from "./errors.ts";

/** A member that is silent for this long counts as dead, milliseconds. */
const SESSION_TIMEOUT = 10_000;
/** How long the group waits for its members when it rebalances. */
const REBALANCE_TIMEOUT = 10_000;
/** How often members ask whether that is the case. */
const HEARTBEAT_INTERVAL = 500;
/**
 * kafkajs heartbeats between fetches; with everything paused its fetch is a sleep of this length.
 */
const FETCH_WAIT = 100;
/** How long a rebalance is held up at most for rows to be written and committed. */
const HOLD = 6000;
/** How long a member that leaves waits for the coordinator, and for kafkajs to end. */
const LEAVE = 1000;

/** As much of kafkajs' Broker as its types leave out. */
interface Coordinator {
  joinGroup(request: unknown): Promise<{ memberId: string; generationId: number }>;
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>;
}

/** What the group has given this member, until the next rebalance. */
export class Generation {
  readonly member: GroupMember;
  readonly partitions: readonly TopicPartition[];
  readonly #revoking = new AbortController();
  readonly #released = Promise.withResolvers<void>();

  constructor(member: GroupMember, partitions: readonly TopicPartition[]) {
    this.member = member;
    this.partitions = partitions;
  }

  /** Aborted when the partitions are wanted back. */
  get signal(): AbortSignal {
    return this.#revoking.signal;
  }

  /** To be called when nothing more will be read or committed: the group waits for it. */
  release(): void {
    this.#released.resolve();
  }

  /**
   * Asks for the partitions back, and waits until they are released, or have been held too long.
   */
  async revoke(): Promise<void> {
    this.#revoking.abort();
    const timer = setTimeout(() => this.release(), HOLD);
    await this.#released.promise;
    clearTimeout(timer);
  }
}

/**
 * Membership in a consumer group through kafkajs, which joins, heartbeats and joins again; it
 * fetches nothing, since every topic is paused. Before it joins again, a generation's reader has
 * time to write and commit what it has fetched, which kafkajs has no callback for: so the way to
 * the coordinator, which each join takes, is made to wait.
 */
export class Membership {
  readonly #config: ClientConfig;
  readonly #group: string;
  readonly #topics: readonly string[];
  readonly #consumer: Consumer;
  #coordinator: Coordinator | null = null;
  #member: GroupMember | null = null;
  #current: Generation | null = null;
  #taken = false;
  #over = false;
  #failure: unknown;
  #left: Promise<void> | null = null;
  #changed = Promise.withResolvers<void>();

  private constructor(
    config: ClientConfig,
    group: string,
    topics: readonly string[],
    metadataMaxAge: number,
  ) {
    this.#config = config;
    this.#group = group;
    this.#topics = topics;
    this.#consumer = kafkajs(config).consumer({
      groupId: group,
      sessionTimeout: SESSION_TIMEOUT,
      rebalanceTimeout: REBALANCE_TIMEOUT,
      heartbeatInterval: HEARTBEAT_INTERVAL,
      maxWaitTimeInMs: FETCH_WAIT,
      allowAutoTopicCreation: false,
      // Added partitions are found by the next look at the topics, and the group then rebalances.
      metadataMaxAge,
      partitionAssigners: [assigner((cluster) => this.#watchJoins(cluster))],
      // Long, and close to one another: one that has no tries left forgets who it was, and the
      // group then waits for the member it was. The reader gives up by the config's timeout.
      retry: {
        initialRetryTime: 50,
        maxRetryTime: 1000,
        retries: 100,
        restartOnFailure: () => Promise.resolve(this.#left === null),
      },
    });
  }

  /** Starts to join; {@link next} has the result. Throws Failure if no broker is reached. */
  static async join(
    config: ClientConfig,
    group: string,
    topics: readonly string[],
    metadataMaxAge: number,
  ): Promise<Membership> {
    // kafkajs would send a frame that says something else.
    if (!isSendable(group)) throw new Failure("usage", "cannot join a group: its name is too long");
    const membership = new Membership(config, group, topics, metadataMaxAge);
    const failed = `cannot join group "${group}"`;
    await within(config.timeout, failed, membership.#start()).catch(async (error) => {
      await membership.close();
      throw membership.#asFailure(error);
    });
    return membership;
  }

  /**
   * The next generation; null after {@link handBack}. Throws Failure if the group does not admit this
   * member, or gives it nothing for too long.
   */
  async next(): Promise<Generation | null> {
    const patience = REBALANCE_TIMEOUT + this.#config.timeout;
    const timer = setTimeout(() => {
      const late = `group "${this.#group}" gave its partitions to nobody for ${patience / 1000} s`;
      this.#fail(new Failure("broker", late));
    }, patience);
    try {
      while (true) {
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#over) return null;
        if (this.#current && !this.#taken) {
          this.#taken = true;
          return this.#current;
        }
        this.#changed = Promise.withResolvers();
        await this.#changed.promise;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Takes the partitions back from their reader, which commits, as for a rebalance; there is no
   * generation after that. Kafkajs has no way to subscribe to more topics.
   */
  async handBack(): Promise<void> {
    this.#over = true;
    await this.#giveUp();
    this.#changed.resolve();
  }

  /** Leaves the group, so that others get the partitions at once. May be called again. */
  leave(): Promise<void> {
    return this.#left ??= this.#leave();
  }

  /** Leaves the group and closes the connections. */
  async close(): Promise<void> {
    await this.leave();
    await atMost(LEAVE, this.#consumer.disconnect());
  }

  async #start(): Promise<void> {
    const { events } = this.#consumer;
    this.#consumer.on(
      events.GROUP_JOIN,
      ({ payload: { memberId, memberAssignment, duration } }) =>
        this.#joined(memberId, memberAssignment, duration),
    );
    this.#consumer.on(events.CRASH, ({ payload: { error, restart } }) => {
      this.#config.debug(`group "${this.#group}": ${error.message}`);
      if (!restart) this.#fail(this.#asFailure(error));
      this.#giveUp();
    });
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...this.#topics] });
    // It returns when the group was joined, which may take long: next() waits for it.
    this.#consumer.run({ autoCommit: false, eachBatch: () => Promise.resolve() })
      .catch((error) => this.#fail(this.#asFailure(error)));
  }

  /**
   * Lets every join wait for what is still being read, and remembers the generation it comes to.
   */
  #watchJoins(cluster: Cluster): void {
    const find = cluster.findGroupCoordinator;
    cluster.findGroupCoordinator = async (group) => {
      await this.#giveUp();
      // kafkajs would continue to join after it was stopped.
      if (this.#left) throw Object.assign(new Error("left"), { retriable: false });
      const broker = await find.call(cluster, group);
      const coordinator = broker as unknown as Coordinator;
      if (!Object.hasOwn(coordinator, "joinGroup")) {
        const join = coordinator.joinGroup;
        coordinator.joinGroup = async (request) => {
          const joined = await join.call(coordinator, request);
          this.#member = { id: joined.memberId, generation: joined.generationId };
          return joined;
        };
      }
      this.#coordinator = coordinator;
      return broker;
    };
  }

  #joined(id: string, assignment: Record<string, number[]>, duration: number): void {
    this.#consumer.pause(this.#topics.map((topic) => ({ topic })));
    const partitions = Object.entries(assignment).flatMap(([topic, numbers]) =>
      numbers.map((partition) => ({ topic, partition }))
    ).sort((a, b) => a.partition - b.partition);
    const { generation } = this.#member!;
    this.#config.debug(
      `group "${this.#group}" generation ${generation}, joined in ${duration} ms as ${id}: ` +
        (partitions.length > 0 ? partitionNames(partitions) : "no partitions"),
    );
    this.#current = new Generation({ id, generation }, partitions);
    this.#taken = false;
    this.#changed.resolve();
  }

  /** Asks for the current generation's partitions back. */
  async #giveUp(): Promise<void> {
    const current = this.#current;
    this.#current = null;
    if (!current) return;
    if (!this.#taken) current.release();
    await current.revoke();
  }

  async #leave(): Promise<void> {
    this.#current?.release();
    // Not by kafkajs, which would first wait for its fetches; and do nothing if it has just joined.
    const member = { groupId: this.#group, memberId: this.#member?.id ?? "" };
    await atMost(LEAVE, this.#coordinator?.leaveGroup(member));
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#changed.resolve();
  }

  #asFailure(error: unknown): Failure {
    return asFailure(`cannot stay in group "${this.#group}"`, error);
  }
}
