/**
 * Many containers at once, and simultaneous starts.
 *
 *   [ host ] hpk-bridge 10.96.0.1 ──┬── container 1
 *                                   ├── container 2    each pings the gateway and the next one;
 *                                   :                  pairs talk by TCP
 *                                   └── container 50
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type Background,
  eventually,
  eventuallySame,
  images,
  PrivateHost,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import {
  endContainer,
  holdContainer,
  listed,
  ok,
  shellCommand,
  START_TIMEOUT_MS,
} from "../harness/containers.ts";
import { hpk, HPKTAINER, needs, SUBNET } from "../harness/hpktainer.ts";

const CALM = { timeoutMs: 30_000 };
const CROWD = 50;
const RUNS = 200;
const AT_ONCE = 16;
const IN_A_ROW = 20;
const STATIC = ["--subnet", SUBNET];

testIf({ name: "50 containers at once reach the gateway and one another", needs }, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const before = await snapshot(host);
  await using stack = new AsyncDisposableStack();
  const crowd = await Promise.all(Array.from({ length: CROWD }, async (_, index) => {
    const command = shellCommand(base, [...STATIC, "--name", `c${index}`]);
    const held = stack.use(await host.spawn(HPKTAINER, command));
    await held.waitFor(/^up$/m, { stream: "stdout", timeoutMs: 2 * START_TIMEOUT_MS });
    return held;
  }));
  const byName = new Map((await listed(host)).map(({ name, address }) => [name, address]));
  const addresses = crowd.map((_, index) => byName.get(`c${index}`)!);
  assertEquals(new Set(addresses).size, CROWD, addresses.join(" "));

  const say = async (index: number, script: string, answer: RegExp) => {
    await crowd[index]!.write(`${script}\n`);
    await crowd[index]!.waitFor(answer, { stream: "stdout", timeoutMs: START_TIMEOUT_MS });
  };
  await Promise.all(crowd.map((_, index) => {
    const next = addresses[(index + 1) % CROWD];
    const ping = (address: string | undefined) => `ping -c 1 -W 10 ${address} > /dev/null`;
    return say(index, `${ping("10.96.0.1")} && ${ping(next)} && echo pinged`, /^pinged$/m);
  }));
  await Promise.all(crowd.map((_, index) => {
    if (index % 2 === 0) {
      return say(index, "echo got $(nc -l -p 7000)", new RegExp(`^got from ${index + 1}$`, "m"));
    }
    const send = `echo from ${index} | nc -w 10 ${addresses[index - 1]} 7000`;
    return say(index, `until ${send}; do sleep 0.1; done; echo sent`, /^sent$/m);
  }));
  await Promise.all(crowd.map(endContainer));
  await eventuallySame(host, before, CALM);
});

testIf(
  { name: `${RUNS} runs, ${AT_ONCE} at a time, leave no lease and nothing else`, needs },
  async () => {
    const { base } = await images();
    await using host = await PrivateHost.create();
    const before = await snapshot(host);
    let begun = 0;
    const wrong: string[] = [];
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      while (begun < RUNS) {
        const status = begun++ % 100;
        const { code, stderr } = await hpk(
          host,
          ["exec", ...STATIC, base, "sh", "-c", `exit ${status}`],
          { timeoutMs: START_TIMEOUT_MS },
        );
        if (code !== status || stderr !== "") wrong.push(`${code} for ${status}: ${stderr}`);
      }
    }));
    assertEquals(wrong, []);
    assertEquals(begun, RUNS);
    await eventuallySame(host, before, CALM);
  },
);

testIf(
  { name: "two starts in the same instant on an empty host both succeed", needs },
  async () => {
    const { base } = await images();
    await using host = await PrivateHost.create();
    const before = await snapshot(host);
    for (let round = 0; round < 5; round++) {
      const shown = await Promise.all(
        [1, 2].map(() => ok(host, ["exec", ...STATIC, base, "sh", "-c", "echo $HPK_IP"])),
      );
      for (const address of shown) assertMatch(address, /^10\.96\.0\.[0-9]+\/24\n$/);
      await eventuallySame(host, before, CALM);
    }
  },
);

const CONTESTED: Record<string, { options: string[]; message: RegExp }> = {
  name: {
    options: ["--name", "twin"],
    message:
      /^hpktainer: cannot name the container 'twin': a container of that name exists \(pid \d+\); .+\n$/,
  },
  address: {
    options: ["--ip", "10.96.0.50"],
    message: /^hpktainer: cannot give the container the address 10\.96\.0\.50: .+; .+\n$/,
  },
};

for (const [what, { options, message }] of Object.entries(CONTESTED)) {
  testIf(
    { name: `of two starts with one ${what} in the same instant, one succeeds`, needs },
    async () => {
      const { base } = await images();
      await using host = await PrivateHost.create();
      const before = await snapshot(host);
      for (let round = 0; round < 5; round++) {
        await using stack = new AsyncDisposableStack();
        const start = async () =>
          stack.use(await host.spawn(HPKTAINER, shellCommand(base, [...STATIC, ...options])));
        const both: Background[] = await Promise.all([start(), start()]);
        await eventually(() => both.some((one) => !one.running), {
          what: "the end of one of the two",
          timeoutMs: START_TIMEOUT_MS,
        });
        const [loser, winner] = both[0]!.running ? [both[1]!, both[0]!] : [both[0]!, both[1]!];
        const { code, stdout, stderr } = await loser.wait();
        assertEquals([code, stdout], [125, ""]);
        assertMatch(stderr, message);
        await winner.waitFor(/^up$/m, { stream: "stdout", timeoutMs: START_TIMEOUT_MS });
        await endContainer(winner);
        await eventuallySame(host, before, CALM);
      }
    },
  );
}

testIf(
  { name: "an exhausted pool serves the next start as soon as one holder ends", needs },
  async () => {
    const { base } = await images();
    await using host = await PrivateHost.create();
    const before = await snapshot(host);
    const small = ["--subnet", "10.96.0.0/29"];
    const holders = await Promise.all(
      Array.from({ length: 5 }, () => holdContainer(host, base, small)),
    );
    const refused = await hpk(host, ["exec", ...small, base, "true"]);
    assertEquals([refused.code, refused.stdout], [125, ""]);
    assertMatch(refused.stderr, /^hpktainer: .*every address of 10\.96\.0\.0\/29 is in use; .+\n$/);
    for (let round = 0; round < 5; round++) {
      await endContainer(holders.shift()!);
      holders.push(await holdContainer(host, base, small));
    }
    assertEquals((await listed(host)).filter(({ state }) => state === "running").length, 5);
    await Promise.all(holders.map(endContainer));
    await eventuallySame(host, before, CALM);
  },
);

testIf({
  name: `name and address are free at the end of their holder, ${IN_A_ROW} times in a row`,
  needs,
}, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const before = await snapshot(host);
  await using other = await holdContainer(host, base);
  for (let round = 0; round < IN_A_ROW; round++) {
    const same = ["--name", "again", "--ip", "10.96.0.77"];
    assertEquals(
      await ok(host, ["exec", ...STATIC, ...same, base, "sh", "-c", "echo $HPK_IP"]),
      "10.96.0.77/24\n",
    );
  }
  assert(other.running);
  await endContainer(other);
  await eventuallySame(host, before, CALM);
});
