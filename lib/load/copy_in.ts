import type { Writable } from "node:stream";
import type postgres from "postgres";
import { cancelQuery } from "./cancel.ts";

/** A `COPY … FROM STDIN` that the server has begun. */
export interface CopyIn {
  /** Takes the rows. Closed, it waits for the server, and fails as {@link CopyIn.done} does. */
  rows: WritableStream<Uint8Array>;
  /** The rows that the server has counted, after the stream was closed. Throws what it answers. */
  done: Promise<number>;
  /** Ends it without its rows; {@link CopyIn.done} then fails. */
  abort(): void;
}

/** One that the server may still wait to begin, for a lock. */
export interface BeginningCopy {
  /** Throws what the database answers. */
  begun: Promise<CopyIn>;
  /** Asks the server to end it, at any time. */
  cancel(): void;
  /** Nobody will answer any more: what waits for it gets this error. */
  fail(error: unknown): void;
}

/** The package's query, with what its types do not have. */
type CopyQuery = Omit<postgres.PendingQuery<postgres.Row[]>, "resolve" | "reject"> & {
  resolve(answer: Writable | { count: number }): void;
  reject(error: unknown): void;
};

/**
 * Begins a `COPY … FROM STDIN`. Not by the package's `.writable()`: to it a query is over when the
 * copy begins, so it drops what the server answers at the end, the count as well as an error, which
 * would be waited for without end. Here both are kept.
 */
export function copyIn(sql: postgres.ReservedSql, statement: string): BeginningCopy {
  const query = sql.unsafe(statement) as unknown as CopyQuery;
  const begun = Promise.withResolvers<Writable>();
  const done = Promise.withResolvers<number>();
  done.promise.catch(() => {}); // met by those that wait for it
  /** Fails the write that is waited for: nobody answers it if the connection is gone. */
  let failWrite: (error: unknown) => void = () => {};
  query.resolve = (answer) => {
    if ("write" in answer) begun.resolve(answer);
    else done.resolve(answer.count);
  };
  query.reject = (error) => {
    begun.reject(error);
    done.reject(error);
    failWrite(error);
  };
  query.execute();
  const open = async () => {
    const stream = await begun.promise;
    stream.on("error", () => {}); // the query has the error, too
    return opened(stream);
  };
  const opened = (stream: Writable): CopyIn => ({
    rows: new WritableStream({
      // Its bytes are copied at once, and it is over when the socket has taken them.
      write: (chunk) =>
        new Promise((resolve, reject) => {
          failWrite = reject;
          stream.write(chunk, (error) => error ? reject(error) : resolve());
        }),
      close: async () => {
        stream.end();
        await done.promise;
      },
    }),
    done: done.promise,
    // The server logs this text.
    abort: () => void stream.destroy(new Error("gpdb-kafka ended the load")),
  });
  return { begun: open(), cancel: () => cancelQuery(query), fail: query.reject };
}
