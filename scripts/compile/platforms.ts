/** What kind of machine a file of machine code is for. */
export interface Machine {
  os: "linux" | "macos";
  arch: "x86_64" | "aarch64";
}

/** A kind of machine that binaries are made for. */
export interface Platform extends Machine {
  /** As users and file names call it: `linux-x86_64`. */
  name: string;
  /** As `deno compile --target` calls it. */
  target: string;
}

export const platforms: readonly Platform[] = [
  platform("linux", "x86_64", "x86_64-unknown-linux-gnu"),
  platform("linux", "aarch64", "aarch64-unknown-linux-gnu"),
  platform("macos", "aarch64", "aarch64-apple-darwin"),
  platform("macos", "x86_64", "x86_64-apple-darwin"),
];

function platform(os: Machine["os"], arch: Machine["arch"], target: string): Platform {
  return { name: `${os}-${arch}`, os, arch, target };
}

/** The platform of this machine; undefined if it is not one of those above. */
export function thisPlatform(): Platform | undefined {
  return platforms.find(({ target }) => target === Deno.build.target);
}

/** Linux's 64-bit format; `e_machine` of /usr/include/elf.h. */
const elf = { magic: 0x7f454c46, machines: new Map([[62, "x86_64"], [183, "aarch64"]] as const) };

/** macOS's; `cputype` of its mach/machine.h. A file for several processors has another magic. */
const machO = {
  magic: 0xfeedfacf,
  machines: new Map([[0x0100_0007, "x86_64"], [0x0100_000c, "aarch64"]] as const),
};

/** For which machine this is an executable, by its header; undefined for anything else. */
export function machineOf(file: Uint8Array): Machine | undefined {
  if (file.length < 64) return undefined;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint32(0) === elf.magic) {
    const arch = elf.machines.get(view.getUint16(18, true) as 62);
    return arch && { os: "linux", arch };
  }
  if (view.getUint32(0, true) === machO.magic) {
    const arch = machO.machines.get(view.getUint32(4, true) as 0x0100_0007);
    return arch && { os: "macos", arch };
  }
  return undefined;
}

/**
 * Where the ELF part of a file ends: its section header table is last. What `deno compile` makes is
 * a runtime with the program after it, so this is where the runtime ends.
 */
export function elfEnd(file: Uint8Array): number {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const [offset, size, count] = [
    view.getBigUint64(0x28, true), // e_shoff
    view.getUint16(0x3a, true), // e_shentsize
    view.getUint16(0x3c, true), // e_shnum
  ];
  return Number(offset) + size * count;
}
