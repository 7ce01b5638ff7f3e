import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { eventually, mustSucceed, patienceMs } from "../../support/cluster-under-test";
import { apply, countsOf, deploy, type LabUnderTest, type Step, secondsSince, up } from "../lab-under-test";

const mountPoint = "/var/lib/groundplane/volumes/data";
/** A file on the volume. */
const numbers = "numbers";
const storage = ["storage-1", "storage-2", "storage-3"];
const lines = (text: string): string[] => text.trim().split("\n");

export const claimIsWrittenFromTwoNodes: Step = async (lab) => {
  await deploy(lab, "shared-claim.yaml", "writer-1", "writer-2");
  const inPod = (pod: string, command: string) =>
    lab.cluster.kubectl("master-1", "exec", `deployment/${pod}`, "--", "sh", "-c", `'${command}'`);
  for (const pod of ["writer-1", "writer-2"])
    mustSucceed("write", await inPod(pod, `echo ${pod} > /shared/${pod} && sync`));
  for (const pod of ["writer-1", "writer-2"]) {
    const read = mustSucceed("read", await inPod(pod, "cat /shared/writer-1 /shared/writer-2"));
    assert.deepEqual(lines(read.stdout), ["writer-1", "writer-2"]);
  }
};

export const claimGrows: Step = async ({ cluster }) => {
  const patch = [
    "patch",
    "pvc",
    "shared",
    "--type=merge",
    "-p",
    `'{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}'`,
  ];
  mustSucceed("patch", await cluster.kubectl("master-1", ...patch));
  const size = ["get", "pvc", "shared", "-o", "jsonpath={.status.capacity.storage}"];
  const ask = () => cluster.kubectl("master-1", ...size);
  await eventually("the larger size", patienceMs, ask, ({ stdout }) => stdout === "2Gi");
};

const leave = `systemctl stop groundplane-volume && umount --lazy ${mountPoint}`;
const workers = ["worker-1", "worker-2"];

export const nothingLandsBesideTheVolume: Step = async ({ cluster }) => {
  mustSucceed("unmount", await cluster.onNode("worker-1", leave));
  const stray = await cluster.onNode("worker-1", `mkdir -p ${mountPoint}/stray`);
  assert.match(stray.stderr, /No space left on device/);
  // The volume is mounted again automatically, as after a crash of the client.
  mustSucceed("start", await cluster.onNode("worker-1", "systemctl start groundplane-volume"));
  const look = () => cluster.onNode("worker-1", `findmnt --noheadings --output FSTYPE --target ${mountPoint}`);
  await eventually("mounted again", patienceMs, look, ({ stdout }) => stdout.trim() === "fuse.glusterfs");
};

/** Every Node has the volume's label, but none has mounted it, so the provisioner's own check must refuse. */
export const claimIsRefusedWithoutTheVolume: Step = async (lab, t) => {
  const { cluster } = lab;
  const kubectl = (...words: string[]) => cluster.kubectl("master-1", ...words);
  for (const worker of workers) mustSucceed("unmount", await cluster.onNode(worker, leave));
  mustSucceed(
    "label",
    await kubectl("label", "node", ...workers, "--overwrite", "groundplane.internal/volume=mounted"),
  );
  const claim = JSON.stringify({
    ...{ apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "refused" } },
    spec: { accessModes: ["ReadWriteMany"], resources: { requests: { storage: "1Mi" } } },
  });
  await apply(lab, claim);
  const events = "get events --field-selector involvedObject.name=refused,reason=ProvisioningFailed --no-headers";
  const told = await eventually(
    "an event",
    patienceMs,
    () => kubectl(events),
    ({ stdout }) => /Failed/.test(stdout),
  );
  t.diagnostic(`the claim is refused: ${lines(told.stdout)[0]}`);
  for (const worker of workers) {
    const found = mustSucceed("look", await cluster.onNode(worker, `find ${mountPoint} -mindepth 1 | wc -l`));
    assert.equal(found.stdout.trim(), "0", worker);
  }
  for (const worker of workers)
    mustSucceed("start", await cluster.onNode(worker, "systemctl start groundplane-volume"));
  const bound = () => kubectl("get", "persistentvolumeclaim", "refused", "--no-headers");
  await eventually("bound after all", patienceMs, bound, ({ stdout }) => / Bound /.test(stdout));
  mustSucceed("delete", await kubectl("delete", "persistentvolumeclaim", "refused"));
};

export const deletedClaimTakesItsFolder: Step = async ({ cluster }) => {
  const folders = async () => (await cluster.onNode("worker-2", `ls ${mountPoint}`)).stdout;
  assert.match(await folders(), /_default_shared/);
  const all = ["delete", "deployment/writer-1", "deployment/writer-2", "persistentvolumeclaim/shared"];
  mustSucceed("delete", await cluster.kubectl("master-1", ...all));
  await eventually("folder gone", patienceMs, folders, (names) => !/_default_shared/.test(names));
};

/** The machine and its data disk are lost. A new machine of the same name gets the data from the other copies. */
export const lostStorageMachineIsReplaced: Step = async (lab, t) => {
  mustSucceed(
    "write",
    await lab.cluster.onNode("worker-1", `seq 100000 >${mountPoint}/${numbers} && sync ${mountPoint}`),
  );
  const lost = { stack: lab.cluster.stack, name: "storage-2" };
  const state = await lab.driver.inspectMachine(lost);
  assert.ok(state);
  await lab.driver.removeMachine(lost, state.owner);
  const disk = path.join(lab.cluster.project.data, "disks", lost.stack, "storage-2-brick", "data");
  for (const name of fs.readdirSync(disk)) fs.rmSync(path.join(disk, name), { recursive: true });
  const started = performance.now();
  await up(lab);
  await healed(lab);
  t.diagnostic(`replace-storage took ${secondsSince(started)} until everything was copied`);
  await sameOnAllBricks(lab, numbers);
};

export const allStorageMachinesRestart: Step = async (lab) => {
  const machines = storage.map((name) => ({ stack: lab.cluster.stack, name }));
  await Promise.all(machines.map((machine) => lab.driver.stopMachine(machine, 30_000)));
  assert.doesNotMatch(countsOf(await up(lab)), /created|replaced|deleted/);
  await healed(lab);
  // The client lost all its servers and has reconnected on its own.
  const read = () => lab.cluster.onNode("worker-1", `tail -n 1 ${mountPoint}/${numbers}`);
  await eventually("the volume answers", patienceMs, read, ({ exitCode }) => exitCode === 0);
  await sameOnAllBricks(lab, numbers);
};

async function healed({ cluster }: LabUnderTest): Promise<void> {
  const ask = () => cluster.onNode("storage-1", "gluster volume heal data info summary");
  await eventually("all copies are complete", patienceMs, ask, ({ stdout }) => {
    const pending = stdout.match(/^Total Number of entries: \S+/gm) ?? [];
    return pending.length === storage.length && pending.every((line) => line.endsWith(": 0"));
  });
}

async function sameOnAllBricks({ cluster }: LabUnderTest, file: string): Promise<void> {
  const sums = storage.map((node) => cluster.onNode(node, `sha256sum < /data/brick/volume/${file}`));
  const seen = (await Promise.all(sums)).map((sum) => mustSucceed("sha256sum", sum).stdout);
  assert.equal(new Set(seen).size, 1, seen.join(""));
}
