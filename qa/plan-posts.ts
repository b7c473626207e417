/** Which webhooks are posted together, how often, and in which order. Pure. */
import type { WireObject } from "@omniops/whatsapp/simulator";
import { canonicalAddresses } from "./canonical-addresses.ts";
import type { Fixture, Manifest } from "./fixtures.ts";
import { isObject, objectOf, objectsIn, parsed, textOf } from "./lossless-json.ts";
import { shuffled } from "./shuffle.ts";
import { valuesIn } from "./webhook-values.ts";

export type PostsOptions = {
  /** With the pauses of the recording each is posted by itself; else what was answered together is posted together. */
  readonly keepsPauses: boolean;
  /** Seed of the order, in which nobody's messages overtake each other; null keeps it. */
  readonly shuffle: number | null;
  /** How many times more each is posted. */
  readonly duplicate: number;
  /** At most so many in one delivery. */
  readonly batch: number;
};

export type Post = {
  readonly fixtures: readonly Fixture[];
  /** Parsed; null for a fixture that is no JSON, which is posted by itself as it is. */
  readonly json: WireObject | null;
  /** When the recording had it, after its first; 0 without a recording. */
  readonly atMs: number;
};

export function planPosts(
  fixtures: readonly Fixture[],
  manifest: Manifest | null,
  options: PostsOptions,
): readonly Post[] {
  const atMs = new Map(manifest?.deliveries.map((delivery) => [delivery.name, delivery.atMs]));
  const single = fixtures.map((fixture) => ({
    fixtures: [fixture],
    json: jsonOf(fixture),
    atMs: atMs.get(fixture.name) ?? 0,
  }));
  const grouped = options.keepsPauses ? single : byTurn(single, manifest);
  const canonical = canonicalAddresses(fixtures);
  // A menu's answer before the menu would be another answer.
  const ordered =
    options.shuffle === null ? grouped : shuffled(grouped, options.shuffle, ({ json }) => writersIn(json, canonical));
  const batched = options.batch > 1 ? inBatches(ordered, options.batch, canonical) : ordered;
  return batched.flatMap((post) => Array.from({ length: options.duplicate + 1 }, () => post));
}

/** A burst was answered once, because its messages came before anybody had answered: in one delivery they come so again. */
function byTurn(posts: readonly Post[], manifest: Manifest | null): readonly Post[] {
  const turns = new Map(manifest?.deliveries.map(({ name, turn }) => [name, turn]));
  const groups = new Map<number, Post[]>();
  const turnOf = ({ fixtures: [fixture] }: Post) => turns.get(fixture?.name ?? "") ?? null;
  for (const post of posts) {
    const turn = turnOf(post);
    if (turn !== null && post.json !== null) groups.set(turn, [...(groups.get(turn) ?? []), post]);
  }
  return posts.flatMap((post) => {
    const turn = turnOf(post);
    const group = turn === null ? undefined : groups.get(turn);
    if (group === undefined || post.json === null) return [post];
    return group.at(-1) === post ? [together(group)] : [];
  });
}

/** Messages of one conversation that were answered apart stay apart. */
function inBatches(posts: readonly Post[], most: number, canonical: (address: string) => string): readonly Post[] {
  const batches: Post[] = [];
  let open: Post[] = [];
  const close = () => {
    if (open.length > 0) batches.push(open.length === 1 && open[0] ? open[0] : together(open));
    open = [];
  };
  for (const post of posts) {
    const writers = writersIn(post.json, canonical);
    const meets = open.some(({ json }) => writersIn(json, canonical).some((writer) => writers.includes(writer)));
    const bytes = sizeOf([...open, post]);
    if (post.json === null || meets || open.length >= most || bytes > MOST_BYTES) close();
    open.push(post);
    if (post.json === null) close();
  }
  close();
  return batches;
}

/** As large a delivery is. @see https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview */
const MOST_BYTES = 3 * 1024 * 1024;

function sizeOf(posts: readonly Post[]): number {
  return posts.flatMap(({ fixtures }) => fixtures).reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
}

function together(posts: readonly Post[]): Post {
  return {
    fixtures: posts.flatMap(({ fixtures }) => fixtures),
    json: { object: "whatsapp_business_account", entry: posts.flatMap(({ json }) => objectsIn(objectOf(json).entry)) },
    atMs: posts.at(-1)?.atMs ?? 0,
  };
}

/** Business number and person of every message; a change of numbers is of both. */
function writersIn(json: unknown, canonical: (address: string) => string): readonly string[] {
  return valuesIn(json).flatMap(({ metadata, messages }) => {
    const number = textOf(objectOf(metadata).phone_number_id);
    return objectsIn(messages).flatMap(({ from, from_user_id: user, system }) => {
      const { wa_id, user_id } = objectOf(system);
      const people = [textOf(from) ?? textOf(user), textOf(wa_id) ?? textOf(user_id)];
      return people.flatMap((address) => (address === null ? [] : [`${number} ${canonical(address)}`]));
    });
  });
}

function jsonOf({ bytes }: Fixture): WireObject | null {
  const json = parsed(bytes);
  return isObject(json) ? json : null;
}
