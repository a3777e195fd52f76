// The first line of the page: what kind of money, may it trade, does the line live, and the way to stop it.

import { clock } from "../format";
import { now } from "../now";
import { may, page } from "../page";
import { line } from "../stream/line";
import { useTopic } from "../stream/hooks";
import type { Gate } from "../stream/rows";
import { theme, turn } from "../theme";
import { AlertCount } from "./alerts";
import { stopping } from "./kill-switch";

const WORDS = { live: "live", connecting: "connecting", lost: "line lost" } as const;

export function Header() {
  return (
    <header class="top">
      <a class="brand" href="/dashboard/">
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M17.5 14.5A7.5 7.5 0 0 1 9 5.2a7.5 7.5 0 1 0 8.5 9.3Z" />
          <path class="spark" d="m4 20 4.5-5 3 2.5L20 8" />
        </svg>
        <span>MoonDev</span>
      </a>
      <span class={`pill ${page.realMoney ? "bad solid" : "good"}`}>{page.realMoney ? "real money" : "paper"}</span>
      {page.far ? (
        <span class="pill far" title="From this address what may cost money is refused: see API_CRITICAL_NETWORKS. Stopping works from anywhere.">
          from afar
        </span>
      ) : null}
      <Mode />
      <LineLight />
      <AlertCount />
      <nav aria-label="Other pages">
        <Links />
      </nav>
      <button class="quiet" type="button" onClick={turn} aria-label={`Use ${theme.value === "dark" ? "light" : "dark"} colours`}>
        {theme.value === "dark" ? "☾" : "☀"}
      </button>
      {may("stop") || may("release") ? (
        <button class="kill" type="button" onClick={() => stopping.open("everything")}>
          Kill switch
        </button>
      ) : null}
    </header>
  );
}

export function Links() {
  return (
    <>
      <a href="/admin/">Admin</a>
      <a href="/slo/">SLO</a>
      {may("reports") ? <a href="/admin/monitor/report/">Reports</a> : null}
      {page.flower ? <a href={page.flower}>Flower</a> : null}
      <a href="/api/v1/openapi.json">API</a>
    </>
  );
}

/** Whether trading goes on, said for the whole: what is stopped is named, however small. */
function Mode() {
  const { rows, seq } = useTopic("gates");
  const gates = [...rows.values()];
  const stopped = gates.filter((gate) => gate.mode !== "active");
  const whole = stopped.find((gate) => gate.kind === "everything");
  if (seq < 0) return <span class="pill mode-pill">…</span>;
  if (whole) return <span class="pill bad solid mode-pill" title={whole.reason}>{whole.mode} · everything</span>;
  if (stopped.length === 0) return <span class="pill good mode-pill">trading</span>;
  return (
    <span class="pill wait mode-pill" title={stopped.map(told).join("\n")}>
      {stopped.length === 1 ? `${stopped[0]?.mode} · ${stopped[0]?.key}` : `${stopped.length} scopes stopped`}
    </span>
  );
}

function told(gate: Gate): string {
  return `${gate.kind}:${gate.key} ${gate.mode}: ${gate.reason}`;
}

function LineLight() {
  const state = line.state.value;
  return (
    <span class={`line ${state}`} role="status" aria-live="polite">
      <i aria-hidden="true" />
      <span>{WORDS[state]}</span>
      <time>{clock(new Date(now.value).toISOString())}</time>
    </span>
  );
}
