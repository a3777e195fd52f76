// The time, once a second, for everything that says how long ago something was.

import { signal } from "@preact/signals";
import { span } from "./format";

export const now = signal(Date.now());
window.setInterval(() => {
  now.value = Date.now();
}, 1_000);

/** How long ago a moment was; the platform's time may run elsewhere than ours, so what lies ahead is now. */
export function ago(at: string | null | undefined): string {
  if (!at) return "never";
  const seconds = (now.value - Date.parse(at)) / 1_000;
  return seconds < 1 ? "now" : `${span(seconds)} ago`;
}
