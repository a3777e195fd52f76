// One decision as a chain: what made it due, what was seen, wanted, planned, what risk said, what was sent.

import type { ComponentChildren } from "preact";
import { exact, fine, milliseconds, words } from "../format";
import type { Report } from "../stream/rows";
import { because, inWords, noted, planned, refused, wished } from "./decided";
import { trail } from "./trail";

export interface Sent {
  id: number;
  side: string;
  quantity: string;
  price: string;
  instrument: string;
  status: string;
  order_type: string;
  purpose: string;
  reason: string;
  refusal_code: string;
  average_price: string | null;
  created_at: string;
  sent_at: string | null;
  acknowledged_at: string | null;
}

export interface Decision {
  id: number;
  strategy: string;
  trigger: string;
  event: string;
  version: number;
  status: string;
  outcome: string;
  due_at: string;
  started_at: string | null;
  finished_at: string | null;
  report: Report;
  error: string;
  orders: Sent[];
  previous: number | null;
  next: number | null;
}

export function Chain({ decision, except }: { decision: Decision; except?: number }) {
  const { report, orders } = decision;
  const others = orders.filter((order) => order.id !== except);
  return (
    <ol class="chain">
      <Link title="Due" at={decision.due_at}>
        <p>{because(decision.trigger, decision.event)}</p>
      </Link>
      <Link title="Saw" at={decision.started_at}>
        <Market report={report} />
      </Link>
      <Link title="Wanted">
        <Lines lines={[...wished(report), ...noted(report)]} none={decision.error ? "" : "nothing: it stated no wish"} />
        {decision.error ? <p class="bad">{decision.error}</p> : null}
      </Link>
      <Link title="Planned">
        <Lines lines={planned(report)} none="nothing to do: what it wants is what there is" />
      </Link>
      <Link title="Risk" level={report.refusals?.length ? "bad" : "good"}>
        <Review report={report} />
      </Link>
      <Link title={except === undefined ? "Sent" : "Besides"} at={decision.finished_at} level={decision.status === "done" ? "" : "bad"}>
        {others.length > 0 ? (
          <ul class="sent">
            {others.map((order) => (
              <OneSent key={order.id} order={order} />
            ))}
          </ul>
        ) : (
          <p class="muted">{except === undefined ? (decision.status === "done" ? decision.outcome : `${decision.status}: nothing was sent`) : "no other order"}</p>
        )}
      </Link>
    </ol>
  );
}

interface LinkProps {
  title: string;
  at?: string | null;
  level?: "good" | "bad" | "";
  children: ComponentChildren;
}

function Link({ title, at, level = "", children }: LinkProps) {
  return (
    <li class={level}>
      <b>{title}</b>
      <div>{children}</div>
      <time>{at ? fine(at) : ""}</time>
    </li>
  );
}

function Lines({ lines, none }: { lines: string[]; none: string }) {
  if (lines.length === 0) return none ? <p class="muted">{none}</p> : null;
  return (
    <ul>
      {lines.map((line, index) => (
        <li key={index}>{line}</li>
      ))}
    </ul>
  );
}

function Market({ report }: { report: Report }) {
  const keys = [...new Set([...Object.keys(report.seen ?? {}), ...Object.keys(report.age_ms ?? {})])];
  if (keys.length === 0) return <p class="muted">no market</p>;
  return (
    <ul>
      {keys.map((key) => (
        <li key={key}>
          <span class="number">
            {key}
            {report.seen?.[key]?.price ? ` at ${exact(report.seen[key].price)}` : ""}
          </span>
          <span class="muted"> {around(report, key)}</span>
        </li>
      ))}
    </ul>
  );
}

function around(report: Report, key: string): string {
  const seen = report.seen?.[key];
  const age = report.age_ms?.[key];
  const told = [
    age === undefined ? "" : age === null ? "never heard" : `${milliseconds(age)} old`,
    seen ? (Number(seen.held) === 0 ? "held nothing" : `held ${exact(Number(seen.held).toString())}`) : "",
    seen?.working ? `${seen.working} orders working` : "",
  ];
  return told.filter(Boolean).join(" · ");
}

function Review({ report }: { report: Report }) {
  const refusals = report.refusals ?? [];
  if (refusals.length === 0) {
    return <p>{(report.plan ?? []).length > 0 ? "let all of it through" : "had nothing to say"}</p>;
  }
  return (
    <ul>
      {refusals.map((one, index) => (
        <li key={index}>
          <span class="bad">refused: {refused(one)}</span>
        </li>
      ))}
    </ul>
  );
}

function OneSent({ order }: { order: Sent }) {
  const took = order.sent_at && order.acknowledged_at ? `acknowledged in ${milliseconds(Date.parse(order.acknowledged_at) - Date.parse(order.sent_at))}` : "";
  const why = order.refusal_code ? inWords(order.refusal_code, "", "") : took;
  return (
    <li>
      <button type="button" class="link" onClick={() => trail.go({ kind: "order", id: String(order.id) })}>
        {order.side} {exact(order.quantity)} {order.instrument} @ {exact(order.average_price ?? order.price)}
      </button>
      <span class="muted">
        {" "}
        {[words(order.status), words(order.purpose), why].filter(Boolean).join(" · ")}
      </span>
    </li>
  );
}
