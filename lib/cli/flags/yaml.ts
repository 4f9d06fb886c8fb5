/** By its names here: the package is CommonJS, of which a bundle's `import()` has the default only. */
export { parseDocument } from "yaml";
