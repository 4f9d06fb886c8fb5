/** A command that ends by an uncaught error: "timer" or "promise". */
import { logFlags } from "../../lib/cli/flags/log.ts";
import { type Command, run } from "../../lib/cli/run.ts";

const command: Command = {
  name: "probe",
  about: "fails",
  examples: [],
  flags: logFlags,
  async run({ files: [where] }) {
    if (where === "timer") setTimeout(() => fail(), 1);
    else Promise.reject(new TypeError("unforeseen"));
    await new Promise((resolve) => setTimeout(resolve, 30_000));
  },
};

function fail(): never {
  throw new TypeError("unforeseen");
}

Deno.exit(await run(command, Deno.args));
