import assert from "node:assert/strict";
import { columnNames } from "../../../lib/greenplum/names.ts";
import { newTable } from "../../../lib/greenplum/new_table.ts";

Deno.test("new table: names of columns are unique, short enough, and not those that a table has already", () => {
  const long = "ö".repeat(40); // 80 bytes
  const names = columnNames([
    ...[["a"], ["a", "b"], ["a_b"], ["a", "b"], ["A_b"], ["a_b_2"]],
    ...[["xmin"], ["oid"], ["x", "min"], ["kafka$partition"], [""], [], ["a", ""], ["."]],
    ...[[`${long}1`], [`${long}2`], [`${long}2`]],
  ]);
  assert.deepEqual(names.slice(0, 14), [
    ...["a", "a_b", "a_b_2", "a_b_3", "A_b", "a_b_2_2"],
    ...["xmin_", "oid_", "x_min", "_kafka$partition", "value", "value_2", "a_", "._"],
  ]);
  assert.equal(new Set(names).size, names.length);
  for (const name of names) assert.ok(new TextEncoder().encode(name).length <= 63, name);
  assert.match(names[14], /^ö{27}_[0-9a-f]{8}$/);
  assert.match(names[16], /^ö{27}.*_2$/);
});

Deno.test("new table: whatever a schema says stays in its literal, its name or its comment", () => {
  const sql = newTable({
    target: { schema: 'a"b', table: "c" },
    columns: [{ name: 'x"; DROP', type: "text", notNull: false, comment: "it's \\ \0 '; DROP" }],
    comment: "'",
    key: ['x"; DROP'],
    distributedBy: ['x"; DROP'],
    heading: ["one\nDROP TABLE x;\r\x85\u2028--"],
    closing: ["two"],
  }, "greenplum");
  assert.equal(
    sql,
    `-- one DROP TABLE x;  \u2028--
BEGIN;

CREATE TABLE "a""b"."c" (
  "x""; DROP" text NOT NULL,
  PRIMARY KEY ("x""; DROP")
)
DISTRIBUTED BY ("x""; DROP");

COMMENT ON TABLE "a""b"."c" IS '''';
COMMENT ON COLUMN "a""b"."c"."x""; DROP" IS E'it''s \\\\   ''; DROP';

COMMIT;

-- two
`,
  );
});
