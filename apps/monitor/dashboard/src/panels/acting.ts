// What a person may do to a strategy from here; each asks why, because somebody will want to know later.

import { signal } from "@preact/signals";
import { Refused, write } from "../api";

export const said = signal<{ good: boolean; text: string } | null>(null);

type Step = "pause" | "resume" | "enable" | "tick";

const PATHS: Record<Step, string> = { pause: "pause", resume: "resume", enable: "enable", tick: "ticks" };

export async function act(step: Step, slug: string): Promise<void> {
  const reason = step === "tick" ? "asked for on the dashboard" : window.prompt(`Why ${step} ${slug}?`);
  if (!reason) return;
  await attempt(`${slug}: ${step} done`, () => write(`/strategies/${encodeURIComponent(slug)}/${PATHS[step]}`, { reason }));
}

/** Do something, and say on the page how it went. */
export async function attempt(done: string, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    said.value = { good: true, text: done };
    return true;
  } catch (error) {
    const refused = error instanceof Refused ? error.message : "the platform could not be reached; nothing is known to have changed";
    said.value = { good: false, text: refused };
    return false;
  }
}
