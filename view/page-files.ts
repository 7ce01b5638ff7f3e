import * as path from "node:path";
import { readIfPresent } from "../host/file-store";
import { projectFolder } from "../host/project-folder";
import { UserError } from "../model/user-error";

/** By path of the address. They hold nothing of a stack. */
export type PageFiles = Readonly<Record<string, { readonly type: string; readonly content: string }>>;

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>groundplane</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css">
<script src="/page.js" defer></script>
</head>
<body><div id="page"><p class="loading">Loading…</p></div></body>
</html>
`;

/** @throws UserError `not-built` */
export async function readPageFiles(): Promise<PageFiles> {
  const read = async (name: string): Promise<string> => {
    const text = await readIfPresent(path.join(projectFolder(), "dist", name));
    if (text !== undefined) return text;
    throw new UserError("not-built", `the page's program dist/${name} is missing`, "run `npm run build`");
  };
  const [program, style] = await Promise.all([read("view-page.js"), read("view-page.css")]);
  return {
    "/": { type: "text/html; charset=utf-8", content: page },
    "/page.js": { type: "text/javascript; charset=utf-8", content: program },
    "/page.css": { type: "text/css; charset=utf-8", content: style },
  };
}
