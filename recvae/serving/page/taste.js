// A taste: what somebody likes, searched for, shown as chips, taken back; and chips of dislikes.

import {button, find, make, named, titleOf} from "./dom.js";
import {Search} from "./search.js";

const MOST = 100;

/** Items as chips, each of which can be taken back; `home` has the focus when none is left. */
export class Chips {
  constructor(list, {home, onChange}) {
    Object.assign(this, {list, home, onChange, items: new Map()});
  }

  get size() {
    return this.items.size;
  }

  get ids() {
    return [...this.items.values()].map(item => item.id);
  }

  has(item) {
    return this.items.has(String(item.id));
  }

  add(item) {
    if (this.has(item)) return;
    const chip = make("li", {class: "chip"}, named(item));
    chip.append(button(`Remove ${titleOf(item)}`, () => this.remove(item, chip), {class: "remove"}, "×"));
    this.items.set(String(item.id), item);
    this.list.append(chip);
    this.onChange();
  }

  remove(item, chip) {
    const next = chip.nextElementSibling ?? chip.previousElementSibling;
    (next?.querySelector("button") ?? this.home).focus();
    this.items.delete(String(item.id));
    chip.remove();
    this.onChange();
  }
}

export class Taste extends Chips {
  constructor(name, {label, onChange, onError}) {
    const section = find(`#${name}`);
    super(section.querySelector(".likes"), {onChange});
    Object.assign(this, {section, onError});
    this.search = new Search(section.querySelector(".search"), {
      label,
      onPick: item => this.add(item),
      isTaken: item => this.has(item),
      onError,
    });
    this.home = this.search.input;
  }

  add(item) {
    if (this.size < MOST || this.has(item)) return super.add(item);
    this.onError(new Error(`${MOST} likes are as many as fit here.`));
  }
}
