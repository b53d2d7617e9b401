/**
 * Packages of missing programs, installed by the real package managers from a repository on the
 * host, and by fixtures of the distributions that cannot run here.
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type PrivateHost, program, testIf } from "../harness/mod.ts";
import { freshHost, HOST_SETUP, needs, setup, setupJson } from "./_host_setup.ts";

/** Everything that a package manager writes to. */
const PRIVATE = ["/usr", "/var/cache", "/var/log"];

const ETHTOOL_SCRIPT = "#!/bin/sh\\nexit 0\\n";

/** os-release(5) as these distributions have it. */
const OS_RELEASE = {
  amazon:
    'NAME="Amazon Linux"\nVERSION="2023"\nID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"\nPRETTY_NAME="Amazon Linux 2023"\n',
  rhel:
    'NAME="Red Hat Enterprise Linux"\nID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.4"\nPRETTY_NAME="Red Hat Enterprise Linux 9.4 (Plow)"\n',
  rocky:
    'NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\nPRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"\n',
  leap:
    'NAME="openSUSE Leap"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\nPRETTY_NAME="openSUSE Leap 15.6"\n',
  ubuntu: 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nNAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n',
  gentoo: 'NAME=Gentoo\nID=gentoo\nPRETTY_NAME="Gentoo Linux"\n',
} as const;

async function become(host: PrivateHost, osRelease: string): Promise<void> {
  await host.sh("rm -f /etc/os-release; cat > /etc/os-release", { stdin: osRelease });
}

/** Home is where Debian's rpm keeps its database: it must not be the machine's. */
const HOME = { HOME: "/run" };

/** Runs host-setup with packages. */
function withPackages(host: PrivateHost, args: string[]) {
  return host.run(HOST_SETUP, [...args, "--json"], {
    check: false,
    env: HOME,
    timeoutMs: 120_000,
  });
}

/** Installs a stand-in package manager that records its calls, and provides what is missing. */
async function fakeManager(host: PrivateHost, name: string): Promise<void> {
  await host.sh(
    `rm -f /usr/bin/${name}; cat > /usr/local/sbin/${name}; chmod 755 /usr/local/sbin/${name}`,
    {
      stdin: `#!/bin/sh\necho "${name} $*" >> /run/called\nmkdir -p /usr/lib/cni\n` +
        `cp -n /run/away/* /usr/sbin/; cp -n /run/cni/* /usr/lib/cni/\n`,
    },
  );
}

const FIXTURES: readonly [keyof typeof OS_RELEASE, string, string][] = [
  ["amazon", "dnf", "dnf -y install ethtool cni-plugins"],
  ["rhel", "dnf", "dnf -y install ethtool containernetworking-plugins"],
  ["rocky", "dnf", "dnf -y install ethtool containernetworking-plugins"],
  ["leap", "zypper", "zypper --non-interactive install --no-recommends ethtool cni-plugins"],
  [
    "ubuntu",
    "apt-get",
    "apt-get -y --no-install-recommends install ethtool containernetworking-plugins",
  ],
];

testIf({
  name:
    "host-setup: on Amazon Linux, RHEL, Rocky, Leap and Ubuntu the right packages are requested (fixtures)",
  needs,
}, async (t) => {
  await using fresh = await freshHost(PRIVATE);
  const { host } = fresh;
  await host.sh(
    "mkdir /run/away /run/cni; cp /usr/sbin/ethtool /run/away; cp /usr/lib/cni/* /run/cni",
  );
  for (const [name, manager, call] of FIXTURES) {
    await t.step(name, async () => {
      await host.sh("rm -rf /run/called /usr/sbin/ethtool /usr/lib/cni");
      await become(host, OS_RELEASE[name]);
      await fakeManager(host, manager);
      const plan = await withPackages(host, ["--plan"]);
      assertEquals(plan.code, 0, plan.stderr);
      const { changes } = JSON.parse(plan.stdout);
      assertEquals(
        changes.filter((change: { kind: string }) => change.kind === "package").length,
        2,
      );
      const apply = await withPackages(host, ["--apply"]);
      assertEquals(apply.code, 0, apply.stderr);
      assertStringIncludes(apply.stderr, "installing ethtool, ");
      assertEquals((await host.sh("cat /run/called")).stdout, `${call}\n`);
      assertEquals((await withPackages(host, ["--check"])).code, 0);
      const undo = await setupJson(host, ["--undo"]);
      assertEquals(undo.left.map(({ kind }) => kind), ["package", "package"]);
      assertStringIncludes(undo.left[0]!.why, `${manager} remove `);
    });
  }
});

testIf({
  name:
    "host-setup: on an unknown distribution everything but packages is done, and the packages are listed",
  needs,
}, async () => {
  await using fresh = await freshHost(PRIVATE);
  const { host } = fresh;
  await become(host, OS_RELEASE.gentoo);
  await host.sh("rm /usr/sbin/ethtool");
  const { code, stdout, stderr } = await withPackages(host, ["--apply"]);
  assertEquals(code, 1, stderr);
  const { changes, problems } = JSON.parse(stdout);
  assertEquals(problems, [
    "ethtool is not installed (the udev rule turns checksum offload off with it): install ethtool; host-setup does not know the packages of 'Gentoo Linux'",
  ]);
  assertEquals(changes.some(({ kind }: { kind: string }) => kind === "firewall"), true);
});

