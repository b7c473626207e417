/** Which addresses may be asked for a file: the public internet's, and none that leads back inside. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLoopbackAddress, isPublicAddress } from "../../../plugin/media/public-address.ts";

const PUBLIC = [
  "1.1.1.1",
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.0",
  "169.253.255.255",
  "172.15.255.255",
  "172.32.0.0",
  "192.167.255.255",
  "192.169.0.0",
  "198.17.255.255",
  "198.20.0.0",
  "223.255.255.255",
  "2606:4700:4700::1111",
  "2a03:2880:f003::1",
  "2001:4860:4860::8888",
  "2001:200::1",
];

const NOT_PUBLIC: Readonly<Record<string, readonly string[]>> = {
  "this network": ["0.0.0.0", "0.255.255.255"],
  private: ["10.0.0.1", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.1", "192.168.255.255"],
  "behind a carrier's NAT": ["100.64.0.0", "100.127.255.255"],
  loopback: ["127.0.0.1", "127.255.255.254", "::1"],
  "link-local and metadata": ["169.254.0.1", "169.254.169.254", "fe80::1", "fe80::1%eth0", "febf::1"],
  "site-local": ["fec0::1"],
  "unique local": ["fc00::1", "fd00:ec2::254"],
  multicast: ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
  "reserved and broadcast": ["240.0.0.1", "255.255.255.255"],
  "assigned to protocols": ["192.0.0.1", "192.0.0.170", "192.88.99.1", "192.31.196.1", "192.52.193.1", "192.175.48.1"],
  documentation: ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
  benchmarks: ["198.18.0.1", "198.19.255.255", "2001:2::1"],
  unspecified: ["::"],
  "IPv4 mapped": ["::ffff:10.0.0.1", "::ffff:a00:1", "::ffff:8.8.8.8", "::ffff:0:8.8.8.8"],
  "IPv4 compatible": ["::10.0.0.1", "::8.8.8.8"],
  NAT64: ["64:ff9b::10.0.0.1", "64:ff9b::8.8.8.8", "64:ff9b:1::a00:1"],
  "6to4": ["2002:a00:1::1", "2002:808:808::1"],
  Teredo: ["2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"],
  ORCHID: ["2001:10::1", "2001:20::1"],
  AS112: ["2620:4f:8000::1"],
  discard: ["100::1"],
  "segment routing": ["5f00::1"],
  "never given out": ["4000::1", "8000::1", "e000::1"],
  "no address": ["", "localhost", "10.1", "0x7f000001", "2130706433", "1.2.3.4.5", "1.2.3.4/8", " 8.8.8.8", "::g"],
};

describe("an address", () => {
  it.each(PUBLIC)("%s is public", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each(Object.entries(NOT_PUBLIC).flatMap(([why, some]) => some.map((address) => [address, why] as const)))(
    "%s is not: %s",
    (address) => {
      expect(isPublicAddress(address)).toBe(false);
    },
  );

  it("with IPv4 in it is never public, however IPv6 hides it", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.constantFrom("::ffff:", "::", "64:ff9b::", "::ffff:0:"), (ipv4, prefix) => {
        expect(isPublicAddress(`${prefix}${ipv4}`)).toBe(false);
      }),
    );
  });

  it("is loopback only in its own form", () => {
    expect(["127.0.0.1", "127.9.9.9", "::1"].every(isLoopbackAddress)).toBe(true);
    expect(["::ffff:127.0.0.1", "10.0.0.1", "0.0.0.0", "::", "localhost", "8.8.8.8"].some(isLoopbackAddress)).toBe(
      false,
    );
  });
});
