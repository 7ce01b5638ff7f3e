import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs";
import * as http from "node:http";
import * as net from "node:net";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runCommand } from "../../host/run-command";

/** A TCP port of 127.0.0.1 that is free at this moment. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_240, firstEphemeralPort);
    const server = net.createServer().listen(port, "127.0.0.1");
    const listens = await Promise.race([
      once(server, "listening").then(() => true),
      once(server, "error").then(() => false),
    ]);
    if (!listens) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

/** The kernel gives ports from here on to connections, so a free one may be taken before the test uses it. */
const firstEphemeralPort = 32_768;

const PAGE_MS = 3_000;

/** The text that a port of 127.0.0.1 serves, over a connection of its own, as a new client; empty when there is no answer. */
export const page = (port: number): Promise<string> =>
  new Promise((resolve) => {
    const request = http.get({ host: "127.0.0.1", port, agent: false, timeout: PAGE_MS }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => (text += part));
      answer.on("end", () => resolve(text.trim())).on("error", () => resolve(""));
    });
    request.on("timeout", () => request.destroy()).on("error", () => resolve(""));
  });

/** Waits until the check succeeds. An exception counts as false. */
export async function until(what: string, check: () => Promise<boolean>, timeoutMs = 180_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await check().catch(() => false))) {
    if (Date.now() > deadline) assert.fail(`still not after ${timeoutMs} ms: ${what}`);
    await sleep(50);
  }
}

export const succeeds = (command: Promise<unknown>): Promise<boolean> =>
  command.then(
    () => true,
    () => false,
  );
/** The first line that a server sends to a new connection. */
export function banner(port: number, address = "127.0.0.1"): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: address, timeout: 3_000 });
    socket.on("data", (data) => {
      socket.destroy();
      resolve(data.toString().trim());
    });
    socket.on("timeout", () => socket.destroy(new Error("timeout")));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("closed")));
  });
}

/** Settings of the host that a guest could change by mistake. */
export function hostSettings(): readonly string[] {
  const keys =
    "net/ipv4/ip_forward net/bridge/bridge-nf-call-iptables kernel/panic kernel/panic_on_oops vm/overcommit_memory kernel/hostname";
  return keys.split(" ").map((key) => {
    const file = path.join("/proc/sys", key);
    return fs.existsSync(file) ? `${key}=${fs.readFileSync(file, "utf8").trim()}` : `${key} absent`;
  });
}

/** The host's own network interfaces, without counters. */
export const hostLinks = async () =>
  (await runCommand(["ip", "-json", "link", "show"])).stdout.replace(/"(linkinfo|stats).*?}/g, "");
