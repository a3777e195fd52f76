// How the platform itself does: venues, queues, breakers.

import { exact, milliseconds, percent, span, words } from "../format";
import { ago } from "../now";
import { Empty, Panel } from "../panel";
import { useTopic } from "../stream/hooks";
import type { Breaker, Venue } from "../stream/rows";

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
    <li title={venue.reasons.join("\n")}>
      <div>
        <i class={`dot ${LEVEL[venue.state]}`} aria-hidden="true" />
        <b>{code}</b>
        <span class={`pill ${LEVEL[venue.state]}`}>{venue.state}</span>
        <span class="muted">for {span(venue.for_seconds)}</span>
      </div>
      <dl class="small-facts">
        <div>
          <dt>data age</dt>
          <dd>{venue.data_age === null ? "never" : `${venue.data_age.toFixed(1)} s`}</dd>
        </div>
        <div>
          <dt>95 of 100 answers</dt>
          <dd>{venue.slow_ms === null ? "none asked" : milliseconds(venue.slow_ms)}</dd>
        </div>
        <div>
          <dt>errors</dt>
          <dd>{percent(venue.error_share)}</dd>
        </div>
      </dl>
      {venue.reasons.length > 0 && venue.state !== "ok" ? <p class="muted">{venue.reasons.join("; ")}</p> : null}
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
      <b>{state.breaker}</b>
      <span class="muted grow">{state.scope}</span>
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
