/**
 * The same as records.ts for JSON, beside JSON.parse: 10 of 18 fields of each document as CSV rows.
 *
 *     deno run -A scripts/bench/records_json.ts
 */
import { addJson } from "../../lib/records/json.ts";
import { parsePaths } from "../../lib/records/paths.ts";
import { orderDocument } from "../orders.ts";
import { COUNT, csvField, kernelRows, report, time } from "./records.ts";

export const list =
  "id, customer.name, customer.address.city, amount, items, flags.vip, status, created, " +
  "note, currency";

/** The kernel alone, beside a library. */
export function benchJson(): void {
  const documents = Array.from({ length: COUNT }, (_, n) => orderDocument(n));
  const utf8 = new TextEncoder();
  const values = documents.map((text) => utf8.encode(text));
  const bytes = values.reduce((sum, value) => sum + value.length, 0);
  const paths = parsePaths("--fields", list);
  const kernel = kernelRows(values, (writer) => addJson(writer, paths, 0));
  console.log(`JSON, ${paths.length} fields, ${(bytes / COUNT).toFixed(0)} bytes a document:`);
  const own = report("kernel, to CSV", time(kernel.run), bytes);
  const decoder = new TextDecoder();
  let rows = "";
  const toCsv = () => {
    rows = "";
    for (const value of values) {
      const document = JSON.parse(decoder.decode(value));
      const fields = paths.map(({ steps }) => {
        let field = document;
        for (const step of steps) field = field?.[step];
        return csvField(
          field !== null && typeof field === "object" ? JSON.stringify(field) : field,
        );
      });
      rows += fields.join(",") + "\n";
    }
  };
  const theirs = report("JSON.parse, to CSV", time(toCsv), bytes);
  if (rows !== kernel.text()) throw new Error("the rows differ");
  console.log(`  kernel beside JSON.parse, both to CSV: ${(own / theirs).toFixed(1)} times`);
}

if (import.meta.main) benchJson();
