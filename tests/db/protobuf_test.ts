import assert from "node:assert/strict";
import { startPostgres } from "../../scripts/servers/postgres.ts";
import { Random } from "../support/random.ts";
import { ProtobufRows, readSuites, unhex } from "../unit/records/protobuf_rows.ts";

const utf8 = new TextEncoder();

/** A field of an int64: its number, two's complement in ten bytes or fewer. */
function int64(number: number, value: bigint): number[] {
  const bytes = [number * 8];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

Deno.test("PostgreSQL reads what Timestamps and Durations become as the same times", async () => {
  await using pg = await startPostgres();
  const random = new Random(14);
  const proto = `syntax = "proto3"; import "google/protobuf/timestamp.proto";
    import "google/protobuf/duration.proto";
    message A { google.protobuf.Timestamp at = 1; google.protobuf.Duration took = 2; }`;
  const rows = new ProtobufRows(proto, "A", [
    ...[["at"], ["at", "seconds"], ["at", "nanos"]],
    ...[["took"], ["took", "seconds"], ["took", "nanos"]],
  ]);
  let text = "";
  const count = 5000;
  const units = [1_000_000_000n, 1_000_000n, 1000n, 1n];
  for (let n = 0; n < count; n++) {
    const unit = units[n % 4];
    const nanos = () => BigInt(random.int(0, Number(1_000_000_000n / unit) - 1)) * unit;
    const second = BigInt(Math.floor(random.next() * 315537897600)) - 62135596800n;
    const sign = random.int(0, 1) ? 1n : -1n;
    const most = n % 3 ? 100_000 : 315_576_000_000;
    const took = sign * BigInt(Math.floor(random.next() * most));
    const at = [...int64(1, second), ...int64(2, nanos())];
    const length = [...int64(1, took), ...int64(2, sign * nanos())];
    const outcome = rows.one(
      Uint8Array.from([0x0a, at.length, ...at, 0x12, length.length, ...length]),
    );
    assert.ok(outcome !== "no room" && "fields" in outcome, JSON.stringify(outcome));
    text += rows.text;
  }
  await pg.sql`CREATE TABLE got (at timestamptz, at_s numeric, at_n numeric,
    took interval, took_s numeric, took_n numeric)`;
  await pg.copyIn("COPY got FROM STDIN (FORMAT csv)", [utf8.encode(text)]);
  // PostgreSQL rounds to microseconds.
  const [{ at, took }] = await pg.sql`SELECT
    count(*) FILTER (WHERE abs(extract(epoch FROM at) - at_s - at_n / 1e9) <= 5e-7)::int AS at,
    count(*) FILTER (WHERE abs(extract(epoch FROM took) - took_s - took_n / 1e9) <= 5e-7)::int AS took
    FROM got`;
  assert.deepEqual([at, took], [count, count]);
});

Deno.test("PostgreSQL reads messages as the same JSON as protobuf's own runtime has", async () => {
  await using pg = await startPostgres();
  await pg.sql`CREATE TABLE got (n int, message jsonb)`;
  await pg.sql`CREATE TABLE expected (n int, message jsonb)`;
  let got = "", expected = "", n = 0;
  for (const { proto, message, cases } of readSuites()) {
    const rows = new ProtobufRows(proto, message, [[]]);
    for (const { hex, row } of cases) {
      if (!Array.isArray(row)) continue;
      rows.one(unhex(hex));
      got += `${n},${rows.text}`;
      expected += `${n++},"${(row[0] as { j: string }).j.replaceAll('"', '""')}"\n`;
    }
  }
  assert.ok(n > 400, `${n} values`);
  await pg.copyIn("COPY got FROM STDIN (FORMAT csv)", [utf8.encode(got)]);
  await pg.copyIn("COPY expected FROM STDIN (FORMAT csv)", [utf8.encode(expected)]);
  // 4-byte floats have several texts that read as the same; here both are the shortest.
  const different = await pg.sql`SELECT got.message::text AS got, expected.message::text AS expected
    FROM got JOIN expected USING (n) WHERE got.message <> expected.message`;
  assert.deepEqual([...different], []);
  const [{ same }] = await pg.sql`SELECT count(*)::int AS same FROM got JOIN expected USING (n)`;
  assert.equal(same, n);
});
