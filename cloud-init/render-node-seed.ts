import type { Role } from "../model/roles";
import { type AccompanyingFile, type NodeFile, type NodeSeed, publicReference, type SecretName } from "../model/seed";
import type { DataCenterPlan, NodePlan } from "../stacks/plan/data-center-plan";
import { type NodeContent, renderCloudConfig } from "./cloud-config";
import { renderRoleTarget, startRole } from "./files/role-target";
import { renderMetaData } from "./meta-data";
import { renderNetworkConfig } from "./network-config";
import {
  type FileChanges,
  mergeContents,
  type RenderRole,
  type SecretFile,
  type SeedFile,
  secretReference,
  type TextFile,
} from "./role-content";
import { askEachRole } from "./role-readiness";
import { balancerContent } from "./roles/balancer";
import { commonContent } from "./roles/common";
import { etcdContent } from "./roles/etcd";
import { gatewayContent } from "./roles/gateway";
import { workerContent } from "./roles/kubernetes-node";
import { masterContent } from "./roles/master";
import { storageContent } from "./roles/storage";

const contentOf: Readonly<Record<Role, RenderRole>> = {
  gateway: gatewayContent,
  balancer: balancerContent,
  master: masterContent,
  etcd: etcdContent,
  worker: workerContent,
  storage: storageContent,
};

/** The seed of one node; pure, so the same plan always gives the same text. */
export function renderNodeSeed(plan: DataCenterPlan, node: NodePlan): NodeSeed {
  const content = nodeContent(plan, node);
  const userData = renderCloudConfig(node, content);
  return {
    node: node.name,
    userData,
    metaData: renderMetaData(node),
    networkConfig: renderNetworkConfig(plan, node),
    secrets: referredSecrets(userData),
    files: content.files.flatMap(changingFile),
  };
}

/** The seeds of all nodes, in the plan's order. */
export function renderSeeds(plan: DataCenterPlan): readonly NodeSeed[] {
  return plan.nodes.map((node) => renderNodeSeed(plan, node));
}

/** What a seed is made of, before it becomes text. */
export function nodeContent(plan: DataCenterPlan, node: NodePlan): NodeContent {
  const ofRoles = mergeContents(askEachRole(node.roles.map((role) => [role, contentOf[role](plan, node)])));
  const common = commonContent(plan, node, ofRoles);
  const units = [...common.enable, ...ofRoles.enable];
  const target = units.length === 0 ? [] : [renderRoleTarget(units)];
  const files = [...common.files, ...ofRoles.files, ...target];
  refuseDuplicates(node, files);
  const start = units.length === 0 ? [] : [startRole];
  return { files, commands: [...common.commands, ...ofRoles.commands, ...start] };
}

function refuseDuplicates(node: NodePlan, files: readonly SeedFile[]): void {
  const seen = new Set<string>();
  for (const { path } of files) {
    if (seen.has(path)) throw new Error(`two files of ${node.name} have the path ${path}`);
    seen.add(path);
  }
}

function changingFile(file: SeedFile): NodeFile[] {
  if (!("changes" in file) || !file.changes) return [];
  if ("secret" in file) {
    const { path, mode, secret, changes } = file;
    return [{ path, mode, content: publicReference(secret), ...activation(changes) }];
  }
  if (referredSecrets(file.content).length > 0) throw new Error(`${file.path} may change and must not hold a secret`);
  const { path, mode, content, changes } = file;
  return [{ path, mode, content, ...activation(changes) }];
}

const activation = ({ alongside, ...changes }: FileChanges): Omit<NodeFile, "path" | "mode" | "content"> =>
  alongside === undefined || alongside.length === 0 ? changes : { ...changes, alongside: alongside.map(accompanying) };

const accompanying = (file: TextFile | SecretFile): AccompanyingFile => {
  const { path, mode } = file;
  return { path, mode, content: "secret" in file ? secretReference(file.secret) : file.content };
};

function referredSecrets(text: string): SecretName[] {
  const names = new Set<string>();
  for (const [, name] of text.matchAll(/\$\{secret(?:-base64)?:([^}]+)\}/g)) if (name) names.add(name);
  return [...names].sort() as SecretName[];
}
