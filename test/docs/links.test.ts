import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { codeIn, papers, projectFolder, readPaper } from "../support/papers";

/** Relative to the README on GitHub, so that a fork shows its own runs. */
const actionsOnGithub = "../../actions/workflows/";

for (const paper of papers) {
  test(`every link of ${paper} leads somewhere`, () => {
    const folder = path.join(projectFolder, path.dirname(paper));
    const targets = [...readPaper(paper).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target = ""]) => target);
    for (const target of targets) {
      if (/^[a-z]+:/.test(target) || target.startsWith(actionsOnGithub)) continue;
      assert.ok(fs.existsSync(path.join(folder, target)), target);
    }
  });
}

test("every room has a paper, and the README leads to each of them", () => {
  const rooms = papers.filter((paper) => paper.endsWith("/README.md"));
  const readme = readPaper("README.md");
  for (const room of rooms) assert.ok(readme.includes(`](${room})`), room);
  const roomsWithPapers = [
    ...["model", "host", "stacks", "cloud-init", "components", "hypervisors", "guests", "provider", "image"],
    ...["verify", "review", "toolchain"],
  ];
  for (const folder of roomsWithPapers) assert.ok(rooms.includes(`${folder}/README.md`), folder);
});

/** Names of files as the papers of rooms write them: relative to their own folder, to its parents, or to the project. */
test("files that the papers name are there", () => {
  for (const paper of papers) {
    if (paper === "CHANGELOG.md") continue;
    const folder = path.join(projectFolder, path.dirname(paper));
    for (const code of codeIn(readPaper(paper))) {
      if (!/^[\w@./-]+\.(?:ts|cjs|sh|json|md|yaml)$/.test(code) || isMadeLater.test(code)) continue;
      const places = [folder, projectFolder].map((place) => path.join(place, code));
      assert.ok(
        places.some((place) => fs.existsSync(place)),
        `${paper}: ${code}`,
      );
    }
  }
});

test("the host's paper lists every file of the host", () => {
  const paper = readPaper("host/README.md");
  const files = fs.readdirSync(path.join(projectFolder, "host")).filter((file) => file.endsWith(".ts"));
  for (const file of files) assert.ok(paper.includes(`\`${file}\``), file);
});

test("the paper of model/ lists every table", () => {
  const paper = readPaper("model/README.md");
  const files = fs.readdirSync(path.join(projectFolder, "model")).filter((file) => file.endsWith(".ts"));
  for (const file of files) assert.ok(paper.includes(`\`${file}\``), file);
});

/** Files of images and seals, which are not in the project, and what Pulumi and Kubernetes call theirs. */
const isMadeLater = /^(?:image|seal)\.json$/;
