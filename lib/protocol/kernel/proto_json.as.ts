// STUB: composites of Protobuf are not written; no program asks for them.

/** Writes the composite of a slot as JSON text, a CSV field; returns its end. */
export function emitProto(out: usize, slot: usize): usize {
  unreachable();
  return out;
}
