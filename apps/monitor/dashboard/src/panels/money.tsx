// What it is worth, what it earned, what it risks: the figures one looks at first.

import { direction, money, percent, signed } from "../format";
import { ago } from "../now";
import { useTopic } from "../stream/hooks";
import type { Money as Row, Use } from "../stream/rows";

export function Money() {
  const { rows } = useTopic("money");
  const uses = useTopic("limits").rows;
  const total = rows.get("total") ?? null;
  const equity = Number(total?.equity ?? Number.NaN);
  return (
    <section class="money" aria-label="Money">
      <figure class="figure hero">
        <figcaption>Equity{total ? ` · ${total.currency}` : ""}</figcaption>
        <strong data-figure="equity">{money(total?.equity)}</strong>
        <small title={total?.why}>{total ? total.why || `as of ${ago(total.at)}` : "not heard yet"}</small>
      </figure>
      <Gain title="Today" value={total?.day_profit} of={equity} />
      <Gain title="Open profit" value={total?.unrealised} of={equity} />
      <Gain title="Booked profit" value={total?.realised} of={equity} note={costs(total)} />
      <Gauge title="Drawdown" share={total?.drawdown ?? null} limit={limitOf(uses, "portfolio drawdown")} />
      <figure class="figure">
        <figcaption>Exposure</figcaption>
        <strong>{money(total?.gross_exposure, 0)}</strong>
        <small>
          net {signed(total?.net_exposure, 0)} · {multiple(total?.gross_exposure, equity)}
        </small>
      </figure>
    </section>
  );
}

/** A share of equity below which two places would say nothing. */
const SMALL = 0.0001;

function Gain(props: { title: string; value: string | null | undefined; of: number; note?: string }) {
  const { title, value, of, note } = props;
  const share = value !== null && value !== undefined && of > 0 ? Number(value) / of : null;
  return (
    <figure class="figure">
      <figcaption>{title}</figcaption>
      <strong class={direction(value)}>{signed(value)}</strong>
      <small>{note ?? (share === null ? " " : `${signed(share * 100, Math.abs(share) < SMALL ? 4 : 2)} % of equity`)}</small>
    </figure>
  );
}

function Gauge({ title, share, limit }: { title: string; share: string | null; limit: number | null }) {
  const used = share === null || limit === null ? null : Math.min(1, Number(share) / limit);
  return (
    <figure class="figure">
      <figcaption>{title}</figcaption>
      <strong>{percent(share)}</strong>
      <Meter used={used} label={`${title}: ${percent(share)} of at most ${percent(limit)}`} />
      <small>{limit === null ? " " : `halts at ${percent(limit, 0)}`}</small>
    </figure>
  );
}

export function Meter({ used, label }: { used: number | null; label: string }) {
  const level = used === null ? "" : used >= 0.9 ? "bad" : used >= 0.7 ? "wait" : "good";
  return (
    <span class="meter" role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={1} aria-valuenow={used ?? 0}>
      <i class={level} style={{ width: `${Math.round(100 * Math.max(0, Math.min(1, used ?? 0)))}%` }} />
    </span>
  );
}

function limitOf(uses: ReadonlyMap<string, Use>, kind: string): number | null {
  const limits = [...uses.values()].filter((use) => use.kind === kind && use.limit !== null).map((use) => Number(use.limit));
  return limits.length > 0 ? Math.min(...limits) : null;
}

function multiple(gross: string | null | undefined, equity: number): string {
  return gross && equity > 0 ? `${(Number(gross) / equity).toFixed(2)} × equity` : "leverage unknown";
}

function costs(total: Row | null): string {
  return total ? `fees ${money(total.fees)} · funding ${signed(total.funding)}` : " ";
}
