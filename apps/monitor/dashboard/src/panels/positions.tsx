// What is held, by whom, and taking it over or giving it back.

import { direction, exact, money, signed } from "../format";
import { ago } from "../now";
import { may } from "../page";
import { Empty, Panel } from "../panel";
import { useTopic } from "../stream/hooks";
import type { Position, Strategy } from "../stream/rows";
import { askReturn, askTake } from "./by-hand";
import { shown } from "./chart";
import { short } from "./decided";
import { ticket } from "./ticket";
import { trail } from "./trail";

const HAND = "hand-";

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
                <th class="wide">Strategy</th>
                <th class="number">Quantity</th>
                <th class="number wide">Entry</th>
                <th class="number wide">Mark</th>
                <th class="number wide">Notional</th>
                <th class="number">Open profit</th>
                <th class="wide">Since</th>
                {may("take") || may("trade") ? <th aria-label="By hand" /> : null}
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
        <span class="narrow">
          <Owner strategy={position.strategy} />
        </span>
      </td>
      <td class="wide">
        <Owner strategy={position.strategy} />
      </td>
      <td class={`number ${direction(position.quantity)}`} data-cell="quantity">
        {exact(position.quantity)}
      </td>
      <td class="number wide" title={exact(position.entry)}>
        {exact(short(position.entry))}
      </td>
      <td class="number wide">{exact(position.mark)}</td>
      <td class="number wide">{money(position.notional, 0)}</td>
      <td class={`number ${direction(position.unrealised)}`}>{signed(position.unrealised)}</td>
      <td class="muted wide">{position.opened ? ago(position.opened) : ""}</td>
      {may("take") || may("trade") ? (
        <td>
          <Buttons position={position} />
        </td>
      ) : null}
    </tr>
  );
}

/** Whose it is; a strategy opens what it last decided. */
function Owner({ strategy }: { strategy: string }) {
  const tick = useTopic("strategies").rows.get(strategy)?.tick;
  if (strategy.startsWith(HAND)) return <span class="pill wait">by hand</span>;
  if (!tick) return <>{strategy}</>;
  return (
    <button type="button" class="link plain" title="What it last decided, and why" onClick={() => trail.open({ kind: "tick", id: String(tick) })}>
      {strategy}
    </button>
  );
}

function Buttons({ position }: { position: Position }) {
  const strategies = useTopic("strategies").rows;
  const { strategy, account, quantity } = position;
  const instrument = `${position.venue}:${position.symbol}`;
  if (!strategy.startsWith(HAND)) {
    return strategies.has(strategy) && may("take") ? (
      <button type="button" class="small" onClick={() => askTake({ strategy, instrument, quantity })}>
        take over
      </button>
    ) : null;
  }
  const owner = ownerOf(strategies, account, instrument);
  const side = Number(quantity) > 0 ? "sell" : "buy";
  return (
    <span class="buttons">
      {owner && may("take") ? (
        <button type="button" class="small" onClick={() => askReturn({ strategy: owner, instrument, quantity })}>
          give back
        </button>
      ) : null}
      {may("trade") ? (
        <button type="button" class="small" onClick={() => ticket.open({ account, instrument, side, quantity: quantity.replace("-", "") })}>
          close
        </button>
      ) : null}
    </span>
  );
}

/** The strategy that trades this there: of several the one it was taken from. */
function ownerOf(strategies: ReadonlyMap<string, Strategy>, account: string, instrument: string): string | null {
  const traders = [...strategies].filter(([, row]) => row.instruments.some((one) => one.account === account && one.instrument === instrument));
  const taken = traders.find(([, row]) => row.paused.startsWith("taken over by "));
  return (taken ?? traders[0])?.[0] ?? null;
}
