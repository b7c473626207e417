/** Where our token goes: nowhere but to Meta. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMediaHosts } from "../../../plugin/media/media-hosts.ts";

const hosts = createMediaHosts("https://graph.facebook.com");

describe("the hosts of media", () => {
  it.each([
    "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1",
    "https://LOOKASIDE.FBSBX.COM/x",
    "https://mmg.whatsapp.net/v/1",
    "https://graph.facebook.com/v25.0/1",
    "https://fbsbx.com:443/x",
  ])("get the token at %s", (url) => {
    expect([hosts.isAllowed(new URL(url)), hosts.getsToken(new URL(url))]).toEqual([true, true]);
  });

  it("may be Meta's CDN, without the token", () => {
    const url = new URL("https://scontent.xx.fbcdn.net/v/1");

    expect([hosts.isAllowed(url), hosts.getsToken(url)]).toEqual([true, false]);
  });

  it.each([
    "https://evil-fbsbx.com/x",
    "https://fbsbx.com.evil/x",
    "https://lookaside.fbsbx.com@evil.example/x",
    "https://user:pass@lookaside.fbsbx.com/x",
    "https://user@lookaside.fbsbx.com/x",
    "https://lookaside.fbsbx.com./x",
    "https://lookaside.fbsbx.com:8443/x",
    "http://lookaside.fbsbx.com/x",
    "ftp://lookaside.fbsbx.com/x",
    "https://127.0.0.1/x",
    "https://[::1]/x",
    "https://2130706433/x",
    "https://0x7f.1/x",
    "http://localhost/x",
    "https://lookaside.fbsbx.com%2eevil.example/x",
    "https://lookaside.fbsbx.xn--com-9o0a/x",
    "https://lookaside.fbѕbx.com/x",
    "https://facebook.com/x",
    "https://www.graph.facebook.com.evil.example/x",
    "https://notgraph.facebook.com/x",
    "https://whatsapp.net.example/x",
    "https://evilwhatsapp.net/x",
    "data:text/plain,x",
    "file:///etc/passwd",
  ])("are not %s", (url) => {
    if (!URL.canParse(url)) return;
    expect([hosts.isAllowed(new URL(url)), hosts.getsToken(new URL(url))]).toEqual([false, false]);
  });

  it("are none that only looks like one, whatever is put around it", () => {
    fc.assert(
      fc.property(fc.domain(), fc.constantFrom("fbsbx.com", "whatsapp.net", "fbcdn.net"), (other, name) => {
        for (const host of [`${name}.${other}`, `x${name}`, `${name.replace(".", "-")}.${other}`])
          if (URL.canParse(`https://${host}/`)) expect(hosts.isAllowed(new URL(`https://${host}/`))).toBe(false);
      }),
    );
  });

  it("are the simulator's too, at its own port only, when Graph is on loopback", () => {
    const simulated = createMediaHosts("http://127.0.0.1:4010");

    expect(simulated.getsToken(new URL("http://127.0.0.1:4010/x"))).toBe(true);
    expect(simulated.isAllowed(new URL("http://127.0.0.1:4011/x"))).toBe(false);
    expect(simulated.isAllowed(new URL("http://localhost:4010/x"))).toBe(false);
    expect(simulated.isAllowed(new URL("http://u:p@127.0.0.1:4010/x"))).toBe(false);
    // A proxy for Graph elsewhere is no place for media.
    expect(createMediaHosts("https://graph.example").isAllowed(new URL("https://graph.example/x"))).toBe(false);
  });
});
