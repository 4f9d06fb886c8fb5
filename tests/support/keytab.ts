/** A keytab as MIT Kerberos writes it, with principals and keys that belong to nobody. */

/** Its principals, each once. */
export const keytabOwners = ["loader@EXAMPLE.COM", "kafka/host@EXAMPLE.COM"];

/** An entry: size, count, realm, components, name type, time, key version, key. */
function entry(realm: string, ...components: string[]): number[] {
  const text = (text: string) => [0, text.length, ...new TextEncoder().encode(text)];
  const body = [0, components.length, ...[realm, ...components].flatMap(text)];
  const rest = [0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 18, 0, 4, 1, 2, 3, 4];
  return [0, 0, 0, body.length + rest.length, ...body, ...rest];
}

const hole = [0xff, 0xff, 0xff, 0xfc, 9, 9, 9, 9];

export const keytab: Uint8Array<ArrayBuffer> = Uint8Array.from([
  ...[5, 2],
  ...entry("EXAMPLE.COM", "loader"),
  ...hole,
  ...entry("EXAMPLE.COM", "loader"),
  ...entry("EXAMPLE.COM", "kafka", "host"),
]);
