// How numbers and times are written. What is not known is a dash, never a zero.

export const UNKNOWN = "–";

const grouped = new Map<number, Intl.NumberFormat>();

function digits(places: number): Intl.NumberFormat {
  let format = grouped.get(places);
  if (format === undefined) {
    format = new Intl.NumberFormat("en-GB", { minimumFractionDigits: places, maximumFractionDigits: places });
    grouped.set(places, format);
  }
  return format;
}

function known(value: string | number | null | undefined): value is string | number {
  return value !== null && value !== undefined && value !== "" && Number.isFinite(Number(value));
}

/** An amount of money: two places, or more where two would say nothing. */
export function money(value: string | number | null | undefined, places = 2): string {
  return known(value) ? digits(places).format(Number(value)).replace("-", "−") : UNKNOWN;
}

/** Amounts that stand below each other, with as many places as it takes to tell neighbours apart; two at most. */
export function scale(values: readonly number[]): string[] {
  const written = [0, 1, 2].map((places) => values.map((value) => money(value, places)));
  return written.find((texts) => new Set(texts).size === new Set(values).size) ?? written[2] ?? [];
}

/** An amount with a sign, for what is a gain or a loss. */
export function signed(value: string | number | null | undefined, places = 2): string {
  if (!known(value)) return UNKNOWN;
  const number = Number(value);
  const text = money(value, places);
  return number > 0 ? `+${text}` : text;
}

/** A price or a quantity as the venue writes it: the digits it has, grouped. */
export function exact(value: string | number | null | undefined): string {
  if (!known(value)) return UNKNOWN;
  const [whole = "0", part] = String(value).split(".");
  const sign = whole.startsWith("-") ? "−" : "";
  const groups = whole.replace("-", "").replace(/\B(?=(\d{3})+$)/g, ",");
  return sign + groups + (part ? `.${part}` : "");
}

export function percent(share: string | number | null | undefined, places = 1): string {
  return known(share) ? `${digits(places).format(Number(share) * 100).replace("-", "−")} %` : UNKNOWN;
}

export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  if (value >= 60_000) return span(value / 1000);
  return value >= 1_000 ? `${digits(1).format(value / 1_000)} s` : `${digits(value < 10 ? 1 : 0).format(value)} ms`;
}

export function clock(at: string | null | undefined): string {
  return at ? new Date(at).toLocaleTimeString("en-GB", { hour12: false }) : UNKNOWN;
}

export function day(at: string): string {
  return new Date(at).toLocaleDateString("en-GB", { day: "2-digit", month: "short" });
}

/** How long something lasts: 4 s, 12 min, 3 h 05, 2 d. */
export function span(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 86_400) {
    const minutes = Math.round(seconds / 60);
    return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}`;
  }
  return `${Math.floor(seconds / 86_400)} d`;
}

export function direction(value: string | number | null | undefined): "good" | "bad" | "" {
  if (!known(value) || Number(value) === 0) return "";
  return Number(value) > 0 ? "good" : "bad";
}

/** snake_case and other words of the machine, for people. */
export function words(text: string): string {
  return text.replaceAll("_", " ");
}

/** The time to the millisecond, for what follows on each other within one second. */
export function fine(at: string | null | undefined): string {
  if (!at) return UNKNOWN;
  const time = new Date(at);
  return `${time.toLocaleTimeString("en-GB", { hour12: false })}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}
