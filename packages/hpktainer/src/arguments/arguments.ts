/**
 * Parses the command line: which words are Apptainer's, which are ours, and which one is the image.
 * Apptainer's words are passed on unchanged and in order.
 */

import { HpkError } from "@hpk/core/errors";
import {
  CONTAINER_LETTERS,
  CONTAINER_OPTIONS,
  CONTAINER_VERBS,
  type ContainerVerb,
  GLOBAL_LETTERS,
  GLOBAL_OPTIONS,
  type OptionTable,
} from "./apptainer_options.ts";
import { bootOption, type BootOptions, readBootOptions } from "./boot_options.ts";
import { networkOption, type NetworkOptions, readNetworkOptions } from "./network_options.ts";

/** A command that starts a container. */
export interface ContainerInvocation {
  readonly kind: "container";
  readonly verb: ContainerVerb;
  /** Apptainer's options before the subcommand. */
  readonly globals: readonly string[];
  /** Apptainer's options after the subcommand, without those for the network. */
  readonly options: readonly string[];
  readonly image: string;
  /** The arguments after the image. */
  readonly rest: readonly string[];
  readonly network: NetworkOptions;
  /** Value of Apptainer's --hostname. */
  readonly hostname: string | undefined;
  /** Value of Apptainer's --pid-file. */
  readonly pidFile: string | undefined;
  /** Whether Apptainer's --net is given. */
  readonly ownNetwork: boolean;
  /** Boot options; undefined if it is not booted. */
  readonly boot: BootOptions | undefined;
}

/** A parsed command line. */
export type Invocation =
  | ContainerInvocation
  /** One of our own commands and its arguments. */
  | { readonly kind: "own"; readonly args: readonly string[] }
  /** Runs a command in an instance and its network. */
  | { readonly kind: "join"; readonly args: readonly string[]; readonly instance: string }
  /** Stops instances; their networks are released with them. */
  | { readonly kind: "stop"; readonly args: readonly string[] }
  /** Runs a container with a runtime other than Apptainer, from the words after "run". */
  | { readonly kind: "runtime"; readonly words: readonly string[] }
  | { readonly kind: "version" }
  /** Help on our commands, or on the named command that starts a container. */
  | { readonly kind: "help"; readonly verb: ContainerVerb | undefined }
  /** Anything else, which is passed on to Apptainer. */
  | { readonly kind: "passthrough"; readonly args: readonly string[] };

/** Options of Apptainer's own network that conflict with ours, and what to do instead. */
const REFUSED: Readonly<Record<string, { readonly why: string; readonly fix: string }>> = {
  "network-args": {
    why: "it is for Apptainer's CNI plugins, and hpktainer sets up the network",
    fix: "use --ip for an address, or run apptainer itself",
  },
  "netns-path": {
    why: "hpktainer creates the network namespace itself",
    fix: "leave it out, or run apptainer itself",
  },
};

/**
 * Parses a command line.
 *
 * @param argv Arguments after the program's name.
 * @param own Names of our own commands; empty if only starts matter.
 * @throws {HpkError} When it is invalid.
 */
export function readArguments(argv: readonly string[], own: readonly string[] = []): Invocation {
  const head = readOptions(argv, GLOBAL_OPTIONS, GLOBAL_LETTERS, "apptainer");
  const [word, ...after] = head.remaining;
  if (head.names.has("version")) return { kind: "version" };
  if (head.names.has("help") || word === undefined) return { kind: "help", verb: undefined };
  if (own.includes(word)) {
    refuseNetworkOptions(head, `'hpktainer ${word}' does not start a container`);
    return { kind: "own", args: [word, ...after] };
  }
  if (word === "help") {
    if (own.includes(after[0] ?? "")) return { kind: "own", args: [...after, "--help"] };
    const verb = verbOf(after);
    return verb === undefined && after.length > 0
      ? passthrough(argv, head)
      : { kind: "help", verb: verb?.verb };
  }
  const verb = verbOf(head.remaining);
  if (verb !== undefined) return readContainer(argv, head, verb);
  if (word === "instance" && after[0] === "stop" && head.network.length === 0) {
    return { kind: "stop", args: argv };
  }
  return passthrough(argv, head);
}

