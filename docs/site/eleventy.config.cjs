// `npm run docs:build` makes the static site in `site/` from the Markdown files of the project. The site has no script, refers to no
// other server, and needs no network to be built.
const fs = require("node:fs");
const path = require("node:path");
const { execFileSync } = require("node:child_process");
const { addLinks, htmlFileOf } = require("./links.cjs");
const { htmlPage } = require("./page.cjs");

const project = path.resolve(__dirname, "..", "..");

/** All Markdown files of the project, relative to its folder. */
function documentsOf() {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], {
    cwd: project,
    encoding: "utf8",
  });
  return listed.split("\n").filter((file) => file !== "" && fs.existsSync(path.join(project, file)));
}

module.exports = function configure(eleventy) {
  const documents = documentsOf();
  eleventy.setInputDirectory(path.relative(process.cwd(), __dirname) || ".");
  eleventy.setQuietMode(true);
  eleventy.setTemplateFormats(["md"]);
  eleventy.amendLibrary("md", (markdown) => addLinks(markdown, documents));
  for (const document of documents) {
    const text = fs.readFileSync(path.join(project, document), "utf8");
    eleventy.addTemplate(document, text, { document, permalink: htmlFileOf(document), templateEngineOverride: "md" });
  }
  eleventy.addTransform("page", function wrap(content) {
    return htmlPage(this.page.url, content);
  });
  eleventy.addPassthroughCopy({ [path.join(project, "docs/pictures")]: "docs/pictures" });
  eleventy.addPassthroughCopy({ [path.join(project, "docs/site/style.css")]: "style.css" });
  for (const file of filesLinkedFrom(documents)) {
    eleventy.addPassthroughCopy({ [path.join(project, file)]: `${file}.txt` });
  }
};

/** Files of the project that documents link to; the site has their texts. */
function filesLinkedFrom(documents) {
  const links = documents.flatMap((document) =>
    [...fs.readFileSync(path.join(project, document), "utf8").matchAll(/\]\(([^)#\s:]+)/g)].map(([, target]) =>
      path.join(path.dirname(document), target),
    ),
  );
  return [...new Set(links)].filter((file) => {
    const absolute = path.join(project, file);
    return !file.startsWith("..") && !file.endsWith(".md") && fs.existsSync(absolute) && fs.statSync(absolute).isFile();
  });
}
