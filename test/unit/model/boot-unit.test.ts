import assert from "node:assert/strict";
import { test } from "node:test";
import { describeBootUnit } from "../../../cli/boot-unit";
import { type BootUnit, renderBootUnit } from "../../../model/boot-unit";

const unit: BootUnit = {
  stack: "lab",
  project: "/srv/groundplane",
  node: "/usr/bin/node",
  data: "/root/.local/share/groundplane",
  environment: { HOME: "/root", PATH: "/usr/bin:/bin" },
  wantedBy: "multi-user.target",
};

test("the unit runs one start of the stack, whose machines outlive it", () => {
  assert.equal(
    renderBootUnit(unit),
    `# Written by \`npx groundplane start --at-boot --stack lab\`. To remove it: npx groundplane start --no-at-boot --stack lab
[Unit]
Description=Start the groundplane stack lab
Wants=network-online.target
After=network-online.target
RequiresMountsFor=/srv/groundplane /root/.local/share/groundplane

[Service]
Type=oneshot
RemainAfterExit=yes
KillMode=process
TimeoutStartSec=infinity
WorkingDirectory=/srv/groundplane
Environment=HOME=/root
Environment=PATH=/usr/bin:/bin
ExecStart=/usr/bin/node /srv/groundplane/cli/groundplane.cjs start --yes --stack lab

[Install]
WantedBy=multi-user.target
`,
  );
});

test("nothing in a path or a value is read as a quote, a specifier, a variable or another setting", () => {
  const text = renderBootUnit({
    ...unit,
    project: '/a b/%h/$X/"q"\\z',
    environment: { PATH: "/bin\nExecStart=/bin/evil" },
  });
  assert.ok(text.includes('\nWorkingDirectory=/a b/%%h/$X/"q"\\z\n'), text);
  assert.ok(text.includes('\nExecStart=/usr/bin/node "/a b/%%h/$$X/\\"q\\"\\\\z/cli/groundplane.cjs" start '), text);
  assert.ok(text.includes('\nEnvironment="PATH=/bin\\nExecStart=/bin/evil"\n'), text);
  assert.throws(() => renderBootUnit({ ...unit, project: "/a\nUser=root" }), { id: "path-unusable" });
});

test("the unit gets what decides about the stack, and no secret", () => {
  const described = describeBootUnit("lab", {
    ...{ HOME: "/home/a", PATH: "/bin", EDITOR: "vi", GROUNDPLANE_DRIVER: "qemu" },
    PULUMI_CONFIG_PASSPHRASE_FILE: "/home/a/passphrase",
  }).environment;
  assert.deepEqual(Object.keys(described).sort(), [
    ...["GROUNDPLANE_DATA", "GROUNDPLANE_DRIVER", "HOME", "PATH", "PULUMI_CONFIG_PASSPHRASE_FILE"],
  ]);
  const secrets = { PULUMI_CONFIG_PASSPHRASE: "x", PULUMI_ACCESS_TOKEN: "x", PULUMI_BACKEND_URL: "https://a:b@host" };
  for (const [name, value] of Object.entries(secrets))
    assert.throws(() => describeBootUnit("lab", { [name]: value }), { id: "secret-in-environment" }, name);
  assert.equal(describeBootUnit("lab", { PULUMI_BACKEND_URL: "s3://b" }).environment.PULUMI_BACKEND_URL, "s3://b");
});
