import assert from "node:assert/strict";
import { test } from "node:test";
import { hasToken, makeToken, strangeOrder, strangeRequest } from "../../../view/guard";

const guarded = { port: 4711, token: makeToken() };
const asked = (headers: Record<string, string>, method = "GET") => ({ method, headers });

test("tokens are long and differ", () => {
  assert.match(makeToken(), /^[\w-]{43}$/);
  assert.notEqual(makeToken(), makeToken());
});

test("requests of this page and of the address bar pass", () => {
  const all: readonly Record<string, string>[] = [
    { host: "127.0.0.1:4711" },
    { host: "localhost:4711", origin: "http://localhost:4711", "sec-fetch-site": "same-origin" },
    { host: "127.0.0.1:4711", "sec-fetch-site": "none", "sec-fetch-mode": "navigate" },
    { host: "127.0.0.1:4711", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
  ];
  for (const headers of all) assert.equal(strangeRequest(asked(headers), guarded), undefined, JSON.stringify(headers));
});

test("another name, another port and other pages are refused", () => {
  const all: readonly Record<string, string>[] = [
    {},
    { host: "127.0.0.1" },
    { host: "127.0.0.1:4712" },
    { host: "rebound.example:4711" },
    { host: "127.0.0.1:4711", origin: "http://rebound.example" },
    { host: "127.0.0.1:4711", origin: "null" },
    { host: "127.0.0.1:4711", origin: "http://127.0.0.1:4712" },
    { host: "127.0.0.1:4711", "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" },
    { host: "127.0.0.1:4711", "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" },
  ];
  for (const headers of all) assert.ok(strangeRequest(asked(headers), guarded), JSON.stringify(headers));
});

test("a request that changes something comes from the page, and is a short JSON", () => {
  const order = { origin: "http://127.0.0.1:4711", "content-type": "application/json", "content-length": "25" };
  assert.equal(strangeOrder(asked(order, "POST")), undefined);
  assert.equal(strangeOrder(asked({ ...order, "content-type": "application/json; charset=utf-8" })), undefined);
  const others: readonly Record<string, string>[] = [
    { "content-type": "text/plain" },
    { "content-type": "application/jsonp" },
    { "content-length": "1000" },
    { "content-length": "-1" },
    { "content-length": "" },
  ];
  for (const other of others) assert.ok(strangeOrder(asked({ ...order, ...other })), JSON.stringify(other));
  assert.ok(strangeOrder(asked({ "content-type": "application/json", "content-length": "25" })));
});

test("only the token gives access", () => {
  const { token } = guarded;
  assert.ok(hasToken(asked({ authorization: `Bearer ${token}` }), guarded));
  for (const authorization of ["", "Bearer ", token, `Bearer ${token}x`, `Basic ${token}`])
    assert.ok(!hasToken(asked({ authorization }), guarded), authorization);
});
