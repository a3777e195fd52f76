// What is held, and how full the limits are.

import { direction, exact, money, percent, signed } from "../format";
import { ago } from "../now";
import { Empty, Panel } from "../panel";
import { useTopic } from "../stream/hooks";
import type { Position, Use } from "../stream/rows";
import { Meter } from "./money";
import { shown } from "./chart";

export function Positions() {
  const { rows, trouble, seq } = useTopic("positions");
  const held = [...rows].sort(([, a], [, b]) => Number(b.notional ?? 0) - Number(a.notional ?? 0));
  return (
    <Panel title="Positions" area="positions" trouble={trouble} loading={seq < 0} aside={<span class="muted">{held.length} open</span>}>
      {held.length === 0 && seq >= 0 ? <Empty>Nothing is held.</Empty> : null}
      {held.length > 0 ? (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th>Instrument</th>
                <th>Strategy</th>
                <th class="number">Quantity</th>
                <th class="number">Entry</th>
                <th class="number">Mark</th>
                <th class="number">Notional</th>
                <th class="number">Open profit</th>
                <th>Since</th>
              </tr>
            </thead>
            <tbody>
              {held.map(([key, position]) => (
                <Row key={key} id={key} position={position} />
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </Panel>
  );
}

function Row({ id, position }: { id: string; position: Position }) {
  const key = `${position.venue}:${position.symbol}`;
  return (
    <tr data-position={id}>
      <td>
        <button type="button" class="link" onClick={() => (shown.value = key)}>
          {position.symbol}
        </button>
        <small class="muted"> {position.venue}</small>
      </td>
      <td>{position.strategy}</td>
      <td class={`number ${direction(position.quantity)}`} data-cell="quantity">
        {exact(position.quantity)}
      </td>
      <td class="number">{exact(position.entry)}</td>
      <td class="number">{exact(position.mark)}</td>
      <td class="number">{money(position.notional, 0)}</td>
      <td class={`number ${direction(position.unrealised)}`}>{signed(position.unrealised)}</td>
      <td class="muted">{position.opened ? ago(position.opened) : ""}</td>
    </tr>
  );
}

export function Limits() {
  const { rows, trouble, seq } = useTopic("limits");
  const uses = [...rows].sort(([, a], [, b]) => Number(b.share ?? -1) - Number(a.share ?? -1));
  return (
    <Panel title="Limits" area="limits" trouble={trouble} loading={seq < 0} aside={<a href="/admin/risk/limit/">Edit</a>}>
      {uses.length === 0 && seq >= 0 ? <Empty>No limit: nothing can open.</Empty> : null}
      <ul class="limits">
        {uses.map(([key, use]) => (
          <Limit key={key} use={use} />
        ))}
      </ul>
    </Panel>
  );
}

function Limit({ use }: { use: Use }) {
  const share = use.share === null ? null : Number(use.share);
  return (
    <li title={`${exact(use.used)} of at most ${exact(use.limit)}`}>
      <span>
        {use.kind} <b>{use.of}</b>
      </span>
      <Meter used={share} label={`${use.kind} ${use.of}: ${percent(use.share)} of the limit is used`} />
      <span class="number">{share === null ? "unknown" : percent(share, 0)}</span>
    </li>
  );
}
