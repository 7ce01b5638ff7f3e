// `npm run docs:build` makes a complete site: every document is a page, every link leads somewhere, and nothing comes from other servers.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { documents, projectFolder } from "../support/documents";

const site = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-site-"));
after(() => fs.rmSync(site, { recursive: true, force: true }));

before(() => {
  const program = path.join(projectFolder, "node_modules/@11ty/eleventy/cmd.cjs");
  const words = [program, "--config=docs/site/eleventy.config.cjs", `--output=${path.relative(projectFolder, site)}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: projectFolder, encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
});

const filesBelow = (folder: string): readonly string[] =>
  fs
    .readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));

const pagesOf = (): readonly string[] => filesBelow(site).filter((file) => file.endsWith(".html"));
const read = (file: string): string => fs.readFileSync(path.join(site, file), "utf8");

test("every document is a page", () => {
  const wanted = documents.map((document) =>
    document.replace(/(^|\/)README\.md$/, "$1index.md").replace(/\.md$/, ".html"),
  );
  assert.deepEqual([...pagesOf()].sort(), [...wanted].sort());
  for (const page of pagesOf()) assert.match(read(page), /<h1 id=/, page);
});

test("every link and picture of a page leads to a file of the site, and to a heading that is there", () => {
  const files = new Set(filesBelow(site));
  const anchors = new Map(pagesOf().map((page) => [page, new Set(namesIn(read(page)))]));
  const broken = pagesOf().flatMap((page) =>
    targetsIn(read(page)).flatMap((target) => {
      const [place = "", anchor] = target.split("#");
      const file = place === "" ? page : path.join(path.dirname(page), place);
      if (/^https?:/.test(target) || file.startsWith("..")) return [];
      if (!files.has(file)) return [`${page}: ${target}`];
      return anchor === undefined || anchors.get(file)?.has(anchor) ? [] : [`${page}: ${target}`];
    }),
  );
  assert.deepEqual(broken, []);
});

test("pages have no script, and load nothing from other servers", () => {
  for (const page of pagesOf()) {
    assert.doesNotMatch(read(page), /<script|<(?:link|img|source)[^>]*"https?:/, page);
  }
  assert.doesNotMatch(read("style.css"), /url\(|@import/);
});

test("the navigation has every page of docs/", () => {
  const pages = pagesOf().filter((page) => page.startsWith("docs/") && page !== "docs/index.html");
  for (const page of pages) assert.ok(read("index.html").includes(`href="${page}"`), page);
});

const targetsIn = (page: string): readonly string[] =>
  [...page.matchAll(/ (?:href|src|srcset)="([^"]*)"/g)].map(([, target = ""]) => target);

const namesIn = (page: string): readonly string[] => [...page.matchAll(/ id="([^"]*)"/g)].map(([, name = ""]) => name);
