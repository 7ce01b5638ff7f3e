import type { ConnectGuest } from "../../guests/guest";
import { UnreachableError } from "../../guests/guest-ssh";
import { settingsInFiles } from "../../model/changed-settings";
import { refusalPrefix } from "../../model/plan-losses";
import type { NodeFilesInputs, NodeFilesOutputs, Settings } from "../../model/resource-types";
import { refusedChange } from "../../model/upgrades";
import { UserError } from "../../model/user-error";
import type { Properties } from "../rpc/property-values";
import { type CheckFailure, type Context, PartialFailure } from "../rpc/resource-handler";
import { overdueCertificates, renewedCertificates, renewOverdue } from "./overdue-certificates";
import { readSignal } from "./read-signal";
import { rollFiles } from "./roll-files";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

/** The files of one running node, kept equal to the rendered ones. Waits until the node is ready. */
export function nodeFilesResource(connect: ConnectGuest): TypedResource<NodeFilesInputs, NodeFilesOutputs> {
  return {
    schema: {
      description: "The files of one running node that follow the plan.",
      inputs: {
        node: schemas.text(),
        connection: schemas.connection,
        files: schemas.list(schemas.nodeFile),
        generation: schemas.text("The generation of the machine; a new machine is set up again."),
        overdue: schemas.list(schemas.text(), "Certificates that the node should have renewed; only a read sets it."),
        kept: schemas.text("Why the node cannot get the image of another release; absent = it can."),
      },
      optional: ["overdue", "kept"],
      createOnly: ["kept"],
      inputOnly: ["connection", "files", "overdue"],
    },
    replaceOn: ["node"],
    refreshBeforeUpdate: true,

    async check({ node, files, kept }, _context, olds) {
      if (!Array.isArray(files)) return [];
      // The guard has no record of the configuration of a stack that an earlier version brought up.
      const refused = refusedFiles(
        settingsOf(olds?.files),
        settingsOf(files),
        kept === undefined ? {} : { [node]: kept },
      );
      const misshapen = files.flatMap(({ path, mode }, index) => [
        ...(typeof path !== "string" || /^\/[\w./@:+-]+$/.test(path)
          ? []
          : [
              {
                property: `files[${index}].path`,
                reason: "must be absolute and consist of letters, digits and ._/@:+-",
              },
            ]),
        ...(typeof mode !== "string" || /^0[0-7]{3}$/.test(mode)
          ? []
          : [{ property: `files[${index}].mode`, reason: "must be four octal digits" }]),
      ]);
      return [...refused, ...misshapen];
    },

    async create(inputs, preview, context) {
      if (!preview) await rollFiles({ connect, isNew: true }, inputs, context);
      return { id: `files/${inputs.node}`, outputs: outputsOf(inputs) };
    },

    async read(id, olds, context) {
      if (!olds) throw new UserError("no-import", `${id} has nothing to import`, "add it to the program");
      return readNode(connect, id, olds.inputs, context);
    },

    async update(_id, inputs, { inputs: before }, preview, context) {
      const isNew = before.generation !== inputs.generation;
      if (before.overdue) await renewOverdue(connect, inputs, before.overdue, preview, context);
      if (!preview) await rollFiles({ connect, isNew, before: before.files }, inputs, context);
      return outputsOf(inputs);
    },

    async delete() {
      // The files are removed with the machine.
    },
  };
}

/** Not the files: each state would have them twice, and each call between the engine and the provider. */
const outputsOf = ({ node, generation }: NodeFilesInputs): NodeFilesOutputs => ({ node, generation });

async function readNode(connect: ConnectGuest, id: string, inputs: NodeFilesInputs, context: Context) {
  try {
    const signal = readSignal(inputs.connection, context);
    const guest = await connect(inputs.connection, { signal });
    const paths = inputs.files.map(({ path }) => path);
    const present = await guest.readFiles([...paths, ...renewedCertificates(inputs)], signal);
    const files = inputs.files.map((file, index) => ({ ...file, ...(present[index] ?? missing) }));
    const { overdue: _former, ...known } = inputs;
    const overdue = overdueCertificates(present.slice(paths.length));
    const seen = { ...known, files, ...(overdue.length > 0 && { overdue }) };
    return { inputs: seen, outputs: outputsOf(seen) };
  } catch (error) {
    if (context.signal.aborted) throw error;
    throw unseen(id, inputs, error);
  }
}

function refusedFiles(before: Settings, after: Settings, kept: Readonly<Record<string, string>>): CheckFailure[] {
  const refused = refusedChange(before, after, kept);
  return refused.map((reason) => ({ property: "", reason: `${refusalPrefix}${reason}` }));
}

/** In a preview a text may be unknown. */
const settingsOf = (files: NodeFilesInputs["files"] = []) =>
  settingsInFiles(files.flatMap(({ content }) => (typeof content === "string" ? [content] : [])));

/** Represents an absent file in the diff. */
const missing = { mode: "missing", content: "" };

/** Keeps the last known state, marked as not verified, so that the next `up` reads the node again. */
function unseen(id: string, inputs: NodeFilesInputs, error: unknown): PartialFailure {
  const reason = error instanceof UnreachableError ? error.message : "timed out";
  const state = { inputs: inputs as unknown as Properties, outputs: { ...outputsOf(inputs) } };
  return new PartialFailure(`${inputs.node} cannot be reached: ${reason}`, { id, ...state });
}
