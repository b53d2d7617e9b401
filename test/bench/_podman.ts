/** Podman on a private host, as it comes: rootful, with crun and its bridge network. */
import { findProgram, type PrivateHost } from "../harness/mod.ts";

/** Podman's configuration, only where the machine does not let it run with its defaults. */
const CONFIGURATION = `[containers]
default_ulimits = []
[engine]
runtime = "crun"
cgroup_manager = "cgroupfs"
events_logger = "file"
`;

const STORAGE = `[storage]
driver = "overlay"
graphroot = "/var/lib/containers/storage"
runroot = "/run/containers/storage"
`;

/**
 * Prepares Podman on a host. Raised limits are left out, which take CAP_SYS_RESOURCE; of control
 * groups of both versions, which crun refuses, the second is hidden. Its storage is in memory, as
 * ours is.
 *
 * @param image An image, such as "oci:DIRECTORY:TAG".
 * @return The image's id in Podman's store, or why Podman does not run.
 */
export async function preparePodman(
  host: PrivateHost,
  image: string,
): Promise<{ readonly id: string } | { readonly reason: string }> {
  if (findProgram("podman") === undefined) return { reason: "podman is not installed" };
  await host.sh(
    `mkdir -p /etc/containers /var/lib/containers
     mount -n -t tmpfs -o mode=755 disk /var/lib/containers
     umount /sys/fs/cgroup/unified 2>/dev/null || :
     cat > /etc/containers/containers.conf`,
    { stdin: CONFIGURATION },
  );
  await host.sh("cat > /etc/containers/storage.conf", { stdin: STORAGE });
  const pulled = await host.run("podman", ["pull", "-q", image], { check: false });
  const id = pulled.stdout.trim();
  if (pulled.code !== 0) return { reason: lastLine(pulled.stderr) };
  const tried = await host.run("podman", ["run", "--rm", id, "true"], { check: false });
  return tried.code === 0 ? { id } : { reason: lastLine(tried.stderr) };
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
