// Previews of the complete program on machines of the fake driver: what they show, and that nothing changes.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { findPulumi } from "../../toolchain/obtain-pulumi";
import { ClusterUnderTest, type CommandOutput, mustSucceed } from "../support/cluster-under-test";
import { contentsOf, differing } from "../support/folder-contents";
import { copyProject } from "../support/project-copy";

interface Changes {
  readonly masters?: number;
  readonly cidr?: string;
}

const settings = ({ masters = 3, cidr = "192.168.56.0/21" }: Changes) => `config:
  groundplane:dataCenter:
    driver: fake
    pools:
      balancers: { count: 2 }
      masters: { count: ${masters} }
      workers: { count: 1 }
    network: { cidr: ${cidr} }
`;

test("previews change nothing", { timeout: 30 * 60_000 }, async (t) => {
  if (!(await findPulumi())) return t.skip("no Pulumi on this host: `npm start` obtains it");
  const project = copyProject(dataFolder());
  const cluster = new ClusterUnderTest(project, "previewed");
  after(() => project.remove());
  const machines = path.join(project.data, "fake", "previewed", "machines");
  const configure = (changes: Changes = {}) => {
    const file = project.stackFile("previewed");
    const before = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
    fs.writeFileSync(file, (/^encryptionsalt: .*\n/m.exec(before)?.[0] ?? "") + settings(changes));
  };
  const pulumi = (...words: string[]) => cluster.pulumi(...words, "--non-interactive");
  const groundplane = () => cluster.groundplane("preview");

  /** Commands that change guests; queries are left out. */
  const actions = () =>
    fs.readdirSync(machines).flatMap((name) => {
      const file = path.join(machines, name, "console.log");
      const lines = fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n") : [];
      return lines
        .filter((line) => !/cluster-id|cluster-status|node-ready/.test(line))
        .map((line) => `${name}: ${line}`);
    });

  async function unharmed(words: readonly RegExp[], exitCode: number, ask: () => Promise<CommandOutput>) {
    // The console of a simulated guest logs every command. A preview may add queries only.
    const look = () => contentsOf([project.folder, project.data], "console.log");
    const [before, done] = [look(), actions()];
    const output = await ask();
    assert.deepEqual(differing(before, look()), []);
    assert.deepEqual(actions(), done);
    assert.equal(output.exitCode, exitCode, output.stdout + output.stderr);
    for (const word of words) assert.match(output.stdout, word);
  }

  configure();
  mustSucceed("init", await pulumi("stack", "init"));
  mustSucceed("up", await pulumi("up", "--yes", "--skip-preview"));

  await t.test("without a difference", async () => {
    await unharmed([/No node changes/], 0, groundplane);
    await unharmed([], 0, () => pulumi("preview", "--expect-no-changes"));
  });

  await t.test("with drifted machines", async () => {
    const record = path.join(machines, "master-2", "machine.json");
    fs.writeFileSync(record, JSON.stringify({ ...JSON.parse(fs.readFileSync(record, "utf8")), power: "stopped" }));
    fs.writeFileSync(path.join(machines, "balancer-1", "root", "etc", "haproxy", "haproxy.cfg"), "# by hand\n");
    fs.rmSync(path.join(machines, "worker-1"), { recursive: true });
    const drift = [
      /`worker-1` \| is created/,
      /`master-2` \| [^|]* \| power: stopped -> running/,
      /-# by hand\n\+global/,
    ];
    await unharmed(drift, 0, groundplane);
    await unharmed([/# by hand/, /power.*"stopped" => "running"/], 0, () => pulumi("preview", "--diff"));
    mustSucceed("repair", await pulumi("up", "--yes", "--skip-preview"));
  });

  await t.test("with a larger plan, and with a refused plan", async () => {
    configure({ masters: 5 });
    await unharmed([/`master-5` \| is created/, /`balancer-2` \| is changed in place/], 0, groundplane);
    await unharmed([/master-5/], 0, () => pulumi("preview", "--diff"));
    configure({ cidr: "192.168.64.0/21" });
    await unharmed([/Refused/, /one after the other/, /masters: master-1, master-2/], 1, groundplane);
  });
});
