/** Certificates and TLS servers of OpenSSL: what our own authority in certificates.ts would not make. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { isInstalled } from "./installed.ts";

/** Whether the command is there. */
export const hasOpenssl = await isInstalled("openssl", ["version"]);

/** What to make; all is optional. */
export interface Recipe {
  /** Its common name (localhost). */
  cn?: string;
  /** Who signs it (itself). */
  by?: Made;
  /** `ec` (P-256), or what `openssl req -newkey` has: `rsa:2048`. */
  key?: string;
  /** Lines of an extension file; none: X.509 version 1. */
  extensions?: string[];
  /** Days from now to its end (30). */
  days?: number;
  /** The hash that it is signed with (-sha256). */
  hash?: string;
}

/** Paths of PEM files. */
export interface Made {
  certificate: string;
  key: string;
}

export const ofAuthority = ["basicConstraints=critical,CA:TRUE", "keyUsage=keyCertSign"];

/** Runs openssl and returns its stdout. */
export async function openssl(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("openssl", { args }).output();
  assert.ok(success, `openssl ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** Makes a certificate and its key in a folder. */
export async function make(folder: string, name: string, recipe: Recipe = {}): Promise<Made> {
  const { cn = "localhost", by, key = "ec", extensions, days = 30, hash } = recipe;
  const at = (ending: string) => join(folder, `${name}.${ending}`);
  const made = { certificate: at("pem"), key: at("key") };
  const newKey = key === "ec" ? ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] : [key];
  const request = ["-newkey", ...newKey, "-nodes", "-keyout", made.key, "-out", at("csr")];
  await openssl("req", "-new", ...request, "-subj", `/O=Test/CN=${cn}`);
  const signer = by ? ["-CA", by.certificate, "-CAkey", by.key, "-CAcreateserial"] : [
    "-signkey",
    made.key,
  ];
  const more = extensions ? ["-extfile", at("ext")] : [];
  if (extensions) await Deno.writeTextFile(at("ext"), extensions.join("\n") + "\n");
  await openssl(
    ...["x509", "-req", "-in", at("csr"), "-out", made.certificate, "-days", String(days)],
    ...[...signer, ...more, ...(hash ? [hash] : [])],
  );
  return made;
}

export interface TlsServer extends AsyncDisposable {
  port: number;
}

/** `openssl s_server`, which shows a certificate, and those of `chain` after it. */
export async function serveTls(
  { certificate, key }: Made,
  chain: Made[] = [],
  args: string[] = [],
): Promise<TlsServer> {
  const file = `${certificate}.chain`;
  const texts = await Promise.all(chain.map(({ certificate }) => Deno.readTextFile(certificate)));
  await Deno.writeTextFile(file, texts.join(""));
  const child = new Deno.Command("openssl", {
    args: [
      ...["s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key],
      ...(chain.length > 0 ? ["-cert_chain", file] : []),
      // Else it would not use short keys and old hashes itself.
      ...["-cipher", "ALL:@SECLEVEL=0", ...args],
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const [said, rest] = child.stdout.tee();
  const drained = rest.pipeTo(new WritableStream()).catch(() => {});
  let text = "";
  for await (const piece of said.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (/ACCEPT .*:\d+\n/.test(text)) break;
  }
  const [, port] = /ACCEPT .*:(\d+)\n/.exec(text) ?? [];
  return {
    port: Number(port),
    async [Symbol.asyncDispose]() {
      await child.stdin.close().catch(() => {});
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await child.status;
      await drained;
    },
  };
}
