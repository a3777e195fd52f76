import { describe, expect, it } from "vitest";
import { fieldOf } from "./api";

describe("a refusal", () => {
  it("names its field, where it is about one", () => {
    expect([fieldOf("body.quantity: Input should be greater than 0"), fieldOf("price is 0; allowed: more"), fieldOf("there is no order 3")]).toEqual([
      "quantity", "price", "",
    ]);
  });
});
