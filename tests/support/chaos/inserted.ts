import type { Random } from "../random.ts";
import type { TestRecord } from "../kafka.ts";
import { ChaosSource } from "./source.ts";

/** The payload of a row: of many lengths, quoted in its record. */
const PAYLOAD = `some "payload" `;
const length = (id: number) => id % 997;

/** Rows that are inserted; the model is a list of them: `partition offset id`. */
export class InsertedSource extends ChaosSource {
  protected readonly columns = "partition_no int, offset_no bigint, id bigint, payload text";
  protected readonly definition = { readerFlags: ["--columns", "partition,offset"] };
  /** Rows of the table. */
  #loaded: string[] = [];
  /** Rows that were written, and are not loaded. */
  #batch: string[] = [];
  /** Rows of the log that were loaded. */
  #logged: string[] = [];
  #next = 0;

  override async table(): Promise<string> {
    const [{ rows }] = await this.sql.unsafe(`
      SELECT coalesce(string_agg(concat_ws(' ', partition_no, offset_no, id,
        CASE WHEN payload <> '${PAYLOAD}' || repeat('x', (id % 997)::int) THEN 'broken' END),
        E'\\n' ORDER BY id), '') AS rows
      FROM ${this.name}`);
    return rows;
  }

  override get before(): string {
    return this.#loaded.join("\n");
  }

  override get after(): string {
    return [...this.#loaded, ...this.#batch].join("\n");
  }

  override async write(random: Random): Promise<void> {
    const records: TestRecord[][] = this.ends.map(() => []);
    for (let left = random.int(1, 3); left > 0; left--) {
      const partition = random.int(0, this.ends.length - 1);
      for (let more = random.int(1, 60); more > 0; more--) {
        const id = this.#next++;
        const offset = this.ends[partition] + records[partition].length;
        const payload = PAYLOAD.replaceAll('"', '""') + "x".repeat(length(id));
        records[partition].push({ value: `${id},"${payload}"` });
        this.#batch.push(`${partition} ${offset} ${id}`);
      }
    }
    await this.append(records);
  }

  override settle(): void {
    this.#loaded.push(...this.#batch);
    this.#logged.push(...this.#batch);
    this.#batch = [];
  }

  override cut(isLoaded: boolean): void {
    if (isLoaded) this.settle();
    this.#batch = [];
    this.#logged = [];
  }

  override async rewind(): Promise<void> {
    await this.sql.unsafe(`DELETE FROM ${this.name}`);
    this.#loaded = [];
    this.#batch = this.#logged;
    this.#logged = [];
  }
}
