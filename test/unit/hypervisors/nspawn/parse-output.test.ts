import assert from "node:assert/strict";
import { test } from "node:test";
import { planCgroups } from "../../../../hypervisors/nspawn/cgroups";
import * as parse from "../../../../hypervisors/nspawn/parse-output";

const hybridMounts = `25 24 0:23 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
26 25 0:24 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
27 25 0:25 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
28 25 0:26 / /sys/fs/cgroup/systemd rw,relatime shared:9 - cgroup cgroup rw,name=systemd
29 25 0:27 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`;
const hybridSelf = "5:name=systemd:/user.slice/session-1.scope\n3:cpuset:/\n2:cpu,cpuacct:/build\n0::/user.slice\n";
const machine = { stack: "lab", name: "master-1" };
const places = (self: string, mounts: string) =>
  planCgroups(parse.parseCgroups(self), parse.parseCgroupMounts(mounts), machine).map(({ folder }) => folder);

test("with cgroup v1, a machine is below this process in every hierarchy", () => {
  assert.deepEqual(places(hybridSelf, hybridMounts), [
    "/sys/fs/cgroup/systemd/user.slice/session-1.scope/groundplane/lab/master-1",
    "/sys/fs/cgroup/cpuset/groundplane/lab/master-1",
    "/sys/fs/cgroup/cpu,cpuacct/build/groundplane/lab/master-1",
    "/sys/fs/cgroup/unified/user.slice/groundplane/lab/master-1",
  ]);
});

test("with cgroup v2, a machine is below the root, which can delegate controllers", () => {
  const mounts = "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
  assert.deepEqual(places("0::/user.slice/user-0.slice/session-3.scope\n", mounts), [
    "/sys/fs/cgroup/groundplane/lab/master-1",
  ]);
});

test("in a container, the mounted part of a hierarchy counts as its root", () => {
  const part = "26 25 0:24 /docker/4f2a /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
  assert.deepEqual(places("4:memory:/docker/4f2a\n", part), ["/sys/fs/cgroup/memory/groundplane/lab/master-1"]);
  assert.deepEqual(places("4:memory:/\n", part), ["/sys/fs/cgroup/memory/groundplane/lab/master-1"]);
  assert.deepEqual(places("4:memory:/\n", ""), [], "a hierarchy that is not mounted cannot be joined");
});

test("pids are read for every namespace of a process", () => {
  assert.deepEqual(parse.parseNamespacePids("Name:\tsystemd\nNSpid:\t14704\t1\nNSpgid:\t14704\t1\n"), [14704, 1]);
  assert.deepEqual(parse.parseNamespacePids("Name:\tkthread\n"), []);
});

test("responses of slirp4netns are parsed", () => {
  const list =
    '{"entries":[{"id":1,"proto":"tcp","host_addr":"127.0.0.1","host_port":2222,"guest_addr":"10.0.2.15","guest_port":22}]}';
  assert.deepEqual(parse.parseForwards(list), [{ id: 1, hostPort: 2222, guestPort: 22 }]);
  assert.equal(parse.parseUplinkError('{"return":{"id":1}}'), undefined);
  const failed = '{"error":{"desc":"bad request: add_hostfwd: slirp_add_hostfwd failed"}}';
  assert.equal(parse.parseUplinkError(failed), "bad request: add_hostfwd: slirp_add_hostfwd failed");
});
