// What the system did last and why, in sentences: the first place to look when something surprises.

import { clock, exact, words } from "../format";
import { ago } from "../now";
import { Empty, Panel } from "../panel";
import { useTopic } from "../stream/hooks";
import type { Fill, News, Order, Report, Strategy, Tick } from "../stream/rows";
import { refusalOf, said } from "./decided";
import { type Place, trail } from "./trail";

interface Told {
  key: string;
  at: string;
  level: "good" | "wait" | "bad" | "calm";
  what: string;
  why: string;
  cause?: Place;
}

const SHOWN = 40;

export function Latest() {
  const fills = useTopic("fills");
  const orders = useTopic("orders").rows;
  const strategies = useTopic("strategies").rows;
  const ticks = useTopic("ticks").rows;
  const news = useTopic("news");
  const told = [
    ...[...fills.rows].map(([key, fill]) => ofFill(key, fill, orders, ticks, strategies)),
    ...[...orders].filter(([, order]) => order.refusal).map(([key, order]) => ofRefusal(key, order)),
    ...[...news.rows].map(([key, item]) => ofNews(key, item)),
  ].sort((a, b) => b.at.localeCompare(a.at));
  return (
    <Panel title="What happened, and why" area="latest" trouble={fills.trouble || news.trouble} loading={news.seq < 0}>
      {told.length === 0 && news.seq >= 0 ? <Empty>Nothing has happened yet.</Empty> : null}
      <ol class="latest">
        {told.slice(0, SHOWN).map((item) => (
          <Item key={item.key} item={item} />
        ))}
      </ol>
    </Panel>
  );
}

function Item({ item }: { item: Told }) {
  const { cause } = item;
  const text = (
    <>
      <time title={item.at}>
        {clock(item.at)} <small class="muted">{ago(item.at)}</small>
      </time>
      <span>
        <b>{item.what}</b>
        {item.why ? <span class="muted"> — {item.why}</span> : null}
      </span>
    </>
  );
  return (
    <li class={item.level}>
      {cause ? (
        <button type="button" title="Why: what was seen, wanted, refused and sent" onClick={() => trail.open(cause)}>
          {text}
          <i class="why" aria-hidden="true">
            why ›
          </i>
        </button>
      ) : (
        <p>{text}</p>
      )}
    </li>
  );
}

type Rows<Row> = ReadonlyMap<string, Row>;

function ofFill(key: string, fill: Fill, orders: Rows<Order>, ticks: Rows<Tick>, strategies: Rows<Strategy>): Told {
  const order = fill.order ? orders.get(fill.order) : undefined;
  const what = `${fill.strategy} ${fill.side === "buy" ? "bought" : "sold"} ${exact(fill.quantity)} ${fill.symbol} at ${exact(fill.price)} on ${fill.venue}`;
  const kind = fill.kind === "order" ? "" : words(fill.kind);
  // The tick that placed it, while it is among the latest; else what the strategy last decided.
  const report = (order && ticks.get(order.tick)?.why) ?? strategies.get(fill.strategy)?.report;
  const why = kind || decided(report, fill) || order?.reason || "";
  return { key: `fill-${key}`, at: fill.at, level: "good", what, why, ...(fill.order ? { cause: { kind: "order", id: fill.order } } : {}) };
}

function decided(report: Report | undefined, fill: Fill): string {
  return report ? (said(report).find((line) => line.includes(fill.symbol)) ?? "") : "";
}

function ofRefusal(key: string, order: Order): Told {
  const what = `Risk refused ${order.strategy}: ${order.side} ${exact(order.quantity)} ${order.symbol}`;
  return { key: `refused-${key}`, at: order.created, level: "bad", what, why: refusalOf(order), cause: { kind: "order", id: key } };
}

const BAD = /halted|open:|fail|error|differ|lost|refuse|breach/i;

function ofNews(key: string, item: News): Told {
  const by = item.actor ? ` (${item.actor})` : "";
  const level = BAD.test(`${item.kind} ${item.message}`) ? "bad" : item.kind === "gate" || item.kind === "breaker" ? "wait" : "calm";
  return { key, at: item.at, level, what: `${words(item.kind)} ${item.scope}`, why: item.message + by };
}
