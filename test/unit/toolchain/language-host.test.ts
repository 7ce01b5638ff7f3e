import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { ProgramInfo } from "@pulumi/pulumi/proto/language_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { programDependencies, requiredPackages } from "../../../toolchain/language-host/installed-packages";
import { readVariables } from "../../../toolchain/language-host/run-plugin";
import { programConfigKey } from "../../../toolchain/language-host/run-program";
import { readRuntimeOptions } from "../../../toolchain/language-host/runtime-options";

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function install(where: string, manifest: object): void {
  fs.mkdirSync(path.join(folder, where), { recursive: true });
  fs.writeFileSync(path.join(folder, where, "package.json"), JSON.stringify(manifest));
}

function infoWith(options: Record<string, string | boolean | number>): ProgramInfo {
  const info = new ProgramInfo();
  info.setOptions(Struct.fromJavaScript(options));
  return info;
}

test("packages with a resource plugin are found once for each version: scoped, nested, and in parent folders", () => {
  const resource = { pulumi: { resource: true } };
  install("node_modules/@pulumi/command", { name: "@pulumi/command", version: "1.2.1", ...resource });
  install("node_modules/a/node_modules/@pulumi/command", { name: "@pulumi/command", version: "1.0.0", ...resource });
  install("node_modules/b/node_modules/@pulumi/command", { name: "@pulumi/command", version: "1.2.1", ...resource });
  install("node_modules/other", {
    name: "other",
    version: "2.0.0",
    pulumi: { ...resource.pulumi, name: "own", server: "https://x" },
  });
  install("node_modules/plain", { name: "plain", version: "1.0.0" });
  const found = requiredPackages(path.join(folder, "deep", "program"));
  assert.deepEqual(found.map(({ name, version, server }) => `${name} ${version} ${server}`).sort(), [
    "command v1.0.0 ",
    "command v1.2.1 ",
    "own v2.0.0 https://x",
  ]);
});

test("dependencies have their installed version, or the requested version if they are not installed", () => {
  install(".", { dependencies: { here: "^1.0.0", absent: "~9.9" }, devDependencies: { hidden: "*" } });
  install("node_modules/here", { version: "1.4.2" });
  install("node_modules/hidden", { version: "3.0.0", exports: { ".": "./index.js" } });
  assert.deepEqual(programDependencies(folder), [
    { name: "here", version: "1.4.2" },
    { name: "absent", version: "~9.9" },
    { name: "hidden", version: "3.0.0" },
  ]);
});

test("runtime options have defaults, and an option of the wrong type is refused by name", () => {
  assert.deepEqual(readRuntimeOptions(undefined), { typescript: true, tsconfig: undefined, nodeArguments: [] });
  const given = readRuntimeOptions(infoWith({ typescript: false, tsconfig: "t.json", nodeargs: " --a  --b=c " }));
  assert.deepEqual(given, { typescript: false, tsconfig: "t.json", nodeArguments: ["--a", "--b=c"] });
  assert.throws(() => readRuntimeOptions(infoWith({ typescript: "yes" })), /typescript must be a boolean/);
  assert.throws(() => readRuntimeOptions(infoWith({ nodeargs: 3 })), /nodeargs must be a string/);
});

test("configuration keys get the names that the program expects", () => {
  assert.equal(programConfigKey("groundplane:dataCenter"), "groundplane:config:dataCenter");
  assert.equal(programConfigKey("groundplane:config:dataCenter"), "groundplane:config:dataCenter");
});

test("variables are split at their first equals sign", () => {
  assert.deepEqual(readVariables(["A=b=c", "EMPTY=", "BARE"]), { A: "b=c", EMPTY: "", BARE: "" });
});
