import { type ClientConfig, parseAddress } from "../kafka/config.ts";
import { inWords } from "../text.ts";
import { type Say, whatWentWrong } from "./findings.ts";
import { greet, type Greeting } from "./greeting.ts";

/** Asks each bootstrap address. Returns those that answered; null if none did. */
export async function checkBrokers(
  say: Say,
  config: ClientConfig,
): Promise<Greeting[] | null> {
  const names = [...new Set(config.brokers)];
  const greetings = await Promise.all(names.map(async (name) => {
    const address = parseAddress(name)!;
    const started = performance.now();
    try {
      const greeting = await greet(address, config);
      const how = config.tls ? "answers over TLS" : "answers";
      return { greeting, text: `${name} ${how} in ${inWords(performance.now() - started)}` };
    } catch (error) {
      return { error, text: whatWentWrong(error) };
    }
  }));
  for (const { error, text } of greetings) {
    if (error === undefined) say("ok", text);
    else say("fail", text, remedy(text));
  }
  const answered = greetings.flatMap(({ greeting }) => greeting ? [greeting] : []);
  return answered.length > 0 ? answered : null;
}

/** What to do about an address that can't be used; nothing if the error says so itself. */
function remedy(text: string): string | undefined {
  if (/refused/i.test(text)) {
    return "nothing listens there: start the broker, or correct --brokers";
  }
  if (/did not answer|no connection within/.test(text)) {
    return "check for a firewall, a broker that hangs, or a port that is not a broker's";
  }
  if (/failed to lookup|Name or service|not known|nodename/.test(text)) {
    return "correct the name, or let this host resolve it (DNS, /etc/hosts)";
  }
  return undefined;
}
