// The market of one instrument: candles, our fills on them, our stops and working orders as lines.

import { signal } from "@preact/signals";
import {
  CandlestickSeries,
  createSeriesMarkers,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  LineStyle,
  type SeriesMarker,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useChart } from "../charts/frame";
import { exact, span } from "../format";
import { Empty, Panel } from "../panel";
import { useNamed, useTopic } from "../stream/hooks";
import type { Candle, Fill, Order, Position } from "../stream/rows";
import { colour } from "../theme";

export const shown = signal<string | null>(null);

export function Market() {
  const charts = useTopic("charts").rows;
  const positions = useTopic("positions").rows;
  const first = [...positions.values()].map((row) => `${row.venue}:${row.symbol}`).find((key) => charts.has(key));
  const withBars = [...charts].filter(([, row]) => row.intervals.length > 0).map(([key]) => key);
  const key = shown.value ?? first ?? withBars[0] ?? null;
  const intervals = (key ? charts.get(key)?.intervals : undefined) ?? [];
  const [wanted, setWanted] = useState(0);
  const interval = intervals.includes(wanted) ? wanted : (intervals[0] ?? 0);
  const aside = (
    <>
      <select aria-label="Instrument" value={key ?? ""} onChange={(event) => (shown.value = event.currentTarget.value)}>
        {[...new Set([...(key ? [key] : []), ...withBars])].map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
      <span class="segments" role="group" aria-label="Length of a bar">
        {intervals.map((seconds) => (
          <button key={seconds} type="button" aria-pressed={interval === seconds} onClick={() => setWanted(seconds)}>
            {span(seconds)}
          </button>
        ))}
      </span>
    </>
  );
  return (
    <Panel title="Market" area="market" aside={aside}>
      {key && interval ? <Candles key={`${key}:${interval}`} instrument={key} seconds={interval} /> : <Empty>No bars of anything that is traded yet.</Empty>}
    </Panel>
  );
}

function Candles({ instrument, seconds }: { instrument: string; seconds: number }) {
  const candles = useNamed<Candle>(`candles:${instrument}:${seconds}`);
  const fills = useTopic("fills").rows;
  const orders = useTopic("orders").rows;
  const positions = useTopic("positions").rows;
  const { frame, chart, painted } = useChart();
  const drawing = useRef<Drawing | null>(null);
  const bars = useMemo(() => barsOf(candles?.rows ?? new Map(), seconds), [candles]);
  useEffect(() => {
    if (!chart) return undefined;
    drawing.current = new Drawing(chart);
    return () => {
      drawing.current = null;
    };
  }, [chart, painted]);
  useEffect(() => drawing.current?.bars(bars), [bars, chart, painted]);
  useEffect(() => drawing.current?.fills(fills, instrument, seconds), [fills, bars, chart, painted]);
  useEffect(() => drawing.current?.levels(orders, positions, instrument), [orders, positions, chart, painted]);
  return (
    <div class="chart">
      <div ref={frame} class="chart-frame" role="img" aria-label={`Candles of ${instrument}`} />
      {candles?.trouble ? <p class="chart-note">{candles.trouble}</p> : null}
    </div>
  );
}

interface Bar {
  time: UTCTimestamp;
  open: number;
  high: number;
  low: number;
  close: number;
}

/** Closed bars, and the one that is being made, as far as the newest price tells of it. */
function barsOf(rows: ReadonlyMap<string, Candle>, seconds: number): Bar[] {
  const bars = [...rows]
    .filter(([key]) => key !== "now")
    .map(([key, { open, high, low, close }]) => ({ time: Number(key) as UTCTimestamp, open, high, low, close }))
    .sort((a, b) => a.time - b.time);
  const price = rows.get("now")?.price ?? null;
  const last = bars.at(-1);
  if (price === null || !last) return bars;
  const time = (last.time + seconds) as UTCTimestamp;
  return [...bars, { time, open: last.close, high: Math.max(last.close, price), low: Math.min(last.close, price), close: price }];
}

class Drawing {
  private readonly series: ISeriesApi<"Candlestick">;
  private readonly markers: ISeriesMarkersPluginApi<Time>;
  private lines: IPriceLine[] = [];
  private fitted = false;
  private first = 0;

  constructor(chart: IChartApi) {
    for (const pane of chart.panes()) for (const series of pane.getSeries()) chart.removeSeries(series);
    const [up, down] = [colour("good"), colour("bad")];
    this.series = chart.addSeries(CandlestickSeries, {
      upColor: up,
      downColor: down,
      wickUpColor: up,
      wickDownColor: down,
      borderVisible: false,
    });
    this.markers = createSeriesMarkers(this.series, []);
    this.chart = chart;
  }

  private readonly chart: IChartApi;

  bars(bars: Bar[]): void {
    const places = placesOf(bars.at(-1)?.close ?? 1);
    this.series.applyOptions({ priceFormat: { type: "price", precision: places, minMove: 10 ** -places } });
    this.series.setData(bars);
    this.first = bars[0]?.time ?? 0;
    if (!this.fitted && bars.length > 0) {
      this.chart.timeScale().setVisibleLogicalRange({ from: bars.length - 90, to: bars.length + 3 });
      this.fitted = true;
    }
  }

  fills(fills: ReadonlyMap<string, Fill>, instrument: string, seconds: number): void {
    // One arrow a side and bar, however often it was traded in it.
    const sums = new Map<string, { at: number; buys: boolean; quantity: number }>();
    for (const fill of fills.values()) {
      const at = Math.floor(Date.parse(fill.at) / 1_000 / seconds) * seconds;
      if (`${fill.venue}:${fill.symbol}` !== instrument || at < this.first) continue;
      const sum = sums.get(`${at}${fill.side}`)?.quantity ?? 0;
      sums.set(`${at}${fill.side}`, { at, buys: fill.side === "buy", quantity: sum + Number(fill.quantity) });
    }
    const markers = [...sums.values()].sort((a, b) => a.at - b.at).map(
      ({ at, buys, quantity }): SeriesMarker<Time> => ({
        time: at as UTCTimestamp,
        position: buys ? "belowBar" : "aboveBar",
        shape: buys ? "arrowUp" : "arrowDown",
        color: colour(buys ? "good" : "bad"),
        text: exact(String(Number(quantity.toPrecision(6)))),
      }),
    );
    this.markers.setMarkers(markers);
  }

  levels(orders: ReadonlyMap<string, Order>, positions: ReadonlyMap<string, Position>, instrument: string): void {
    for (const line of this.lines) this.series.removePriceLine(line);
    this.lines = [];
    for (const position of positions.values()) {
      if (`${position.venue}:${position.symbol}` !== instrument) continue;
      this.line(position.entry, colour("accent"), `entry ${exact(position.quantity)}`, LineStyle.Solid, true);
    }
    for (const order of orders.values()) {
      if (!order.working || `${order.venue}:${order.symbol}` !== instrument) continue;
      const protects = order.purpose === "protective";
      // A ladder of quotes would cover the prices with its labels.
      const title = protects ? `stop ${exact(order.quantity)}` : "";
      const tone = protects ? "wait" : order.side === "buy" ? "good" : "bad";
      this.line(order.trigger ?? order.price, colour(tone), title, protects ? LineStyle.Dashed : LineStyle.SparseDotted, protects);
    }
  }

  private line(price: string, color: string, title: string, lineStyle: LineStyle, axisLabelVisible: boolean): void {
    this.lines.push(this.series.createPriceLine({ price: Number(price), color, title, lineStyle, lineWidth: 1, axisLabelVisible }));
  }
}

function placesOf(price: number): number {
  return Math.max(0, Math.min(8, 5 - Math.ceil(Math.log10(Math.max(price, 1e-6)))));
}
