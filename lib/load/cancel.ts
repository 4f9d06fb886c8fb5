import type postgres from "postgres";

/**
 * Asks the server to end a query; what runs then fails as the query does. That needs another
 * connection, and the package's own `cancel` drops what becomes of it: a server that accepts none
 * would end this program as an uncaught error does.
 */
export function cancelQuery(query: Pick<postgres.PendingQuery<postgres.Row[]>, "cancel">): void {
  const cancellable = query as unknown as Cancellable;
  const { canceller } = cancellable;
  cancellable.canceller = null; // once, as there
  canceller?.(cancellable).catch(() => {});
}

/** What the package's types do not have. */
interface Cancellable {
  canceller: ((query: Cancellable) => Promise<void>) | null;
}
