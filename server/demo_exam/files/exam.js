// The demo exam's page: saving while writing, and the rehearsal that answers by itself.
"use strict";

const main = document.querySelector("main");
const onward = document.getElementById("onward");
const saved = document.getElementById("saved");

function remembered(name, value) {
  const known = sessionStorage.getItem(name);
  if (known !== null) return Number(known);
  sessionStorage.setItem(name, String(value));
  return value;
}

async function save(field) {
  saved.textContent = "Saving …";
  try {
    const body = new URLSearchParams({ [field.name]: field.value });
    const answer = await fetch("/answers", { method: "POST", body, keepalive: true });
    saved.textContent = answer.ok ? "All answers are saved." : "Not saved yet; the exam is on hold.";
  } catch {
    saved.textContent = "Not saved yet; the network is away.";
  }
}

const waiting = new Map();
function saveNow(field) {
  clearTimeout(waiting.get(field));
  waiting.delete(field);
  return save(field);
}
main.addEventListener("input", (event) => {
  const field = event.target;
  clearTimeout(waiting.get(field));
  waiting.set(field, setTimeout(saveNow, 600, field));
});
// Who leaves the page right after the last letter loses nothing.
addEventListener("pagehide", () => [...waiting.keys()].forEach(saveNow));

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function write(field, text, each) {
  field.focus();
  for (const letter of text.slice(field.value.length)) {
    field.value += letter;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await pause(each);
  }
}

// Answers visibly and leaves the page when its share of the time is over; the deadline holds across pages.
async function rehearse(seconds) {
  const deadline = remembered("rehearsal", Date.now() + seconds * 1000);
  const pagesLeft = Number(main.dataset.pages) - Number(main.dataset.page) + 1;
  const leaves = Date.now() + Math.max(0, deadline - Date.now()) / pagesLeft;
  const fields = [...main.querySelectorAll("textarea, input")].filter(
    (field) => field.type !== "radio" || field.value === field.dataset.sample,
  );
  const letters = fields.reduce((sum, field) => sum + (field.type === "radio" ? 5 : field.dataset.sample.length), 0);
  const each = Math.max(0, ((leaves - Date.now()) * 0.7) / Math.max(1, letters));
  for (const field of fields) {
    field.scrollIntoView({ block: "center" });
    if (field.type === "radio") {
      field.click();
      await pause(each * 5);
    } else {
      await write(field, field.dataset.sample, each);
    }
  }
  await pause(Math.max(0, leaves - Date.now()));
  onward.click();
}

if (main.dataset.rehearse) rehearse(Number(main.dataset.rehearse));
