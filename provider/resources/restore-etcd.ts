import { createHash } from "node:crypto";
import type { ConnectGuest, Guest } from "../../guests/guest";
import { readBytes } from "../../host/file-store";
import { restoreFilesOf, restoreNames } from "../../host/restore-mark";
import { guestPaths } from "../../model/guest-paths";
import { ports } from "../../model/ports";
import type { BootstrapMember } from "../../model/resource-types";
import type { Context } from "../rpc/resource-handler";
import { mustRun } from "./cluster-command";
import { bootedGuest, inGuest, progress } from "./guest-waiting";

const COPY_MS = 15 * 60_000;

/**
 * Fills etcd's folder of every member with the snapshot, before any of them has its order. All members get the same initial
 * cluster and token, so they are one new cluster of etcd, whose members never speak to those of the lost one.
 */
export async function restoreEtcd(
  stack: string,
  nodes: readonly { readonly member: BootstrapMember }[],
  initialCluster: string,
  connect: ConnectGuest,
  context: Context,
): Promise<void> {
  const files = restoreFilesOf(stack);
  const read = async (file: string): Promise<Buffer> => (await readBytes(file)) ?? missing(file);
  const [snapshot, etcdutl, script] = await Promise.all([
    read(files.snapshot),
    read(files.etcdutl),
    read(files.script),
  ]);
  const token = `restored-${digestOf(snapshot).slice(0, 16)}`;
  await Promise.all(
    nodes.map(({ member }) =>
      inGuest(
        () => bootedGuest(connect, member.connection, member.name, context),
        async (guest) => {
          const show = progress(context, member.name);
          show("copying the snapshot of etcd");
          await copy(guest, restoreNames.snapshot, snapshot, context);
          await copy(guest, restoreNames.etcdutl, etcdutl, context);
          show("restoring etcd");
          const peerUrl = `https://${member.address}:${ports.etcdPeer}`;
          const argv = [
            "/bin/bash",
            "-s",
            "--",
            guestPaths.etcdRestore,
            member.name,
            peerUrl,
            initialCluster,
            token,
          ] as const;
          await mustRun(guest, argv, `restore etcd on ${member.name}`, context, {
            ...{ stdin: script.toString("utf8"), timeoutMs: COPY_MS },
          });
        },
      ),
    ),
  );
}

/** The file gets its name when it has arrived completely. */
async function copy(guest: Guest, name: string, content: Buffer, { signal }: Context): Promise<void> {
  const receive =
    'umask 077; mkdir -p "$1"; cat >"$1/$2.new"; printf "%s  %s\\n" "$3" "$1/$2.new" | sha256sum --check --status && mv "$1/$2.new" "$1/$2"';
  const argv = ["/bin/bash", "-c", receive, "bash", guestPaths.etcdRestore, name, digestOf(content)];
  const { code } = await guest.run(argv, { stdin: content, timeoutMs: COPY_MS, signal });
  if (code !== 0) throw new Error(`${name} did not arrive as it was sent`);
}

const digestOf = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

function missing(file: string): never {
  throw new Error(`${file} is missing`);
}
