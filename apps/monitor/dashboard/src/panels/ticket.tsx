// An order by hand: what, at which price, with which protection, and why. Risk reviews it as it does a strategy's.

import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { read, write } from "../api";
import { exact, money } from "../format";
import { useTopic } from "../stream/hooks";
import type { Price } from "../stream/rows";
import type { Trouble } from "./acting";
import { Dialog, enough, Foot, Sure, useSubmit, Why } from "./asking";
import { trail } from "./trail";

export interface Ticket {
  account: string;
  instrument: string;
  side: "buy" | "sell";
  quantity: string;
}

const asked = signal<Partial<Ticket> | null>(null);

export const ticket = {
  open: (about: Partial<Ticket> = {}) => {
    asked.value = about;
  },
};

export function TicketDialog() {
  const about = asked.value;
  return (
    <Dialog open={about !== null} title="ticket-title" onClose={() => (asked.value = null)}>
      {about ? <Form about={about} /> : null}
    </Dialog>
  );
}

interface Account {
  code: string;
  venue: string;
  currency: string;
  enabled: boolean;
}

const TIMES = { gtc: "until cancelled", post_only: "only as maker", ioc: "at once, or not", fok: "all at once, or not" } as const;

interface Draft extends Ticket {
  price: string;
  time_in_force: keyof typeof TIMES;
  stop: string;
  take_profit: string;
  reason: string;
}

const BLANK: Draft = { account: "", instrument: "", side: "buy", quantity: "", price: "", time_in_force: "gtc", stop: "", take_profit: "", reason: "" };

function Form({ about }: { about: Partial<Ticket> }) {
  const accounts = useAccounts();
  const prices = useTopic("prices").rows;
  const [draft, setDraft] = useState<Draft>({ ...BLANK, ...about });
  const [sure, setSure] = useState(false);
  const account = accounts.find((one) => one.code === draft.account) ?? accounts[0];
  const listed = [...prices.keys()].filter((key) => key.startsWith(`${account?.venue}:`));
  const instrument = listed.includes(draft.instrument) ? draft.instrument : (listed[0] ?? "");
  const whole: Draft = { ...draft, account: account?.code ?? "", instrument };
  const close = () => (asked.value = null);
  const { busy, trouble, submit } = useSubmit(() => place(whole), `${whole.instrument}: the order is on its way`, close);
  // What was confirmed is this order, not another one.
  const change = (part: Partial<Draft>) => {
    setDraft({ ...whole, ...part });
    setSure(false);
  };
  return (
    <form class="form ticket" onSubmit={submit}>
      <h2 id="ticket-title">Order by hand</h2>
      <div class="pair">
        <Choice name="account" value={whole.account} options={accounts.map((one) => one.code)} onPick={(code) => change({ account: code })} />
        <Choice name="instrument" value={instrument} options={listed} onPick={(key) => change({ instrument: key })} />
      </div>
      <Sides side={whole.side} price={prices.get(instrument)} onPick={(side) => change({ side })} />
      <div class="pair">
        <Decimal name="quantity" value={whole.quantity} trouble={trouble} required onType={(quantity) => change({ quantity })} />
        <Decimal name="price" value={whole.price} trouble={trouble} hint="at the market" onType={(price) => change({ price })} />
      </div>
      <div class="triple">
        <Decimal name="stop" value={whole.stop} trouble={trouble} hint="none" onType={(stop) => change({ stop })} />
        <Decimal name="take_profit" title="Take profit" value={whole.take_profit} trouble={trouble} hint="none" onType={(take_profit) => change({ take_profit })} />
        <label class="field">
          Good
          <select name="time_in_force" disabled={!whole.price} value={whole.time_in_force} onChange={(event) => change({ time_in_force: event.currentTarget.value as Draft["time_in_force"] })}>
            {Object.entries(TIMES).map(([value, title]) => (
              <option key={value} value={value}>
                {title}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Why reason={whole.reason} trouble={trouble} onReason={(reason) => setDraft({ ...whole, reason })} />
      <Sure words={sentence(whole, prices.get(instrument), account?.currency)} sure={sure} onSure={setSure} />
      <Foot
        submit={whole.side === "buy" ? "Buy" : "Sell"} busy={busy} trouble={trouble} onBack={close}
        ready={sure && enough(whole.reason) && Number(whole.quantity) > 0 && instrument !== ""}
      />
    </form>
  );
}

async function place(draft: Draft): Promise<void> {
  const asked = Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== ""));
  const placed = await write<{ items: { id: number }[] }>("/orders", draft.price ? asked : { ...asked, time_in_force: "gtc" });
  const first = placed.items[0];
  if (first) trail.open({ kind: "order", id: String(first.id) });
}

function useAccounts(): Account[] {
  const [accounts, setAccounts] = useState<Account[]>([]);
  useEffect(() => {
    let current = true;
    void read<{ items: Account[] }>("/accounts").then(
      (found) => current && setAccounts(found.items.filter((one) => one.enabled)),
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, []);
  return accounts;
}

function Choice({ name, value, options, onPick }: { name: string; value: string; options: string[]; onPick: (value: string) => void }) {
  return (
    <label class="field">
      {name === "account" ? "Account" : "Instrument"}
      <select name={name} value={value} onChange={(event) => onPick(event.currentTarget.value)}>
        {options.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
    </label>
  );
}

function Sides({ side, price, onPick }: { side: "buy" | "sell"; price: Price | undefined; onPick: (side: "buy" | "sell") => void }) {
  return (
    <div class="sides" role="group" aria-label="Side">
      <button type="button" class="buy" aria-pressed={side === "buy"} onClick={() => onPick("buy")}>
        Buy <small>{exact(price?.ask)}</small>
      </button>
      <button type="button" class="sell" aria-pressed={side === "sell"} onClick={() => onPick("sell")}>
        Sell <small>{exact(price?.bid)}</small>
      </button>
    </div>
  );
}

interface DecimalProps {
  name: string;
  title?: string;
  value: string;
  hint?: string;
  required?: boolean;
  trouble: Trouble | null;
  onType: (value: string) => void;
}

/** An amount: text, because a decimal is not a float. */
export function Decimal({ name, title, value, hint, required = false, trouble, onType }: DecimalProps) {
  return (
    <label class="field">
      {title ?? name.charAt(0).toUpperCase() + name.slice(1)}
      <input
        name={name} value={value} inputMode="decimal" pattern="[0-9]+([.][0-9]+)?" title="a number such as 0.25" placeholder={hint}
        autocomplete="off" required={required} aria-invalid={trouble?.field === name} onInput={(event) => onType(event.currentTarget.value.trim())}
      />
    </label>
  );
}

function sentence(draft: Draft, price: Price | undefined, currency = ""): string {
  const { side, quantity, instrument, account } = draft;
  const limit = draft.price ? ` at ${side === "buy" ? "most" : "least"} at ${exact(draft.price)}` : " at the market";
  const each = draft.price || (side === "buy" ? price?.ask : price?.bid);
  const worth = each && quantity ? `, about ${money(Number(each) * Number(quantity), 0)} ${currency}` : "";
  return `I ${side} ${quantity ? exact(quantity) : "…"} ${instrument} on ${account}${limit}${worth}`;
}
