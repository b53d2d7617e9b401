/**
 * The logs: that of a start, and the monitor's own.
 *
 *   [ host ] HPK_LOG=debug hpktainer exec ── steps and programs, on standard error
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  eventually,
  eventuallySame,
  images,
  PrivateHost,
  program,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { endContainer, holdContainer } from "../harness/containers.ts";
import { hpk, needs, PATIENT, SUBNET } from "../harness/hpktainer.ts";
import { awaitService, monitorPids } from "../harness/processes.ts";

const systemdCat = program("systemd-cat");

const EXEC = ["exec", "--subnet", SUBNET] as const;

/** A line of a command's log: level, milliseconds since the start, text. */
const LINE = /^hpktainer: (\w+) (\d+\.\d) ms: (.+)$/;

function parse(stderr: string): { level: string; ms: number; text: string }[] {
  return stderr.split("\n").flatMap((line) => {
    const [, level, ms, text] = LINE.exec(line) ?? [];
    return level === undefined ? [] : [{ level, ms: Number(ms), text: text! }];
  });
}

testIf(
  { name: "HPK_LOG=debug shows each step with its time, and each program", needs },
  async () => {
    const { base } = await images();
    await using host = await PrivateHost.create();
    const before = await snapshot(host);
    const file = await Deno.makeTempFile();
    const secrets = { APPTAINERENV_SECRET: "swordfish1", HPK_TEST_SECRET: "swordfish2" };
    const { code, stdout, stderr } = await hpk(
      host,
      [...EXEC, "--env", "SECRET=swordfish3", base, "sh", "-c", "echo $SECRET; exit 7"],
      { env: { ...secrets, HPK_LOG: "debug", HPK_FAULT_TRACE: file } },
    );
    assertEquals([code, stdout], [7, "swordfish3\n"]);
    await eventuallySame(host, before, PATIENT);
    const lines = parse(stderr);
    assertEquals(lines.length, stderr.trimEnd().split("\n").length, stderr);
    assert(lines.every(({ level }) => ["debug", "info"].includes(level)), stderr);
    const times = lines.map(({ ms }) => ms);
    assertEquals(times, times.toSorted((a, b) => a - b));
    // The steps are those that a trace lists, of which the monitor has its own, until Apptainer
    // takes over.
    const steps = lines.flatMap(({ text }) => /^step (.+)$/.exec(text)?.[1] ?? []);
    const traced = Deno.readTextFileSync(file).split("\n");
    assertEquals(steps.filter((step) => !traced.includes(step)), []);
    assert(steps.includes("attach.done") && steps.at(-1) === "start.running", steps.join(" "));
    // Every program that was run has ended, with its status.
    const names = (word: string) =>
      lines.flatMap(({ text }) => new RegExp(`^${word} (\\S+\\[\\d+\\])`).exec(text)?.[1] ?? []);
    assertEquals(names("run").toSorted(), names("end").toSorted());
    for (const program of ["iptables-save", "iptables-restore", "host-local", "setsid", "ip"]) {
      assert(names("run").some((name) => name.startsWith(`${program}[`)), `${program}: ${stderr}`);
    }
    for (const { text } of lines.filter(({ text }) => text.startsWith("end "))) {
      assertMatch(text, /^end \S+\[\d+\]: status 0 after \d+\.\d ms$/);
    }
    assertMatch(
      lines.at(-1)!.text,
      /^become \/\S+\/apptainer exec --env SECRET=\*\*\* --netns-path /,
    );
    assert(!/swordfish/.test(stderr), stderr);
    await Deno.remove(file);
  },
);

testIf({ name: "--debug shows steps as HPK_LOG does, and is Apptainer's too", needs }, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const { stderr } = await hpk(host, ["--debug", ...EXEC, base, "true"], { check: true });
  const { stderr: short } = await hpk(host, ["-d", ...EXEC, base, "true"], { check: true });
  for (const text of [stderr, short]) {
    assert(parse(text).some(({ text }) => text === "step attach.done"), text);
    assertMatch(text, /DEBUG /);
  }
  // Our own commands have it before the command, and nothing of it reaches standard output.
  const plain = await hpk(host, ["completions", "bash"], { check: true });
  const debug = await hpk(host, ["--debug", "completions", "bash"], { check: true });
  assertEquals(debug.stdout, plain.stdout);
  const doctor = await hpk(host, ["--debug", "doctor", "--json"]);
  JSON.parse(doctor.stdout);
  assert(parse(doctor.stderr).some(({ text }) => /^run iptables-save/.test(text)), doctor.stderr);
});

