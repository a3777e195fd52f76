// Changing a limit: what it is, who set it to what, what it shall be and why. What somebody else changed meanwhile is
// told, never overwritten.

import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { read, Refused, tagged, write } from "../api";
import { exact, words } from "../format";
import { ago } from "../now";
import { page } from "../page";
import { useTopic } from "../stream/hooks";
import { Dialog, enough, Foot, Sure, useSubmit, Why } from "./asking";
import { Decimal } from "./ticket";

/** The number of the limit that is changed; null for a new one. */
const asked = signal<{ number: number | null } | null>(null);

export const limitForm = {
  open: (number: number | null) => {
    asked.value = { number };
  },
};

const close = () => {
  asked.value = null;
};

export function LimitDialog() {
  const open = asked.value;
  return (
    <Dialog open={open !== null} title="limit-title" onClose={close}>
      {open ? open.number === null ? <Fresh /> : <Change key={open.number} number={open.number} /> : null}
    </Dialog>
  );
}

interface Limit {
  id: number;
  kind: string;
  scope_kind: string;
  scope_key: string;
  value: string;
  currency: string;
  active: boolean;
  version: number;
}

interface Changed {
  version: number;
  value: string;
  active: boolean;
  actor: string;
  at: string;
}

interface Seen {
  limit: Limit;
  tag: string;
  changes: Changed[];
}

async function look(number: number): Promise<Seen> {
  const [{ answer, tag }, changes] = await Promise.all([
    tagged<Limit>(`/risk/limits/${number}`),
    read<{ items: Changed[] }>(`/risk/limits/${number}/changes?limit=4`),
  ]);
  return { limit: answer, tag, changes: changes.items };
}

const OVERTAKEN = 412;

function Change({ number }: { number: number }) {
  const [seen, setSeen] = useState<Seen | null>(null);
  const [unread, setUnread] = useState("");
  useEffect(() => {
    let current = true;
    look(number).then(
      (found) => current && setSeen(found),
      (error: unknown) => current && setUnread(error instanceof Error ? error.message : String(error)),
    );
    return () => {
      current = false;
    };
  }, [number]);
  if (unread) return <p class="form bad">{unread}</p>;
  return seen ? <ChangeForm seen={seen} onLook={setSeen} /> : <p class="form muted">…</p>;
}

function ChangeForm({ seen, onLook }: { seen: Seen; onLook: (seen: Seen) => void }) {
  const { limit, tag, changes } = seen;
  const [value, setValue] = useState(limit.value);
  const [active, setActive] = useState(limit.active);
  const [reason, setReason] = useState("");
  const [sure, setSure] = useState(false);
  const looser = !active || Number(value) > Number(limit.value);
  const send = async () => {
    try {
      await write(`/risk/limits/${limit.id}`, { value, active, reason: reason.trim() }, { method: "PATCH", tag });
    } catch (error) {
      if (!(error instanceof Refused && error.status === OVERTAKEN)) throw error;
      const now = await look(limit.id);
      onLook(now);
      throw new Refused(OVERTAKEN, overtaken(limit, now));
    }
  };
  const { busy, trouble, submit } = useSubmit(send, `${words(limit.kind)} of ${scope(limit)} is ${active ? exact(value) : "switched off"}`, close);
  const changed = Number(value) !== Number(limit.value) || active !== limit.active;
  return (
    <form class="form" onSubmit={submit}>
      <h2 id="limit-title">
        {page.limitKinds[limit.kind] ?? words(limit.kind)} <span class="muted">{scope(limit)}</span>
      </h2>
      <p>
        It is <b class="number">{exact(limit.value)}</b> {limit.currency}
        {limit.active ? "" : ", switched off"}. A change binds the next tick of every worker.
      </p>
      <Decimal name="value" title="It shall be" value={value} required trouble={trouble} onType={(text) => { setValue(text); setSure(false); }} />
      <label class="choice">
        <input type="checkbox" name="active" checked={active} onChange={(event) => setActive(event.currentTarget.checked)} />
        <span>It binds</span>
      </label>
      <Why reason={reason} onReason={setReason} trouble={trouble} />
      {looser && changed ? <Sure words="More may be risked than before" sure={sure} onSure={setSure} /> : null}
      <Foot submit="Set" busy={busy} trouble={trouble} ready={changed && Number(value) > 0 && enough(reason) && (sure || !looser)} onBack={close} />
      <History changes={changes} />
    </form>
  );
}

function overtaken(before: Limit, now: Seen): string {
  const by = now.changes[0];
  const who = by ? ` by ${by.actor}, ${ago(by.at)}` : "";
  return `Somebody changed it meanwhile${who}: it was ${exact(before.value)} and is ${exact(now.limit.value)}${now.limit.active ? "" : ", switched off"}. Nothing was set; look again and press once more if you still mean it.`;
}

function History({ changes }: { changes: Changed[] }) {
  if (changes.length === 0) return null;
  return (
    <section>
      <h3>Who set it to what</h3>
      <ul class="lines">
        {changes.map((change) => (
          <li key={change.version}>
            <b class="number">{exact(change.value)}</b>
            <span class="muted grow">
              {change.active ? "" : "switched off · "}
              {change.actor}
            </span>
            <span class="muted">{ago(change.at)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function scope({ scope_kind: kind, scope_key: key }: Limit): string {
  return kind === "everything" ? "everything" : `${kind} ${key}`;
}

/** A limit that is not there yet. One that is, is changed by it, as the command line does. */
function Fresh() {
  const scopes = useLimitScopes();
  const [kind, setKind] = useState("max_order_notional");
  const [where, setWhere] = useState("everything:*");
  const [value, setValue] = useState("");
  const [reason, setReason] = useState("");
  const [sure, setSure] = useState(false);
  const [scopeKind = "", scopeKey = "*"] = where.split(/:(.*)/);
  const body = { kind, scope_kind: scopeKind, scope_key: scopeKey, value, reason: reason.trim() };
  const { busy, trouble, submit } = useSubmit(() => write("/risk/limits", body), `${words(kind)} of ${where.replace(":", " ")} is ${exact(value)}`, close);
  return (
    <form class="form" onSubmit={submit}>
      <h2 id="limit-title">Set a limit</h2>
      <p class="muted">Of several limits on one thing the tightest binds. One that is set already is changed.</p>
      <label class="field">
        Kind
        <select name="kind" value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
          {Object.entries(page.limitKinds).map(([one, title]) => (
            <option key={one} value={one}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        Of
        <select name="scope" value={where} onChange={(event) => setWhere(event.currentTarget.value)}>
          {scopes.map((one) => (
            <option key={one} value={one}>
              {one === "everything:*" ? "everything" : one.replace(":", " ")}
            </option>
          ))}
        </select>
      </label>
      <Decimal name="value" value={value} required trouble={trouble} onType={setValue} />
      <Why reason={reason} onReason={setReason} trouble={trouble} />
      <Sure words="It binds the next tick of every worker" sure={sure} onSure={setSure} />
      <Foot submit="Set" busy={busy} trouble={trouble} ready={sure && Number(value) > 0 && enough(reason)} onBack={close} />
    </form>
  );
}

function useLimitScopes(): string[] {
  const strategies = useTopic("strategies").rows;
  const set = [...useTopic("limits").rows.values()].map((use) => use.where).filter(Boolean);
  const traded = [...strategies].flatMap(([slug, row]) => [`strategy:${slug}`, `account:${row.account}`, `venue:${row.venue}`]);
  return [...new Set(["everything:*", ...set, ...traded])].sort();
}
