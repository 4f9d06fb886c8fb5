/**
 * One question to a service of the machine itself: instance metadata, a container's credentials. It
 * is asked by node:http, because `fetch` goes by the proxy of HTTP_PROXY, which has no way there.
 */
import { request } from "node:http";
import { systemReason } from "../../failure.ts";
import { ConnectionError } from "../connection_error.ts";
import { type Answer, ANSWER_TIMEOUT, type Question, reasonIn, shownUrl } from "./ask.ts";

const LARGEST = 1024 * 1024;

export type LocalQuestion = Pick<Question, "failed" | "url" | "headers" | "limit"> & {
  method: "GET" | "PUT";
};

/** Asks, and reads the answer. Throws ConnectionError, so for the statuses 429 and 5xx too. */
export async function askLocally(question: LocalQuestion): Promise<Answer> {
  const { failed, url, method, headers } = question;
  const limit = Math.min(question.limit, ANSWER_TIMEOUT);
  const name = shownUrl(url);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const fail = (why: string) => reject(new ConnectionError(`${failed}: ${name} ${why}`));
  const { hostname, port, pathname, search } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  const asking = request({ host, port: port || 80, path: pathname + search, method, headers });
  const timer = setTimeout(() => {
    fail(`does not answer: no answer within ${limit / 1000} s`);
    asking.destroy();
  }, limit);
  asking.on("error", (error) => fail(`does not answer: ${systemReason(error)}`));
  asking.on("response", (message) => {
    let text = "";
    message.setEncoding("utf8");
    message.on("data", (piece) => {
      text += piece;
      if (text.length <= LARGEST) return;
      fail(`answers with over ${LARGEST / 1024 ** 2} MiB`);
      asking.destroy();
    });
    message.on("error", (error) => fail(`does not answer: ${systemReason(error)}`));
    message.on("end", () => {
      const status = message.statusCode ?? 0;
      if (status === 429 || status >= 500) return fail(`answers HTTP ${status}${reasonIn(text)}`);
      resolve({ status, type: message.headers["content-type"] ?? "nothing", text });
    });
  });
  asking.end();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}
