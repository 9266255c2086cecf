// What the banks remember: in memory, for as long as it was asked to, and never more than so many things.

/** The oldest goes when there are too many. */
export class Shelf {
  #kept = new Map();
  #most;

  constructor(most) {
    this.#most = most;
  }

  get size() {
    return this.#kept.size;
  }

  get(key) {
    const found = this.#kept.get(key);
    if (!found) return undefined;
    if (found.until > Date.now()) return found.value;
    this.#kept.delete(key);
    return undefined;
  }

  set(key, value, seconds) {
    this.#kept.delete(key);
    this.#kept.set(key, { value, until: Date.now() + seconds * 1000 });
    if (this.#kept.size > this.#most) this.#kept.delete(this.#kept.keys().next().value);
    return value;
  }

  delete(key) {
    this.#kept.delete(key);
  }

  entries() {
    return [...this.#kept].map(([key, { value }]) => [key, value]);
  }
}

/** The adapter that oidc-provider asks for, one set of shelves a bank. */
export function makeAdapter(most = 2000) {
  const shelves = new Map();
  const shelf = (model) => shelves.get(model) ?? shelves.set(model, new Shelf(most)).get(model);
  return (model) => {
    const kept = shelf(model);
    const where = async (wanted) => kept.entries().find(([key, value]) => wanted(value) && kept.get(key))?.[1];
    return {
      upsert: async (id, payload, seconds) => void kept.set(id, payload, seconds ?? 3600),
      find: async (id) => kept.get(id),
      findByUid: (uid) => where((value) => value.uid === uid),
      findByUserCode: (code) => where((value) => value.userCode === code),
      consume: async (id) => {
        const found = kept.get(id);
        if (found) found.consumed = Math.floor(Date.now() / 1000);
      },
      destroy: async (id) => kept.delete(id),
      revokeByGrantId: async (grantId) => {
        for (const one of shelves.values()) for (const [key, value] of one.entries()) if (value.grantId === grantId) one.delete(key);
      },
    };
  };
}