/**
 * Whether the command of a command line may be one of ours: it is neither missing nor one that starts
 * a container.
 *
 * @param argv Arguments after the program's name.
 * @throws {HpkError} When the options before the command are invalid.
 */
export function mayBeOwn(argv: readonly string[]): boolean {
  const { names, remaining: [word] } = readOptions(
    argv,
    GLOBAL_OPTIONS,
    GLOBAL_LETTERS,
    "apptainer",
  );
  if (word === undefined || names.has("version")) return false;
  return !CONTAINER_VERBS.some((verb) => verb.split(" ")[0] === word);
}

/**
 * Whether --debug, or -d, is among the options before the command.
 *
 * @param argv Arguments after the program's name.
 * @throws {HpkError} When those options are invalid.
 */
export function asksForDebug(argv: readonly string[]): boolean {
  return readOptions(argv, GLOBAL_OPTIONS, GLOBAL_LETTERS, "apptainer").names.has("debug");
}

interface OptionScan {
  /** Apptainer's words, without ours. */
  readonly kept: string[];
  /** Our options and Apptainer's --network family: name and value. */
  readonly network: [string, string][];
  /** Long names of all options given, with their last value. */
  readonly names: Map<string, string>;
  /** The words after the options. */
  readonly remaining: readonly string[];
}

function passthrough(argv: readonly string[], head: OptionScan): Invocation {
  refuseNetworkOptions(head, "that command of Apptainer does not start a container");
  return { kind: "passthrough", args: argv };
}

function refuseNetworkOptions(head: OptionScan, why: string): void {
  const [ours] = head.network;
  if (ours === undefined) return;
  throw new HpkError({
    what: `cannot use --${ours[0]} with '${head.remaining[0]}'`,
    why,
    fix: "leave the option out",
  });
}

function verbOf(
  args: readonly string[],
): { verb: ContainerVerb; after: readonly string[] } | undefined {
  for (const verb of CONTAINER_VERBS) {
    const parts = verb.split(" ");
    if (parts.every((part, index) => args[index] === part)) {
      return { verb, after: args.slice(parts.length) };
    }
  }
  return undefined;
}

function readContainer(
  argv: readonly string[],
  head: OptionScan,
  { verb, after }: { verb: ContainerVerb; after: readonly string[] },
): Invocation {
  const tail = readOptions(after, CONTAINER_OPTIONS, CONTAINER_LETTERS, `apptainer ${verb}`);
  if (tail.names.has("help")) return { kind: "help", verb };
  for (const [name, { why, fix }] of Object.entries(REFUSED)) {
    if (tail.names.has(name)) throw new HpkError({ what: `cannot use --${name}`, why, fix });
  }
  const ours = [...head.network, ...tail.network];
  const network = readNetworkOptions(ours);
  const [image, ...rest] = tail.remaining;
  if (image === undefined) {
    throw new HpkError({
      what: `cannot run 'hpktainer ${verb}'`,
      why: "no image is named",
      fix: `write hpktainer ${verb} [OPTIONS] IMAGE${verb.startsWith("instance") ? " NAME" : ""}`,
    });
  }
  if (image.startsWith("instance://")) {
    const [option] = ours;
    if (option === undefined) {
      return { kind: "join", args: argv, instance: image.slice("instance://".length) };
    }
    throw new HpkError({
      what: `cannot use --${option[0]} with ${image}`,
      why: "the instance already has its network",
      fix: "leave the option out",
    });
  }
  const invocation: ContainerInvocation = {
    kind: "container",
    verb,
    globals: head.kept,
    options: tail.kept,
    image,
    rest,
    network,
    hostname: tail.names.get("hostname"),
    pidFile: tail.names.get("pid-file"),
    ownNetwork: tail.names.has("net"),
    boot: readBootOptions(verb, new Map([...head.names, ...tail.names]), ours),
  };
  return verb.startsWith("instance") ? withInstanceName(invocation) : invocation;
}

