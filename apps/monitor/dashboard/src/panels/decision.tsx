// One tick of a strategy: in a sentence, as a chain, and where its time went. Earlier and later ones are one press away.

import { useEffect, useState } from "preact/hooks";
import { read } from "../api";
import { milliseconds, words } from "../format";
import { Chain, type Decision } from "./chain";
import { because, wished } from "./decided";
import { Stages, tickStages } from "./stages";
import { trail } from "./trail";

/** A tick by its number; null while it is asked for, and when there is none any more. */
export function useDecision(id: string | null): { decision: Decision | null; trouble: string } {
  const [decision, setDecision] = useState<Decision | null>(null);
  const [trouble, setTrouble] = useState("");
  useEffect(() => {
    if (id === null) return undefined;
    let current = true;
    read<Decision>(`/ticks/${id}`).then(
      (found) => current && setDecision(found),
      (error: unknown) => current && setTrouble(error instanceof Error ? error.message : String(error)),
    );
    return () => {
      current = false;
    };
  }, [id]);
  return { decision, trouble };
}

export function WholeDecision({ id }: { id: string }) {
  const { decision, trouble } = useDecision(id);
  if (trouble) return <p class="bad">{trouble}</p>;
  if (!decision) return <p class="muted">…</p>;
  return (
    <>
      <p class="story">{sentence(decision)}</p>
      <nav class="walk" aria-label="Other decisions of this strategy">
        <Walk title="← earlier" to={decision.previous} />
        <span class="muted">
          decision {decision.id} · parameters {decision.version}
        </span>
        <Walk title="later →" to={decision.next} />
      </nav>
      <Chain decision={decision} />
      <Stages title="Where its time went" stages={stagesOf(decision)} />
    </>
  );
}

export function stagesOf(decision: Decision): Record<string, number> {
  const waited = decision.started_at ? Date.parse(decision.started_at) - Date.parse(decision.due_at) : null;
  return tickStages(waited, decision.report.stages_ms ?? {});
}

function Walk({ title, to }: { title: string; to: number | null }) {
  return (
    <button type="button" class="small" disabled={to === null} onClick={() => to !== null && trail.turn({ kind: "tick", id: String(to) })}>
      {title}
    </button>
  );
}

function sentence(decision: Decision): string {
  const { strategy, trigger, event, finished_at: finished, due_at: due } = decision;
  const wishes = wished(decision.report);
  const wanted = decision.error ? `failed: ${decision.error}` : (wishes[0] ?? "wants nothing changed");
  const more = wishes.length > 1 ? ` and ${wishes.length - 1} more` : "";
  const took = finished ? ` It took ${milliseconds(Date.parse(finished) - Date.parse(due))}.` : "";
  return `Because ${because(trigger, event)}, ${strategy} decided: ${wanted}${more}. Outcome: ${words(decision.outcome)}.${took}`;
}
