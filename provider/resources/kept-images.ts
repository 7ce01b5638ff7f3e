import * as path from "node:path";
import type { Guest } from "../../guests/guest";
import { stackFolder } from "../../host/data-folder";
import { exists, listFolder, openFile, removeIfEmpty, removeTree } from "../../host/file-store";
import { kubernetesRecipe } from "../../image/recipes/kubernetes";
import type { Context } from "../rpc/resource-handler";
import { imagesOfAddOns, imagesOn } from "./add-on-images";
import { COPY_MS, exporting } from "./copy-image";
import { progress } from "./guest-waiting";
import { receiveFile } from "./receive-file";
import { isImageOfAddOn, sendCompressed } from "./send-image";

/**
 * Container images that the present add-ons need and that the next release does not have. In an upgrade, a master gets them from another
 * master; the only one brings them along. They are kept in the stack's folder until its new disk has them.
 */
const INCOMPLETE = /\.part(?:\.\d+\.[0-9a-f]+\.tmp)?$/;
const folderOf = (stack: string): string => path.join(stackFolder(stack), "kept-images");
const nodeFolder = (stack: string, node: string): string => path.join(folderOf(stack), node);

export const hasKeptImages = (stack: string, node: string): Promise<boolean> => exists(nodeFolder(stack, node));

/**
 * It must still run from the disk that is exchanged.
 *
 * @param next the release of the next disk, if it is another one
 */
export async function keepImages(
  master: Guest,
  stack: string,
  node: string,
  context: Context,
  next?: string,
): Promise<void> {
  await forgetImages(stack, node);
  if (next === undefined) return;
  const included = kubernetesRecipe(next).containerImages.map(({ name }) => name);
  // Those of add-ons that a configuration names come from this host.
  const isLacking = (image: string): boolean => !included.includes(image) && !isImageOfAddOn(image);
  const wanted = (await imagesOfAddOns(master, context)).filter(isLacking);
  const present = wanted.length === 0 ? [] : await imagesOn({ name: node, connect: async () => master }, context);
  for (const image of wanted.filter((each) => present.includes(each))) {
    progress(context, node)(`keeping ${image}`);
    const file = path.join(nodeFolder(stack, node), encodeURIComponent(image));
    const what = `${image} cannot be exported on ${node}`;
    await receiveFile(master, exporting(image), { file, what, signal: context.signal, timeoutMs: COPY_MS });
  }
}

/** Gives the master those that it lacks. */
export async function returnImages(master: Guest, stack: string, node: string, context: Context): Promise<void> {
  const present = await imagesOn({ name: node, connect: async () => master }, context);
  for (const name of (await listFolder(nodeFolder(stack, node))).filter((file) => !INCOMPLETE.test(file))) {
    const image = decodeURIComponent(name);
    if (present.includes(image)) continue;
    progress(context, node)(`bringing ${image}`);
    await sendCompressed(image, [openFile(path.join(nodeFolder(stack, node), name))], master, context, false);
  }
}

export async function forgetImages(stack: string, node: string): Promise<void> {
  await removeTree(nodeFolder(stack, node));
  await removeIfEmpty(folderOf(stack));
}
