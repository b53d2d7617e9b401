import { formatCidr, parseFlannelEnv, type Settings } from "@hpk/core";
import type { ChosenNetwork } from "../network/pure/network_choice.ts";
import { readTxChecksum } from "@hpk/core/ffi";
import { Ledger, readFileIfExists } from "@hpk/core/os";
import type { Check } from "./pure/doctor_report.ts";
import { anyAnswers, readFlannelVxlan } from "../network/vxlan_checksum.ts";

/** Checks for hosts of a Flannel network; none on others. */
export async function checkFlannel(
  settings: Settings,
  choice: ChosenNetwork | undefined,
): Promise<Check[]> {
  if (choice?.mode !== "flannel") return [];
  try {
    return [...checkSubnets(settings), ...await checkVxlan()];
  } catch (error) {
    return [{ id: "vxlan", status: "warn", found: String(error), fix: "see the message" }];
  }
}

/** Whether containers use a subnet that Flannel assigned before the present one. */
function checkSubnets(settings: Settings): Check[] {
  const text = readFileIfExists(settings.flannelEnv);
  if (text === undefined) return [];
  const now = formatCidr(parseFlannelEnv(text, settings.flannelEnv).subnet);
  const earlier = new Ledger().list().filter(({ mode, subnet }) =>
    mode === "flannel" && subnet !== now
  );
  if (earlier.length === 0) return [];
  const names = earlier.map(({ name, subnet }) => `${name} (${subnet})`).join(", ");
  return [{
    id: "flannel-subnet",
    status: "warn",
    found:
      `Flannel assigns ${now} now; containers keep the subnet that they started with: ${names}`,
    fix: "restart them when convenient: other hosts may have no route to the earlier subnet",
  }];
}

/** Whether other hosts answer through Flannel's VXLAN, as far as that is known without changes. */
async function checkVxlan(): Promise<Check[]> {
  const vxlan = readFlannelVxlan();
  if (vxlan === undefined) return [];
  const check = (status: Check["status"], found: string, fix = ""): Check[] => [
    { id: "vxlan", status, found: `${vxlan.link}: ${found}`, fix },
  ];
  if (vxlan.peers.length === 0) return check("ok", "no other host yet");
  const isRepaired = new Ledger().readHost()?.mendedChecksum === vxlan.link;
  const isOffloaded = readTxChecksum(vxlan.link);
  if (await anyAnswers(vxlan)) {
    const how = isRepaired
      ? ", now that the kernel computes the checksums (the device below computes wrong ones)"
      : "";
    return check("ok", `other hosts answer${how}`);
  }
  return check(
    "warn",
    `none of ${vxlan.peers.length} other hosts answers`,
    isOffloaded
      ? `check that they are up and UDP port 8472 is open between hosts; where only pings pass, try 'ethtool --offload ${vxlan.link} tx off', as containers do by themselves`
      : "check that they are up and UDP port 8472 is open between hosts",
  );
}
