import { inShort } from "../text.ts";
import type { LagReport, PartitionLag, Speed } from "./lag.ts";
import { type Cell, table } from "./table.ts";

/** How a report is shown. */
export interface LagLayout {
  /** Speeds are shown: there is more than one sample. */
  speeds: boolean;
  /** The database's offsets are shown. */
  database: boolean;
}

/**
 * The report as a table, its totals last. `most`: at most this many partitions, those furthest behind.
 * `least`: the width of numbers.
 */
export function lagTable(
  report: LagReport,
  layout: LagLayout,
  most = Infinity,
  least = 0,
): string {
  const { speeds, database } = layout;
  const header = [
    ...["TOPIC", "PARTITION", "STORED", "END", "LAG"],
    ...(database ? ["DATABASE", "DB LAG"] : []),
    ...(speeds ? ["IN/S", "OUT/S", "CATCH-UP"] : []),
    "",
  ];
  const rows = shown(report.partitions, most).map((p): Cell[] => [
    ...[p.topic, p.partition, p.stored, p.log.stable, p.lag],
    ...(database ? [p.database?.offset ?? null, p.databaseLag] : []),
    ...(speeds ? speedCells(p) : []),
    p.note,
  ]);
  const left = report.partitions.length - rows.length;
  const total: Cell[] = [
    ...["total", left > 0 ? `+${left}` : "", "", "", report.lag],
    ...(database ? ["", report.databaseLag] : []),
    ...(speeds ? speedCells(report) : []),
    left > 0 ? `${left} partitions not shown` : "",
  ];
  return table(header, [...rows, total], least);
}

function shown(partitions: readonly PartitionLag[], most: number): readonly PartitionLag[] {
  if (partitions.length <= most) return partitions;
  const lag = (p: PartitionLag) => p.databaseLag ?? p.lag;
  const furthest = partitions.toSorted((a, b) => lag(b) - lag(a)).slice(0, Math.max(most, 1));
  return partitions.filter((p) => furthest.includes(p));
}

function speedCells({ in: written, out, catchUp }: Speed): Cell[] {
  return [rate(written), rate(out), duration(catchUp)];
}

/** Digits that most offsets have: lines of several samples stand in columns. */
const NUMBER = 10;

/** Lines that stand for themselves in a log: each with its time; the header once, if wanted. */
export function lagLines(report: LagReport, layout: LagLayout, header: boolean): string {
  const time = new Date(report.time).toISOString();
  const [head, ...lines] = lagTable(report, layout, Infinity, NUMBER).split("\n").slice(0, -1);
  const all = lines.map((line) => `${time}  ${line}\n`).join("");
  return header ? `${"TIME".padEnd(time.length)}  ${head}\n${all}` : all;
}

/** The report as JSON in one line; what is not known is null, and so is a catch-up that never comes. */
export function lagJson(group: string, source: string | null, report: LagReport): string {
  const speed = ({ in: written, out, catchUp }: Speed) => ({
    inPerSecond: round(written),
    outPerSecond: round(out),
    catchUpSeconds: round(catchUp),
  });
  const ofDatabase = (offset: number | null, lag: number | null) =>
    source === null ? {} : { database: offset, databaseLag: lag };
  const { databaseLag, lag, partitions, time } = report;
  return JSON.stringify({
    time: new Date(time).toISOString(),
    group,
    ...(source === null ? {} : { source }),
    partitions: partitions.map((p) => ({
      topic: p.topic,
      partition: p.partition,
      stored: p.stored,
      start: p.log.start,
      end: p.log.stable,
      lag: p.lag,
      ...ofDatabase(p.database?.offset ?? null, p.databaseLag),
      ...speed(p),
      ...(p.note ? { note: p.note } : {}),
    })),
    total: { lag, ...(source === null ? {} : { databaseLag }), ...speed(report) },
  }) + "\n";
}

function round(value: number | null): number | null {
  return value === null || !Number.isFinite(value) ? null : Math.round(value * 1000) / 1000;
}

function rate(value: number | null): Cell {
  return value === null || value >= 100 ? value && Math.round(value) : Math.round(value * 10) / 10;
}

/** `12m 30s`; `-` if it is not known (null). */
export function duration(seconds: number | null): string {
  if (seconds === null) return "-";
  return Number.isFinite(seconds) ? inShort(seconds) : "never";
}

const bars = "▁▂▃▄▅▆▇█";

/** A graph of one character a value, the newest `width` of them: the highest is as high as it gets. */
export function sparkline(values: readonly number[], width: number): string {
  const newest = values.slice(-Math.max(width, 1));
  const top = Math.max(...newest);
  return newest.map((value) => {
    // Only nothing is as low as nothing.
    const height = value === 0 ? 0 : Math.max(1, Math.round(value / top * (bars.length - 1)));
    return bars[height];
  }).join("");
}
