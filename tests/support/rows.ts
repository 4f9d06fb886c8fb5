/** A checksum of rows whatever their order: equal sums mean the same rows, as often each. */
export class RowSum {
  rows = 0;
  bytes = 0;
  #a = 0;
  #b = 0;
  #sumA = 0n;
  #sumB = 0n;

  /** Takes the next bytes; a row may be cut anywhere. */
  add(bytes: Uint8Array): void {
    let a = this.#a, b = this.#b, sumA = 0, sumB = 0, rows = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      if (byte === 10) {
        sumA += a >>> 0;
        sumB += b >>> 0;
        a = 0;
        b = 0;
        rows++;
      } else {
        a = Math.imul(a ^ byte, 0x01000193) + 0x9e3779b9 | 0;
        b = Math.imul(b + byte, 0x85ebca6b) ^ (b >>> 13);
      }
    }
    this.#a = a;
    this.#b = b;
    this.#sumA += BigInt(sumA);
    this.#sumB += BigInt(sumB);
    this.rows += rows;
    this.bytes += bytes.length;
  }

  /** Takes the rows that another sum has taken. */
  merge(other: RowSum): void {
    this.rows += other.rows;
    this.bytes += other.bytes;
    this.#sumA += other.#sumA;
    this.#sumB += other.#sumB;
  }

  /** Rows, bytes and the sums of two hashes. */
  toString(): string {
    return `${this.rows} rows, ${this.bytes} bytes, ${this.#sumA}.${this.#sumB}`;
  }
}
