const path = require("node:path");

/** The navigation, in the order of docs/README.md. */
const sections = [
  ["Begin", ["start", "configuration", "drivers", "commands", "watch"]],
  ["Use", ["applications", "add-ons", "security"]],
  ["Operate", ["changes", "upgrade", "backup", "keys", "host", "uninstall"]],
  ["Failures", ["failures", "contract", "troubleshooting"]],
  ["Judge", ["comparison", "performance", "tests", "architecture"]],
];

function htmlPage(url, content) {
  const folder = path.posix.dirname(url.endsWith("/") ? `${url}index.html` : url);
  const to = (file) => path.posix.relative(folder, `/${file}`);
  const title = /<h1[^>]*>(.*?)<\/h1>/s.exec(content)?.[1]?.replaceAll(/<[^>]+>/g, "") ?? "groundplane";
  const links = sections.map(
    ([name, pages]) =>
      `<li>${name}<ul>${pages.map((page) => linkTo(to(`docs/${page}.html`), page, url)).join("")}</ul></li>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title === "groundplane" ? title : `${title} · groundplane`}</title>
<link rel="stylesheet" href="${to("style.css")}">
</head>
<body>
<nav aria-label="Documents"><a class="home" href="${to("index.html")}">groundplane</a><ul>${links.join("")}</ul></nav>
<main>
${wideTables(content)}
</main>
</body>
</html>
`;
}

function linkTo(href, page, url) {
  const current = url === `/docs/${page}.html` ? ' aria-current="page"' : "";
  return `<li><a href="${href}"${current}>${page.replaceAll("-", " ")}</a></li>`;
}

/** A wide table scrolls by itself, also by the keyboard. */
const wideTables = (content) =>
  content.replaceAll("<table>", '<div class="table" tabindex="0"><table>').replaceAll("</table>", "</table></div>");

module.exports = { htmlPage, sections };
