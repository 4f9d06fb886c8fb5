/** A KDC of MIT Kerberos, and a broker that asks for its tickets. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Gssapi } from "../../lib/kafka/sasl/gssapi.ts";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import { freePorts } from "../../scripts/servers/broker/ports.ts";
import { spawnLogged, tryRun } from "../../scripts/servers/broker/process.ts";
import { authority } from "./certificates.ts";

const realm = "TEST.EXAMPLE";

/** What Debian's krb5-kdc, krb5-admin-server and krb5-user bring. */
const tools = ["kdb5_util", "kadmin.local", "krb5kdc", "kinit"];

/** A plain machine lacks them: then the tests are skipped. */
export const hasKdc = tools.every((tool) => pathOf(tool) !== undefined) &&
  Deno.build.os === "linux";

function pathOf(tool: string): string | undefined {
  return [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/sbin"]
    .map((folder) => join(folder, tool))
    .find((path) => {
      try {
        return Deno.statSync(path).isFile;
      } catch {
        return false;
      }
    });
}

export interface Kdc extends AsyncDisposable {
  folder: string;
  /** For programs: the KRB5_CONFIG of this realm, and no ticket cache of this machine. */
  env: Record<string, string>;
  /** Runs a command of kadmin: `addprinc -randkey ann`. */
  admin(command: string): Promise<void>;
  /** A new principal, and the path of its keytab. */
  principal(name: string, options?: string): Promise<string>;
  /** Writes another krb5.conf, with changes to the first one; returns its path. */
  config(name: string, change: (text: string) => string): Promise<string>;
  /** A ticket of a keytab in a new cache; returns its name for KRB5CCNAME. */
  ticket(principal: string, options?: string[]): Promise<string>;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** It accepts what comes and answers nothing, until {@link resume}. */
  pause(): void;
  resume(): void;
}

/** Starts a KDC on a free port of 127.0.0.1, in a folder that goes away with it. */
export async function startKdc(): Promise<Kdc> {
  const folder = await Deno.makeTempDir({ prefix: "gpdb-kafka-kdc-" });
  const file = (name: string) => join(folder, name);
  const [port] = freePorts(1);
  const libdefaults = `[libdefaults]
  default_realm = ${realm}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
[realms]
  ${realm} = {
    kdc = 127.0.0.1:${port}
  }
`;
  await Deno.writeTextFile(file("krb5.conf"), libdefaults);
  await Deno.writeTextFile(
    file("kdc.conf"),
    `[kdcdefaults]
  kdc_listen = 127.0.0.1:${port}
  kdc_tcp_listen = 127.0.0.1:${port}
[realms]
  ${realm} = {
    database_name = ${file("principal")}
    key_stash_file = ${file("stash")}
    acl_file = ${file("kadm5.acl")}
    max_life = 10h
  }
[logging]
  kdc = FILE:${file("kdc.log")}
`,
  );
  const env = {
    KRB5_CONFIG: file("krb5.conf"),
    KRB5_KDC_PROFILE: file("kdc.conf"),
    KRB5CCNAME: `FILE:${file("no-cache")}`,
    KRB5_CLIENT_KTNAME: file("no-keytab"),
  };
  const run = async (tool: string, ...args: string[]) => {
    const finished = await tryRun(
      ["env", ...Object.entries(env).map((pair) => pair.join("=")), pathOf(tool)!, ...args],
      60_000,
    );
    assert.equal(finished?.code, 0, `${tool} ${args.join(" ")}: ${finished?.stderr}`);
    return finished!;
  };
  const admin = async (command: string) => {
    const { stderr } = await run("kadmin.local", "-q", command);
    assert.ok(!/^\S+: (?!No policy|.*no policy)/im.test(stderr), `${command}: ${stderr}`);
  };
  let process: Deno.ChildProcess | null = null;
  const stop = async () => {
    if (!process) return;
    process.kill("SIGKILL");
    await process.status;
    process = null;
  };
  const start = async () => {
    const command = Object.entries(env).map((pair) => pair.join("="));
    process = spawnLogged(["env", ...command, pathOf("krb5kdc")!, "-n"], file("krb5kdc.out"));
    for (let tries = 0;; tries++) {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => null);
      if (conn) return conn.close();
      if (tries >= 600) throw new Error(await Deno.readTextFile(file("krb5kdc.out")));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  await run("kdb5_util", "create", "-s", "-P", "only-for-tests", "-r", realm);
  await start();
  return {
    folder,
    env: { KRB5_CONFIG: env.KRB5_CONFIG, KRB5CCNAME: env.KRB5CCNAME },
    admin,
    start,
    stop,
    pause: () => process!.kill("SIGSTOP"),
    resume: () => process!.kill("SIGCONT"),
    async principal(name, options = "") {
      await admin(`addprinc -randkey ${options} ${name}`);
      const keytab = file(`${name.replaceAll("/", "-")}.keytab`);
      await admin(`ktadd -k ${keytab} ${name}`);
      return keytab;
    },
    async config(name, change) {
      await Deno.writeTextFile(file(name), change(libdefaults));
      return file(name);
    },
    async ticket(principal, options = []) {
      const cache = `FILE:${file(`cache-${crypto.randomUUID()}`)}`;
      await run(
        "kinit",
        "-k",
        "-t",
        file(`${principal}.keytab`),
        "-c",
        cache,
        ...options,
        principal,
      );
      return cache;
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/**
 * A broker whose principal is kafka/127.0.0.1, with listener KRB (without TLS), KRBTLS, OTHER, which
 * has keys that are no longer those of its principal, and SESSION, which requires a login each 3 s.
 */
export async function startKerberosBroker(kdc: Kdc): Promise<{ broker: Broker; ca: string }> {
  const ca = authority("gpdb-kafka test authority");
  const server = ca.issue({ name: "broker", hosts: ["127.0.0.1"] });
  const keytab = await kdc.principal("kafka/127.0.0.1");
  const stale = join(kdc.folder, "stale-broker.keytab");
  await Deno.copyFile(keytab, stale);
  await kdc.admin(`ktadd -k ${keytab} kafka/127.0.0.1`);
  const login = (keytab: string) =>
    "com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true " +
    `isInitiator=false keyTab="${keytab}" principal="kafka/127.0.0.1@${realm}";`;
  const tls = "listener.name.krbtls.ssl";
  const broker = await startBroker({
    listeners: {
      KRB: "SASL_PLAINTEXT",
      KRBTLS: "SASL_SSL",
      OTHER: "SASL_PLAINTEXT",
      SESSION: "SASL_PLAINTEXT",
    },
    heap: "512m",
    jvm: [`-Djava.security.krb5.conf=${kdc.env.KRB5_CONFIG}`],
    properties: {
      "sasl.enabled.mechanisms": "GSSAPI",
      "sasl.kerberos.service.name": "kafka",
      "listener.name.krb.gssapi.sasl.jaas.config": login(keytab),
      "listener.name.krbtls.gssapi.sasl.jaas.config": login(keytab),
      "listener.name.other.gssapi.sasl.jaas.config": login(stale),
      "listener.name.session.gssapi.sasl.jaas.config": login(keytab),
      "listener.name.session.gssapi.connections.max.reauth.ms": "3000",
      [`${tls}.keystore.type`]: "PEM",
      [`${tls}.keystore.certificate.chain`]: server.certificate,
      [`${tls}.keystore.key`]: server.key,
    },
  });
  const path = join(kdc.folder, "ca.pem");
  await Deno.writeTextFile(path, ca.certificate);
  return { broker, ca: path };
}

/** A login as far as the first message, which needs all of the KDC. */
export async function startLogin(keytab: string): Promise<void> {
  const mechanism = new Gssapi(
    { mechanism: "GSSAPI", service: "kafka", principal: null, keytab, ticketCache: null },
    "127.0.0.1",
    30_000,
  );
  try {
    assert.ok((await mechanism.start()).length > 100);
  } finally {
    mechanism.close();
  }
}

/** Kerberos reads the environment of this process. */
export async function withEnv(env: Kdc["env"], work: () => Promise<void>): Promise<void> {
  const before = Object.keys(env).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
  try {
    await work();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}
