import type { Api } from "../../lib/protocol/messages/api.ts";
import { apiVersions } from "../../lib/protocol/messages/api_versions.ts";
import { consumerGroupDescribe } from "../../lib/protocol/messages/consumer_group_describe.ts";
import { createTopics } from "../../lib/protocol/messages/create_topics.ts";
import { describeConfigs } from "../../lib/protocol/messages/describe_configs.ts";
import { fetch, fetchWithRack } from "../../lib/protocol/messages/fetch.ts";
import { findCoordinator } from "../../lib/protocol/messages/find_coordinator.ts";
import { initProducerId } from "../../lib/protocol/messages/init_producer_id.ts";
import { listOffsets } from "../../lib/protocol/messages/list_offsets.ts";
import { metadata, metadataWithIds } from "../../lib/protocol/messages/metadata.ts";
import { offsetCommit } from "../../lib/protocol/messages/offset_commit.ts";
import { offsetFetch } from "../../lib/protocol/messages/offset_fetch.ts";
import { offsetForLeaderEpoch } from "../../lib/protocol/messages/offset_for_leader_epoch.ts";
import { produce } from "../../lib/protocol/messages/produce.ts";
import { saslAuthenticate, saslHandshake, saslSession } from "../../lib/protocol/messages/sasl.ts";
import { Reader } from "../../lib/protocol/reader.ts";
import { golden } from "./golden.ts";
import { goldenGroups } from "./golden_groups.ts";
import { goldenRacks } from "./golden_racks.ts";

export { captured } from "./golden.ts";

const recorded = { ...golden, ...goldenRacks, ...goldenGroups };

/** The name of a recorded answer. */
export type Case = keyof typeof recorded;

export const cases = Object.keys(recorded) as Case[];

/** An answer's bytes, a new copy at each call. */
export function frame(name: Case): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(recorded[name]), (char) => char.charCodeAt(0));
}

/** Decodes as a connection does: nothing may be left over. */
export function decodeWhole<Response>(
  api: Api<never, Response>,
  bytes: Uint8Array,
): Response {
  const reader = new Reader(bytes);
  const response = api.decode(reader);
  reader.finish();
  return response;
}

const apis: Record<string, Api<never, unknown>> = {
  api_versions: apiVersions,
  consumer_group_describe: consumerGroupDescribe,
  create_topics: createTopics,
  describe_configs: describeConfigs,
  fetch_rack: fetchWithRack,
  fetch,
  find_coordinator: findCoordinator,
  init_producer_id: initProducerId,
  list_offsets: listOffsets,
  metadata_ids: metadataWithIds,
  metadata,
  offset_commit: offsetCommit,
  offset_fetch: offsetFetch,
  offset_for_leader_epoch: offsetForLeaderEpoch,
  produce,
  sasl_handshake: saslHandshake,
  sasl_authenticate: saslAuthenticate,
  sasl_session: saslSession,
};

/** The API that a case is an answer of. */
export function apiOf(name: Case): Api<never, unknown> {
  const found = Object.keys(apis).find((prefix) => name.startsWith(prefix));
  if (!found) throw new Error(`no API for the golden case "${name}"`);
  return apis[found];
}
