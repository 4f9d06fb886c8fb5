/** The style of the status page, light and dark. No attribute `style` is used: the policy forbids it. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --text: #1d2733; --soft: #5b6a7a; --line: #d9e0e7; --ground: #ffffff; --raised: #f5f7fa;
  --good: #17703a; --bad: #b3261e; --busy: #1f5fa8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e4e9ee; --soft: #9aa8b6; --line: #34404d; --ground: #14191f; --raised: #1d242c;
    --good: #63c98a; --bad: #ff8a80; --busy: #7db4f0;
  }
}
body { margin: 0; background: var(--ground); color: var(--text);
  font: 15px/1.45 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1rem 1.25rem 3rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1.5rem;
  border-bottom: 1px solid var(--line); }
h1 { font-size: 1.3rem; margin: .3rem 0; }
h2 { font-size: 1rem; margin: 1.6rem 0 .5rem; }
header p { margin: .3rem 0; color: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .38rem .9rem .38rem 0; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
thead th { color: var(--soft); font-weight: 500; font-size: .86rem; }
tbody th { font-weight: 600; max-width: 22rem; overflow: hidden; text-overflow: ellipsis; }
.number { text-align: right; }
small { color: var(--soft); }
.state { color: var(--soft); }
.state.loading { color: var(--busy); }
.good { color: var(--good); }
.bad, .state.bad { color: var(--bad); font-weight: 600; }
svg { display: block; }
polyline { fill: none; stroke: var(--busy); stroke-width: 1.5; stroke-linejoin: round; }
ul { list-style: none; margin: 0; padding: 0; }
li { border-left: 3px solid var(--line); background: var(--raised); margin: .5rem 0;
  padding: .5rem .8rem; font-weight: 400; overflow-wrap: anywhere; }
li.bad { border-color: var(--bad); color: var(--text); font-weight: 400; }
li p { margin: 0; }
li time { color: var(--soft); }
.remedy { margin-top: .25rem; color: var(--good); }
#stale { display: none; margin: 0; padding: .6rem 1.25rem; background: var(--bad);
  color: var(--ground); text-align: center; }
.stale #stale { display: block; }
`;

/** Takes what is new into the page every five seconds; what was scrolled to stays where it is. */
export const pageScript = `
"use strict";
async function refresh() {
  try {
    const answer = await fetch(location.pathname, { cache: "no-store", signal: AbortSignal.timeout(10000) });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.querySelector("main").replaceWith(page.querySelector("main"));
    document.title = page.title;
    document.body.classList.remove("stale");
  } catch {
    document.body.classList.add("stale");
  }
  setTimeout(refresh, 5000);
}
setTimeout(refresh, 5000);
`;
