import type { Kernel } from "../protocol/kernel/kernel.ts";
import {
  Batch as At,
  type Codec,
  codecs,
  writeHeader,
  writeProducer,
  writeTime,
} from "../protocol/record_batch.ts";
import type { Compressor } from "./compressor.ts";

/** The producer: the id and epoch that a broker gave, both -1 if it is not idempotent. */
export interface ProducerIdentity {
  readonly id: number;
  readonly epoch: number;
}

/** The timestamp of a batch that was not stamped. */
const NEVER = -1;

/**
 * A closed batch: from `start` to `end` in the kernel's memory, its records' line numbers before
 * `top`.
 */
export class RecordBatch {
  readonly kernel: Kernel;
  readonly partition: number;
  readonly start: number;
  readonly top: number;
  readonly count: number;
  /** Size of its records before they were compressed, bytes. */
  readonly recordsSize: number;
  end: number;
  sequence = -1;
  /** When it was stamped, milliseconds since 1970: the time of its records. */
  timestamp: number = NEVER;
  /** Whether it may be in the log although no answer said so. */
  inDoubt = false;
  /** Resolves when it is sealed, by a worker; null while no worker has it. */
  sealing: Promise<void> | null = null;
  /** Gives the memory back. */
  readonly release: () => void;

  /** The records lie from `start + Batch.records` to `end`. */
  constructor(
    kernel: Kernel,
    at: { partition: number; start: number; end: number; top: number; count: number },
    release: () => void,
  ) {
    this.kernel = kernel;
    this.partition = at.partition;
    this.start = at.start;
    this.end = at.end;
    this.top = at.top;
    this.count = at.count;
    this.recordsSize = at.end - at.start - At.records;
    this.release = release;
  }

  get size(): number {
    return this.end - this.start;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.kernel.bytes.subarray(this.start, this.end);
  }

  get records(): Uint8Array<ArrayBuffer> {
    return this.kernel.bytes.subarray(this.start + At.records, this.end);
  }

  /** The number of the line that record `index` came from. */
  line(index: number): number {
    return this.kernel.view.getUint32(this.top - 4 * (index + 1), true);
  }

  get codec(): Codec {
    return codecs[this.kernel.view.getInt16(this.start + At.attributes)];
  }

  /** Writes the header, and compresses the records if that makes them smaller. */
  seal(compressor: Compressor | null): void {
    if (compressor === null) this.sealWith(this.records, "none");
    else this.sealWith(compressor.compress(this.records), compressor.codec);
  }

  /** The same with records that are compressed already: it leaves them if they are not smaller. */
  sealWith(compressed: Uint8Array, codec: Codec): void {
    const { kernel, start } = this;
    const isSmaller = compressed.length < this.recordsSize;
    if (isSmaller) {
      kernel.bytes.set(compressed, start + At.records);
      this.end = start + At.records + compressed.length;
    }
    writeHeader(kernel.view, start, this.size, this.count, isSmaller ? codec : "none");
    this.sealing = null;
  }

  get stamped(): boolean {
    return this.timestamp !== NEVER;
  }

  /**
   * Writes the producer, the batch's place in the partition's sequence, the time, and the CRC.
   * Right before it is first sent: brokers forget a producer a fixed time after that of its last
   * batch.
   */
  stamp({ id, epoch }: ProducerIdentity, sequence: number): void {
    const { kernel, start } = this;
    this.sequence = sequence;
    this.timestamp = Date.now();
    writeTime(kernel.view, start, this.timestamp);
    writeProducer(kernel.view, start, id, epoch, sequence);
    const from = start + At.attributes;
    kernel.view.setUint32(start + At.crc, kernel.crc32c(from, this.end - from));
  }

  /** It is to be stamped again. Only for a batch that is certainly not in the log. */
  unstamp(): void {
    this.timestamp = NEVER;
  }
}
