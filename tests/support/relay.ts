/** A relay before one port on 127.0.0.1: a network whose parts can be cut. */
export class Relay implements AsyncDisposable {
  readonly port: number;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>;

  constructor(target: number) {
    this.port = this.#listener.addr.port;
    this.#accepting = this.#accept(target);
  }

  /** New connections are refused from now on; those that are open stay. */
  refuse(): void {
    try {
      this.#listener.close();
    } catch {
      // Closed already.
    }
  }

  async #accept(port: number): Promise<void> {
    for await (const conn of this.#listener) {
      const other = await Deno.connect({ hostname: "127.0.0.1", port });
      for (const one of [conn, other]) this.#conns.add(one);
      // Either side's end is the other's; errors are those of connections that are cut.
      conn.readable.pipeTo(other.writable).catch(() => {});
      other.readable.pipeTo(conn.writable).catch(() => {});
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.refuse();
    for (const conn of this.#conns) {
      try {
        conn.close();
      } catch {
        // Closed already.
      }
    }
    await this.#accepting;
  }
}