testIf(
  { name: "a start logs nothing without HPK_LOG, and otherwise only up to its level", needs },
  async () => {
    const { base } = await images();
    await using host = await PrivateHost.create();
    for (const level of [undefined, "", "error", "warn"]) {
      const env: Record<string, string> = level === undefined ? {} : { HPK_LOG: level };
      const { code, stderr } = await hpk(host, [...EXEC, base, "true"], { env });
      assertEquals([code, stderr], [0, ""], level);
    }
  },
);

testIf(
  { name: "a start that shows its steps attaches itself, even if a monitor runs", needs },
  async () => {
    const { base } = await images();
    await using host = await PrivateHost.create();
    const held = await holdContainer(host, base);
    await awaitService(host);
    const cases: [string[], Record<string, string>][] = [
      [[...EXEC, base, "true"], { HPK_LOG: "debug" }],
      [["--debug", ...EXEC, base, "true"], {}],
    ];
    for (const [args, env] of cases) {
      const { code, stderr } = await hpk(host, args, { env });
      assertEquals(code, 0, stderr);
      assert(parse(stderr).some(({ text }) => text === "step start.running"), stderr);
    }
    await endContainer(held);
  },
);

/** The monitor's log on a host without a journal. */
const readMonitorLog = async (host: PrivateHost) =>
  (await host.sh("cat /var/log/hpktainer/monitor.log")).stdout;

const doctorOf = async (host: PrivateHost) => {
  const { checks } = JSON.parse((await hpk(host, ["doctor", "--json"])).stdout);
  return checks.find(({ id }: { id: string }) => id === "monitor") as Record<string, string>;
};

const KILLED =
  /does not run, though containers exist: it has crashed or was killed; its last line: /;

testIf({ name: "a monitor that was killed by a signal is noticed afterwards", needs }, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const before = await snapshot(host);
  const held = await holdContainer(host, base);
  for (const signal of ["ABRT", "KILL"]) {
    await awaitService(host);
    assertEquals((await doctorOf(host))["status"], "ok");
    await host.run("kill", [`-${signal}`, ...monitorPids(host).map(String)]);
    await eventually(() => monitorPids(host).length === 0, { what: "the monitor's end" });
    const { status, found, fix } = await doctorOf(host);
    assertEquals(status, "warn");
    assertMatch(found!, KILLED);
    assertMatch(fix!, /^run 'hpktainer gc'/);
    const { stdout } = await hpk(host, ["gc"], { check: true });
    assertEquals(stdout, "repaired: monitor\n");
    await awaitService(host);
    assertMatch(await readMonitorLog(host), /Z warn: the last monitor has crashed or was killed/);
  }
  await endContainer(held);
  await eventuallySame(host, before, PATIENT);
  assertMatch(await readMonitorLog(host), /Z info: the monitor ends: no container is left\n$/);
  const { stdout } = await host.sh("stat -c '%a %U %n' /var/log/hpktainer /var/log/hpktainer/*");
  assertEquals(
    stdout,
    "755 root /var/log/hpktainer\n644 root /var/log/hpktainer/events.jsonl\n" +
      "600 root /var/log/hpktainer/monitor.log\n",
  );
  const { stdout: events } = await hpk(host, ["events"], { check: true });
  assertEquals(events.match(/repaired monitor: /g)?.length, 2, events);
});

testIf({ name: "a monitor that fails says why in its log", needs }, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const held = await holdContainer(host, base);
  await awaitService(host);
  // A file is in the place of the records' directory.
  await host.sh("cd /run/hpktainer; mv containers kept; touch containers");
  await endContainer(held);
  await eventually(() => monitorPids(host).length === 0, { what: "the monitor's end", ...PATIENT });
  await host.sh("cd /run/hpktainer; rm containers; mv kept containers");
  assertMatch(await readMonitorLog(host), /Z error: the monitor fails: .*NotADirectory/);
  assertMatch((await doctorOf(host))["found"]!, KILLED);
  await hpk(host, ["gc"], { check: true });
  assertEquals((await hpk(host, ["ps", "--json"])).stdout.includes('"containers": []'), true);
});

