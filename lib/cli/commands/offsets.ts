import { commitsOf, nothingStored, planImport, planReset } from "../../admin/change.ts";
import { offsetsText } from "../../admin/group_text.ts";
import { type Move, moveNote } from "../../admin/moves.ts";
import {
  formatOffsets,
  type OffsetFile,
  offsetFormats,
  parseOffsets,
} from "../../admin/offset_file.ts";
import { counted, table } from "../../admin/table.ts";
import { Failure, systemReason } from "../../failure.ts";
import { Cluster } from "../../kafka/cluster.ts";
import { groupOffsets, groupState, isHidden, memberNames } from "../../kafka/groups.ts";
import { commitOffsets } from "../../kafka/offsets.ts";
import { describeGroups } from "../../protocol/messages/describe_groups.ts";
import { findCoordinator } from "../../protocol/messages/find_coordinator.ts";
import { listOffsets } from "../../protocol/messages/list_offsets.ts";
import { offsetCommit } from "../../protocol/messages/offset_commit.ts";
import { offsetFetch } from "../../protocol/messages/offset_fetch.ts";
import { plain } from "../../text.ts";
import { clientConfig } from "../flags/connection.ts";
import type { Console } from "../console.ts";
import { env } from "../environment.ts";
import type { Given } from "../flags.ts";
import {
  checkGroup,
  givenPartitions,
  givenTopics,
  offsetsFlags,
  offsetVerbs,
  parseTarget,
} from "../flags/offsets.ts";
import { print, printDone } from "../print.ts";
import type { Command } from "../run.ts";
import { checkWords, chooseVerb, verbFlags } from "../verbs.ts";

/** A verb's work, with a connected cluster. */
type Work = (cluster: Cluster) => Promise<void>;

/** A group's offsets, without joining it. */
export const offsetsCommand: Command = {
  name: "gpdb-kafka offsets",
  about:
    "shows, exports, imports and resets the offsets of a group: show, export, import [FILE], reset",
  examples: [
    "gpdb-kafka offsets export --group loader > loader.offsets",
    "gpdb-kafka offsets import --group loader loader.offsets --dry-run",
    "gpdb-kafka offsets reset --group loader --topic crimes --to @2026-01-31T12:00:00Z",
  ],
  flags: verbFlags(offsetsFlags),
  answers: true,
  async run(given, console) {
    const { verb, words } = chooseVerb(given, offsetVerbs, offsetsFlags);
    checkWords(verb, words, "", 0, verb === "import" ? 1 : 0);
    const work = verb === "import"
      ? await importing(given, console, words[0])
      : verb === "reset"
      ? resetting(given, console)
      : verb === "export"
      ? exporting(given)
      : showing(given);
    const config = await clientConfig(given, env, console, "gpdb-kafka");
    const apis = [findCoordinator, describeGroups, offsetFetch, offsetCommit, listOffsets];
    const cluster = new Cluster(config, apis);
    try {
      await work(cluster);
    } finally {
      cluster.close();
    }
  },
};

function showing(given: Given): Work {
  const group = checkGroup(given.get("group"));
  const topics = givenTopics(given);
  return async (cluster) => {
    const stored = await ofTopics(cluster, group, topics);
    print(await offsetsText(cluster, stored, group, await groupState(cluster, group)));
  };
}

function exporting(given: Given): Work {
  const group = checkGroup(given.get("group"));
  const topics = givenTopics(given);
  const format = given.choice("format", offsetFormats, "rpk");
  return async (cluster) => {
    print(formatOffsets(format, group, await ofTopics(cluster, group, topics)));
  };
}

async function ofTopics(cluster: Cluster, group: string, topics: readonly string[]) {
  const all = await groupOffsets(cluster, group);
  const stored = all.filter(({ topic }) => topics.length === 0 || topics.includes(topic));
  if (stored.length > 0) return stored;
  if (all.length === 0) throw nothingStored(group);
  throw new Failure(
    "record",
    `group "${group}" has no stored offset of ${topics.map((topic) => `"${topic}"`).join(", ")}`,
  );
}

async function importing(
  given: Given,
  console: Console,
  path: string | undefined,
): Promise<Work> {
  const file = await readOffsets(path);
  const group = checkGroup(given.get("group") ?? file.group);
  if (file.group !== null && file.group !== group) {
    console.warn(`the offsets of group "${file.group}" are stored for group "${group}"`);
  }
  const clamp = given.has("clamp");
  return async (cluster) =>
    await change(
      cluster,
      group,
      await planImport(cluster, group, file.offsets, clamp),
      given.has("dry-run"),
      console,
    );
}

function resetting(given: Given, console: Console): Work {
  const group = checkGroup(given.get("group"));
  const topics = givenTopics(given);
  const selection = { topics, partitions: givenPartitions(given, topics) };
  const target = parseTarget(given);
  const clamp = given.has("clamp");
  return async (cluster) =>
    await change(
      cluster,
      group,
      await planReset(cluster, group, selection, target, clamp),
      given.has("dry-run"),
      console,
    );
}

/** Prints what changes, and stores it, unless the group has live members: they own its offsets. */
async function change(
  cluster: Cluster,
  group: string,
  moves: readonly Move[],
  dryRun: boolean,
  console: Console,
): Promise<void> {
  print(table(
    ["TOPIC", "PARTITION", "OLD", "", "NEW", ""],
    moves.map((move) => [
      move.topic,
      move.partition,
      move.old,
      "→",
      move.offset,
      moveNote(move),
    ]),
  ));
  const state = await groupState(cluster, group);
  const { members } = state;
  if (isHidden(state, moves.some(({ old }) => old !== null))) {
    console.warn(
      `group "${group}" does not list its members; its coordinator rejects the offsets while it has any`,
    );
  }
  if (members.length > 0) {
    throw new Failure(
      "broker",
      `nothing is changed, because group "${group}" has live members: ` +
        `${plain(memberNames(members))}; stop them first`,
    );
  }
  const what = `${counted(moves.length, "offset")} of group "${group}"`;
  if (dryRun) return print(`dry run: would store ${what}\n`);
  await commitOffsets(cluster, group, await commitsOf(cluster, moves));
  printDone(`stored ${what}\n`, console.warn);
}

/** Reads a file of offsets; stdin without a path. Throws Failure. */
async function readOffsets(path: string | undefined): Promise<OffsetFile> {
  if (path === undefined || path === "-") {
    return parseOffsets(await new Response(Deno.stdin.readable).text(), "stdin");
  }
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw new Failure("usage", `cannot read "${path}": ${systemReason(error)}`);
  }
  return parseOffsets(text, path);
}
