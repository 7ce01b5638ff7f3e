import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as http from "node:http";
import type * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import type { Host } from "../../model/host";

export interface MirrorPackage {
  readonly name: string;
  readonly version: string;
  readonly depends?: string;
  readonly priority?: string;
  readonly essential?: boolean;
}

/** A mirror of Debian and Ubuntu on loopback, signed with its own key, with a few small packages. */
export interface PackageMirror {
  /** The file with the key. */
  readonly keyring: string;
  /** Paths of the requests so far. */
  readonly requests: string[];
  /** Publishes these packages in the lists of `suite`. Files of earlier ones stay in the pool. */
  publish(suite: string, packages: readonly MirrorPackage[]): void;
  /** The path of a package's file of Debian in the mirror's folder, e.g. `debian/pool/main/x_1_amd64.deb`. */
  fileOf(name: string, version: string): string;
  readonly folder: string;
  /** The host with this mirror as its own. */
  hostWithMirror(host: Host): Host;
  close(): Promise<void>;
}

export async function startMirror(): Promise<PackageMirror> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-mirror-"));
  const gpg = signer(folder);
  const requests: string[] = [];
  const server = http.createServer((request, response) => {
    const place = decodeURIComponent(request.url ?? "");
    requests.push(place);
    const file = path.join(folder, place);
    if (fs.existsSync(file) && fs.statSync(file).isFile()) response.end(fs.readFileSync(file));
    else response.writeHead(404).end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  const sources = `deb ${address}/debian trixie main\ndeb ${address}/ubuntu noble main universe\n`;
  return {
    keyring: gpg.keyring,
    requests,
    folder,
    publish: (suite, packages) => publish(folder, suite, packages, gpg.sign),
    fileOf: (name, version) => fileOf("debian", name, version),
    hostWithMirror: (host) => {
      const files = {
        ...host.files,
        list: async (at: string) => (at === "/etc/apt/sources.list.d" ? [] : host.files.list(at)),
        readText: async (file: string) => (file === "/etc/apt/sources.list" ? sources : host.files.readText(file)),
      };
      return Object.create(host, { files: { value: files } });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      gpg.end();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The folder of a distribution. Debian's security fixes are in another one than their packages, whose files may be in either. */
const folderOf = (suite: string): "debian" | "ubuntu" => (suite.startsWith("noble") ? "ubuntu" : "debian");

const fileOf = (folder: string, name: string, version: string): string =>
  `${folder}/pool/main/${name}_${version.replaceAll(":", "%3a")}_amd64.deb`;

function publish(
  folder: string,
  suite: string,
  packages: readonly MirrorPackage[],
  sign: (text: string) => Buffer,
): void {
  const stanzas = packages.map((each) => {
    const file = path.join(folder, fileOf(folderOf(suite), each.name, each.version));
    if (!fs.existsSync(file)) build(each, file);
    const content = fs.readFileSync(file);
    const sha256 = createHash("sha256").update(content).digest("hex");
    const place = path.relative(path.join(folder, folderOf(suite)), file);
    return `${control(each)}Filename: ${place}\nSize: ${content.length}\nSHA256: ${sha256}\n`;
  });
  const archive = suite === "trixie-security" ? "debian-security" : folderOf(suite);
  const dists = path.join(folder, archive, "dists", suite);
  const list = stanzas.join("\n");
  fs.mkdirSync(path.join(dists, "main/binary-amd64"), { recursive: true });
  fs.writeFileSync(path.join(dists, "main/binary-amd64/Packages"), list);
  const sum = createHash("sha256").update(list).digest("hex");
  const release = [
    ...[`Suite: ${suite}`, `Codename: ${suite}`, "Architectures: amd64", "Components: main"],
    `Date: ${new Date().toUTCString()}`,
    ...["SHA256:", ` ${sum} ${Buffer.byteLength(list)} main/binary-amd64/Packages`, ""],
  ];
  fs.writeFileSync(path.join(dists, "InRelease"), sign(release.join("\n")));
}

const control = ({ name, version, depends, priority = "optional", essential }: MirrorPackage): string =>
  [
    ...[`Package: ${name}`, `Version: ${version}`, "Architecture: amd64", "Maintainer: a test <test@example.org>"],
    ...[`Priority: ${priority}`, ...(essential ? ["Essential: yes"] : []), ...(depends ? [`Depends: ${depends}`] : [])],
    "Description: of a test",
    "",
  ].join("\n");

function build(each: MirrorPackage, file: string): void {
  const tree = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-deb-"));
  fs.mkdirSync(path.join(tree, "DEBIAN"), { mode: 0o755 });
  fs.writeFileSync(path.join(tree, "DEBIAN/control"), control(each));
  fs.mkdirSync(path.dirname(file), { recursive: true });
  execFileSync("dpkg-deb", ["--build", "-Znone", tree, file], { stdio: "ignore" });
  fs.rmSync(tree, { recursive: true });
}

/** GnuPG with a home of its own, whose path must be short: it contains sockets. */
function signer(folder: string) {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "gp-gpg-"));
  const keyring = path.join(folder, "key.gpg");
  const gpg = (argv: readonly string[], input?: string): Buffer =>
    execFileSync("gpg", ["--homedir", home, "--batch", "--quiet", "--passphrase", "", ...argv], {
      input,
      stdio: ["pipe", "pipe", "ignore"],
    });
  gpg(["--quick-generate-key", "mirror@example.org", "rsa2048", "sign", "never"]);
  fs.writeFileSync(keyring, gpg(["--export"]));
  return {
    keyring,
    sign: (text: string) => gpg(["--clearsign", "--output", "-"], text),
    end() {
      execFileSync("gpgconf", ["--homedir", home, "--kill", "all"]);
      fs.rmSync(home, { recursive: true, force: true });
    },
  };
}
