import type { Path } from "./paths.ts";
import { Form, Framed, type ProgramWriter, type Source } from "./program.ts";

/** The layout of a node and of what the root has after its own: json_names.as.ts of the kernel. */
const NODE_SIZE = 112;
const ROOT_SIZE = 48;
const PATTERN = 32;
const Has = { names: 1, indexes: 2, nameless: 4 } as const;
/** Names that are not wanted, which the kernel learns to step over fast. */
const LEARNED = 256;
/** Bytes for an open object or array on a path, and for the levels of what is stepped over. */
const FRAME = 24;
const STACK = 8192 + 64;

/** A name or an index on the way to wanted fields. */
interface Node {
  step: string | number | null;
  under: Node | null;
  children: Map<string | number, Node>;
  /** Its number, and that of its slot: before those of what is under it. */
  index: number;
  /** How many nodes are under it. */
  below: number;
}

/** What a front end adds to a program. */
export interface Added {
  source: Source;
  /** The slot of each path. */
  slots: number[];
  /** The first slot that is free. */
  next: number;
}

const utf8 = new TextEncoder();

/** Adds the walk of JSON values that finds these paths, in slots from `first` on. */
export function addJson(writer: ProgramWriter, paths: readonly Path[], first: number): Added {
  const root: Node = newNode(null, null);
  const ends = paths.map(({ steps }) => {
    let node = root;
    for (const step of steps) {
      let child = node.children.get(step);
      if (!child) node.children.set(step, child = newNode(step, node));
      node = child;
    }
    return node;
  });
  const nodes = numbered(root);
  const noSlot = first + nodes.length;
  const at = writeNodes(writer, nodes, first, noSlot);
  return {
    source: { form: Form.json, framed: Framed.optional, root: at, roots: [] },
    slots: ends.map(({ index }) => first + index),
    next: noSlot + 1,
  };
}

function newNode(step: string | number | null, under: Node | null): Node {
  return { step, under, children: new Map(), index: 0, below: 0 };
}

/** All nodes, each before those under it, numbered so. No recursion: paths may be deep. */
function numbered(root: Node): Node[] {
  const nodes: Node[] = [];
  const open = [root];
  for (let node; (node = open.pop()) !== undefined;) {
    node.index = nodes.length;
    nodes.push(node);
    open.push(...[...node.children.values()].reverse());
  }
  for (const node of nodes.toReversed()) {
    if (node.under) node.under.below += node.below + 1;
  }
  return nodes;
}

/** Writes the nodes, the root's first, and its additions after the others; returns the root's offset. */
function writeNodes(
  writer: ProgramWriter,
  nodes: readonly Node[],
  first: number,
  noSlot: number,
): number {
  const rootAt = writer.reserve(NODE_SIZE + ROOT_SIZE, 16);
  const othersAt = writer.reserve(NODE_SIZE * (nodes.length - 1), 16);
  const placeOf = ({ index }: Node) => index === 0 ? rootAt : othersAt + NODE_SIZE * (index - 1);
  let longest = 0;
  let depth = 0;
  const depths = new Map<Node, number>();
  for (const node of nodes) {
    const at = placeOf(node);
    const level = node.under ? depths.get(node.under)! + 1 : 1;
    depths.set(node, level);
    depth = Math.max(depth, level);
    writer.u32(at + 72, node.under ? placeOf(node.under) : 0, first + node.index);
    const names = [...node.children.keys()].some((step) => typeof step === "string");
    const indexes = [...node.children.values()].filter(({ step }) => typeof step === "number")
      .sort((a, b) => Number(a.step) - Number(b.step));
    let has = (names ? Has.names : 0) | (indexes.length > 0 ? Has.indexes : 0);
    if (typeof node.step === "string") {
      const name = utf8.encode(node.step);
      longest = Math.max(longest, name.length);
      if (name.some((byte) => byte < 0x20 || byte === 0x22 || byte === 0x5c)) {
        // A document has it with escapes only: the guess, which compares bytes, never finds it.
        writer.u8(at, 0xff);
        writer.u8(at + PATTERN, 0xff);
      } else {
        writer.bytes(at, name.subarray(0, 32));
        if (name.length < 32) writer.u8(at + name.length, 0x22);
        for (let i = 0; i <= name.length && i < 32; i++) writer.u8(at + PATTERN + i, 0xff);
      }
      writer.u32(at + 64, writer.add(name), name.length);
    } else has |= Has.nameless;
    writer.u32(at + 88, has, first + node.index + 1, node.below);
    const list = writer.reserve(8 * indexes.length, 4);
    writer.u32(at + 100, list, indexes.length);
    for (const [i, child] of indexes.entries()) {
      writer.u32(list + 8 * i, Number(child.step), placeOf(child));
    }
  }
  const count = nodes.length - 1;
  const buckets = 2 ** Math.ceil(Math.log2(2 * (count + LEARNED)));
  const table = writer.reserve(4 * buckets);
  const learned = writer.reserve(NODE_SIZE * LEARNED, 16);
  const buffer = writer.reserve(longest + 16);
  const stack = writer.reserve(FRAME * depth + STACK, 8);
  // deno-fmt-ignore
  writer.u32(rootAt + NODE_SIZE, othersAt, count, table, buckets - 1,
    learned, LEARNED, 0, buffer, longest, stack, noSlot);
  return rootAt;
}
