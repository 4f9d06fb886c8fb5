// STUB: the walker of Avro is not written; no program asks for it.

/** Walks size bytes at p by the node at `root` into slots. Returns 0 or a reason. */
export function walkAvro(root: usize, p: usize, size: i32): i32 {
  unreachable();
  return 0;
}
