import { describe, expect, it } from "vitest";
import { because, inWords, noted, plainly, planned, wished } from "./decided";

describe("what was decided", () => {
  it("says why something was refused, with its figures", () => {
    expect(inWords("NOTIONAL_BELOW_MINIMUM", "5.00", "10.000000000000")).toBe("notional below minimum (it is 5, the limit is 10)");
    expect(plainly("SELF_TRADE: value=99.5, limit=100")).toBe("Risk refused it: self trade (it is 99.5, the limit is 100)");
    expect(plainly("price is 0; allowed: more")).toBe("price is 0; allowed: more");
  });

  it("says what was wanted, and at which levels", () => {
    const wish = { instrument: "hyperliquid:BTC", weight: -0.5, reason: "below the low", stop: "101.23456789" };
    expect(wished({ desired: [wish] })).toEqual(["wants short BTC 50 %: below the low (stop 101.235)"]);
  });

  it("leaves out names of signals", () => {
    expect(noted({ notes: ["hyperliquid:BTC: z_score:1795732080000: back at the mean", "a-b:ETH:1795735678097: over"] })).toEqual([
      "hyperliquid:BTC: back at the mean", "over",
    ]);
  });

  it("names what made it due", () => {
    expect(because("bar", "bar:hyperliquid:BTC:300:1764158400000")).toBe("a bar of hyperliquid:BTC closed (5 min)");
    expect(because("fill", "fill:12")).toBe("an order of its own filled");
  });

  it("leaves out numbers of orders, which tell a reader nothing", () => {
    expect(planned({ plan: ["cancel bybit:ETH 1b9ef805-658c-57f1-860a-f14bbcb2d815: no such quote"] })).toEqual(["cancel bybit:ETH: no such quote"]);
  });
});
