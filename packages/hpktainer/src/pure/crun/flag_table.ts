/** The options of `run` as Docker and Podman have them: which we take, and why not the others. */

/** An option. */
export interface Flag {
  /** Long name without the hyphens. */
  readonly name: string;
  /** Its one letter, if it has one. */
  readonly letter?: string;
  /** Placeholder of its value; undefined for an option that is on or off. */
  readonly value?: string;
  /** What it is for; undefined for one that is refused. */
  readonly help?: string;
  /** Why it is refused, and what to do instead. */
  readonly refused?: readonly [why: string, fix: string];
  /** Other long names of the same. */
  readonly aliases?: readonly string[];
}

/** Options that say what runs and how; those of networks are `pure/network_options.ts`. */
export const RUN_FLAGS: readonly Flag[] = [
  { name: "interactive", letter: "i", help: "keep standard input open" },
  { name: "tty", letter: "t", help: "give it a terminal" },
  { name: "detach", letter: "d", help: "run it in the background and print its id" },
  { name: "rm", help: "remove it when it ends; the default in the foreground" },
  { name: "env", letter: "e", value: "K[=V]", help: "set a variable, or hand on the caller's" },
  { name: "env-file", value: "FILE", help: "read variables from a file" },
  {
    name: "volume",
    letter: "v",
    value: "SRC:DST[:ro]",
    help: "bind a file or directory; a DST alone is a new directory",
  },
  { name: "mount", value: "K=V,…", help: "the same, or a tmpfs, in Docker's long form" },
  { name: "tmpfs", value: "DST[:OPTIONS]", help: "mount a file system in memory" },
  { name: "user", letter: "u", value: "USER[:GROUP]", help: "names or numbers" },
  { name: "group-add", value: "GROUP", help: "a further group" },
  { name: "workdir", letter: "w", value: "DIR", help: "directory that the command starts in" },
  { name: "entrypoint", value: "PROGRAM", help: "instead of the image's; drops its arguments" },
  {
    name: "hostname",
    letter: "h",
    value: "NAME",
    help: "host name; default: the container's name",
  },
  { name: "add-host", value: "NAME:ADDR", help: "a line for /etc/hosts" },
  { name: "cpus", value: "NUMBER", help: "processors, such as 0.5" },
  {
    name: "cpu-shares",
    letter: "c",
    value: "NUMBER",
    help: "weight among containers, 2 to 262144",
  },
  { name: "cpuset-cpus", value: "LIST", help: "processors by number: 0-2,4" },
  { name: "memory", letter: "m", value: "BYTES", help: "bound, with b, k, m or g" },
  { name: "memory-swap", value: "BYTES", help: "bound of memory and swap together; -1 for none" },
  { name: "pids-limit", value: "NUMBER", help: "bound of processes; -1 for none" },
  { name: "ulimit", value: "NAME=SOFT[:HARD]", help: "a resource limit, such as nofile=1024" },
  { name: "shm-size", value: "BYTES", help: "size of /dev/shm; default 64m" },
  { name: "oom-score-adj", value: "NUMBER", help: "-1000 to 1000" },
  { name: "cap-add", value: "NAME", help: "a capability more; ALL for all" },
  { name: "cap-drop", value: "NAME", help: "a capability less; ALL for all" },
  { name: "privileged", help: "all capabilities and devices, nothing masked" },
  {
    name: "security-opt",
    value: "OPTION",
    help: "no-new-privileges, seccomp=unconfined or seccomp=FILE",
  },
  { name: "device", value: "SRC[:DST[:rwm]]", help: "a device of the host" },
  { name: "sysctl", value: "NAME=VALUE", help: "a kernel setting of its namespaces" },
  { name: "read-only", help: "make the root file system read-only" },
  { name: "init", help: "run a small init that reaps and forwards signals" },
  { name: "label", letter: "l", value: "K[=V]", help: "a label" },
  { name: "label-file", value: "FILE", help: "read labels from a file" },
  { name: "stop-signal", value: "SIGNAL", help: "signal that stops it; default: the image's" },
  { name: "stop-timeout", value: "SECONDS", help: "time to stop before it is killed; default 10" },
  { name: "detach-keys", value: "KEYS", help: "keys that leave it; default ctrl-p,ctrl-q" },
  { name: "sig-proxy", help: "hand on signals; the default" },
  { name: "cidfile", value: "FILE", help: "write the id to a new file" },
  { name: "pid", value: "host", help: "share the host's processes" },
  { name: "ipc", value: "host", help: "share the host's IPC" },
  { name: "publish-all", letter: "P", help: "publish the ports of the image on any of the host's" },
  { name: "pull", value: "WHEN", help: "missing, always or never" },
  { name: "platform", value: "OS/ARCH", help: "of an image for several" },
  { name: "authfile", value: "FILE", help: "credentials for the registry" },
  { name: "quiet", letter: "q", help: "no progress of a pull" },
  { name: "crun-debug", help: "let crun tell what it does" },
  { name: "runtime", value: "crun", help: "this runtime; or HPK_RUNTIME=crun" },
  { name: "help", help: "show this help" },

  {
    name: "attach",
    letter: "a",
    value: "STREAM",
    refused: ["all streams are attached", "redirect those that you do not want"],
  },
  {
    name: "restart",
    value: "POLICY",
    refused: ["no daemon of ours starts containers", "write a systemd unit that runs it"],
  },
  {
    name: "gpus",
    value: "DEVICES",
    refused: ["devices are given one by one", "use --device and -v for the driver's files"],
  },
  {
    name: "link",
    value: "NAME",
    refused: ["containers reach each other by address", "see 'hpktainer ps'"],
  },
  {
    name: "network-alias",
    value: "NAME",
    aliases: ["net-alias"],
    refused: ["a container has one name", "use --name"],
  },
  {
    name: "mac-address",
    value: "MAC",
    refused: ["the MAC follows from the IP address", "use --ip"],
  },
  { name: "ip6", value: "ADDR", refused: ["the pod network is IPv4", "leave it out"] },
  {
    name: "log-driver",
    value: "NAME",
    refused: ["output is kept in one form", "see 'hpktainer container logs'"],
  },
  {
    name: "log-opt",
    value: "OPTION",
    refused: ["output is kept in one form", "see 'hpktainer container logs'"],
  },
  {
    name: "volumes-from",
    value: "NAME",
    refused: ["there are no shared volumes", "give the same -v to both"],
  },
  {
    name: "volume-driver",
    value: "NAME",
    refused: ["there are no volume drivers", "mount it on the host and use -v"],
  },
  {
    name: "userns",
    value: "MODE",
    refused: [
      "the container's root is the host's, with fewer capabilities",
      "use -u for another user",
    ],
  },
  {
    name: "uts",
    value: "MODE",
    refused: ["the container has a host name of its own", "use --hostname"],
  },
  {
    name: "cgroup-parent",
    value: "PATH",
    refused: ["containers are below the control group /hpktainer", "leave it out"],
  },
  {
    name: "cgroupns",
    value: "MODE",
    refused: ["a container has a control group namespace of its own", "leave it out"],
  },
  {
    name: "health-cmd",
    value: "COMMAND",
    refused: ["no daemon of ours runs checks", "run 'hpktainer container exec' from a timer"],
  },
  {
    name: "health-interval",
    value: "TIME",
    refused: ["no daemon of ours runs checks", "run 'hpktainer container exec' from a timer"],
  },
  { name: "no-healthcheck", refused: ["no checks are run anyway", "leave it out"] },
  {
    name: "kernel-memory",
    value: "BYTES",
    refused: ["kernels have no such limit any more", "use -m"],
  },
  {
    name: "blkio-weight",
    value: "NUMBER",
    refused: ["disk bandwidth is not limited", "leave it out"],
  },
  { name: "pod", value: "NAME", refused: ["each container is a pod of its own", "leave it out"] },
  {
    name: "replace",
    refused: [
      "a container of that name is not removed by itself",
      "use 'hpktainer container rm -f NAME' first",
    ],
  },
];

/** Finds an option by its long name. */
export function flagNamed(flags: readonly Flag[], name: string): Flag | undefined {
  return flags.find((flag) => flag.name === name || flag.aliases?.includes(name));
}

/** Finds an option by its letter. */
export function flagLettered(flags: readonly Flag[], letter: string): Flag | undefined {
  return flags.find((flag) => flag.letter === letter);
}
