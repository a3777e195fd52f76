// The page: what one must see without scrolling first, then the rest.

import { useEffect } from "preact/hooks";
import { said } from "./panels/acting";
import { AskDialog } from "./panels/asking";
import { Alerts } from "./panels/alerts";
import { Market } from "./panels/chart";
import { Decisions } from "./panels/decisions";
import { Drawer } from "./panels/drawer";
import { Equity } from "./panels/equity";
import { Header, Links } from "./panels/header";
import { Health } from "./panels/health";
import { KillSwitchDialog, Stops } from "./panels/kill-switch";
import { Latest } from "./panels/latest";
import { LimitDialog } from "./panels/limit-form";
import { Limits } from "./panels/limits";
import { Money } from "./panels/money";
import { Fills, Orders } from "./panels/orders";
import { Breakers, Queues, Venues } from "./panels/platform";
import { Positions } from "./panels/positions";
import { Strategies } from "./panels/strategies";
import { TicketDialog } from "./panels/ticket";
import { line } from "./stream/line";

export function App() {
  useEffect(() => {
    line.open();
    return () => line.close();
  }, []);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the figures
      </a>
      <Header />
      <Message />
      <main id="main">
        <Money />
        <div class="grid">
          <Equity />
          <Latest />
          <Alerts />
          <Strategies />
          <Decisions />
          <Positions />
          <Limits />
          <Market />
          <Venues />
          <Orders />
          <Fills />
          <Breakers />
          <Stops />
          <Health />
          <Queues />
        </div>
      </main>
      <footer class="foot">
        <nav aria-label="Other pages, again">
          <Links />
        </nav>
        Charts by <a href="https://www.tradingview.com/">TradingView</a> Lightweight Charts
      </footer>
      <KillSwitchDialog />
      <AskDialog />
      <TicketDialog />
      <LimitDialog />
      <Drawer />
    </>
  );
}

const MESSAGE_MS = 8_000;

function Message() {
  const message = said.value;
  useEffect(() => {
    if (!message) return undefined;
    const timer = window.setTimeout(() => (said.value = null), MESSAGE_MS);
    return () => window.clearTimeout(timer);
  }, [message]);
  return (
    <div class="message-place" role="alert">
      {message ? <p class={`message ${message.good ? "good" : "bad"}`}>{message.text}</p> : null}
    </div>
  );
}
