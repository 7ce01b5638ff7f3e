import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { localHost } from "../../host/local-host";
import { createNspawnDriver } from "../../hypervisors/nspawn/driver";

test("every missing program is named with its package", async (t) => {
  if (process.platform !== "linux") return t.skip("system containers need Linux");
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "gp-programs-"));
  const before = process.env.PATH;
  fs.symlinkSync("/bin/sh", path.join(folder, "sh"));
  process.env.PATH = folder;
  try {
    const problems = await createNspawnDriver(localHost).problems();
    const hints = problems.flatMap(({ id, hint }) => (hint.startsWith("apt-get") ? [`${id}: ${hint}`] : []));
    assert.deepEqual(hints, [
      "nspawn-missing: apt-get install systemd-container",
      "slirp4netns-missing: apt-get install slirp4netns",
      "iproute2-missing: apt-get install iproute2",
      "e2fsprogs-missing: apt-get install e2fsprogs",
      "nsenter-missing: apt-get install util-linux",
      "unshare-missing: apt-get install util-linux",
      "perl-missing: apt-get install perl-base",
    ]);
  } finally {
    process.env.PATH = before;
    fs.rmSync(folder, { recursive: true });
  }
});
