// A box to search titles in: a combobox with a list, used by pointer or keyboard.

import {button, find, make, named, titleOf} from "./dom.js";
import {ask, latest} from "./server.js";

const WAIT = 120;
const FOUND = 8;

export class Search {
  constructor(place, {label, onPick, isTaken, onError}) {
    const name = place.closest("section").id;
    place.append(find("#search").content.cloneNode(true));
    [this.label, this.input, this.list, this.status] = place.children;
    Object.assign(this, {name, onPick, isTaken, onError, active: -1, items: []});
    this.label.textContent = label;
    this.label.htmlFor = this.input.id = `${name}-search`;
    this.list.id = `${name}-found`;
    this.list.setAttribute("aria-label", "Titles found");
    this.input.setAttribute("aria-controls", this.list.id);
    this.look = latest(signal => ask("items", {query: {q: this.input.value, k: FOUND}, signal}), WAIT);
    this.input.addEventListener("input", () => this.search());
    this.input.addEventListener("keydown", event => this.press(event));
    this.input.addEventListener("blur", () => this.close());
    this.list.addEventListener("pointerdown", event => event.preventDefault());
  }

  async search() {
    if (this.input.value.trim() === "") return this.close();
    try {
      const answer = await this.look();
      if (answer && this.isAsking) this.show(answer.items);
    } catch (error) {
      this.close();
      this.onError(error);
    }
  }

  /** Whether an answer is still wanted. */
  get isAsking() {
    return document.activeElement === this.input && this.input.value.trim() !== "";
  }

  show(items) {
    this.items = items;
    this.list.replaceChildren(...items.map((item, n) => this.option(item, n)));
    this.status.textContent = items.length ? "" : `Nothing found for “${this.input.value.trim()}”.`;
    this.open(items.length > 0);
  }

  option(item, n) {
    const taken = this.isTaken(item) ? [make("small", {}, " ✓ chosen")] : [];
    const made = make("li", {role: "option", id: `${this.name}-${n}`, "aria-selected": "false"}, named(item), ...taken);
    made.addEventListener("click", () => this.pick(n));
    return made;
  }

  press(event) {
    const moves = {ArrowDown: 1, ArrowUp: -1};
    if (event.key in moves && !this.list.hidden) this.move(moves[event.key]);
    else if (event.key === "Enter" && !this.list.hidden) this.pick(Math.max(this.active, 0));
    else if (event.key === "Escape") this.clear();
    else return;
    event.preventDefault();
  }

  move(step) {
    const n = this.items.length;
    this.active = this.active < 0 && step < 0 ? n - 1 : (this.active + step + n) % n;
    [...this.list.children].forEach((option, place) =>
      option.setAttribute("aria-selected", String(place === this.active)));
    const option = this.list.children[this.active];
    this.input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({block: "nearest"});
  }

  pick(n) {
    const item = this.items[n];
    this.clear();
    this.onPick(item);
  }

  clear() {
    this.input.value = "";
    this.close();
  }

  open(open) {
    this.active = -1;
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
    this.input.removeAttribute("aria-activedescendant");
  }

  close() {
    this.status.textContent = "";
    this.open(false);
  }
}

/** Buttons for items to begin with. */
export function starters(list, items, onPick) {
  const buttons = items.map(item => button(`Like ${titleOf(item)}`, () => onPick(item), {class: "chip"}, "+ ", named(item)));
  list.replaceChildren(...buttons.map(one => make("li", {}, one)));
}
