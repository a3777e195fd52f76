// The line to the platform: one websocket that comes back by itself, and the tables it keeps.

import { type Signal, signal } from "@preact/signals";
import type { Topics } from "./rows";
import { after, type Delta, EMPTY, type Snapshot, type Table } from "./table";

type Message = Snapshot | Delta | { kind: "problem"; detail: string } | { kind: "pulse" | "pong" };

export type LineState = "connecting" | "live" | "lost";

// The server says something at least every five seconds; a line that is quiet for longer is dead.
const SILENCE_MS = 12_000;
const FIRST_RETRY_MS = 400;
const LONGEST_RETRY_MS = 8_000;
// A person sees no more than this; the server puts together what changes in between.
const PER_SECOND = 5;

export class Line {
  readonly state = signal<LineState>("connecting");
  readonly heardAt = signal(0);
  readonly problem = signal("");
  private readonly tables = new Map<string, Signal<Table<unknown>>>();
  private readonly wanted = new Map<string, number>();
  private socket: WebSocket | null = null;
  private retryMs = FIRST_RETRY_MS;
  private watchdog = 0;

  constructor(private readonly address: string) {}

  open(): void {
    this.connect();
    this.watchdog = window.setInterval(() => this.look(), 1_000);
  }

  close(): void {
    window.clearInterval(this.watchdog);
    this.socket?.close();
  }

  /** Return a topic's table; it fills once the topic is followed. */
  table<Name extends keyof Topics>(name: Name): Signal<Table<Topics[Name]>> {
    return this.named(name) as Signal<Table<Topics[Name]>>;
  }

  /** Return the table of a topic with words after its name. */
  named<Row>(name: string): Signal<Table<Row>> {
    let table = this.tables.get(name);
    if (table === undefined) {
      table = signal<Table<unknown>>(EMPTY);
      this.tables.set(name, table);
    }
    return table as Signal<Table<Row>>;
  }

  /** Follow a topic until the function that is returned is called. */
  follow(name: string): () => void {
    const count = this.wanted.get(name) ?? 0;
    this.wanted.set(name, count + 1);
    if (count === 0) this.say({ do: "subscribe", topics: [name] });
    return () => this.unfollow(name);
  }

  private unfollow(name: string): void {
    const count = (this.wanted.get(name) ?? 1) - 1;
    if (count > 0) {
      this.wanted.set(name, count);
      return;
    }
    this.wanted.delete(name);
    this.tables.delete(name);
    this.say({ do: "unsubscribe", topics: [name] });
  }

  private connect(): void {
    const socket = new WebSocket(this.address);
    this.socket = socket;
    socket.onopen = () => {
      this.say({ do: "pace", per_second: PER_SECOND });
      const topics = [...this.wanted.keys()];
      if (topics.length > 0) this.say({ do: "subscribe", topics });
    };
    socket.onmessage = (event) => this.hear(JSON.parse(String(event.data)) as Message);
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.state.value = "lost";
      // Not all pages at once after a restart.
      window.setTimeout(() => this.connect(), this.retryMs * (0.5 + Math.random()));
      this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
    };
  }

  private hear(message: Message): void {
    this.heardAt.value = Date.now();
    this.state.value = "live";
    this.retryMs = FIRST_RETRY_MS;
    if (message.kind === "problem") this.problem.value = message.detail;
    if (message.kind === "snapshot" || message.kind === "delta") this.take(message);
  }

  private take(message: Snapshot | Delta): void {
    if (!this.wanted.has(message.topic)) return;
    const table = this.named<unknown>(message.topic);
    const next = after(table.value, message);
    if (next !== null) {
      table.value = next;
      return;
    }
    this.say({ do: "unsubscribe", topics: [message.topic] });
    this.say({ do: "subscribe", topics: [message.topic] });
  }

  private look(): void {
    if (this.state.value === "live" && Date.now() - this.heardAt.value > SILENCE_MS) this.socket?.close();
  }

  private say(words: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(words));
  }
}

const scheme = window.location.protocol === "https:" ? "wss" : "ws";
export const line = new Line(`${scheme}://${window.location.host}/api/v1/stream`);
