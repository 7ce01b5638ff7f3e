import type { ConnectGuest } from "../../guests/guest";
import type { DriverByName } from "../../hypervisors/driver-by-name";
import type { RecordedRolls } from "../../model/measured/roll-figures";
import type { NodeImageInputs, NodeImageOutputs } from "../../model/node-image-types";
import { isClusterNode } from "../../model/roles";
import { describeOutage } from "../../model/roll-outages";
import { UserError } from "../../model/user-error";
import type { ResourceSchema } from "../rpc/package-schema";
import type { Context } from "../rpc/resource-handler";
import { forgetKept } from "./kept-from-disk";
import { forgetMarks } from "./kept-marks";
import { forgetLeft } from "./left-members";
import { seed } from "./machine-schema";
import { forgetMoved } from "./moved-etcd";
import { isOnlyMember } from "./only-member";
import { readOpenRoll } from "./open-roll";
import { PreviewedRolls } from "./previewed-rolls";
import { needsRoll, rollImage } from "./roll-image";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

/** What an exchange reads, and what is no difference by itself. */
const READ_BY_EXCHANGE = [
  "release",
  "roles",
  "connection",
  "masters",
  "peers",
  "alone",
  "alongside",
  "unlike",
  "etcd",
  "podGraceSeconds",
  "seed",
  "secrets",
  "afterJoin",
] as const;

const schema: ResourceSchema = {
  description:
    "The image of one node's system disk. A change exchanges the disk, one node after the other, or several workers at the same time.",
  inputs: {
    driver: schemas.driver,
    stack: schemas.stack,
    node: schemas.text(),
    roles: schemas.roles,
    image: schemas.text("Name of the image."),
    keeps: schemas.text("Why the node keeps the image that it has."),
    release: schemas.text("The version of Kubernetes in the image, if it has one."),
    settled: schemas.flag("true; set by the provider, so that an interrupted exchange differs."),
    connection: schemas.connection,
    masters: schemas.list(schemas.bootstrapMember, "Masters through which it joins the cluster again."),
    peers: schemas.list(schemas.bootstrapMember, "Nodes that must be ready while it is away."),
    alone: schemas.list(schemas.text(), "Its roles that no other node can do the work of meanwhile."),
    alongside: schemas.list(schemas.text(), "Names of workers that get the image at the same time."),
    unlike: schemas.text("Why the measured time of an exchange is not that of such a node."),
    etcd: schemas.list(schemas.text(), "Names of all members of etcd, if it is one."),
    podGraceSeconds: schemas.whole("How long its pods may take to end when it is drained."),
    seed,
    secrets: {
      type: "map",
      values: schemas.text(),
      secret: true,
      description: "The secrets of the seed, by name.",
    },
    afterJoin: schemas.commandAfterJoin,
  },
  optional: ["keeps", "release", "settled", "alone", "alongside", "unlike", "etcd", "afterJoin"],
  createOnly: READ_BY_EXCHANGE,
};

