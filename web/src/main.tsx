import { render } from "preact";
import { App } from "./app/app";
import "./style/tokens.css";
import "./style/base.css";
import "./style/shell.css";
import "./style/parts.css";
import "./style/figures.css";
import "./style/screens.css";

const root = document.getElementById("app");
if (root) render(<App />, root);
