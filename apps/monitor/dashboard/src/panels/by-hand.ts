// What a person may do to a strategy, a position or an order from here: each says what it does, and asks why.

import { write } from "../api";
import { exact, words } from "../format";
import { ask, type Question } from "./asking";

export type Step = "pause" | "resume" | "enable" | "disable" | "tick";

interface Asking {
  path: string;
  explains: string;
  sure?: (slug: string) => string;
  done: string;
}

const STEPS: Record<Step, Asking> = {
  pause: { path: "pause", explains: "Its orders are cancelled. It keeps its instruments, its stops and what it holds.", done: "is paused" },
  resume: { path: "resume", explains: "It decides and trades again from its next tick on.", sure: trades, done: "goes on" },
  enable: { path: "enable", explains: "It takes its instruments and trades from its next tick on.", sure: trades, done: "is enabled" },
  disable: { path: "disable", explains: "Its orders are cancelled and its instruments are free. Its stops and what it holds stay.", done: "is disabled" },
  tick: { path: "ticks", explains: "It decides once, now, instead of when it is due.", sure: (slug) => `${slug} may trade now`, done: "decides now" },
};

function trades(slug: string): string {
  return `${slug} may trade again`;
}

export function askStep(step: Step, slug: string): void {
  const { path, explains, sure, done } = STEPS[step];
  ask({
    title: `${capital(step)} ${slug}`,
    explains,
    ...(sure ? { sure: sure(slug) } : {}),
    submit: capital(step),
    done: `${slug} ${done}`,
    work: (reason) => write(`/strategies/${encodeURIComponent(slug)}/${path}`, { reason }),
  });
}

export interface Held {
  strategy: string;
  instrument: string;
  quantity: string;
}

export function askTake({ strategy, instrument, quantity }: Held): void {
  ask(handover("take", { strategy, instrument }, {
    title: `Take ${exact(quantity)} ${instrument} over from ${strategy}`,
    explains: "The position and its stops are yours. The strategy is paused and its other orders are cancelled, until you give it back.",
    sure: `${strategy} stops trading; the position is mine to manage`,
    submit: "Take over",
    done: `${instrument} is taken over from ${strategy}`,
  }));
}

export function askReturn({ strategy, instrument, quantity }: Held): void {
  ask(handover("return", { strategy, instrument }, {
    title: `Give ${exact(quantity)} ${instrument} back to ${strategy}`,
    explains: "The strategy manages it again, and trades again once nothing of it is held by hand any more.",
    sure: `${strategy} may trade with it again`,
    submit: "Give back",
    done: `${instrument} is given back to ${strategy}`,
  }));
}

function handover(way: "take" | "return", body: object, question: Omit<Question, "work">): Question {
  return { ...question, work: (reason) => write(`/positions/${way}`, { ...body, reason }) };
}

export interface Cancelled {
  id: string;
  side: string;
  quantity: string;
  symbol: string;
  purpose: string;
}

export function askCancel({ id, side, quantity, symbol, purpose }: Cancelled): void {
  const protects = purpose === "protective";
  ask({
    title: `Cancel ${words(side)} ${exact(quantity)} ${symbol}`,
    explains: protects ? "This order protects a position: without it nothing limits its loss." : "It is taken out of the market. What has filled stays.",
    ...(protects ? { sure: "The position may go unprotected" } : {}),
    submit: "Cancel the order",
    danger: protects,
    done: `order ${id}: cancel asked for`,
    work: (reason) => write(`/orders/${id}/cancel`, { reason }),
  });
}

export function askAcknowledge(id: string, title: string): void {
  ask({
    title: `Acknowledge: ${title}`,
    explains: "Others see that you look after it; nobody is reminded any more. It stays until it is over.",
    submit: "Acknowledge",
    done: `acknowledged: ${title}`,
    work: (reason) => write(`/alerts/${id}/acknowledge`, { reason }),
  });
}

export function askLabel(id: string, title: string): void {
  ask({
    title: `False alarm: ${title}`,
    explains: "It was not worth telling anybody. The rule's false alarms are counted, so that it can be set better.",
    submit: "It was a false alarm",
    done: `noted as a false alarm: ${title}`,
    work: (reason) => write(`/alerts/${id}/acknowledge`, { label: "false", reason }),
  });
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