testIf({
  name: "host-setup: a package manager that fails is quoted, and nothing changes",
  needs,
}, async () => {
  await using fresh = await freshHost(PRIVATE);
  const { host } = fresh;
  await become(host, OS_RELEASE.amazon);
  await host.sh("rm /usr/sbin/ethtool; cat > /usr/local/sbin/dnf; chmod 755 /usr/local/sbin/dnf", {
    stdin: "#!/bin/sh\necho 'Error: Unable to find a match: ethtool' >&2\nexit 1\n",
  });
  const { code, stderr } = await withPackages(host, ["--apply"]);
  assertEquals(code, 1);
  assertStringIncludes(
    stderr,
    "host-setup: cannot install ethtool: dnf ended with 1: Error: Unable to find a match: ethtool; install by hand ('dnf -y install ethtool') and run host-setup with --no-packages",
  );
  assertEquals((await host.sh("cat /proc/sys/net/ipv4/ip_forward")).stdout, "0\n");
});

/** An rpm that brings an ethtool, in a repository of its own below /run/repo. */
const RPM_REPOSITORY = `
# rpm queries DNS for the host's own name, and waits for an answer.
echo "127.0.0.1 $(hostname)" >> /etc/hosts
mkdir -p /run/repo /run/build
cat > /run/build/ethtool.spec <<'END'
Name: ethtool
Version: 99
Release: 1
Summary: stands for ethtool
License: none
BuildArch: noarch
AutoReqProv: no
%description
stands for ethtool
%install
mkdir -p %{buildroot}/usr/sbin
printf '${ETHTOOL_SCRIPT}' > %{buildroot}/usr/sbin/ethtool
chmod 755 %{buildroot}/usr/sbin/ethtool
%files
/usr/sbin/ethtool
END
rpmbuild -bb --define '_topdir /run/build' --define '_rpmdir /run/repo' /run/build/ethtool.spec
createrepo_c -q /run/repo
rm /usr/sbin/ethtool
`;

/** Installs for real, and checks the result. */
async function assertInstalls(host: PrivateHost): Promise<void> {
  const { code, stdout, stderr } = await withPackages(host, ["--apply"]);
  assertEquals(code, 0, stdout + stderr);
  assertEquals(JSON.parse(stdout).changes[0].id, "ethtool");
  assertEquals((await host.sh("cat /usr/sbin/ethtool")).stdout, "#!/bin/sh\nexit 0\n");
  assertEquals((await withPackages(host, ["--check"])).code, 0);
}

const rpmNeeds = [...needs, program("rpmbuild"), program("createrepo_c")];

testIf({
  name: "host-setup: the real dnf installs what is missing",
  needs: [...rpmNeeds, program("dnf")],
}, async () => {
  await using fresh = await freshHost(PRIVATE);
  const { host } = fresh;
  await become(host, OS_RELEASE.amazon);
  await host.sh(RPM_REPOSITORY, { env: HOME, timeoutMs: 60_000 });
  await host.sh(
    "rm -rf /etc/yum.repos.d; mkdir -p /etc/yum.repos.d; printf '[local]\\nname=local\\nbaseurl=file:///run/repo\\ngpgcheck=0\\n' > /etc/yum.repos.d/local.repo",
  );
  await assertInstalls(host);
});

testIf({
  name: "host-setup: the real zypper installs what is missing",
  needs: [...rpmNeeds, program("zypper")],
}, async () => {
  await using fresh = await freshHost(PRIVATE);
  const { host } = fresh;
  await become(host, OS_RELEASE.leap);
  await host.sh(RPM_REPOSITORY, { env: HOME, timeoutMs: 60_000 });
  await host.sh(
    "rm -rf /etc/zypp/repos.d; zypper --non-interactive addrepo --no-gpgcheck /run/repo local",
    { env: HOME },
  );
  await assertInstalls(host);
});

testIf({
  name: "host-setup: the real apt-get installs what is missing, after fetching its lists",
  needs: [...needs, program("dpkg-deb"), program("apt-get")],
}, async () => {
  await using fresh = await freshHost(PRIVATE);
  const { host } = fresh;
  await host.sh(`
    mkdir -p /run/repo /run/build/DEBIAN /run/build/usr/sbin
    printf 'Package: ethtool\\nVersion: 9:99\\nArchitecture: all\\nMaintainer: nobody\\nDescription: stands for ethtool\\n' > /run/build/DEBIAN/control
    printf '${ETHTOOL_SCRIPT}' > /run/build/usr/sbin/ethtool
    chmod 755 /run/build/usr/sbin/ethtool
    dpkg-deb -b /run/build /run/repo/ethtool.deb
    cd /run/repo
    { dpkg-deb -f ethtool.deb; echo "Filename: ./ethtool.deb"; echo "Size: $(stat -c %s ethtool.deb)"; echo "SHA256: $(sha256sum < ethtool.deb | cut -d' ' -f1)"; } > Packages
    rm -rf /etc/apt/sources.list /etc/apt/sources.list.d /var/lib/apt/lists
    echo 'deb [trusted=yes] file:/run/repo ./' > /etc/apt/sources.list
    dpkg --remove --force-all ethtool`);
  await assertInstalls(host);
});

testIf({
  name: "host-setup: --no-packages installs no packages, and reports what is missing",
  needs,
}, async () => {
  await using fresh = await freshHost(PRIVATE);
  const { host } = fresh;
  await host.sh("rm /usr/sbin/ethtool");
  const { code, stdout } = await setup(host, ["--apply"]);
  assertEquals(code, 1);
  assertStringIncludes(stdout, "problem: ethtool is not installed");
});
