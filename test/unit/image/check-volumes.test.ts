import * as assert from "node:assert/strict";
import { test } from "node:test";
import { checkVolumes } from "../../../image/disk/check-volumes";
import { layOutDisk } from "../../../image/disk/disk-layout";
import { disk } from "../../../image/recipes/disk";
import { UserError } from "../../../model/user-error";
import { type Volume, volumes } from "../../../model/volumes";

const [root, usr] = volumes as [Volume, Volume];

test("the volumes of the image are valid", () => {
  checkVolumes(volumes);
});

const bad: Readonly<Record<string, readonly [readonly Volume[], RegExp]>> = {
  "a mount point twice": [[root, usr, { ...usr, name: "more" }], /more at \/usr: its mount point is named twice/],
  "a name twice": [[root, usr, { ...usr, mountPoint: "/opt" }], /usr at \/opt: its name is used twice/],
  "a parent after its child": [[usr, root], /root at \/: it comes after a volume that is mounted in it/],
  "a file system that only grows unmounted": [
    [root, { ...usr, fileSystem: "vfat" as "ext4" }],
    /usr at \/usr: vfat cannot grow while it is mounted; use ext4/,
  ],
  "no size": [[root, { ...usr, sizeMiB: { infrastructure: 0, kubernetes: 1 } }], /integers above 0 \(MiB\)/],
  "no root": [[usr], /none is mounted at \//],
  "more than there is": [[root, { ...usr, growthShare: 99 }], /104 percent/],
};

for (const [what, [given, problem]] of Object.entries(bad)) {
  test(`invalid volumes are refused: ${what}`, () => {
    assert.throws(
      () => layOutDisk("infrastructure", { ...disk, volumes: given }),
      (error) => error instanceof UserError && error.id === "volumes" && problem.test(error.problem),
    );
  });
}

test("all problems of volumes are reported at once", () => {
  const both = [root, { ...usr, fileSystem: "vfat" as "ext4" }, { ...usr, name: "more" }];
  assert.throws(() => checkVolumes(both), /vfat.*\n.*named twice/);
});
