/** A broker that checks the tokens of an identity provider, and knows delegation tokens. */
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import { audience, type IdentityProvider, issuer } from "./identity_provider.ts";

const module = "org.apache.kafka.common.security";

/** The owner of delegation tokens, who logs in with SCRAM at OWNER. */
export const owner = { name: "owner", password: "owner-Pa55=word/6" };
/** The password of Event Hubs' one user, whose name is `$ConnectionString`. */
export const connectionString =
  "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=load;SharedAccessKey=k-Pa55+/w==";

/**
 * OAUTH takes the provider's tokens for as long as they live, SHORT for `session` milliseconds;
 * OWNER takes SCRAM, also of delegation tokens; HUBS takes PLAIN, as Event Hubs does. None has TLS.
 */
export async function startLoginBroker(idp: IdentityProvider, session = 3000): Promise<Broker> {
  const bearer = (listener: string) => {
    const prefix = `listener.name.${listener}`;
    return {
      [`${prefix}.sasl.enabled.mechanisms`]: "OAUTHBEARER",
      [`${prefix}.oauthbearer.sasl.jaas.config`]:
        `${module}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="x";`,
      [`${prefix}.oauthbearer.sasl.server.callback.handler.class`]:
        `${module}.oauthbearer.OAuthBearerValidatorCallbackHandler`,
    };
  };
  return await startBroker({
    own: true,
    heap: "512m",
    listeners: {
      OAUTH: "SASL_PLAINTEXT",
      SHORT: "SASL_PLAINTEXT",
      OWNER: "SASL_PLAINTEXT",
      HUBS: "SASL_PLAINTEXT",
    },
    // Kafka 4 asks only servers that this property names.
    jvm: [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${idp.jwks}`],
    properties: {
      "sasl.oauthbearer.jwks.endpoint.url": idp.jwks,
      // Kafka 4.1's brokers check nothing but a token's form without it.
      "sasl.oauthbearer.jwt.validator.class": `${module}.oauthbearer.BrokerJwtValidator`,
      "sasl.oauthbearer.expected.audience": audience,
      "sasl.oauthbearer.expected.issuer": issuer,
      ...bearer("oauth"),
      ...bearer("short"),
      "listener.name.short.oauthbearer.connections.max.reauth.ms": String(session),
      "listener.name.owner.sasl.enabled.mechanisms": "SCRAM-SHA-256",
      "listener.name.owner.scram-sha-256.sasl.jaas.config":
        `${module}.scram.ScramLoginModule required;`,
      "listener.name.hubs.sasl.enabled.mechanisms": "PLAIN",
      "listener.name.hubs.plain.sasl.jaas.config":
        `${module}.plain.PlainLoginModule required user_$ConnectionString="${connectionString}";`,
      "delegation.token.secret.key": "the broker's own secret",
    },
    storageFormatArgs: [
      ...["--add-scram", `SCRAM-SHA-256=[name=${owner.name},password="${owner.password}"]`],
    ],
  });
}

/** The properties of a login with SCRAM, with these options of Java's module. */
export function scramLogin(options: string): Record<string, string> {
  return {
    "security.protocol": "SASL_PLAINTEXT",
    "sasl.mechanism": "SCRAM-SHA-256",
    "sasl.jaas.config": `${module}.scram.ScramLoginModule required ${options};`,
  };
}

/** A new delegation token of the owner, which the broker knows a moment later. */
export async function delegationToken(broker: Broker): Promise<{ id: string; hmac: string }> {
  const config = `${broker.folder}/owner.properties`;
  const login = scramLogin(`username="${owner.name}" password="${owner.password}"`);
  await Deno.writeTextFile(config, Object.entries(login).map((pair) => pair.join("=")).join("\n"));
  const created = await broker.run("org.apache.kafka.tools.DelegationTokenCommand", [
    ...["--bootstrap-server", broker.listeners.OWNER, "--command-config", config],
    ...["--create", "--max-life-time-period", "-1"],
  ]);
  const said = new TextDecoder().decode(created.stdout);
  const [, id, hmac] = /^(\S{22})\s+(\S{80,})\s/m.exec(said) ?? [];
  if (!id) throw new Error(`no delegation token: ${said}${created.stderr}`);
  return { id, hmac };
}
