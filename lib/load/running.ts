import { quoteLiteral } from "../greenplum/quote.ts";
import type { Connection } from "./connection.ts";
import { loadCancelled } from "./database.ts";
import { isConnected, Transaction } from "./transaction.ts";

/** The transactions of a load, which are cancelled together. */
export class Running {
  readonly #settings: readonly string[];
  readonly #cancelled = Promise.withResolvers<never>();
  readonly #transactions = new Set<Transaction>();
  #isCancelled = false;

  /** For their time sessions are called so, if there is a name. */
  constructor(name: string | null) {
    this.#settings = name === null ? [] : [`SET LOCAL application_name = ${quoteLiteral(name)}`];
    this.#cancelled.promise.catch(() => {});
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#cancelled.reject(loadCancelled());
    for (const transaction of this.#transactions) transaction.cancel();
  }

  /** What a step comes to, unless the load is cancelled before. */
  async step<T>(step: Promise<T>): Promise<T> {
    return await Promise.race([step, this.#cancelled.promise]);
  }

  /**
   * Runs `work` in a transaction on a connection, which begins with these settings; what it has not
   * committed is rolled back.
   */
  async transaction<T>(
    connection: Connection,
    work: (transaction: Transaction) => Promise<T>,
    settings: readonly string[] = [],
  ): Promise<T> {
    const transaction = await this.#begin(connection, [...this.#settings, ...settings]);
    this.#transactions.add(transaction);
    const end = async () => {
      if (!await transaction.rollback()) connection.reopen();
      this.#transactions.delete(transaction);
    };
    try {
      if (this.#isCancelled) throw loadCancelled();
      const result = await work(transaction);
      await end();
      return result;
    } catch (error) {
      await end();
      throw transaction.explained(error);
    }
  }

  async #begin(connection: Connection, settings: readonly string[]): Promise<Transaction> {
    const wasOpen = connection.isOpen;
    try {
      const transaction = await Transaction.begin(connection.sql, settings);
      connection.isOpen = true;
      return transaction;
    } catch (error) {
      if (isConnected(error)) throw error;
      connection.reopen();
      if (!wasOpen) throw error;
      // It was lost since the last load, so nothing has begun there.
      return await this.#begin(connection, settings);
    }
  }
}
