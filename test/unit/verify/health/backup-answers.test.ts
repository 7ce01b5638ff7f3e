import assert from "node:assert/strict";
import { test } from "node:test";
import { readBackups } from "../../../../verify/health/backup-answers";
import type { Finding } from "../../../../verify/health/findings";

const NOW = Date.UTC(2026, 10, 29, 12) / 1_000;
const HOUR = 3_600;

function read(lines: readonly string[], set = NOW - 9 * 24 * HOUR): Finding {
  const text = ["every 21600", `now ${NOW}`, `set ${set}`, ...lines].join("\n");
  return readBackups("master-1", { code: 0, text }) as Finding;
}
const newest = (time: string): string => `newest lab-20261129T${time}Z.backup 3145728`;

test("a backup of the last two periods is healthy, with its time, age and size", () => {
  const { state, observed } = read([newest("094500")]);
  assert.deepEqual([state, observed], ["healthy", "2026-11-29 09:45 UTC, 2 h ago, 3.0 MiB"]);
  assert.equal(read([newest("000000")]).state, "healthy");
  assert.match(read([newest("115100")]).observed, /, 9 min ago,/);
});

test("an older one is unhealthy, with the reason of the last failure", () => {
  assert.deepEqual(
    read(["newest lab-20261128T235959Z.backup 1048576", "failed the storage volume cannot be mounted"]),
    {
      ...{ of: "master-1", state: "unhealthy" },
      observed: "2026-11-28 23:59 UTC, 12 h ago, 1.0 MiB; the storage volume cannot be mounted",
    },
  );
  assert.equal(read(["newest lab-20261128T235959Z.backup 1048576"]).state, "unhealthy");
});

test("the first backup has two periods to come", () => {
  const young = read([], NOW - 10 * 60);
  assert.deepEqual([young.state, young.observed], ["healthy", "no backup yet, expected every 6 h"]);
  assert.equal(read([]).state, "unhealthy");
});

test("an answer that is not understood is unknown", () => {
  assert.equal((readBackups("master-1", { code: 1, text: "bash: stat" }) as Finding).state, "unknown");
});
