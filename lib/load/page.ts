import { createHash } from "node:crypto";
import { withoutSecrets } from "../secret.ts";
import { pageScript, pageStyle } from "./page_parts.ts";
import type { LagSample, SourceError, SourceStatus } from "./status.ts";

const sha256 = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Nothing is loaded from elsewhere, nothing is sent, and only the page's own script runs. */
export const pageHeaders: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": [
    "default-src 'none'",
    `style-src ${sha256(pageStyle)}`,
    `script-src ${sha256(pageScript)}`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
};

/** Loads and errors shown, of all sources together. */
const SHOWN = 15;

/** The page that `--listen` serves at `/`: the state of the sources at this time. */
export function pageText(sources: readonly SourceStatus[], now: Date): string {
  const failing = sources.filter(({ failing }) => failing);
  const title = failing.length > 0
    ? `${failing.length} failing · gpdb-kafka load`
    : "gpdb-kafka load";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${pageStyle}</style>
<noscript><meta http-equiv="refresh" content="5"></noscript>
</head>
<body>
<p id="stale" role="alert">No answer since the time below: these numbers are old.</p>
<main>
<header><h1>gpdb-kafka load</h1><p>${summary(sources)} · <time>${clock(now)}</time></p></header>
${sourceTable(sources, now.getTime())}
${topicTable(sources)}
${errorList(sources)}
${loadTable(sources)}
</main>
<script>${pageScript}</script>
</body>
</html>
`;
}

function summary(sources: readonly SourceStatus[]): string {
  const failing = sources.filter(({ failing }) => failing).length;
  const lag = sources.reduce((sum, { lag }) => sum + (lag ?? 0), 0);
  const speed = sources.reduce((sum, { speed }) => sum + speed, 0);
  const state = failing > 0
    ? `<strong class="bad">${failing} of ${plural(sources.length, "source")} failing</strong>`
    : `<strong class="good">${plural(sources.length, "source")}, none failing</strong>`;
  return `${state} · lag ${count(lag)} · ${count(speed)} rows/s`;
}

function sourceTable(sources: readonly SourceStatus[], now: number): string {
  const rows = sources.map((source) => {
    const { state, since, lag, rows, rejected, lost, lastLoad, course } = source;
    const bad = source.failing;
    const word = bad && state === "loading" ? "trying again" : state;
    return `<tr><th scope="row">${escape(source.source)}</th>
<td><span class="state ${bad ? "bad" : state}">${word}</span> <small>${
      ago(now - since)
    }</small></td>
<td class="number">${lag === null ? "–" : count(lag)}</td>
<td>${curve(course, lag, now)}</td>
<td class="number">${count(source.speed)}</td>
<td class="number">${count(rows)}</td>
<td class="number${rejected > 0 ? " bad" : ""}">${count(rejected)}</td>
<td class="number${lost > 0 ? " bad" : ""}">${count(lost)}</td>
<td class="number">${lastLoad === null ? "–" : ago(now - lastLoad)}</td></tr>`;
  });
  return table("Sources", [
    "Source",
    "State",
    "#Lag",
    "Lag, last hour",
    "#Rows/s",
    "#Rows",
    "#Rejected",
    "#Lost",
    "#Last load",
  ], rows) + (sources.some(({ rejected }) => rejected > 0) ? REJECTED : "");
}

/** Of sources with several topics: those that are furthest behind. */
function topicTable(sources: readonly SourceStatus[]): string {
  const topics = sources.filter(({ topics }) => topics.length > 1)
    .flatMap(({ source, topics }) => topics.map((one) => ({ source, ...one })));
  if (topics.length === 0) return "";
  const shown = topics.toSorted((a, b) => b.lag - a.lag).slice(0, SHOWN);
  const rows = shown.map(({ source, topic, records, lag }) =>
    `<tr><th scope="row">${escape(source)}</th><td>${escape(topic)}</td>
<td class="number">${count(lag)}</td><td class="number">${count(records)}</td></tr>`
  );
  const more = topics.length - shown.length;
  return table("Topics", ["Source", "Topic", "#Lag", "#Records"], rows) +
    (more > 0 ? `<p><small>${plural(more, "topic")} more, less far behind</small></p>` : "");
}

const REJECTED = `<p><small>Rejected rows are listed in kafka.rejected; on Greenplum in
gp_read_error_log('kafka.SOURCE_reader').</small></p>`;

function errorList(sources: readonly SourceStatus[]): string {
  const errors = sources.flatMap((source) =>
    source.error === null ? [] : [{ source, error: source.error }]
  ).sort((a, b) => b.error.at - a.error.at).slice(0, SHOWN);
  if (errors.length === 0) return "";
  const items = errors.map(({ source, error }) => {
    const over = source.failing ? "" : " <small>(a load has succeeded since)</small>";
    return `<li${over === "" ? ' class="bad"' : ""}><p><time>${clock(new Date(error.at))}</time> ` +
      `<b>${escape(source.source)}</b>: ${escape(error.what)}${over}</p>${remedy(error)}</li>`;
  });
  return `<section><h2>Last errors</h2><ul>${items.join("\n")}</ul></section>`;
}

function remedy({ remedy }: SourceError): string {
  return remedy === null ? "" : `<p class="remedy">What to do: ${escape(remedy)}</p>`;
}

function loadTable(sources: readonly SourceStatus[]): string {
  const loads = sources.flatMap(({ source, recent }) => recent.map((one) => ({ source, ...one })))
    .sort((a, b) => b.at - a.at).slice(0, SHOWN);
  // Columns of merges and filters, if a load has had any.
  const more = (["updated", "deleted", "filtered"] as const)
    .filter((name) => loads.some(({ load }) => load[name] > 0));
  const rows = loads.map(({ source, at, load }) =>
    `<tr><td><time>${clock(new Date(at))}</time></td>
<th scope="row">${escape(source)}</th>
<td class="number">${count(load.loadNo)}</td>
<td class="number">${count(load.rows)}</td>
${more.map((name) => `<td class="number">${count(load[name])}</td>\n`).join("")}\
<td class="number${load.rejected > 0 ? " bad" : ""}">${count(load.rejected)}</td>
<td class="number">${load.seconds.toFixed(2)} s</td>
<td class="number">${count(load.rows / Math.max(load.seconds, 0.001))}</td>
<td class="number">${count(load.lag)}</td></tr>`
  );
  if (rows.length === 0) return "<section><h2>Last loads</h2><p>None yet.</p></section>";
  return table("Last loads", [
    "Time",
    "Source",
    "#Load",
    "#Rows",
    ...more.map((name) => `#${name[0].toUpperCase()}${name.slice(1)}`),
    "#Rejected",
    "#Duration",
    "#Rows/s",
    "#Lag after it",
  ], rows);
}

