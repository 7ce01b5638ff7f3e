import assert from "node:assert/strict";
import { test } from "node:test";
import { renderReport } from "../../../cli/commands/prune";
import type { PruneReport } from "../../../cli/prune";

const report: PruneReport = {
  removed: false,
  unused: [
    { kind: "image", path: "/data/images/kubernetes-0123456789ab", reason: "no recipe names it", bytes: 3 * 2 ** 29 },
    { kind: "tool", path: "/data/tools/pulumi-1.0.0", reason: "another version is used", bytes: 2048 },
  ],
  kept: [{ kind: "part", path: "/data/parts/base-1", users: ["image a", "image a", "image b"] }],
  leftAlone: [{ path: "/data/pulumi/plugins", reason: "Pulumi works on lab" }],
  bytes: 3 * 2 ** 29 + 2048,
};

test("the list has what is kept with its users, what is left alone, and what would go with its size and reason", () => {
  assert.equal(
    renderReport(report, "/data"),
    `KEPT  PATH          USED BY
part  parts/base-1  image a, image b

LEFT ALONE      REASON
pulumi/plugins  Pulumi works on lab

UNUSED  SIZE     PATH                            REASON
image   1.5 GiB  images/kubernetes-0123456789ab  no recipe names it
tool    2.0 KiB  tools/pulumi-1.0.0              another version is used

2 of 3, total 1.5 GiB can be removed; \`npx groundplane prune --yes\` removes it`,
  );
});

test("the end says what was removed, or that nothing was", () => {
  assert.match(
    renderReport({ ...report, removed: true }, "/data"),
    /\nREMOVED +SIZE[\s\S]*\n\nremoved 2 of 3, total 1.5 GiB$/,
  );
  const empty = { ...report, removed: true, unused: [], kept: [], leftAlone: [], bytes: 0 };
  assert.equal(renderReport(empty, "/data"), "nothing is unused; no changes");
});
