/** A broker with every kind of listener that a client may have to log in at. */
import { join } from "node:path";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import { authority, type Certificate, encryptKey } from "./certificates.ts";
import { withAdmin } from "./kafka.ts";

/** All secrets of the users below: none may ever be printed. */
export const secrets = {
  plain: "plain-Pa55=word/1",
  scram256: "scram256-Pa55=word/2",
  scram512: "scram512-Pa55=word/3",
  keyPassword: "key-Pa55=word/4",
};

export interface SecureBroker extends AsyncDisposable {
  broker: Broker;
  /** The address of each listener: PLAINTEXT, TLS, MUTUAL, WRONG, EXPIRED, SASL, SCRAM. */
  at: Readonly<Record<string, string>>;
  /** The path of a PEM file: ca, other-ca, client, client-key, encrypted-key, stranger, … */
  file(name: string): string;
}

const module = "org.apache.kafka.common.security";
const scramLogin = `${module}.scram.ScramLoginModule required;`;

/**
 * TLS asks for no client certificate and MUTUAL for one; WRONG shows a certificate for another
 * host, EXPIRED one that is; SASL (over TLS) takes every mechanism and SCRAM (without TLS) one.
 * User alice has a password for each. Topics without an ACL are everybody's.
 */
export async function startSecureBroker(): Promise<SecureBroker> {
  const ca = authority("gpdb-kafka test authority");
  const other = authority("another authority");
  const server = ca.issue({ name: "broker", hosts: ["127.0.0.1", "localhost"] });
  const client = ca.issue({ name: "carol" });
  const stranger = other.issue({ name: "mallory" });
  const broker = await startBroker({
    listeners: {
      TLS: "SSL",
      MUTUAL: "SSL",
      WRONG: "SSL",
      EXPIRED: "SSL",
      SASL: "SASL_SSL",
      SCRAM: "SASL_PLAINTEXT",
    },
    properties: {
      ...stores("tls", server, ca),
      ...stores("mutual", server, ca),
      ...stores("wrong", ca.issue({ name: "127.0.0.1", hosts: ["broker.example"] }), ca),
      ...stores("expired", ca.issue({ name: "old", hosts: ["127.0.0.1"], expired: true }), ca),
      ...stores("sasl", server, ca),
      "listener.name.mutual.ssl.client.auth": "required",
      "listener.name.sasl.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
      "listener.name.sasl.plain.sasl.jaas.config":
        `${module}.plain.PlainLoginModule required user_alice="${secrets.plain}";`,
      "listener.name.sasl.scram-sha-256.sasl.jaas.config": scramLogin,
      "listener.name.sasl.scram-sha-512.sasl.jaas.config": scramLogin,
      "listener.name.sasl.oauthbearer.sasl.jaas.config":
        `${module}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="x";`,
      "listener.name.sasl.oauthbearer.sasl.server.callback.handler.class":
        `${module}.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler`,
      "listener.name.scram.sasl.enabled.mechanisms": "SCRAM-SHA-256",
      "listener.name.scram.scram-sha-256.sasl.jaas.config": scramLogin,
      "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
      "super.users": "User:ANONYMOUS",
      "allow.everyone.if.no.acl.found": "true",
    },
    storageFormatArgs: [
      ...["--add-scram", `SCRAM-SHA-256=[name=alice,password="${secrets.scram256}"]`],
      ...["--add-scram", `SCRAM-SHA-512=[name=alice,password="${secrets.scram512}"]`],
    ],
  });
  const file = (name: string) => join(broker.folder, `${name}.pem`);
  await Promise.all(
    Object.entries({
      "ca": ca.certificate,
      "other-ca": other.certificate,
      "client": client.certificate,
      "client-key": client.key,
      "encrypted-key": encryptKey(client.key, secrets.keyPassword),
      "stranger": stranger.certificate,
      "stranger-key": stranger.key,
      "store": client.key + client.certificate,
    }).map(([name, pem]) => Deno.writeTextFile(file(name), pem)),
  );
  return {
    broker,
    at: broker.listeners,
    file,
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  };
}

function stores(listener: string, own: Certificate, ca: Certificate): Record<string, string> {
  const name = `listener.name.${listener}.ssl`;
  return {
    [`${name}.keystore.type`]: "PEM",
    [`${name}.keystore.certificate.chain`]: own.certificate,
    [`${name}.keystore.key`]: own.key,
    [`${name}.truststore.type`]: "PEM",
    [`${name}.truststore.certificates`]: ca.certificate,
  };
}

/** A token that the broker's unsecured validator takes (RFC 7519 with `alg: none`). */
export function unsecuredToken(subject: string, seconds = 300): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (claims: unknown) =>
    btoa(JSON.stringify(claims)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const claims = { sub: subject, iat: now - 600, exp: now + seconds };
  return `${part({ alg: "none" })}.${part(claims)}.`;
}

/** From now on only `user` may read the topic, or use the group, of this name. */
export async function reserve(
  broker: Broker,
  kind: "topic" | "group",
  name: string,
  user: string,
): Promise<void> {
  // kafkajs' enums, which its package exports as types only to Deno: RESOURCE_TYPES and so on.
  const resourceType = kind === "topic" ? 2 : 3;
  await withAdmin(broker, (admin) =>
    admin.createAcls({
      acl: [{
        resourceType,
        resourceName: name,
        resourcePatternType: 3,
        principal: `User:${user}`,
        host: "*",
        operation: 2,
        permissionType: 3,
      }],
    }));
}
