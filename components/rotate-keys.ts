import type * as pulumi from "@pulumi/pulumi";
import { commandFile } from "../cloud-init/guest-command";
import { type GuestCommand, guestCommand, guestPaths } from "../model/guest-paths";
import { isClusterNode } from "../model/roles";
import type { SecretName } from "../model/seed";
import { type NodePlan, nodesOf } from "../stacks/plan/data-center-plan";
import { guestConnection } from "./guest-connection";
import type { PoolArgs } from "./machine-pool";
import { NodeTask } from "./resources";
import { timeLimits } from "./time-limits";

/**
 * The rotation of the keys that all masters share: of Secrets in etcd, and of the tokens of service accounts. Every command does nothing where
 * its stage is done, so that an interrupted rotation continues with the first stage.
 */

type SharedKey = "encryption-key" | "service-account-key";

/** What a master gets, by file. */
const filesOf: Readonly<Record<SharedKey, Readonly<Record<string, SecretName>>>> = {
  "encryption-key": {
    "encryption-all.yaml": "encryption-configuration",
    "encryption-only.yaml": "settled-encryption-configuration",
  },
  "service-account-key": { "sa.key": "service-account.key", "sa.pub": "service-account.pub" },
};

const publicKey = { "sa.pub": "service-account.pub" } as const satisfies Readonly<Record<string, SecretName>>;

/** Longer than an API server and a controller manager may take to restart. */
const masterSeconds = 420;
/** Longer than kubelets and their pods take to renew tokens. */
const renewalSeconds = 300;
/** Of all Secrets. */
const rewriteSeconds = 600;

interface KeyTask {
  readonly name: string;
  readonly node: NodePlan;
  readonly command: readonly [GuestCommand, ...string[]];
  readonly files: Readonly<Record<string, SecretName>>;
  readonly attemptSeconds: number;
  readonly triggers?: readonly pulumi.Input<string>[];
}

/** In the order of the stages. */
type Chain = readonly pulumi.Resource[];

const rotatedIn = ({ plan }: PoolArgs): readonly SharedKey[] =>
  (Object.keys(filesOf) as readonly SharedKey[]).filter((key) => plan.rotations[key] !== undefined);

/** The first stage: each API server knows the new keys. @returns empty without a rotation */
export function acceptKeys(args: PoolArgs, after: Chain, parent: pulumi.Resource): Chain {
  return rotatedIn(args).length === 0 ? [] : inTurn(args, { stage: "accept", after }, parent);
}

export interface ReplaceKeysArgs extends PoolArgs {
  /** Of the masters' machines, in their order. A new machine has the former key of Secrets, too, because its cluster may be restored from a backup. */
  readonly generations: readonly pulumi.Output<string>[];
}

/** The other stages. @returns empty without a rotation */
export function replaceKeys(args: ReplaceKeysArgs, after: Chain, parent: pulumi.Resource): Chain {
  if (rotatedIn(args).length === 0) return [];
  const used = inTurn(args, { stage: "use", after }, parent);
  const renewed = [...renewSecrets(args, used.slice(-1), parent), ...renewTokens(args, used.slice(-1), parent)];
  return inTurn(args, { stage: "only", after: renewed, generations: args.generations }, parent);
}

interface Stage {
  readonly stage: "accept" | "use" | "only";
  readonly after: Chain;
  readonly generations?: ReplaceKeysArgs["generations"];
}

function inTurn(args: PoolArgs, { stage, after, generations }: Stage, parent: pulumi.Resource): Chain {
  const masters = nodesOf(args.plan, "master");
  const tasks: pulumi.Resource[] = [];
  for (const [position, node] of masters.entries()) {
    const generation = generations?.[position];
    const task: KeyTask = {
      ...{ name: `${node.name}-keys-${stage}`, node, files: masterFiles(args), attemptSeconds: masterSeconds },
      command: ["follow-keys", stage, ...masters.map(({ name }) => name)],
      ...(generation && { triggers: [generation] }),
    };
    tasks.push(keyTask(args, task, [...after, ...tasks.slice(-1)], parent));
  }
  return tasks;
}

const masterFiles = (args: PoolArgs): Readonly<Record<string, SecretName>> =>
  Object.assign({}, ...rotatedIn(args).map((key) => filesOf[key]));

function renewSecrets(args: ReplaceKeysArgs, after: Chain, parent: pulumi.Resource): Chain {
  return nodesOf(args.plan, "master")
    .slice(0, 1)
    .map((node) => {
      const task: KeyTask = {
        ...{ name: "keys-secrets", node, attemptSeconds: rewriteSeconds },
        command: ["renew-secrets"],
        files: args.plan.rotations["service-account-key"] === undefined ? {} : publicKey,
        triggers: args.generations,
      };
      return keyTask(args, task, after, parent);
    });
}

function renewTokens(args: PoolArgs, after: Chain, parent: pulumi.Resource): Chain {
  if (args.plan.rotations["service-account-key"] === undefined) return [];
  return args.plan.nodes
    .filter(({ roles }) => isClusterNode(roles))
    .map((node) => {
      const task = { name: `${node.name}-tokens`, node, files: publicKey, attemptSeconds: renewalSeconds } as const;
      return keyTask(args, { ...task, command: ["renew-tokens"] }, after, parent);
    });
}

/** The script comes with the task: a node whose files an earlier version wrote lacks it. */
function keyTask(
  { plan, secrets, slowdown }: PoolArgs,
  { name, node, command: [program, ...words], files, attemptSeconds, triggers = [] }: KeyTask,
  dependsOn: Chain,
  parent: pulumi.Resource,
): NodeTask {
  const { path, mode, content } = commandFile(`kubernetes/${program}`);
  return new NodeTask(
    name,
    {
      node: node.name,
      connection: guestConnection({ plan, secrets, slowdown }, node),
      command: [guestCommand(program), ...words],
      attemptSeconds: attemptSeconds * slowdown,
      triggers,
      files: [
        { path, mode, content },
        ...Object.entries(files).map(([file, secret]) => ({
          ...{ path: `${guestPaths.newKeys}/${file}`, mode: "0600" },
          content: secrets.get(secret),
        })),
      ],
    },
    { parent, dependsOn: [...dependsOn], customTimeouts: timeLimits(slowdown, { create: 20, update: 20 }) },
  );
}
