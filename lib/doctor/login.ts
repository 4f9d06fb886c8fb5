import { Failure } from "../failure.ts";
import type { Cluster } from "../kafka/cluster.ts";
import type { MetadataResponse } from "../protocol/messages/metadata.ts";
import type { SaslConfig } from "../kafka/config.ts";
import { type Say, whatWentWrong } from "./findings.ts";

/** Logs in if that is configured, and asks for the cluster: a listener that requires a login says so. */
export async function checkLogin(
  say: Say,
  cluster: Cluster,
): Promise<MetadataResponse | null> {
  const { sasl } = cluster.config;
  try {
    const answer = await cluster.refresh([]);
    say("ok", whoIsLoggedIn(sasl));
    return answer;
  } catch (error) {
    const denied = error instanceof Failure && error.kind === "denied" && sasl !== null;
    const what = denied ? whatToCheck(sasl) : null;
    const todo = what === null ? undefined : `${what}; the login was not retried`;
    say("fail", whatWentWrong(error), todo);
    return null;
  }
}

function whoIsLoggedIn(sasl: SaslConfig | null): string {
  if (sasl === null) return "no login is configured, and none is required";
  if (sasl.mechanism === "OAUTHBEARER") {
    return `the token of ${sasl.from} is accepted (OAUTHBEARER)`;
  }
  if (sasl.mechanism !== "GSSAPI") {
    return `user "${sasl.username}" is logged in with ${sasl.mechanism}`;
  }
  const { principal, keytab } = sasl;
  const who = principal === null ? "the principal" : `principal "${principal}"`;
  return `${who} of the ${keytab === null ? "ticket cache" : "keytab"} is logged in with GSSAPI`;
}

/** Null: what Kerberos says has its advice already. */
function whatToCheck(sasl: SaslConfig): string | null {
  if (sasl.mechanism === "GSSAPI") return null;
  if (sasl.mechanism !== "OAUTHBEARER") {
    return "check sasl.username, sasl.password and sasl.mechanism";
  }
  return `check the token of ${sasl.from}, and who may log in with it`;
}
