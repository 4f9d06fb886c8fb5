import * as echarts from "echarts";
import type { Result } from "./measure.ts";

/** Colours that can be read on a light and on a dark page; ours stands out. */
const OURS = "#2f7ed8", PEER = "#9aa4b0", FLOOR = "#c9b458", TEXT = "#808080";

/** A bar for each contestant: the medians of one figure, as an SVG document. Made without a browser. */
export function barPicture(title: string, results: readonly Result[], of: "wall" | "cpu"): string {
  const shown = results.toReversed();
  const chart = echarts.init(null, null, {
    renderer: "svg",
    ssr: true,
    width: 640,
    height: 70 + 30 * shown.length,
  });
  try {
    chart.setOption({
      animation: false,
      title: { text: title, textStyle: { color: TEXT, fontSize: 15 } },
      grid: { left: 8, right: 60, top: 36, bottom: 8, containLabel: true },
      xAxis: { type: "value", axisLabel: { color: TEXT, formatter: "{value} s" } },
      yAxis: {
        type: "category",
        data: shown.map(({ name }) => name),
        axisLabel: { color: TEXT, fontSize: 13 },
      },
      series: [{
        type: "bar",
        barWidth: 16,
        data: shown.map(({ name, [of]: { median } }) => ({
          value: median,
          itemStyle: {
            color: name === "gpdb-kafka"
              ? OURS
              : /^floor|without checks$/.test(name)
              ? FLOOR
              : PEER,
          },
        })),
        label: { show: true, position: "right", color: TEXT, formatter: "{c} s" },
      }],
    });
    return chart.renderToSVGString() + "\n";
  } finally {
    chart.dispose();
  }
}
