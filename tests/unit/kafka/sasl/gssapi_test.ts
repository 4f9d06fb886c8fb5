import assert from "node:assert/strict";
import { Failure } from "../../../../lib/failure.ts";
import type { GssapiConfig } from "../../../../lib/kafka/config.ts";
import { ConnectionError } from "../../../../lib/kafka/connection_error.ts";
import { explain } from "../../../../lib/kafka/sasl/gssapi_failures.ts";
import { keytabPrincipals } from "../../../../lib/kafka/sasl/gssapi_keytab.ts";
import { GssError } from "../../../../lib/kafka/sasl/gssapi_library.ts";
import { loadLibrary } from "../../../../lib/kafka/sasl/gssapi_symbols.ts";
import { keytab, keytabOwners } from "../../../support/keytab.ts";

Deno.test({
  name: "gssapi: the principals of a keytab; anything else is none, and ends in bounds",
  permissions: "none",
  fn: () => {
    assert.deepEqual(keytabPrincipals(keytab), keytabOwners);
    assert.deepEqual(keytabPrincipals(Uint8Array.of(5, 2)), []);
    for (
      const bytes of [[], [5], [5, 1], [5, 3, 0, 0], [...new TextEncoder().encode("[libdefaults")]]
    ) {
      assert.equal(keytabPrincipals(Uint8Array.from(bytes)), null);
    }
    for (let end = 0; end < keytab.length; end++) {
      const found = keytabPrincipals(keytab.slice(0, end));
      assert.ok(
        found === null || found.every((name) => keytabOwners.includes(name)),
        `${end}: ${found}`,
      );
    }
    for (let at = 0; at < keytab.length; at++) {
      const wrong = keytab.slice();
      wrong[at] ^= 0xff;
      keytabPrincipals(wrong); // whatever it finds, it comes back
    }
  },
});

const config: GssapiConfig = {
  mechanism: "GSSAPI",
  service: "kafka",
  principal: "loader",
  keytab: null,
  ticketCache: null,
};

async function explained(major: number, minor: number, more: Partial<GssapiConfig> = {}) {
  const error = new GssError(major << 16, minor, "Kerberos' words");
  return await explain(error, {
    config: { ...config, ...more },
    host: "h",
    asked: () => Promise.resolve("kafka/h.example@"),
  });
}

Deno.test("gssapi: each of Kerberos' codes is one line that says what to do", async () => {
  const table = -1765328384;
  const cases: [number, RegExp][] = [
    [6, /the KDC does not know principal "loader" — check sasl\.kerberos\.principal/],
    [7, /the KDC does not know the broker's principal kafka\/h\.example — check sasl\.kerb/],
    [18, /principal "loader" is locked or has expired/],
    [24, /the keys of principal "loader" are others by now — run kinit again/],
    [32, /the ticket has expired — run kinit again, or set sasl\.kerberos\.keytab/],
    [37, /the clocks of this host and of the KDC differ by too much — synchronize them/],
    [148, /the clocks of this host and of the KDC differ by too much — synchronize them/],
    [154, /krb5\.conf names no KDC of the realm — check it/],
    [224, /krb5\.conf has no default_realm — set it/],
    [99, /: Kerberos' words$/],
  ];
  for (const [code, message] of cases) {
    const failure = await explained(13, table + code);
    assert.ok(failure instanceof Failure && failure.kind === "denied", String(failure));
    assert.match(failure.message, /^cannot log in to h with GSSAPI: /);
    assert.match(failure.message, message);
  }
  // Another try may help.
  const unreachable = await explained(13, table + 156);
  assert.ok(unreachable instanceof ConnectionError);
  assert.match(unreachable.message, /no KDC can be reached — check the realm's kdc in krb5\.conf/);
});

Deno.test("gssapi: why there is no ticket", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${folder}/keytab`, keytab);
    await Deno.writeTextFile(`${folder}/text`, "not one");
    const cases: [Partial<GssapiConfig>, "denied" | "usage", RegExp][] = [
      [{}, "denied", /the ticket cache has no valid ticket of principal "loader" .* — run kinit/],
      [
        { ticketCache: "/x", principal: null },
        "denied",
        /that ticket cache has no valid ticket \(/,
      ],
      [
        { keytab: `${folder}/keytab`, principal: "writer" },
        "denied",
        /"\S+\/keytab" has no keys of principal "writer"; it has those of loader@EXAMPLE\.COM, ka/,
      ],
      [{ keytab: `${folder}/keytab` }, "denied", /the keytab is of no use: Kerberos' words$/],
      [{ keytab: `${folder}/none` }, "usage", /^sasl\.kerberos\.keytab: cannot read "\S+none": No/],
      [
        { keytab: `${folder}/text` },
        "usage",
        /^sasl\.kerberos\.keytab: "\S+text" is not a keytab$/,
      ],
      // What is in a wrong place may be a secret.
      [
        { keytab: "s3cret" },
        "usage",
        /^sasl\.kerberos\.keytab: cannot read its file: No such file/,
      ],
    ];
    for (const [more, kind, message] of cases) {
      const failure = await explained(7, -1765328189, more);
      assert.ok(failure instanceof Failure && failure.kind === kind, String(failure));
      assert.match(failure.message, message);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("gssapi: a host without the library, and with a file that is not one", async () => {
  const lacks = {
    kind: "usage",
    message: /this host lacks libgssapi_krb5\.so\.2 .* — install the/,
  };
  assert.throws(() => loadLibrary(["/nowhere/libgssapi_krb5.so.2"]), lacks);
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, "not a library");
    assert.throws(() => loadLibrary([file]), {
      kind: "usage",
      message: /cannot load \/\S+: (?!Could)/,
    });
  } finally {
    await Deno.remove(file);
  }
});
