import { Kernel } from "../kernel/kernel.ts";

/** Copies `bytes` into `target.bytes` at `at`, making room first. */
export function put(bytes: Uint8Array, target: Kernel, at: number): void {
  target.reserve(at - Kernel.DATA + bytes.length);
  target.bytes.set(bytes, at);
}
