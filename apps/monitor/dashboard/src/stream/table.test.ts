import { describe, expect, it } from "vitest";
import { after, type Delta, EMPTY, type Snapshot } from "./table";

const snapshot: Snapshot = { kind: "snapshot", topic: "t", seq: 3, at: "a", trouble: "", rows: { a: { n: 1 }, b: { n: 2 } } };
const delta: Delta = { kind: "delta", topic: "t", since: 3, seq: 5, at: "b", trouble: "", rows: { c: { n: 3 } }, gone: ["a"] };

describe("a table", () => {
  it("takes a snapshot whole", () => {
    expect([...(after(EMPTY, snapshot)?.rows ?? [])]).toEqual([["a", { n: 1 }], ["b", { n: 2 }]]);
  });

  it("takes a delta that follows on what it has", () => {
    const before = after(EMPTY, snapshot);
    const next = after(before ?? EMPTY, delta);
    expect(next?.seq).toBe(5);
    expect([...(next?.rows.keys() ?? [])]).toEqual(["b", "c"]);
    expect(before?.rows.has("a")).toBe(true);
  });

  it("refuses a delta with a gap before it", () => {
    expect(after({ ...EMPTY, seq: 2 }, delta)).toBeNull();
    expect(after(EMPTY, delta)).toBeNull();
  });

  it("keeps its rows while the topic cannot be read, and says so", () => {
    const before = after(EMPTY, snapshot) ?? EMPTY;
    const next = after(before, { ...delta, trouble: "away", rows: {}, gone: [] });
    expect([next?.trouble, next?.rows.size]).toEqual(["away", 2]);
  });
});
