/** Row level security hides rows without a word: whether it may hide any of a table from us is asked before we say that something is done. */
import type { Tx } from "./database.ts";

/** What a policy is for, as the catalogue writes it. */
export type Guarded = "select" | "insert" | "update" | "delete";

const LETTER: Readonly<Record<Guarded, string>> = { select: "r", insert: "a", update: "w", delete: "d" };

type Policy = {
  readonly letter: string;
  readonly permissive: boolean;
  readonly used: string | null;
  readonly checked: string | null;
};

/**
 * Which of the commands row level security does not plainly let us carry out on every row. Plainly: by a policy that is true whatever the
 * row. One that looks at the row may let us see all and may not: nobody can tell, so it counts as one that does not.
 * @param table qualified and quoted. @returns none where it is off, does not hold for this role, or lets us.
 */
export async function heldBack<T extends Guarded>(
  tx: Tx,
  table: string,
  commands: readonly T[],
): Promise<readonly T[]> {
  const [state] = await tx.query<{ active: boolean }>("select row_security_active($1::regclass) as active", [table]);
  if (state?.active !== true) return [];
  const policies = await tx.query<Policy>(
    `select p.polcmd::text as letter, p.polpermissive as permissive, pg_get_expr(p.polqual, p.polrelid) as used,
       pg_get_expr(coalesce(p.polwithcheck, p.polqual), p.polrelid) as checked
     from pg_policy p where p.polrelid = $1::regclass
       and exists (select 1 from unnest(p.polroles) as r (role) where role = 0 or pg_has_role(role, 'usage'))`,
    [table],
  );
  const held: T[] = [];
  for (const command of commands) {
    const holding = policies.filter(({ letter }) => letter === "*" || letter === LETTER[command]);
    if (!(await letsAll(tx, command, holding))) held.push(command);
  }
  return held;
}

/** One that permits is enough, and of those that restrict each must. */
async function letsAll(tx: Tx, command: Guarded, policies: readonly Policy[]): Promise<boolean> {
  let isPermitted = false;
  for (const { permissive, used, checked } of policies) {
    const conditions = command === "insert" ? [checked] : command === "update" ? [used, checked] : [used];
    let isTrue = true;
    for (const condition of conditions) isTrue &&= await isAlwaysTrue(tx, condition);
    if (permissive) isPermitted ||= isTrue;
    else if (!isTrue) return false;
  }
  return isPermitted;
}

/** Tried without a row: what needs one fails. */
async function isAlwaysTrue(tx: Tx, condition: string | null): Promise<boolean> {
  if (condition === null) return false;
  if (condition === "true") return true;
  await tx.query("savepoint whatsapp_policy");
  try {
    const [tried] = await tx.query<{ lets: boolean | null }>(`select (${condition})::boolean as lets`);
    return tried?.lets === true;
  } catch (error) {
    if ((error as { code?: unknown }).code === undefined) throw error;
    return false;
  } finally {
    await tx.query("rollback to savepoint whatsapp_policy");
  }
}
