import { type Address, addressName, type ClientConfig } from "../kafka/config.ts";
import { Connection } from "../kafka/connection.ts";
import type { VersionRange } from "../protocol/messages/api_versions.ts";

/** A broker that answered, and which versions of which requests it takes. */
export interface Greeting {
  address: string;
  ranges: readonly VersionRange[];
}

/** Connects without logging in, which every listener allows so far. */
export async function greet(address: Address, config: ClientConfig): Promise<Greeting> {
  const connection = await Connection.open(address, { ...config, sasl: null }, []);
  // Not asked again: a listener that requires a login accepts this question once.
  const { accepted } = connection;
  connection.close();
  return { address: addressName(address), ranges: accepted };
}
