import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectGuest, Guest } from "../../guests/guest";
import { localHost } from "../../host/local-host";
import { ownNamespaces } from "../../model/cluster-namespaces";
import type { Host } from "../../model/host";
import type { GuestConnection, MembershipInputs } from "../../model/resource-types";
import type { Context } from "../rpc/resource-handler";
import { KUBECONFIG, mustRun } from "./cluster-command";
import { requireMaster } from "./cluster-node";
import { copyImage, ctr } from "./copy-image";
import { ask, bootedGuest, deadlineMs, inGuest, progress, reasonOf } from "./guest-waiting";
import { archiveOfAddOn, isImageOfAddOn, sendImage } from "./send-image";

export interface NamedGuest {
  readonly name: string;
  readonly connect: () => Promise<Guest>;
}

const POLL_MS = 500;
const BOOT_MS = 120_000;
const RUNTIME_MS = 120_000;

/**
 * Container images of the add-ons that the cluster has at present. In an upgrade a node gets its image before the add-ons follow, and
 * its image contains those of the new release only: the others come from a master that has them, under their own names. Those that no image of
 * a node contains come from this host.
 */
export async function bringAddOnImages(
  connect: ConnectGuest,
  membership: MembershipInputs,
  context: Context,
  host: Host = localHost,
): Promise<void> {
  const { node: name, connection, masters, roles } = membership;
  const booted = (of: string, at: GuestConnection): NamedGuest => ({
    name: of,
    connect: () => bootedGuest(connect, at, of, context, BOOT_MS),
  });
  const asked = async (): Promise<Guest> => (await requireMaster(connect, membership, context)).guest;
  const wanted = await inGuest(asked, (guest) => imagesOfAddOns(guest, context));
  if (wanted.length === 0) return;
  const node = booted(name, connection);
  const present = await imagesOn(node, context);
  const sources = masters.filter((master) => master.name !== name).map((one) => booted(one.name, one.connection));
  // Masters that are no workers run no pods of the add-ons that a configuration names.
  const isFor = (image: string): boolean => !isImageOfAddOn(image) || roles.includes("worker");
  for (const image of wanted.filter((each) => !present.includes(each) && isFor(each)))
    await bring(image, node, sources, context, host);
}

/** One line for each object: its namespace, and the images of its containers. */
const template =
  "{range .items[*]}{.metadata.namespace}{range .spec.template.spec.initContainers[*]} {.image}{end}" +
  '{range .spec.template.spec.containers[*]} {.image}{end}{"\\n"}{end}';

export async function imagesOfAddOns(master: Guest, context: Context): Promise<readonly string[]> {
  const get = ["get", "daemonsets,deployments", "--all-namespaces", `--output=jsonpath=${template}`];
  const text = await mustRun(master, ["kubectl", KUBECONFIG, ...get], "read the images of the add-ons", context);
  const rows = text.split("\n").map((line) => line.trim().split(" "));
  const own = rows.filter(([namespace = ""]) => ownNamespaces.includes(namespace));
  return [...new Set(own.flatMap(([, ...images]) => images))];
}

/** As soon as its runtime answers. */
export async function imagesOn({ name, connect }: NamedGuest, context: Context): Promise<readonly string[]> {
  const end = Date.now() + Math.min(RUNTIME_MS, deadlineMs(context));
  const show = progress(context, name);
  for (;;) {
    const result = await inGuest(connect, (guest) => ask(guest, [...ctr, "list", "--quiet"], context));
    if (result.code === 0) return result.stdout.split("\n");
    if (Date.now() >= end) throw new Error(`the container images of ${name} cannot be listed: ${reasonOf(result)}`);
    show(reasonOf(result).split("\n")[0] ?? "");
    await sleep(POLL_MS, undefined, { signal: context.signal });
  }
}

async function bring(
  image: string,
  node: NamedGuest,
  sources: readonly NamedGuest[],
  context: Context,
  host: Host,
): Promise<void> {
  const show = progress(context, node.name);
  for (const source of sources) {
    // One that is away is asked for nothing.
    const present = await imagesOn(source, { ...context, timeoutSeconds: 30 }).catch((): readonly string[] => []);
    context.signal.throwIfAborted();
    if (!present.includes(image)) continue;
    show(`copying ${image} from ${source.name}`);
    await inGuest(
      () => Promise.all([source.connect(), node.connect()]),
      ([from, to]) => copyImage(image, { guest: from, name: source.name }, { guest: to, name: node.name }, context),
    );
    return;
  }
  const archive = await archiveOfAddOn(host, image);
  if (archive !== undefined) {
    show(`bringing ${image}`);
    await inGuest(node.connect, (guest) => sendImage(host, image, archive, guest, context));
    return;
  }
  // A pod of it would start on no other node either; the health of the cluster decides.
  context.log("warning", `no node has the container image ${image}, which ${node.name} lacks`);
}
