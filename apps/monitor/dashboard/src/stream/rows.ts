// The rows of each topic, as the stream sends them. Amounts are decimal text, exactly as the database has them.

export type Amount = string | null;
export type Moment = string | null;

export interface Money {
  kind: "total" | "portfolio" | "account" | "venue" | "strategy" | "asset";
  key: string;
  currency: string;
  equity: Amount;
  peak: Amount;
  drawdown: Amount;
  day_profit: Amount;
  equity_at_least: Amount;
  gross_exposure: Amount;
  net_exposure: Amount;
  margin_used: Amount;
  margin_free: Amount;
  realised: Amount;
  unrealised: Amount;
  fees: Amount;
  funding: Amount;
  slippage: Amount;
  net_profit: Amount;
  why: string;
  at: Moment;
}

export interface Use {
  kind: string;
  of: string;
  where: string;
  number: number | null;
  note: string;
  limit: Amount;
  used: Amount;
  share: Amount;
}

export interface Position {
  strategy: string;
  account: string;
  venue: string;
  symbol: string;
  asset: string;
  currency: string;
  quantity: string;
  entry: string;
  mark: Amount;
  notional: Amount;
  unrealised: Amount;
  realised: string;
  fees: string;
  funding: string;
  opened: Moment;
}

export interface Order {
  strategy: string;
  account: string;
  venue: string;
  symbol: string;
  side: "buy" | "sell";
  type: string;
  time_in_force: string;
  purpose: string;
  quantity: string;
  price: string;
  trigger: Amount;
  status: string;
  working: boolean;
  filled: string;
  average: Amount;
  refusal: string;
  reason: string;
  /** The number of the tick that placed it; "hand" and other words for what none did. */
  tick: string;
  created: string;
  updated: string;
  submit_ms: number | null;
  acknowledge_ms: number | null;
}

export interface Fill {
  at: string;
  strategy: string;
  account: string;
  venue: string;
  symbol: string;
  side: "buy" | "sell";
  price: string;
  quantity: string;
  notional: string;
  fee: string;
  realised: string;
  currency: string;
  liquidity: string;
  kind: string;
  order: string | null;
  slippage_bps: number | null;
  heard_ms: number | null;
}

export interface Wish {
  instrument?: string;
  weight?: number;
  signal?: string;
  reason?: string;
  entry?: string;
  stop?: string;
  take_profit?: string;
  bids?: string[];
  asks?: string[];
  legs?: Wish[];
}

export interface Refusal {
  code: string;
  limit: string;
  value: string;
  request: string;
}

/** What a plan started from. */
export interface Seen {
  price: string | null;
  held: string;
  working: number;
}

export interface Report {
  seen?: Record<string, Seen>;
  age_ms?: Record<string, number | null>;
  desired?: Wish[];
  notes?: string[];
  plan?: string[];
  refusals?: Refusal[];
  stages_ms?: Record<string, number>;
}

export interface Did {
  placed: number;
  amended: number;
  cancelled: number;
  refused: number;
}

export interface Tick {
  strategy: string;
  trigger: string;
  event: string;
  status: "done" | "failed" | "expired";
  due: string;
  at: string;
  waited_ms: number | null;
  took_ms: number | null;
  decide_ms: number | null;
  did: Did;
  stages_ms: Record<string, number>;
  why: Report;
  error: string;
}

export interface Strategy {
  kind: string;
  stage: string;
  enabled: boolean;
  paused: string;
  account: string;
  venue: string;
  instruments: { account: string; instrument: string }[];
  currency: string;
  capital: string;
  leverage: string;
  ticks_on: string;
  priority: number;
  version: number;
  tick: number | null;
  tick_status?: string;
  tick_at?: string;
  tick_ms?: number | null;
  decide_ms?: number | null;
  did?: Did;
  report?: Report;
  error?: string;
}

export interface Gate {
  kind: string;
  key: string;
  mode: "active" | "reducing" | "halted";
  reason: string;
  actor: string;
  at: string;
}

export interface Veto {
  venue: string;
  scope: string;
  flatten: boolean;
  stage: string;
  reason: string;
  actor: string;
  detail: string;
  engaged: string;
  done_ms: number | null;
}

export interface Breaker {
  breaker: string;
  metric: string;
  scope: string;
  mode: string;
  reading: Amount;
  threshold: string;
  share: boolean;
  recovery: string;
  since: string;
}

export interface Release {
  scope: string;
  reason: string;
  asked_by: string;
  asked: string;
  expires: string;
}

export interface Drill {
  scope: string;
  state: string;
  asked_by: string;
  asked: string;
  first_cancel_ms: number | null;
  done_ms: number | null;
  problems: string[];
}

export interface News {
  kind: string;
  scope: string;
  message: string;
  at: string;
  actor: string;
}

export interface Venue {
  environment: string;
  state: "ok" | "degraded" | "down";
  reasons: string[];
  for_seconds: number;
  connected: boolean;
  data_age: number | null;
  ages: Record<string, number | null>;
  messages: number;
  unreadable: number;
  requests: number;
  errors: number;
  error_share: number | null;
  slow_ms: number | null;
  budgets: Budget[];
}

/** One allowance of a venue: `room` is for everything, `reserved_room` for cancels and exits, the last for halts. */
export interface Budget {
  owner: string;
  name: string;
  spent: number;
  of: number;
  seconds: number | null;
  room: number;
  reserved_room: number;
  foremost_room: number;
  share: number;
}

export interface Alert {
  id: number;
  rule: string;
  severity: "info" | "warning" | "critical";
  scope: string;
  title: string;
  detail: string;
  value: Amount;
  threshold: Amount;
  state: "firing" | "acknowledged" | "resolved";
  since: Moment;
  resolved_at: Moment;
  acknowledged_by: string;
  acknowledged_at: Moment;
  count: number;
}

export interface Health {
  component: string;
  kind: string;
  state: string;
  since: Moment;
  detail: string;
  latency_ms: number | null;
  instances: number | null;
}

export interface Queue {
  waiting: number;
}

export interface Price {
  bid: number | null;
  ask: number | null;
  mid: number | null;
  mark: number | null;
  funding: number | null;
}

export interface Bars {
  intervals: number[];
}

export interface Candle {
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  price?: number | null;
}

export interface Topics {
  money: Money;
  limits: Use;
  positions: Position;
  orders: Order;
  fills: Fill;
  strategies: Strategy;
  ticks: Tick;
  alerts: Alert;
  health: Health;
  gates: Gate;
  vetoes: Veto;
  releases: Release;
  drills: Drill;
  breakers: Breaker;
  news: News;
  venues: Venue;
  queues: Queue;
  prices: Price;
  charts: Bars;
}
