import { describe, expect, it } from "vitest";
import { Presses } from "./presses";

describe("a press", () => {
  let drawn = 0;
  const presses = new Presses(() => `key-${++drawn}`);

  it("keeps its key until it is answered", () => {
    const first = presses.key("halt");
    expect(presses.key("halt")).toBe(first);
    presses.answered("halt");
    expect(presses.key("halt")).not.toBe(first);
  });

  it("is another when anything of it differs", () => {
    expect(presses.key("buy 1")).not.toBe(presses.key("buy 2"));
  });
});
