// STUB: the walker of Protobuf is not written; no program asks for it.

/** Walks size bytes at p by the node at `root` into slots. Returns 0 or a reason. */
export function walkProto(root: usize, p: usize, size: i32): i32 {
  unreachable();
  return 0;
}
