const path = require("node:path");

/** `docs/start.md` is `docs/start.html`; a README is the page of its folder. */
const htmlFileOf = (document) => document.replace(/(^|\/)README\.md$/, "$1index.md").replace(/\.md$/, ".html");

/** As GitHub names the headings of a document. */
const anchorOf = (title) =>
  title
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");

/** Headings get names, and links lead to the pages of the site. */
function addLinks(markdown, documents) {
  markdown.set({ html: true });
  markdown.core.ruler.push("links-of-the-site", ({ tokens, env }) => {
    const document = env.document;
    tokens.forEach((token, index) => {
      if (token.type === "heading_open") token.attrSet("id", anchorOf(tokens[index + 1].content));
      for (const child of token.children ?? []) {
        if (child.type === "link_open") child.attrSet("href", target(child.attrGet("href"), document, documents));
      }
    });
  });
}

function target(href, document, documents) {
  const [place, anchor] = href.split("#");
  if (place === "" || /^[a-z]+:/.test(place)) return href;
  const file = path.posix.join(path.posix.dirname(document), decodeURI(place));
  // Outside the project: the runs of the tests, relative to the project on GitHub.
  if (file.startsWith("..")) return href;
  const to = documents.includes(file) ? htmlFileOf(file) : `${file}.txt`;
  const relative = path.posix.relative(path.posix.dirname(htmlFileOf(document)), to);
  return anchor === undefined ? relative : `${relative}#${anchor}`;
}

module.exports = { addLinks, anchorOf, htmlFileOf };
