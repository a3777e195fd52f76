// The platform's own parts: which answer, how quickly, and since when not.

import { milliseconds, words } from "../format";
import { ago } from "../now";
import { Empty, Panel } from "../panel";
import { useTopic } from "../stream/hooks";
import type { Health as Row } from "../stream/rows";

const LEVELS: Record<string, "good" | "wait" | "bad"> = { ok: "good", degraded: "wait", unknown: "wait", down: "bad" };
const RANK = { bad: 0, wait: 1, good: 2 } as const;

function level(row: Row): "good" | "wait" | "bad" {
  return LEVELS[row.state] ?? "bad";
}

export function Health() {
  const { rows, trouble, seq } = useTopic("health");
  const parts = [...rows].sort(([a, one], [b, two]) => RANK[level(one)] - RANK[level(two)] || a.localeCompare(b));
  const well = parts.filter(([, row]) => level(row) === "good").length;
  const aside = (
    <>
      <span class="muted">{parts.length > 0 ? `${well} of ${parts.length} well` : ""}</span>
      <a href="/slo/">SLO</a>
    </>
  );
  return (
    <Panel title="Health" area="health" trouble={trouble} loading={seq < 0} aside={aside}>
      {parts.length === 0 && seq >= 0 ? <Empty>No part has reported yet.</Empty> : null}
      <ul class="lines health">
        {parts.map(([key, row]) => (
          <Part key={key} row={row} />
        ))}
      </ul>
    </Panel>
  );
}

function Part({ row }: { row: Row }) {
  const now = level(row);
  return (
    <li title={row.detail}>
      <i class={`dot ${now}`} aria-hidden="true" />
      <b>{row.component}</b>
      {now === "good" ? null : <span class={`pill ${now}`}>{words(row.state)}</span>}
      <span class="muted grow">{now === "good" ? words(row.kind) : row.detail || words(row.kind)}</span>
      {row.instances !== null && row.instances > 1 ? <span class="muted">× {row.instances}</span> : null}
      <span class="muted number">{row.latency_ms === null ? (row.since ? ago(row.since) : "") : milliseconds(row.latency_ms)}</span>
    </li>
  );
}
