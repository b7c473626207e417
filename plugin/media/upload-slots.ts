/** How many files are on their way to Meta at once, so that they hold up nobody's text. */

/** In one process. Each holds a lane and a connection to Meta while it lasts. */
const MOST = 8;
/** Of one tenant, so that one who sends films leaves room for another's picture. */
const MOST_OF_ONE = 6;

export type UploadSlots = {
  /**
   * @param file the same one is not brought twice at the same time: who comes second finds it at Meta a moment later.
   * @returns gives the place back; null when there is none now.
   */
  take(tenant: string, file: string): (() => void) | null;
};

export function createUploadSlots(): UploadSlots {
  const files = new Map<string, string>();
  return {
    take(tenant, file) {
      const ofTenant = [...files.values()].filter((one) => one === tenant).length;
      if (files.has(file) || files.size >= MOST || ofTenant >= MOST_OF_ONE) return null;
      files.set(file, tenant);
      return () => void files.delete(file);
    },
  };
}
