// `groundplane preview --base` and the workflows that run it, in a clone with its own history: no state, no
// hypervisor and no network. A server on loopback takes the place of the pull requests' server.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import { kubernetesVersions } from "../../model/releases";
import type { Review } from "../../review/review";
import { copyProject, type ProjectCopy } from "../support/project-copy";
import { from, to } from "../support/upgrade-step";

/** Without images and without Pulumi, because a preview needs neither. */
const hostData = fs.mkdtempSync("/tmp/groundplane-test-data-");
let project: ProjectCopy;
after(() => {
  project?.remove();
  fs.rmSync(hostData, { recursive: true, force: true });
});

const identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"];
const git = (...words: string[]) =>
  execFileSync("git", [...identity, ...words], { cwd: project.folder, encoding: "utf8" }).trim();
const commit = (message: string) => git("commit", "--quiet", "--all", "--message", message);

before(() => {
  project = copyProject(hostData);
  git("init", "--quiet", "--initial-branch=main");
  git("add", "--all");
  commit("base");
});

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a step as CI does: in a shell, in the checkout. */
function shell(line: string, environment: Record<string, string> = {}): Promise<Ended> {
  // `npx` asks a registry for a command that the copy has not linked.
  const script = line.replace(/^npx groundplane /, `${process.execPath} cli/groundplane.cjs `);
  const child = spawn("bash", ["-euo", "pipefail", "-c", script], {
    cwd: project.folder,
    env: { ...project.environment, ...environment },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, output })));
}

const change = (from: string, to: string, file = project.stackFile("lab")) => {
  const text = fs.readFileSync(file, "utf8");
  assert.ok(text.includes(from), from);
  fs.writeFileSync(file, text.replace(from, to));
};
const review = (): Review => JSON.parse(fs.readFileSync(path.join(project.folder, "review.json"), "utf8"));
const preview = (words = "") => shell(`npx groundplane preview --stack lab --base main --json review.json ${words}`);

const assumption =
  "The file names no `kubernetesVersion`: a stack that exists keeps its release. This comparison assumes Kubernetes ";

test("without a change, the review is empty", async () => {
  assert.equal((await preview()).code, 0);
  assert.deepEqual(
    { ...review(), comparedWith: "" },
    {
      ...{
        format: 1,
        stack: "lab",
        comparedWith: "",
        risk: "none",
        refused: [],
        settings: [],
        nodes: [],
        unchangedNodes: 11,
        notes: [`${assumption}${to}, which \`main\` gives the stack.`],
      },
    },
  );
});

test("a changed configuration is reported for each node, and the checkout and the data folder do not change", async () => {
  change("workers: {count: 2}", "workers: {count: 3}");
  const listing = () =>
    fs.readdirSync(project.data, { recursive: true }).filter((name) => !/^images|^parts|^tools/.test(`${name}`));
  fs.rmSync(path.join(project.folder, "review.json"), { force: true });
  const [tree, data] = [git("status", "--short"), listing()];
  const out = fs.mkdtempSync("/tmp/groundplane-test-out-");
  fs.symlinkSync("review.md", path.join(out, "link.md"));
  const { code, output } = await preview(`--markdown ${out}/link.md`);
  assert.equal(code, 0, output);
  assert.ok(fs.lstatSync(path.join(out, "link.md")).isSymbolicLink(), "written through what is there");
  assert.match(fs.readFileSync(path.join(out, "review.md"), "utf8"), /^<!-- groundplane-preview:lab -->\n/);
  fs.rmSync(out, { recursive: true });
  assert.equal(git("status", "--short"), `${tree}\n?? review.json`);
  assert.deepEqual(listing(), data);
  const nodes = new Map(review().nodes.map((node) => [node.node, node]));
  assert.equal(nodes.get("worker-3")?.action, "create");
  const hosts = nodes.get("gateway")?.files.find((file) => file.path === "/etc/hosts");
  assert.match(String(hosts?.diff), /^\+192\.168\.58\.13 worker-3/m);
  assert.ok(nodes.get("gateway")?.reloads.some((reload) => reload.includes("dnsmasq")));
  git("checkout", "--quiet", ".");
});

test("a change of the program is reported, because the base is rendered by its own sources", async () => {
  change("timeout client 4h", "timeout client 3h", path.join(project.folder, "cloud-init/files/haproxy-cfg.ts"));
  execFileSync(process.execPath, ["build.cjs"], { cwd: project.folder });
  const { output } = await preview();
  assert.match(output, /- {2}timeout client 4h\n\+ {2}timeout client 3h/);
  assert.deepEqual(
    review().nodes.map(({ node }) => node),
    ["balancer-1", "balancer-2"],
  );
  git("checkout", "--quiet", ".");
  execFileSync(process.execPath, ["build.cjs"], { cwd: project.folder });
});

