// Copies of stand-ins in a data folder of their own.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, beforeEach, test } from "node:test";
import { pulumiHomeFolder, toolsFolder } from "../../host/data-folder";
import { keepStandIn, launcher } from "../../toolchain/stand-ins";

const before = process.env.GROUNDPLANE_DATA;
let data = "";
beforeEach(() => {
  if (data) fs.rmSync(data, { recursive: true });
  data = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-stand-ins-")));
  process.env.GROUNDPLANE_DATA = data;
  fs.mkdirSync(toolsFolder());
});
after(() => {
  fs.rmSync(data, { recursive: true });
  if (before === undefined) delete process.env.GROUNDPLANE_DATA;
  else process.env.GROUNDPLANE_DATA = before;
});

const DAY_S = 86_400;

/** A copy of another build that was used some days ago. */
function oldCopy(build: number, days: number, name = "language-host"): string {
  const file = path.join(toolsFolder(), `${name}-${String(build).padStart(16, "0")}.js`);
  fs.writeFileSync(file, "setTimeout(() => {}, 30_000)");
  const used = Date.now() / 1000 - days * DAY_S;
  fs.utimesSync(file, used, used);
  return file;
}

const left = (): readonly string[] =>
  fs
    .readdirSync(toolsFolder())
    .map((file) => path.join(toolsFolder(), file))
    .sort();

test("copies of earlier builds go after a week without use, but the newest three stay", async () => {
  const [recent, ...old] = [6, 8, 9, 10, 400].map((days, build) => oldCopy(build, days));
  const others = [oldCopy(9, 400, "command-plugin"), path.join(toolsFolder(), "language-host-of-mine.js")];
  fs.writeFileSync(others[1] ?? "", "");
  const current = await keepStandIn("language-host");
  assert.deepEqual(left(), [recent, old[0], current, ...others].sort());
  for (let again = 0; again < 2; again++) assert.equal(await keepStandIn("language-host"), current);
  assert.deepEqual(left(), [recent, old[0], current, ...others].sort());
});

test("a copy that a clone still asks for stays, however old its build is", async () => {
  const current = await keepStandIn("language-host");
  fs.utimesSync(current, 1, 1);
  for (const build of [1, 2, 3]) oldCopy(build, 8);
  assert.equal(await keepStandIn("language-host"), current);
  assert.ok(Date.now() - fs.statSync(current).mtimeMs < 60_000);
});

test("a copy that a launcher names or a process runs stays", async (t) => {
  for (const build of [1, 2, 3]) oldCopy(build, 1);
  const [ofHost, ofPlugin, running, unused] = [4, 5, 6, 7].map((build) => oldCopy(build, 400));
  const place = (file: string, copy = ""): void => {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, launcher(copy));
  };
  place(path.join(toolsFolder(), "pulumi-3.1.0", "bin", "pulumi-language-nodejs"), ofHost);
  place(path.join(pulumiHomeFolder(), "plugins", "resource-command-v1.0.0", "pulumi-resource-command"), ofPlugin);
  const engine = spawn(process.execPath, [running ?? ""], { stdio: "ignore" });
  t.after(() => engine.kill());
  await new Promise((resolve) => engine.once("spawn", resolve));
  await keepStandIn("language-host");
  const kept = left();
  for (const copy of [ofHost, ofPlugin, ...(process.platform === "linux" ? [running] : [])])
    assert.ok(kept.includes(copy ?? ""), copy);
  assert.ok(!kept.includes(unused ?? ""));
});
