import { Cluster } from "../kafka/cluster.ts";
import type { ClientConfig } from "../kafka/config.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import { findCoordinator } from "../protocol/messages/find_coordinator.ts";
import { listOffsets } from "../protocol/messages/list_offsets.ts";
import type { MetadataResponse } from "../protocol/messages/metadata.ts";
import { offsetFetch } from "../protocol/messages/offset_fetch.ts";
import { offsetForLeaderEpoch } from "../protocol/messages/offset_for_leader_epoch.ts";
import { compareVersions, greetAdvertised, greetBootstrap, logIn } from "./brokers.ts";
import { checkBrokerCertificates, describeSecurity } from "./certificates.ts";
import type { Outcome } from "./findings.ts";
import type { Examination } from "./options.ts";

/** A client's own deadlines are a little shorter than a check's, so that it can say why. */
const INNER = 0.9;

/** What was found out on the way to the cluster. */
export interface KafkaOutcome {
  config: Outcome<ClientConfig>;
  cluster: Outcome<Cluster>;
  metadata: Outcome<MetadataResponse>;
}

/** The way to the cluster: certificates, brokers, versions, login, and what they tell clients to use. */
export async function examineKafka(
  { rounds, options, source }: Examination,
): Promise<KafkaOutcome> {
  const needed = source ? [source] : [];
  const config = await rounds.check("security", needed, async (say) => {
    const security = await options.security();
    describeSecurity(say, security);
    const { configFile = null, brokers = null } = source?.value ?? {};
    if (configFile !== null && security.tls === null && security.sasl === null) {
      const todo = "run doctor with --config and a copy of that file";
      say(
        "warn",
        `the source's programs read "${configFile}" on their hosts, this run does not`,
        todo,
      );
    }
    const own = brokers !== null && !options.brokersAreGiven ? brokers.split(",") : null;
    const { timeout, brokers: given } = options.config;
    return { ...options.config, ...security, timeout: INNER * timeout, brokers: own ?? given };
  });
  const brokers = await rounds.check(
    "brokers",
    [config],
    (say) => greetBootstrap(say, config.value!),
  );
  if (config.value?.tls) {
    await rounds.check("certificate", [], (say) => checkBrokerCertificates(say, config.value!));
  }
  await rounds.check("versions", [brokers], (say) => {
    compareVersions(say, brokers.value!, config.value!.sasl !== null);
    return Promise.resolve(true);
  });
  const cluster: Outcome<Cluster> = { what: "login", value: null };
  const metadata = await rounds.check("login", [brokers], async (say) => {
    const reachable = brokers.value!.map(({ address }) => address);
    const apis = [fetch, listOffsets, findCoordinator, offsetFetch, offsetForLeaderEpoch];
    cluster.value = new Cluster({ ...config.value!, brokers: reachable }, apis);
    return await logIn(say, cluster.value);
  });
  await rounds.check(
    "listeners",
    [metadata],
    (say) => greetAdvertised(say, config.value!, metadata.value!, brokers.value!),
  );
  return { config, cluster, metadata };
}
