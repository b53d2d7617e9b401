/**
 * `hpktainer events`: the events of containers, also after the last of them.
 *
 *   [ host ] starts, ends, repairs ──► /var/log/hpktainer/events.jsonl ──► events, events --follow
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { crunHost, crunNeeds, run } from "../harness/crun.ts";
import { eventually, images, ociImages, PrivateHost, testIf } from "../harness/mod.ts";
import { endContainer, holdContainer, ok } from "../harness/containers.ts";
import { hpk, HPKTAINER, needs, PATIENT, programForUsers, SUBNET } from "../harness/hpktainer.ts";
import { awaitService } from "../harness/processes.ts";

const EXEC = ["exec", "--subnet", SUBNET] as const;

interface Event {
  readonly version: number;
  readonly time: string;
  readonly event: string;
  readonly container: Record<string, unknown> | null;
  readonly exitStatus: number | null;
  readonly part: string | null;
  readonly detail: string | null;
}

const parse = (text: string): Event[] =>
  text.split("\n").slice(0, -1).map((line) => JSON.parse(line));

const eventsOf = async (host: PrivateHost, ...options: string[]): Promise<Event[]> =>
  parse(await ok(host, ["events", "--json", ...options]));

/** Kinds of a container's events, by its name. */
const eventsNamed = (events: readonly Event[], name: string): string[] =>
  events.filter(({ container }) => container?.["name"] === name).map(({ event }) => event);

/**
 * The same from its start on: where the last monitor ends in the moment in which it is asked to
 * attach, what it has begun is released first.
 */
const lifeOf = (events: readonly Event[], name: string): string[] => {
  const all = eventsNamed(events, name);
  return all.slice(all.indexOf("started"));
};

const LIFE = ["started", "ended", "released"];

async function awaitLife(host: PrivateHost, name: string): Promise<void> {
  await eventually(async () => lifeOf(await eventsOf(host), name).length >= LIFE.length, {
    what: `the release of ${name}`,
    ...PATIENT,
  });
  assertEquals(lifeOf(await eventsOf(host), name), LIFE);
}

testIf(
  { name: "events show a container's life, attached by itself or by the monitor", needs },
  async () => {
    const { base } = await images();
    await using host = await PrivateHost.create();
    assertEquals(await ok(host, ["events"]), "");
    const held = await holdContainer(host, base, ["--subnet", SUBNET, "--name", "first"]);
    await awaitService(host);
    await ok(host, [...EXEC, "--name", "served", base, "true"]);
    await awaitLife(host, "served");
    await ok(host, ["instance", "start", "--subnet", SUBNET, base, "service"]);
    await ok(host, ["instance", "stop", "service"]);
    await awaitLife(host, "service");
    await endContainer(held);
    await awaitLife(host, "first");
    // A failed start does not count as started.
    await hpk(host, [...EXEC, "--name", "never", base, "true"], {
      env: { HPK_FAULT_KILL: "attach.files" },
    });
    await ok(host, ["gc"]);
    const events = await eventsOf(host);
    assertEquals(eventsNamed(events, "never"), ["released"]);
    const [first] = events;
    const { container, time, ...rest } = first!;
    assertMatch(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assertEquals(rest, {
      version: 1,
      event: "started",
      exitStatus: null,
      part: null,
      detail: null,
    });
    const { id, address, ...known } = container!;
    assertMatch(String(id), /^[0-9a-f]{12}$/);
    assertMatch(String(address), /^10\.96\.0\.\d+$/);
    assertEquals(known, {
      name: "first",
      image: base,
      kind: "run",
      runtime: "apptainer",
      mode: "static",
      address6: null,
    });
    const lines = (await ok(host, ["events"])).split("\n");
    assertEquals(lines[0], `${time.slice(0, 19)}Z  started  first (${id}) ${address} ${base}`);
    assertEquals(lines.length - 1, events.length);
  },
);

testIf({ name: "events show what was repaired", needs }, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const held = await holdContainer(host, base);
  await awaitService(host);
  const parts = async () =>
    (await eventsOf(host)).flatMap(({ event, part }) => event === "repaired" ? [part] : []);
  await ok(host, [...EXEC, base, "true"]);
  assertEquals(await parts(), []);
  await host.sh("iptables -F; sysctl -qw net.ipv4.ip_forward=0; ip link delete hpk-bridge");
  await ok(host, [...EXEC, base, "true"]);
  assertEquals((await parts()).toSorted(), ["bridge", "firewall", "forwarding"]);
  await host.sh("iptables -t nat -F");
  // It may also release the container that has just ended.
  assertMatch(await ok(host, ["gc"]), /^repaired: firewall$/m);
  assertEquals((await parts()).slice(3), ["firewall"]);
  await ok(host, ["gc"]);
  assertEquals((await parts()).length, 4);
  await endContainer(held);
});

testIf({ name: "--since omits earlier events", needs }, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  await ok(host, [...EXEC, "--name", "one", base, "true"]);
  await awaitLife(host, "one");
  const [, , released] = await eventsOf(host);
  assertEquals(await eventsOf(host, "--since", released!.time), [released]);
  assertEquals((await eventsOf(host, "--since", "1h")).length, LIFE.length);
  assertEquals(await eventsOf(host, "--since", "0s"), []);
  const { code, stderr } = await hpk(host, ["events", "--since", "yesterday"]);
  assertEquals([code, stderr.split("\n").length], [125, 2]);
  assertMatch(stderr, /^hpktainer: cannot use --since "yesterday": it is neither a time nor/);
});

