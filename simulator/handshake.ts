/** Asks the host the question Meta asks before it sends webhooks anywhere. */
import { newChallenge } from "./ids.ts";

/** Whether webhooks can be posted there. */
export function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** Whether the host answered 200 with exactly the challenge; false too when nobody answered in time. */
export async function performHandshake(webhookUrl: string, verifyToken: string, timeoutMs: number): Promise<boolean> {
  const challenge = newChallenge();
  const url = new URL(webhookUrl);
  url.searchParams.set("hub.mode", "subscribe");
  url.searchParams.set("hub.challenge", challenge);
  url.searchParams.set("hub.verify_token", verifyToken);
  try {
    const response = await fetch(url, {
      redirect: "manual",
      headers: { connection: "close" },
      signal: AbortSignal.timeout(timeoutMs),
    });
    return (await response.text()) === challenge && response.status === 200;
  } catch {
    // Nobody there, a host that hangs, or a connection cut short: to Meta's dashboard that is a refusal like any other.
    return false;
  }
}
