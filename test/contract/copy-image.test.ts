// A container image from one guest to another over SSH, with a stand-in for ctr in place of the runtime.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { closeGuests } from "../../guests/guest-ssh";
import { connectSshGuest } from "../../guests/ssh-guest";
import { copyImage } from "../../provider/resources/copy-image";
import type { Context } from "../../provider/rpc/resource-handler";
import { until } from "../support/host-observations";
import { type SshServer, startSshServer } from "../support/ssh-server";

let server: SshServer;
let folder: string;
const { PATH } = process.env;
const at = (...names: string[]): string => path.join(folder, ...names);

/** An archive of MiB that cannot be compressed. The real archive also has the image's name at its end. */
const standIn = `#!/bin/bash
set -eu
cd "$(dirname "$0")"
case $4 in
export)
  for ((one = 0; one < 20; one++)); do
    if [[ -e fails && $one == 3 ]]; then echo no such blob >&2; exit 1; fi
    if [[ -e dies && $one == 3 ]]; then kill -9 $$; fi
    tee -a exported <block
    echo $one >progress
  done
  echo "$7" | tee -a exported
  ps -o ni= -p $$ >nice
  ;;
import)
  if [[ -e full ]]; then head -c 9 >/dev/null; echo no space left >&2; exit 1; fi
  echo >imports
  while [[ -e waits && ! -e continues ]]; do sleep 0.1; done
  cat >received
  [[ $(tail -c 12 received | tr -d '\0') == own/image:1 ]]
  mv received imported
  ;;
esac
`;

before(async () => {
  server = await startSshServer();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  process.env.PATH = `${folder}:${PATH}`;
});
after(async () => {
  process.env.PATH = PATH;
  await closeGuests();
  await server?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

interface Copy {
  readonly signal?: AbortSignal;
  readonly bytesPerSecond?: number;
}

async function copy(
  mark: string,
  { signal = new AbortController().signal, bytesPerSecond = Number.POSITIVE_INFINITY }: Copy = {},
): Promise<void> {
  for (const name of fs.readdirSync(folder)) fs.rmSync(at(name));
  fs.writeFileSync(at("ctr"), standIn, { mode: 0o755 });
  fs.writeFileSync(at("block"), randomBytes(1024 * 1024));
  fs.writeFileSync(at(mark), "");
  const [bastionPort, hostKey, privateKey] = [server.port, server.hostKey, server.clientKey];
  const connection = { bastionPort, bastionHostKey: hostKey, address: "10.0.2.15", hostKey, privateKey };
  const guest = await connectSshGuest(connection);
  const context = { signal, log: () => undefined, timeoutSeconds: 60 } as unknown as Context;
  await copyImage("own/image:1", { name: "one", guest }, { name: "two", guest }, context, bytesPerSecond);
}

test("an image is copied byte for byte, at low priority, and no faster than it is imported", async () => {
  const copying = copy("waits");
  await until("the import waits", async () => fs.existsSync(at("imports")));
  const progress = (): number => Number(fs.readFileSync(at("progress"), "utf8"));
  let before = -1;
  await until("the export waits, too", async () => {
    const isSame = before === progress();
    before = progress();
    await sleep(500);
    return isSame;
  });
  assert.ok(before < 16, `${before} MiB are on their way`);
  fs.writeFileSync(at("continues"), "");
  await copying;
  assert.ok(fs.readFileSync(at("imported")).equals(fs.readFileSync(at("exported"))));
  assert.equal(fs.readFileSync(at("nice"), "utf8").trim(), "10");
});

test("a copy leaves the uplink to others", async () => {
  const startedMs = performance.now();
  await copy("goes on", { bytesPerSecond: 10 * 2 ** 20 });
  const seconds = (performance.now() - startedMs) / 1000;
  assert.ok(seconds > 1.5, `20 MiB took ${seconds} s`);
  assert.ok(fs.readFileSync(at("imported")).equals(fs.readFileSync(at("exported"))));
});

for (const [what, mark, reason] of [
  ["whose export fails", "fails", /^own\/image:1 cannot be exported on one: no such blob$/],
  ["whose export is killed", "dies", /^own\/image:1 cannot be exported on one: /],
  ["to a full disk", "full", /^own\/image:1 cannot be imported on two: no space left/],
] as const) {
  test(`a copy ${what} leaves no image, and says why`, async () => {
    await assert.rejects(copy(mark), ({ message }: Error) => reason.test(message) || assert.fail(message));
    assert.ok(!fs.existsSync(at("imported")));
  });
}

test("an interrupted copy ends on both nodes without an image", async () => {
  const controller = new AbortController();
  const copying = copy("waits", { signal: controller.signal });
  await until("the import waits", async () => fs.existsSync(at("imports")));
  controller.abort(new Error("cancelled"));
  await assert.rejects(copying, /cancelled/);
  fs.writeFileSync(at("continues"), "");
  await until("the import ends", async () => fs.existsSync(at("received")));
  await sleep(500);
  assert.ok(!fs.existsSync(at("imported")));
});
