// Where the kernel keeps what outlives a call: tables made by init(), then what rows() and pack()
// say of themselves. All of it lies below DATA; from there on it is the caller's.

/** Eight tables of 256 u32: CRC32C of a byte followed by 0…7 zero bytes (slicing by 8). */
export const SLICE: usize = 0;
/** What is left of a message whose CRC32C is made: 7,816 bytes (crc.as.ts). */
export const FOLDED: usize = 8192;
/** 16 bytes of 0xff, then 16 of 0: loaded at MASK + 16 - n it keeps the first n lanes. */
export const MASK: usize = 16576;
/** What rows() says of itself; the fields are named in kernel.ts. */
export const STATE: usize = 16640;
/** What pack() says of itself; the fields are named in packing.ts. */
export const PACKED: usize = 16960;
/** 24 digits while a number is written, and as many bytes again that copies may read. */
export const DIGITS: usize = 17024;
/** The text of a day, 16 bytes (times.as.ts). */
export const LAST_DAY: usize = 17088;
/** The same of what is left there: 3,344 bytes. */
export const FOLDED_AGAIN: usize = 17120;
/** What rows() and fields() are asked for: int32 each, named in kernel.ts; the topic's name after them. */
export const PARAMETERS: usize = 20480;
/** For each set of quotes among 8 bytes: which byte is at each place when they are doubled; 16 bytes each. */
export const DOUBLING: usize = 24576;
/** From here to POWERS: tables that the compiler puts down (build_kernel.ts gives it this address). */
export const STATIC: usize = 32768;
/** Powers of ten for floats and doubles, filled in by kernel.ts when a program is loaded (powers.ts). */
export const POWERS: usize = 55296;
/** The program of a run's rows, if one is loaded (see program.as.ts); else the caller's part. */
export const DATA: usize = 65536;
