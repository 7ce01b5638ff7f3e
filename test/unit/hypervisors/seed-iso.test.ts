import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { SEED_VOLUME_ID, seedIso } from "../../../hypervisors/seed-iso";

const seed = {
  userData: `#cloud-config\nhostname: größer\n${"# long\n".repeat(1000)}`,
  metaData: "instance-id: a\n",
  networkConfig: "version: 2\n",
};

test("a seed's CD image is reproducible", () => {
  const digest = createHash("sha256").update(seedIso(seed)).digest("hex");
  assert.equal(digest, "fb744884d3cd6587ec6f36d0b3682b6825ffb81130076c5e0de0ddf7e10d18d3");
  assert.deepEqual(seedIso({ ...seed }), seedIso(seed));
});

test("it consists of complete sectors, states its size, and has the label that cloud-init looks for", () => {
  const image = seedIso(seed);
  assert.equal(image.length % 2048, 0);
  assert.equal(image.readUInt32LE(16 * 2048 + 80), image.length / 2048);
  assert.equal(image.readUInt32BE(16 * 2048 + 84), image.length / 2048);
  assert.equal(image.toString("latin1", 16 * 2048 + 40, 16 * 2048 + 72).trimEnd(), SEED_VOLUME_ID);
});

test("every file is at the place of its record, with its length in bytes", () => {
  const image = seedIso(seed);
  assert.deepEqual(filesOf(image), {
    "METADATA.;1": seed.metaData,
    "NETCONF.;1": seed.networkConfig,
    "USERDATA.;1": seed.userData,
  });
});

test("empty files are accepted", () => {
  const image = seedIso({ userData: "", metaData: "instance-id: a\n", networkConfig: "" });
  assert.deepEqual(filesOf(image), { "METADATA.;1": "instance-id: a\n", "NETCONF.;1": "", "USERDATA.;1": "" });
});

/** Reads the root folder by plain ISO 9660, without Rock Ridge. */
function filesOf(image: Buffer): Record<string, string> {
  const files: Record<string, string> = {};
  const root = image.readUInt32LE(16 * 2048 + 156 + 2) * 2048;
  for (let at = root; image.readUInt8(at) > 0; at += image.readUInt8(at)) {
    const name = image.toString("latin1", at + 33, at + 33 + image.readUInt8(at + 32));
    if (name === "\0" || name === "\x01") continue;
    const start = image.readUInt32LE(at + 2) * 2048;
    files[name] = image.toString("utf8", start, start + image.readUInt32LE(at + 10));
  }
  return files;
}
