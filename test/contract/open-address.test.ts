import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openAddress } from "../../host/open-address";

const address = "http://127.0.0.1:4711/#secret";

test("a browser gets a file in the user's home, and a program that fails is reported", {
  skip: process.platform !== "linux" && "needs xdg-open",
}, async (t) => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-home-"));
  const { HOME, PATH } = process.env;
  // As the server of the page does: nothing waits for the program.
  const alive = setInterval(() => {}, 60_000);
  t.after(() => {
    clearInterval(alive);
    Object.assign(process.env, { HOME, PATH });
    fs.rmSync(home, { recursive: true });
  });
  const seen = path.join(home, "seen");
  fs.writeFileSync(path.join(home, "xdg-open"), `#!/bin/sh\necho "$*" >${seen}\nexit 3\n`, { mode: 0o755 });
  Object.assign(process.env, { HOME: home, PATH: `${home}:${PATH}` });
  let page: Awaited<ReturnType<typeof openAddress>> | undefined;
  await new Promise<void>((resolve, reject) => {
    openAddress(address, resolve).then((opened) => {
      page = opened;
    }, reject);
  });
  const file = fileURLToPath(fs.readFileSync(seen, "utf8").trim());
  assert.match(path.relative(home, file), /^groundplane-view-\w+\/open\.html$/);
  assert.ok(fs.readFileSync(file, "utf8").includes(address));
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.equal(fs.statSync(path.dirname(file)).mode & 0o777, 0o700);
  await page?.remove();
  assert.ok(!fs.existsSync(path.dirname(file)));
  fs.rmSync(path.join(home, "xdg-open"));
  process.env.PATH = home;
  await new Promise<void>((resolve, reject) => openAddress(address, resolve).catch(reject));
});
