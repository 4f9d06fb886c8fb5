import { Failure } from "../failure.ts";
import type { Cluster } from "../kafka/cluster.ts";
import type { MetadataResponse } from "../protocol/messages/metadata.ts";
import { type Say, whatWentWrong } from "./findings.ts";

/** Logs in if that is configured, and asks for the cluster: a listener that requires a login says so. */
export async function checkLogin(
  say: Say,
  cluster: Cluster,
): Promise<MetadataResponse | null> {
  const { sasl } = cluster.config;
  try {
    const answer = await cluster.refresh([]);
    const who = sasl === null
      ? "no login is configured, and none is required"
      : sasl.mechanism === "OAUTHBEARER"
      ? `the token of ${sasl.from} is accepted (OAUTHBEARER)`
      : `user "${sasl.username}" is logged in with ${sasl.mechanism}`;
    say("ok", who);
    return answer;
  } catch (error) {
    const denied = error instanceof Failure && error.kind === "denied" && sasl !== null;
    const what = sasl?.mechanism === "OAUTHBEARER"
      ? `check the token of ${sasl.from}, and who may log in with it`
      : "check sasl.username, sasl.password and sasl.mechanism";
    const todo = denied ? `${what}; the login was not retried` : undefined;
    say("fail", whatWentWrong(error), todo);
    return null;
  }
}
