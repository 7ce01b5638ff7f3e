import type { ConnectGuest, Guest, GuestFile } from "../guest";
import { UnreachableError } from "../host/guest-ssh";
import { UserError } from "../host/user-error";
import type { NodeFilesInputs, NodeFilesOutputs } from "../resource-types";
import type { Properties } from "../rpc/property-values";
import { type Context, PartialFailure } from "../rpc/resource-handler";
import { progress, readyGuest, reasonOf } from "./guest-waiting";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

const RELOAD_TIMEOUT_MS = 120_000;
/** Reading must not hold up a preview while a guest is away. */
const READ_TIMEOUT_MS = 10_000;

/** The files of one running node, kept as they are rendered. Waits until the node does its role's work. */
export function nodeFilesResource(connect: ConnectGuest): TypedResource<NodeFilesInputs, NodeFilesOutputs> {
  return {
    schema: {
      description: "The files of one running node that follow the plan.",
      inputs: {
        node: schemas.text(),
        connection: schemas.connection,
        files: schemas.list(schemas.nodeFile),
        generation: schemas.text("The machine's; a new one is set up anew."),
      },
    },
    replaceOn: ["node"],
    refreshBeforeUpdate: true,

    async check({ files }) {
      if (!Array.isArray(files)) return [];
      return files.flatMap(({ path, mode }, index) => [
        ...(typeof path !== "string" || /^\/[\w./@:+-]+$/.test(path)
          ? []
          : [{ property: `files[${index}].path`, reason: "must be absolute, of letters, digits and ._/@:+-" }]),
        ...(typeof mode !== "string" || /^0[0-7]{3}$/.test(mode)
          ? []
          : [{ property: `files[${index}].mode`, reason: "must be four octal digits" }]),
      ]);
    },

    async create(inputs, preview, context) {
      if (!preview) await converge(connect, inputs, context);
      return { id: `files/${inputs.node}`, outputs: inputs };
    },

    async read(id, olds, context) {
      if (!olds) throw new UserError("no-import", `${id} has nothing to import`, "add it to the program instead");
      const { inputs } = olds;
      try {
        const signal = AbortSignal.any([context.signal, AbortSignal.timeout(READ_TIMEOUT_MS)]);
        const guest = await connect(inputs.connection, { signal });
        const present = await guest.readFiles(
          inputs.files.map(({ path }) => path),
          signal,
        );
        const files = inputs.files.map((file, index) => ({ ...file, ...(present[index] ?? missing) }));
        return { inputs: { ...inputs, files }, outputs: { ...inputs, files } };
      } catch (error) {
        if (context.signal.aborted) throw error;
        throw unseen(id, inputs, error);
      }
    },

    async update(_id, inputs, _olds, preview, context) {
      if (!preview) await converge(connect, inputs, context);
      return inputs;
    },

    async delete() {
      // The files go with the machine.
    },
  };
}

/** How an absent file shows in the diff. */
const missing = { mode: "missing", content: "" };

/** The last known state stays, marked as not verified, so that the next `up` looks at the node again. */
function unseen(id: string, inputs: NodeFilesInputs, error: unknown): PartialFailure {
  const reason = error instanceof UnreachableError ? error.message : "no answer in time";
  const state = inputs as unknown as Properties;
  return new PartialFailure(`${inputs.node} cannot be reached: ${reason}`, { id, inputs: state, outputs: state });
}

async function converge(connect: ConnectGuest, inputs: NodeFilesInputs, context: Context): Promise<void> {
  const { node, connection, files } = inputs;
  const guest = await readyGuest(connect, connection, node, context);
  const present = await guest.readFiles(
    files.map(({ path }) => path),
    context.signal,
  );
  const changed = files.filter((file, index) => !isEqual(file, present[index]));
  if (changed.length === 0) return;
  progress(context, node)(`writing ${changed.map(({ path }) => path).join(", ")}`);
  await guest.writeFiles(changed, context.signal);
  const reloads = [...new Set(changed.map(({ reload }) => reload).filter((reload) => reload !== ""))];
  for (const reload of reloads) await runReload(guest, node, reload, context);
  // Rolling: the next node's turn comes when this one works with its new files.
  await readyGuest(connect, connection, node, context);
}

const isEqual = (wanted: GuestFile, present: GuestFile | undefined): boolean =>
  present !== undefined && present.content === wanted.content && present.mode === wanted.mode;

async function runReload(guest: Guest, node: string, reload: string, context: Context): Promise<void> {
  progress(context, node)(reload);
  const result = await guest.run(["sh", "-c", reload], { signal: context.signal, timeoutMs: RELOAD_TIMEOUT_MS });
  if (result.code === 0) return;
  throw new UserError(
    "reload-failed",
    `${node}: \`${reload}\` failed: ${reasonOf(result)}`,
    `the files are in place; correct the cause and run \`up\` again, or look at \`npx groundplane logs ${node}\``,
  );
}
