import { mergedSource } from "../load_shaped.ts";
import { History, recordsOf } from "../merge_model.ts";
import type { Random } from "../random.ts";
import { ChaosSource } from "./source.ts";

/** Rows that are merged by their key; the model is that of `merge_model.ts`. */
export class MergedSource extends ChaosSource {
  protected readonly columns =
    "note text, name text, id int, amount int, part text, PRIMARY KEY (id, part)";
  protected readonly definition = mergedSource;
  readonly #history: History;
  #undo: () => void;
  #before = "";
  #after = "";

  constructor(seed: number, ...rest: ConstructorParameters<typeof ChaosSource>) {
    super(...rest);
    this.#history = new History(seed);
    this.#undo = this.#history.mark();
  }

  override async table(): Promise<string> {
    const rows = await this.sql.unsafe(`
      SELECT id, part, name, amount FROM ${this.name} ORDER BY id, part COLLATE "C"`);
    return rows.map((row) => JSON.stringify(row)).join("\n");
  }

  override get before(): string {
    return this.#before;
  }

  override get after(): string {
    return this.#after;
  }

  override async write(random: Random): Promise<void> {
    for (;;) {
      const batch = this.#history.next(random.int(5, 60));
      await this.append([...recordsOf(batch)]);
      this.#after = batch.table.map((row) => JSON.stringify(row)).join("\n");
      if (batch.expected.inserted + batch.expected.updated > 0) return;
    }
  }

  override settle(): void {
    this.#before = this.#after;
    this.#undo = this.#history.mark();
  }

  override cut(isLoaded: boolean): void {
    if (isLoaded) return this.settle();
    this.#undo();
    this.#after = this.#before;
  }

  /** The last record of each key makes the same table again. */
  override rewind(): Promise<void> {
    return Promise.resolve();
  }
}
