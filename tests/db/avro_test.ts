import assert from "node:assert/strict";
import { startPostgres } from "../../scripts/servers/postgres.ts";
import { Random } from "../support/random.ts";
import {
  array,
  bytes,
  double,
  float,
  long,
  of,
  record,
  string,
} from "../unit/records/avro_encode.ts";
import { rowsOf } from "../unit/records/avro_rows.ts";

const hex = (bytes: Iterable<number>) =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

Deno.test("PostgreSQL reads 100,000 doubles and floats as the same bits that Avro had", async () => {
  await using pg = await startPostgres();
  const random = new Random(11);
  const rows = rowsOf(record("R", { n: "long", d: "double", f: "float" }), ["n"], ["d"], ["f"]);
  await pg.sql`CREATE TABLE numbers (n bigint, d float8, f float4)`;
  await pg.sql`CREATE TABLE bits (n bigint, d bytea, f bytea)`;
  const raw = (size: number) => Array.from({ length: size }, () => random.int(0, 255));
  for (let from = 0; from < 100000; from += 10000) {
    const values: Uint8Array[] = [];
    let bits = "";
    for (let n = from; n < from + 10000; n++) {
      const d = n % 3 ? raw(8) : double(random.int(-1e8, 1e8) / 100);
      const f = n % 3 ? raw(4) : float(random.int(-1e6, 1e6) / 100);
      // PostgreSQL has one NaN.
      if ((d[7] & 0x7f) === 0x7f && d[6] >= 0xf0) d[7] = 0;
      if ((f[3] & 0x7f) === 0x7f && f[2] >= 0x80) f[3] = 0;
      values.push(of(long(n), d, f));
      bits += `${n},\\x${hex(d.toReversed())},\\x${hex(f.toReversed())}\n`;
    }
    const outcome = rows.run(values);
    assert.equal(outcome.emitted, values.length);
    await pg.copyIn("COPY numbers FROM STDIN (FORMAT csv)", [
      new TextEncoder().encode(outcome.rows),
    ]);
    await pg.copyIn("COPY bits FROM STDIN (FORMAT csv)", [new TextEncoder().encode(bits)]);
  }
  const [{ same }] = await pg.sql`
    SELECT count(*)::int AS same FROM numbers JOIN bits USING (n)
    WHERE float8send(numbers.d) = bits.d AND float4send(numbers.f) = bits.f`;
  assert.equal(same, 100000);
});

