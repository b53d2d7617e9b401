/**
 * Which of Apptainer's options take a value: needed to find the image among the arguments
 * (Apptainer 1.2 to 1.5, `apptainer exec --help` and hidden ones).
 */

/** Commands that start a container with a network. */
export const CONTAINER_VERBS = ["run", "exec", "shell", "instance start", "instance run"] as const;

/** A command that starts a container. */
export type ContainerVerb = typeof CONTAINER_VERBS[number];

/** Whether an option takes a value, by long name. */
export type OptionTable = ReadonlyMap<string, boolean>;

const words = (text: string): string[] => text.trim().split(/\s+/);

const table = (valued: string, boolean: string): OptionTable =>
  new Map([
    ...words(valued).map((name) => [name, true] as const),
    ...words(boolean).map((name) => [name, false] as const),
  ]);

/** Options before the subcommand. */
export const GLOBAL_OPTIONS: OptionTable = table(
  "config",
  "build-config debug help nocolor quiet silent verbose version",
);

/** Global options by their letter. */
export const GLOBAL_LETTERS: ReadonlyMap<string, string> = new Map([
  ["c", "config"],
  ["d", "debug"],
  ["h", "help"],
  ["q", "quiet"],
  ["s", "silent"],
  ["v", "verbose"],
]);

/** Options of the commands that start a container. */
export const CONTAINER_OPTIONS: OptionTable = table(
  `add-caps app apply-cgroups authfile bind blkio-weight blkio-weight-device cdi-dirs containlibs
   cpu-shares cpus cpuset-cpus cpuset-mems cwd device dmtcp-launch dmtcp-restart dns docker-host
   docker-password docker-username drop-caps env env-file fusemount home hostname memory
   memory-reservation memory-swap mount netns-path network network-args no-env no-mount overlay
   pem-path pid-file pids-limit pwd runscript-timeout scratch security shell tmpdir workdir`,
  `allow-setuid boot cleanenv compat compat32 contain containall disable-cache docker-login fakeroot
   help ignore-fakeroot-command ignore-subuid ignore-userns intel-hpu ipc keep-privs net no-eval
   no-home no-https no-init no-nv no-pid no-privs no-rocm no-umask nohttps nv nvccli oom-kill-disable
   passphrase pid rocm sharens underlay unsquash userns uts writable writable-tmpfs`,
);

/** Options of the commands that start a container by their letter. */
export const CONTAINER_LETTERS: ReadonlyMap<string, string> = new Map([
  ["B", "bind"],
  ["C", "containall"],
  ["H", "home"],
  ["S", "scratch"],
  ["W", "workdir"],
  ["c", "contain"],
  ["e", "cleanenv"],
  ["f", "fakeroot"],
  ["h", "help"],
  ["i", "ipc"],
  ["n", "net"],
  ["o", "overlay"],
  ["p", "pid"],
  ["s", "shell"],
  ["u", "userns"],
  ["w", "writable"],
]);
