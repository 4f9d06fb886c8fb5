import assert from "node:assert/strict";
import { securityConfig } from "../../../lib/properties/security.ts";
import { hasOpenssl, make, openssl } from "../../support/openssl.ts";

const ignore = !hasOpenssl;
const isOldDeno = Deno.version.deno.startsWith("2.4.");

Deno.test({
  name: "security: an encrypted key is read, or the line says whether its password is wrong" +
    (ignore ? " (skipped: no openssl)" : ""),
  ignore,
  fn: async (t) => {
    const folder = await Deno.makeTempDir();
    try {
      const own = await make(folder, "own", { key: "rsa:2048" });
      const { tls: plain } = await read(own.key, own.certificate, "");
      const wrong =
        /^ssl\.key\.location: cannot read the private key: ssl\.key\.password is wrong$/;
      const unsupported =
        /^ssl\.key\.location: cannot read the private key: its encryption is not supported — openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -in FILE -out key\.pem /;
      const pkcs8 = (...args: string[]) => ["pkcs8", "-topk8", "-in", own.key, ...args];
      const old = ["rsa", "-traditional", "-in", own.key];
      const cases: [args: string[], works: boolean][] = [
        [pkcs8(), true],
        // What the error says.
        [pkcs8("-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA256"), true],
        [pkcs8("-v2", "aes-128-cbc"), true],
        [pkcs8("-v2", "aes-192-cbc", "-v2prf", "hmacWithSHA512"), true],
        [pkcs8("-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA384"), true],
        [pkcs8("-scrypt"), true],
        [pkcs8("-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA1"), false],
        [pkcs8("-v2", "des3"), false],
        [pkcs8("-v1", "PBE-SHA1-3DES"), false],
        [[...old, "-aes256"], !isOldDeno],
        [[...old, "-des3"], !isOldDeno],
      ];
      for (const [args, works] of cases) {
        await t.step(args.filter((arg) => arg !== own.key).join(" "), async () => {
          const key = `${folder}/key.pem`;
          await openssl(...args, "-passout", "pass:s3cret-Pa55", "-out", key);
          if (works) {
            const { tls } = await read(key, own.certificate, "s3cret-Pa55");
            assert.equal(tls?.identity?.key.reveal(), plain?.identity?.key.reveal());
          } else await rejects(read(key, own.certificate, "s3cret-Pa55"), unsupported);
          await rejects(read(key, own.certificate, "other-Pa55"), works ? wrong : unsupported);
          await rejects(
            read(key, own.certificate, ""),
            /^ssl\.key\.location: the key is encrypted: set ssl\.key\.password or env KAFKA_SSL_/,
          );
        });
      }
      await t.step("a key cut off, or of nothing", async () => {
        const key = `${folder}/cut.pem`;
        for (const body of ["", "MIIF", "****"]) {
          await Deno.writeTextFile(
            key,
            `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${body}\n-----END ENCRYPTED PRIVATE KEY-----\n`,
          );
          await rejects(read(key, own.certificate, "x"), unsupported);
        }
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

function read(key: string, certificate: string, password: string) {
  const properties = {
    "security.protocol": "SSL",
    "ssl.certificate.location": certificate,
    "ssl.key.location": key,
    "ssl.key.password": password,
  };
  return securityConfig(new Map(Object.entries(properties)), () => undefined);
}

function rejects(work: Promise<unknown>, message: RegExp): Promise<void> {
  return assert.rejects(work, (error: Error) => {
    assert.match(error.message, message);
    assert.ok(!error.message.includes("Pa55"));
    return true;
  });
}
