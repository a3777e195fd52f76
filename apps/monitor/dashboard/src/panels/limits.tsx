// How full each limit is; who may, changes one from here.

import { exact, percent } from "../format";
import { may } from "../page";
import { Empty, Panel } from "../panel";
import { useTopic } from "../stream/hooks";
import type { Use } from "../stream/rows";
import { limitForm } from "./limit-form";
import { Meter } from "./money";

export function Limits() {
  const { rows, trouble, seq } = useTopic("limits");
  const uses = [...rows].filter(([, use]) => use.limit !== null).sort(([, a], [, b]) => Number(b.share ?? -1) - Number(a.share ?? -1));
  const portfolios = new Set([...rows.keys()].map(portfolioOf));
  const aside = may("limit") ? <NewLimit /> : <a href="/admin/risk/limit/">All</a>;
  return (
    <Panel title="Limits" area="limits" trouble={trouble} loading={seq < 0} aside={aside}>
      {uses.length === 0 && seq >= 0 ? <Empty>No limit: nothing can open.</Empty> : null}
      <ul class="limits">
        {uses.map(([key, use]) => (
          <Limit key={key} use={use} portfolio={portfolios.size > 1 ? portfolioOf(key) : ""} />
        ))}
      </ul>
    </Panel>
  );
}

function portfolioOf(key: string): string {
  return key.split("/")[0] ?? "";
}

function NewLimit() {
  return (
    <button type="button" class="small" onClick={() => limitForm.open(null)}>
      Set a limit
    </button>
  );
}

/** `portfolio` is named where there are several: two assets of one name are not one risk. */
function Limit({ use, portfolio }: { use: Use; portfolio: string }) {
  const share = use.share === null ? null : Number(use.share);
  const { number } = use;
  const name = (
    <>
      {use.kind} <b>{use.of}</b>
      {portfolio && use.of !== portfolio && !use.of.endsWith(`:${portfolio}`) ? <small> {portfolio}</small> : null}
    </>
  );
  return (
    <li title={`${exact(use.used)} of at most ${exact(use.limit)}, set for ${use.where}`}>
      {may("limit") && number !== null ? (
        <button type="button" class="link" data-limit={number} onClick={() => limitForm.open(number)}>
          {name}
        </button>
      ) : (
        <span>{name}</span>
      )}
      <Meter used={share} label={`${use.kind} ${use.of}: ${percent(use.share)} of the limit is used`} />
      <span class="number">{share === null ? (use.note ? exact(use.limit) : "unknown") : percent(share, 0)}</span>
    </li>
  );
}
