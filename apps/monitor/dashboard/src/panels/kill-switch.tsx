// Stopping, and letting go again: what exactly, how, and why; then what has become of it.

import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { write } from "../api";
import { milliseconds, words } from "../format";
import { ago } from "../now";
import { may } from "../page";
import { Empty, Panel } from "../panel";
import { useTopic } from "../stream/hooks";
import type { Gate, Veto } from "../stream/rows";
import { attempt } from "./acting";

type Way = "halt" | "flatten" | "reducing" | "release";

interface Asked {
  scope: string;
  way: Way;
}

const asked = signal<Asked | null>(null);

export const stopping = {
  open: (scope: string, way: Way = "halt") => {
    asked.value = { scope, way };
  },
};

const WAYS: Record<Way, { title: string; explains: string }> = {
  halt: { title: "Halt", explains: "Nothing is sent any more and every order is cancelled, stops too. Positions stay." },
  flatten: { title: "Halt and flatten", explains: "The same, and every position is closed." },
  reducing: { title: "Exits only", explains: "Nothing opens any more. Stops and other exits stay." },
  release: { title: "Release", explains: "Trading goes on in this scope." },
};

export function KillSwitchDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = asked.value;
  useEffect(() => {
    if (open && !dialog.current?.open) dialog.current?.showModal();
    if (!open && dialog.current?.open) dialog.current.close();
  }, [open]);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="kill-title" onClose={() => (asked.value = null)}>
      {open ? <Form key={open.scope + open.way} {...open} /> : null}
    </dialog>
  );
}

function Form({ scope: first, way: firstWay }: Asked) {
  const [scope, setScope] = useState(first);
  const [way, setWay] = useState<Way>(firstWay);
  const [reason, setReason] = useState("");
  const [sure, setSure] = useState(false);
  const scopes = useScopes(first);
  const allowed = may("stop");
  const submit = async (event: Event) => {
    event.preventDefault();
    const path = way === "release" ? "/risk/kill-switch/release" : "/risk/kill-switch/engage";
    const body = way === "release" ? { scope, reason } : { scope, reason, mode: way === "reducing" ? "reducing" : "halted", flatten: way === "flatten" };
    const done = way === "release" ? `${scope}: release asked for` : `${scope}: ${WAYS[way].title.toLowerCase()} engaged`;
    if (await attempt(done, () => write(path, body))) asked.value = null;
  };
  return (
    <form class={`kill-form ${way}`} onSubmit={submit}>
      <h2 id="kill-title">Kill switch</h2>
      <label>
        What
        <select name="scope" value={scope} onChange={(event) => setScope(event.currentTarget.value)}>
          {scopes.map((one) => (
            <option key={one} value={one}>
              {one === "everything:*" ? "everything" : one.replace(":", " ")}
            </option>
          ))}
        </select>
      </label>
      <fieldset>
        <legend>How</legend>
        {(Object.keys(WAYS) as Way[]).map((one) => (
          <label key={one} class="choice">
            <input type="radio" name="way" value={one} checked={way === one} onChange={() => setWay(one)} />
            <span>
              <b>{WAYS[one].title}</b>
              <small>{WAYS[one].explains}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <label>
        Why
        <input name="reason" required maxLength={300} value={reason} autocomplete="off" onInput={(event) => setReason(event.currentTarget.value)} />
      </label>
      <label class="choice">
        <input type="checkbox" name="sure" checked={sure} onChange={(event) => setSure(event.currentTarget.checked)} />
        <span>I mean {scope === "everything:*" ? "everything" : scope.replace(":", " ")}</span>
      </label>
      {allowed ? null : <p class="muted">You may look, not stop. Ask somebody who may.</p>}
      <div class="dialog-foot">
        <button type="button" class="quiet" onClick={() => (asked.value = null)}>
          Back
        </button>
        <button type="submit" class={way === "release" ? "primary" : "kill"} disabled={!allowed || !sure || !reason.trim()}>
          {WAYS[way].title}
        </button>
      </div>
    </form>
  );
}

/** Every scope there is to stop: what trades, and what is stopped already. */
function useScopes(first: string): string[] {
  const strategies = useTopic("strategies").rows;
  const venues = useTopic("venues").rows;
  const gates = useTopic("gates").rows;
  const accounts = [...strategies.values()].map((row) => `account:${row.account}`);
  const rest = [...[...venues.keys()].map((code) => `venue:${code}`), ...accounts, ...gates.keys(), ...[...strategies.keys()].map((slug) => `strategy:${slug}`)];
  return [...new Set(["everything:*", first, ...rest])];
}

export function Stops() {
  const gates = useTopic("gates");
  const vetoes = useTopic("vetoes");
  const stopped = [...gates.rows.values()].filter((gate) => gate.mode !== "active");
  const running = [...vetoes.rows].sort(([a], [b]) => Number(b) - Number(a)).slice(0, 12);
  return (
    <Panel title="Stops" area="stops" trouble={gates.trouble || vetoes.trouble} loading={gates.seq < 0}>
      {stopped.length === 0 && gates.seq >= 0 ? <Empty>Nothing is stopped.</Empty> : null}
      <ul class="lines">
        {stopped.map((gate) => (
          <StoppedScope key={`${gate.kind}:${gate.key}`} gate={gate} />
        ))}
        {running.map(([key, veto]) => (
          <Halting key={key} veto={veto} />
        ))}
      </ul>
    </Panel>
  );
}

function StoppedScope({ gate }: { gate: Gate }) {
  return (
    <li>
      <span class={`pill ${gate.mode === "halted" ? "bad" : "wait"}`}>{gate.mode}</span>
      <b>{gate.kind === "everything" ? "everything" : `${gate.kind} ${gate.key}`}</b>
      <span class="muted grow" title={gate.reason}>
        {gate.reason} — {gate.actor}, {ago(gate.at)}
      </span>
      {may("stop") ? (
        <button type="button" class="small" onClick={() => stopping.open(`${gate.kind}:${gate.key}`, "release")}>
          Release
        </button>
      ) : null}
    </li>
  );
}

function Halting({ veto }: { veto: Veto }) {
  const level = veto.stage === "done" ? "good" : veto.stage === "failed" ? "bad" : "wait";
  return (
    <li>
      <span class={`pill ${level}`}>{words(veto.stage)}</span>
      <span class="grow">
        {veto.flatten ? "flatten" : "halt"} {veto.scope} at {veto.venue}
        {veto.detail ? <small class="muted"> {veto.detail}</small> : null}
      </span>
      <span class="muted">{veto.done_ms === null ? ago(veto.engaged) : `in ${milliseconds(veto.done_ms)}`}</span>
    </li>
  );
}
