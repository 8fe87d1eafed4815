// The list of recommendations, each with the likes it comes from.

import {button, find, make, named, titleOf} from "./dom.js";

const WHOLE = new Intl.NumberFormat("en", {style: "percent", maximumFractionDigits: 0});
const PART = new Intl.NumberFormat("en", {style: "percent", maximumFractionDigits: 1});

export class Picks {
  constructor({onLike, onDislike, ownerOf}) {
    this.list = find("#picks");
    Object.assign(this, {onLike, onDislike, ownerOf, users: 1});
  }

  show(items) {
    const focused = this.buttons.indexOf(document.activeElement);
    this.list.replaceChildren(...items.map(item => this.line(item)));
    if (focused >= 0) (this.buttons[focused] ?? this.buttons.at(-1))?.focus();
    find("#status").textContent = items.length
      ? `${items.length} recommendations, the first is ${titleOf(items[0])}.`
      : "";
  }

  get buttons() {
    return [...this.list.querySelectorAll("button")];
  }

  line(item) {
    const like = button(`Like ${titleOf(item)}`, () => this.onLike(item), {class: "like"}, "+");
    const text = make("div", {class: "what"}, named(item), ...this.because(item));
    const dislike = button(`Not for me: ${titleOf(item)}`, () => this.onDislike(item), {class: "dislike"}, "−");
    return make("li", {}, text, this.fame(item), make("div", {class: "verdict"}, dislike, like));
  }

  because(item) {
    if (item.because.length === 0) return [];
    const likes = item.because.map(like => make("b", {class: this.ownerOf(like)}, named(like)));
    const joined = likes.flatMap((like, n) => (n ? [" and ", like] : [like]));
    return [make("p", {class: "because"}, "because of ", ...joined)];
  }

  fame(item) {
    if (item.users === 0) return make("span", {class: "fame"}, "new", make("small", {}, " nobody has it yet"));
    const share = item.users / this.users;
    const text = (share < 0.0995 ? PART : WHOLE).format(share);
    return make("span", {class: "fame"}, text, make("small", {}, " have it"));
  }
}
