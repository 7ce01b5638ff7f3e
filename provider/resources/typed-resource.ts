import { isObjectName, objectNameRule } from "../../model/object-names";
import { refusalPrefix } from "../../model/plan-losses";
import { UserError } from "../../model/user-error";
import { checkInputs } from "../rpc/check-inputs";
import type { ResourceSchema } from "../rpc/package-schema";
import type { Properties, UNKNOWN } from "../rpc/property-values";
import type { CheckFailure, Context, OldState, ResourceHandler } from "../rpc/resource-handler";
import { noteResource } from "./present-owner";

/** Outputs of a preview, some of which are unknown. */
export type Planned<O> = { readonly [K in keyof O]: O[K] | typeof UNKNOWN };

/** A resource type with typed inputs and outputs; `inputs` may contain unknown values in previews only. */
export interface TypedResource<I, O> {
  readonly schema: ResourceSchema;
  readonly replaceOn: readonly (keyof I & string)[];
  readonly refreshBeforeUpdate: boolean;
  readonly alwaysSecret?: readonly (keyof (I & O) & string)[];
  /** Inputs that the provider adds to every object, so that drift shows as a difference. No program sets them. */
  readonly ownInputs?: Partial<O>;
  /** The inputs as they are stored and compared. `olds` are those of the state, if any. */
  asStored?(inputs: I, olds: I | undefined, context: Context): I;
  /** Beyond the schema. `olds` are the inputs that the state holds, if any. */
  check?(inputs: I, context: Context, olds: I | undefined): Promise<readonly CheckFailure[]>;
  create(inputs: I, preview: boolean, context: Context): Promise<{ readonly id: string; readonly outputs: Planned<O> }>;
  /** `olds` is undefined on import. */
  read?(
    id: string,
    olds: { readonly inputs: I; readonly outputs: O } | undefined,
    context: Context,
  ): Promise<{ readonly inputs: I; readonly outputs: O } | undefined>;
  update(
    id: string,
    inputs: I,
    olds: { inputs: I; outputs: O },
    preview: boolean,
    context: Context,
  ): Promise<Planned<O>>;
  delete(id: string, olds: { inputs: I; outputs: O }, context: Context): Promise<void>;
}

type Refusal = (former: string, now: string, stack: string) => string;

/** What no object can change, whatever its type. A replacement would leave its machines or disks behind. */
const identities: Readonly<Record<"stack" | "driver", Refusal>> = {
  // Only `pulumi stack rename` brings a resource of one stack into another.
  stack: (former, now) =>
    `the stack ${former} was renamed to ${now}, and names, addresses and keys of its nodes follow from its name; ` +
    `take its name back: \`pulumi stack rename ${former} --stack ${now}\``,
  driver: (former, now, stack) =>
    `the stack ${stack} exists on ${former} and cannot become one on ${now}: machines do not move between hypervisors; ` +
    `stay with ${former}, or take it down first: \`npx groundplane destroy --stack ${stack}\``,
};

function changedIdentity(news: Properties, olds: Properties = {}): readonly CheckFailure[] {
  return Object.entries(identities).flatMap(([key, refuse]) => {
    const [former, now] = [olds[key], news[key]];
    if (typeof former !== "string" || typeof now !== "string" || former === now) return [];
    return [{ property: "", reason: refusalPrefix + refuse(former, now, String(olds.stack ?? news.stack)) }];
  });
}

/** The handler for the server. A name belongs to one object at a time, so the old object is always deleted first. */
export function resourceHandler<I, O>(resource: TypedResource<I, O>): ResourceHandler {
  const typed = (olds: OldState) => olds as unknown as { inputs: I; outputs: O };
  const { schema, replaceOn, refreshBeforeUpdate, alwaysSecret, read } = resource;
  return {
    schema,
    replaceOn,
    refreshBeforeUpdate,
    alwaysSecret,
    deleteBeforeReplace: true,
    async check(news, context, olds) {
      noteResource(context.urn);
      const failures = [...checkInputs(schema, news), ...wrongNames(news), ...changedIdentity(news, olds)];
      const stored = resource.asStored?.(news as unknown as I, olds as unknown as I, context) ?? news;
      const inputs = { ...(stored as Properties), ...(resource.ownInputs as Properties | undefined) };
      if (failures.length > 0 || !resource.check) return { inputs, failures };
      return { inputs, failures: await resource.check(inputs as unknown as I, context, olds as unknown as I) };
    },
    async create(inputs, preview, context) {
      refuseWrongNames(inputs);
      const state = await resource.create(inputs as unknown as I, preview, context);
      return { id: state.id, outputs: state.outputs as unknown as Properties };
    },
    read:
      read &&
      (async (id, inputs, outputs, context) => {
        const olds = Object.keys(inputs).length > 0 ? typed({ inputs, outputs }) : undefined;
        const state = await read.call(resource, id, olds, context);
        return state && { id, ...(state as unknown as OldState) };
      }),
    async update(id, inputs, olds, preview, context) {
      refuseWrongNames(inputs);
      return (await resource.update(
        id,
        inputs as unknown as I,
        typed(olds),
        preview,
        context,
      )) as unknown as Properties;
    },
    async delete(id, olds, context) {
      refuseWrongNames(olds.inputs);
      await resource.delete(id, typed(olds), context);
    },
  };
}

/** The stack's name is part of paths on this host, in every resource. Names of objects are checked by their drivers. */
function wrongNames({ stack }: Properties): readonly CheckFailure[] {
  return typeof stack === "string" && !isObjectName(stack) ? [{ property: "stack", reason: objectNameRule }] : [];
}

/** Also without a check before: any process that reaches the provider's port can call what the engine would not. */
function refuseWrongNames(inputs: Properties): void {
  const [wrong] = wrongNames(inputs);
  if (wrong) throw new UserError("bad-name", `${wrong.property} ${wrong.reason}`, "use the name of a stack");
}
