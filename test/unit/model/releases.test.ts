import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { kubernetesVersions, releaseOf, releases } from "../../../model/releases";
import { UserError } from "../../../model/user-error";

const root = path.join(__dirname, "..", "..", "..");

/** The files that may name a version, and how each of them stays consistent with the table. */
const mayNameVersions: readonly RegExp[] = [
  /^model\/releases\.ts$/,
  // Modules of the programs. test/unit/image/recipes.test.ts compares them with the table.
  /\/go\.(?:mod|sum)$/,
  // Generated from our changes to the sources of these versions. test/unit/image compares it with them.
  /^image\/recipes\/change-digests\.json$/,
  // Parts of layers, whose digests are in the recipe. They get the release's own when an image is built; the same test file does it.
  /^image\/layers\/kubernetes\/etc\/containerd\/config\.toml$/,
  /^image\/layers\/docker\/etc\/systemd\/system\/cri-dockerd\.service$/,
  // Generated from the configuration's schema. test/unit/stacks/config and test/docs compare them with it.
  /^stacks\/(?:configuration\.schema\.json|README\.md)$/,
  // Recordings keep the versions of their time.
  /^(?:test\/(?:golden|transcripts)\/|model\/measured\/|DECISIONS\.md$|package(?:-lock)?\.json$)/,
];

const skipped = new Set(["node_modules", "dist", ".git", ".pulumi"]);

function* filesBelow(folder: string): Generator<string> {
  for (const entry of fs.readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const name = path.posix.join(folder, entry.name);
    if (entry.isDirectory() && !skipped.has(entry.name)) yield* filesBelow(name);
    else if (entry.isFile()) yield name;
  }
}

test("only the table contains the versions of a release", () => {
  const versions = Object.entries(releases)
    .flatMap(([kubernetes, row]) => [kubernetes, ...Object.values(row)])
    .filter((value) => typeof value === "string");
  const words = [...new Set(versions)].map((version) => version.replaceAll(".", "\\."));
  const pattern = new RegExp(`(?<![\\d.])(?:${words.join("|")})(?![\\d.]*\\d)`);
  const found: string[] = [];
  for (const file of filesBelow(".")) {
    if (mayNameVersions.some((allowed) => allowed.test(file))) continue;
    const match = pattern.exec(fs.readFileSync(path.join(root, file), "utf8"));
    if (match) found.push(`${file}: ${match[0]}`);
  }
  assert.deepEqual(found, [], "read them from model/releases.ts");
});

test("a version without a row is refused, also the name of an inherited property", () => {
  for (const version of ["1.2.3", "", "constructor"]) {
    assert.throws(
      () => releaseOf(version),
      (error) => error instanceof UserError && error.id === "kubernetes-version",
    );
  }
  for (const version of kubernetesVersions) assert.ok(releaseOf(version).etcdTag.startsWith(releaseOf(version).etcd));
});
