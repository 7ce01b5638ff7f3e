import assert from "node:assert/strict";
import { test } from "node:test";
import { formerKnownHosts, renderSshConfig, sshWords } from "../../../guests/ssh-files";
import { type StackOutputs, withoutEndedHostKeys } from "../../../model/stack-outputs";

const node = (name: string, address: string) => ({
  name,
  role: "any",
  address,
  fqdn: `${name}.lab.internal`,
  macs: [],
  hostKey: "ssh-ed25519 AAAA",
});

test("nodes are reached by name through the gateway, and no other keys or hosts are trusted", () => {
  const config = renderSshConfig(
    { config: "/data/100% mine/config", key: "/data/100% mine/key", knownHosts: "/data/known_hosts" },
    {
      gatewaySsh: { host: "127.0.0.1", port: 20_001, hostKey: "ssh-ed25519 AAAA" },
      inventory: [node("gateway", "192.168.56.1"), node("master-1", "192.168.57.11")],
    },
    "linux",
  );
  assert.equal(
    config,
    `Host gateway
  HostName 127.0.0.1
  Port 20001

Host master-1
  HostName 192.168.57.11
  ProxyCommand ssh -F '/data/100%% mine/config' -W "[%h]:%p" gateway

Host *
  User root
  IdentityFile "/data/100%% mine/key"
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile "/data/known_hosts"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  ConnectTimeout 15
  LogLevel ERROR
`,
  );
});

test("a command is passed to ssh with its own dashes", () => {
  const expected = ["ssh", "-F", "/c", "master-1", "--", "ls", "--", "-x"];
  assert.deepEqual(sshWords("/c", "master-1", ["ls", "--", "-x"]), expected);
  assert.deepEqual(sshWords("/c", "master-1", []), ["ssh", "-F", "/c", "master-1"]);
});

test("Windows paths are written with forward slashes, which ssh does not interpret", () => {
  const files = {
    config: "C:\\Users\\Ada L\\config",
    key: "C:\\Users\\Ada L\\key",
    knownHosts: "/data/with\\backslash",
  };
  const outputs = {
    gatewaySsh: { host: "127.0.0.1", port: 20_001, hostKey: "ssh-ed25519 AAAA" },
    inventory: [node("master-1", "192.168.57.11")],
  };
  const config = renderSshConfig(files, outputs, "win32");
  assert.match(config, /IdentityFile "C:\/Users\/Ada L\/key"/);
  assert.match(config, /UserKnownHostsFile "\/data\/with\\backslash"/);
  assert.match(config, /ProxyCommand ssh -F "C:\/Users\/Ada L\/config" -W "\[%h\]:%p" gateway/);
});

test("ssh also accepts the former host keys of nodes that a rotation has not reached", () => {
  const rotated = { hostKey: "ssh-ed25519 NEW", formerHostKeys: ["ssh-ed25519 OLD", "ssh-ed25519 OLDER"] };
  const outputs = {
    gatewaySsh: { host: "127.0.0.1", port: 20_001, ...rotated },
    inventory: [
      { ...node("gateway", "192.168.56.1"), ...rotated },
      { ...node("master-1", "192.168.57.11"), ...rotated, hostKey: "ssh-ed25519 NEW1" },
      node("master-2", "192.168.57.12"),
    ],
  } as Partial<StackOutputs> as StackOutputs;
  const lines = (host: string) => `${host} ssh-ed25519 OLD\n${host} ssh-ed25519 OLDER\n`;
  const ofGateway = lines("[127.0.0.1]:20001") + lines("192.168.56.1");
  assert.equal(formerKnownHosts(outputs), ofGateway + lines("192.168.57.11"));
  assert.equal(formerKnownHosts(withoutEndedHostKeys(outputs, ["ssh-ed25519 NEW1"])), ofGateway);
  const earlier = withoutEndedHostKeys(outputs, ["ssh-ed25519 OLD"]);
  assert.doesNotMatch(formerKnownHosts(earlier), /OLDER/, "not the key before the one that a node has had");
  assert.equal(formerKnownHosts(withoutEndedHostKeys(outputs, ["ssh-ed25519 NEW", "ssh-ed25519 NEW1"])), "");
});
