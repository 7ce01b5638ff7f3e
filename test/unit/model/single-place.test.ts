import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { ports } from "../../../model/ports";

const projectFolder = path.resolve(__dirname, "..", "..", "..");

/** The project's own sources, without its tests. */
const sources = fs
  .readdirSync(projectFolder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !["test", "node_modules", "dist", ".git"].includes(entry.name))
  .flatMap(({ name }) =>
    (fs.readdirSync(path.join(projectFolder, name), { recursive: true }) as string[])
      .filter((file) => file.endsWith(".ts"))
      .map((file) => path.join(name, file)),
  )
  .map((file) => ({ file, text: fs.readFileSync(path.join(projectFolder, file), "utf8") }));

const filesWith = (literal: RegExp): readonly string[] =>
  sources.filter(({ text }) => literal.test(text)).map(({ file }) => file);

/** Ports below this number also occur as ordinary numbers. */
const firstDistinctivePort = 1024;

const places: readonly { readonly what: string; readonly literal: RegExp; readonly place: string }[] = [
  ...Object.entries(ports)
    .filter(([, port]) => port >= firstDistinctivePort)
    .map(([name, port]) => ({
      what: `port ${name}`,
      literal: new RegExp(`(?<![\\w.-])${port}(?![\\w-])`),
      place: "model/ports.ts",
    })),
  { what: "Gluster's ports", literal: /\b(?:24007|49152)\b/, place: "model/ports.ts" },
  ...["/usr/local/lib/groundplane", "/etc/groundplane", "/etc/kubernetes", "/var/lib/groundplane", "/var/lib/etcd"].map(
    (folder) => ({
      what: `guest path ${folder}`,
      literal: new RegExp(`${folder}(?![\\w-])`),
      place: "model/guest-paths.ts",
    }),
  ),
  { what: "namespace kube-system", literal: /"kube-system"/, place: "model/cluster-namespaces.ts" },
  { what: "the list of segments", literal: /"dmz"[\s,|]+"masters"/, place: "model/segments.ts" },
];

for (const { what, literal, place } of places) {
  test(`only ${place} contains ${what}`, () => {
    assert.deepEqual(filesWith(literal), [place]);
  });
}
