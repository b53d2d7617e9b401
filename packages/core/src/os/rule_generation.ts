import { NetlinkSocket } from "../ffi/netlink_socket.ts";
import { ruleGenerationIn, ruleGenerationRequest } from "../model/rule_generation.ts";
import { ask } from "./netlink_request.ts";

/** The program that the names of iptables(8) link to if it uses nf_tables (xtables-nft(8)). */
const NF_TABLES_PROGRAM = "xtables-nft-multi";

/**
 * Generation number of the nf_tables rule set; every change by any program increments it.
 *
 * @param program Path of a program of iptables(8).
 * @return Undefined if that program keeps its rules elsewhere, where there is no such number.
 */
export function ruleGeneration(program: string): number | undefined {
  if (!Deno.realPathSync(program).endsWith(`/${NF_TABLES_PROGRAM}`)) return undefined;
  using socket = new NetlinkSocket("netfilter");
  const [answer] = ask(socket, ruleGenerationRequest(), "ask for the generation of the rules");
  return answer === undefined ? undefined : ruleGenerationIn(answer);
}
