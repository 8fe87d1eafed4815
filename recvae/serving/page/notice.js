// What went wrong, in words, with a way on; and the question for a token.

import {find} from "./dom.js";
import {hasToken, remember} from "./server.js";

const UNAUTHORIZED = 401;
const KEPT = "It stays in this tab, and is gone when you close it.";

export class Notice {
  constructor(onRetry) {
    this.place = find("#notice");
    this.dialog = find("#token");
    this.place.querySelector("button").addEventListener("click", onRetry);
    this.dialog.querySelector("form").addEventListener("submit", event => {
      event.preventDefault();
      remember(this.dialog.querySelector("input").value);
      this.dialog.close();
      onRetry();
    });
  }

  show(error) {
    this.place.hidden = false;
    this.place.querySelector("p").textContent = error.message;
    if (error.status === UNAUTHORIZED) this.askForToken();
  }

  askForToken() {
    this.place.querySelector("p").textContent = "This server answers only who has its token.";
    this.dialog.querySelector("p").textContent = hasToken() ? "The server does not know that token." : KEPT;
    if (!this.dialog.open) this.dialog.showModal();
  }

  hide() {
    this.place.hidden = true;
  }
}
