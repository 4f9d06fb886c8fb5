// STUB: the typed kinds are not written; no program asks for them.

/** Writes a slot of a typed kind (FLOAT, DOUBLE, DATE … DECIMAL) as a CSV field; returns its end. */
export function emitType(out: usize, slot: usize, kind: u32): usize {
  unreachable();
  return out;
}
