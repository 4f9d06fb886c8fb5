import { Failure } from "../../../lib/failure.ts";
import { pause } from "../../../lib/waiting.ts";

/** What a broker says of its cluster. */
export interface ClusterView {
  clusterId: string;
  brokerIds: number[];
  /** Of the topic that was asked for: whether this broker knows it, with a leader everywhere. */
  topicReady: boolean;
}

const answerMs = 3_000;

/**
 * Asks a broker for its API versions and then for its cluster. Written by hand and apart from the
 * client under test: were that broken, its broker tests should fail, not hang before they start.
 */
export async function askCluster(
  hostname: string,
  port: number,
  topic?: string,
): Promise<ClusterView> {
  let conn: Deno.Conn | undefined;
  let late = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const work = async () => {
    conn = await Deno.connect({ hostname, port });
    if (late) return conn.close() as never;
    // ApiVersions (18) version 0 has no body; an error code comes first in its answer.
    const versions = await request(conn, 18, 0, new Uint8Array(0));
    if (versions.getInt16(0) !== 0) throw new Error(`ApiVersions: error ${versions.getInt16(0)}`);
    return parseMetadata(await request(conn, 3, 2, metadataBody(topic)));
  };
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      late = true;
      conn?.close();
      conn = undefined;
      reject(new Failure("broker", `Cannot ask ${hostname}:${port}: no answer in 3 s`));
    }, answerMs);
  });
  const asked = work();
  asked.catch(() => {}); // after the deadline nobody else looks at its error
  try {
    return await Promise.race([asked, deadline]);
  } finally {
    clearTimeout(timer);
    conn?.close();
  }
}

/** Polls until the condition holds for what the broker says; a Failure names the last reason. */
export async function waitForCluster(
  port: number,
  holds: (view: ClusterView) => boolean,
  deadline: number,
  signal: AbortSignal,
): Promise<void> {
  let reason = "";
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    try {
      const view = await askCluster("127.0.0.1", port);
      if (holds(view)) return;
      reason = `it knows the brokers ${view.brokerIds.join(", ") || "(none)"} only`;
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    await pause(50);
  }
  throw new Failure("broker", `Cannot use the broker on port ${port} in time: ${reason}`);
}

async function request(
  conn: Deno.Conn,
  apiKey: number,
  version: number,
  body: Uint8Array,
): Promise<DataView> {
  const header = 2 + 2 + 4 + 2; // key, version, correlation id, null client id
  const frame = new Uint8Array(4 + header + body.length);
  const view = new DataView(frame.buffer);
  view.setInt32(0, header + body.length);
  view.setInt16(4, apiKey);
  view.setInt16(6, version);
  view.setInt16(12, -1);
  frame.set(body, 4 + header);
  for (let sent = 0; sent < frame.length;) sent += await conn.write(frame.subarray(sent));
  const size = new DataView((await readExactly(conn, 4)).buffer).getInt32(0);
  if (size < 4 || size > 1 << 20) throw new Error("no Kafka broker: its answer has a wrong size");
  return new DataView((await readExactly(conn, size)).buffer, 4); // after the correlation id
}

async function readExactly(conn: Deno.Conn, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(size);
  for (let filled = 0; filled < size;) {
    const n = await conn.read(bytes.subarray(filled));
    if (n === null) throw new Error("the broker closed the connection");
    filled += n;
  }
  return bytes;
}

/**
 * Metadata (3) version 2 has an array of topic names; if it is empty, the answer has the brokers
 * only.
 */
function metadataBody(topic?: string): Uint8Array {
  if (topic === undefined) return new Uint8Array(4);
  const name = new TextEncoder().encode(topic);
  const body = new Uint8Array(4 + 2 + name.length);
  const view = new DataView(body.buffer);
  view.setInt32(0, 1);
  view.setInt16(4, name.length);
  body.set(name, 6);
  return body;
}

/**
 * Metadata v2: brokers [id int32, host string, port int32, rack nullable string], cluster id,
 * controller int32, topics [error int16, name, internal bool, partitions [error int16, …]]. Of the
 * topic's partitions the rest is ids, which need no look.
 */
function parseMetadata(view: DataView): ClusterView {
  let at = 0;
  const int16 = () => view.getInt16((at += 2) - 2);
  const int32 = () => view.getInt32((at += 4) - 4);
  const string = () => {
    const length = Math.max(0, int16());
    at += length;
    return new TextDecoder().decode(
      new Uint8Array(view.buffer, view.byteOffset + at - length, length),
    );
  };
  const brokerIds = Array.from({ length: int32() }, () => {
    const id = int32();
    string();
    int32();
    string();
    return id;
  });
  const clusterId = string();
  int32();
  let topicReady = false;
  if (int32() === 1) {
    topicReady = int16() === 0;
    string();
    at += 1;
    for (let partitions = int32(); partitions > 0; partitions--) {
      topicReady = int16() === 0 && topicReady;
      at += 8; // partition, leader
      for (const _ of ["replicas", "in sync"]) {
        const ids = int32();
        at += 4 * ids;
      }
    }
  }
  return { clusterId, brokerIds, topicReady };
}
