// Small helpers to make what is shown.

const SVG = "http://www.w3.org/2000/svg";

export const find = selector => document.querySelector(selector);

/** Make an element with attributes and children; text is never read as HTML. */
export function make(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function draw(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export function button(label, onClick, attributes, ...children) {
  const made = make("button", {type: "button", "aria-label": label, title: label, ...attributes}, ...children);
  made.addEventListener("click", onClick);
  return made;
}

/** An item's title; where there is none, its id. */
export const titleOf = item => item.title ?? `item ${item.id}`;

/** The title, with the year at its end set apart. */
export function named(item) {
  const [, name, year] = titleOf(item).match(/^(.*\S)\s+\((\d{4})\)$/) ?? [null, titleOf(item)];
  return year ? make("span", {class: "name"}, `${name} `, make("small", {}, year)) : make("span", {class: "name"}, name);
}
