import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { dataFolder } from "../../host/data-folder";

interface Place {
  readonly stack: string;
  readonly segment: string;
  readonly hostName: string;
}

/** A host outside the plan, connected to a segment of a stack of system containers. */
export interface VisitingHost {
  /** Requests a lease and returns the assigned address. */
  lease(): string;
  unplug(): void;
}

const ip = (...args: string[]): void => void execFileSync("ip", args, { stdio: "pipe" });

/** A namespace with one cable to the segment's bridge, and the BusyBox DHCP client of the base image. */
export function plugIn({ stack, segment, hostName }: Place): VisitingHost {
  const namespace = `gp-test-${hostName}`;
  const stackNamespace = `gp-${stack}`;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-visitor-"));
  const noteAddress = path.join(folder, "note-address");
  fs.writeFileSync(noteAddress, `#!/bin/sh\n[ "$1" = bound ] && echo "$ip" > ${folder}/address\nexit 0\n`, {
    mode: 0o755,
  });
  ip("netns", "add", namespace);
  ip("-netns", stackNamespace, "link", "add", "visitor", "type", "veth", "peer", "name", "eth0", "netns", namespace);
  ip("-netns", stackNamespace, "link", "set", "visitor", "master", segment, "up");
  ip("-netns", namespace, "link", "set", "eth0", "up");
  return {
    lease() {
      const client = [busybox(), "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-x", `hostname:${hostName}`];
      const argv = [`--net=/run/netns/${namespace}`, ...client, "-s", noteAddress];
      execFileSync("nsenter", argv, { stdio: "pipe", timeout: 30_000 });
      return fs.readFileSync(path.join(folder, "address"), "utf8").trim();
    },
    unplug() {
      ip("netns", "delete", namespace);
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

function busybox(): string {
  const images = path.join(dataFolder(), "images");
  const found = fs
    .readdirSync(images)
    .map((name) => path.join(images, name, "layers", "base", "usr", "bin", "busybox"))
    .find((file) => fs.existsSync(file));
  if (!found) throw new Error(`no image below ${images} has BusyBox`);
  return found;
}
