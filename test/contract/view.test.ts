// The server of the page against a scripted stack: who gets an answer, what tells of a change, and what is left behind.
import assert from "node:assert/strict";
import * as http from "node:http";
import { after, before, test } from "node:test";
import type { ViewState } from "../../view/picture/state";
import { type ViewUnderTest, viewUnderTest } from "../support/view-under-test";

let view: ViewUnderTest;
/** Only what never happens takes so long: a host whose processors are saturated delays everything. */
const LIMIT_MS = 60_000;
/** What keeps a process. */
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
const timersBefore = timers();
before(async () => {
  view = await viewUnderTest("lab");
});
after(() => view.server.close());

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

/** `fetch` sets Host and Origin itself. */
function get(
  path: string,
  headers: Record<string, string> = {},
  { method = "GET", host = "127.0.0.1", body = "" } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host, port: view.server.port, path, method, headers, agent: false };
    const request = http.request(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    request.on("error", reject);
    // Another process, which accepts connections and does not answer.
    request.setTimeout(LIMIT_MS, () => request.destroy(new Error("no answer")));
    request.end(body);
  });
}

const withToken = () => ({ authorization: `Bearer ${view.token}` });

/** The messages of the stream, until it is closed. */
function listen(path = "/changes") {
  const messages: { event: string; data: never }[] = [];
  let rest = "";
  const options = { host: "127.0.0.1", port: view.server.port, path, headers: withToken(), agent: false };
  const request = http.get(options, (response) => {
    response.setEncoding("utf8").on("data", (part: string) => {
      const all = (rest + part).split("\n\n");
      rest = all.pop() ?? "";
      for (const message of all) {
        const [, event = "", data = "null"] = /^event: (.*)\ndata: (.*)$/.exec(message) ?? [];
        if (event !== "") messages.push({ event, data: JSON.parse(data) as never });
      }
    });
  });
  request.on("error", () => undefined);
  return { messages, close: () => request.destroy() };
}

async function until<T>(what: string, find: () => T | undefined): Promise<T> {
  const end = performance.now() + LIMIT_MS;
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    assert.ok(performance.now() < end, `timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("the page comes without a token, and nothing in it is from elsewhere", async () => {
  for (const path of ["/", "/page.js", "/page.css"]) {
    const { status, headers, text } = await get(path);
    assert.equal(status, 200, path);
    assert.match(String(headers["content-security-policy"]), /default-src 'none'.*script-src 'self'/);
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["set-cookie"], undefined);
    // Names of XML and of documentation are not requested.
    const addresses = [...text.matchAll(/https?:\/\/[^"'\s`)]+/g)].map(([address]) => address);
    assert.deepEqual(
      addresses.filter((address) => !/^https?:\/\/(?:www\.w3\.org|127\.0\.0\.1)/.test(address)),
      [],
    );
    assert.ok(!text.includes(view.token));
  }
});

test("data needs the token, and other names, pages and methods are refused", async () => {
  for (const path of ["/changes", "/journal?node=master-1"]) {
    assert.equal((await get(path)).status, 401);
    assert.equal((await get(path, { authorization: "Bearer wrong" })).status, 401);
    assert.equal((await get(`${path}${path.includes("?") ? "&" : "?"}token=${view.token}`)).status, 401);
    assert.equal((await get(path, { ...withToken(), host: "rebound.example" })).status, 403);
    assert.equal((await get(path, { ...withToken(), origin: "http://rebound.example" })).status, 403);
    assert.equal((await get(path, withToken(), { method: "POST" })).status, 405);
  }
  assert.equal((await get("/", { host: `rebound.example:${view.server.port}` })).status, 403);
  for (const path of ["/nothing", "/../package.json", "/constructor", "/__proto__"])
    assert.equal((await get(path, withToken())).status, 404, path);
});

test("a user without the token cannot end it with an invalid address", async () => {
  for (const path of ["//", "//:", "http://[", "http://127.0.0.1:x/"]) {
    assert.equal((await get(path)).status, 400, path);
    assert.equal((await get(path, { host: "rebound.example" })).status, 403, path);
  }
  assert.equal((await get("/")).status, 200);
});

/** Whether this view answers there. Another process may have the same port of another address. */
async function servesPage(host: string): Promise<boolean> {
  const options = { host: `127.0.0.1:${view.server.port}` };
  const answers = await Promise.all([get("/page.js", options), get("/page.js", options, { host })].map(textOf));
  return answers[1] !== undefined && answers[1] === answers[0];
}

const textOf = (answer: Promise<Answer>): Promise<string | undefined> =>
  answer.then(
    ({ text }) => text,
    () => undefined,
  );

test("it listens on 127.0.0.1 only", async () => {
  assert.ok(await servesPage("127.0.0.1"));
  for (const other of ["::1", "127.0.0.2"]) assert.ok(!(await servesPage(other)), other);
});

