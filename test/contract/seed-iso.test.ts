import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, describe, test } from "node:test";
import { seedIso } from "../../hypervisors/seed-iso";

const seed = {
  userData: `#cloud-config\nhostname: größer\n${"# long\n".repeat(1000)}`,
  metaData: "instance-id: a\n",
  networkConfig: "version: 2\n",
};

const missing = ["isoinfo", "blkid"].filter((program) => spawnSync(program, ["--version"]).error);
const skip = missing.length > 0 ? `${missing.join(", ")} not installed: apt-get install genisoimage util-linux` : false;

describe("other programs read a seed's CD image", { skip }, () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "gp-seed-"));
  const image = path.join(folder, "seed.iso");
  fs.writeFileSync(image, seedIso(seed));
  after(() => fs.rmSync(folder, { recursive: true }));
  const isoinfo = (...args: string[]): string => execFileSync("isoinfo", [...args, "-i", image], { encoding: "utf8" });

  test("blkid finds the label by which cloud-init looks for it", () => {
    const found = execFileSync("blkid", ["--probe", "--output", "export", image], { encoding: "utf8" });
    assert.match(found, /^LABEL=cidata$/m);
    assert.match(found, /^TYPE=iso9660$/m);
  });

  test("isoinfo finds cloud-init's file names, readable only by root", () => {
    const listing = isoinfo("-R", "-l");
    for (const name of ["user-data", "meta-data", "network-config"]) {
      assert.match(listing, new RegExp(`^-r--------   1    0    0 .* ${name} $`, "m"));
    }
    assert.match(isoinfo("-d"), /Rock Ridge signatures version 1 found/);
    assert.match(isoinfo("-d"), /Volume size is: \d+/);
  });

  test("isoinfo reads back the written contents", () => {
    assert.equal(isoinfo("-R", "-x", "/user-data"), seed.userData);
    assert.equal(isoinfo("-R", "-x", "/meta-data"), seed.metaData);
    assert.equal(isoinfo("-R", "-x", "/network-config"), seed.networkConfig);
  });
});
