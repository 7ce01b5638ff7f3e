// One comment per review, found again by the hidden marker in its first line.
const fs = require("node:fs");

const pageSize = 100;

/** @param server {list, create, update, headers}: where comments are, and what every request carries */
async function upsertComment(file, server) {
  try {
    const body = fs.readFileSync(file, "utf8");
    const marker = body.split("\n")[0];
    if (!marker.startsWith("<!-- groundplane-preview:")) throw new Error(`${file} does not begin with its marker`);
    const known = await findComment(marker, server);
    const { method, url } = known === undefined ? server.create : server.update(known.id);
    await request(url, server.headers, { method, body: JSON.stringify({ body }) });
    console.log(known === undefined ? "commented" : "the comment was brought up to date");
  } catch (error) {
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  }
}

async function findComment(marker, { list, headers }) {
  for (let page = 1; ; page++) {
    const comments = await request(list(page), headers);
    const known = comments.find(({ body }) => body.startsWith(marker));
    if (known || comments.length < pageSize) return known;
  }
}

async function request(url, headers, options = {}) {
  const response = await fetch(url, {
    ...options,
    headers: { ...headers, "Content-Type": "application/json", "User-Agent": "groundplane" },
  });
  if (!response.ok) throw new Error(`${options.method ?? "GET"} ${new URL(url).pathname}: ${response.status}`);
  return response.json();
}

module.exports = { upsertComment };
