// From one thing to what caused it, and back: what the drawer shows.

import { signal } from "@preact/signals";

export type Place = { kind: "order"; id: string } | { kind: "tick"; id: string };

export const places = signal<readonly Place[]>([]);

export const trail = {
  /** Begin with something. */
  open: (place: Place) => {
    places.value = [place];
  },
  /** Go on to something else. */
  go: (place: Place) => {
    places.value = [...places.value, place];
  },
  /** Show something else in the place of what is shown. */
  turn: (place: Place) => {
    places.value = [...places.value.slice(0, -1), place];
  },
  back: () => {
    places.value = places.value.slice(0, -1);
  },
  close: () => {
    places.value = [];
  },
};
