/** Which addresses belong to the public internet: for all others, whoever can make us call them calls from inside. */
import { BlockList, isIP } from "node:net";

/** @see https://www.iana.org/assignments/iana-ipv4-special-registry and …/multicast-addresses */
const SPECIAL_IPV4: readonly [network: string, prefix: number][] = [
  ["0.0.0.0", 8], // this network
  ["10.0.0.0", 8], // private
  ["100.64.0.0", 10], // behind a carrier's NAT
  ["127.0.0.0", 8], // loopback
  ["169.254.0.0", 16], // link-local, and the clouds' metadata
  ["172.16.0.0", 12], // private
  ["192.0.0.0", 24], // protocol assignments
  ["192.0.2.0", 24], // documentation
  ["192.31.196.0", 24], // AS112
  ["192.52.193.0", 24], // AMT
  ["192.88.99.0", 24], // 6to4 relays
  ["192.168.0.0", 16], // private
  ["192.175.48.0", 24], // AS112
  ["198.18.0.0", 15], // benchmarks
  ["198.51.100.0", 24], // documentation
  ["203.0.113.0", 24], // documentation
  ["224.0.0.0", 4], // multicast
  ["240.0.0.0", 4], // reserved, and broadcast
];

/**
 * Everything that is given out for the internet is in here. Outside are loopback, ULA, link-local, multicast, IPv4 in disguise
 * (`::ffff:0:0/96`, `::/96`, NAT64 `64:ff9b::/96` and `64:ff9b:1::/48`), and whatever is invented next.
 * @see https://www.iana.org/assignments/ipv6-unicast-address-assignments
 */
const GLOBAL_IPV6: readonly [network: string, prefix: number] = ["2000::", 3];

/** @see https://www.iana.org/assignments/iana-ipv6-special-registry */
const SPECIAL_IPV6: readonly [network: string, prefix: number][] = [
  ["2001::", 23], // protocol assignments, and Teredo, which holds an IPv4 address
  ["2001:db8::", 32], // documentation
  ["2002::", 16], // 6to4, which holds an IPv4 address
  ["2620:4f:8000::", 48], // AS112
  ["3fff::", 20], // documentation
];

const special = new BlockList();
for (const [network, prefix] of SPECIAL_IPV4) special.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of SPECIAL_IPV6) special.addSubnet(network, prefix, "ipv6");
const global = new BlockList();
global.addSubnet(...GLOBAL_IPV6, "ipv6");
const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** @param address as a resolver gives it; anything else is not public. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !special.check(address, "ipv4");
  return family === 6 && global.check(address, "ipv6") && !special.check(address, "ipv6");
}

/** IPv4 in the form of IPv6 is none: nobody needs it for that. */
export function isLoopbackAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return loopback.check(address, "ipv4");
  return family === 6 && !address.includes(".") && loopback.check(address, "ipv6");
}
