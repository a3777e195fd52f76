// How the platform itself does: venues, queues, breakers.

import { useState } from "preact/hooks";
import { exact, milliseconds, percent, span, words } from "../format";
import { ago } from "../now";
import { Empty, Panel } from "../panel";
import { useTopic } from "../stream/hooks";
import type { Breaker, Budget, Venue } from "../stream/rows";
import { Meter } from "./money";

const LEVEL = { ok: "good", degraded: "wait", down: "bad" } as const;

export function Venues() {
  const { rows, trouble, seq } = useTopic("venues");
  return (
    <Panel title="Venues" area="venues" trouble={trouble} loading={seq < 0}>
      {rows.size === 0 && seq >= 0 ? <Empty>No venue is enabled.</Empty> : null}
      <ul class="venues">
        {[...rows].map(([code, venue]) => (
          <OneVenue key={code} code={code} venue={venue} />
        ))}
      </ul>
    </Panel>
  );
}

function OneVenue({ code, venue }: { code: string; venue: Venue }) {
  return (
    <li data-venue={code}>
      <div title={venue.reasons.join("\n")}>
        <i class={`dot ${LEVEL[venue.state]}`} aria-hidden="true" />
        <b>{code}</b>
        <span class={`pill ${LEVEL[venue.state]}`}>{venue.state}</span>
        <span class="muted">for {span(venue.for_seconds)}</span>
      </div>
      <dl class="small-facts">
        <div>
          <dt>stream age</dt>
          <dd>{venue.data_age === null ? "never" : `${venue.data_age.toFixed(1)} s`}</dd>
        </div>
        <div>
          <dt title="95 of 100 answers come within this time">latency</dt>
          <dd>{venue.slow_ms === null ? "none asked" : milliseconds(venue.slow_ms)}</dd>
        </div>
        <div>
          <dt>errors</dt>
          <dd title={`${venue.errors} of ${venue.requests} requests`}>{percent(venue.error_share)}</dd>
        </div>
      </dl>
      {venue.reasons.length > 0 && venue.state !== "ok" ? <p class="muted">{venue.reasons.join("; ")}</p> : null}
      <Budgets budgets={venue.budgets} />
    </li>
  );
}

const BUDGETS_SHOWN = 2;

/** How much of the venue's patience is used: the fullest, and all of them when asked. */
function Budgets({ budgets }: { budgets: Budget[] }) {
  const [all, setAll] = useState(false);
  if (budgets.length === 0) return <p class="muted">no limits are counted</p>;
  return (
    <ul class="budgets">
      {budgets.slice(0, all ? undefined : BUDGETS_SHOWN).map((budget) => (
        <OneBudget key={budget.owner + budget.name} budget={budget} />
      ))}
      {budgets.length > BUDGETS_SHOWN ? (
        <li>
          <button type="button" class="link muted" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? "fewer" : `${budgets.length - BUDGETS_SHOWN} more limits`}
          </button>
        </li>
      ) : null}
    </ul>
  );
}

function OneBudget({ budget }: { budget: Budget }) {
  const { owner, name, spent, of, room, reserved_room: exits, foremost_room: halts, seconds, share } = budget;
  const each = seconds === null ? "in all" : `each ${span(seconds)}`;
  return (
    <li title={`${exact(spent)} of ${exact(of)} ${each}; left for orders ${exact(room)}, for cancels and exits ${exact(exits)}, for halts ${exact(halts)}`}>
      <span class="grow">
        {words(name)} <small class="muted">{owner}</small>
      </span>
      <Meter used={share} label={`${name} of ${owner}: ${percent(share)} used`} />
      <span class="number muted">
        {exact(room)} <small>+{exact(halts - room)}</small>
      </span>
    </li>
  );
}

export function Queues() {
  const { rows, trouble, seq } = useTopic("queues");
  const most = Math.max(10, ...[...rows.values()].map((row) => row.waiting));
  return (
    <Panel title="Queues" area="queues" trouble={trouble} loading={seq < 0}>
      <ul class="queues">
        {[...rows].map(([name, row]) => (
          <li key={name}>
            <span>{name}</span>
            <span class="meter">
              <i class={row.waiting > 100 ? "wait" : "good"} style={{ width: `${(100 * row.waiting) / most}%` }} />
            </span>
            <span class="number">{row.waiting}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

export function Breakers() {
  const { rows, trouble, seq } = useTopic("breakers");
  const states = [...rows].sort(([, a], [, b]) => rank(a) - rank(b) || use(b) - use(a));
  return (
    <Panel title="Circuit breakers" area="breakers" trouble={trouble} loading={seq < 0} aside={<a href="/admin/risk/breakerstate/">All</a>}>
      {states.length === 0 && seq >= 0 ? <Empty>The guard has not looked yet.</Empty> : null}
      <ul class="lines">
        {states.slice(0, 14).map(([key, state]) => (
          <OneBreaker key={key} state={state} />
        ))}
      </ul>
    </Panel>
  );
}

function OneBreaker({ state }: { state: Breaker }) {
  const level = state.mode === "closed" ? "good" : state.mode === "open" ? "bad" : "wait";
  return (
    <li title={state.metric}>
      <span class={`pill ${level}`}>{words(state.mode)}</span>
      <b class="grow" title={state.scope}>
        {state.breaker} <small class="muted">{state.scope}</small>
      </b>
      <span class="number">
        {figure(state, state.reading)} / {figure(state, state.threshold)}
      </span>
      {state.mode === "closed" ? null : <span class="muted">{ago(state.since)}</span>}
    </li>
  );
}

function figure(state: Breaker, value: string | null): string {
  if (value === null) return "not known";
  return state.share ? percent(value, Number(value) >= 0.01 ? 0 : 2) : exact(Number(Number(value).toPrecision(3)));
}

function rank(state: Breaker): number {
  return ["open", "half_open"].indexOf(state.mode) >= 0 ? 0 : 1;
}

function use(state: Breaker): number {
  return state.reading === null ? 0 : Number(state.reading) / Number(state.threshold);
}
