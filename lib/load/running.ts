import { quoteLiteral } from "../greenplum/quote.ts";
import type { Connection } from "./connection.ts";
import { loadCancelled } from "./database.ts";
import { isConnected, Transaction } from "./transaction.ts";

/** The transactions of a load, which are cancelled together. */
export class Running {
  readonly #settings: readonly string[];
  readonly #cancelled = Promise.withResolvers<never>();
  readonly #transactions = new Set<Transaction>();

  /** For their time sessions are called so, if there is a name. */
  constructor(name: string | null) {
    this.#settings = name === null ? [] : [`SET LOCAL application_name = ${quoteLiteral(name)}`];
    this.#cancelled.promise.catch(() => {});
  }

  cancel(): void {
    this.#cancelled.reject(loadCancelled());
    for (const transaction of this.#transactions) transaction.cancel();
  }

  /** What a step comes to, unless the load is cancelled before. */
  async step<T>(step: Promise<T>): Promise<T> {
    return await Promise.race([step, this.#cancelled.promise]);
  }

  /** Runs `work` in a transaction on a connection; what it has not committed is rolled back. */
  async transaction<T>(
    connection: Connection,
    work: (transaction: Transaction) => Promise<T>,
  ): Promise<T> {
    const transaction = await Transaction.begin(connection.sql, this.#settings).catch((error) => {
      // Whatever became of the connection, it is not to be used again.
      if (!isConnected(error)) connection.reopen();
      throw error;
    });
    this.#transactions.add(transaction);
    const end = async () => {
      if (!await transaction.rollback()) connection.reopen();
      this.#transactions.delete(transaction);
    };
    try {
      const result = await work(transaction);
      await end();
      return result;
    } catch (error) {
      await end();
      throw transaction.explained(error);
    }
  }
}
