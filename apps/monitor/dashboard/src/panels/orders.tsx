// Orders and fills as they happen; each order opens its whole life.

import { direction, exact, milliseconds, money, signed, words } from "../format";
import { ago } from "../now";
import { may } from "../page";
import { Empty, Panel } from "../panel";
import { useTopic } from "../stream/hooks";
import type { Fill, Order } from "../stream/rows";
import { refusalOf } from "./decided";
import { ticket } from "./ticket";
import { trail } from "./trail";

const SHOWN = 60;

export function Orders() {
  const { rows, trouble, seq } = useTopic("orders");
  const orders = [...rows].sort(([one, a], [two, b]) => Number(b.working) - Number(a.working) || Number(two) - Number(one));
  const working = orders.filter(([, order]) => order.working).length;
  return (
    <Panel title="Orders" area="orders" trouble={trouble} loading={seq < 0} aside={<Aside working={working} />}>
      {orders.length === 0 && seq >= 0 ? <Empty>No order yet.</Empty> : null}
      <ul class="lines orders">
        {orders.slice(0, SHOWN).map(([key, order]) => (
          <OneOrder key={key} id={key} order={order} />
        ))}
      </ul>
    </Panel>
  );
}

function Aside({ working }: { working: number }) {
  return (
    <>
      <span class="muted">{working} working</span>
      {may("trade") ? (
        <button type="button" class="small" onClick={() => ticket.open()}>
          Order by hand
        </button>
      ) : null}
    </>
  );
}

const LEVELS: Record<string, string> = {
  filled: "good", partially_filled: "good", open: "calm", refused: "bad", rejected: "bad", unknown: "bad", expired: "wait",
};

function OneOrder({ id, order }: { id: string; order: Order }) {
  const at = order.trigger ? `once ${exact(order.trigger)}` : `@ ${exact(order.average ?? order.price)}`;
  return (
    <li>
      <button type="button" class="row" data-order={id} onClick={() => trail.open({ kind: "order", id })}>
        <span class={`pill ${LEVELS[order.status] ?? "calm"}`}>{words(order.status)}</span>
        <span class={order.side === "buy" ? "good" : "bad"}>{order.side}</span>
        <span class="number">{exact(order.quantity)}</span>
        <b>{order.symbol}</b>
        <span class="number">{at}</span>
        <span class="muted grow">
          {order.strategy} · {refusalOf(order) || words(order.purpose)}
        </span>
        <span class="muted">{order.acknowledge_ms === null ? ago(order.updated) : milliseconds(order.acknowledge_ms)}</span>
      </button>
    </li>
  );
}

export function Fills() {
  const { rows, trouble, seq } = useTopic("fills");
  const fills = [...rows].sort(([a], [b]) => Number(b) - Number(a));
  return (
    <Panel title="Fills" area="fills" trouble={trouble} loading={seq < 0}>
      {fills.length === 0 && seq >= 0 ? <Empty>No fill yet.</Empty> : null}
      <ul class="lines fills">
        {fills.slice(0, SHOWN).map(([key, fill]) => (
          <OneFill key={key} id={key} fill={fill} />
        ))}
      </ul>
    </Panel>
  );
}

function OneFill({ id, fill }: { id: string; fill: Fill }) {
  const slipped = fill.slippage_bps === null ? "" : ` · ${signed(-fill.slippage_bps, 1)} bp`;
  return (
    <li>
      <button type="button" class="row" data-fill={id} disabled={fill.order === null} onClick={() => fill.order && trail.open({ kind: "order", id: fill.order })}>
        <span class={fill.side === "buy" ? "good" : "bad"}>{fill.side === "buy" ? "bought" : "sold"}</span>
        <span class="number" data-cell="quantity">
          {exact(fill.quantity)}
        </span>
        <b>{fill.symbol}</b>
        <span class="number" data-cell="price">
          @ {exact(fill.price)}
        </span>
        <span class="muted grow">
          {fill.strategy} · {fill.venue} · {fill.liquidity}
          {slipped}
        </span>
        {Number(fill.realised) === 0 ? null : <span class={`number ${direction(fill.realised)}`}>{signed(fill.realised)}</span>}
        <span class="muted" title={`fee ${money(fill.fee, 4)} ${fill.currency}`}>
          {ago(fill.at)}
        </span>
      </button>
    </li>
  );
}
