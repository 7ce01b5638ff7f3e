import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { disksFolder, imagesFolder } from "../../host/data-folder";
import { localHost } from "../../host/local-host";
import type { MachineName } from "../../hypervisors/hypervisor";
import { createNspawnDriver } from "../../hypervisors/nspawn/driver";
import { leaderOf } from "../../hypervisors/nspawn/machine-power";
import { imageFor } from "../../image/recipes/image-names";
import { defaultKubernetesVersion } from "../../model/releases";
import { entriesBelow } from "./folder-contents";
import { onSignal } from "./on-signal";
import { removeMachines } from "./remove-machines";

const run = promisify(execFile);

/** A separate data folder for tests on real system containers, with the user's sealed images. */
export interface NspawnHost {
  readonly data: string;
  /** Name of a sealed image. */
  readonly image: (recipe: "infrastructure" | "kubernetes") => string;
  /** A second image of the same layers. Returns its name. */
  readonly copyOfImage: (recipe: "infrastructure" | "kubernetes", name: string) => string;
  readonly remove: () => void;
}

/** Why real system containers cannot run here. `false` = they can. */
export function nspawnSkipReason(): string | false {
  if (process.platform !== "linux") return "system containers need Linux";
  if (process.getuid?.() !== 0) return "system containers need root";
  if (!fs.existsSync("/usr/bin/systemd-nspawn"))
    return "systemd-nspawn is not installed: apt-get install systemd-container";
  if (!fs.existsSync("/usr/bin/slirp4netns")) return "slirp4netns is not installed: apt-get install slirp4netns";
  if (sealedImage(imagesFolder(), "infrastructure") === undefined)
    return `no sealed image in ${imagesFolder()}: npm start builds it`;
  return false;
}

/** Switches this process and its children to a new data folder. */
export function makeNspawnHost(): NspawnHost {
  const images = imagesFolder();
  const data = fs.mkdtempSync(path.join(os.tmpdir(), "gp-nspawn-"));
  fs.mkdirSync(path.join(data, "images"));
  for (const name of fs.readdirSync(images)) {
    if (fs.existsSync(path.join(images, name, "image.json")))
      fs.symlinkSync(path.join(images, name), path.join(data, "images", name));
  }
  process.env.GROUNDPLANE_DATA = data;
  const remove = () => fs.rmSync(data, { recursive: true, force: true });
  onSignal(async () => {
    await removeMachines(createNspawnDriver(localHost), data);
    remove();
  });
  const image: NspawnHost["image"] = (recipe) => {
    const name = sealedImage(path.join(data, "images"), recipe);
    if (name === undefined) throw new Error(`no sealed ${recipe} image in ${images}`);
    return name;
  };
  return {
    data,
    image,
    copyOfImage: (recipe, name) => {
      const [from, to] = [path.join(images, image(recipe)), path.join(data, "images", name)];
      if (fs.existsSync(to)) return name;
      fs.mkdirSync(to);
      for (const part of fs.readdirSync(from)) {
        if (part !== "image.json") fs.symlinkSync(path.join(from, part), path.join(to, part));
      }
      const record = JSON.parse(fs.readFileSync(path.join(from, "image.json"), "utf8"));
      fs.writeFileSync(path.join(to, "image.json"), JSON.stringify({ ...record, name }));
      return name;
    },
    remove,
  };
}

/** The image of Debian and the default Kubernetes. The user's store may also contain other images. */
function sealedImage(images: string, recipe: "infrastructure" | "kubernetes"): string | undefined {
  const name = imageFor(recipe, defaultKubernetesVersion, "tree");
  return fs.existsSync(path.join(images, name, "image.json")) ? name : undefined;
}

/** Everything on the host that has the names of these stacks or is in their folders, one line each. */
export async function tracesOf(data: string, stacks: readonly string[]): Promise<readonly string[]> {
  const names = stacks.flatMap((stack) => [
    `gp-${stack}`,
    `/${stack}/`,
    path.join(data, "stacks", stack),
    disksFolder(stack),
  ]);
  const marked = (line: string): boolean => names.some((name) => `${line}/`.includes(name));
  return [
    ...processes()
      .filter(marked)
      .map((line) => `process ${line}`),
    ...lines(fs.readFileSync("/proc/self/mountinfo", "utf8"))
      .filter(marked)
      .map((line) => `mount ${line}`),
    ...list("/run/netns")
      .filter(marked)
      .map((name) => `namespace ${name}`),
    ...list("/run/systemd/nspawn/propagate")
      .filter(marked)
      .map((name) => `propagation ${name}`),
    ...(await cgroups()).filter(marked).map((name) => `cgroup ${name}`),
    ...filesBelow("/run/groundplane").filter((file) => stacks.some((stack) => file.includes(stack))),
    ...filesBelow(path.join(data, "stacks")).filter(marked),
    ...filesBelow(path.join(data, "disks")).filter(marked),
  ];
}

/** Runs a command in a running machine and returns its output. */
export async function inMachine(machine: MachineName, ...argv: string[]): Promise<string> {
  const leader = await leaderOf(localHost, machine);
  if (leader === undefined) throw new Error(`${machine.name} does not run`);
  const enter = ["-t", String(leader), "-m", "-u", "-i", "-n", "-p", "-C", "--"];
  const { stdout } = await run("nsenter", [...enter, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", ...argv]);
  return stdout.trimEnd();
}

function processes(): readonly string[] {
  return fs.readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      return [fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ")];
    } catch {
      return [];
    }
  });
}

async function cgroups(): Promise<readonly string[]> {
  const { stdout } = await run("find", ["/sys/fs/cgroup", "-type", "d", "-path", "*/groundplane/*"], {
    maxBuffer: 2 ** 26,
  }).catch(
    // `find` fails if a cgroup is removed during the search, but still prints the others.
    (error: { readonly stdout: string }) => error,
  );
  return lines(stdout);
}

const filesBelow = (folder: string): readonly string[] => entriesBelow(folder).map((file) => path.join(folder, file));

const list = (folder: string): readonly string[] => (fs.existsSync(folder) ? fs.readdirSync(folder) : []);
const lines = (text: string): readonly string[] => text.split("\n").filter(Boolean);
