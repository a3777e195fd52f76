// Each strategy: may it trade, what does it hold and earn, what did it last decide, and why.

import { Empty, Panel } from "../panel";
import { direction, milliseconds, signed, words } from "../format";
import { ago } from "../now";
import { may } from "../page";
import { useTopic } from "../stream/hooks";
import type { Gate, Money, Position, Strategy } from "../stream/rows";
import { askStep, type Step } from "./by-hand";
import { said } from "./decided";
import { stopping } from "./kill-switch";
import { trail } from "./trail";

export function Strategies() {
  const { rows, trouble, seq } = useTopic("strategies");
  const gates = useTopic("gates").rows;
  const worth = useTopic("money").rows;
  const positions = [...useTopic("positions").rows.values()];
  const sorted = [...rows].sort(([a, one], [b, two]) => Number(two.enabled) - Number(one.enabled) || a.localeCompare(b));
  return (
    <Panel title="Strategies" area="strategies" trouble={trouble} loading={seq < 0} aside={<Count rows={rows} />}>
      {rows.size === 0 && seq >= 0 ? <Empty>No strategy yet. Add one in the admin.</Empty> : null}
      <ul class="strategies">
        {sorted.map(([slug, strategy]) => (
          <One
            key={slug}
            slug={slug}
            strategy={strategy}
            gate={gates.get(`strategy:${slug}`)}
            worth={worth.get(`strategy:${slug}`)}
            held={positions.filter((position) => position.strategy === slug)}
          />
        ))}
      </ul>
    </Panel>
  );
}

function Count({ rows }: { rows: ReadonlyMap<string, Strategy> }) {
  const running = [...rows.values()].filter((row) => row.enabled && !row.paused).length;
  return <span class="muted">{`${running} of ${rows.size} run`}</span>;
}

interface OneProps {
  slug: string;
  strategy: Strategy;
  gate: Gate | undefined;
  worth: Money | undefined;
  held: Position[];
}

function One({ slug, strategy, gate, worth, held }: OneProps) {
  const state = stateOf(strategy, gate);
  const profit = worth?.net_profit ?? null;
  return (
    <li class={`strategy ${state.level}`}>
      <div class="strategy-head">
        <i class={`dot ${state.level}`} aria-hidden="true" />
        <a href={`/admin/strategies/strategyrow/?q=${encodeURIComponent(slug)}`}>{slug}</a>
        <span class="muted">{words(strategy.kind)}</span>
        <span class={`pill ${state.level}`} title={state.why}>
          {state.word}
        </span>
        <span class={`strategy-profit ${direction(profit)}`} title="Profit with funding, after fees">
          {signed(profit)}
        </span>
      </div>
      <Why strategy={strategy} stopped={state.why} />
      <div class="strategy-foot">
        <span>{held.length > 0 ? held.map((p) => `${Number(p.quantity) > 0 ? "long" : "short"} ${p.symbol}`).join(", ") : "flat"}</span>
        <span title="From due to recorded">
          {strategy.tick_at ? `${ago(strategy.tick_at)} · ${milliseconds(strategy.tick_ms)}` : "never ticked"}
        </span>
        <Buttons slug={slug} strategy={strategy} />
      </div>
    </li>
  );
}

/** The last decision in short; a press shows all of it. */
function Why({ strategy, stopped }: { strategy: Strategy; stopped: string }) {
  const { tick } = strategy;
  const text = why(strategy, stopped);
  if (tick === null) return <p class="strategy-why">{text}</p>;
  return (
    <button type="button" class="strategy-why" title="What it saw, wanted and did" data-tick={tick} onClick={() => trail.open({ kind: "tick", id: String(tick) })}>
      {text}
    </button>
  );
}

function Buttons({ slug, strategy }: { slug: string; strategy: Strategy }) {
  const step: Step = !strategy.enabled ? "enable" : strategy.paused ? "resume" : "pause";
  const runs = strategy.enabled && !strategy.paused;
  return (
    <span class="buttons">
      {may(step === "pause" ? "pause" : "operate") ? (
        <button type="button" class="small" onClick={() => askStep(step, slug)}>
          {step}
        </button>
      ) : null}
      {runs && may("operate") ? (
        <button type="button" class="small" onClick={() => askStep("tick", slug)}>
          tick
        </button>
      ) : null}
      {may("stop") ? (
        <button type="button" class="small danger" onClick={() => stopping.open(`strategy:${slug}`)}>
          stop
        </button>
      ) : null}
    </span>
  );
}

interface State {
  word: string;
  level: "good" | "wait" | "bad" | "calm";
  why: string;
}

function stateOf(strategy: Strategy, gate: Gate | undefined): State {
  if (gate && gate.mode !== "active") return { word: gate.mode, level: gate.mode === "halted" ? "bad" : "wait", why: gate.reason };
  if (strategy.paused) return { word: "paused", level: "wait", why: strategy.paused };
  if (!strategy.enabled) return { word: "off", level: "calm", why: "not enabled" };
  if (strategy.tick_status === "failed") return { word: "fails", level: "bad", why: strategy.error ?? "" };
  return { word: words(strategy.stage), level: "good", why: "" };
}

/** The last decision in one sentence: what it wished for and why; before that, whatever kept it from deciding. */
function why(strategy: Strategy, stopped: string): string {
  if (strategy.error) return strategy.error;
  const report = strategy.report;
  if (!report) return stopped || "has not decided anything yet";
  return [stopped, ...said(report)].filter(Boolean).slice(0, 3).join(" · ") || "wants nothing changed";
}
