// The map: items as dots, tastes as points with the ellipse of their uncertainty.

import {draw, find, make, titleOf} from "./dom.js";

const MARGIN = 1.08;
const REACH = 14; // pixels between the pointer and the dot that it means
const GAP = 6; // pixels between names, and between a name and a taste
const LANDMARKS = 300; // of the items, which come the most popular first
const NEAREST = 3;
const REST = "other"; // all genres that are not among the most frequent

export class ItemMap {
  constructor({onLike}) {
    this.plane = find(".plane");
    this.picture = find(".plane svg");
    this.names = find(".plane .names");
    this.plane.addEventListener("pointermove", event => this.tell(this.under(event)));
    this.plane.addEventListener("pointerleave", () => this.tell());
    this.plane.addEventListener("click", event => {
      const point = this.under(event);
      if (point) onLike(point);
    });
  }

  /** Draw the items, an array of {id, title, x, y, genre}. */
  set points(points) {
    const known = points.map(point => point.genre);
    const genres = [...new Set(known)].sort((a, b) => rank(known, a) - rank(known, b));
    this.all = points;
    this.byId = new Map(points.map(point => [String(point.id), point]));
    this.dots = genres.map((genre, n) =>
      draw("path", {class: `dots ${colour(genre, n)}`, d: dots(points.filter(point => point.genre === genre))}));
    const entries = genres.length > 1 ? genres : [];
    find(".legend").replaceChildren(...entries.map((genre, n) => make("li", {class: colour(genre, n)}, genre)));
  }

  /** Show tastes, {name, place, likes}, how far the blend is from the first, and the list. */
  show(tastes, share, picks) {
    const centre = between(tastes.map(taste => taste.place), share);
    this.frame(tastes.map(taste => taste.place));
    this.picture.replaceChildren(
      ...this.dots,
      ...tastes.flatMap(ellipses),
      ...marks("picks", this.placed(picks)),
      ...tastes.flatMap(({name, likes}) => marks(`likes ${name}`, this.placed(likes))),
      ...(tastes.length > 1 ? [line(tastes)] : []),
      ...tastes.flatMap(({name, place}) => marks(`centre ${name}`, [place])),
      ...(tastes.length > 1 ? marks("centre blend", [centre]) : []),
    );
    this.named = this.placed(tastes.flatMap(taste => taste.likes));
    this.tell();
    find("#nearby").textContent = tastes.length ? this.nearby(centre) : "Say what you like, and your taste appears here.";
  }

  placed(items) {
    return items.map(item => this.byId.get(String(item.id))).filter(Boolean);
  }

  /** A square around all items and tastes, y upwards. */
  frame(places) {
    const [x, y] = ["x", "y"].map(axis => extent([...this.all, ...places].map(point => point[axis])));
    const side = MARGIN * Math.max(x.length, y.length) || 1;
    this.square = {x: x.middle - side / 2, y: -y.middle - side / 2, side};
    this.picture.setAttribute("viewBox", `${this.square.x} ${this.square.y} ${side} ${side}`);
  }

  /** The item under the pointer. */
  under(event) {
    if (!this.square) return undefined;
    const {left, top, width} = bounds(this.picture);
    const unit = this.square.side / width;
    const at = {x: this.square.x + (event.clientX - left) * unit, y: -this.square.y - (event.clientY - top) * unit};
    const nearest = nearestTo(at, this.all, 1)[0];
    return distance(at, nearest) < REACH * unit ? nearest : undefined;
  }

  /** Name the item that the pointer is on, or else the likes, as far as their names don't meet. */
  tell(point) {
    this.plane.classList.toggle("pointed", Boolean(point));
    this.names.replaceChildren();
    const taken = point ? [] : [...this.picture.querySelectorAll(".centre")].map(bounds);
    for (const item of point ? [point] : this.named ?? []) this.name(item, taken);
  }

  /** Write a name to the right of its item, or else to its left, or else not. */
  name(item, taken) {
    const label = make("span", {}, titleOf(item));
    label.style.left = `${100 * (item.x - this.square.x) / this.square.side}%`;
    label.style.top = `${100 * (-item.y - this.square.y) / this.square.side}%`;
    this.names.append(label);
    for (const side of ["", "leftwards"]) {
      label.className = side;
      const place = bounds(label);
      if (within(place, bounds(this.plane)) && !taken.some(other => meet(place, other))) {
        taken.push(place);
        return;
      }
    }
    label.remove();
  }

  nearby(place) {
    const landmarks = this.all.slice(0, LANDMARKS);
    return `Well known and near: ${nearestTo(place, landmarks, NEAREST).map(titleOf).join(", ")}.`;
  }
}

const colour = (genre, n) => (genre === REST ? "rest" : `g${n}`);

/** The genre of most items first, the rest last. */
const rank = (genres, genre) => (genre === REST ? Infinity : -genres.filter(one => one === genre).length);

const bounds = node => node.getBoundingClientRect();

const within = (one, other) => one.left >= other.left && one.right <= other.right;

const meet = (one, other) => one.left - GAP < other.right && other.left < one.right + GAP
  && one.top - GAP < other.bottom && other.top < one.bottom + GAP;

const distance = (one, other) => Math.hypot(one.x - other.x, one.y - other.y);

const nearestTo = (place, points, n) =>
  [...points].sort((one, other) => distance(place, one) - distance(place, other)).slice(0, n);

function extent(values) {
  const [low, high] = values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  return {middle: (low + high) / 2, length: high - low};
}

const dots = points => points.map(({x, y}) => `M${x} ${-y}h0`).join("");

function between(places, share) {
  const [one, other = one] = places;
  return one && {x: (1 - share) * one.x + share * other.x, y: (1 - share) * one.y + share * other.y};
}

const line = ([one, other]) => draw("path", {class: "line", d: `M${one.place.x} ${-one.place.y}L${other.place.x} ${-other.place.y}`});

/** Dots with a rim. */
const marks = (kind, points) =>
  [`${kind} rim`, kind].map(name => draw("path", {class: name, d: dots(points)}));

/** The unit circle, taken by a square root of the covariance to an ellipse that holds p of it. */
function ellipses({name, place}) {
  if (!place.spread) return [];
  const {xx, xy, yy} = place.spread;
  const a = Math.sqrt(xx), b = xy / a, c = Math.sqrt(Math.max(yy - b * b, 0));
  const radius = Math.sqrt(-2 * Math.log(1 - 2 / 3));
  const matrix = `matrix(${a} ${-b} 0 ${-c} ${place.x} ${-place.y}) scale(${radius})`;
  return [draw("circle", {class: `spread ${name}`, r: 1, transform: matrix})];
}
