import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { downloads } from "../../../model/downloads";
import { pinnedDigests } from "../../../model/pinned-downloads";

const project = path.resolve(__dirname, "..", "..", "..");
const read = (file: string): string => fs.readFileSync(path.join(project, file), "utf8");

const rooms =
  "model host stacks components hypervisors guests provider image toolchain verify review cli cloud-init/files build.cjs";

/** The only code that downloads; its callers need a row. */
const means = ["model/host.ts", "host/download.ts", "host/http-get.ts", "host/local-host.ts"];

/** Calls of that code, and programs that download. */
const downloading = [
  /\b(?:download|httpGet|httpGetText)\(/,
  /\bnetwork\.(?:download|getText)\(/,
  /\bfetch\((?!part|target)["'`a-z]*(?:url|http)/i,
  /[[(]\s*"(?:apt-get|mmdebstrap|debootstrap|npm|npx|curl|wget|pip3?|docker|podman|skopeo|oras|rsync)",/,
  /^\s*(?:in_root )?(?:apt-get|curl|wget|mmdebstrap|debootstrap)\b.*\b(?:update|install|http)/m,
  /\bgo\.run\(|\[\s*go,\s*"(?:build|install|get|mod)"|GOFLAGS:/,
  /"plugin", "install"/,
  /"git", .*"(?:clone|fetch|pull)"/,
];

function filesBelow(place: string): readonly string[] {
  const found = path.join(project, place);
  if (!fs.statSync(found).isDirectory()) return [place];
  return fs.readdirSync(found).flatMap((name) => filesBelow(path.join(place, name)));
}

const sources = rooms
  .split(" ")
  .flatMap(filesBelow)
  .filter((file) => /\.(?:ts|cjs|js|sh|pl)$/.test(file) && !means.includes(file));

test("every place that downloads has a row that names its pin, and every row has its places", () => {
  const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|^\s*(?:\/\/|#).*$/gm, "");
  const found = sources.filter((file) => downloading.some((pattern) => pattern.test(withoutComments(read(file)))));
  assert.deepEqual([...found].sort(), downloads.flatMap(({ by }) => by).sort());
});

test("digests are where the rows say", () => {
  for (const { what, where, pin } of downloads) {
    assert.ok(pin === "signature" || where.length > 0, what);
    for (const file of where) assert.ok(fs.existsSync(path.join(project, file)), `${what}: ${file}`);
  }
  for (const [key, digest] of Object.entries(pinnedDigests)) {
    assert.match(digest, /^[0-9a-f]{64}$/, key);
    assert.match(key, /^[a-z0-9-]+ \d+\.\d+\.\d+\S* \S+$/);
  }
  assert.match(read("image/parts/seccomp-library.ts"), /sha256: "[0-9a-f]{64}"/);
});

test("every npm package has a digest, and is installed from the lock file without running scripts of packages", () => {
  const { packages } = JSON.parse(read("package-lock.json")) as {
    readonly packages: Readonly<Record<string, { readonly integrity?: string }>>;
  };
  for (const [name, { integrity }] of Object.entries(packages))
    if (name !== "") assert.match(integrity ?? "", /^sha512-/, name);
  assert.match(read("cli/start.cjs"), /"ci", "--ignore-scripts"/);
});

test("Go builds only modules and toolchains whose checksums are committed", () => {
  const modules = [
    "toolchain/pulumi-cli",
    ...filesBelow("image/parts/source").filter((file) => file.endsWith("go.mod")),
  ].map((place) => (place.endsWith("go.mod") ? path.dirname(place) : place));
  assert.ok(modules.length > 10, String(modules));
  for (const folder of modules) {
    const required = /^(?:require|\t)\s*\S+ v\d/m.test(read(`${folder}/go.mod`));
    assert.ok(!required || /^\S+ v\S+ h1:\S{44}$/m.test(read(`${folder}/go.sum`)), folder);
  }
  for (const file of ["toolchain/build-pulumi.ts", "image/parts/go-toolchain.ts"]) {
    assert.match(read(file), /GOFLAGS: "[^"]*-mod=readonly/, file);
    assert.match(read(file), /GOTOOLCHAIN: "local"/, file);
  }
});
