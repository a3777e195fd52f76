// Requests to the API. A write carries the key of its press: pressed again because nothing was heard, it is done once.

import { Presses } from "./presses";

const BASE = "/api/v1";
const TRIES = 3;
const WAIT_MS = 600;
const BAD_GATEWAY = 502;
const UNAVAILABLE = 503;
const GATEWAY_TIMEOUT = 504;
const CONFLICT = 409;
/** Answers that say nothing about whether the request was worked on. */
const SILENT = new Set([BAD_GATEWAY, UNAVAILABLE, GATEWAY_TIMEOUT]);

/** The platform said no, and why; `field` is the one it names, where it names one. */
export class Refused extends Error {
  readonly field: string;

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.field = fieldOf(message);
  }
}

/** Nobody knows whether it was done. */
export class Unheard extends Error {
  constructor() {
    super("The platform could not be reached. Press again: however often you do, it is done once.");
  }
}

export interface Tagged<Answer> {
  answer: Answer;
  tag: string;
}

interface Asked {
  method?: "POST" | "PATCH";
  /** The version that was seen, for what must not overwrite what was not. */
  tag?: string;
}

const KEY_BYTES = 16;
const presses = new Presses(drawn);

/** A key nobody else draws. randomUUID would be shorter, and is missing on pages without HTTPS that are not local. */
function drawn(): string {
  return [...crypto.getRandomValues(new Uint8Array(KEY_BYTES))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function read<Answer>(path: string): Promise<Answer> {
  return (await tagged<Answer>(path)).answer;
}

/** Read something together with its version. */
export async function tagged<Answer>(path: string): Promise<Tagged<Answer>> {
  const response = await fetch(BASE + path, { headers: { Accept: "application/json" } });
  return { answer: await answer(response), tag: response.headers.get("ETag") ?? "" };
}

export async function write<Answer>(path: string, body: object, asked: Asked = {}): Promise<Answer> {
  const { method = "POST", tag } = asked;
  const text = JSON.stringify(body);
  const press = [method, path, tag, text].join("\n");
  const request = { method, body: text, headers: headers(presses.key(press), tag) };
  const response = await heard(() => fetch(BASE + path, request));
  presses.answered(press);
  return answer(response);
}

function headers(key: string, tag: string | undefined): Record<string, string> {
  return {
    Accept: "application/json",
    "Content-Type": "application/json",
    "X-CSRFToken": cookie("csrftoken"),
    "Idempotency-Key": key,
    ...(tag ? { "If-Match": tag } : {}),
  };
}

/** Ask until somebody answers, a few times. */
async function heard(ask: () => Promise<Response>): Promise<Response> {
  for (let left = TRIES; left > 0; left -= 1) {
    const response = await ask().catch(() => null);
    const underWay = response?.status === CONFLICT && response.headers.has("Retry-After");
    if (response !== null && !underWay && !SILENT.has(response.status)) return response;
    if (left > 1) await new Promise((over) => window.setTimeout(over, WAIT_MS));
  }
  throw new Unheard();
}

async function answer<Answer>(response: Response): Promise<Answer> {
  if (response.status === 204) return undefined as Answer;
  const told: unknown = await response.json().catch(() => null);
  if (response.ok) return told as Answer;
  const detail = (told as { detail?: string } | null)?.detail;
  throw new Refused(response.status, detail ?? `the platform answers ${response.status}`);
}

/** The field that a refusal names: "body.quantity: …" or "price is 0; allowed: …". */
export function fieldOf(detail: string): string {
  const found = /^(?:body\.([a-z_]+): |([a-z_]+) is .*; allowed: )/.exec(detail);
  return found?.[1] ?? found?.[2] ?? "";
}

function cookie(name: string): string {
  const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}
