import { CRIMES, NEWLINE_DESCRIPTIONS, PLACES, STREETS } from "./values.ts";

/**
 * One generated row of the crimes table, without the newline at its end.
 *
 * Whole-number arithmetic only, and no clock or locale, so that the bytes are the same everywhere.
 */
export function formatRow(seed: number, id: number, newlines: boolean): string {
  state = Math.imul(id, 0x9e3779b1) ^ Math.imul(seed, 0x85ebca6b);
  // One number is cut into several small ones: drawing is most of the work.
  const a = draw();
  const b = draw();
  const c = draw();
  const d = draw();
  const e = draw();

  const crime = CRIMES[a & 31];
  const street = STREETS[(a >>> 5) & 31];
  const place = PLACES[(a >>> 10) % PLACES.length];
  const broken = newlines && b % 50 === 0;
  const description = broken ? NEWLINE_DESCRIPTIONS[(b >>> 8) & 3] : crime[2];
  const day = (b >>> 8) % LAST_DAY;
  const updated = day + 2 + (c & 7);
  const flags = FLAGS[(c >>> 3) & 15];
  const beat = (c >>> 7) % BEATS.length;
  const ward = 1 + (c >>> 15) % 50;
  const community = 1 + (c >>> 16) % 77;

  // Nearly a tenth of the real rows has no district and no coordinates (yet).
  let district = "";
  let located = ",,,";
  let xy = ",,";
  if (d % 1000 >= 95) {
    district = DISTRICTS[beat];
    xy = `,${1094000 + (d >>> 10) % 110000},${1814000 + (e >>> 10) % 137000}`;
    const latitude = "41." + (64454 + d % 37777) + nineDigits(e);
    const longitude = "-87." + (52453 + e % 41464) + nineDigits(d ^ b);
    located = `,${latitude},${longitude},"(${latitude}, ${longitude})"`;
  }
  return id + ",H" + LETTERS[day & 15] + (100000 + e % 900000) +
    "," + DAYS[day] + MINUTES[d % 1440] +
    "," + BLOCKS[c % 128] + street +
    "," + crime[0] + "," + crime[1] + "," + description + "," + place + flags +
    BEATS[beat] + "," + district + "," + ward + "," + community + "," + crime[3] +
    xy + "," + DAYS[day].slice(6, 10) +
    "," + DAYS[updated] + " 12:" + MINUTES[a % 1440].slice(4, 6) + ":" + SIXTY[b % 60] + " AM" +
    located;
}

/** mulberry32: 32 bits of state, enough for a few numbers a row, and the quickest there is. */
let state = 0;
function draw(): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return (t ^ (t >>> 14)) >>> 0;
}

function nineDigits(bits: number): number {
  return 100000000 + (bits >>> 0) % 900000000;
}

const LETTERS = "ABCDEFGHJKLMNPRS";

const SIXTY = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, "0"));

/** " 12:00:00 AM" to " 11:59:00 PM". */
const MINUTES = Array.from({ length: 1440 }, (_, n) => {
  const hour = Math.floor(n / 60);
  return ` ${SIXTY[hour % 12 || 12]}:${SIXTY[n % 60]}:00 ${hour < 12 ? "AM" : "PM"}`;
});

/** Every day from 2001 to the middle of 2024 as MM/DD/YYYY. */
const DAYS = Array.from({ length: 8600 }, (_, n) => {
  const day = new Date(Date.UTC(2001, 0, 1 + n));
  return `${SIXTY[day.getUTCMonth() + 1]}/${SIXTY[day.getUTCDate()]}/${day.getUTCFullYear()}`;
});

/** Days on which something can happen; the rest is room for the later "Updated On". */
const LAST_DAY = DAYS.length - 10;

/** "001XX " to "128XX ": hundreds of house numbers. */
const BLOCKS = Array.from({ length: 128 }, (_, n) => `${String(n + 1).padStart(3, "0")}XX `);

/** Arrest and domestic: a quarter and a sixth of the rows say true. */
const FLAGS = Array.from(
  { length: 16 },
  (_, n) => `,${n % 4 === 0},${n === 3 || n === 4 || n === 9},`,
);

/** Beats belong to districts: 25 times 12, the beat's first two digits being the district's. */
const BEATS = Array.from(
  { length: 300 },
  (_, n) => SIXTY[1 + Math.floor(n / 12)] + (1 + Math.floor(n % 12 / 4)) + (1 + n % 4),
);
const DISTRICTS = BEATS.map((beat) => "0" + beat.slice(0, 2));
