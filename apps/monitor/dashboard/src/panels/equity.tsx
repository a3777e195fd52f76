// Equity over time, with the drawdown from its peak below; the newest point moves with the stream.

import { AreaSeries, type IChartApi, type ISeriesApi, type UTCTimestamp } from "lightweight-charts";
import { useEffect, useRef, useState } from "preact/hooks";
import { useChart } from "../charts/frame";
import { money, scale } from "../format";
import { Panel } from "../panel";
import { useNamed, useTopic } from "../stream/hooks";
import type { Money } from "../stream/rows";
import { colour, type Theme } from "../theme";

interface Point {
  equity: number;
}

const SPANS = { "1 h": 3_600, "1 d": 86_400, "1 w": 604_800, "3 m": 7_776_000 } as const;
type Span = keyof typeof SPANS;

export function Equity() {
  const { rows } = useTopic("money");
  const [scope, setScope] = useState("total");
  const [span, setSpan] = useState<Span>("1 h");
  const names = [...rows].filter(([, row]) => row.kind !== "asset" && row.kind !== "venue").map(([key]) => key);
  const aside = (
    <>
      <select aria-label="Whose equity" value={scope} onChange={(event) => setScope(event.currentTarget.value)}>
        {[...new Set(["total", ...names])].map((name) => (
          <option key={name} value={name}>
            {name === "total" ? "everything" : name.replace(":", " ")}
          </option>
        ))}
      </select>
      <span class="segments" role="group" aria-label="How far back">
        {(Object.keys(SPANS) as Span[]).map((one) => (
          <button key={one} type="button" aria-pressed={span === one} onClick={() => setSpan(one)}>
            {one}
          </button>
        ))}
      </span>
    </>
  );
  return (
    <Panel title="Equity and drawdown" area="equity" aside={aside}>
      <Curve key={`${scope}${span}`} scope={scope} seconds={SPANS[span]} newest={rows.get(scope)} />
    </Panel>
  );
}

interface Lines {
  equity: ISeriesApi<"Area">;
  drawdown: ISeriesApi<"Area">;
  painted: Theme;
  peak: number;
  last: number;
}

function Curve({ scope, seconds, newest }: { scope: string; seconds: number; newest: Money | undefined }) {
  const { frame, chart, painted } = useChart();
  const name = `equity:${scope === "total" ? "total:all" : scope}:${seconds}`;
  const points = useNamed<Point>(name);
  const lines = useRef<Lines | null>(null);
  useEffect(() => {
    if (!chart || !points || points.seq < 0) return;
    const drawn = lines.current?.painted === painted ? lines.current : draw(chart, painted);
    const first = drawn !== lines.current;
    lines.current = drawn;
    fill(drawn, points.rows);
    append(drawn, newest);
    if (first) chart.timeScale().fitContent();
  }, [chart, painted, points]);
  useEffect(() => append(lines.current, newest), [newest]);
  const note = points?.trouble || (points && points.seq >= 0 && points.rows.size < 2 ? "the curve begins now" : "");
  return (
    <div class="chart">
      <div ref={frame} class="chart-frame" role="img" aria-label={`Equity of ${scope}`} />
      {note ? <p class="chart-note">{note}</p> : null}
    </div>
  );
}

function draw(chart: IChartApi, painted: Theme): Lines {
  for (const pane of chart.panes()) for (const series of pane.getSeries()) chart.removeSeries(series);
  const common = { lineWidth: 2 as const, priceLineVisible: false, lastValueVisible: true };
  const equity = chart.addSeries(AreaSeries, {
    ...common,
    priceFormat: {
      type: "custom",
      formatter: (value: number) => money(value, Math.abs(value) < 10_000 ? 2 : 0),
      tickmarksFormatter: scale,
      minMove: 0.01,
    },
    lineColor: colour("accent"),
    topColor: colour("accent-soft"),
    bottomColor: "transparent",
  });
  const drawdown = chart.addSeries(
    AreaSeries,
    {
      ...common,
      lineWidth: 1,
      lineColor: colour("bad"),
      topColor: "transparent",
      bottomColor: colour("bad-soft"),
      invertFilledArea: true,
      priceFormat: { type: "custom", formatter: (value: number) => `${Math.abs(value).toFixed(Math.abs(value) < 0.1 ? 3 : 1)} %`, minMove: 0.01 },
    },
    1,
  );
  chart.panes()[0]?.setStretchFactor(3);
  chart.panes()[1]?.setStretchFactor(1);
  return { equity, drawdown, painted, peak: 0, last: 0 };
}

function fill(lines: Lines, rows: ReadonlyMap<string, Point>): void {
  const values = [...rows]
    .map(([time, point]) => ({ time: Number(time) as UTCTimestamp, value: point.equity }))
    .sort((a, b) => a.time - b.time);
  lines.peak = 0;
  lines.equity.setData(values);
  lines.drawdown.setData(values.map(({ time, value }) => ({ time, value: below(lines, value) })));
  lines.last = values.at(-1)?.time ?? 0;
}

function append(lines: Lines | null, newest: Money | undefined): void {
  if (!lines || !newest?.equity || !newest.at) return;
  const time = stamp(newest.at);
  if (time < lines.last) return;
  const value = Number(newest.equity);
  lines.equity.update({ time, value });
  lines.drawdown.update({ time, value: below(lines, value) });
  lines.last = time;
}

/** How far below the highest value so far, in per cent, never above zero. */
function below(lines: Lines, value: number): number {
  lines.peak = Math.max(lines.peak, value);
  return lines.peak > 0 ? -(100 * (lines.peak - value)) / lines.peak : 0;
}

function stamp(at: string): UTCTimestamp {
  return Math.floor(Date.parse(at) / 1_000) as UTCTimestamp;
}
