import type { ConnectGuest } from "../../guests/guest";
import { UnreachableError } from "../../guests/guest-ssh";
import type { ContainerImagesInputs, ContainerImagesOutputs } from "../../model/container-images-types";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import type { Properties } from "../rpc/property-values";
import { type Context, PartialFailure } from "../rpc/resource-handler";
import { imagesOn } from "./add-on-images";
import { ctr } from "./copy-image";
import { ask, bootedGuest, inGuest, progress, reasonOf } from "./guest-waiting";
import { readSignal } from "./read-signal";
import * as schemas from "./schemas";
import { archiveIn, sendImage } from "./send-image";
import type { TypedResource } from "./typed-resource";

type Images = ContainerImagesInputs["images"];

/** Container images that a running node gets from archives of this host. They are pinned there: no registry has them. */
export function containerImagesResource(
  host: Host,
  connect: ConnectGuest,
): TypedResource<ContainerImagesInputs, ContainerImagesOutputs> {
  const bring = async (inputs: ContainerImagesInputs, changed: readonly string[], context: Context): Promise<void> => {
    const onNode = guestOf(connect, inputs, context);
    const present = await imagesOn({ name: inputs.node, connect: onNode }, context);
    for (const [image, folder] of Object.entries(inputs.images)) {
      if (present.includes(image) && !changed.includes(image)) continue;
      const archive = await archiveIn(host, folder);
      if (archive === undefined) throw noArchive(image);
      progress(context, inputs.node)(`bringing ${image}`);
      await inGuest(onNode, (guest) => sendImage(host, image, archive, guest, context));
    }
  };
  /** A node that does not respond keeps them: they need its disk only. */
  const drop = (inputs: ContainerImagesInputs, images: readonly string[], context: Context): Promise<void> =>
    removeImages(connect, inputs, images, { ...context, timeoutSeconds: 15 }).catch((error: unknown) => {
      context.signal.throwIfAborted();
      context.log("warning", `${inputs.node} keeps container images of add-ons: ${(error as Error).message}`);
    });
  const noteMissing = async ({ images }: ContainerImagesInputs, { log }: Context): Promise<void> => {
    for (const [image, folder] of Object.entries(typeof images === "object" ? images : {}))
      if ((await archiveIn(host, folder)) === undefined) log("info", `${image}: ${buildsIt}`);
  };
  return {
    schema: {
      description: "Container images that one running node gets, beside those of its own image.",
      inputs: {
        stack: schemas.stack,
        node: schemas.text(),
        connection: schemas.connection,
        images: {
          type: "map",
          values: schemas.text(),
          description: "By full name: the folder of its archive among the parts of this host.",
        },
        generation: schemas.text("The generation of the machine; a new machine gets them again."),
        nodeImage: schemas.text("The image of the node's system disk; another disk gets them again."),
      },
    },
    replaceOn: ["stack", "node"],
    refreshBeforeUpdate: true,

    async create(inputs, preview, context) {
      if (preview) await noteMissing(inputs, context);
      else await bring(inputs, [], context);
      return { id: `${inputs.stack}/${inputs.node}/container-images`, outputs: inputs };
    },

    async read(id, olds, context) {
      if (!olds) throw new UserError("no-import", `${id} has nothing to import`, "add it to the program");
      return readNode(connect, id, olds.inputs, context);
    },

    async update(_id, inputs, { inputs: before }, preview, context) {
      if (preview) {
        await noteMissing(inputs, context);
        return inputs;
      }
      const isNew = before.generation !== inputs.generation || before.nodeImage !== inputs.nodeImage;
      await bring(inputs, changedImages(before.images, inputs.images), context);
      const dropped = Object.keys(before.images).filter((image) => !Object.hasOwn(inputs.images, image));
      if (!isNew) await drop(inputs, dropped, context);
      return inputs;
    },

    async delete(_id, { inputs }, context) {
      await drop(inputs, Object.keys(inputs.images), context);
    },
  };
}

/** Those that are made of something else than before, and have the same name. */
const changedImages = (before: Images, after: Images): readonly string[] =>
  Object.keys(after).filter((image) => before[image] !== undefined && before[image] !== after[image]);

const guestOf =
  (connect: ConnectGuest, { node, connection }: ContainerImagesInputs, context: Context) =>
  () =>
    bootedGuest(connect, connection, node, context);

const buildsIt = "`npm start` or `npx groundplane image build` builds it";

const noArchive = (image: string): UserError =>
  new UserError("no-add-on", `this host has no archive of the container image ${image}`, buildsIt);

async function removeImages(
  connect: ConnectGuest,
  inputs: ContainerImagesInputs,
  images: readonly string[],
  context: Context,
): Promise<void> {
  if (images.length === 0) return;
  const result = await inGuest(guestOf(connect, inputs, context), (guest) =>
    ask(guest, [...ctr, "remove", ...images], context),
  );
  if (result.code !== 0 && !/not found/.test(result.stderr)) throw new Error(reasonOf(result));
}

async function readNode(connect: ConnectGuest, id: string, inputs: ContainerImagesInputs, context: Context) {
  try {
    const signal = readSignal(inputs.connection, context);
    const guest = await connect(inputs.connection, { signal });
    const result = await ask(guest, [...ctr, "list", "--quiet"], { ...context, signal });
    if (result.code !== 0) throw new UnreachableError(reasonOf(result));
    const present = result.stdout.split("\n");
    const images = Object.fromEntries(Object.entries(inputs.images).filter(([image]) => present.includes(image)));
    for (const image of Object.keys(inputs.images).filter((each) => !present.includes(each)))
      context.log("warning", `${inputs.node} lacks the container image ${image}; \`pulumi up\` brings it`);
    const seen = { ...inputs, images };
    return { inputs: seen, outputs: seen };
  } catch (error) {
    context.signal.throwIfAborted();
    const reason = error instanceof UnreachableError ? error.message : "timed out";
    const state = inputs as unknown as Properties;
    throw new PartialFailure(`${inputs.node} cannot be reached: ${reason}`, { id, inputs: state, outputs: state });
  }
}
