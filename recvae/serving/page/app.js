// The page: two tastes, sliders, a list and a map that follow them.

import {find} from "./dom.js";
import {ItemMap} from "./map.js";
import {Notice} from "./notice.js";
import {Picks} from "./picks.js";
import {starters} from "./search.js";
import {ask, latest} from "./server.js";
import {Chips, Taste} from "./taste.js";

const LENGTH = 10;
const REASONS = 2;
const STARTERS = 8;
const STOPS = 11; // lists between two tastes
const WAIT = 80;
const MIDDLE = 50;
const UNABLE = 501; // the status of what this model can't do

const notice = new Notice(() => begin());
const report = error => notice.show(error);
const one = new Taste("one", {label: "What do you like?", onChange: () => update(), onError: report});
const other = new Taste("other", {label: "What do they like?", onChange: () => update(), onError: report});
const dislikes = new Chips(find(".dislikes"), {home: one.home, onChange: () => update()});
const picks = new Picks({onLike: item => one.add(item), onDislike: item => dislikes.add(item), ownerOf: like => (one.has(like) ? "one" : "other")});
const map = new ItemMap({onLike: item => one.add(item)});
const niche = find("#niche"), diversity = find("#diversity"), share = find("#share");
const weights = Array.from({length: STOPS}, (_, n) => n / (STOPS - 1));
let lists = [], places = [], model; // lists at each stop; tastes with their places; what is served

const isBlend = () => one.size > 0 && other.size > 0 && !model?.no_latent_space;
const hasMap = () => Boolean(map.all) && !model?.no_latent_space;
const tastes = () => [one, other].filter(taste => taste.size > 0);

const askLists = latest(async signal => {
  const [steered, mixed] = [niche, diversity].map(slider => Number(slider.value));
  const wishes = {k: LENGTH, niche: steered, diversity: mixed, reasons: REASONS, dislikes: dislikes.ids};
  const taste = tastes()[0];
  if (!taste) return [];
  if (!isBlend()) return [await ask("explain", {body: {items: taste.ids, ...wishes}, signal})];
  const blend = {one: {items: one.ids}, other: {items: other.ids}, weights, ...wishes};
  return (await ask("blend", {body: blend, signal})).lists;
}, WAIT);

const askPlaces = latest(signal => Promise.all(tastes().map(async taste => ({
  name: taste.section.id,
  likes: [...taste.items.values()],
  place: await ask("place", {body: {items: taste.ids}, signal}),
}))), WAIT);

/** Ask anew for all that follows from the tastes. */
async function update() {
  find(".starters").hidden = one.size > 0;
  find("#dislikes").hidden = dislikes.size === 0;
  find("#blend").hidden = !isBlend();
  find(".list").setAttribute("aria-busy", "true");
  try {
    const [newLists, newPlaces] = await Promise.all([askLists(), hasMap() ? askPlaces() : []]);
    if (!newLists || !newPlaces) return;
    [lists, places] = [newLists, newPlaces];
    notice.hide();
    show();
  } catch (error) {
    report(error);
  }
  find(".list").setAttribute("aria-busy", "false");
}

/** Show what has been answered, at the place between the tastes that the slider says. */
function show() {
  const isBlended = lists.length > 1;
  const stop = isBlended ? Math.round(Number(share.value) / 100 * (STOPS - 1)) : 0;
  const items = lists[stop]?.items ?? [];
  picks.show(items);
  find("#list-title").textContent = isBlended ? "Between the two" : "For you";
  find("#list-hint").textContent = hint(items);
  if (hasMap()) map.show(places, isBlended ? weights[stop] : 0, items);
}

function hint(items) {
  if (tastes().length === 0) return "Choose something you like, and a list appears here.";
  if (items.length === 0) return "There is nothing left to recommend.";
  if (items.some(item => item.because.length > 0)) return "";
  return `${model.model} does not say which of your likes a recommendation comes from: none of them speaks for it.`;
}

/** Say in words where the sliders are. */
function tell() {
  const [lean, part, mixed] = [niche, share, diversity].map(slider => Number(slider.value));
  const degree = Math.abs(lean) === 1 ? "the most" : Math.abs(lean) > 0.5 ? "more" : "a little more";
  speak(niche, lean === 0 ? "as the model ranks" : `${degree} ${lean < 0 ? "popular" : "niche"}`);
  const breadth = mixed === 1 ? "as diverse as can be" : mixed > 0.5 ? "more diverse" : "a little more diverse";
  speak(diversity, mixed === 0 ? "as the model ranks" : breadth);
  speak(share, part === MIDDLE ? "half and half" : `${100 - part}% yours, ${part}% second`);
}

function speak(slider, text) {
  slider.setAttribute("aria-valuetext", text);
  find(`output[for=${slider.id}]`).textContent = text;
}

/** Ask which model it is and what to begin with, then for the rest. */
async function begin() {
  try {
    model = await ask("health");
    introduce();
    const {items} = await ask("items", {query: {k: STARTERS}});
    starters(find(".starters ul"), items, item => one.add(item));
    await drawMap();
    await update();
  } catch (error) {
    report(error);
  }
}

function introduce() {
  const count = new Intl.NumberFormat("en").format(model.n_items);
  find("#model").textContent = `${model.model}, ${count} items`;
  picks.users = model.n_users;
  find("#variety").hidden = Boolean(model.no_genres);
  offer("#other", model.no_latent_space);
  offer("#map", model.no_latent_space);
}

/** Show a part of the page, or say why it is not there. */
function offer(part, obstacle) {
  find(part).hidden = Boolean(obstacle);
  find(`${part}-absent`).hidden = !obstacle;
  find(`${part}-absent span`).textContent = obstacle ?? "";
}

async function drawMap() {
  if (model.no_latent_space) return;
  try {
    map.points = (await ask("map")).points;
  } catch (error) {
    if (error.status !== UNABLE) throw error;
    offer("#map", error.message);
  }
}

for (const slider of [niche, diversity]) slider.addEventListener("input", () => { tell(); update(); });
share.addEventListener("input", () => { tell(); show(); });
tell();
begin();