test("another image is reported with the order of the nodes, and the measured time and gap of each", async () => {
  const recorded = path.join(project.folder, "model/measured/bench.json");
  const rows = JSON.parse(fs.readFileSync(recorded, "utf8")) as readonly { readonly name: string }[];
  const row = (name: string, median: number) => ({ ...rows[0], name, median, p95: median, commit: "0123456789" });
  const others = rows.filter(({ name }) => !/^roll-(?!gateway)/.test(name));
  const measured = [row("roll-balancer", 26.4), row("roll-balancer-gap", 300), row("roll-storage", 20.2)];
  fs.writeFileSync(recorded, JSON.stringify([...others, ...measured]));
  change(
    "const RECIPE_VERSION = ",
    "const RECIPE_VERSION = 1",
    path.join(project.folder, "image/recipes/image-names.ts"),
  );
  execFileSync(process.execPath, ["build.cjs"], { cwd: project.folder });
  const { output } = await preview();
  assert.match(output, /These nodes get another image, one after the other, in this order:\n\n1\. `gateway`: /);
  const balancers = "about 26 s, with API gaps of at most 300 ms (roll-balancer at 0123456)";
  assert.ok(output.includes(`2. \`balancer-1\`, \`balancer-2\`: each ${balancers}\n`), output);
  assert.match(
    output,
    /4\. `master-1`, .* `worker-2`: each not measured\n\nIn total: about \d+ s, without \d of 11 nodes, which/,
  );
  assert.deepEqual(review().nodes.find(({ node }) => node === "storage-1")?.figures, {
    duration: { seconds: 20, measuredBy: "roll-storage", measuredAt: "0123456" },
  });
  git("checkout", "--quiet", ".");
  execFileSync(process.execPath, ["build.cjs"], { cwd: project.folder });
});

test("refusals of the guard, a wrong file and a wrong revision are reported", async () => {
  change("storage: {count: 3", "storage: {count: 1");
  assert.equal((await preview()).code, 1);
  assert.match(review().refused.join(), /there would be 1 storage machines for a volume of 3/);
  change("masters: {count: 3}", "masters: {count: 2}");
  assert.equal((await preview("--markdown wrong.md")).code, 1);
  assert.match(review().refused.join(), /stacks\/Pulumi\.lab\.yaml:\d+ +pools\.masters\.count/);
  git("checkout", "--quiet", ".");
  const unknown = await shell("npx groundplane preview --base no-such-branch");
  assert.equal(unknown.code, 1);
  assert.match(unknown.output, /git has no revision "no-such-branch"/);
});