/** The image that one node's system disk is made of. */
export function nodeImageResource(
  connect: ConnectGuest,
  driverByName: DriverByName,
  bench?: RecordedRolls,
): TypedResource<NodeImageInputs, NodeImageOutputs> {
  const previewed = new PreviewedRolls(bench);
  const follow = async (
    inputs: NodeImageInputs,
    olds: NodeImageInputs | undefined,
    preview: boolean,
    context: Context,
  ): Promise<NodeImageOutputs> => {
    const { driver, stack, node, image, keeps } = inputs;
    const found = await driverByName(driver).inspectMachine({ stack, name: node });
    const open = await readOpenRoll({ stack, name: node });
    const { left } = open;
    const isPending = found !== undefined && needsRoll(found, open, image);
    if (left && keeps !== undefined && !preview) throw mustJoin(node, keeps);
    if (isPending && keeps !== undefined) {
      const standing = left?.from ?? found.formerImage ?? found.spec.image;
      if (standing !== image) context.log("warning", kept(node, standing, keeps));
      // An exchange that has begun is taken back.
      const asBefore = { ...inputs, image: standing };
      if (!preview) await rollImage({ connect, driverByName }, asBefore, context);
      return outputsOf(asBefore);
    }
    const former = left?.from ?? found?.formerImage ?? found?.spec.image ?? image;
    if (preview && former !== image)
      context.log(inputs.alone ? "warning" : "info", planned(inputs, former, olds?.release, previewed));
    if (!preview) await rollImage({ connect, driverByName }, inputs, context, olds?.release);
    return outputsOf(inputs);
  };
  return {
    schema,
    replaceOn: ["stack", "node"],
    alwaysSecret: ["secrets"],
    ownInputs: { settled: true },
    refreshBeforeUpdate: true,

    // A node that keeps its image has no difference in every preview.
    asStored(inputs, olds, context) {
      const { node, keeps, image } = inputs;
      if (keeps === undefined || olds === undefined) return inputs;
      if (olds.image !== image) context.log("warning", kept(node, olds.image, keeps));
      return { ...inputs, image: olds.image };
    },

    async create(inputs, preview, context) {
      return { id: `${inputs.stack}/${inputs.node}/image`, outputs: await follow(inputs, undefined, preview, context) };
    },

    async read(id, olds) {
      if (!olds) throw new UserError("no-import", `${id} has nothing to import`, "add it to the program");
      const { driver, stack, node } = olds.inputs;
      const found = await driverByName(driver).inspectMachine({ stack, name: node });
      if (!found) return olds; // its machine is created again, from the planned image
      const open = await readOpenRoll({ stack, name: node });
      const present = { image: found.spec.image, settled: !needsRoll(found, open, found.spec.image) };
      return { inputs: { ...olds.inputs, ...present }, outputs: { ...olds.outputs, ...present } };
    },

    async update(_id, inputs, olds, preview, context) {
      return follow(inputs, olds.inputs, preview, context);
    },

    // The disk is removed with the machine.
    async delete(_id, { inputs: { stack, node } }) {
      await forgetMarks(stack, node);
      await forgetKept(stack, node);
      await forgetLeft({ stack, name: node });
      await forgetMoved({ stack, name: node });
    },
  };
}

const outputsOf = ({
  seed: _seed,
  secrets: _secrets,
  release: _release,
  afterJoin: _afterJoin,
  ...inputs
}: NodeImageInputs): NodeImageOutputs => ({
  ...inputs,
  settled: true,
});

const kept = (node: string, image: string, reason: string): string => `${node} keeps the image ${image}: ${reason}`;

/** A node that keeps its image has no seed for another disk. */
const mustJoin = (node: string, keeps: string): UserError =>
  new UserError(
    "image-roll-open",
    `${node} has left etcd to get another image, and the plan says that it keeps its own: ${keeps}`,
    "run `up` with the former plan first, which completes it",
  );

function planned(
  inputs: NodeImageInputs,
  former: string,
  formerRelease: string | undefined,
  previewed: PreviewedRolls,
): string {
  const { node, image, roles, release, alone = [], alongside = [], etcd = [], unlike } = inputs;
  const isUpgrade = release !== undefined && formerRelease !== undefined && formerRelease !== release;
  const reason = isUpgrade ? ` (Kubernetes ${formerRelease} -> ${release})` : "";
  const stays = `gets the data of etcd, of which ${etcd.length - 1} of ${etcd.length} members stay`;
  const again = isOnlyMember(inputs)
    ? ["starts the cluster again with the data of etcd"]
    : [...(isClusterNode(roles) ? ["joins the cluster again"] : []), ...(etcd.length > 0 ? [stays] : [])];
  const steps = [...(isClusterNode(roles) ? ["is drained"] : []), "restarts from a new system disk", ...again];
  const last = steps.length > 1 ? `${steps.slice(0, -1).join(", ")}, and ${steps.at(-1)}` : steps[0];
  const together = alongside.length > 0 ? `, at the same time as ${alongside.join(", ")}` : "";
  const outage = alone.length > 0 ? `. Unavailable meanwhile: ${describeOutage(alone, unlike)}` : "";
  const figures = previewed.describe(inputs, isUpgrade);
  return `${node} moves from ${former} to ${image}${reason}${together}: it ${last}; its data disks stay${outage}. ${figures}`;
}
