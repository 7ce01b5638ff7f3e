import type { FaultOrder } from "../picture/state";
import { change, receive } from "./store";

const RETRY_MS = 1_000;
const KEY = "groundplane-token";

/**
 * The token comes in the fragment of the address. It moves to the storage of this tab, so that neither the address bar nor a picture
 * of it shows it, and a reload still works.
 */
function takeToken(): string {
  const given = location.hash.slice(1);
  if (given !== "") {
    sessionStorage.setItem(KEY, given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(KEY) ?? "";
}

const token = takeToken();

/** Reads server-sent events until the stream ends. An `EventSource` cannot send the token in a header. */
export async function readEvents(path: string, onEvent: (event: string, data: string) => void, signal?: AbortSignal) {
  const response = await fetch(path, { headers: { authorization: `Bearer ${token}` }, ...(signal && { signal }) });
  if (!response.ok || response.body === null) return response.status;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return response.status;
    const messages = (rest + value).split("\n\n");
    rest = messages.pop() ?? "";
    for (const message of messages) {
      const [, event = "", data = ""] = /^event: (.*)\ndata: (.*)$/.exec(message) ?? [];
      if (event !== "") onEvent(event, data);
    }
  }
}

/** Why the server refuses an order; `undefined`: it takes it. */
export async function sendOrder(path: "/faults" | "/faults/end", order: FaultOrder): Promise<string | undefined> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const sent = fetch(path, { method: "POST", headers, body: JSON.stringify(order) });
  const response = await sent.catch(() => undefined);
  if (response === undefined) return "the view does not answer";
  return response.ok ? undefined : (await response.text()).trim();
}

/** Follows the state for as long as the page is open. */
export async function follow(): Promise<void> {
  for (;;) {
    const status = await readEvents("/changes", receive).catch(() => 0);
    change({ connection: status === 401 || status === 403 ? "refused" : "lost" });
    if (status === 401) return;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}
