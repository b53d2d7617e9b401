/**
 * A private host for a test, made of namespaces on the machine: own network, processes, mounts,
 * host name, /run, /etc and /var/lib. It disappears with the test process, however that ends. Its
 * other directories (/tmp, /usr, /home), /dev and control groups are the machine's.
 */
import { dirname } from "node:path";
import { BOOT_SCRIPT, DISK_SCRIPT, READY } from "./_boot_script.ts";
import { Background, killIfRunning, type SpawnOptions } from "./background.ts";
import { machine, type Place, PrefixedPlace, type RunOptions } from "./place.ts";
import type { RunResult } from "./run_result.ts";

/** Options of {@linkcode PrivateHost.create}. */
export interface PrivateHostOptions {
  /** Host name. Default `host`. */
  name?: string;
  /** More directories whose changes stay private, such as `/opt`. Absolute, existing, none below another. */
  privateDirs?: readonly string[];
  /** More files in private directories to hide from the host, such as `/etc/fstab`. */
  hidden?: readonly string[];
}

/** Something attached to a host that is restored after a reboot, such as its uplink. */
export interface Plug {
  /** Called after each reboot, with the new namespaces ready. */
  plugIn(): Promise<void>;
}

/** Always private: configuration, the state of services, and logs. */
const PRIVATE_DIRS = ["/etc", "/var/lib", "/var/log"] as const;

/** Always hidden: state of the programs under test, if they are used on the machine. */
const HIDDEN = [
  ...["/etc/hpktainer", "/var/lib/hpktainer", "/var/log/hpktainer", "/var/lib/cni"],
] as const;

/** A private host. Make it with `await using host = await PrivateHost.create()`. */
export class PrivateHost implements Place, AsyncDisposable {
  /** The host name. */
  readonly name: string;
  /**
   * Directories of which the host has a private view: its changes are in
   * {@linkcode PrivateHost.changesDir}.
   */
  readonly privateDirs: readonly string[];
  readonly #disk: Background;
  readonly #plugs: Plug[] = [];
  readonly #spawned: Background[] = [];
  readonly #place: PrefixedPlace;
  #boot: Boot | undefined;

  private constructor(name: string, privateDirs: readonly string[], disk: Background) {
    this.name = name;
    this.privateDirs = privateDirs;
    this.#disk = disk;
    this.#place = new PrefixedPlace(name, () => this.#prefix(), true);
  }

