/** For those who wait until something is there: `until(find)` gives what `find` gives, once it is something; `changed()` has it look again. */
export function waitingRoom() {
  const waiting = new Set();
  return {
    changed() {
      for (const look of waiting) look();
      waiting.clear();
    },
    async until(find) {
      for (;;) {
        const found = find();
        if (found) return found;
        await new Promise((resolve) => waiting.add(resolve));
      }
    },
  };
}
