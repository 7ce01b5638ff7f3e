import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { before, describe, test } from "node:test";
import { renderNodeSeed } from "../../cloud-init/render-node-seed";
import { imagesFolder } from "../../host/data-folder";
import { localHost } from "../../host/local-host";
import { ensureImages } from "../../image/build-images";
import { imageFor } from "../../image/recipes/image-names";
import { balancerNames } from "../../model/balancers";
import { imageKindOf } from "../../model/roles";
import { UserError } from "../../model/user-error";
import type { Configuration } from "../../stacks/config/configuration";
import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import { examplePlan, exampleStacks } from "../support/example-plans";
import { exampleConfiguration } from "../support/example-stacks";
import { expectedProofs, layersOf } from "../support/seed-proof/expected-proofs";
import { proveSeed } from "../support/seed-proof/prove-seed";

type Options = Partial<Configuration["options"]>;

const sixHours = { every: "6h", keep: 28 };

/** One mistake for each proof. Only the program itself can detect it. */
const mistakes: readonly {
  readonly node: string;
  readonly options?: Options;
  readonly backups?: Configuration["backups"];
  readonly wrong: readonly (readonly [string, string])[];
  readonly found: readonly string[];
}[] = [
  {
    node: "gateway",
    wrong: [
      ["policy drop", "policy dorp"],
      ["bind-dynamic", "bind-dynamics"],
      ["transport: knet", "transport: nett"],
      ["rsc_order ", "rsc_odrer "],
      ["PermitRootLogin", "PermitRotLogin"],
      ["runcmd:", "runcmds:"],
    ],
    found: ["nft", "dnsmasq", "corosync", "pacemaker", "sshd", "cloud-init"],
  },
  {
    node: "balancer-1",
    wrong: [
      ["timeout connect", "timeout conect"],
      ["Wants=", "Want="],
    ],
    found: ["haproxy", "systemd"],
  },
  {
    ...{ node: "balancer-1", options: { balancer: "nginx", failoverBy: "keepalived" } },
    wrong: [
      ["proxy_pass masters", "proxy_pas masters"],
      ["nopreempt", "nopremt"],
      ["rsc_order ", "rsc_odrer "],
    ],
    found: ["nginx", "keepalived", "pacemaker"],
  },
  {
    ...{ node: "master-1", backups: sixHours },
    ...{ wrong: [["OnCalendar=*:0/15:00", "OnCalendar=*:0/15:99"]], found: ["systemd"] },
  },
  { node: "master-1", wrong: [["controlPlaneEndpoint", "controlPlaneEndpont"]], found: ["kubeadm"] },
];

type Backups = Configuration["backups"];

function withOptions(stack: string, options: Options, backups?: Backups): readonly [string, DataCenterPlan] {
  const example = { ...exampleConfiguration(stack), backups };
  const name = [stack, "with", ...Object.values(options)].join(" ");
  return [name, planDataCenter({ ...example, options: { ...example.options, ...options } })];
}

const failoverPrograms = ["pacemaker", "keepalived"] as const;
const examples = exampleStacks.map((stack) => [stack, examplePlan(stack)] as const);
/** Every other pair of programs that balancers can have, and nginx on a single balancer and beside an API server. */
const balancing = [
  ...balancerNames.flatMap((balancer) =>
    failoverPrograms
      .filter((failoverBy) => balancer !== "haproxy" || failoverBy !== "pacemaker")
      .map((failoverBy) => withOptions("lab", { balancer, failoverBy })),
  ),
  withOptions("small", { balancer: "nginx" }),
  withOptions("pair", { balancer: "nginx" }),
  withOptions("single", { balancer: "nginx" }),
];
/** Only masters differ from those of the examples. */
const backups = ["lab", "production"].map((stack): readonly [string, DataCenterPlan] => {
  const [, plan] = withOptions(stack, {}, sixHours);
  return [`${stack} with backups`, plan];
});
const plans: readonly (readonly [string, DataCenterPlan])[] = [...examples, ...balancing, ...backups];
/** Nodes that do not differ from those of the examples are proven once. */
const isProven = (plan: DataCenterPlan, { index, roles }: NodePlan): boolean =>
  index === 1 &&
  (!backups.some(([, other]) => other === plan) || roles.includes("master")) &&
  (!balancing.some(([, other]) => other === plan) || roles.some((role) => /gateway|balancer/.test(role)));

const notRoot = process.getuid?.() !== 0 && "needs root for mount namespaces";

describe("real programs accept the seeds", { skip: notRoot }, () => {
  for (const [stack, plan] of plans) {
    let noImage: string | undefined;

    before(async () => {
      const names = new Set(
        plan.nodes.map(({ roles }) => imageFor(imageKindOf(roles), plan.kubernetes.version, "tree")),
      );
      try {
        await ensureImages(localHost, { names: [...names] });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        noImage = `the image cannot be had: ${error.problem}`;
      }
    });

    // The other nodes of a role differ only in name and address, and the golden tests compare them.
    for (const node of plan.nodes.filter((each) => isProven(plan, each))) {
      test(`${stack}/${node.name}`, (context) => {
        if (noImage) return context.skip(noImage);
        const proven = proveSeed(
          renderNodeSeed(plan, node),
          layersOf(imageFor(imageKindOf(node.roles), plan.kubernetes.version, "tree")),
        );
        assert.deepEqual(
          proven.filter(({ failure }) => failure),
          [],
        );
        assert.deepEqual(proven.map(({ name }) => name).sort(), expectedProofs(node, plan).sort());
      });
    }
  }

  test("a mistake in any file is detected", (context) => {
    for (const { node, options = {}, backups: period, wrong, found } of mistakes) {
      const [, plan] = withOptions("lab", options, period);
      const planned = plan.nodes.find(({ name }) => name === node) as NodePlan;
      const image = imageFor(imageKindOf(planned.roles), plan.kubernetes.version, "tree");
      if (!fs.existsSync(path.join(imagesFolder(), image))) return context.skip("the image cannot be had");
      const seed = renderNodeSeed(plan, planned);
      for (const [from] of wrong) assert.ok(seed.userData.includes(from), `${node}: ${from}`);
      const userData = wrong.reduce((text, [from, to]) => text.replaceAll(from, to), seed.userData);
      const failed = proveSeed({ ...seed, userData }, layersOf(image)).filter(({ failure }) => failure);
      assert.deepEqual([...new Set(failed.map(({ name }) => name.split(" ")[0]))].sort(), [...found].sort(), node);
    }
  });
});

test("the guests' scripts pass shellcheck", (context) => {
  const root = path.join(__dirname, "..", "..");
  const scripts = ["cloud-init/scripts", "test/support"]
    .flatMap((folder) =>
      fs.readdirSync(path.join(root, folder), { recursive: true }).map((name) => `${folder}/${name}`),
    )
    .filter((name) => name.endsWith(".sh"));
  assert.ok(scripts.length > 10);
  const { error, stdout } = spawnSync("shellcheck", ["--external-sources", "--source-path=SCRIPTDIR", ...scripts], {
    cwd: root,
    encoding: "utf8",
  });
  if (error) return context.skip("shellcheck is not installed");
  assert.equal(stdout, "");
});
