import "./colours.css";
import "./page.css";
import "./panels.css";
import "./time-line.css";
import "./topology.css";
// It adds to the others.
import "./faults.css";
import { render } from "preact";
import { App } from "./app";
import { follow } from "./connection";
import { applyTheme } from "./theme";

applyTheme();
const root = document.getElementById("page");
if (root) {
  root.replaceChildren();
  render(<App />, root);
}
void follow();
