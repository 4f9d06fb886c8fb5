import { freePorts } from "../../scripts/servers/broker/ports.ts";
import { runAll, S, withFolder } from "../support/planted_secrets.ts";

Deno.test("secrets: what leads to a schema registry is not shown, wrong or right", () =>
  withFolder(async (folder) => {
    const to = ["-t", "x", "-b", "127.0.0.1:1", "--timeout", "300ms"];
    const avro = [...to, "--value", "avro", "--fields", "a"];
    const urls = [
      `http://u:${S}/x@h`,
      `http://u:12/${S}@h`,
      `http://u:${S}#@h`,
      `http://h:8081?token=${S}`,
      `http://u:1,${S}@h`,
      `ftp://u:${S}@h`,
      S,
    ];
    const properties = [
      `schema.registry.url=http://u:${S}/@h`,
      `schema.registry.basic.auth.user.info=${S}`,
      `basic.auth.credentials.source=${S}`,
      `bearer.auth.credentials.source=${S}`,
      `bearer.auth.token=${S} x`,
      `schema.registry.ssl.key.location=${S}`,
      `schema.registry.ssl.ca.pem=${S}`,
      `schema.registry.ssl.keystore.password=${S}`,
      `bearer.auth.client.secret=${S}`,
    ];
    const [port] = freePorts(1);
    const closed = `127.0.0.1:${port}`;
    const file = (index: number) => `${folder}/registry-${index}.properties`;
    for (const [index, property] of properties.entries()) {
      await Deno.writeTextFile(file(index), property);
    }
    const program = "consumer" as const;
    await runAll([
      ...urls.map((url) => ({ program, args: [...avro, "--registry", url], codes: [64] })),
      ...urls.map((url) => ({
        args: ["sql", "table", "x", "--value", "avro", "--registry", url],
        codes: [64],
      })),
      ...properties.map((property, index) => ({
        program,
        args: [
          ...[...avro, "-F", file(index)],
          ...(property.startsWith("schema.registry.url") ? [] : ["--registry", "https://h"]),
        ],
        codes: [64],
      })),
      { program, args: [...avro, "--registry", `http://u:${S}@${closed}`], codes: [69] },
      {
        args: ["sql", "table", "x", "--value", "avro", "-F", file(0), "--timeout", "300ms"],
        codes: [64],
      },
      {
        program,
        args: [...avro, "--registry", `http://${closed}`, "-X", `bearer.auth.token=${S}`],
        codes: [69],
      },
      {
        program,
        args: [...avro, "--registry", `http://${closed}`, "-X", `basic.auth.user.info=u:${S}`],
        codes: [69],
      },
    ], folder);
  }));
