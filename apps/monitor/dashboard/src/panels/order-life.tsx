// An order's whole life: who wanted it and why, what risk said, when each step was taken, and what came of it.

import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { read } from "../api";
import { clock, exact, milliseconds, money, signed, words } from "../format";
import { useTopic } from "../stream/hooks";
import type { Report } from "../stream/rows";
import { said } from "./strategies";

const shown = signal<string | null>(null);

export const life = {
  open: (id: string) => {
    shown.value = id;
  },
};

interface Step {
  at: string;
  source: string;
  before: string;
  after: string;
  detail: string;
}

interface LifeFill {
  at: string;
  price: string;
  quantity: string;
  fee: string;
  realised: string;
  liquidity: string;
}

export interface Life {
  id: string;
  strategy: string;
  account: string;
  instrument: string;
  side: string;
  order_type: string;
  time_in_force: string;
  purpose: string;
  quantity: string;
  price: string;
  trigger_price: string | null;
  arrival_price: string | null;
  status: string;
  filled_quantity: string;
  average_price: string | null;
  reason: string;
  refusal: string | null;
  venue_order_id: string;
  steps: Step[];
  fills: LifeFill[];
  tick: { id: string; trigger: string; event: string; due_at: string; report: Report } | null;
}

export function OrderLife() {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = shown.value;
  useEffect(() => {
    if (id && !dialog.current?.open) dialog.current?.showModal();
    if (!id && dialog.current?.open) dialog.current.close();
  }, [id]);
  const outside = (event: MouseEvent) => {
    if (event.target === dialog.current) shown.value = null;
  };
  return (
    <dialog ref={dialog} class="dialog drawer" aria-labelledby="life-title" onClose={() => (shown.value = null)} onClick={outside}>
      {id ? <Whole key={id} id={id} /> : null}
    </dialog>
  );
}

function Whole({ id }: { id: string }) {
  const [told, setTold] = useState<Life | null>(null);
  const [trouble, setTrouble] = useState("");
  const updated = useTopic("orders").rows.get(id)?.updated;
  useEffect(() => {
    let current = true;
    read<Life>(`/orders/${id}`).then(
      (answer) => current && setTold(answer),
      (error: unknown) => current && setTrouble(String(error instanceof Error ? error.message : error)),
    );
    return () => {
      current = false;
    };
  }, [id, updated]);
  return (
    <article class="life">
      <header>
        <h2 id="life-title">{told ? `${words(told.side)} ${exact(told.quantity)} ${told.instrument}` : "Order"}</h2>
        <button type="button" class="quiet" aria-label="Close" onClick={() => (shown.value = null)}>
          ✕
        </button>
      </header>
      {trouble ? <p class="bad">{trouble}</p> : null}
      {told ? <Story told={told} /> : null}
    </article>
  );
}

function Story({ told }: { told: Life }) {
  return (
    <>
      <p class="story">{sentence(told)}</p>
      <dl class="facts">
        <Fact name="Order" value={`${words(told.order_type)} ${told.time_in_force} ${words(told.purpose)}`} />
        <Fact name="Price" value={`${exact(told.price)}${told.trigger_price ? ` once ${exact(told.trigger_price)}` : ""}`} />
        <Fact name="Mid when planned" value={exact(told.arrival_price)} />
        <Fact name="Filled" value={`${exact(told.filled_quantity)} @ ${exact(told.average_price)}`} />
        <Fact name="Account" value={told.account} />
        <Fact name="Venue's number" value={told.venue_order_id || "none"} />
      </dl>
      <h3>Why</h3>
      <ul class="reasons">{reasons(told).map((line) => <li key={line}>{line}</li>)}</ul>
      <h3>Steps</h3>
      <ol class="steps">
        {told.steps.map((step, index) => (
          <li key={index} class={step.after}>
            <time>{clock(step.at)}</time>
            <b>{words(step.after)}</b>
            <span class="muted">
              {step.source}
              {step.detail ? ` · ${step.detail}` : ""}
            </span>
            <span class="number">{index === 0 ? "" : `+${milliseconds(Date.parse(step.at) - Date.parse(told.steps[index - 1]?.at ?? step.at))}`}</span>
          </li>
        ))}
      </ol>
      {told.fills.length > 0 ? <h3>Fills</h3> : null}
      <ul class="lines">
        {told.fills.map((fill, index) => (
          <li key={index}>
            <span class="number">
              {exact(fill.quantity)} @ {exact(fill.price)}
            </span>
            <span class="muted grow">
              {fill.liquidity} · fee {money(fill.fee, 4)}
            </span>
            <span class="number">{Number(fill.realised) === 0 ? "" : signed(fill.realised)}</span>
          </li>
        ))}
      </ul>
      {told.tick?.report.stages_ms ? <Stages stages={told.tick.report.stages_ms} /> : null}
    </>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Stages({ stages }: { stages: Record<string, number> }) {
  const whole = Object.values(stages).reduce((sum, value) => sum + value, 0) || 1;
  return (
    <>
      <h3>Where the tick's time went</h3>
      <ul class="stages">
        {Object.entries(stages).map(([name, value]) => (
          <li key={name}>
            <span>{name}</span>
            <span class="meter">
              <i style={{ width: `${(100 * value) / whole}%` }} />
            </span>
            <span class="number">{milliseconds(value)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function sentence(told: Life): string {
  const did = told.status === "filled" ? (told.side === "buy" ? "bought" : "sold") : told.side === "buy" ? "wanted to buy" : "wanted to sell";
  const first = told.steps[0];
  const last = told.steps.at(-1);
  const took = first && last && last !== first ? ` within ${milliseconds(Date.parse(last.at) - Date.parse(first.at))}` : "";
  const price = told.average_price ?? told.price;
  return `${told.strategy} ${did} ${exact(told.quantity)} ${told.instrument} at ${exact(price)}; it is ${words(told.status)}${took}.`;
}

function reasons(told: Life): string[] {
  const refusal = told.refusal ? [`Risk refused it: ${told.refusal}`] : [];
  const tick = told.tick ? [`Tick on ${told.tick.trigger} ${told.tick.event}`, ...said(told.tick.report)] : [];
  const lines = [...refusal, ...(told.reason ? [told.reason] : []), ...tick];
  return lines.length > 0 ? lines : ["Nobody wrote down a reason."];
}
