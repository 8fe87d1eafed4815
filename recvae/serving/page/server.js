// Questions to the server: the token they bear, errors in plain words, stale answers dropped.

const TOKEN = "recvae-token";

export class ServerError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export function remember(token) {
  sessionStorage.setItem(TOKEN, token);
}

export const hasToken = () => sessionStorage.getItem(TOKEN) !== null;

/** Get a path, or post a body to it; the answer is JSON. */
export async function ask(path, {query, body, signal} = {}) {
  const answer = await send(query ? `${path}?${new URLSearchParams(query)}` : path, {
    method: body ? "POST" : "GET",
    headers: headers(),
    body: body && JSON.stringify(body),
    signal,
  });
  if (answer.ok) return answer.json();
  throw new ServerError(answer.status, await reason(answer));
}

/** Make work that waits a little before it begins, and gives undefined if it was begun anew. */
export function latest(work, wait) {
  let newest;
  return async (...given) => {
    newest?.abort();
    newest = new AbortController();
    const {signal} = newest;
    await new Promise(done => setTimeout(done, wait));
    if (signal.aborted) return undefined;
    try {
      const result = await work(signal, ...given);
      return signal.aborted ? undefined : result;
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  };
}

function headers() {
  const token = sessionStorage.getItem(TOKEN);
  const json = {"Content-Type": "application/json"};
  return token ? {...json, Authorization: `Bearer ${token}`} : json;
}

async function send(url, request) {
  try {
    return await fetch(url, request);
  } catch (error) {
    if (request.signal?.aborted) throw error;
    throw new ServerError(0, "The server does not answer. What you have chosen is kept.");
  }
}

async function reason(answer) {
  const {detail} = await answer.json().catch(() => ({}));
  return typeof detail === "string" ? detail : `The server refused (${answer.status}).`;
}
