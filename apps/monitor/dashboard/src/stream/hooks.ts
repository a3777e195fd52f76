// What components ask for: a topic's rows, for as long as they are on the page.

import type { ReadonlySignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { line } from "./line";
import type { Topics } from "./rows";
import type { Table } from "./table";

export function useTopic<Name extends keyof Topics>(name: Name): Table<Topics[Name]> {
  useEffect(() => line.follow(name), [name]);
  return (line.table(name) as ReadonlySignal<Table<Topics[Name]>>).value;
}

export function useNamed<Row>(name: string | null): Table<Row> | null {
  useEffect(() => (name === null ? undefined : line.follow(name)), [name]);
  return name === null ? null : (line.named<Row>(name) as ReadonlySignal<Table<Row>>).value;
}
