/** Longest interface name in bytes: IFNAMSIZ less the terminating zero (linux/if.h). */
export const MAX_INTERFACE_NAME = 15;

/** Digits of a container's id: 48 bits in hexadecimal, so that "hpk" and the id fill an interface name. */
const ID_DIGITS = 12;

/**
 * Whether a text can name a container: what Apptainer accepts for an instance, at most 63
 * characters.
 */
export function isContainerName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(text);
}

/**
 * Whether a text can name a network interface. The kernel accepts more (dev_valid_name in
 * net/core/dev.c), but "%d" there, "+" in iptables and quotes in `ip -batch` have special meanings,
 * and a leading hyphen would look like an option.
 */
export function isInterfaceName(text: string): boolean {
  return text.length <= MAX_INTERFACE_NAME && /^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/.test(text) &&
    text !== "." && text !== "..";
}

/** A new container id: 12 hexadecimal digits from the system's random generator. */
export function newContainerId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(ID_DIGITS / 2));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Host end of a container's link. */
export function hostLinkName(id: string): string {
  return `hpk${id}`;
}

/** Whether a link's name is that of the host end of a container's link. */
export function isHostLinkName(name: string): boolean {
  return /^hpk[0-9a-f]{12}$/.test(name);
}

/** Name of a container's network namespace, as `ip netns` lists it. */
export function namespaceName(id: string): string {
  return `hpk-${id}`;
}

/**
 * Host name inside a container: its name, with hyphens for characters that RFC 1123 does not allow.
 */
export function hostNameOf(containerName: string): string {
  return containerName.replace(/[_.]/g, "-").replace(/-+$/, "");
}
