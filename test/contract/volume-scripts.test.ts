import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";

/** The scripts that the provisioner runs in its pods. The end-to-end tests run them on a real volume. */

for (const action of ["setup", "teardown"]) {
  test(`${action} refuses a folder outside a Gluster mount, and does not change it`, () => {
    const parent = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-volume-"));
    const kept = path.join(parent, "kept");
    fs.mkdirSync(kept);
    const script = path.join(__dirname, "../../cloud-init/scripts/storage", `volume-${action}.sh`);
    const folder = action === "setup" ? path.join(parent, "new") : kept;
    const { status, stderr } = spawnSync("sh", [script], {
      env: { PATH: process.env.PATH, VOL_DIR: folder },
      encoding: "utf8",
    });
    assert.equal(status, 1);
    assert.match(stderr, /is not a Gluster volume on this node/);
    assert.deepEqual(fs.readdirSync(parent), ["kept"]);
    fs.rmSync(parent, { recursive: true });
  });
}