/** A heading that begins with `#` is of a column of numbers. */
function table(title: string, headings: readonly string[], rows: readonly string[]): string {
  const head = headings.map((text) =>
    text.startsWith("#")
      ? `<th scope="col" class="number">${text.slice(1)}</th>`
      : `<th scope="col">${text}</th>`
  );
  return `<section><h2>${title}</h2><div class="wide"><table>
<thead><tr>${head.join("")}</tr></thead>
<tbody>
${rows.join("\n")}
</tbody></table></div></section>`;
}

const WIDTH = 160;
const HEIGHT = 28;

/** The course of the lag as a line, up to now; its highest value is at the top. */
function curve(samples: readonly LagSample[], lag: number | null, now: number): string {
  if (samples.length < 2) return "";
  const course = [...samples, { at: now, lag: lag ?? 0 }];
  const highest = course.reduce((most, { lag }) => Math.max(most, lag), 0);
  const first = course[0].at;
  const points = course.map(({ at, lag }) => {
    const x = (at - first) / Math.max(now - first, 1) * WIDTH;
    const y = HEIGHT - 1 - lag / Math.max(highest, 1) * (HEIGHT - 2);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  const label = `lag since ${clock(new Date(first))}, highest ${count(highest)}`;
  return `<svg width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" ` +
    `aria-label="${label}"><title>${label}</title><polyline points="${points.join(" ")}"/></svg>`;
}

function count(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString("en-US") : "–";
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** UTC, as the log has it. */
function clock(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

function ago(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 100) return `${seconds} s`;
  return seconds < 6000 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text of others in HTML: names of sources and errors may be anything. */
function escape(text: string): string {
  return withoutSecrets(text).replace(/[&<>"']/g, (c) => entities[c])
    // deno-lint-ignore no-control-regex
    .replace(/[\x00-\x1f\x7f-\x9f]/g, " ");
}
