// The question before something is done: what it does, why it is wanted, and once more where money moves.

import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { said, tried, type Trouble } from "./acting";

export interface Question {
  title: string;
  explains: string;
  /** What is confirmed where money moves; without it a reason is enough. */
  sure?: string;
  submit: string;
  danger?: boolean;
  done: string;
  work: (reason: string) => Promise<unknown>;
}

const asked = signal<Question | null>(null);

export function ask(question: Question): void {
  asked.value = question;
}

export function AskDialog() {
  const question = asked.value;
  return (
    <Dialog open={question !== null} title="ask-title" onClose={() => (asked.value = null)}>
      {question ? <Form key={question.title} question={question} /> : null}
    </Dialog>
  );
}

interface DialogProps {
  open: boolean;
  title: string;
  kind?: string;
  onClose: () => void;
  children: ComponentChildren;
}

/** A dialog over the page. Escape closes it; a press beside it closes what has nothing typed in: the drawers. */
export function Dialog({ open, title, kind = "", onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open && !dialog.current?.open) dialog.current?.showModal();
    if (!open && dialog.current?.open) dialog.current.close();
  }, [open]);
  const outside = (event: MouseEvent) => {
    if (kind === "drawer" && event.target === dialog.current) onClose();
  };
  return (
    <dialog ref={dialog} class={`dialog ${kind}`} aria-labelledby={title} onClose={onClose} onMouseDown={outside}>
      {children}
    </dialog>
  );
}

function Form({ question }: { question: Question }) {
  const [reason, setReason] = useState("");
  const [sure, setSure] = useState(question.sure === undefined);
  const { busy, trouble, submit } = useSubmit(() => question.work(reason.trim()), question.done, () => (asked.value = null));
  return (
    <form class="form" onSubmit={submit}>
      <h2 id="ask-title">{question.title}</h2>
      <p class="muted">{question.explains}</p>
      <Why reason={reason} onReason={setReason} trouble={trouble} />
      {question.sure ? <Sure words={question.sure} sure={sure} onSure={setSure} /> : null}
      <Foot submit={question.submit} busy={busy} ready={sure && enough(reason)} trouble={trouble} danger={question.danger ?? false} onBack={() => (asked.value = null)} />
    </form>
  );
}

const SHORTEST_REASON = 3;

export function enough(reason: string): boolean {
  return reason.trim().length >= SHORTEST_REASON;
}

/** What a form does when it is sent: once at a time, and what was refused stays in it. */
export function useSubmit(work: () => Promise<unknown>, done: string, over: () => void) {
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    const found = await tried(work).finally(() => setBusy(false));
    setTrouble(found);
    if (found?.field) document.querySelector<HTMLElement>(`dialog[open] [name="${found.field}"]`)?.focus();
    if (found !== null) return;
    said.value = { good: true, text: done };
    over();
  };
  return { busy, trouble, setTrouble, submit };
}

export function Why({ reason, onReason, trouble }: { reason: string; onReason: (reason: string) => void; trouble: Trouble | null }) {
  return (
    <label class="field">
      Why
      <input
        name="reason" required minLength={SHORTEST_REASON} maxLength={250} value={reason} autocomplete="off"
        placeholder="for the record: somebody will want to know" aria-invalid={trouble?.field === "reason"}
        onInput={(event) => onReason(event.currentTarget.value)}
      />
    </label>
  );
}

export function Sure({ words, sure, onSure }: { words: string; sure: boolean; onSure: (sure: boolean) => void }) {
  return (
    <label class="choice">
      <input type="checkbox" name="sure" checked={sure} onChange={(event) => onSure(event.currentTarget.checked)} />
      <span>{words}</span>
    </label>
  );
}

interface FootProps {
  submit: string;
  busy: boolean;
  ready: boolean;
  danger?: boolean;
  trouble: Trouble | null;
  onBack: () => void;
}

export function Foot({ submit, busy, ready, danger = false, trouble, onBack }: FootProps) {
  return (
    <>
      <p class="trouble" role="alert">
        {trouble?.text}
      </p>
      <div class="dialog-foot">
        <button type="button" class="quiet" onClick={onBack}>
          Back
        </button>
        <button type="submit" class={danger ? "kill" : "primary"} disabled={!ready || busy}>
          {busy ? "…" : submit}
        </button>
      </div>
    </>
  );
}
