import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { beforeEach, test } from "node:test";
import { dataFolder, localStateFile } from "../../../host/data-folder";
import { guardFile } from "../../../host/guard-file";
import { keptRelease, runningRelease } from "../../../host/kept-release";
import { restoreFilesOf } from "../../../host/restore-mark";
import { unrecordedKubernetesVersion } from "../../../model/releases";
import { ownDataFolder } from "../../support/own-data-folder";

ownDataFolder();
const stack = "lab";
const write = (file: string, text: string): void => {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
};
const record = (content: object) => write(guardFile(stack), JSON.stringify(content));
const state = (inputs?: object) => {
  const others = [{ type: "pulumi:pulumi:Stack" }, { type: "groundplane:index:ClusterSecrets", inputs: {} }];
  const resources = inputs === undefined ? others : [...others, { type: "groundplane:index:Guard", inputs }];
  write(localStateFile(stack), JSON.stringify({ checkpoint: { latest: { resources } } }));
};
const restore = (release: string) => write(restoreFilesOf(stack).release, `${release}\n`);

beforeEach(() => {
  for (const name of fs.readdirSync(dataFolder())) fs.rmSync(path.join(dataFolder(), name), { recursive: true });
});

test("a new stack keeps nothing, also where a destroy has left an empty state", async () => {
  assert.equal(await keptRelease(stack), undefined);
  state();
  assert.equal(await keptRelease(stack), undefined);
});

test("the record of the last up decides", async () => {
  state({ settings: { kubernetesVersion: "1.96.0" } });
  record({ kubernetesVersion: "1.97.0" });
  restore("1.98.0");
  assert.equal(await keptRelease(stack), "1.97.0");
});

test("a stack of an earlier version has its release in its state, or runs the former default", async () => {
  record({ masters: [] });
  assert.equal(await keptRelease(stack), unrecordedKubernetesVersion, "another backend has the state");
  state({ settings: {} });
  assert.equal(await keptRelease(stack), unrecordedKubernetesVersion);
  state({});
  assert.equal(await keptRelease(stack), unrecordedKubernetesVersion);
  state({ settings: { kubernetesVersion: "1.96.0" } });
  assert.equal(await keptRelease(stack), "1.96.0");
  fs.rmSync(guardFile(stack));
  assert.equal(await keptRelease(stack), "1.96.0");
});

test("files that cannot be read are left to other checks", async () => {
  write(localStateFile(stack), "{");
  assert.equal(await keptRelease(stack), undefined);
  write(guardFile(stack), "{");
  assert.equal(await keptRelease(stack), undefined);
});

test("a stack that is being restored gets the release of the backup until it has its own", async () => {
  restore("1.97.0");
  assert.deepEqual([await keptRelease(stack), await runningRelease(stack)], ["1.97.0", undefined]);
  record({ kubernetesVersion: "1.96.0" });
  assert.equal(await keptRelease(stack), "1.96.0");
});
