import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { codeIn, documents, projectFolder, readDocument } from "../support/documents";

/** Relative to the README on GitHub, so that a fork shows its own runs. */
const actionsOnGithub = "../../actions/workflows/";

for (const document of documents) {
  test(`every link of ${document} leads somewhere`, () => {
    const folder = path.join(projectFolder, path.dirname(document));
    const text = readDocument(document);
    const links = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g), ...text.matchAll(/ (?:src|srcset)="([^"]+)"/g)];
    const targets = links.map(([, target = ""]) => target);
    for (const target of targets) {
      if (/^[a-z]+:/.test(target) || target.startsWith(actionsOnGithub)) continue;
      assert.ok(fs.existsSync(path.join(folder, target)), target);
    }
  });
}

test("links to a heading of a document lead to it", () => {
  const broken = documents.flatMap((document) => {
    const links = readDocument(document).matchAll(/\]\(([^)#\s]*)#([^)\s]+)\)/g);
    return [...links].flatMap(([, target = "", anchor = ""]) => {
      if (/^[a-z]+:/.test(target)) return [];
      const file = target === "" ? document : path.join(path.dirname(document), target);
      return headingsOf(file).has(anchor) ? [] : [`${document}: ${target}#${anchor}`];
    });
  });
  assert.deepEqual(broken, []);
});

/** The names that GitHub and the site give to the headings of a document. */
function headingsOf(document: string): ReadonlySet<string> {
  const prose = readDocument(document).replaceAll(/^```.*?^```$/gms, "");
  const titles = [...prose.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => title);
  return new Set(
    titles.map((title) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, "")
        .replaceAll(" ", "-"),
    ),
  );
}

const LONGEST_README = 180;

test("the README is short, and states the limits before the commands", () => {
  const readme = readDocument("README.md");
  assert.ok(readme.split("\n").length <= LONGEST_README);
  assert.ok(readme.includes("**Limits.**"));
  assert.ok(readme.indexOf("**Limits.**") < readme.indexOf("```sh"));
});

test("the list of documents has every page of docs/, and the README links to each", () => {
  const pages = documents.filter((document) => document.startsWith("docs/") && document !== "docs/README.md");
  for (const page of pages) {
    assert.ok(readDocument("docs/README.md").includes(`](${path.basename(page)})`), page);
    assert.ok(new RegExp(`\\]\\(${page}[#)]`).test(readDocument("README.md")), page);
  }
});

test("every room has a document, and docs/architecture.md links to each of them", () => {
  const rooms = documents.filter((document) => document.endsWith("/README.md") && document !== "docs/README.md");
  const architecture = readDocument("docs/architecture.md");
  for (const room of rooms) assert.ok(architecture.includes(`](../${room})`), room);
  const roomsWithDocuments = [
    ...["model", "host", "stacks", "cloud-init", "components", "hypervisors", "guests", "provider", "image"],
    ...["verify", "explain", "review", "toolchain"],
  ];
  for (const folder of roomsWithDocuments) assert.ok(rooms.includes(`${folder}/README.md`), folder);
});

/** Names of files as the documents of rooms write them: relative to their own folder, to its parents, or to the project. */
test("files that the documents name exist", () => {
  for (const document of documents) {
    if (document === "CHANGELOG.md") continue;
    const folder = path.join(projectFolder, path.dirname(document));
    for (const code of codeIn(readDocument(document))) {
      if (!/^[\w@./-]+\.(?:ts|cjs|sh|json|md|yaml)$/.test(code) || isMadeLater.test(code)) continue;
      const places = [folder, projectFolder].map((place) => path.join(place, code));
      assert.ok(
        places.some((place) => fs.existsSync(place)),
        `${document}: ${code}`,
      );
    }
  }
});

test("the host's document lists every file of the host", () => {
  const document = readDocument("host/README.md");
  const files = fs.readdirSync(path.join(projectFolder, "host")).filter((file) => file.endsWith(".ts"));
  for (const file of files) assert.ok(document.includes(`\`${file}\``), file);
});

test("the document of model/ lists every table", () => {
  const document = readDocument("model/README.md");
  const files = fs.readdirSync(path.join(projectFolder, "model")).filter((file) => file.endsWith(".ts"));
  for (const file of files) assert.ok(document.includes(`\`${file}\``), file);
});

/** Files of images, seals, reports and the data folder, which are not in the project, and file names of Pulumi and Kubernetes. */
const isMadeLater = /^(?:image|seal|about|versions?|plan|status|doctor|machines)\.json$/;
