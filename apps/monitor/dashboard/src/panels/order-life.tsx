// An order's whole life: who wanted it and why, what risk said, when each step was taken, and what came of it.

import { useEffect, useState } from "preact/hooks";
import { read } from "../api";
import { clock, exact, fine, milliseconds, money, signed, words } from "../format";
import { may } from "../page";
import { useTopic } from "../stream/hooks";
import { askCancel } from "./by-hand";
import { Chain, type Decision, type Sent } from "./chain";
import { because, inWords, said } from "./decided";
import { stagesOf, useDecision } from "./decision";
import { Stages } from "./stages";

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

interface Life extends Sent {
  strategy: string;
  account: string;
  time_in_force: string;
  trigger_price: string | null;
  arrival_price: string | null;
  filled_quantity: string;
  refusal_limit: string;
  refusal_value: string;
  by_hand: string;
  venue_order_id: string;
  tick_id: string;
  steps: Step[];
  fills: LifeFill[];
  stages_ms: Record<string, number>;
}

const NUMBER = /^\d+$/;

export function WholeOrder({ id, onTitle }: { id: string; onTitle: (title: string) => void }) {
  const [told, setTold] = useState<Life | null>(null);
  const [trouble, setTrouble] = useState("");
  const row = useTopic("orders").rows.get(id);
  useEffect(() => {
    let current = true;
    read<Life>(`/orders/${id}`).then(
      (found) => {
        if (!current) return;
        setTold(found);
        onTitle(`${words(found.side)} ${exact(found.quantity)} ${found.instrument}`);
      },
      (error: unknown) => current && setTrouble(String(error instanceof Error ? error.message : error)),
    );
    return () => {
      current = false;
    };
  }, [id, row?.updated]);
  // Orders by hand, of halts and of ticks that are long gone have none.
  const { decision } = useDecision(told && NUMBER.test(told.tick_id) ? told.tick_id : null);
  if (trouble) return <p class="bad">{trouble}</p>;
  return told ? <Story told={told} decision={decision} working={row?.working ?? false} /> : <p class="muted">…</p>;
}

function Story({ told, decision, working }: { told: Life; decision: Decision | null; working: boolean }) {
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
      {working && may("cancel") ? (
        <button type="button" class="danger" onClick={() => askCancel({ ...told, id: String(told.id), symbol: told.instrument })}>
          Cancel this order
        </button>
      ) : null}
      <section>
        <h3>Why</h3>
        <ul class="reasons">
          {reasons(told, decision).map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      </section>
      {decision ? (
        <section>
          <h3>The decision that caused it</h3>
          <Chain decision={decision} except={told.id} />
        </section>
      ) : null}
      <Steps steps={told.steps} />
      <Fills fills={told.fills} />
      <Stages title="How long each stage took" stages={told.stages_ms} />
      {decision ? <Stages title="Where the decision's time went" stages={stagesOf(decision)} /> : null}
    </>
  );
}

function Steps({ steps }: { steps: Step[] }) {
  return (
    <section>
      <h3>Steps</h3>
      <ol class="steps">
        {steps.map((step, index) => (
          <li key={index} class={step.status_to}>
            <time>{fine(step.at)}</time>
            <b>{words(step.status_to)}</b>
            <span class="muted">
              {step.source}
              {step.detail ? ` · ${step.detail}` : ""}
            </span>
            <span class="number">{index === 0 ? "" : `+${milliseconds(step.ms - (steps[index - 1]?.ms ?? 0))}`}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Fills({ fills }: { fills: LifeFill[] }) {
  if (fills.length === 0) return null;
  return (
    <section>
      <h3>Fills</h3>
      <ul class="lines">
        {fills.map((fill) => (
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
    </section>
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

function sentence(told: Life): string {
  const did = told.status === "filled" ? (told.side === "buy" ? "bought" : "sold") : told.side === "buy" ? "wanted to buy" : "wanted to sell";
  const last = told.steps.at(-1);
  const took = last && last.ms > 0 ? ` within ${milliseconds(last.ms)}` : "";
  const price = told.average_price ?? told.price;
  return `${told.strategy} ${did} ${exact(told.quantity)} ${told.instrument} at ${exact(price)}; it is ${words(told.status)}${took}.`;
}

function reasons(told: Life, decision: Decision | null): string[] {
  const refusal = told.refusal_code ? [`Risk refused it: ${inWords(told.refusal_code, told.refusal_value, told.refusal_limit)}`] : [];
  const decided = decision ? [`${told.strategy} decided at ${clock(decision.due_at)} because ${because(decision.trigger, decision.event)}`] : [];
  const about = decision ? said(decision.report).filter((line) => line.includes(told.instrument.split(":")[1] ?? "")).slice(0, 2) : [];
  // A refusal's reason is its code again.
  const own = [told.by_hand, told.refusal_code ? "" : told.reason].filter(Boolean);
  const lines = [...new Set([...refusal, ...own, ...decided, ...about])];
  return lines.length > 0 ? lines : ["Nobody wrote down a reason."];
}
