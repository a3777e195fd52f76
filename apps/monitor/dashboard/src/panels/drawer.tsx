// The drawer that answers why: an order's life or a decision, and the way back to where one came from.

import { useState } from "preact/hooks";
import { Dialog } from "./asking";
import { WholeDecision } from "./decision";
import { WholeOrder } from "./order-life";
import { places, trail } from "./trail";

export function Drawer() {
  const place = places.value.at(-1);
  return (
    <Dialog open={place !== undefined} title="life-title" kind="drawer" onClose={trail.close}>
      {place ? <Shown key={place.kind + place.id} {...place} /> : null}
    </Dialog>
  );
}

function Shown({ kind, id }: { kind: "order" | "tick"; id: string }) {
  const [title, setTitle] = useState(kind === "order" ? `Order ${id}` : "Why it decided so");
  return (
    <article class="life">
      <header>
        {places.value.length > 1 ? (
          <button type="button" class="quiet" aria-label="Back" onClick={trail.back}>
            ←
          </button>
        ) : null}
        <h2 id="life-title">{title}</h2>
        <button type="button" class="quiet close" aria-label="Close" onClick={trail.close}>
          ✕
        </button>
      </header>
      {kind === "order" ? <WholeOrder id={id} onTitle={setTitle} /> : <WholeDecision id={id} />}
    </article>
  );
}
