// A chart that fills its frame, follows the theme, and is taken down with its component.

import { type ChartOptions, createChart, type DeepPartial, type IChartApi } from "lightweight-charts";
import { useEffect, useRef, useState } from "preact/hooks";
import { colour, theme } from "../theme";

export function useChart(more: DeepPartial<ChartOptions> = {}) {
  const frame = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<IChartApi | null>(null);
  const painted = theme.value;
  useEffect(() => {
    if (!frame.current) return undefined;
    const made = createChart(frame.current, { autoSize: true, ...paint(), ...more });
    setChart(made);
    return () => {
      setChart(null);
      made.remove();
    };
    // The options are those of the first call; colours follow below.
  }, []);
  useEffect(() => chart?.applyOptions(paint()), [chart, painted]);
  return { frame, chart, painted };
}

function paint(): DeepPartial<ChartOptions> {
  const quiet = { color: colour("line-faint") };
  return {
    layout: {
      background: { color: "transparent" },
      textColor: colour("muted"),
      fontFamily: colour("font"),
      fontSize: 11,
      // The page's foot names TradingView, as its licence asks.
      attributionLogo: false,
      panes: { separatorColor: colour("line"), separatorHoverColor: colour("line"), enableResize: false },
    },
    grid: { vertLines: quiet, horzLines: quiet },
    rightPriceScale: { borderVisible: false },
    timeScale: { borderVisible: false, timeVisible: true, secondsVisible: false, rightOffset: 4 },
    crosshair: { vertLine: { color: colour("muted"), width: 1, style: 3 }, horzLine: { color: colour("muted"), width: 1, style: 3 } },
    localization: { locale: "en-GB" },
  };
}
