import { render } from "preact";
import { App } from "./app";
import "./style/colours.css";
import "./style/page.css";
import "./style/panels.css";
import "./style/dialogs.css";

const place = document.getElementById("page");
if (place) {
  place.replaceChildren();
  render(<App />, place);
}