testIf(
  { name: "--follow continues across the rotation of the file, until the reader is gone", needs },
  async () => {
    const { base } = await images();
    await using host = await PrivateHost.create();
    // From before there is any event.
    await using following = await host.spawn(HPKTAINER, ["events", "--json", "--follow"]);
    await ok(host, [...EXEC, "--name", "one", base, "true"]);
    const sees = (name: string) =>
      eventually(() => {
        const whole = following.stdout.slice(0, following.stdout.lastIndexOf("\n") + 1);
        return lifeOf(parse(whole), name).length === LIFE.length;
      }, { what: `${name} is followed`, ...PATIENT });
    await sees("one");
    // The next event exceeds the bound: it is written and the file rotated.
    const file = "/var/log/hpktainer/events.jsonl";
    await host.sh(`head -c 4300000 /dev/zero | tr '\\0' ' ' >> ${file}; echo >> ${file}`);
    for (const name of ["two", "three"]) {
      await ok(host, [...EXEC, "--name", name, base, "true"]);
      await sees(name);
    }
    const sizes = (await host.sh(`stat -c %s ${file} ${file}.1`)).stdout.split("\n").map(Number);
    assert(sizes[0]! < 10_000 && sizes[1]! > 4_300_000, sizes.join(" "));
    for (const name of ["one", "two", "three"]) {
      assertEquals(lifeOf(parse(following.stdout), name), LIFE);
      assertEquals(lifeOf(await eventsOf(host), name), LIFE);
    }
    following.signal("SIGTERM");
    const { signal, stderr } = await following.wait();
    assertEquals([signal, stderr], ["SIGTERM", ""]);

    // The reader ends first, while nothing happens.
    const script = `'${HPKTAINER}' events --follow | head -n 1; echo "\${PIPESTATUS[*]}"`;
    const cut = await host.run("bash", ["-c", script], { timeoutMs: 60_000 });
    assertMatch(cut.stdout, /started {2}one .*\n0 0\n$/);
  },
);

testIf({ name: "an event is one line, whatever the image's name", needs }, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const name = "a\nb\x1b[2J\u009b31m\u202e\tc.sif";
  await host.sh(`mkdir /run/hostile; ln -s '${base}' "/run/hostile/$NAME"`, {
    env: { NAME: name },
  });
  const { code, stderr } = await hpk(host, [...EXEC, `/run/hostile/${name}`, "true"]);
  assertEquals(code, 0, stderr);
  await eventually(async () => (await eventsOf(host)).length >= LIFE.length, {
    what: "the release",
    ...PATIENT,
  });
  for (const event of await eventsOf(host)) {
    assertEquals(event.container!["image"], `/run/hostile/${name}`);
  }
  const file = (await host.sh("cat /var/log/hpktainer/events.jsonl")).stdout;
  const shown = await ok(host, ["events"]);
  const json = await ok(host, ["events", "--json"]);
  for (const text of [file, shown, json]) {
    assertEquals(text.split("\n").length, LIFE.length + 1, text);
    // deno-lint-ignore no-control-regex
    assert(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/.test(text), JSON.stringify(text));
  }
});

testIf(
  { name: "any user may see events, and invalid lines are skipped", needs },
  async () => {
    const { base } = await images();
    await using host = await PrivateHost.create();
    await ok(host, [...EXEC, "--name", "one", base, "true"], {});
    await awaitLife(host, "one");
    await host.sh(`printf '{"version":1,"ti\\nnull\\n\\n' >> /var/log/hpktainer/events.jsonl`);
    await ok(host, [...EXEC, "--name", "two", base, "true"]);
    await awaitLife(host, "two");
    const program = await programForUsers(host);
    const { code, stdout } = await host.run("setpriv", [
      ...["--reuid", "65534", "--regid", "65534", "--clear-groups", program, "events"],
    ], { check: false });
    assertEquals(code, 0);
    assert(stdout.split("\n").length - 1 >= 2 * LIFE.length, stdout);
  },
);

testIf(
  { name: "an end has its exit status where the runtime keeps it", needs: crunNeeds },
  async () => {
    await using host = await crunHost();
    const { busybox } = await ociImages();
    const exit = (status: number) => [busybox, "sh", "-c", `exit ${status}`];
    const cases: [string[], number][] = [
      [["-d", "--name", "behind", ...exit(3)], 3],
      [["--rm", "--name", "front", ...exit(4)], 4],
      [["--rm", "--network", "none", "--name", "alone", ...exit(0)], 0],
    ];
    for (const [args, status] of cases) {
      const { code, stderr } = await run(host, args);
      assertEquals(code, args[0] === "-d" ? 0 : status, stderr);
      const name = args[args.indexOf("--name") + 1]!;
      await awaitLife(host, name);
      const ended = (await eventsOf(host)).find(({ event, container }) =>
        event === "ended" && container?.["name"] === name
      );
      assertEquals([ended?.exitStatus, ended?.container?.["runtime"]], [status, "crun"]);
    }
  },
);