function withInstanceName(invocation: ContainerInvocation): ContainerInvocation {
  const [instance] = invocation.rest;
  const { name } = invocation.network;
  if (instance === undefined) {
    throw new HpkError({
      what: `cannot run 'hpktainer ${invocation.verb}'`,
      why: "the instance's name is missing",
      fix: `write hpktainer ${invocation.verb} [OPTIONS] IMAGE NAME`,
    });
  }
  if (name !== undefined && name !== instance) {
    throw new HpkError({
      what: `cannot name the instance both '${instance}' and '${name}'`,
      why: "an instance has one name",
      fix: "leave --name out",
    });
  }
  const network = readNetworkOptions([["name", instance]]);
  return { ...invocation, network: { ...invocation.network, name: network.name } };
}

function readOptions(
  argv: readonly string[],
  options: OptionTable,
  letters: ReadonlyMap<string, string>,
  command: string,
): OptionScan {
  const scan = {
    kept: [] as string[],
    network: [] as [string, string][],
    names: new Map<string, string>(),
  };
  let index = 0;
  for (; index < argv.length; index++) {
    const word = argv[index]!;
    if (word === "--") {
      index++;
      break;
    }
    if (!word.startsWith("-") || word === "-") break;
    index += word.startsWith("--")
      ? readLong(word, argv[index + 1], options, command, scan)
      : readLetters(word, argv[index + 1], options, letters, command, scan);
  }
  return { ...scan, remaining: argv.slice(index) };
}

/** Reads "--name", "--name value" or "--name=value"; returns the number of further words read. */
function readLong(
  word: string,
  next: string | undefined,
  options: OptionTable,
  command: string,
  scan: Omit<OptionScan, "remaining">,
): number {
  const equals = word.indexOf("=");
  const name = word.slice(2, equals === -1 ? undefined : equals);
  const attached = equals === -1 ? undefined : word.slice(equals + 1);
  const ours = networkOption(name) ?? bootOption(name);
  const valued = ours === undefined ? options.get(name) : ours.value !== undefined;
  if (valued === undefined && attached === undefined) unknownOption(word, command);
  if (valued === true && attached === undefined && next === undefined) {
    throw new HpkError({ what: `cannot use ${word}`, why: "it needs a value", fix: "give one" });
  }
  const taken = valued === true && attached === undefined ? 1 : 0;
  const value = attached ?? (taken === 1 ? next! : ours === undefined ? "true" : "yes");
  if (ours !== undefined) scan.network.push([name, value]);
  else {
    scan.names.set(name, value);
    if (name !== "net") scan.kept.push(word, ...(taken === 1 ? [next!] : []));
  }
  return taken;
}

/**
 * Reads letters such as "-e", "-ce", "-B value" or "-Bvalue"; returns the number of further words
 * read.
 */
function readLetters(
  word: string,
  next: string | undefined,
  options: OptionTable,
  letters: ReadonlyMap<string, string>,
  command: string,
  scan: Omit<OptionScan, "remaining">,
): number {
  let kept = "-";
  for (let at = 1; at < word.length; at++) {
    const letter = word[at]!;
    const name = letters.get(letter);
    if (name === undefined) unknownOption(`-${letter}`, command);
    if (options.get(name!) !== true) {
      scan.names.set(name!, "true");
      if (name !== "net") kept += letter;
      continue;
    }
    const attached = word.slice(at + 1);
    if (attached === "" && next === undefined) {
      throw new HpkError({
        what: `cannot use -${letter}`,
        why: "it needs a value",
        fix: "give one",
      });
    }
    scan.names.set(name!, attached.replace(/^=/, "") || next!);
    scan.kept.push(kept + word.slice(at), ...(attached === "" ? [next!] : []));
    return attached === "" ? 1 : 0;
  }
  if (kept !== "-") scan.kept.push(kept);
  return 0;
}

function unknownOption(option: string, command: string): never {
  throw new HpkError({
    what: `cannot understand ${option}`,
    why: `it is not a known option of hpktainer or ${command}`,
    fix: option.startsWith("--")
      ? `write ${option}=VALUE to pass it to Apptainer, and options of the program after the image`
      : "write options of the program after the image",
  });
}
