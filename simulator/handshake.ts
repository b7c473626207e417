/** Asks the host the question Meta asks before it sends webhooks anywhere. */
import { newChallenge } from "./ids.ts";

/** Whether the host answered 200 with exactly the challenge; false too when nobody answered. */
export async function performHandshake(webhookUrl: string, verifyToken: string): Promise<boolean> {
  const challenge = newChallenge();
  const url = new URL(webhookUrl);
  url.searchParams.set("hub.mode", "subscribe");
  url.searchParams.set("hub.challenge", challenge);
  url.searchParams.set("hub.verify_token", verifyToken);
  try {
    const response = await fetch(url, { redirect: "manual", headers: { connection: "close" } });
    return (await response.text()) === challenge && response.status === 200;
  } catch {
    // Nobody there, or a connection cut short: to Meta's dashboard that is a refusal like any other.
    return false;
  }
}