test("changes arrive as soon as they are reported, and the stack is left alone when no page is open", async () => {
  assert.equal(view.stack.asked, 0);
  const page = listen();
  const first = await until("the first state", () => page.messages.find(({ event }) => event === "state"));
  assert.equal((first.data as { state: ViewState }).state.topology.machines.length, view.stack.plan.nodes.length);
  await until("all questions", () => page.messages.find(({ event, data }) => event === "parts" && "checks" in data));
  await until("the watches", () => (view.stack.following.size >= 6 ? true : undefined));
  // From now on there is no answer when everything is asked: only what follows a change can show one.
  let answerAll: () => void = () => {};
  view.stack.held = new Promise((resolve) => {
    answerAll = resolve;
  });
  // Its power stays, so only its own report can be the reason.
  view.stack.holder = "balancer-2";
  view.stack.tell();
  await until("the move", () =>
    page.messages.find(({ event, data }) => event === "parts" && (data as ViewState).holders?.[0] === "balancer-2"),
  );
  view.stack.kill("balancer-1");
  await until("the power", () =>
    page.messages.find(({ event, data }) => event === "events" && JSON.stringify(data).includes("is stopped")),
  );
  await until("samples", () => page.messages.find(({ event }) => event === "samples"));
  page.close();
  answerAll();
  view.stack.start("balancer-1");
});

/** As the page sends an order, with the given differences. */
function post(body: string, headers: Record<string, string | undefined> = {}, path = "/faults"): Promise<Answer> {
  const ofPage = { ...withToken(), origin: view.origin, "content-type": "application/json" };
  const sent = Object.entries({ ...ofPage, "content-length": String(body.length), ...headers });
  return get(path, Object.fromEntries(sent.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))), {
    ...{ method: "POST", body },
  });
}

test("a fault is injected by a request of the page with the token that names it, and by nothing else", async () => {
  const good = '{"fault":"balancer-kill"}';
  const refused: readonly (readonly [string, Record<string, string | undefined>, number])[] = [
    [good, { authorization: undefined }, 401],
    [good, { authorization: "Bearer wrong" }, 401],
    [good, { host: "rebound.example" }, 403],
    [good, { origin: "http://rebound.example" }, 403],
    [good, { origin: undefined }, 403],
    [good, { "sec-fetch-site": "cross-site" }, 403],
    [good, { "content-type": "text/plain" }, 403],
    [good, { "content-length": undefined, "transfer-encoding": "chunked" }, 403],
    [`${good}${" ".repeat(1_000)}`, {}, 403],
    ["", {}, 400],
    ["{", {}, 400],
    ['{"fault":"balancer-kill","command":"reboot"}', {}, 400],
    ['{"fault":"saturation"}', {}, 400],
    ['{"fault":"__proto__"}', {}, 400],
    ['{"fault":"master-kill"}', {}, 400],
    ['{"fault":"master-kill","machine":"master-1; reboot"}', {}, 400],
  ];
  for (const [body, headers, status] of refused)
    assert.equal((await post(body, headers)).status, status, `${body.slice(0, 60)} ${JSON.stringify(headers)}`);
  for (const method of ["GET", "PUT", "DELETE"])
    assert.equal((await get("/faults", withToken(), { method })).status, 405, method);
  assert.deepEqual(view.faults.injected, []);
  const page = listen();
  view.faults.held = new Promise(() => {});
  assert.equal((await post(good)).status, 202);
  const answer = await post('{"fault":"gateway-kill","machine":"gateway"}');
  assert.deepEqual([answer.status, answer.text], [409, "a fault has not ended: only one at a time is injected\n"]);
  await until("the fault in the events", () =>
    page.messages.find(
      ({ event, data }) => event === "events" && JSON.stringify(data).includes("begins on balancer-2"),
    ),
  );
  assert.equal((await post(good, {}, "/faults/end")).status, 202);
  await until("the end", () => (view.server.isBreaking() ? undefined : true));
  assert.deepEqual(view.faults.restored, ["balancer-kill"]);
  assert.equal(view.faults.injected.length, 1);
  page.close();
});

test("a protected stack is not broken, also if it was not protected when the page was opened", async () => {
  const page = listen();
  view.faults.reason = "lab is protected";
  const answer = await post('{"fault":"planned-move"}');
  view.faults.reason = "";
  assert.deepEqual([answer.status, answer.text], [409, "lab is protected\n"]);
  await until("the reason on the page", () =>
    page.messages.find(
      ({ event, data }) => event === "parts" && (data as ViewState).faultsRefused === "lab is protected",
    ),
  );
  assert.equal(view.faults.injected.length, 1);
  page.close();
});

test("a journal comes line by line, and ends", async () => {
  const journal = listen("/journal?node=master-1");
  const line = await until("a line", () => journal.messages.find(({ event }) => event === "line"));
  assert.match(line.data as string, /master-1 systemd/);
  journal.close();
});

test("closing puts a fault back, and ends all watches, streams and the server", async () => {
  const page = listen();
  await until("the first state", () => page.messages.find(({ event }) => event === "state"));
  assert.equal((await post('{"fault":"balancer-kill"}')).status, 202);
  await view.server.close();
  assert.deepEqual(view.faults.restored, ["balancer-kill", "balancer-kill"]);
  assert.equal(view.stack.following.size, 0);
  assert.equal(view.stack.closed, 1);
  assert.equal(await textOf(get("/page.js", { host: `127.0.0.1:${view.server.port}` })), undefined);
  // The stream's end arrives a little later.
  await until("the end of its timers", () => (timers() <= timersBefore ? true : undefined));
});
