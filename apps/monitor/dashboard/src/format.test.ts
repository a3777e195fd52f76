import { describe, expect, it } from "vitest";
import { exact, milliseconds, money, percent, scale, signed, span } from "./format";

describe("numbers", () => {
  it("are a dash when they are not known, never a zero", () => {
    expect([money(null), signed(undefined), exact(""), percent(null), milliseconds(null)]).toEqual(["–", "–", "–", "–", "–"]);
  });

  it("keep every digit the platform has", () => {
    expect(exact("107250.12345678")).toBe("107,250.12345678");
    expect(exact("-0.000001")).toBe("−0.000001");
  });

  it("show which way they go", () => {
    expect([signed("12.5"), signed("-12.5"), signed("0")]).toEqual(["+12.50", "−12.50", "0.00"]);
  });

  it("are told as shares and times", () => {
    expect([percent("0.153"), milliseconds(4.2), milliseconds(1_530), span(3_900), span(90_000)]).toEqual([
      "15.3 %", "4.2 ms", "1.5 s", "1 h 05", "1 d",
    ]);
  });

  it("writes a scale with the places that tell its marks apart", () => {
    expect(scale([399_990, 399_995, 400_000])).toEqual(["399,990", "399,995", "400,000"]);
    expect(scale([399_990.5, 399_991, 399_991.5])).toEqual(["399,990.5", "399,991.0", "399,991.5"]);
    expect(scale([1.001, 1.002])).toEqual(["1.00", "1.00"]);
    expect(scale([])).toEqual([]);
  });
});