test("an earlier revision is rendered by its own renderer, with one role and one image for each node", async () => {
  const renderer = path.join(project.folder, "review", "render-stack.ts");
  const text = fs
    .readFileSync(renderer, "utf8")
    .replaceAll('from "../', 'from "../../')
    .replaceAll('from "./', 'from "../../review/')
    .replace(/images: \{ tree: .*\n/, "roles: undefined, role: node.roles[0], image: names.tree[kind],\n")
    .replace("driver, distribution, nodes,", "driver, nodes,");
  for (const words of ["role: node.roles[0]", "driver, nodes,"]) assert.ok(text.includes(words), words);
  git("checkout", "--quiet", "-b", "earlier");
  fs.rmSync(renderer);
  fs.mkdirSync(path.join(project.folder, "cli", "review"));
  fs.writeFileSync(path.join(project.folder, "cli", "review", "render-stack.ts"), text);
  git("add", "--all");
  commit("earlier");
  git("checkout", "--quiet", "main");
  change("workers: {count: 2}", "workers: {count: 1}");
  const { code, output } = await shell("npx groundplane preview --stack lab --base earlier --json review.json");
  assert.equal(code, 0, output);
  const removed = review().nodes.filter(({ action }) => action !== "update");
  assert.deepEqual(
    removed.map(({ node, action, role }) => [node, action, role]),
    [["worker-2", "remove", "worker"]],
  );
  git("checkout", "--quiet", ".");
});

test("another default release changes no stack that the base has created, and the review says so", async () => {
  git("checkout", "--quiet", "-b", "former-default");
  const table = path.join(project.folder, "model", "releases.ts");
  const position = kubernetesVersions.indexOf(from);
  change(
    "defaultKubernetesVersion = kubernetesVersions[0]",
    `defaultKubernetesVersion = kubernetesVersions[${position}]!`,
    table,
  );
  commit("former default");
  git("checkout", "--quiet", "main");
  const words = "npx groundplane preview --stack lab --base former-default --json review.json";
  const { code, output } = await shell(words);
  assert.equal(code, 0, output);
  const note = `${assumption}${from}, which \`former-default\` gives the stack. A new stack gets ${to} with this revision.`;
  assert.deepEqual([review().notes, review().nodes, review().settings], [[note], [], []]);
  assert.ok(output.includes(`Risk: **none**.\n\n${note}\n\nNo node changes.`), output);
  change("dataCenter:\n", `dataCenter:\n    kubernetesVersion: ${to}\n`);
  await shell(words);
  assert.equal(review().notes, undefined);
  const [{ key, before: old, after: now } = assert.fail("no change")] = review().settings;
  assert.deepEqual([key, old, now], ["kubernetesVersion", from, to]);
  assert.ok(review().nodes.some(({ node, action }) => node === "master-1" && action === "roll"));
  git("checkout", "--quiet", ".");
});

interface Comment {
  readonly id: number;
  body: string;
}

/** Comments of one pull request, as both kinds of server keep them. */
async function commentServer(): Promise<{ url: string; comments: Comment[]; stop(): void }> {
  const comments: Comment[] = Array.from({ length: 100 }, (_, id) => ({ id, body: "another comment" }));
  const server = http.createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => (text += chunk));
    request.on("end", () => {
      const answer = (value: unknown) => response.end(JSON.stringify(value));
      if (request.headers.authorization !== "Bearer token" && request.headers["private-token"] !== "token") {
        response.statusCode = 401;
        return answer({});
      }
      if (request.method === "GET") {
        const page = Number(new URL(`${request.url}`, "http://x").searchParams.get("page"));
        return answer(comments.slice((page - 1) * 100, page * 100));
      }
      const { body } = JSON.parse(text);
      const known = comments.find(({ id }) => request.method !== "POST" && `${request.url}`.endsWith(`/${id}`));
      if (known) known.body = body;
      else comments.push({ id: comments.length, body });
      answer({});
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, comments, stop: () => server.close() };
}

const readWorkflow = (file: string) => parse(fs.readFileSync(path.join(project.folder, file), "utf8"));
const reviewsIn = (comments: readonly Comment[]) =>
  comments.filter(({ body }) => body.startsWith("<!-- groundplane-preview:lab"));

test("the GitHub workflow's own lines review a change and keep one comment up to date", async () => {
  const { on, permissions, jobs } = readWorkflow(".github/workflows/preview.yml");
  assert.equal(on, "pull_request");
  assert.deepEqual(permissions, { contents: "read", "pull-requests": "write" });
  const { steps, strategy, env } = jobs.preview;
  for (const stack of strategy.matrix.stack) assert.ok(fs.existsSync(project.stackFile(stack)), stack);
  assert.deepEqual(Object.keys(env), ["STACK", "BASE"]);
  for (const step of steps) assert.ok(step.run ?? step.uses, JSON.stringify(step));
  const lines = steps.flatMap(({ run }: { run?: string }) => (run && run !== "npm ci" ? [run] : []));
  await provesItsLines(lines, (url) => ({
    ...{ STACK: "lab", BASE: git("rev-parse", "main"), GITHUB_STEP_SUMMARY: path.join(project.data, "summary") },
    ...{ GITHUB_API_URL: url, GITHUB_REPOSITORY: "me/data-centre", GITHUB_TOKEN: "token", PULL_REQUEST: "7" },
  }));
});

test("the GitLab pipeline's own lines do the same", async () => {
  const { preview: job } = readWorkflow(".gitlab-ci.yml");
  for (const { STACK } of job.parallel.matrix)
    for (const stack of STACK) assert.ok(fs.existsSync(project.stackFile(stack)));
  assert.deepEqual(job.artifacts.paths, ["preview.md", "preview.json"]);
  const lines = [...job.script, ...job.after_script].filter((line: string) => line !== "npm ci");
  const variables = { STACK: "lab", CI_MERGE_REQUEST_DIFF_BASE_SHA: git("rev-parse", "main") };
  await provesItsLines(lines, (url) => ({
    ...{ ...variables, CI_API_V4_URL: url, CI_PROJECT_ID: "3", CI_MERGE_REQUEST_IID: "7", PREVIEW_TOKEN: "token" },
  }));
  const withoutToken = await shell(".ci/comment-on-gitlab preview.md");
  assert.deepEqual([withoutToken.code, /no PREVIEW_TOKEN/.test(withoutToken.output)], [0, true]);
});

async function provesItsLines(lines: readonly string[], variables: (url: string) => Record<string, string>) {
  assert.ok(lines.length >= 2);
  const server = await commentServer();
  try {
    for (const count of [3, 4]) {
      git("checkout", "--quiet", ".");
      change("workers: {count: 2}", `workers: {count: ${count}}`);
      for (const line of lines) {
        const { code, output } = await shell(line, variables(server.url));
        assert.equal(code, 0, `${line}\n${output}`);
      }
    }
    const [only, ...others] = reviewsIn(server.comments);
    assert.deepEqual(others, []);
    assert.match(String(only?.body), /`worker-4` \| is created/);
  } finally {
    git("checkout", "--quiet", ".");
    server.stop();
  }
}
