// What a strategy saw, wanted and did, in words a stranger understands.

import { exact, words } from "../format";
import type { Order, Refusal, Report, Wish } from "../stream/rows";

/** What came of a decision, what matters most first. */
export function said(report: Report): string[] {
  const refusals = (report.refusals ?? []).map((one) => `risk refused: ${refused(one)}`);
  return [...refusals, ...wished(report), ...noted(report), ...planned(report)];
}

// The name of a signal: what it is called and when its bar began, "z_score:1795732080000".
const SIGNAL_ID = /(?:^| )(?:[\w-]+:)+\d{10,}:/g;

/** What the strategy and the planner noted. */
export function noted(report: Report): string[] {
  return (report.notes ?? []).map((line) => short(line.replace(SIGNAL_ID, "")).trim());
}

export function wished(report: Report): string[] {
  return (report.desired ?? []).flatMap(wishText);
}

export function planned(report: Report): string[] {
  return (report.plan ?? []).map((line) => short(line.replace(ORDER_ID, "")));
}

// An order's own number tells a reader nothing; its row is one press away.
const ORDER_ID = / [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

export function refused({ code, value, limit }: Refusal): string {
  return inWords(code, value, limit);
}

/** A refusal's code and figures as a sentence. */
export function inWords(code: string, value: string, limit: string): string {
  const what = words(code.toLowerCase());
  const figures = [value && `it is ${trimmed(value)}`, limit && `the limit is ${trimmed(limit)}`].filter(Boolean).join(", ");
  return figures ? `${what} (${figures})` : what;
}

const REFUSAL = /^([A-Z_]+): value=(.*), limit=(.*)$/;

/** What the platform says no with, in words, where it says it with a code. */
export function plainly(detail: string): string {
  const parts = detail.split("; ").map((part) => {
    const [, code, value, limit] = REFUSAL.exec(part) ?? [];
    return code ? `Risk refused it: ${inWords(code, value ?? "", limit ?? "")}` : part;
  });
  return parts.join("; ");
}

/** Why risk refused an order, in words; nothing when it did not. */
export function refusalOf({ refusal }: Order): string {
  const [code = "", value = "", ...limit] = refusal.split(" ");
  return code ? inWords(code, value, limit.join(" ")) : "";
}

const TRIGGERS: Record<string, string> = {
  bar: "a bar closed", book: "the book moved", fill: "an order of its own filled", manual: "somebody asked for it", interval: "it was time",
};

/** Why it decided just then: "a bar closed", with the instrument where the event names one. */
export function because(trigger: string, event: string): string {
  const [kind, venue, symbol, seconds] = event.split(":");
  const what = TRIGGERS[trigger] ?? words(trigger);
  return kind === "bar" && symbol ? `a bar of ${venue}:${symbol} closed (${Number(seconds) / 60} min)` : what;
}

function wishText(wish: Wish): string[] {
  if (wish.legs) return wish.legs.flatMap(wishText);
  const reason = wish.reason ? `: ${wish.reason}` : "";
  const symbol = wish.instrument?.split(":").slice(1).join(":") ?? "";
  if (wish.bids || wish.asks) {
    return [`quotes ${symbol} ${short(wish.bids?.[0] ?? "no bid")} / ${short(wish.asks?.[0] ?? "no ask")}${reason}`];
  }
  const weight = wish.weight ?? 0;
  const side = weight > 0 ? "long" : weight < 0 ? "short" : "flat";
  const size = weight === 0 ? "" : ` ${Math.round(Math.abs(weight) * 100)} %`;
  return [`wants ${side} ${symbol}${size}${reason}${levels(wish)}`];
}

function levels({ entry, stop, take_profit: profit }: Wish): string {
  const told = [entry && `entry ${exact(short(entry))}`, stop && `stop ${exact(short(stop))}`, profit && `take profit ${exact(short(profit))}`];
  const known = told.filter(Boolean).join(", ");
  return known ? ` (${known})` : "";
}

/** A figure without zeros that say nothing. */
function trimmed(text: string): string {
  return short(text).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

/** What a strategy wishes for has the digits of its arithmetic; nobody reads more than six. */
export function short(text: string): string {
  return text.replace(/\d+\.\d{4,}/g, (number) => String(Number(Number(number).toPrecision(6))));
}
