/** What is in the programs beside the project's own code: for the archive's licences and its SBOM. */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import config from "../../deno.json" with { type: "json" };

const root = fileURLToPath(new URL("../../", import.meta.url));
/** The library that is compiled to WebAssembly; its licence is at the top of this module. */
const zstd = { module: "lib/protocol/codecs/zstd_wasm.ts", name: "zstd", version: "1.5.7" };

/** Software of others in a program. */
export interface Package {
  name: string;
  version: string;
  /** Its licence by SPDX's name: `MIT`. */
  licence: string;
  /** The text of it. */
  text: string;
  /** SHA-512 of the package as npm has it, hex; null if it is not from npm. */
  sha512: string | null;
  /** `pkg:npm/kafkajs@2.2.4` (https://github.com/package-url/purl-spec). */
  url: string;
}

/** npm packages (`kafkajs@2.2.4`) that `bundle` has unpacked in `folder`, with the lock file's hashes. */
export async function readPackages(folder: string, ids: readonly string[]): Promise<Package[]> {
  const lock = JSON.parse(await Deno.readTextFile(join(folder, "deno.lock")));
  const packages: Package[] = [];
  for (const id of ids) {
    const name = id.slice(0, id.indexOf("@", 1));
    const store = join(folder, "node_modules/.deno", id.replace("/", "+"));
    const unpacked = join(store, "node_modules", name);
    const { version, license } = JSON.parse(
      await Deno.readTextFile(join(unpacked, "package.json")),
    );
    const [algorithm, hash] = lock.npm[id].integrity.split("-");
    packages.push({
      ...{ name, version, licence: license },
      text: await licenceText(unpacked) ?? `${license}\n`,
      sha512: algorithm === "sha512" ? Buffer.from(hash, "base64").toString("hex") : null,
      url: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    });
  }
  return packages;
}

async function licenceText(folder: string): Promise<string | null> {
  for await (const { name } of Deno.readDir(folder)) {
    if (/^licen[cs]e/i.test(name)) return await Deno.readTextFile(join(folder, name));
  }
  return null;
}

/** What every program has: the runtime of this version of Deno, and zstd. */
export async function ownPackages(deno: string): Promise<Package[]> {
  const lines = (await Deno.readTextFile(join(root, zstd.module))).split("\n");
  const licence = lines.slice(2, lines.findIndex((line) => !line.startsWith("//")));
  return [{
    ...{ name: "deno", version: deno, licence: "MIT", sha512: null },
    text:
      "The runtime, https://deno.com: MIT License, Copyright the Deno authors. It contains V8 " +
      "and other libraries under their own licences.\n",
    url: `pkg:github/denoland/deno@v${deno}`,
  }, {
    ...{ name: zstd.name, version: zstd.version, licence: "BSD-3-Clause", sha512: null },
    text: licence.map((line) => line.replace(/^\/\/ ?/, "")).join("\n"),
    url: `pkg:github/facebook/zstd@v${zstd.version}`,
  }];
}

/** The licences as one text. */
export function licencesText(packages: readonly Package[]): string {
  return packages.map(({ name, version, text }) => `${name} ${version}\n\n${text.trim()}\n`)
    .join(`${"-".repeat(80)}\n`);
}

/** The packages as a software bill of materials: JSON of CycloneDX 1.6 (https://cyclonedx.org). */
export function bomText(packages: readonly Package[]): string {
  const { Component, SpdxLicense, Bom } = Models;
  const program = new Component(Enums.ComponentType.Application, "gpdb-kafka", {
    ...{ version: config.version, bomRef: "gpdb-kafka" },
  });
  program.licenses.add(new SpdxLicense(config.license));
  const bom = new Bom();
  bom.metadata.component = program;
  for (const { name, version, licence, sha512, url } of packages) {
    const component = new Component(Enums.ComponentType.Library, name, {
      ...{ version, purl: url, bomRef: url },
    });
    component.licenses.add(new SpdxLicense(licence));
    if (sha512 !== null) component.hashes.set(Enums.HashAlgorithm["SHA-512"], sha512);
    bom.components.add(component);
    program.dependencies.add(component.bomRef);
  }
  const normalizers = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  const serializer = new Serialize.JsonSerializer(normalizers);
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}
