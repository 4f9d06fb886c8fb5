import assert from "node:assert/strict";
import { commandsOf } from "../../support/documents.ts";

const document = `
# A \`kafka_consumer\` and \`npx\`

\`\`\`sh
npx -y deno@2.9.6 task ok      # format
gpdb-kafka sql source crimes --table x \\
  --dsn y | psql -d warehouse

# a comment
\`\`\`

Say \`gpdb-kafka lag
--group g\`, or \`DENORT_BIN=/x deno task compile\`; \`--flag\` is none, \`INSERT INTO x\` neither.

\`\`\`
gpdb-kafka printed by something
\`\`\`

- \`\`\`sh
  $ gpdb-kafka topics list
  gpdb-kafka is what it prints
  \`\`\`
`;

Deno.test({ name: "documents: their commands are found", permissions: "none" }, () => {
  assert.deepEqual(
    commandsOf("x.md", document.replace("- ```", "```").replace("  ```\n", "```\n")),
    [
      { command: "npx -y deno@2.9.6 task ok", where: "x.md:5" },
      {
        command: "gpdb-kafka sql source crimes --table x --dsn y | psql -d warehouse",
        where: "x.md:6",
      },
      { command: "gpdb-kafka topics list", where: "x.md:20" },
      { command: "gpdb-kafka lag --group g", where: "x.md:12" },
      { command: "DENORT_BIN=/x deno task compile", where: "x.md:13" },
    ],
  );
});
