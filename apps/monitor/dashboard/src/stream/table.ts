// One topic as the page has it: a snapshot, and the changes that follow on it without a gap.

export interface Snapshot {
  kind: "snapshot";
  topic: string;
  seq: number;
  at: string;
  trouble: string;
  rows: Record<string, unknown>;
}

export interface Delta {
  kind: "delta";
  topic: string;
  since: number;
  seq: number;
  at: string;
  trouble: string;
  rows: Record<string, unknown>;
  gone: string[];
}

export interface Table<Row> {
  seq: number;
  at: string;
  trouble: string;
  rows: ReadonlyMap<string, Row>;
}

export const EMPTY: Table<never> = { seq: -1, at: "", trouble: "", rows: new Map<string, never>() };

/** Return the table after a message; null when the message does not follow on what is there. */
export function after<Row>(table: Table<Row>, message: Snapshot | Delta): Table<Row> | null {
  const { seq, at, trouble } = message;
  if (message.kind === "snapshot") {
    return { seq, at, trouble, rows: new Map(Object.entries(message.rows)) as Map<string, Row> };
  }
  if (message.since !== table.seq) return null;
  const rows = new Map(table.rows);
  for (const [key, row] of Object.entries(message.rows)) rows.set(key, row as Row);
  for (const key of message.gone) rows.delete(key);
  return { seq, at, trouble, rows };
}
