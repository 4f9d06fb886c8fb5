/**
 * Powers of ten for shortest.as.ts: 126 bits of each, by exact integer arithmetic.
 */

const K_MIN = -324;
const K_MAX = 292;
/** How many bytes {@link powersOfTen} returns. */
export const POWERS_SIZE = 16 * (K_MAX - K_MIN + 1);

let made: Uint8Array | undefined;

/**
 * For each k from -324 to 292: g = floor(10^-k · 2^-r) + 1, with r so that 2^125 <= g < 2^126;
 * first its high 63 bits, then its low 63, as u64 each, little-endian. See section 9.8.3 of
 * Giulietti's paper.
 */
export function powersOfTen(): Uint8Array {
  if (made) return made;
  made = new Uint8Array(POWERS_SIZE);
  const view = new DataView(made.buffer);
  const mask = (1n << 63n) - 1n;
  for (let k = K_MIN; k <= K_MAX; k++) {
    const power = 10n ** BigInt(Math.abs(k));
    // floor(log2(10^-k)) - 125
    const bits = BigInt(power.toString(2).length);
    const r = k <= 0 ? bits - 126n : -bits - 125n;
    const g = (k > 0 ? (1n << -r) / power : r < 0n ? power << -r : power >> r) + 1n;
    view.setBigUint64(16 * (k - K_MIN), g >> 63n, true);
    view.setBigUint64(16 * (k - K_MIN) + 8, g & mask, true);
  }
  return made;
}