  /** Make a host, ready to use: `lo` is up, there is no other link. Takes about 50 ms. Needs root. */
  static async create(options: PrivateHostOptions = {}): Promise<PrivateHost> {
    const name = options.name ?? "host";
    const privateDirs: string[] = [...PRIVATE_DIRS, ...options.privateDirs ?? []];
    const home = await rootHome();
    // A mount point must exist, and creating it must not show on the machine.
    if (!exists(`${home}/.apptainer`)) privateDirs.push(home);
    const disk = launch(`${name}: disk`, [
      ...["unshare", "-m", "--propagation", "private"],
      ...["bash", "-c", DISK_SCRIPT, "disk", ...privateDirs],
    ]);
    try {
      await disk.waitFor(READY_LINE, BOOT);
      if (privateDirs.includes(home)) {
        Deno.mkdirSync(
          `/proc/${disk.pid}/root/run/layers/${privateDirs.indexOf(home)}/changes/.apptainer`,
        );
      }
      const host = new PrivateHost(name, privateDirs, disk);
      for (const path of [...HIDDEN, ...options.hidden ?? []]) await host.#hide(path);
      await host.#start();
      return host;
    } catch (error) {
      await disk[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The machine's process id of the host's init. Changes with a reboot. Throws when the host is gone. */
  get pid(): number {
    if (this.#boot === undefined) throw new Error(`${this.name}: the host is not running`);
    return this.#boot.init;
  }

  /**
   * The host's root directory as seen from the machine: `${host.root}/run/…`. Changes with a
   * reboot.
   */
  get root(): string {
    return `/proc/${this.pid}/root`;
  }

  /**
   * The directory, as seen from the machine, that holds the host's changes to its private directory
   * `dir`.
   */
  changesDir(dir: string): string {
    const index = this.privateDirs.indexOf(dir);
    if (index < 0) throw new Error(`${this.name}: ${dir} is not a private directory`);
    return `/proc/${this.#disk.pid}/root/run/layers/${index}/changes`;
  }

  /** Run a command to its end, from `/`: see {@linkcode Place.run}. */
  run(command: string, args?: readonly string[], options?: RunOptions): Promise<RunResult> {
    return this.#place.run(command, args, options);
  }

  /** Run a shell script to its end: see {@linkcode Place.sh}. */
  sh(script: string, options?: RunOptions): Promise<RunResult> {
    return this.#place.sh(script, options);
  }

  /** Start a command: see {@linkcode Place.spawn}. It ends with the host at the latest. */
  async spawn(
    command: string,
    args?: readonly string[],
    options?: SpawnOptions,
  ): Promise<Background> {
    const background = await this.#place.spawn(command, args, options);
    this.#spawned.push(background);
    return background;
  }

  /** Call `plug.plugIn()` now and after each reboot. */
  async plug(plug: Plug): Promise<void> {
    await plug.plugIn();
    this.#plugs.push(plug);
  }

  /**
   * Power off and on: every process is killed, links, namespaces, rules, mounts and /run are gone, the boot id is new.
   * Changes of private directories and Apptainer's own directory stay, as on a disk; uplinks are plugged in again.
   */
  async reboot(): Promise<void> {
    await this.#stop();
    await this.#start();
    for (const plug of this.#plugs) await plug.plugIn();
  }

  /** Kill everything in the host and forget its disk. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    await this.#disk[Symbol.asyncDispose]();
  }

  /** Hide a file of the machine, as if the host had removed it: by a whiteout of overlayfs. */
  async #hide(path: string): Promise<void> {
    if (!exists(path)) return;
    const dir = this.privateDirs.find((dir) => path.startsWith(`${dir}/`));
    if (dir === undefined) throw new Error(`${this.name}: ${path} is in no private directory`);
    const whiteout = `${this.changesDir(dir)}${path.slice(dir.length)}`;
    await machine.run("mkdir", ["-p", dirname(whiteout)]);
    await machine.run("mknod", [whiteout, "c", "0", "0"]);
  }

  #prefix(): string[] {
    return ["nsenter", "-t", String(this.pid), "-m", "-n", "-p", "-u", "-i", "--"];
  }

  async #start(): Promise<void> {
    const unshare = launch(`${this.name}: init`, [
      ...["nsenter", "-t", String(this.#disk.pid), "-m", "--"],
      ...["unshare", "-n", "-m", "-p", "-u", "-i", "--fork", "--propagation", "private"],
      ...["--mount-proc", "--kill-child"],
      ...["bash", "-c", BOOT_SCRIPT, "init", this.name, ...this.privateDirs],
    ]);
    try {
      await unshare.waitFor(READY_LINE, BOOT);
      const init = Number(
        Deno.readTextFileSync(`/proc/${unshare.pid}/task/${unshare.pid}/children`).trim(),
      );
      this.#boot = { unshare, init };
    } catch (error) {
      await unshare[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #stop(): Promise<void> {
    const boot = this.#boot;
    if (boot === undefined) return;
    this.#boot = undefined;
    // The kernel kills all of a PID namespace with its init, and init's parent sees its end only
    // after theirs.
    killIfRunning(boot.init, "SIGKILL");
    await boot.unshare.wait();
    // The programs that entered the host for them end some time after them.
    const spawned = this.#spawned.splice(0);
    await Promise.all(spawned.map((background) => background[Symbol.asyncDispose]()));
  }
}

/** Power `host` off and on: see {@linkcode PrivateHost.reboot}. */
export async function reboot(host: PrivateHost): Promise<void> {
  await host.reboot();
}

interface Boot {
  /** The process that made the namespaces and waits for init. */
  unshare: Background;
  /** The machine's process id of the host's init. */
  init: number;
}

/** Timeout for what takes 50 ms, but seconds on a busy machine. */
const BOOT = { timeoutMs: 60_000 } as const;

const READY_LINE = new RegExp(`^${READY}$`, "m");

function launch(what: string, words: readonly string[]): Background {
  return new Background(what, words, { forks: false, launchers: [] });
}

/**
 * Root's home according to the password file, which Apptainer uses; `$HOME` may be another user's
 * under sudo.
 */
async function rootHome(): Promise<string> {
  const { stdout } = await machine.run("getent", ["passwd", "0"]);
  const home = stdout.split(":")[5];
  if (home === undefined) throw new Error(`getent passwd 0: no home directory in ${stdout.trim()}`);
  return home;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
