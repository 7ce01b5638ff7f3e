// Downloads Go from the Go module proxy. Runs only where a proxy is reachable and unzip is installed.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { obtainGo } from "../../toolchain/obtain-go";

test("on a host without Go, Go is downloaded, verified by its pinned checksum and cached", async (context) => {
  const proxy = process.env.GOPROXY?.split(",")[0] || "https://proxy.golang.org";
  const reachable = await fetch(`${proxy}/golang.org/toolchain/@v/list`, {
    method: "HEAD",
    signal: AbortSignal.timeout(5_000),
  })
    .then((response) => response.status < 500)
    .catch(() => false);
  if (!reachable) return context.skip(`${proxy} cannot be reached`);
  if (spawnSync("unzip", ["-v"]).error) return context.skip("unzip is not installed");

  const root = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  // Otherwise a background process of Go writes telemetry while the folder is removed.
  const telemetry = path.join(root, ".config", "go", "telemetry");
  fs.mkdirSync(telemetry, { recursive: true });
  fs.writeFileSync(path.join(telemetry, "mode"), "off\n");
  const inherited = { data: process.env.GROUNDPLANE_DATA, path: process.env.PATH };
  process.env.GROUNDPLANE_DATA = root;
  process.env.PATH = "/usr/bin:/bin";
  try {
    const found: string[] = [];
    // No host has this folder in advance.
    const go = await obtainGo("1.26.8", { progress: (text) => found.push(text), searched: [] });
    const { stdout } = spawnSync(go, ["version"], { encoding: "utf8", env: { PATH: "/usr/bin:/bin", HOME: root } });
    assert.match(stdout, /go1\.26\.8/);
    assert.equal(found.length, 1);
    assert.equal(await obtainGo("1.26.8", { progress: (text) => found.push(text), searched: [] }), go);
    assert.equal(found.length, 1, "fetched twice");
    await assert.rejects(obtainGo("1.99", { searched: [] }), { id: "go-missing" });
  } finally {
    fs.rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    process.env.PATH = inherited.path;
    if (inherited.data === undefined) delete process.env.GROUNDPLANE_DATA;
    else process.env.GROUNDPLANE_DATA = inherited.data;
  }
});
