// Doing something on the platform, and saying on the page how it went.

import { signal } from "@preact/signals";
import { Refused, Unheard } from "../api";
import { plainly } from "./decided";

export const said = signal<{ good: boolean; text: string } | null>(null);

/** Do something that asks nothing, and say on the page how it went. */
export async function attempt(done: string, work: () => Promise<unknown>): Promise<boolean> {
  const trouble = await tried(work);
  said.value = trouble === null ? { good: true, text: done } : { good: false, text: trouble.text };
  return trouble === null;
}

export interface Trouble {
  text: string;
  field: string;
}

/** Do something; return in words what kept it from being done, null when nothing did. */
export async function tried(work: () => Promise<unknown>): Promise<Trouble | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof Refused) return { text: plainly(error.message), field: error.field };
    if (error instanceof Unheard) return { text: error.message, field: "" };
    throw error;
  }
}
