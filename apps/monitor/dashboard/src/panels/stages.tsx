// Where the time went: one bar a stage, on one scale, each beginning where the one before it ends.

import { milliseconds, words } from "../format";

export function Stages({ title, stages }: { title: string; stages: Record<string, number> }) {
  const known = Object.entries(stages).filter(([, value]) => value >= 0);
  if (known.length === 0) return null;
  const whole = known.reduce((sum, [, value]) => sum + value, 0) || 1;
  let begun = 0;
  const bars = known.map(([name, value]) => {
    const left = begun;
    begun += value;
    return { name, value, left };
  });
  return (
    <section>
      <h3>
        {title} <span class="muted">{milliseconds(whole)} in all</span>
      </h3>
      <ul class="stages">
        {bars.map(({ name, value, left }) => (
          <li key={name}>
            <span>{words(name)}</span>
            <span class="meter">
              <i style={{ marginLeft: `${(100 * left) / whole}%`, width: `${Math.max(0.5, (100 * value) / whole)}%` }} />
            </span>
            <span class="number">{milliseconds(value)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The stages of a tick in the order in which they come, whatever order they were kept in. */
export function tickStages(waitedMs: number | null, stages: Record<string, number>): Record<string, number> {
  const known = ["load", "decide", "plan", "review", "record"].filter((name) => stages[name] !== undefined);
  const waited = waitedMs === null ? {} : { waited: waitedMs };
  return { ...waited, ...Object.fromEntries(known.map((name) => [name, stages[name] ?? 0])) };
}
