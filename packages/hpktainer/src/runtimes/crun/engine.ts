import { HpkError, oneLine, type ProcessId } from "@hpk/core";
import {
  argumentsOf,
  type CommandResult,
  identify,
  listDirectory,
  programInPath,
  programNameOf,
  readPidFile,
  removeIfExists,
  requireProgram,
  runCommand,
} from "@hpk/core/os";
import type { Engine } from "../../containers/engine.ts";
import { type ContainerPaths, pathsOf } from "../../containers/paths.ts";

/** crun, which creates the containers. */
export const CRUN_PROGRAM = programInPath("crun", "install crun 1.8 or newer (package crun)");

/** Where crun keeps its state: with the ledger, as a reboot ends it. */
const CRUN_STATE = "/run/hpktainer/crun";

/** Paths of a container, including those that only crun and conmon use. */
export interface CrunPaths extends ContainerPaths {
  /** The container's specification, config.json of the bundle. */
  readonly spec: string;
  /** crun's messages when it creates the container. */
  readonly crunLog: string;
  /** Process id of conmon. */
  readonly conmonPid: string;
  /** conmon's sockets for the container's streams and for the size of its terminal. */
  readonly attach: string;
  readonly control: string;
}

/** Paths of a container by its id. */
export function crunPathsOf(id: string): CrunPaths {
  const paths = pathsOf(id);
  const { directory } = paths;
  return {
    ...paths,
    spec: `${directory}/config.json`,
    crunLog: `${directory}/crun.log`,
    conmonPid: `${directory}/conmon.pid`,
    attach: `${directory}/attach`,
    control: `${directory}/ctl`,
  };
}

/** The engine of crun's containers; the supervisor of each is its conmon. */
export const crunEngine: Engine = {
  supervisor: identifyConmon,
  async kill(id, signal) {
    const { code, stderr } = await runCrun(["kill", id, String(signal)]);
    // A container that has just ended does not need the signal.
    if (code === 0 || identifyConmon(id) === undefined) return;
    if (/No such process|not running|does not exist/i.test(stderr)) return;
    throw new HpkError({
      what: `cannot send a signal to the container '${id}'`,
      why: `crun says: ${oneLine(stderr)}`,
      fix: "see 'hpktainer container ls'",
    });
  },
  async delete(id) {
    if (listDirectory(`${CRUN_STATE}/${id}`) === undefined) return;
    const { code } = await runCrun(["delete", "--force", id]);
    // crun does not remove state that it cannot read, as after a kill while it wrote.
    if (code !== 0) removeIfExists(`${CRUN_STATE}/${id}`);
  },
};

/** A container's conmon; undefined if unknown or ended. */
export function identifyConmon(id: string): ProcessId | undefined {
  const pid = readPidFile(crunPathsOf(id).conmonPid);
  if (pid === undefined) return undefined;
  const words = argumentsOf(pid);
  // An exiting conmon still has its name. Another process with the pid does not have the id as
  // argument.
  const isOurs = words.length === 0 ? programNameOf(pid) === "conmon" : words.includes(id);
  return isOurs ? identify(pid) : undefined;
}

/**
 * The first arguments of every call of crun.
 *
 * @param hasCgroups Whether control groups can be created.
 */
export function crunArguments(hasCgroups: boolean): string[] {
  // The host may not run systemd, and the control groups are ours.
  return ["--root", CRUN_STATE, `--cgroup-manager=${hasCgroups ? "cgroupfs" : "disabled"}`];
}

/** Path of crun. */
export function crunPath(): string {
  return requireProgram(CRUN_PROGRAM);
}

/** Runs crun to its end, whatever its exit status. */
export function runCrun(args: readonly string[]): Promise<CommandResult> {
  return runCommand(crunPath(), [...crunArguments(true), ...args]);
}
