import type { UserConfig } from "../config.ts";
import { encode, type Mechanism } from "./mechanism.ts";

/** RFC 4616. */
export class Plain implements Mechanism {
  readonly name = "PLAIN";
  readonly who: string;
  readonly #user: UserConfig;

  constructor(user: UserConfig) {
    this.who = `user "${user.username}"`;
    this.#user = user;
  }

  start(): Promise<Uint8Array> {
    const { username, password } = this.#user;
    return Promise.resolve(encode(`\0${username}\0${password.reveal()}`));
  }

  next(): Promise<null> {
    return Promise.resolve(null);
  }

  redact(text: string): string {
    return this.#user.password.redact(text);
  }
}
