/** Keytabs of Kerberos. */
import { keytabPrincipals } from "../../lib/kafka/sasl/gssapi_keytab.ts";
import { keytab } from "../support/keytab.ts";
import { mutated } from "./mutate.ts";
import { must, type Target } from "./target.ts";

/** What is not a keytab is null; of anything else the principals are texts. */
export const keytabs: Target = {
  name: "keytabs",
  run(random, tried) {
    const input = tried.input = mutated(keytab, keytab, random);
    const found = keytabPrincipals(input);
    must(found === null || found.every((name) => name.includes("@")), () => `${found}`);
  },
};
