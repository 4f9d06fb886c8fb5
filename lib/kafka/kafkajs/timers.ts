/**
 * kafkajs 2.2.4 arms a timer, after every answer, that looks for requests it had to hold back; with
 * none held back that timer is due at once and arms itself again, about 1,000 times a second, and
 * on a connection that is closed too. Here it is armed only when there is something to look for.
 * Without this a paused consumer keeps a core busy, tests slow down with each connection they open,
 * and Deno finds leaked timers. A module that imports kafkajs imports this, too.
 */
import RequestQueue from "kafkajs/src/network/requestQueue/index.js";

interface Queue {
  pending: unknown[];
}

const prototype: { scheduleCheckPendingRequests(this: Queue): void } = RequestQueue.prototype;
const schedule = prototype.scheduleCheckPendingRequests;

prototype.scheduleCheckPendingRequests = function () {
  if (this.pending.length > 0) schedule.call(this);
};
