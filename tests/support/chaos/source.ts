import type { Broker } from "../../../scripts/servers/broker.ts";
import type { Postgres } from "../../../scripts/servers/postgres.ts";
import { createTopic, produce, type TestRecord } from "../kafka.ts";
import { addSource, type NewSource } from "../load.ts";
import type { Random } from "../random.ts";
import { sleep } from "../group.ts";

/** Who reads a source's topic. */
export type Way = "program" | "client";

/** The partitions of a topic when it is created; the merged ones use no more. */
const PARTITIONS = 3;

/** A source, its topic, its table, and the model of that: what it must hold. */
export abstract class ChaosSource {
  /** Of the source, its topic and its table. */
  readonly name: string;
  readonly way: Way;
  /**
   * Where each partition of its topic starts and ends. A broker that is killed may forget for a while
   * that records were deleted: the model does not read them again.
   */
  starts: number[] = [];
  ends: number[] = [];
  /** How long a load of a batch takes, milliseconds. */
  typical: number;
  protected readonly broker: Broker;
  protected readonly sql: Postgres["sql"];

  constructor(kind: string, way: Way, broker: Broker, { sql }: Pick<Postgres, "sql">) {
    this.name = `${kind}_by_${way}`;
    this.way = way;
    this.typical = way === "client" ? 60 : 600;
    this.broker = broker;
    this.sql = sql;
  }

  /** Its columns, as CREATE TABLE has them. */
  protected abstract readonly columns: string;
  /** What it is beside its name, topic and table. */
  protected abstract readonly definition: Partial<NewSource>;

  /** The table, as the model has it; in a text, to be compared. */
  abstract table(): Promise<string>;
  /** What the table must hold without the records that were written last. */
  abstract readonly before: string;
  /** And with them. */
  abstract readonly after: string;
  /** Writes a batch of records, of which some become rows that are inserted. */
  abstract write(random: Random): Promise<void>;
  /** What was written is in the table. */
  abstract settle(): void;
  /** The log is empty now. What was written last is in the table, or was never loaded. */
  abstract cut(isLoaded: boolean): void;
  /** Prepares the table for a load of all that the log has. */
  abstract rewind(): Promise<void>;

  /** Makes topic, table and source. */
  async create(): Promise<void> {
    await this.makeTopic();
    await this.sql.unsafe(`CREATE TABLE ${this.name} (${this.columns})`);
    await addSource({ sql: this.sql }, this.broker, {
      ...{ name: this.name, topic: this.name, table: this.name },
      ...(this.way === "client" ? { via: "client" } : {}),
      ...this.definition,
    });
  }

  /** Makes the topic; one of that name may be on its way out. */
  async makeTopic(): Promise<void> {
    for (const deadline = Date.now() + 30_000;;) {
      try {
        await createTopic(this.broker, this.name, { partitions: PARTITIONS });
        break;
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
      await sleep(50);
    }
    this.starts = new Array<number>(PARTITIONS).fill(0);
    this.ends = [...this.starts];
  }

  /** Where the log starts, for a seek. */
  get start(): string {
    return this.starts.map((offset, partition) => `${partition}:${offset}`).join(",");
  }

  /** Appends records to each partition; a new partition may not be known everywhere yet. */
  protected async append(records: readonly TestRecord[][]): Promise<void> {
    for (const [partition, some] of records.entries()) {
      if (some.length === 0) continue;
      for (let tries = 1;; tries++) {
        try {
          await produce(this.broker, this.name, some, partition);
          break;
        } catch (error) {
          // What timed out may be there.
          if (tries === 20 || !/partition|leader/i.test(`${error}`)) throw error;
          await sleep(250);
        }
      }
      this.ends[partition] += some.length;
    }
  }
}
