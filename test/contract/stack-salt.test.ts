import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { keepSaltOutOfGit } from "../../toolchain/run-pulumi/prepare-stack";
import { exampleStacks } from "../support/example-stacks";

let folder = "";
const git = (...words: string[]): string => execFileSync("git", ["-C", folder, ...words], { encoding: "utf8" });

/** A clone with one of the project's stack files. */
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-salt-"));
  fs.writeFileSync(path.join(folder, ".gitattributes"), "Pulumi.*.yaml filter=groundplane-stack\n");
  fs.writeFileSync(path.join(folder, "Pulumi.lab.yaml"), "config: {}\n");
  git("init", "--quiet");
  git("add", "--all");
  git("-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "--message", "Begin");
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

test("a shipped stack file with a salt is clean", async () => {
  const file = path.join(folder, "Pulumi.lab.yaml");
  fs.appendFileSync(file, "encryptionsalt: v1:AAAA\n");
  await keepSaltOutOfGit(folder, file);
  assert.equal(git("status", "--porcelain"), "");
});

test("git keeps the salt out of every shipped stack file", () => {
  const attributes = fs.readFileSync(path.join(__dirname, "..", "..", ".gitattributes"), "utf8");
  const filtered = [...attributes.matchAll(/^stacks\/Pulumi\.(.+)\.yaml filter=groundplane-stack$/gm)];
  assert.deepEqual(
    filtered.map(([, stack]) => stack),
    exampleStacks,
  );
});

test("a stack file that git does not track is not passed to git", async () => {
  const file = path.join(folder, "Pulumi.mine.yaml");
  fs.writeFileSync(file, "config: {}\nencryptionsalt: v1:AAAA\n");
  await keepSaltOutOfGit(folder, file);
  assert.equal(git("status", "--porcelain"), "?? Pulumi.mine.yaml\n");
});
