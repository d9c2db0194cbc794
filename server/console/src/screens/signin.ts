/** Signing in with name and password. */
import * as api from "../api";
import type { Screen } from "../app";
import iconUrl from "../icon.svg";
import { h } from "../view/dom";
import { explain } from "../view/words";

export function signInScreen(done: (account: api.Account) => void): Screen {
  const name = h("input", { id: "name", name: "name", autocomplete: "username", required: true });
  const password = h("input", {
    id: "password",
    name: "password",
    type: "password",
    autocomplete: "current-password",
    required: true,
  });
  const button = h("button", { class: "primary", type: "submit" }, "Sign in");
  const problem = h("p", { class: "problem", role: "alert" });

  const submit = async (): Promise<void> => {
    button.disabled = true;
    problem.textContent = "";
    try {
      done(await api.login(name.value, password.value));
    } catch (error) {
      const wrong = error instanceof api.Refused && error.status === 401;
      problem.textContent = wrong ? "Name or password is wrong." : explain(error);
      password.select();
    } finally {
      button.disabled = false;
    }
  };

  const form = h(
    "form",
    {
      class: "card signin",
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        void submit();
      },
    },
    h("img", { src: iconUrl, alt: "", width: 44, height: 44 }),
    h("h1", null, "Fairlock"),
    h("p", { class: "quiet" }, "Review of recorded exams"),
    h("label", { for: "name" }, "Name"),
    name,
    h("label", { for: "password" }, "Password"),
    password,
    problem,
    button,
  );
  return { element: h("div", { class: "centre" }, form), title: "Sign in" };
}
