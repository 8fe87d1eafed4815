// A taste: what somebody likes, searched for, shown as chips, taken back.

import {button, find, make, named, titleOf} from "./dom.js";
import {Search} from "./search.js";

const MOST = 100;

export class Taste {
  constructor(name, {label, onChange, onError}) {
    this.section = find(`#${name}`);
    this.list = this.section.querySelector(".likes");
    Object.assign(this, {onChange, onError});
    this.likes = new Map();
    this.search = new Search(this.section.querySelector(".search"), {
      label,
      onPick: item => this.add(item),
      isTaken: item => this.has(item),
      onError,
    });
  }

  get size() {
    return this.likes.size;
  }

  get history() {
    return {items: [...this.likes.values()].map(item => item.id)};
  }

  has(item) {
    return this.likes.has(String(item.id));
  }

  add(item) {
    if (this.has(item)) return;
    if (this.size === MOST) return this.onError(new Error(`${MOST} likes are as many as fit here.`));
    const chip = make("li", {class: "chip"}, named(item));
    chip.append(button(`Remove ${titleOf(item)}`, () => this.remove(item, chip), {class: "remove"}, "×"));
    this.likes.set(String(item.id), item);
    this.list.append(chip);
    this.onChange();
  }

  remove(item, chip) {
    const next = chip.nextElementSibling ?? chip.previousElementSibling;
    (next?.querySelector("button") ?? this.search.input).focus();
    this.likes.delete(String(item.id));
    chip.remove();
    this.onChange();
  }
}
