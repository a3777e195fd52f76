// The latest decisions of all strategies; each opens what was seen, wanted, refused and sent.

import { useState } from "preact/hooks";
import { clock, milliseconds, words } from "../format";
import { Empty, Panel } from "../panel";
import { useTopic } from "../stream/hooks";
import type { Did, Tick } from "../stream/rows";
import { said } from "./decided";
import { trail } from "./trail";

const SHOWN = 40;

export function Decisions() {
  const { rows, trouble, seq } = useTopic("ticks");
  const [all, setAll] = useState(false);
  const ticks = [...rows].filter(([, tick]) => all || acted(tick)).sort(([a], [b]) => Number(b) - Number(a));
  const aside = (
    <span class="segments" role="group" aria-label="Which decisions">
      <button type="button" aria-pressed={!all} onClick={() => setAll(false)}>
        that acted
      </button>
      <button type="button" aria-pressed={all} onClick={() => setAll(true)}>
        all
      </button>
    </span>
  );
  return (
    <Panel title="Decisions" area="ticks" trouble={trouble} loading={seq < 0} aside={aside}>
      {ticks.length === 0 && seq >= 0 ? <Empty>{rows.size === 0 ? "No strategy has decided yet." : "Lately none changed anything."}</Empty> : null}
      <ul class="decisions">
        {ticks.slice(0, SHOWN).map(([key, tick]) => (
          <One key={key} id={key} tick={tick} />
        ))}
      </ul>
    </Panel>
  );
}

function acted(tick: Tick): boolean {
  return tick.status === "failed" || Object.values(tick.did).some((count) => count > 0);
}

function One({ id, tick }: { id: string; tick: Tick }) {
  const level = tick.status !== "done" ? "bad" : tick.did.refused > 0 ? "wait" : acted(tick) ? "good" : "calm";
  return (
    <li class={level}>
      <button type="button" class="row" data-tick={id} onClick={() => trail.open({ kind: "tick", id })}>
        <span class="decision-head">
          <b>{tick.strategy}</b>
          <span class={level}>{outcome(tick.status, tick.did)}</span>
          <span class="muted number" title={stages(tick)}>
            {clock(tick.at)} · {milliseconds(tick.took_ms)}
          </span>
        </span>
        <span class="muted decision-why">{tick.error || said(tick.why)[0] || `due by ${words(tick.trigger)}`}</span>
      </button>
    </li>
  );
}

export function outcome(status: string, did: Did): string {
  if (status !== "done") return status;
  const told = Object.entries(did).filter(([, count]) => count > 0).map(([name, count]) => `${count} ${name}`);
  return told.join(", ") || "no change";
}

function stages(tick: Tick): string {
  const each = Object.entries(tick.stages_ms).map(([name, value]) => `${name} ${milliseconds(value)}`);
  return [`waited ${milliseconds(tick.waited_ms)}`, ...each].join("\n");
}
