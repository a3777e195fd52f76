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
  ms: number;
  source: string;
  status_to: string;
  detail: string;
}

interface LifeFill {
  id: number;
  price: string;
  quantity: string;
  fee: string;
  realised: string;
  liquidity: string;
}

interface Life {
  id: number;
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
  refusal_code: string;
  refusal_limit: string;
  refusal_value: string;
  venue_order_id: string;
  tick_id: string;
  steps: Step[];
  fills: LifeFill[];
  stages_ms: Record<string, number>;
}

interface Tick {
  id: number;
  trigger: string;
  due_at: string;
  report: Report;
}

/** The tick that made an order; none for orders by hand, of halts, and of ticks that are long gone. */
async function tickOf(order: Life): Promise<Tick | null> {
  const number = Number(order.tick_id);
  if (!Number.isInteger(number)) return null;
  const path = `/strategies/${encodeURIComponent(order.strategy)}/ticks?limit=1&before=${number + 1}`;
  const found = await read<{ items: Tick[] }>(path).catch(() => null);
  const tick = found?.items[0];
  return tick && tick.id === number ? tick : null;
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
  const [tick, setTick] = useState<Tick | null>(null);
  const [trouble, setTrouble] = useState("");
  const updated = useTopic("orders").rows.get(id)?.updated;
  useEffect(() => {
    let current = true;
    read<Life>(`/orders/${id}`).then(
      (answer) => {
        if (!current) return;
        setTold(answer);
        void tickOf(answer).then((found) => current && setTick(found));
      },
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
      {told ? <Story told={told} tick={tick} /> : null}
    </article>
  );
}

function Story({ told, tick }: { told: Life; tick: Tick | null }) {
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
      <ul class="reasons">{reasons(told, tick).map((line) => <li key={line}>{line}</li>)}</ul>
      <h3>Steps</h3>
      <ol class="steps">
        {told.steps.map((step, index) => (
          <li key={index} class={step.status_to}>
            <time>{clock(step.at)}</time>
            <b>{words(step.status_to)}</b>
            <span class="muted">
              {step.source}
              {step.detail ? ` · ${step.detail}` : ""}
            </span>
            <span class="number">{index === 0 ? "" : `+${milliseconds(step.ms - (told.steps[index - 1]?.ms ?? 0))}`}</span>
          </li>
        ))}
      </ol>
      {told.fills.length > 0 ? <h3>Fills</h3> : null}
      <ul class="lines">
        {told.fills.map((fill) => (
          <li key={fill.id}>
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
      <Stages title="How long each stage took" stages={told.stages_ms} />
      <Stages title="Where the tick's time went" stages={tick?.report.stages_ms ?? {}} />
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

function Stages({ title, stages }: { title: string; stages: Record<string, number> }) {
  if (Object.keys(stages).length === 0) return null;
  const whole = Object.values(stages).reduce((sum, value) => sum + value, 0) || 1;
  return (
    <>
      <h3>{title}</h3>
      <ul class="stages">
        {Object.entries(stages).map(([name, value]) => (
          <li key={name}>
            <span>{words(name)}</span>
            <span class="meter">
              <i style={{ width: `${(100 * Math.max(0, value)) / whole}%` }} />
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
  const last = told.steps.at(-1);
  const took = last && last.ms > 0 ? ` within ${milliseconds(last.ms)}` : "";
  const price = told.average_price ?? told.price;
  return `${told.strategy} ${did} ${exact(told.quantity)} ${told.instrument} at ${exact(price)}; it is ${words(told.status)}${took}.`;
}

function reasons(told: Life, tick: Tick | null): string[] {
  const refusal = told.refusal_code ? [`Risk refused it: ${told.refusal_code} (${told.refusal_value}; ${told.refusal_limit})`] : [];
  const decided = tick ? [`Decided on ${tick.trigger} at ${clock(tick.due_at)}`, ...said(tick.report)] : [];
  const lines = [...new Set([...refusal, ...(told.reason ? [told.reason] : []), ...decided])];
  return lines.length > 0 ? lines : ["Nobody wrote down a reason."];
}
