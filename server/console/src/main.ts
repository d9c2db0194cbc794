/** The page's start: one application in one element. */
import { App } from "./app";

const root = document.getElementById("app");
if (root === null) throw new Error("the page has no place for the application");
void new App(root).start();
