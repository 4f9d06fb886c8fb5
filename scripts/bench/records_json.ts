/**
 * The same as records.ts for JSON, beside JSON.parse: 10 of 18 fields of each document as CSV rows.
 *
 *     deno run -A scripts/bench/records_json.ts
 */
import { addJson } from "../../lib/records/json.ts";
import { parsePaths } from "../../lib/records/paths.ts";
import { COUNT, csvField, kernelRows, report, time } from "./records.ts";

const list =
  "id, customer.name, customer.address.city, amount, items, flags.vip, status, created, " +
  "note, currency";

/** The document of an order: 460 bytes, mostly. */
function document(n: number): string {
  return JSON.stringify({
    id: 100_000_000 + n * 7919,
    source: "web-shop",
    customer: {
      id: n * 31 % 100_000,
      name: ["Ada Lovelace", "Grace Hopper", "Jürgen Müller", "Donald E. Knuth"][n % 4],
      email: `user${n * 17 % 100_000}@example.com`,
      address: {
        street: `${n % 999} Main Street`,
        city: ["London", "New York", "Rotterdam", "Los Angeles"][n % 4],
        zip: `${10_000 + n % 89_999}`,
      },
    },
    amount: n * 37 % 100_000 / 100,
    currency: "EUR",
    status: ["new", "paid", "shipped"][n % 3],
    items: [
      { sku: `SKU-${n * 13 % 10_000}`, quantity: 1 + n % 9, price: n * 7 % 10_000 / 100 },
      { sku: `SKU-${n * 29 % 10_000}`, quantity: 1 + n % 7, price: n * 3 % 10_000 / 100 },
    ],
    flags: { vip: n % 2 === 0, gift: false },
    note: ["please ring, twice", "leave it at the door", "", null][n % 4],
    created: new Date(1_700_000_000_000 + n * 1001).toISOString(),
  });
}

function benchJson(): void {
  const documents = Array.from({ length: COUNT }, (_, n) => document(n));
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