testIf(
  { name: "the monitor's log goes to the journal if there is one", needs: [...needs, systemdCat] },
  async () => {
    const { base } = await images();
    await using host = await PrivateHost.create();
    await host.sh("mkdir -p /run/systemd/journal");
    const path = `${host.root}/run/systemd/journal/stdout`;
    using journal = Deno.listen({ transport: "unix", path });
    const texts: string[] = [];
    const served = (async () => {
      for await (const connection of journal) {
        const at = texts.push("") - 1;
        (async () => {
          for await (const chunk of connection.readable) {
            texts[at] += new TextDecoder().decode(chunk);
          }
        })();
      }
    })();
    const held = await holdContainer(host, base);
    const seen = () => texts.find((text) => text.includes("the monitor begins")) ?? "";
    await eventually(() => seen() !== "", { what: "the monitor's first line", ...PATIENT });
    // The head of a stream: identifier, unit, priority, whether lines have one of their own.
    assertEquals(seen().split("\n").slice(0, 4), ["hpktainer", "", "6", "1"]);
    assertMatch(seen(), /\n<6>the monitor begins, pid \d+\n/);
    await endContainer(held);
    await eventually(() => /<6>the monitor ends: /.test(seen()), { what: "its last", ...PATIENT });
    const { stdout } = await host.sh("ls /var/log/hpktainer");
    assertEquals(stdout, "events.jsonl\n");
    journal.close();
    await served.catch(() => {});
  },
);

testIf({ name: "the monitor's log is bounded, also while it runs", needs }, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const held = await holdContainer(host, base);
  await awaitService(host);
  const log = "/var/log/hpktainer/monitor.log";
  await host.sh(`head -c 1100000 /dev/zero | tr '\\0' x >> ${log}`);
  await hpk(host, [...EXEC, base, "true"], { check: true });
  await eventually(async () => (await host.sh(`stat -c %s ${log}`)).stdout.length < 6, {
    what: "a short log",
    ...PATIENT,
  });
  const { stdout } = await host.sh(`stat -c '%a %s' ${log}.1; ls /var/log/hpktainer`);
  assertMatch(stdout, /^600 11\d{5}\nevents.jsonl\nmonitor.log\nmonitor.log.1\n$/);
  await endContainer(held);
});

/** Places for logs that cannot be written to, and what makes them. */
const BROKEN: Record<string, string> = {
  "read-only": "mkdir /var/log/hpktainer; mount -n -t tmpfs -o ro,mode=755 logs /var/log/hpktainer",
  "full":
    "mkdir /var/log/hpktainer; mount -n -t tmpfs -o size=4k,mode=755 logs /var/log/hpktainer; " +
    "head -c 8192 /dev/zero > /var/log/hpktainer/rest || true",
  "another's": "mkdir -m 777 /var/log/hpktainer",
  "a link": "mkdir /run/elsewhere; ln -s /run/elsewhere /var/log/hpktainer",
  "a file": "touch /var/log/hpktainer",
};

for (const [what, make] of Object.entries(BROKEN)) {
  testIf({ name: `a start and its release work without logs: ${what}`, needs }, async () => {
    const { base } = await images();
    await using host = await PrivateHost.create();
    await host.sh(make);
    const before = await snapshot(host);
    const list = "ls -A /var/log/hpktainer/ /run/elsewhere 2>/dev/null || true";
    const files = (await host.sh(list)).stdout;
    const held = await holdContainer(host, base);
    await awaitService(host);
    for (let turn = 0; turn < 2; turn++) {
      const { code, stderr } = await hpk(host, [...EXEC, base, "sh", "-c", "exit 7"]);
      assertEquals([code, stderr], [7, ""]);
    }
    await endContainer(held);
    await eventuallySame(host, before, PATIENT);
    if (what !== "full") assertEquals((await host.sh(list)).stdout, files);
    const { code, stdout, stderr } = await hpk(host, ["events"]);
    assertEquals([code, stdout], [what === "a file" ? 125 : 0, ""]);
    assertMatch(stderr, code === 0 ? /^$/ : /^hpktainer: cannot show events: .* or remove it\n$/);
  });
}