Deno.test("PostgreSQL reads what Avro's logical types become as the same days, times and numbers", async () => {
  await using pg = await startPostgres();
  const random = new Random(12);
  const logical = (type: string, logicalType: string, more = {}) => ({
    type,
    logicalType,
    ...more,
  });
  const fixed = (name: string, size: number, logicalType: string) => ({
    type: { type: "fixed", name, size, logicalType },
  });
  const types: Record<string, unknown> = {
    day: logical("int", "date"),
    clock_ms: logical("int", "time-millis"),
    clock_us: logical("long", "time-micros"),
    at_ms: logical("long", "timestamp-millis"),
    at_us: logical("long", "timestamp-micros"),
    at_ns: logical("long", "timestamp-nanos"),
    local_us: logical("long", "local-timestamp-micros"),
    id: fixed("U", 16, "uuid").type,
    took: fixed("D", 12, "duration").type,
    amount: logical("bytes", "decimal", { precision: 60, scale: 9 }),
    raw: "bytes",
    whole: record("W", { s: "string", d: { type: "array", items: "double" } }),
  };
  await pg.sql`CREATE TABLE got (n int, day date, clock_ms time, clock_us time, at_ms timestamptz,
    at_us timestamptz, at_ns timestamptz, local_us timestamp, id uuid, took interval, amount numeric,
    raw bytea, whole jsonb)`;
  const rows = rowsOf(
    record("R", { n: "int", ...types }),
    ["n"],
    ...Object.keys(types).map((name) => [name]),
  );
  const expected: string[][] = [];
  const values: Uint8Array[] = [];
  const random64 = (most: number) => BigInt(Math.floor(random.next() * most));
  const raw = (size: number) => Array.from({ length: size }, () => random.int(0, 255));
  const texts = ["", "plain", 'a "q"', "line\nline", "\\", "ü😀", "\u0001", "tab\t"];
  for (let n = 0; n < 3000; n++) {
    const day = random.int(-719162, 2932896);
    const [ms, us] = [random64(86400000), random64(86400000000)];
    const second = random64(315537897600) - 62135596800n;
    const micro = second * 1000000n + random64(1000000);
    const milli = second * 1000n + random64(1000);
    const nano = (random64(18446744073) - 9223372036n) * 1000000000n + random64(1000000) * 1000n;
    const id = raw(16);
    const [months, days, millis] = [random.int(0, 20000), random.int(0, 50000), random.int(0, 4e9)];
    const size = random.int(1, 24);
    const amount = raw(size), content = raw(random.int(0, 40)), text = texts[n % texts.length];
    values.push(of(
      ...[
        long(n),
        long(day),
        long(ms),
        long(us),
        long(milli),
        long(micro),
        long(nano),
        long(micro),
      ],
      ...[
        id,
        [...new Uint8Array(new Uint32Array([months, days, millis]).buffer)],
        bytes(...amount),
      ],
      ...[bytes(...content), string(text), array(double(n / 8), double(NaN))],
    ));
    const unscaled = BigInt.asIntN(8 * size, BigInt(`0x${hex(amount)}`));
    const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(10, "0");
    expected.push([
      ...[String(day), String(ms), String(us), String(milli), String(micro), String(nano / 1000n)],
      ...[String(micro), hex(id), `${months} ${days} ${millis}`],
      `${unscaled < 0n ? "-" : ""}${digits.slice(0, -9)}.${digits.slice(-9)}`,
      ...[hex(content), text, String(n / 8), "NaN"],
    ]);
  }
  const outcome = rows.run(values);
  assert.equal(outcome.emitted, values.length, outcome.reason);
  await pg.copyIn("COPY got FROM STDIN (FORMAT csv)", [new TextEncoder().encode(outcome.rows)]);
  const got = await pg.sql.unsafe(`
    SELECT (day - date '1970-01-01')::text AS day,
      (extract(epoch FROM clock_ms) * 1000)::bigint::text AS clock_ms,
      (extract(epoch FROM clock_us) * 1000000)::bigint::text AS clock_us,
      (extract(epoch FROM at_ms) * 1000)::bigint::text AS at_ms,
      (extract(epoch FROM at_us) * 1000000)::bigint::text AS at_us,
      (extract(epoch FROM at_ns) * 1000000)::bigint::text AS at_ns,
      (extract(epoch FROM local_us) * 1000000)::bigint::text AS local_us,
      replace(id::text, '-', '') AS id,
      concat_ws(' ', extract(year FROM took) * 12 + extract(month FROM took), extract(day FROM took),
        ((extract(hour FROM took) * 60 + extract(minute FROM took)) * 60000
          + extract(milliseconds FROM took))::bigint) AS took,
      amount::text AS amount, encode(raw, 'hex') AS raw, whole->>'s' AS s,
      whole->'d'->>0 AS d, whole->'d'->>1 AS nan
    FROM got ORDER BY n`);
  assert.deepEqual(got.map((row) => Object.values(row)), expected);
});

Deno.test("a duration is PostgreSQL's own text of that interval", async () => {
  await using pg = await startPostgres();
  const random = new Random(13);
  const rows = rowsOf({ type: "fixed", name: "D", size: 12, logicalType: "duration" }, []);
  const parts = Array.from({ length: 2000 }, () => [
    random.int(0, 1) * random.int(0, 30),
    random.int(0, 1) * random.int(0, 40),
    random.int(0, 1) * random.int(0, 2 ** 31) * random.int(1, 2),
  ]);
  parts.push([0, 0, 0], [12, 1, 1], [1, 0, 3600000], [2147483647, 2147483647, 4294967295]);
  const outcome = rows.run(parts.map((part) => new Uint8Array(new Uint32Array(part).buffer)));
  const texts = outcome.rows.trimEnd().split("\n");
  const own = await pg
    .sql`SELECT text, text::interval::text AS own FROM unnest(${texts}::text[]) AS text`;
  assert.equal(own.length, parts.length);
  for (const { text, own: theirs } of own) assert.equal(text, theirs);
});
