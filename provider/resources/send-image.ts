import * as path from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Guest } from "../../guests/guest";
import { allAddOnRecipes, archiveFile, archiveName } from "../../image/recipes/add-ons";
import type { Host } from "../../model/host";
import type { Context } from "../rpc/resource-handler";
import { paced, receiveImage } from "./copy-image";
import { reasonOf } from "./guest-waiting";

/** The archive of a container image in a folder among the parts of this host; undefined if it is absent or incomplete. */
export async function archiveIn({ folders, files }: Host, folder: string): Promise<string | undefined> {
  const at = path.join(folders.parts(), folder);
  // The seal is written last.
  return (await files.exists(path.join(at, "seal.json"))) ? path.join(at, "content", archiveFile) : undefined;
}

const recipeOf = (image: string) => allAddOnRecipes().find((each) => each.image.name === image);

/** Whether it is one of an add-on that a configuration names, of whatever release. */
export const isImageOfAddOn = (image: string): boolean => recipeOf(image) !== undefined;

/** The archive of an add-on's container image, of whatever release. */
export async function archiveOfAddOn(host: Host, image: string): Promise<string | undefined> {
  const recipe = recipeOf(image);
  return recipe && archiveIn(host, archiveName(recipe));
}

/**
 * Sends a container image from an archive of this host to a node. Like a copy between nodes, it leaves the gateway's uplink to other
 * connections.
 */
export async function sendImage(
  { trees }: Host,
  image: string,
  archive: string,
  to: Guest,
  context: Context,
): Promise<void> {
  await sendCompressed(image, [trees.openRead(archive), createGzip({ level: 1 })], to, context, true);
}

/** @param archive what reads it, and what compresses it if it is not */
export async function sendCompressed(
  image: string,
  archive: readonly [NodeJS.ReadableStream, ...NodeJS.ReadWriteStream[]],
  to: Guest,
  context: Context,
  isPinned: boolean,
): Promise<void> {
  const sent = paced();
  let unread: NodeJS.ErrnoException | undefined;
  const reading = pipeline([...archive, sent]).catch((error: Error) => {
    unread = error;
  });
  const received = await receiveImage(image, to, sent, context, isPinned).catch((error: Error) => error);
  // Ends the reading for a node that has not taken all of it.
  sent.destroy();
  await reading;
  // Of the others, the node's answer is the cause.
  if (unread !== undefined && unread.code !== "ERR_STREAM_PREMATURE_CLOSE") throw unread;
  if (received instanceof Error) throw received;
  if (received.code !== 0) throw new Error(`${image} cannot be imported: ${reasonOf(received)}`);
}
