// What people are woken for: what is wrong now, who looks after it, and what has been put right lately.

import { useEffect } from "preact/hooks";
import { exact, span } from "../format";
import { ago, now } from "../now";
import { may } from "../page";
import { Empty, Panel } from "../panel";
import { useTopic } from "../stream/hooks";
import type { Alert } from "../stream/rows";
import { askAcknowledge, askLabel } from "./by-hand";

const TITLE = document.title;
const RANK = { critical: 0, warning: 1, info: 2 } as const;
const STATES = { firing: 0, acknowledged: 1, resolved: 2 } as const;
const LEVEL = { critical: "bad", warning: "wait", info: "calm" } as const;

export function Alerts() {
  const { rows, trouble, seq } = useTopic("alerts");
  const alerts = [...rows].sort(([, a], [, b]) => STATES[a.state] - STATES[b.state] || RANK[a.severity] - RANK[b.severity] || latest(b).localeCompare(latest(a)));
  const firing = alerts.filter(([, alert]) => alert.state === "firing").length;
  return (
    <Panel title="Alerts" area="alerts" trouble={trouble} loading={seq < 0} aside={<span class={firing ? "bad" : "muted"}>{firing ? `${firing} firing` : "none firing"}</span>}>
      {alerts.length === 0 && seq >= 0 ? <Empty>Nothing is wrong, and nothing was within the last hour.</Empty> : null}
      <ul class="alerts">
        {alerts.map(([key, alert]) => (
          <One key={key} id={key} alert={alert} />
        ))}
      </ul>
    </Panel>
  );
}

function latest(alert: Alert): string {
  return alert.resolved_at ?? alert.since ?? "";
}

function One({ id, alert }: { id: string; alert: Alert }) {
  const level = alert.state === "resolved" ? "calm" : LEVEL[alert.severity];
  return (
    <li class={`${alert.state} ${level}`} data-alert={id}>
      <div>
        <span class={`pill ${level} ${alert.severity === "critical" && alert.state === "firing" ? "solid" : ""}`}>{alert.state === "firing" ? alert.severity : alert.state}</span>
        <b class="grow" title={alert.rule}>
          {alert.title}
        </b>
        <span class="muted">{since(alert)}</span>
      </div>
      <p class="muted">
        {[alert.scope === "*" ? "" : alert.scope, alert.detail, figures(alert), alert.count > 1 ? `${alert.count} times` : ""].filter(Boolean).join(" · ")}
      </p>
      {alert.acknowledged_by ? <p class="muted">looked after by {alert.acknowledged_by}, {ago(alert.acknowledged_at)}</p> : null}
      {may("acknowledge") ? (
        <span class="buttons">
          {alert.state === "firing" ? (
            <button type="button" class="small" onClick={() => askAcknowledge(id, alert.title)}>
              acknowledge
            </button>
          ) : null}
          <button type="button" class="small quiet" onClick={() => askLabel(id, alert.title)}>
            false alarm
          </button>
        </span>
      ) : null}
    </li>
  );
}

function since(alert: Alert): string {
  if (!alert.since) return "";
  if (alert.state !== "resolved") return `for ${span((now.value - Date.parse(alert.since)) / 1_000)}`;
  return `over ${ago(alert.resolved_at)}`;
}

function figures({ value, threshold, detail }: Alert): string {
  if (value === null || threshold === null || detail) return "";
  return `${exact(String(Number(Number(value).toPrecision(4))))}, told from ${exact(threshold)} on`;
}

/** How many fire, in the first line, in the window's title and on its icon: seen from another tab, and never heard. */
export function AlertCount() {
  const { rows } = useTopic("alerts");
  const firing = [...rows.values()].filter((alert) => alert.state === "firing");
  const critical = firing.some((alert) => alert.severity === "critical");
  useEffect(() => {
    document.title = firing.length > 0 ? `(${firing.length}) ${TITLE}` : TITLE;
    icon(firing.length === 0 ? "" : critical ? "#e5484d" : "#e0a200");
  }, [firing.length, critical]);
  if (firing.length === 0) return null;
  return (
    <a class={`pill alert-count ${critical ? "bad solid" : "wait"}`} href="#panel-alerts">
      {firing.length} {firing.length === 1 ? "alert" : "alerts"}
    </a>
  );
}

function icon(badge: string): void {
  const spot = badge ? `<circle cx="24" cy="8" r="8" fill="${badge}"/>` : "";
  const drawn = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="#6cb4ff" d="M23 20A10 10 0 0 1 12 7a10 10 0 1 0 11 13Z"/>${spot}</svg>`;
  document.querySelector<HTMLLinkElement>("link[rel=icon]")?.setAttribute("href", `data:image/svg+xml,${encodeURIComponent(drawn)}`);
}
