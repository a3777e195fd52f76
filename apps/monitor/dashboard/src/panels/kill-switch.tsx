// Stopping, and letting go again: what exactly, how, and why; then what has become of it.

import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { write } from "../api";
import { milliseconds, words } from "../format";
import { ago } from "../now";
import { may, page } from "../page";
import { Empty, Panel } from "../panel";
import { useTopic } from "../stream/hooks";
import type { Drill, Gate, Release, Veto } from "../stream/rows";
import { attempt } from "./acting";
import { enough, useSubmit } from "./asking";

const EVERYTHING = "everything:*";

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

/** The ways that who looks may go. */
function offered(): Way[] {
  return (Object.keys(WAYS) as Way[]).filter((way) => may(way === "release" ? "release" : "stop"));
}

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
  const [way, setWay] = useState<Way>(offered().includes(firstWay) ? firstWay : "release");
  const [reason, setReason] = useState("");
  const [sure, setSure] = useState(false);
  const scopes = useScopes(first);
  const mode = way === "reducing" ? "reducing" : "halted";
  const done = way === "release" ? `${scope}: release asked for` : `${scope}: ${WAYS[way].title.toLowerCase()} engaged`;
  const work = () =>
    way === "release" ? write("/risk/releases", { scope, reason }) : write("/risk/halt", { scope, reason, mode, flatten: way === "flatten" });
  const { busy, trouble, submit } = useSubmit(work, done, () => (asked.value = null));
  return (
    <form class="form kill-form" onSubmit={submit}>
      <h2 id="kill-title">Kill switch</h2>
      <label>
        What
        <select name="scope" value={scope} onChange={(event) => setScope(event.currentTarget.value)}>
          {scopes.map((one) => (
            <option key={one} value={one}>
              {one === "everything" ? "everything" : one.replace(":", " ")}
            </option>
          ))}
        </select>
      </label>
      <fieldset>
        <legend>How</legend>
        {offered().map((one) => (
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
        <input name="reason" required minLength={3} maxLength={250} value={reason} autocomplete="off" onInput={(event) => setReason(event.currentTarget.value)} />
      </label>
      <label class="choice">
        <input type="checkbox" name="sure" checked={sure} onChange={(event) => setSure(event.currentTarget.checked)} />
        <span>I mean {scope === "everything" ? "everything" : scope.replace(":", " ")}</span>
      </label>
      <p class="trouble" role="alert">
        {trouble?.text}
      </p>
      <div class="dialog-foot">
        <button type="button" class="quiet" onClick={() => (asked.value = null)}>
          Back
        </button>
        <button type="submit" class={way === "release" ? "primary" : "kill"} disabled={!sure || !enough(reason) || busy}>
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
  const rest = [...[...venues.keys()].map((code) => `venue:${code}`), ...accounts, ...[...gates.keys()].filter((key) => key !== EVERYTHING), ...[...strategies.keys()].map((slug) => `strategy:${slug}`)];
  return [...new Set(["everything", first, ...rest])];
}

export function Stops() {
  const gates = useTopic("gates");
  const vetoes = useTopic("vetoes");
  const releases = useTopic("releases").rows;
  const drills = [...useTopic("drills").rows].sort(([a], [b]) => Number(b) - Number(a)).slice(0, 3);
  const stopped = [...gates.rows.values()].filter((gate) => gate.mode !== "active");
  const running = [...vetoes.rows].sort(([a], [b]) => Number(b) - Number(a)).slice(0, 12);
  return (
    <Panel title="Stops" area="stops" trouble={gates.trouble || vetoes.trouble} loading={gates.seq < 0} aside={<Rehearse />}>
      {stopped.length === 0 && gates.seq >= 0 ? <Empty>Nothing is stopped.</Empty> : null}
      <ul class="lines">
        {[...releases].map(([key, release]) => (
          <Waiting key={key} id={key} release={release} />
        ))}
        {stopped.map((gate) => (
          <StoppedScope key={scopeOf(gate)} gate={gate} />
        ))}
        {running.map(([key, veto]) => (
          <Halting key={key} veto={veto} />
        ))}
        {drills.map(([key, drill]) => (
          <Rehearsed key={key} drill={drill} />
        ))}
      </ul>
    </Panel>
  );
}

function scopeOf(gate: Gate): string {
  return gate.kind === "everything" ? "everything" : `${gate.kind}:${gate.key}`;
}

/** A release that one person has asked for and another must agree to. */
function Waiting({ id, release }: { id: string; release: Release }) {
  const own = release.asked_by === page.person;
  return (
    <li>
      <span class="pill wait">release waits</span>
      <b>{release.scope}</b>
      <span class="muted grow" title={release.reason}>
        {release.reason} — {release.asked_by}
      </span>
      {may("release") && !own ? (
        <button type="button" class="small" onClick={() => attempt(`${release.scope} is released`, () => write(`/risk/releases/${id}/confirm`, {}))}>
          Agree
        </button>
      ) : null}
    </li>
  );
}

/** Rehearse the kill switch where no money is real. */
function Rehearse() {
  const accounts = [...new Set([...useTopic("strategies").rows.values()].map((row) => row.account))].sort();
  const [account, setAccount] = useState("");
  const chosen = account || accounts[0];
  if (!may("release") || page.realMoney || !chosen) return null;
  return (
    <>
      <select aria-label="Account to rehearse on" value={chosen} onChange={(event) => setAccount(event.currentTarget.value)}>
        {accounts.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
      <button type="button" class="small" onClick={() => attempt(`${chosen}: rehearsal begun`, () => write("/risk/drills", { scope: `account:${chosen}` }))}>
        Drill
      </button>
    </>
  );
}

function Rehearsed({ drill }: { drill: Drill }) {
  const level = drill.state === "passed" ? "good" : drill.state === "failed" ? "bad" : "wait";
  return (
    <li title={drill.problems.join("\n")}>
      <span class={`pill ${level}`}>drill {words(drill.state)}</span>
      <span class="grow">{drill.scope}</span>
      <span class="muted">
        {drill.done_ms === null ? ago(drill.asked) : `first cancel ${milliseconds(drill.first_cancel_ms)}, done ${milliseconds(drill.done_ms)}`}
      </span>
    </li>
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
      {may("release") ? (
        <button type="button" class="small" onClick={() => stopping.open(scopeOf(gate), "release")}>
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
