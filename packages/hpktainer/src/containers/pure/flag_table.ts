/**
 * The options of `run` in Docker and Podman: those that we accept, and why we refuse the others.
 */

import type { Option } from "@hpk/core/options";

/**
 * Options of the command and its container; network options are in `arguments/network_options.ts`.
 */
export const RUN_FLAGS: readonly Option[] = [
  { name: "interactive", letter: "i", help: "keep standard input open" },
  { name: "tty", letter: "t", help: "give it a terminal" },
  { name: "detach", letter: "d", help: "run it in the background, and print its id" },
  { name: "rm", help: "remove it when it ends; the default in the foreground" },
  { name: "env", letter: "e", value: "K[=V]", help: "set a variable, or pass on the caller's" },
  { name: "env-file", value: "FILE", help: "read variables from a file" },
  {
    name: "volume",
    letter: "v",
    value: "SRC:DST[:ro]",
    help: "bind-mount a file or directory; DST alone is a new directory",
  },
  { name: "mount", value: "K=V,…", help: "mount a bind, volume or tmpfs, in Docker's long form" },
  { name: "tmpfs", value: "DST[:OPTIONS]", help: "mount a file system in memory" },
  { name: "user", letter: "u", value: "USER[:GROUP]", help: "user and group, as names or numbers" },
  { name: "group-add", value: "GROUP", help: "add a supplementary group" },
  { name: "workdir", letter: "w", value: "DIR", help: "working directory of the command" },
  {
    name: "entrypoint",
    value: "PROGRAM",
    help: "replace the image's entrypoint, and drop its arguments",
  },
  {
    name: "hostname",
    letter: "h",
    value: "NAME",
    help: "host name; default: the container's name",
  },
  { name: "add-host", value: "NAME:ADDR", help: "add a line to /etc/hosts" },
  { name: "cpus", value: "NUMBER", help: "limit of CPUs, such as 0.5" },
  {
    name: "cpu-shares",
    letter: "c",
    value: "NUMBER",
    help: "CPU weight, 2 to 262144",
  },
  { name: "cpuset-cpus", value: "LIST", help: "CPUs to use: 0-2,4" },
  { name: "memory", letter: "m", value: "BYTES", help: "memory limit, with b, k, m or g" },
  { name: "memory-swap", value: "BYTES", help: "limit of memory and swap together; -1 for none" },
  { name: "pids-limit", value: "NUMBER", help: "limit of processes; -1 for none" },
  { name: "ulimit", value: "NAME=SOFT[:HARD]", help: "resource limit, such as nofile=1024" },
  { name: "shm-size", value: "BYTES", help: "size of /dev/shm; default 64m" },
  { name: "oom-score-adj", value: "NUMBER", help: "OOM score adjustment, -1000 to 1000" },
  { name: "cap-add", value: "NAME", help: "add a capability; ALL for all" },
  { name: "cap-drop", value: "NAME", help: "drop a capability; ALL for all" },
  { name: "privileged", help: "give all capabilities and devices, and mask nothing" },
  {
    name: "security-opt",
    value: "OPTION",
    help: "no-new-privileges, seccomp=unconfined or seccomp=FILE",
  },
  { name: "device", value: "SRC[:DST[:rwm]]", help: "add a host device" },
  { name: "sysctl", value: "NAME=VALUE", help: "set a namespaced kernel parameter" },
  { name: "read-only", help: "make the root file system read-only" },
  { name: "init", help: "run an init that reaps processes and forwards signals" },
  { name: "label", letter: "l", value: "K[=V]", help: "set a label" },
  { name: "label-file", value: "FILE", help: "read labels from a file" },
  { name: "stop-signal", value: "SIGNAL", help: "signal to stop it; default: the image's" },
  { name: "stop-timeout", value: "SECONDS", help: "time before SIGKILL; default: 10" },
  { name: "detach-keys", value: "KEYS", help: "keys that detach; default: ctrl-p,ctrl-q" },
  { name: "sig-proxy", help: "forward signals; the default" },
  { name: "cidfile", value: "FILE", help: "write the container's id to a new file" },
  { name: "pid", value: "host", help: "share the host's PID namespace" },
  { name: "ipc", value: "host", help: "share the host's IPC namespace" },
  { name: "publish-all", letter: "P", help: "publish the image's ports on free host ports" },
  {
    name: "pull",
    value: "WHEN",
    choices: ["missing", "always", "never"],
    help: "when to fetch the image",
  },
  { name: "platform", value: "OS/ARCH", help: "platform of a multi-platform image" },
  { name: "authfile", value: "FILE", help: "credentials for the registry" },
  { name: "quiet", letter: "q", help: "do not report the progress of a pull" },
  { name: "crun-debug", help: "let crun write a debug log" },
  {
    name: "runtime",
    value: "NAME",
    help: "the runtime that runs it; default: HPK_RUNTIME, or crun",
  },
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
    refused: ["hpktainer has no daemon to restart containers", "write a systemd unit that runs it"],
  },
  {
    name: "gpus",
    value: "DEVICES",
    refused: ["devices are added one by one", "use --device, and -v for the driver's files"],
  },
  {
    name: "link",
    value: "NAME",
    refused: ["containers resolve each other's names", "use the other container's name"],
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
    refused: ["the MAC address is derived from the IP address", "use --ip"],
  },
  {
    name: "ip6",
    value: "ADDR",
    refused: ["the IPv6 address cannot be chosen", "use --subnet6 for its subnet"],
  },
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
    refused: ["shared volumes are not supported", "give the same -v to both"],
  },
  {
    name: "volume-driver",
    value: "NAME",
    refused: ["volume drivers are not supported", "mount it on the host and use -v"],
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
    refused: ["the container has its own host name", "use --hostname"],
  },
  {
    name: "cgroup-parent",
    value: "PATH",
    refused: ["a container's control group is /hpktainer-ID", "leave it out"],
  },
  {
    name: "cgroupns",
    value: "MODE",
    refused: ["a container has its own control group namespace", "leave it out"],
  },
  {
    name: "health-cmd",
    value: "COMMAND",
    refused: [
      "hpktainer has no daemon to run checks",
      "run 'hpktainer container exec' from a timer",
    ],
  },
  {
    name: "health-interval",
    value: "TIME",
    refused: [
      "hpktainer has no daemon to run checks",
      "run 'hpktainer container exec' from a timer",
    ],
  },
  { name: "no-healthcheck", refused: ["no checks are run anyway", "leave it out"] },
  {
    name: "kernel-memory",
    value: "BYTES",
    refused: ["current kernels do not have that limit", "use -m"],
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
