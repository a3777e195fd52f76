// Dark or light: what the system says, until somebody chooses; the admin reads the same choice.

import { effect, signal } from "@preact/signals";

export type Theme = "dark" | "light";

const KEY = "theme";
const system: Theme = window.matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
const kept = localStorage.getItem(KEY);

export const theme = signal<Theme>(kept === "light" || kept === "dark" ? kept : system);

effect(() => {
  document.documentElement.dataset["theme"] = theme.value;
});

export function turn(): void {
  theme.value = theme.value === "dark" ? "light" : "dark";
  localStorage.setItem(KEY, theme.value);
}

/** The colours of the page, for what is drawn on a canvas. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
